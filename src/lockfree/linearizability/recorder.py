"""`record(obj)`: a proxy that logs every call of an object, from threads and from processes, for `check`."""

import atexit
import multiprocessing
import os
import pickle
import queue
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from lockfree.linearizability.history import History, Operation

Translate = Callable[[str, tuple[Any, ...], dict[str, Any]], tuple[str, Any] | None]

_VALUED = {"get", "pop", "read", "load", "fetch_add"}
# method → (operation, whether its first argument is the value)
_METHODS: dict[str, tuple[str, bool]] = {
    "put": ("put", True), "put_nowait": ("put", True), "try_put": ("put", True), "append": ("push", True),
    "push": ("push", True), "get": ("get", False), "get_nowait": ("get", False), "try_get": ("get", False),
    "pop": ("pop", False), "read": ("read", False), "write": ("write", True), "acquire": ("acquire", False),
    "release": ("release", False), "fetch_add": ("fetch_add", True), "load": ("load", False),
    "add": ("add", True), "discard": ("remove", True), "remove": ("remove", True), "contains": ("contains", True),
}  # fmt: skip


Entry = tuple[str, Any, Any, int, int | None]


class Recorder:
    """The calls of everything recorded under it: of all threads of this process, and of the other processes that ended
    or called `flush()`. Nothing is locked on the recorded path: each thread appends to a list of its own.

    A process that is killed takes its log along, and `history()` says so instead of judging half a history.
    """

    def __init__(self, directory: str | os.PathLike[str] | None = None) -> None:
        self._own_directory = tempfile.TemporaryDirectory(prefix="lockfree-record-") if directory is None else None
        self.directory = Path(self._own_directory.name if self._own_directory else str(directory))
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._local = threading.local()
        self._logs: list[list[Entry]] = []

    def __getstate__(self) -> dict[str, Any]:
        return {"directory": self.directory}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._own_directory = None
        self.directory = state["directory"]
        self._reset()

    def log(self) -> list[Entry]:
        """The calling thread's list of (operation, argument, result, call, return)."""
        if os.getpid() != self._pid:  # forked: what the parent logged is the parent's
            self._reset()
        try:
            return self._local.entries  # type: ignore[no-any-return]
        except AttributeError:
            entries: list[Entry] = []
            self._local.entries = entries
            if not self._logs and multiprocessing.parent_process() is not None:
                self._path().touch()  # so that a log that never comes is missed
                atexit.register(self.flush)
                Finalize(self, self.flush, exitpriority=100)
            self._logs.append(entries)
            return entries

    def _path(self) -> Path:
        return self.directory / f"{self._pid}.log"

    def flush(self) -> None:
        """Writes what this process logged so far where `history()` of another process finds it."""
        part = self._path().with_suffix(".part")
        part.write_bytes(pickle.dumps(self._logs))
        part.replace(self._path())

    def _all(self) -> Iterator[list[Entry]]:
        yield from self._logs
        for path in sorted(self.directory.glob("*.log")):
            if path == self._path():
                continue
            data = path.read_bytes()
            if not data:
                raise RuntimeError(
                    f"process {path.stem} recorded calls and never delivered them: still running, or killed"
                )
            yield from pickle.loads(data)  # noqa: S301 - written by our own processes

    def history(self) -> History:
        """All calls, validated. Call it when the workers are done."""
        return History.from_operations(
            Operation(client, op, arg, result, call, ret)
            for client, entries in enumerate(self._all())
            for op, arg, result, call, ret in entries
        )

    def close(self) -> None:
        """Removes the recorder's directory, if it made one."""
        if self._own_directory is not None and os.getpid() == self._pid:
            self._own_directory.cleanup()


class _ByName:
    """Translates a call by the name of its method."""

    def __init__(self, methods: Mapping[str, tuple[str, bool]]) -> None:
        self.methods = methods

    def __call__(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, Any] | None:
        known = self.methods.get(name)
        if known is None:
            return None
        op, takes = known
        if op in ("acquire", "release"):
            return op, kwargs.get("n", 1)
        if not takes:
            return op, None
        return op, args[0] if args else next(iter(kwargs.values()), None)


class Proxy:
    """Stands for the object: recorded methods are logged, everything else is passed on."""

    def __init__(self, obj: Any, recorder: Recorder, translate: Translate) -> None:
        self._obj = obj
        self._recorder = recorder
        self._translate = translate

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    @property
    def recorder(self) -> Recorder:
        return self._recorder

    def history(self) -> History:
        return self._recorder.history()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        member = getattr(self._obj, name)
        if not callable(member) or self._translate(name, (None,), {}) is None:
            return member

        def call(*args: Any, **kwargs: Any) -> Any:
            what = self._translate(name, args, kwargs)
            assert what is not None
            op, arg = what
            entries = self._recorder.log()
            at = len(entries)
            started = time.monotonic_ns()
            entries.append((op, arg, None, started, None))  # stays like this if the call never returns
            try:
                result = member(*args, **kwargs)
            except (queue.Full, queue.Empty, IndexError, TimeoutError):
                ended = time.monotonic_ns()
                failed = None if op in _VALUED else False
                entries[at] = (op, arg, failed, started, ended)
                raise
            ended = time.monotonic_ns()
            came = result if op in _VALUED else result is not False
            entries[at] = (op, arg, came, started, ended)
            return result

        return call


def record(
    obj: Any,
    *,
    recorder: Recorder | None = None,
    methods: Mapping[str, tuple[str, bool]] | Translate | None = None,
) -> Any:
    """A proxy of `obj` whose calls are logged; `proxy.history()` is what happened, for `check`.

        q = record(queue.Queue())
        ...  # threads call q.put(...) and q.get(...)
        print(check(q.history(), "queue"))

    Known methods are those of queues, stacks, locks, registers, counters and sets. For others give `methods`: a mapping
    from method name to (operation, whether the first argument is its value), or a function from (name, args, kwargs)
    to (operation, argument), None for calls not to record. FULL and EMPTY are `queue.Full`, `queue.Empty`,
    `IndexError`, `TimeoutError`, or a returned False (put) or None (get). Values must be distinct for the fast
    algorithms, integers or JSON-able. Objects shared with processes are recorded there too; their calls arrive when the
    process ends, or at `proxy.recorder.flush()`.
    """
    translate = methods if callable(methods) else _ByName(_METHODS if methods is None else methods)
    return Proxy(obj, recorder or Recorder(), translate)
