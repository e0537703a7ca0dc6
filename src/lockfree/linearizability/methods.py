"""What the methods of an object mean to a specification: from a call, its answer or its exception to operations."""

import array
import asyncio
import collections
import inspect
import multiprocessing.queues
import queue
import threading
from collections.abc import Mapping, MutableMapping, MutableSet, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

Roles = Sequence[str]
Methods = Mapping[str, "tuple[str, bool | Roles] | None"]


class UnknownCall(TypeError):
    """A method was called that may change the object and that nobody explained: the history would be wrong."""


class Item(NamedTuple):
    """One operation of a call; `result` None is no answer. `ticket`: see `Operation`."""

    op: str
    arg: Any = None
    result: Any = None
    key: Any = None
    ticket: int | None = None


NONE = {"value": None}  # as it is written in a history


@dataclass(frozen=True)
class Rule:
    """A method: the operation and what its arguments are, by position."""

    op: str
    roles: tuple[str, ...] = ()
    none: bool = False
    """None as an answer is a value, and not EMPTY: the method raises to say that."""


def _rules(text: str) -> dict[str, Rule]:
    """From lines `operation role...: method...`."""
    rules: dict[str, Rule] = {}
    for line in text.split("\n"):
        head, _, names = line.partition(":")
        if not names:
            continue
        op, *roles = head.split()
        rules |= {name: Rule(op, tuple(roles)) for name in names.split()}
    return rules


_QUEUE = """
put value: put put_nowait try_put offer enqueue send send_nowait
get: get get_nowait try_get poll dequeue take recv receive receive_nowait
peek: front
put_many values: put_many
get_many count: get_many
"""
_STACK = """
push value: push append
pop: pop
peek: peek top
push_many values: extend
"""
_REGISTER = """
read: read
load: load
write value: write store
cas old new: cas compare_and_set compare_and_swap
exchange value: exchange swap get_and_set
"""
_COUNTER = """
fetch_add value: fetch_add get_and_add
add_fetch value: add_and_get add_fetch
fetch_add: get_and_increment
add_fetch: increment_and_get
increment value: increment inc
decrement value: decrement dec
load: load
"""
_LOCK = """
acquire: acquire try_acquire aacquire lock
release: release unlock
"""
_SEMAPHORE = """
acquire count: acquire try_acquire aacquire
release count: release
"""
_SET = """
take_any: pop
add value: add
delete value: discard
remove value: remove
contains value: contains
"""
_MAP = """
get key: get __getitem__
put key value: __setitem__
remove key: __delitem__
contains key: __contains__
take key: pop
put_many entries: update
"""
_DEQUE = """
put_right value: append
put_left value: appendleft
get_right: pop
get_left: popleft
put_right_many values: extend
"""
_LIST = """
put_right value: append
get_at index: pop
put_right_many values: extend
read key: __getitem__
write key value: __setitem__
"""
_CELLS = """
read key: __getitem__
write key value: __setitem__
"""
_ATOMIC = (
    _REGISTER
    + """
fetch_add value: fetch_add
fetch_sub value: fetch_sub
fetch_and value: fetch_and
fetch_or value: fetch_or
fetch_xor value: fetch_xor
cas_pair old new: compare_exchange
test_and_set: test_and_set
clear: clear
"""
)
_RING = """
put value: put put_nowait try_put aput
get: get get_nowait try_get aget
put_many values: put_many
get_many count: get_many
"""
_PRIORITY = """
put value priority: put put_nowait try_put aput
get: get get_nowait try_get aget
put_front value priority front: requeue
put_many values priorities: put_many
get_many count: get_many
"""
GENERIC = _rules(_QUEUE + _SET + _STACK + _REGISTER + _COUNTER + _LOCK + _SEMAPHORE)
GENERIC |= {"__next__": Rule("get"), "__anext__": Rule("get"), "__contains__": Rule("contains", ("value",))}

# They only look, or have nothing to do with the values.
NEUTRAL = {
    "qsize",
    "empty",
    "full",
    "size",
    "locked",
    "get_value",
    "closed",
    "close",
    "aclose",
    "shutdown",
    "join",
    "task_done",
    "statistics",
    "stats",
    "capacity",
    "maxsize",
    "name",
    "keys",
    "values",
    "items",
    "copy",
    "count",
    "index",
    "unlink",
    "attach",
    "recover",
    "recover_dead",
    "release_role",
    "cancel_join_thread",
    "join_thread",
    "connect",
    "disconnect",
    "ping",
    "fileno",
    "dtype",
    "nbytes",
    "itemsize",
    "tolist",
    "tobytes",
    "flush",
    "history",
    "recorder",
    "get_nowait_count",
}
SIGNS = {"key", "k", "name", "field"}
EMPTY_NAMES = {"Empty", "QueueEmpty", "WouldBlock", "Full", "QueueFull"}
TAKES = {"get", "pop", "peek", "get_left", "get_right", "get_at", "get_many", "alloc", "read", "take"}
ADDS = {"fetch_add": 1, "add_fetch": 1, "fetch_sub": -1, "increment": 1, "decrement": -1}
VALUED = TAKES | {"load", "fetch_add"}


_REMOTE_QUEUES = ("AutoProxy[Queue]", "AutoProxy[JoinableQueue]")
_PROCESS_QUEUES: Any = multiprocessing.queues.Queue | multiprocessing.queues.SimpleQueue


def ours(obj: Any) -> str:
    """The name of a class of this package, if it is one."""
    for kind in type(obj).__mro__:
        if kind.__module__.startswith("lockfree."):
            return kind.__name__
    return ""


