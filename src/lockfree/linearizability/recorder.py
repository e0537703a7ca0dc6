"""The log behind `record(obj)`: of all threads and tasks of this process, and of the processes that took part."""

import asyncio
import atexit
import multiprocessing
import os
import pickle
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockfree.linearizability.calls import resolved
from lockfree.linearizability.history import History
from lockfree.linearizability.operation import Operation

if TYPE_CHECKING:
    from lockfree.linearizability.jitter import Jitter
    from lockfree.linearizability.methods import Item

Entry = tuple[tuple["Item", ...], int, int | None]
"""The operations of one call, its call and its return."""


def _task() -> Any:
    """The task that runs, of asyncio or trio; None in a plain thread."""
    if asyncio._get_running_loop() is not None:
        return asyncio.current_task()
    trio = sys.modules.get("trio")
    if trio is not None:
        try:
            return trio.lowlevel.current_task()
        except RuntimeError:
            return None
    return None


class Recorder:
    """The calls of everything recorded under it: of all threads and tasks of this process, and of the other processes
    that ended or called `flush()`. Nothing is locked on the recorded path: each thread and task has a list of its own.

    A process that is killed takes its log along, and `history()` says so instead of judging half a history.
    """

    def __init__(self, directory: str | os.PathLike[str] | None = None) -> None:
        self._own_directory = tempfile.TemporaryDirectory(prefix="lockfree-record-") if directory is None else None
        self.directory = Path(self._own_directory.name if self._own_directory else str(directory))
        self.jitter: Jitter | None = None
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._local = threading.local()
        self.hands: dict[tuple[int, str], Any] = {}  # what is in hand: hands.py
        self._tasks: weakref.WeakKeyDictionary[Any, list[Entry]] = weakref.WeakKeyDictionary()
        self._logs: list[list[Entry]] = []

    def __getstate__(self) -> dict[str, Any]:
        return {"directory": self.directory, "jitter": self.jitter}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._own_directory = None
        self.directory, self.jitter = state["directory"], state["jitter"]
        self._reset()

    def log(self) -> list[Entry]:
        """The list of calls of the task or thread that runs."""
        if os.getpid() != self._pid:  # forked: what the parent logged is the parent's
            self._reset()
        task = _task()
        if task is not None:
            entries = self._tasks.get(task)
            if entries is None:
                entries = self._tasks[task] = self.new_log()
            return entries
        try:
            return self._local.entries  # type: ignore[no-any-return]
        except AttributeError:
            self._local.entries = self.new_log()
            return self._local.entries  # type: ignore[no-any-return]

    def new_log(self) -> list[Entry]:
        """The log of one more client."""
        entries: list[Entry] = []
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
            logs = pickle.loads(data)  # noqa: S301 - written by our own processes
            for entries in logs:
                _refuse_copies(entries)
            yield from logs

    def history(self) -> History:
        """All calls, validated. Call it when the workers are done."""
        if self.jitter is not None:
            self.jitter.end()
        logs = [list(entries) for entries in self._all()]
        change = resolved(items for entries in logs for items, _, _ in entries)
        return History.from_operations(_operations(logs, change))

    def close(self) -> None:
        """Removes the recorder's directory, if it made one."""
        if self.jitter is not None:
            self.jitter.end()
        if self._own_directory is not None and os.getpid() == self._pid:
            self._own_directory.cleanup()


def _operations(logs: list[list[Entry]], change: Any) -> Iterator[Operation]:
    client = batch = -1
    for entries in logs:
        client += 1
        open_call = False
        for items, call, ret in entries:
            if not items:
                continue
            if open_call:  # nobody knows when that call took effect: its thread goes on as another client
                client += 1
            open_call = ret is None
            batch += 1
            for item in items:
                op, arg, result, key, ticket = item if open_call and item.op == "unknown" else change(item)
                if op == "unknown":
                    raise ValueError("a call whose effect is only known from its answer never returned")
                yield Operation(client, op, arg, result, call, ret, key, batch + 1 if len(items) > 1 else 0, ticket)


def _refuse_copies(entries: list[Entry]) -> None:
    """Values from another process are copies: they must be comparable as text."""
    for items, _, _ in entries:
        for item in items:
            for value in (item.arg, item.result):
                if getattr(type(value), "__repr__", None) is object.__repr__:
                    raise TypeError(
                        f"{value!r} went through another process and cannot be told from its copies: "
                        "use values that JSON has, or give its class a __repr__"
                    )
