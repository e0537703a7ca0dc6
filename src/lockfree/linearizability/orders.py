"""Orders of a few operations, with the state after each: what explains them, or how far that goes.

The engine has the verdict; this search is there to be looked at. It is the depth-first one of Wing & Gong (1993) and
Lowe (2017), over some hundred operations, and remembers the longest order that each operation is in.
"""

import itertools
import time
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lockfree._native.linearize import ffi, lib
from lockfree.linearizability.history import History
from lockfree.linearizability.models import in_python
from lockfree.linearizability.operation import PENDING, RECORD_BYTES, Operation
from lockfree.linearizability.specs import Spec, Specification
from lockfree.linearizability.words import show, show_state

_WORDS, _STATES = 4096, 64
_OK = 0  # LF_LIN_OK
_LOOKED_FOR = 5000
_KEPT = 100_000  # operations in all orders together
_BRINGS, _TAKES = {"put", "put_front", "push", "write", "append"}, {"get", "pop", "read"}


@dataclass
class Order:
    """An order of operations (positions in the history) and the state after each, in words."""

    operations: list[int]
    states: list[str]
    before: str
    whole: bool
    """It explains everything that returned; else nothing more fits behind it."""
    object: str = ""


@dataclass
class Orders:
    """The longest order for each operation that is in one."""

    orders: list[Order] = field(default_factory=list)
    of: dict[int, int] = field(default_factory=dict)
    complete: bool = True
    """False: the time for the search was over, there may be longer ones."""


class _Engine:
    """The steps of a specification of the engine."""

    def __init__(self, history: History, spec: Spec, start: Sequence[int]) -> None:
        self.history, self.spec = history, spec
        self.c = ffi.new("struct lf_lin_spec *", spec.fields())
        words = ffi.new("int64_t[4]")
        count = lib.lf_lin_initial(self.c, words)
        self.initial: Hashable = tuple(start) or tuple(words[i] for i in range(count))
        self.out, self.ends = ffi.new("int64_t[]", _WORDS), ffi.new("uint32_t[]", _STATES)

    def free_answer(self, op: str, result: Any, *, pending: bool) -> bool:
        """A FULL or EMPTY in a weak reading says nothing about the order."""
        if pending:
            return False
        full = op in ("put", "put_front", "push") and result is False and self.spec.full != "strict"
        return full or (op in ("get", "pop", "peek") and result is None and self.spec.empty != "strict")

    def after(self, state: Any, record: Any) -> list[Hashable]:
        n = lib.lf_lin_after(self.c, record, state, len(state), self.out, _WORDS, self.ends, _STATES)
        if n < 0:
            raise OverflowError
        bounds = [0, *(self.ends[i] for i in range(n))]
        return [tuple(self.out[a:b]) for a, b in itertools.pairwise(bounds)]

    def show(self, state: Any) -> str:
        return show_state(self.history, state, self.spec)


class _Parts:
    """The operations of one object, by call."""

    def __init__(self, history: History, indices: Iterable[int], end: int) -> None:
        ops, _ = history._records()
        self.history = history
        self.indices = sorted((i for i in indices if not end or ops[i].call <= end), key=lambda i: (ops[i].call, i))
        self.calls = [int(ops[i].call) for i in self.indices]
        self.returns = [PENDING if end and ops[i].ret > end else int(ops[i].ret) for i in self.indices]
        self.before: list[int] = []
        last: dict[tuple[int, int], int] = {}
        for at, i in enumerate(self.indices):
            batch = (int(ops[i].client), int(ops[i].batch))
            self.before.append(last.get(batch, -1) if batch[1] else -1)
            last[batch] = at
        self.turn = self._turns()

    def _turns(self) -> list[tuple[bool, int]]:
        """In which order to try them: what takes or looks before what brings, and what is wanted first first."""
        operations = [self.history[i] for i in self.indices]
        wanted: dict[str, int] = {}
        for o, ret in zip(operations, self.returns, strict=True):
            if o.op in _TAKES and o.result is not None:
                wanted[repr(o.result)] = min(ret, wanted.get(repr(o.result), PENDING))
        return [
            (o.op in _BRINGS, wanted.get(repr(o.arg), PENDING) if o.op in _BRINGS else ret)
            for o, ret in zip(operations, self.returns, strict=True)
        ]

    def candidates(self, done: int) -> Iterator[int]:
        """What may take effect next: what was called before anything left returned."""
        horizon, found = PENDING, []
        at = (~done & (done + 1)).bit_length() - 1  # the first that is not done
        while at < len(self.indices) and self.calls[at] <= horizon:
            if not done >> at & 1:
                horizon = min(horizon, self.returns[at])
                if self.before[at] < 0 or done >> self.before[at] & 1:
                    found.append(at)
            at += 1
        return iter(sorted((a for a in found if self.calls[a] <= horizon), key=lambda a: (self.turn[a], a)))


