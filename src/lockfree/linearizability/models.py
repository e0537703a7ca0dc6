"""Specifications that compute with values, which the engine in C only compares: written as a user would write them."""

import json
from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

from lockfree.linearizability.specs import Spec, Specification

if TYPE_CHECKING:
    from lockfree.linearizability.history import History, Operation


def _frozen(value: Any) -> Any:
    """A value of JSON as one that can be hashed; true and 1 stay different, and so do 1 and 1.0."""
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    if value is None or type(value) in (str, int):
        return value
    return ("json", json.dumps(value, sort_keys=True))


class MultiRegister:
    """Registers read and written together: `txn` with a list of `["read", key, value]` and `["write", key, value]`.

    The steps of a transaction take effect in their order, and at once. A read of null says nothing, as in Jepsen.
    """

    def __init__(self, initial: int | None = None) -> None:
        self.initial = initial
        self.init: Hashable = ()

    def step(self, state: Any, op: "Operation") -> Iterable[Hashable]:
        now = dict(state)
        for kind, key, value in op.arg if op.return_ is None or not isinstance(op.result, list) else op.result:
            if kind in ("write", "w"):
                now[_frozen(key)] = _frozen(value)
            elif value is not None and op.return_ is not None and now.get(_frozen(key), self.initial) != _frozen(value):
                return ()
        return (tuple(sorted(now.items(), key=repr)),)


class AppendMap:
    """A map whose values grow: `append` adds a text to a text, or an element to a list.

    An absent key begins as the empty text or list; its answer to `get` may be null or that.
    """

    init: Hashable = None
    partition = True

    def step(self, state: Any, op: "Operation") -> Iterable[Any]:
        if op.op == "put":
            return (_frozen(op.arg),)
        if op.op == "append":
            return self._append(state, op.arg)
        if op.op == "get":
            fits = op.return_ is None or _frozen(op.result) == state
            return (state,) if fits or (not state and op.result in (None, "", [])) else ()
        if op.op == "contains":
            return (state,) if op.return_ is None or op.result is (state is not None) else ()
        if op.op == "delete" or op.return_ is None or op.result is (state is not None):
            return (None,)
        return ()

    @staticmethod
    def _append(state: Any, value: Any) -> tuple[Any, ...]:
        if isinstance(value, str) and (state is None or isinstance(state, str)):
            return ((state or "") + value,)
        if state is None or (isinstance(state, tuple) and state[:1] != ("json",)):
            return ((*(state or ()), _frozen(value)),)
        return ()


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


def in_python(spec: Spec, history: "History") -> Specification | None:
    """The specification in Python that decides this history, None if the engine has it."""
    if spec.name == "multi-register":
        return MultiRegister(spec.initial)
    if spec.name == "map" and history.has("append"):
        return AppendMap()
    if spec.name == "set" and history.has("read"):
        return ReadSet()
    return None
