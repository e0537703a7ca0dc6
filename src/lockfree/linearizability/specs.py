"""Sequential specifications: the built-in ones, by name, and the base class for a user's own."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from lockfree.linearizability.operation import NONE, Operation

_KINDS = {
    "queue": 0, "stack": 1, "priority-queue": 2, "register": 3, "counter": 4, "semaphore": 5, "mutex": 6, "rwlock": 7,
    "set": 8, "map": 9, "block-pool": 10, "log": 11, "multi-register": 12, "unordered-queue": 2,
}  # fmt: skip
NAMES = sorted(_KINDS)
_OPERATIONS = {
    "queue": ("put", "get", "peek"), "stack": ("push", "pop", "peek"), "priority-queue": ("put", "get", "peek"),
    "register": ("write", "read", "cas"), "counter": ("fetch_add", "load"), "semaphore": ("acquire", "release"),
    "mutex": ("acquire", "release"), "rwlock": ("read_acquire", "read_release", "write_acquire", "write_release"),
    "set": ("add", "remove", "contains", "insert", "delete", "read"),
    "map": ("put", "get", "remove", "contains", "delete", "append", "cas"), "block-pool": ("alloc", "free"),
    "log": ("append", "read"), "multi-register": ("txn",), "unordered-queue": ("put", "get", "peek"),
}  # fmt: skip
_BOUNDED = ("queue", "stack", "priority-queue", "unordered-queue")
_ANSWERS = {"strict": 0, "in-hand": 1, "in-flight": 1, "weak": 1, "running": 2}
_OPTIONS = {
    "queue": {"full", "empty"}, "stack": {"full", "empty"}, "priority-queue": {"full", "empty", "ties", "front"},
    "register": {"initial"}, "counter": {"initial"}, "semaphore": {"max"}, "mutex": {"release"},
    "multi-register": {"initial", "nil"}, "unordered-queue": {"full", "empty"},
}  # fmt: skip


@dataclass(frozen=True)
class Spec:
    """A built-in specification, see `parse_spec`. `capacity` 0: unbounded."""

    name: str
    capacity: int = 0
    full: str = "strict"
    empty: str = "strict"
    unordered: bool = False
    fronts: bool = False
    initial: int | None = None
    limit: int = 0
    null_is_value: bool = False
    text: str = ""

    @property
    def kind(self) -> int:
        return _KINDS[self.name]

    @property
    def operations(self) -> tuple[str, ...]:
        """The names of its operations: a history with others is unusable input."""
        return (*_OPERATIONS[self.name], "put_front") if self.fronts else _OPERATIONS[self.name]

    @property
    def initial_word(self) -> int:
        if self.name == "semaphore":
            return self.capacity
        return (NONE if self.name == "register" else 0) if self.initial is None else self.initial

    def fields(self) -> dict[str, int]:
        """As `struct lf_lin_spec`."""
        return {
            "kind": self.kind,
            "full": _ANSWERS[self.full],
            "empty": _ANSWERS[self.empty],
            "unordered": self.unordered,
            "fronts": self.fronts,
            "capacity": 0 if self.name == "semaphore" else self.capacity,
            "initial": self.initial_word,
            "limit": self.limit,
        }

    def __str__(self) -> str:
        return self.text or self.name


def parse_spec(text: str) -> Spec:
    """`NAME[:N][,option=value...]`, for instance `bounded-queue:4,full=in-hand`. Raises ValueError with what is wrong.

    - `full=strict`: a put may answer FULL only at an instant with K records inside; `in-hand`: records in the hands of
      running operations count too (a record is in hand from the call of its put to the return of its get);
      `running`: every other running put or get may hold a slot, also one that fails.
    - `empty=strict`: a get may answer EMPTY only at an instant with nothing inside; `in-flight`: also while a put runs.
    - `front=fifo`: `put_front` puts before all that `put` has put at that priority, FIFO among its kind.
    - `ties=fifo|any`: order within a priority. `initial=V`: register (integer; default null), counter (default 0).
    - `nil=any|value`: a read of null in a multi-register says nothing, or that the register was null.
    - `max=N`: a semaphore whose release above N answers false.
    - `release=anyone`: a mutex that any client may release, as those of Jepsen.
    """
    head, *options = text.split(",")
    name, _, number = head.strip().partition(":")
    bounded = name.startswith("bounded-")
    name = name.removeprefix("bounded-")
    if name not in _KINDS or (bounded and name not in _BOUNDED):
        raise ValueError(f"unknown specification {head!r}; known: {', '.join(_KINDS)}, bounded-queue:K")
    values: dict[str, Any] = {"name": name, "text": text, "unordered": name == "unordered-queue"}
    if number:
        if name not in (*_BOUNDED, "semaphore", "block-pool"):
            raise ValueError(f"{name} takes no number: {head!r}")
        values["capacity"] = _integer(number, head)
        if values["capacity"] < (0 if name == "semaphore" else 1):
            raise ValueError(f"{head!r}: the number must be positive")
    elif bounded or name == "semaphore":
        raise ValueError(f"{head!r} needs a number, as in {head}:4")
    for option in options:
        key, _, value = option.strip().partition("=")
        if key not in _OPTIONS.get(name, set()):
            raise ValueError(
                f"{name} has no option {key!r}; it has: {', '.join(sorted(_OPTIONS.get(name, set()))) or 'none'}"
            )
        if key in ("full", "empty"):
            allowed = ("strict", "in-hand", "running") if key == "full" else ("strict", "in-flight")
            if value not in allowed:
                raise ValueError(f"{key}={value}: one of {', '.join(allowed)}")
            values[key] = value
        elif key == "release":
            if value not in ("holder", "anyone"):
                raise ValueError(f"release={value}: holder or anyone")
            if value == "anyone":  # then it is a semaphore of one permit
                values |= {"name": "semaphore", "capacity": 1, "limit": 1}
        elif key == "front":
            if value != "fifo":
                raise ValueError(f"front={value}: fifo")
            values["fronts"] = True
        elif key == "nil":
            if value not in ("any", "value"):
                raise ValueError(f"nil={value}: any or value")
            values["null_is_value"] = value == "value"
        elif key == "ties":
            if value not in ("fifo", "any"):
                raise ValueError(f"ties={value}: fifo or any")
            values["unordered"] = value == "any"
        else:
            values["limit" if key == "max" else key] = _integer(value, option)
    return Spec(**values)


def _integer(text: str, where: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise ValueError(f"{where!r}: {text!r} is not an integer") from None
    if not -(1 << 62) < value < 1 << 62:
        raise ValueError(f"{where!r}: out of range")
    return value


class Specification(Protocol):
    """A specification of your own: subclass it or not, two members are enough.

    `init` is the initial state; `step(state, op)` gives the states after the operation, none if its result is
    impossible in this state, several if the outcome is open. States are hashable and compared by equality.
    A pending operation (`op.return_ is None`) has result None: allow every result. With `partition = True`
    operations with different keys are checked as independent objects.

        class Register:
            init = 0
            def step(self, state, op):
                if op.op == "write":
                    return [op.arg]
                return [state] if op.return_ is None or op.result == state else []
    """

    init: Hashable

    def step(self, state: Any, op: Operation, /) -> Iterable[Hashable]: ...
