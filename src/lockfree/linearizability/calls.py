"""From a call, its answer or its exception to the operations of a history."""

import operator
import queue
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lockfree.linearizability.methods import (
    ADDS,
    BY_KEY,
    EMPTY_NAMES,
    GENERIC,
    NEUTRAL,
    NONE,
    OF_MESSAGES,
    SIGNS,
    TAKES,
    VALUED,
    Item,
    Methods,
    Roles,
    Rule,
    Signature,
    UnknownCall,
    ours,
    refuse_unspecified,
    table,
)  # fmt: skip
from lockfree.linearizability.tickets import begin as keep_tickets

_AS_THEY_ARE = {int, str, bytes, bool, type(None)}
_COUNTS = ("increment", "inc", "fetch_add", "get_and_increment", "increment_and_get", "add_and_get")


_TRUTHS = {"acquire", "add", "remove", "contains", "read_acquire", "write_acquire", "put", "put_front", "push"}
"""Their answer says whether they did it, or found it."""


class Explained:
    """All rules of one object: its type's, the general ones, and those that the caller gave."""

    def __init__(
        self, obj: Any, methods: Methods | None, *, empty: Any = None, refused: tuple[type[BaseException], ...] = ()
    ) -> None:
        if methods is None:
            refuse_unspecified(obj)
        known, self.raises = table(obj)
        self.keyed = any(rule.op == "take" for rule in known.values())  # a mapping, whose absent keys are told apart
        self.generic = not known
        self.rules: dict[str, Rule | None] = dict(known or GENERIC)
        if self.generic and not hasattr(obj, "put") and any(hasattr(obj, n) for n in _COUNTS):
            self.rules |= {"get": Rule("load"), "read": Rule("load"), "add": Rule("increment", ("value",))}
        elif self.generic and hasattr(obj, "set") and not hasattr(obj, "put"):
            self.rules |= {"get": Rule("read"), "set": Rule("write", ("value",))}
        for name, given in (methods or {}).items():
            self.rules[name] = None if given is None else self._given(name, given)
        self.explained = set(methods or ())
        self.empty, self.refused = empty, refused
        self.in_place = ours(obj) in ("MPMCRing", "SPSCRing", "PriorityQueue", "MessageRing")  # records in place
        self.any_object = ours(obj) in ("Queue", "JoinableQueue", "SimpleQueue")  # None is a value
        self.dtype = getattr(obj, "dtype", None) if self.in_place else None
        self.tickets = ours(obj) in ("MPMCRing", *OF_MESSAGES) and keep_tickets()
        self.flag = "set_flag" in {r.op for r in known.values()} or ours(obj) == "AtomicFlag"
        self.signatures: dict[str, tuple[Rule, Signature]] = {}
        self.neutral = NEUTRAL

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"signatures": {}}

    @staticmethod
    def _given(name: str, given: tuple[str, bool | Roles]) -> Rule:
        if not isinstance(given, tuple | list) or len(given) != 2 or not isinstance(given[0], str):
            raise TypeError(f"methods[{name!r}]: {given!r} is not (operation, what the arguments are)")
        op, roles = given
        if isinstance(roles, bool):
            roles = ("value",) if roles else ("count",) if op in ("acquire", "release") else ()
        known = ("key", "value", "old", "new", "count", "priority", "values", "priorities", "entries", "-")
        for role in roles:
            if role not in known:
                raise TypeError(f"methods[{name!r}]: {role!r} is none of {', '.join(known)}")
        return Rule(op, tuple(roles))

    def find(self, name: str, member: Any) -> tuple[Rule, Signature] | None:
        """The rule of a method; None if it is only passed on; UnknownCall if nobody knows."""
        found = self.signatures.get(name)
        if found is None:
            if name in self.rules:
                rule = self.rules[name]
                if rule is None:
                    return None
            else:
                rule = self._guess(name, member)
                if rule is None:
                    return None
            signature = Signature(member, rule.roles)
            rule = self._keyed(name, rule, signature)
            if self.generic and rule.op == "put" and name not in self.explained and "priority" in signature.names[:2]:
                rule = Rule("put", tuple("priority" if n == "priority" else "value" for n in signature.names[:2]))
            signature.roles = rule.roles
            found = self.signatures[name] = (rule, signature)
        return found

    def _guess(self, name: str, member: Any) -> Rule | None:
        if name in self.neutral or name.startswith(("is_", "has_")):
            return None
        if self.generic and (guess := BY_KEY.get(name)) is not None:
            first = Signature(member, ()).names[:1]
            if first and first[0] in SIGNS:
                return guess
        raise UnknownCall(
            f"record() does not know what {name}() does to the object: name it in methods=, as in "
            f'methods={{"{name}": ("put", True)}}, or say methods={{"{name}": None}} if it changes nothing'
        )

    def _keyed(self, name: str, rule: Rule, signature: Signature) -> Rule:
        """The first parameter of a client of a store is called key."""
        if name in self.explained or not self.generic or "key" in rule.roles or signature.names[:1] == []:
            return rule
        if signature.names[0] not in SIGNS:
            return rule
        guess = BY_KEY.get(name)
        return guess if guess is not None else Rule(rule.op, ("key", *rule.roles), rule.none)

    # -- from calls to operations ----------------------------------------------------------------------

    def begin(self, rule: Rule, bound: dict[str, Any]) -> list[Item]:
        """The operations of a call that has not returned."""
        if self.keyed and "key" in bound:
            bound = bound | {"key": self.same_key(bound["key"])}
        key, value = bound.get("key"), bound.get("value")
        special = _BEGIN.get(rule.op)
        if special is not None:
            return special(self, bound)
        if rule.op in ("acquire", "release"):
            return [Item(rule.op, bound.get("count", 1), None, key)]
        if rule.op in ("cas", "cas_pair"):
            return [Item("cas", [self._word(bound["old"]), self._word(bound["new"])], None, key)]
        if rule.op == "exchange":
            return [Item("write", self._word(value), None, key)]
        if rule.op in ADDS:
            return [Item("fetch_add", ADDS[rule.op] * bound.get("value", 1), None, key)]
        if rule.op in VALUED or rule.op == "take":
            return [Item(rule.op if rule.op != "take" else "delete", None, None, key)]
        self._admit(rule, value, bound)
        return [Item(rule.op, self._word(value), None, key)]

    def same_key(self, key: Any) -> Any:
        """For a mapping 1, 1.0, True and numpy's 1 are one key."""
        key = self.plain(key)
        return int(key) if isinstance(key, bool) or (isinstance(key, float) and key.is_integer()) else key

    def _admit(self, rule: Rule, value: Any, bound: dict[str, Any]) -> None:
        puts = rule.op in ("put", "push") and "key" not in bound
        if puts and value is None and "value" in bound and not self.raises and self.empty is None:
            raise UnknownCall(
                "a value of None cannot be told from EMPTY: give record() empty=, what the object answers when it is "
                "empty, or empty=object() if it raises"
            )

    def _word(self, value: Any) -> Any:
        return int(value) if self.flag and isinstance(value, bool) else value

    def plain(self, value: Any, *, put: bool = False) -> Any:
        """A value as a history holds it. What belongs to somebody else's memory is copied."""
        if type(value) in _AS_THEY_ARE and (self.dtype is None or not put):
            return value
        if isinstance(value, memoryview | bytearray):
            return bytes(value)
        if type(value).__module__ == "numpy" or (put and self.dtype is not None):
            numpy = sys.modules["numpy"]
            value = numpy.asarray(value, self.dtype) if put and self.dtype is not None else value
            return value.item() if getattr(value, "ndim", 0) == 0 else value.tolist()
        return value

    def answer(self, value: Any) -> Any:
        """What a get brought: None is EMPTY, unless the object raises to say that."""
        if value is self.empty and (self.empty is not None or not self.raises or self.in_place):
            return None  # no ring that holds records in place holds None
        if isinstance(value, tuple):
            return [self.plain(v) for v in value]
        value = self.plain(value)
        return NONE if value is None else value

    def end(self, rule: Rule, bound: dict[str, Any], items: list[Item], result: Any) -> list[Item]:
        """The operations of a call that returned."""
        one, op = items[0] if items else Item(""), rule.op
        special = _END.get(op)
        if special is not None:
            return special(self, bound, items, result)
        if op == "get" and one.key is not None and result is not None and result is bound.get("default"):
            return []  # the default, or the value: nobody knows
        if op in ("load", "read") or (op == "get" and one.key is not None):
            return [one._replace(result=None if result is self.empty else self._word(self.plain(result)))]
        if op in VALUED:
            return [Item(one.op, one.arg, self.answer(result), one.key)]
        if op == "add" and result is None:
            return [one._replace(op="insert")]
        if op == "remove" and result is None and not self.raises:
            return [one._replace(op="delete")]
        done = self.plain(result)  # also numpy's False
        if done is not None and not isinstance(done, bool) and not done and op in _TRUTHS:
            raise UnknownCall(f"{op} answered {result!r}: True or False says whether it did it")
        return [Item(one.op, one.arg, done is not False, one.key)]

    def failed(self, rule: Rule, items: list[Item], error: BaseException) -> list[Item] | None:
        """The operations of a call that raised: an answer, nothing at all, or None: it may have happened."""
        one, op = items[0] if items else Item(""), rule.op
        if self.refused and isinstance(error, self.refused):
            return []
        told = isinstance(error, queue.Full | queue.Empty | IndexError) or type(error).__name__ in EMPTY_NAMES
        if op == "acquire" and type(error).__name__ == "OwnerDied":
            return [one._replace(result=True)]  # it has the lock, and is told that its last holder died
        if told and op in TAKES and one.key is None:
            return [one._replace(result=None)]
        if told and op in ("put", "put_front", "push", "put_left", "put_right") and not isinstance(error, IndexError):
            return [one._replace(result=False)]
        if isinstance(error, LookupError) and one.key is not None and op in ("get", "take", "remove"):
            return [Item("remove" if op == "take" else op, None, None if op == "get" else False, one.key)]
        if isinstance(error, KeyError) and op == "take_any":
            return []
        if isinstance(error, KeyError | ValueError) and op == "remove":
            return [one._replace(result=False)]
        if isinstance(error, RuntimeError | ValueError) and op == "release":
            return [one._replace(result=False)]
        if isinstance(error, StopIteration | StopAsyncIteration):
            return []  # it is closed: no answer of an object that is open
        return None


