"""`check`: the engine run beside the interpreter, so that Ctrl-C and the caller's limits answer at once."""

import os
import resource
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lockfree._native.linearize import ffi, lib
from lockfree.linearizability.history import History
from lockfree.linearizability.importers import load
from lockfree.linearizability.models import AppendMap, Growth, in_python
from lockfree.linearizability.operation import Operation
from lockfree.linearizability.specs import Spec, Specification, parse_spec
from lockfree.linearizability.words import describe_state, explain, rule_name

STATUS = ("OK", "VIOLATION", "UNKNOWN")
METHOD = ("trivial", "near-linear", "search")
_METHODS = {
    "auto": 0, "search": 1, "near-linear": 2,
    "depth-first": 3, "depth-first-by-call": 4, "depth-first-by-chance": 5, "frontier": 6,
}  # fmt: skip
_CUSTOM = 12
_CUT = 1 << 31
_NO_ROOM = -2
_PAGE = resource.getpagesize()
MEMORY = 4 << 30  # bytes, unless the caller says otherwise
_SMALL = 5000  # operations: below, a first attempt without a thread of its own
_FIRST_ATTEMPT_NS = 20_000_000
_CORE_SECONDS = 3.0  # for the counterexample of a map with appends


@dataclass(frozen=True)
class Verdict:
    """What a check found. `bool(verdict)` is True only for OK."""

    status: str
    reason: str
    spec: str
    checked: int
    """Operations in the history."""
    operations: list[Operation] = field(default_factory=list)
    """The counterexample, by call time: not linearizable by itself, and nothing more can be left out of it without
    losing the proof. It ends where it breaks: what was running then has `return_` None."""
    indices: list[int] = field(default_factory=list)
    """Their positions in the history."""
    break_index: int | None = None
    """The position of the operation whose return no order explains."""
    minimal: bool = False
    """False if the time for making the counterexample small ran out, or if it is a window since a quiescent instant."""
    start: str = ""
    """The state in which the counterexample begins, if that is not the initial one."""
    state: tuple[Any, ...] = ()
    """The same as the words of the engine; the state itself of a specification of your own."""
    end: int = 0
    """The instant at which the counterexample stops, 0 if it does not."""
    rule: str = ""
    """The name of the rule that was broken, such as OVERTAKEN."""
    method: str = "trivial"
    """near-linear, or search."""
    seconds: float = 0.0
    configurations: int = 0
    peak_bytes: int = 0
    """Memory of the engine, without the history itself."""

    @property
    def ok(self) -> bool:
        return self.status == "OK"

    def __bool__(self) -> bool:
        return self.ok


class _NoRoom(Exception):
    pass


def _resident() -> int:
    """Bytes of memory that this process has now."""
    file = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)  # a file object would cost more than a small check
    try:
        return int(os.read(file, 100).split()[1]) * _PAGE
    finally:
        os.close(file)


class _Stepper:
    """Numbers the states of a user's specification and answers the engine's questions about them.

    Most are answered in C (`checker/stepping.h`), which comes to `step` for what is rare.
    """

    def __init__(self, spec: Specification, history: History, memory: int | None) -> None:
        self.memory = memory
        self.most = 0  # bytes of the process: known at the first look
        self.spec = spec
        self.history = history
        self.numbers: dict[Hashable, int] = {spec.init: 0}
        self.states: list[Hashable] = [spec.init]
        known = spec.operations if isinstance(spec, AppendMap) else None
        self.operations: list[Operation | None] = [*known] if known else [None] * len(history)
        self.cut: dict[int, Operation] = {}
        self.errors: list[BaseException] = []
        self.handle = ffi.new_handle(self)
        self.bound = spec.step
        self.function = lib.lf_py_step_function()
        self.fast = self.context = ffi.new(
            "struct lf_py_stepper *", {"look_every": lib.LF_PY_LOOKS_EVERY, "handle": self.handle}
        )
        for name, it in (
            ("step", self.bound), ("states", self.states), ("numbers", self.numbers), ("operations", self.operations),
            ("errors", self.errors),
        ):  # fmt: skip
            setattr(self.fast, name, ffi.cast("void *", id(it)))
        self.fast.slow = lib.lf_python_step
        self.fast.decoder = history.coder.decoder
        self.fast.ops, _ = history._records()

    def step(self, state: int, op: int) -> list[int]:
        if op & _CUT:  # it returned after the end of the history that is being decided
            operation = self.cut.get(op)
            if operation is None:
                operation = self.cut[op] = self.history[op & ~_CUT]._replace(return_=None, result=None)
        else:
            operation = self.operations[op]
            if operation is None:
                operation = self.operations[op] = self.history[op]
        out = []
        states, numbers = self.states, self.numbers
        for after in self.spec.step(states[state], operation):
            number = numbers.setdefault(after, len(states))
            if number == len(states):
                states.append(after)
                if self.memory and lib.lf_py_looks(number, self.fast.look_every):
                    self._look(self.memory)
            out.append(number)
        return out

    def _look(self, memory: int) -> None:
        if self.most and 0 < resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10 <= self.most:
            return  # it never had more; this is a tenth of the time of the file
        now = _resident()
        self.most = self.most or now + memory
        if now > self.most:
            self.fast.look_every = 1
            raise _NoRoom

    def start(self, result: Any) -> tuple[Hashable, ...]:
        """The state in which the counterexample begins; nothing if that is the initial one."""
        if not result.state_count or result.state[0] == 0:
            return ()
        return (self.states[result.state[0]],)


