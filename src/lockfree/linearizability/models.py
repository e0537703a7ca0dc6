"""Specifications that compute with values, which the engine in C only compares: written as a user would write them."""

import json
from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

from lockfree._native.linearize import ffi, lib
from lockfree.linearizability.history import InvalidHistory
from lockfree.linearizability.specs import Spec, Specification

if TYPE_CHECKING:
    from lockfree.linearizability.history import History
    from lockfree.linearizability.operation import Operation


_KEPT = 5000  # operations: of so many the objects are made once, for the specification and for its steps


def _frozen(value: Any) -> Any:
    """A value of JSON as one that can be hashed; true and 1 stay different, and so do 1 and 1.0."""
    if value is None or type(value) is str or type(value) is int:
        return value
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    return ("json", json.dumps(value, sort_keys=True))


class MultiRegister:
    """Registers read and written together: `txn` with a list of `["read", key, value]` and `["write", key, value]`.

    The steps of a transaction take effect in their order, and at once. A read of null says nothing, as in Jepsen, or
    with `null_is_value` that the register has never been written, or was null.
    `["append", key, value]` adds an element to a list, which a read then gives.
    """

    def __init__(self, initial: int | None = None, *, null_is_value: bool = False) -> None:
        self.initial = initial
        self.null_is_value = null_is_value
        self.init: Hashable = ()

    def step(self, state: Any, op: "Operation") -> Iterable[Hashable]:
        now = dict(state)
        for kind, key, value in op.arg if op.return_ is None or not isinstance(op.result, list) else op.result:
            if kind in ("write", "w"):
                now[_frozen(key)] = _frozen(value)
            elif kind == "append":
                now[_frozen(key)] = (*(now.get(_frozen(key)) or ()), _frozen(value))
            elif op.return_ is None or (value is None and not self.null_is_value):
                continue
            elif (found := now.get(_frozen(key), self.initial)) != _frozen(value) and (found, value) != (None, []):
                return ()  # a list that nobody has appended to is empty
        return (tuple(sorted(now.items(), key=repr)),)


class _Lost:
    def __repr__(self) -> str:
        return "a value with which no answer begins"


LOST = _Lost()


class AppendMap:
    """A map whose values grow: `append` adds a text to a text, or an element to a list.

    An absent key begins as the empty text or list; its answer to `get` may be null or that.

    What no `get` of the history can tell apart is one state: a value with which no answer begins. Where nothing but
    appends changes a key, every answer is the beginning of the longest, and so is the value until that was read.
    """

    init: Hashable = None
    partition = True

    def __init__(self, history: "Iterable[Operation]", *, looks_ahead: bool = True) -> None:
        """`looks_ahead`: leaves out orders after which the longest answer of the history cannot come."""
        answers: dict[Any, set[Any]] = {}
        changed: set[Any] = set()
        for _, name, arg, result, _, return_, given, _, _ in history:
            key = given if type(given) is str else _frozen(given)
            found = answers.get(key)
            if found is None:
                found = answers[key] = set()
            if name == "get":
                if return_ is not None and result is not None:
                    found.add(result if type(result) is str else _frozen(result))
            elif name == "cas":
                found.add(_frozen(arg[0]))
                changed.add(key)
            elif name not in ("append", "contains"):
                changed.add(key)
        self.answers = {key: sorted(found, key=_size, reverse=True) for key, found in answers.items()}
        self.longest = {key: found[0] for key, found in self.answers.items() if found and type(found[0]) is str}
        self.operations = history if isinstance(history, list) else None
        self.changed = changed
        self.looks_ahead = looks_ahead

    def step(self, state: Any, op: "Operation") -> Iterable[Any]:
        name = op.op
        if name == "append":
            # texts are the usual case
            longest = self.longest.get(op.key) if type(state) is str and type(op.key) is str else None
            if longest is not None and type(op.arg) is str and longest.startswith(longer := state + op.arg):
                return (longer,)
            return self._append(state, op)
        if name == "get":
            if type(state) is str and op.result == state:
                return (state,)
            fits = op.return_ is None or _frozen(op.result) == state
            return (state,) if fits or (state in (None, "", ()) and op.result in (None, "", [])) else ()
        if name == "put":
            return (self._told(op.key, _frozen(op.arg)),)
        if op.op == "contains":
            return (state,) if op.return_ is None or op.result is (state is not None) else ()
        if op.op == "cas":
            same = _frozen(op.arg[0]) == state
            fits = op.return_ is None or op.result is same
            return () if not fits else (self._told(op.key, _frozen(op.arg[1])),) if same else (state,)
        if op.op == "delete" or op.return_ is None or op.result is (state is not None):
            return (None,)
        return ()

    def _append(self, state: Any, op: "Operation") -> tuple[Any, ...]:
        if state is LOST:
            return (state,)
        if isinstance(op.arg, str) and (state is None or isinstance(state, str)):
            longer: Any = (state or "") + op.arg
        elif state is None or (isinstance(state, tuple) and state[:1] != ("json",)):
            longer = (*(state or ()), _frozen(op.arg))
        else:
            return ()
        key = _frozen(op.key)
        answers = self.answers[key]
        if answers and _begins(answers[0], longer):
            return (longer,)
        if answers and self.looks_ahead and key not in self.changed and not _begins(longer, answers[0]):
            return ()  # the longest answer can come neither later nor have come before
        return (self._told(key, longer),)

    def _told(self, key: Any, value: Any) -> Any:
        if value in (None, "", ()) or any(_begins(answer, value) for answer in self.answers[_frozen(key)]):
            return value
        return LOST


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str | tuple) else 0


