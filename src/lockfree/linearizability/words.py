"""Why a history is not linearizable, in words."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from lockfree._native.linearize import lib

if TYPE_CHECKING:
    from lockfree.linearizability.history import History
    from lockfree.linearizability.operation import Operation
    from lockfree.linearizability.specs import Spec

_UNKNOWN = {
    "TIME": "the time limit was reached",
    "MEMORY": "the memory limit was reached",
    "CANCELLED": "cancelled",
    "UNDECIDED": "the near-linear algorithm does not decide this history",
    "STEP_FAILED": "the specification failed",
    "TOO_OPEN": "more than 1024 operations are open at once",
    "BATCH_ACROSS": "each object is linearizable by itself, but a batch over several keys orders them as well",
}
_NAMES = {getattr(lib, name): name.removeprefix("LF_LIN_") for name in dir(lib) if name.startswith("LF_LIN_")}
_FAILURE = {
    "put": "FULL", "put_front": "FULL", "push": "FULL",
    "get": "EMPTY", "pop": "EMPTY", "peek": "EMPTY", "read": "nothing",
    "alloc": "no block",
}  # fmt: skip


def rule_name(result: Any) -> str:
    return _NAMES[result.reason] if result.verdict else ""


def show(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(show, value)) + "]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)


def show_answer(o: "Operation") -> str:
    """What came back: a value, FULL, EMPTY, a truth value; nothing for a plain success."""
    if o.return_ is None:
        return "?"
    if o.op in _FAILURE and o.op not in ("put", "put_front", "push"):
        if o.result is None:
            return _FAILURE[o.op]
        return show(o.result)
    if o.result is False:
        return _FAILURE.get(o.op, "false")
    if o.result is True or o.result is None:
        return "true" if o.op in ("cas", "acquire", "add", "remove", "contains") or "_acquire" in o.op else ""
    return show(o.result)


def show_operation(o: "Operation", *, answer: bool = True) -> str:
    """Short form of a call: `put(7)`, `get→7`, `acquire(2)→false`."""
    arg = "" if o.arg is None or (o.op in ("acquire", "release") and o.arg == 1) else f"({show(o.arg)})"
    if not arg and o.op not in ("get", "pop", "peek", "read", "load", "alloc"):
        arg = "()"
    key = "" if o.key is None else f"[{show(o.key)}]"
    came = show_answer(o) if answer else ""
    return f"{o.op}{key}{arg}" + (f"→{came}" if came else "")


class _Words:
    """The operations of a rule, with ways to speak of them."""

    def __init__(self, history: "History", result: Any, spec: str) -> None:
        self.ops = [history[result.rule[i]] for i in range(result.rule_count)]
        self.detail = [int(x) for x in result.detail]
        self.value = history.coder.decode(self.detail[0])
        self.spec = spec
        self.at = history[result.break_op] if result.break_op < len(history) else None

    def of(self, *names: str) -> "list[Operation]":
        return [o for o in self.ops if o.op in names]

    @property
    def puts(self) -> "list[Operation]":
        return self.of("put", "put_front", "push", "append", "write")

    @property
    def gets(self) -> "list[Operation]":
        return self.of("get", "pop", "read")


def _brief(operations: "list[Operation]", most: int = 6) -> str:
    names = [show(o.arg) for o in operations]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _taken_early(w: _Words) -> str:
    return f"{show_operation(w.ops[-1])} returned before {show_operation(w.ops[0], answer=False)} was called"


def _overtaken(w: _Words) -> str:
    a, b = w.puts[0], w.puts[1]
    taken = w.gets[0]
    late = w.gets[1] if len(w.gets) > 1 and w.gets[1].return_ is not None else None
    if a.return_ is not None and a.return_ <= b.call:
        first = f"{show_operation(a, answer=False)} returned before {show_operation(b, answer=False)} was called, but "
    else:
        first = f"{show_operation(a, answer=False)} must come before {show_operation(b, answer=False)}, as the other answers of its batch show, but "  # noqa: E501
    if late is None:
        return first + f"{show_operation(taken)} came although {show(a.arg)} had not been taken"
    return first + f"{show_operation(taken)} returned before {show_operation(late)} was called"


def _not_empty(w: _Words) -> str:
    inside = w.puts
    answer = show_operation(w.ops[0])
    if len(inside) == 1:
        return f"{answer} at a time when {show(inside[0].arg)} was certainly inside"
    return f"{answer} although at every instant of the call one of {_brief(inside)} was certainly inside"


def _less_urgent(w: _Words) -> str:
    got, *others = [o for o in w.ops if o.op in ("put", "put_front")]
    verb = "was" if len(others) == 1 else "or another of them was"
    return (
        f"get→{show(got.arg)} at a time when the more urgent {_brief(others)} {verb} certainly inside"
        if others
        else f"get→{show(got.arg)} while something more urgent was certainly inside"
    )


def _not_full(w: _Words) -> str:
    most, capacity = w.detail[0], w.detail[1]
    who = show_operation(w.ops[0])
    if not capacity:
        return f"{who} although the object is unbounded"
    return f"{who} although at no instant of the call more than {most} of {capacity} could be in use"


def _forced(w: _Words) -> str:
    if len(w.ops) < 2:
        return "the results force an order that the intervals forbid"
    if w.puts and w.puts[0].op == "append":
        a, b = w.ops[0], w.ops[1]
        return f"readers saw {show(a.arg)} before {show(b.arg)}, but {show_operation(b, answer=False)} returned before {show_operation(a, answer=False)} was called"  # noqa: E501
    later, earlier = w.ops[0], w.ops[1]
    return f"{show_operation(earlier)} must come after {show_operation(later)}, but returned before that was called"


def _both_held(w: _Words) -> str:
    first, second = w.of("acquire")[0], w.of("acquire")[-1]
    if first.client == second.client:
        return f"client {second.client} acquired twice without releasing"
    released = w.of("release")
    how = "had called release" if released else "ever released"
    return f"clients {first.client} and {second.client} held the lock at once: {second.client} got it before {first.client} {how}"  # noqa: E501


def _certainly_free(w: _Words) -> str:
    before, after = w.of("release"), [o for o in w.of("acquire") if o.result is not False]
    text = f"{show_operation(w.ops[0])} of client {w.ops[0].client} failed while the lock was certainly free"
    text += f": client {before[0].client} had released it" if before else ": nobody had acquired it"
    return text + (f", client {after[0].client} acquired it only later" if after else "")


def _block_twice(w: _Words) -> str:
    freed = w.of("free")
    a, b = w.of("alloc")[0], w.of("alloc")[-1]
    return f"block {show(b.result)} was given to client {b.client} while client {a.client} had it" + (
        ": its free was called only later" if freed else " and nobody freed it"
    )


def _disagree(w: _Words) -> str:
    a, b = w.ops[0], w.ops[-1]
    return f"at position {w.detail[1]} of the log one reader read {show(a.result)} and another {show(b.result)}"


def _stale(w: _Words) -> str:
    written = [show_operation(o, answer=False) for o in w.of("write", "cas")]
    reads = [show_operation(o) for o in w.of("read")]
    who = " and ".join(reads) or (show_operation(w.at) if w.at else "a read")
    what = " and ".join(written) or "the initial value"
    return f"{who} cannot be put in order with {what}: the value had been overwritten"


_EXPLAIN: dict[str, Callable[[_Words], str]] = {
    "NEVER_PUT": lambda w: f"{show_operation(w.ops[0])} returned a value that nobody had put in",
    "TAKEN_TWICE": lambda w: (
        f"{show(w.value)} was taken twice" if w.gets else f"two compare-and-swaps replaced the same {show(w.value)}"
    ),
    "TAKEN_EARLY": _taken_early,
    "OVERTAKEN": _overtaken,
    "CYCLE": lambda w: f"the intervals force an order of {_brief(w.puts)} that goes round in a circle",
    "NOT_EMPTY": _not_empty,
    "NOT_FULL": _not_full,
    "OVER_CAPACITY": lambda w: f"{w.detail[0]} values were certainly inside at once, the capacity is {w.detail[1]}",
    "LESS_URGENT": _less_urgent,
    "STALE_READ": _stale,
    "SAME_RESULT": lambda w: f"{' and '.join(show_operation(o) for o in w.ops)} cannot both be right",
    "ORDER_FORCED": _forced,
    "GAP": lambda w: f"{show_operation(w.ops[0])}, but no operation made the value go on from {w.detail[0]}",
    "BOTH_HELD": _both_held,
    "NOT_HELD": lambda w: f"client {w.ops[0].client} released what it did not hold",
    "CERTAINLY_FREE": _certainly_free,
    "BLOCK_TWICE": _block_twice,
    "LOG_DISAGREE": _disagree,
    "LOG_BEHIND": lambda w: f"a reader found nothing new although {show(w.value)} was certainly in the log by then",
    "NOT_NESTED": lambda w: f"the intervals of {_brief(w.puts)} cannot nest as a stack's do",
    "NO_ORDER": lambda w: (
        f"no order of the operations explains {show_operation(w.at)} of client {w.at.client}" if w.at else "no order"
    ),
}


def explain(history: "History", result: Any, spec: str) -> str:
    """The reason of a verdict in words; empty for OK."""
    if result.verdict == 0:
        return ""
    name = rule_name(result)
    if result.verdict == 2:
        return _UNKNOWN[name]
    return _EXPLAIN[name](_Words(history, result, spec))


def describe_state(history: "History", result: Any, spec: "Spec | None") -> str:
    """The state before the first operation of the counterexample; empty if that is the initial one."""
    if not result.state_count or spec is None or result.verdict != 1:
        return ""
    return show_state(history, [int(result.state[i]) for i in range(result.state_count)], spec)


def show_state(history: "History", state: "Sequence[int]", spec: "Spec") -> str:
    """A state of the engine in words."""
    words = [history.coder.decode(w) for w in state]
    if spec.name == "queue":
        return "[" + ", ".join("a value that is never taken" if w is None else show(w) for w in words) + "]"
    if spec.name == "mutex":
        return f"held by client {words[0] - 1}" if words[0] else "free"
    if spec.name == "rwlock" and not words:
        return "free"
    if spec.name == "log":
        return show(words[1 + words[0] :] if words else [])
    if spec.name == "rwlock":
        return "held by " + ", ".join(f"reader {w}" if w >= 0 else f"writer {-w - 1}" for w in words)
    if spec.name in ("set", "map"):
        keys = [history.coder.decode_key(w) for w in state[::2]]
        pairs = list(zip(keys, words[1::2], strict=True))
        if spec.name == "map":
            return "{" + ", ".join(f"{show(key)}: {show(value)}" for key, value in pairs) + "}"
        return ", ".join(show(key if element is None else element) for key, element in pairs) + " inside"
    if spec.name == "unordered-queue":
        return show(words[1::2])
    if spec.name == "priority-queue":
        lines = zip(state[::2], words[::2], strict=True) if not spec.fronts else ((0, line >> 1) for line in state[::2])
        return show([[priority, value] for (_, priority), value in zip(lines, words[1::2], strict=True)])
    return show(words[0] if spec.name in ("register", "counter", "semaphore") else words)