def _steps(history: History, spec: "Spec | Specification", parts: _Parts, start: Sequence[int]) -> tuple[Any, Any, Any]:
    """(initial state, step, show) over places in `parts`."""
    model = in_python(spec, history) if isinstance(spec, Spec) else spec
    if model is not None:
        operations = [history[i] for i in parts.indices]
        operations = [
            o._replace(return_=None, result=None) if parts.returns[at] == PENDING else o
            for at, o in enumerate(operations)
        ]
        initial = start[0] if start else model.init
        return initial, lambda s, at: list(model.step(s, operations[at])), lambda s: show(_plain(s))
    assert isinstance(spec, Spec)
    engine = _Engine(history, spec, start)
    ops = history._for(spec.name)
    records = ffi.new("struct lf_history_op[]", len(parts.indices))
    for at, i in enumerate(parts.indices):
        ffi.memmove(records + at, ops + i, RECORD_BYTES)
        records[at].ret = parts.returns[at]
    free = [
        engine.free_answer(o.op, o.result, pending=parts.returns[at] == PENDING)
        for at, o in enumerate(history[i] for i in parts.indices)
    ]
    return engine.initial, lambda s, at: [s] if free[at] else engine.after(s, records + at), engine.show


def _plain(state: Any) -> Any:
    return sorted(map(_plain, state), key=repr) if isinstance(state, frozenset) else state


class _Search:
    def __init__(self, parts: _Parts, initial: Any, step: Any) -> None:
        self.parts, self.initial, self.step = parts, initial, step
        self.best: dict[int, tuple[tuple[int, ...], tuple[Any, ...]]] = {}
        self.whole = False
        self.kept = 0
        self.complete = True
        self.needed = sum(1 << at for at, ret in enumerate(parts.returns) if ret != PENDING)

    def _note(self, path: list[int], states: list[Any]) -> None:
        better = [at for at in path if at not in self.best or len(self.best[at][0]) < len(path)]
        if better and self.kept < _KEPT:
            self.kept += len(path)
            self.best |= dict.fromkeys(better, (tuple(path), tuple(states)))

    def _moves(self, done: int, state: Any) -> Iterator[tuple[int, Any]]:
        for at in self.parts.candidates(done):
            for after in self.step(state, at):
                yield at, after

    def run(self, deadline: float) -> None:
        seen: set[tuple[int, Any]] = set()
        path: list[int] = []
        states: list[Any] = []
        stack = [(0, self._moves(0, self.initial))]
        while stack:
            done, moves = stack[-1]
            if done & self.needed == self.needed:
                self.whole = True
                self.best = dict.fromkeys(path, (tuple(path), tuple(states)))
                return
            if time.monotonic() > deadline:
                self.complete = False
                break
            for at, after in moves:
                further = done | 1 << at
                if (further, after) not in seen:
                    seen.add((further, after))
                    path.append(at)
                    states.append(after)
                    stack.append((further, self._moves(further, after)))
                    break
            else:
                self._note(path, states)
                stack.pop()
                if path:
                    path.pop()
                    states.pop()
        self._note(path, states)


def engine_order(history: History, spec: Spec, *, seconds: float = 5.0) -> list[int]:
    """An order that explains a history that is OK, object by object; empty if the engine keeps none."""
    count = len(history)
    order, result = ffi.new("uint32_t[]", max(1, count)), ffi.new("struct lf_lin_result *")
    options = ffi.new("struct lf_lin_options *", {"no_core": 1, "order": order, "timeout_ns": int(seconds * 1e9)})
    c = ffi.new("struct lf_lin_spec *", spec.fields())
    lib.lf_lin_check(history._for(spec.name), count, c, options, result)
    try:
        return list(order[0 : result.order_count]) if result.verdict == _OK else []
    finally:
        lib.lf_lin_result_free(result)