def _rows(values: Any) -> list[Any]:
    """The records of a batch; a block of memory is one with a row for each."""
    if isinstance(values, memoryview) and values.ndim == 2:
        rows = len(values)
        flat, width = values.cast("B"), values.nbytes // max(1, rows)
        return [flat[i * width : (i + 1) * width] for i in range(rows)]
    return list(values)


def _begin_many(x: Explained, bound: dict[str, Any]) -> list[Item]:
    if "entries" in bound:
        entries = bound["entries"]
        pairs = entries.items() if isinstance(entries, Mapping) else entries
        return [Item("put", v, None, x.same_key(k) if x.keyed else k) for k, v in pairs]
    rows = [x.plain(v, put=True) for v in _rows(bound["values"])]
    if "priorities" in bound:
        given = bound["priorities"]
        each = [given] * len(rows) if isinstance(given, int) else list(given)
        rows = [[int(p), v] for p, v in zip(each, rows, strict=False)]
    return [Item("put", v, None, bound.get("key")) for v in rows]


def _end_many(_: Explained, __: dict[str, Any], items: list[Item], result: Any) -> list[Item]:
    """Those that went in; of the rest nothing is claimed."""
    if isinstance(result, bool) or result is None:
        return [i._replace(result=result is not False) for i in items]
    return [i._replace(result=True) for i in items[: operator.index(result)]]