def _begins(whole: Any, part: Any) -> bool:
    if isinstance(whole, str) and isinstance(part, str):
        return whole.startswith(part)
    if isinstance(whole, tuple) and isinstance(part, tuple):
        return whole[: len(part)] == part
    return bool(whole == part)


class Growth:
    """`AppendMap` in C, for texts without escapes, and without `cas`. It is about the whole history: no parts of it."""

    partition = True

    def __init__(self, history: "History") -> None:
        self.errors: list[BaseException] = []
        ops, count = history._records()
        made = lib.lf_growth_new(history._reader, ops, count)
        self.usable = made != ffi.NULL
        self.context = ffi.gc(made, lib.lf_growth_free) if self.usable else made
        self.function = ffi.addressof(lib, "lf_growth_step")

    @property
    def bytes(self) -> int:
        return int(lib.lf_growth_bytes(self.context))

    def start(self, result: Any) -> tuple[Any, ...]:
        """The value of the key where the counterexample begins; nothing if it is absent."""
        state = result.state[0] if result.state_count else lib.LF_GROWTH_ABSENT
        if state == lib.LF_GROWTH_ABSENT:
            return ()
        if state < lib.LF_GROWTH_FIRST:
            return (LOST if state == lib.LF_GROWTH_LOST else "",)
        size = ffi.new("size_t *")
        at = lib.lf_growth_text(self.context, state, size)
        return (ffi.buffer(at, size[0])[:].decode(errors="replace"),)


class ReadSet:
    """A set whose `read` gives all its elements."""

    init: Hashable = frozenset()

    def step(self, state: Any, op: "Operation") -> Iterable[Hashable]:
        value = (op.key, _frozen(op.arg))
        inside = value in state
        if op.op == "read":
            if op.return_ is None or op.result is None:
                return (state,)
            return (state,) if {(op.key, _frozen(x)) for x in op.result} == {x for x in state if x[0] == op.key} else ()
        if op.op == "contains":
            return (state,) if op.return_ is None or op.result is inside else ()
        adds = op.op in ("add", "insert")
        if op.op in ("add", "remove") and op.return_ is not None and op.result is not (inside != adds):
            return ()
        return (state | {value} if adds else state - {value},)


def _admit_transactions(history: "History") -> None:
    for i, op in enumerate(history):
        for steps in (op.arg, op.result if op.return_ is not None else None):
            for step in steps if isinstance(steps, list) else []:
                if not isinstance(step, list) or len(step) != 3 or step[0] not in ("read", "r", "write", "w", "append"):
                    raise InvalidHistory(f"{step!r} is no step of a transaction: [read, key, value]", history.line(i))
        if not isinstance(op.arg, list):
            raise InvalidHistory(f"a transaction is a list of steps, not {op.arg!r}", history.line(i))


def in_python(spec: Spec, history: "History") -> Specification | None:
    """The specification in Python that decides this history, None if the engine has it."""
    if spec.name == "multi-register":
        _admit_transactions(history)
        return MultiRegister(spec.initial, null_is_value=spec.null_is_value)
    if spec.name == "map" and history.has("append"):
        return AppendMap([*history] if len(history) <= _KEPT else history)
    if spec.name == "set" and history.has("read"):
        for i, op in enumerate(history):
            if op.op == "read" and not isinstance(op.result, list | None):
                raise InvalidHistory(
                    f"a read of a set gives a list of its elements, not {op.result!r}", history.line(i)
                )
        return ReadSet()
    return None