@ffi.def_extern(error=-1)  # type: ignore[untyped-decorator]
def lf_python_step(context: Any, state: int, op: int, out: Any, room: int) -> int:
    stepper: _Stepper = ffi.from_handle(context)
    if stepper.errors:
        return -1
    try:
        states = stepper.step(state, op)
    except _NoRoom:
        return _NO_ROOM
    except BaseException as error:  # noqa: BLE001 - handed to the caller of check()
        stepper.errors.append(error)
        return -1
    count = len(states)
    if count == 1:
        out[0] = states[0]
    elif count <= room:
        out[0:count] = states
    return count


HistoryLike = History | str | os.PathLike[str] | Iterable[Operation | Mapping[str, Any]]


def _as_history(history: "History | Iterable[Operation | Mapping[str, Any]]") -> History:
    if isinstance(history, History):
        history.validate()
        return history
    return History.from_operations(history)


def check(
    history: HistoryLike,
    spec: str | Spec | Specification,
    *,
    timeout: float | None = None,
    memory: int | None = MEMORY,
    method: str = "auto",
    counterexample: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Verdict:
    """Decides whether `history` is linearizable with respect to `spec`.

    `history`: a `History`, the path of a file in any notation that `lockfree check` reads, or an iterable of
    `Operation`s (or of mappings with the fields of the file format). `timeout` in seconds, `memory` in bytes (of
    the engine, beyond the history; None: no limit): reaching either gives UNKNOWN. `method`: "auto", "near-linear"
    (only the fast algorithms), "search" (only the general searches, by turns) or one of them alone: "depth-first",
    "depth-first-by-call", "depth-first-by-chance", "frontier". `progress(settled, total)` is called a few times a
    second. Raises `InvalidHistory` for input that cannot be a history, ValueError for an unknown specification, and
    whatever a specification of your own raises.

    Sources: Wing & Gong 1993, Lowe 2017 (search); Gibbons & Korach 1997 (registers); Henzinger, Sezgin & Vafeiadis
    2013 (queues by patterns); Horn & Kroening 2015 (independent keys).
    """
    if method not in _METHODS:
        raise ValueError(f"method {method!r}: one of {', '.join(_METHODS)}")
    if timeout is not None and not 0 <= timeout < 1e9:
        raise ValueError(f"the time-out is {timeout} seconds: it must be from 0 up to 1,000,000,000")
    started = time.monotonic()
    known = parse_spec(spec) if isinstance(spec, str) else spec
    text = str(known) if isinstance(known, Spec) else type(known).__name__
    if isinstance(history, str | os.PathLike):
        history, known = load(history, known)
    history = _as_history(history)
    model: Spec | Specification | Growth = known
    if isinstance(known, Spec):
        history.admit(known.operations, known.name)
        grown = Growth(history) if known.name == "map" and history.has("append") else None
        model = grown if grown and grown.usable else in_python(known, history) or known
    stepper = (
        None if isinstance(model, Spec) else model if isinstance(model, Growth) else _Stepper(model, history, memory)
    )

    def decide(seconds: float | None, *, core: bool) -> Any:
        engine = _Engine(history, model, stepper)
        engine.options.general_only = _METHODS[method]
        engine.options.no_core = not core
        engine.options.memory = max(1, memory - model.bytes) if memory and isinstance(model, Growth) else memory or 0
        return engine.run(seconds, progress)

    if isinstance(model, AppendMap | Growth) and counterexample:
        # what it concludes from the whole history does not hold for a part, which a counterexample is
        result = decide(timeout, core=False)
        if STATUS[result.verdict] == "VIOLATION":
            first = stepper
            model = AppendMap(history, looks_ahead=False)
            stepper = _Stepper(model, history, memory)
            left = (
                _CORE_SECONDS if timeout is None else max(0.1, min(_CORE_SECONDS, started + timeout - time.monotonic()))
            )
            shrunk = decide(left, core=True)
            if STATUS[shrunk.verdict] == "VIOLATION":
                result, spare = shrunk, result
            else:  # nothing smaller was found in time; `first` has numbered the states of what there is
                stepper, spare = first, shrunk
            lib.lf_lin_result_free(ffi.addressof(spare))
    else:
        result = decide(timeout, core=counterexample)
    try:
        if stepper is not None and stepper.errors:
            raise stepper.errors[0]
        indices = sorted((result.core[i] for i in range(result.core_count)), key=lambda i: (history[i].call, i))
        end = int(result.end)
        if not indices and counterexample and STATUS[result.verdict] == "VIOLATION":
            indices, end = _up_to(history, result.break_op)  # nothing smaller was found in time
        operations = [_until(history[i], end) for i in indices]
        words = tuple(int(result.state[i]) for i in range(result.state_count))
        state = words if stepper is None else stepper.start(result)
        start = describe_state(history, result, model if isinstance(model, Spec) else None)
        if stepper is not None and state:
            start = repr(state[0])
        return Verdict(
            status=STATUS[result.verdict],
            reason=explain(history, result, text),
            spec=text,
            checked=len(history),
            operations=operations,
            indices=indices,
            break_index=None if result.break_op == 0xFFFFFFFF else result.break_op,
            method=METHOD[result.method],
            seconds=time.monotonic() - started,
            configurations=result.configurations,
            peak_bytes=result.peak_bytes,
            minimal=bool(result.minimal),
            start=start,
            state=state,
            end=end,
            rule=rule_name(result),
        )
    finally:
        lib.lf_lin_result_free(ffi.addressof(result))


def _up_to(history: History, broken: int) -> tuple[list[int], int]:
    """Everything that was done to the object of an operation until it returned, and when that was."""
    at = history[broken]
    end = at.call if at.return_ is None else at.return_
    same = [i for i, o in enumerate(history) if o.key == at.key and o.call <= end]
    return sorted(same, key=lambda i: (history[i].call, i)), end


def _until(operation: Operation, end: int) -> Operation:
    """The operation as it looked at `end`: still running if it returned later."""
    if end and operation.return_ is not None and operation.return_ > end:
        return operation._replace(return_=None, result=None)
    return operation


class _Engine:
    def __init__(
        self, history: History, spec: Spec | Specification | Growth, stepper: _Stepper | Growth | None
    ) -> None:
        self.history = history
        self.ops, self.count = history._records()
        if isinstance(spec, Spec):
            self.ops = history._for(spec.name)
        self.cancel = ffi.new("int32_t *")
        self.settled = ffi.new("uint64_t *")
        self.options = ffi.new("struct lf_lin_options *")
        self.options.cancel = self.cancel
        self.options.progress = self.settled
        self.spec = ffi.new("struct lf_lin_spec *", spec.fields() if isinstance(spec, Spec) else {"kind": _CUSTOM})
        if stepper is not None:
            self.options.step = stepper.function
            self.options.context = stepper.context
            self.options.partition = bool(getattr(spec, "partition", False))
        self.result = ffi.new("struct lf_lin_result *")

    def _call(self) -> None:
        lib.lf_lin_check(self.ops, self.count, self.spec, self.options, self.result)

    def run(self, timeout: float | None, progress: Callable[[int, int], None] | None) -> Any:
        limit = 0 if timeout is None else max(1, int(timeout * 1e9))
        if self.count <= _SMALL:
            self.options.timeout_ns = min(limit, _FIRST_ATTEMPT_NS) if limit else _FIRST_ATTEMPT_NS
            started = time.monotonic_ns()
            self._call()
            late = time.monotonic_ns() - started >= _FIRST_ATTEMPT_NS  # it may have been about to make it smaller
            cut = self.result.reason == lib.LF_LIN_TIME or (late and self.result.core_count and not self.result.minimal)
            if not cut or (limit and limit <= _FIRST_ATTEMPT_NS):
                return self.result[0]
            lib.lf_lin_result_free(self.result)
        self.options.timeout_ns = limit
        worker = threading.Thread(target=self._call, name="linearizability", daemon=True)
        worker.start()
        try:
            while worker.is_alive():
                worker.join(0.1)
                if progress is not None:
                    progress(int(self.settled[0]), self.count)
        except BaseException:
            self.cancel[0] = 1
            worker.join()
            lib.lf_lin_result_free(self.result)
            raise
        return self.result[0]