def _end_take_many(x: Explained, _: dict[str, Any], items: list[Item], result: Any) -> list[Item]:
    op = items[0].op if items else "get"
    return [Item(op, None, x.answer(v)) for v in result or ()] or [i._replace(result=None) for i in items[:1]]


def _with(op: str, begin: Callable[[Explained, dict[str, Any]], list[Item]]) -> Callable[..., list[Item]]:
    return lambda x, bound: [i._replace(op=op) for i in begin(x, bound)]


def _end_add_fetch(_: Explained, __: dict[str, Any], items: list[Item], result: Any) -> list[Item]:
    one = items[0]
    return [one._replace(result=None if result is None else result - one.arg)]


def _end_fetch(_: Explained, __: dict[str, Any], items: list[Item], result: Any) -> list[Item]:
    return [items[0]._replace(result=result)]


def _end_increment(_: Explained, __: dict[str, Any], items: list[Item], result: Any) -> list[Item]:
    if result is not None:
        raise UnknownCall(
            f"an increment answered {result!r}: say whether that is the value before, as in methods="
            '{"increment": ("fetch_add", ["value"])}, or after ("add_fetch")'
        )
    return items


def _end_exchange(x: Explained, _: dict[str, Any], items: list[Item], result: Any) -> list[Item]:
    """The call that gets the old value replaced exactly that one."""
    one = items[0]
    return [Item("cas", [x._word(x.plain(result)), one.arg], True, one.key)]


def _end_cas(x: Explained, __: dict[str, Any], items: list[Item], result: Any) -> list[Item]:
    done = x.plain(result[0] if isinstance(result, tuple) else result)
    if not isinstance(done, bool):
        raise UnknownCall(f"a compare-and-set answered {result!r}: True or False says whether it did it")
    return [items[0]._replace(result=done)]


def _bits(combine: Callable[[int, int], int]) -> Callable[..., list[Item]]:
    def end(_: Explained, bound: dict[str, Any], __: list[Item], result: Any) -> list[Item]:
        return [Item("cas", [result, combine(result, bound["value"])], True)]

    return end


def _begin_bits(_: Explained, __: dict[str, Any]) -> list[Item]:
    return [Item("unknown")]


def _get_at(_: Explained, bound: dict[str, Any]) -> list[Item]:
    index = bound.get("index", -1)
    if index not in (0, -1):
        raise UnknownCall(f"pop({index}) takes from the middle: no specification has that")
    return [Item("get_left" if index == 0 else "get_right")]