_EVENT = """
set_flag: set
clear: clear
read: is_set wait
"""


_RWLOCK = """
read_acquire: acquire_read aacquire_read
write_acquire: acquire_write aacquire_write
read_release: release_read
write_release: release_write
"""
OF_MESSAGES = ("MessageRing", "Queue", "JoinableQueue", "SimpleQueue")


def _is_mapping(obj: Any) -> bool:
    return isinstance(obj, MutableMapping) or all(hasattr(obj, n) for n in ("keys", "__getitem__", "__setitem__"))


def refuse_unspecified(obj: Any) -> None:
    """What none of our specifications describes; `methods=` says that there is another one."""
    own = "; methods= names its methods if you have one of your own"
    if isinstance(obj, type(threading.RLock())) or ours(obj) == "RLock":
        raise TypeError("a lock that its holder may take again has no specification: record a Lock" + own)
    if ours(obj) == "BroadcastRing":
        raise TypeError("a BroadcastRing, which gives every message to every reader, is no queue" + own)
    if isinstance(obj, collections.deque) and obj.maxlen is not None:
        raise TypeError(f"a deque that drops what does not fit (maxlen={obj.maxlen}) has no specification" + own)
    if isinstance(obj, dict) and hasattr(type(obj), "__missing__"):
        raise TypeError(
            f"a mapping that makes up values for absent keys ({type(obj).__name__}) has no specification" + own
        )


def table(obj: Any) -> tuple[dict[str, Rule], bool]:
    """The methods of a known type; whether its gets raise to say EMPTY."""
    own = ours(obj)
    if own in ("MPMCRing", "SPSCRing", *OF_MESSAGES):
        return _rules(_RING), True
    if own == "RWLock":
        return _rules(_RWLOCK), False
    if own == "PriorityQueue":
        return _rules(_PRIORITY), True
    if own.startswith("Atomic"):
        return _rules(_ATOMIC), False
    if own in ("Mutex", "SpinLock"):
        return _rules(_LOCK), False
    if own == "Semaphore" or isinstance(obj, threading.Semaphore | asyncio.Semaphore):
        return _rules(_SEMAPHORE), False
    if own == "Event" or isinstance(obj, threading.Event | asyncio.Event):
        return _rules(_EVENT), False
    if _is_mapping(obj):
        return _rules(_MAP), True
    if isinstance(obj, MutableSet):
        rules = _rules(_SET) | {"__contains__": Rule("contains", ("value",)), "add": Rule("insert", ("value",))}
        return rules | {"update": Rule("insert_many", ("values",))}, True
    if isinstance(obj, collections.deque):
        return _rules(_DEQUE), True
    if isinstance(obj, list) or type(obj).__name__ == "ListProxy":
        return _rules(_LIST), True
    if isinstance(obj, array.array) or type(obj).__module__ == "numpy":
        return _rules(_CELLS), True
    if isinstance(obj, queue.PriorityQueue | asyncio.PriorityQueue):
        return _rules(_QUEUE.replace("put value:", "put pair:")), True
    if isinstance(obj, queue.LifoQueue | asyncio.LifoQueue):
        return _rules("push value: put put_nowait\npop: get get_nowait"), True
    if (
        isinstance(obj, queue.Queue | queue.SimpleQueue | asyncio.Queue | _PROCESS_QUEUES)
        or type(obj).__name__ in _REMOTE_QUEUES
    ):
        return _rules(_QUEUE), True
    return {}, False


class Signature:
    """Binds the arguments of a call to the roles of its rule."""

    def __init__(self, member: Any, roles: tuple[str, ...]) -> None:
        self.roles = roles
        self.names: list[str] = []
        try:
            parameters = list(inspect.signature(member).parameters.values())
        except (TypeError, ValueError):
            return
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        self.names = [p.name for p in parameters if p.kind in kinds]

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        if not self.roles:
            return {}
        if self.roles == ("value",) and args:  # most calls
            return {"value": args[0]}
        found = {}
        for i, role in enumerate(self.roles):
            at = self._place(i, role)
            if role == "count" and at < len(args) and isinstance(args[at], bool):
                continue  # whether to block
            if role == "entries":
                found[role] = dict(args[0] if args else ()) | kwargs
            elif at < len(args):
                found[role] = args[at]
            elif at < len(self.names) and self.names[at] in kwargs:
                found[role] = kwargs[self.names[at]]
            elif role in kwargs:
                found[role] = kwargs[role]
            elif role not in ("count", "index") and kwargs and not self.names:
                found[role] = next(iter(kwargs.values()))
        return found

    def _place(self, i: int, role: str) -> int:
        """Permits are an argument of that name, wherever it stands; others stand in the order of the roles."""
        if role == "count":
            known = [n for n in self.names if n in ("n", "count", "permits", "max", "value", "num", "amount")]
            return self.names.index(known[0]) if known else len(self.names) + 100
        return i


BY_KEY = {
    "get": Rule("get", ("key", "default")), "put": Rule("put", ("key", "value")), "set": Rule("put", ("key", "value")),
    "delete": Rule("delete", ("key",)), "remove": Rule("remove", ("key",)), "pop": Rule("take", ("key",)),
    "append": Rule("append", ("key", "value")), "contains": Rule("contains", ("key",)),
    "exists": Rule("contains", ("key",)),
    "__getitem__": Rule("get", ("key",)), "__setitem__": Rule("put", ("key", "value")),
    "__delitem__": Rule("remove", ("key",)), "__contains__": Rule("contains", ("key",)),
}  # fmt: skip