def explained(history: History, spec: "Spec | Specification", *, seconds: float = 1.0, most: int = 2000) -> Orders:
    """For a history that is OK: the order of the engine with its states, the first `most` operations of each object.

    Where the engine has none, it is looked for among histories that are not too long.
    """
    indices = engine_order(history, spec) if isinstance(spec, Spec) and in_python(spec, history) is None else []
    found = Orders()
    groups: dict[Any, list[int]] = {}
    ops, _ = history._records()
    for i in indices:
        groups.setdefault(_object(ops[i], spec), []).append(i)
    for members in groups.values():
        taken = members[:most]
        parts = _Parts(history, taken, 0)
        initial, step, text = _steps(history, spec, parts, ())
        place = {i: at for at, i in enumerate(parts.indices)}
        states = _walk([initial], step, [place[i] for i in taken])
        if states is None:
            return find_orders(history, range(len(history)), spec, seconds=seconds)
        key = history.coder.decode_key(ops[members[0]].key)
        whole = len(taken) == len(members)
        name = "" if len(groups) == 1 else show(key)
        order = Order(taken, [text(s) for s in states], text(initial), whole, name)
        found.of |= dict.fromkeys(taken, len(found.orders))
        found.orders.append(order)
    if not found.orders and len(history) <= _LOOKED_FOR:
        return find_orders(history, range(len(history)), spec, seconds=seconds)
    return found


def before(history: History, broken: int, at: int, spec: "Spec | Specification") -> Orders:
    """What was done before the instant `at` but for the operation `broken`, explained, if that much is right.

    What ran at that instant has its answers, if those can be explained already. Positions are those of the history.
    """
    early = [i for i, o in enumerate(history) if o.call < at and i != broken]
    for answers in (True, False):
        rows = [history[i] for i in early]
        if not answers:
            rows = [o if o.return_ is not None and o.return_ < at else _open(o) for o in rows]
        found = explained(History.from_operations(rows), spec, most=len(early))
        if found.orders and all(order.whole for order in found.orders):
            break
    for order in found.orders:
        order.operations = [early[i] for i in order.operations]
        order.whole = False  # nothing is said about what comes after
    found.of = {early[i]: k for i, k in found.of.items()}
    return found


def _open(o: Operation) -> Operation:
    return o._replace(return_=None, result=None)


def _walk(states: list[Any], step: Any, order: list[int]) -> list[Any] | None:
    """A state after each operation of an order; None if it is none."""
    reached = [states]
    for at in order:
        reached.append(list(dict.fromkeys(after for s in reached[-1] for after in step(s, at))))
        if not reached[-1]:
            return None
    path = [reached[-1][0]]
    for k in range(len(order) - 1, 0, -1):  # back along states that lead to it
        path.append(next(s for s in reached[k] if path[-1] in step(s, order[k])))
    return path[::-1] if order else []


def find_orders(
    history: History,
    indices: Iterable[int],
    spec: "Spec | Specification",
    *,
    start: Sequence[int] = (),
    end: int = 0,
    seconds: float = 1.0,
) -> Orders:
    """Orders of these operations of the history, object by object. `start` is the state before them, as the engine has
    it; what returned after `end` counts as running.
    """
    ops, _ = history._records()
    groups: dict[Any, list[int]] = {}
    for i in indices:
        groups.setdefault(_object(ops[i], spec), []).append(i)
    found = Orders()
    deadline = time.monotonic() + seconds
    for members in groups.values():
        parts = _Parts(history, members, end)
        initial, step, text = _steps(history, spec, parts, start)
        search = _Search(parts, initial, step)
        try:
            search.run(deadline)
        except (OverflowError, RecursionError):
            search.complete = False
        found.complete &= search.complete
        known: dict[int, int] = {}
        key = history.coder.decode_key(ops[members[0]].key)
        for at, (path, states) in search.best.items():
            if id(path) not in known:
                known[id(path)] = len(found.orders)
                order = Order([parts.indices[p] for p in path], [text(s) for s in states], text(initial), search.whole)
                order.object = "" if key is None or len(groups) == 1 else show(key)
                found.orders.append(order)
            found.of[parts.indices[at]] = known[id(path)]
    return found


def _object(record: Any, spec: "Spec | Specification") -> Any:
    """As the engine splits histories."""
    if not isinstance(spec, Spec):
        return record.key if getattr(spec, "partition", False) else 0
    if spec.name in ("log", "multi-register", "set"):
        return 0
    return record.key