def _end_take(_: Explained, __: dict[str, Any], items: list[Item], result: Any) -> list[Item]:
    """A key taken out: it was there with this value, and then it was gone."""
    key = items[0].key
    if result is None:
        return [Item("remove", None, False, key)]
    return [Item("get", None, result, key), Item("remove", None, True, key)]


def _begin_put(x: Explained, bound: dict[str, Any]) -> list[Item]:
    if "pair" in bound:  # a priority queue of the standard library: (priority, value)
        pair = bound["pair"]
        if not isinstance(pair, tuple | list) or len(pair) != 2 or not isinstance(pair[0], int):
            raise UnknownCall(f"{pair!r} is not (priority, value) with an integer priority")
        return [Item("put", [pair[0], pair[1]])]
    value, key = x.plain(bound.get("value"), put=True), bound.get("key")
    if value is None and key is None:
        x._admit(Rule("put"), value, bound)
        value = NONE
    elif type(value) is tuple:
        value = list(value)
    return [Item("put", [bound["priority"], value] if "priority" in bound else value, None, key)]


_BEGIN: dict[str, Callable[[Explained, dict[str, Any]], list[Item]]] = {
    "put_many": _begin_many,
    "push_many": _with("push", _begin_many),
    "insert_many": _with("insert", _begin_many),
    "set_flag": lambda _, __: [Item("write", 1)],
    "put_right_many": _with("put_right", _begin_many),
    "get_many": lambda _, bound: [Item("get") for _ in range(max(0, int(bound.get("count", 1))))],
    "get_at": _get_at,
    "put": _begin_put,
    "put_front": lambda x, bound: [
        i._replace(op="put_front" if bound.get("front", True) else "put") for i in _begin_put(x, bound)
    ],
    "test_and_set": lambda _, __: [Item("write", 1)],
    "clear": lambda _, __: [Item("write", 0)],
    "take_any": lambda _, __: [Item("unknown")],
    "fetch_and": _begin_bits,
    "fetch_or": _begin_bits,
    "fetch_xor": _begin_bits,
}


_END: dict[str, Callable[[Explained, dict[str, Any], list[Item], Any], list[Item]]] = {
    "put_many": _end_many,
    "push_many": _end_many,
    "insert_many": _end_many,
    "set_flag": lambda _, __, items, ___: [items[0]._replace(result=True)],
    "put_right_many": _end_many,
    "get_many": _end_take_many,
    "get_at": lambda x, _, items, result: [items[0]._replace(result=x.answer(result))],
    "add_fetch": _end_add_fetch,
    "fetch_add": _end_fetch,
    "fetch_sub": _end_fetch,
    "increment": _end_increment,
    "decrement": _end_increment,
    "take_any": lambda _, __, ___, result: [Item("remove", result, True)],
    "exchange": _end_exchange,
    "test_and_set": _end_exchange,
    "clear": lambda _, __, items, ___: [items[0]._replace(result=True)],
    "cas": _end_cas,
    "cas_pair": _end_cas,
    "fetch_and": _bits(operator.and_),
    "fetch_or": _bits(operator.or_),
    "fetch_xor": _bits(operator.xor),
    "take": _end_take,
}


def resolved(calls: Iterable[tuple[Item, ...]]) -> Callable[[Item], Item]:
    """How the recorded names become those of one specification, by all that was called: the ends of a deque make a
    queue or a stack, additions beside writes are compare-and-sets of a register.
    """
    ops = {item.op for call in calls for item in call}
    left, right = {"put_left", "get_left"} & ops, {"put_right", "get_right"} & ops
    puts, gets = {"put_left", "put_right"} & ops, {"get_left", "get_right"} & ops
    if len(puts) > 1 or len(gets) > 1:
        raise UnknownCall(
            f"{', '.join(sorted(puts | gets))}: both ends of a deque were used alike; it is no queue and no stack"
        )
    stack = bool(left) != bool(right)
    names = {
        end: (("push" if stack else "put") if end.startswith("put") else "pop" if stack else "get")
        for end in puts | gets
    }
    written = bool({"write", "cas"} & ops) or ("read" in ops and "fetch_add" not in ops)

    def change(item: Item) -> Item:
        op = names.get(item.op, item.op)
        if op in ("load", "read") and {"load", "fetch_add", "write", "cas"} & ops:
            op = "read" if written else "load"
        elif written and op == "fetch_add":
            if item.result is None:
                raise UnknownCall(
                    "an addition that nobody knows the result of stands beside writes: no specification has that"
                )
            return Item("cas", [item.result, item.result + item.arg], True, item.key)
        return item._replace(op=op)

    return change
