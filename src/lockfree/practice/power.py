"""A disk that forgets what was not synchronized, and a power supply that fails before each operation on it.

The stage `kill` for Python. A kata's `check.py` has functions `kill_…` that get a `Machine`. Everything that could go
one way or another is a choice: whether the power fails before an operation, and what is on the disk afterwards of the
changes that were not synchronized. All combinations are run, as far as the bound allows.

What may be lost is what POSIX does not promise: the content of a file until `sync`, its name until `sync_names`. Pillai
and others, All file systems are not created equal, OSDI 2014.
"""

import base64
import json
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import TypeVar

from lockfree.modelcheck.python.scheduler import Row

T = TypeVar("T")
LOSSES = (
    "nothing that was not synchronized is left",
    "everything is left",
    "the last change is left in part",
    "the length of the last change is left, and zeros for its second half",
    "the last change is left, and zeros for those before it",
)
WHOLE, TORN, ZEROS, LAST = 1, 2, 3, 4


class PowerFailure(BaseException):
    """The power failed. Nothing works any more until the machine is started again."""


class Choices:
    """A sequence of choices; `following` is the next one in depth-first order."""

    def __init__(self, given: tuple[int, ...] = ()) -> None:
        self.given = given
        self.taken: list[tuple[int, int]] = []

    def choose(self, options: int) -> int:
        number = len(self.taken)
        chosen = self.given[number] if number < len(self.given) else 0
        self.taken.append((min(chosen, options - 1), options))
        return self.taken[-1][0]

    def following(self) -> tuple[int, ...] | None:
        taken = self.taken.copy()
        while taken:
            chosen, options = taken.pop()
            if chosen + 1 < options:
                return (*(number for number, _ in taken), chosen + 1)
        return None

    def token(self) -> str:
        text = json.dumps([chosen for chosen, _ in self.taken], separators=(",", ":"))
        return "K" + base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def read_token(text: str) -> tuple[int, ...]:
    """The choices of a token. ValueError if it is none."""
    try:
        packed = base64.urlsafe_b64decode(text.removeprefix("K") + "=" * (-(len(text) - 1) % 4))
        return tuple(int(number) for number in json.loads(zlib.decompress(packed)))
    except (ValueError, TypeError, zlib.error):
        raise ValueError(f"this is not a token of the stage kill: {text!r}") from None


@dataclass
class _File:
    """A file: its content as programs see it, and as it is for certain on the disk, with the changes in between."""

    content: bytes = b""
    safe: bytes = b""
    changes: list[bytes] = field(default_factory=list)

    def left(self, loss: int) -> bytes:
        """The content after a power failure."""
        if loss == WHOLE or not self.changes:
            return self.content
        before = self.changes[-2] if len(self.changes) > 1 else self.safe
        last = self.changes[-1]
        if loss == 0:
            return self.safe
        if not last.startswith(before):  # it became shorter, or was replaced: as a whole or not at all
            return before if loss == TORN else last
        added = len(last) - len(before)
        half = len(before) + added // 2
        if loss == TORN:
            return last[:half]
        if loss == ZEROS:
            return last[:half] + bytes(len(last) - half)
        if not before.startswith(self.safe):
            return last
        return self.safe + bytes(len(before) - len(self.safe)) + last[len(before) :]


class Disk:
    """What a program sees. `Machine` makes one; its methods are the machine's.

    append(name, data): adds bytes at the end; makes the file if it is not there. write(name, data): makes the file, or
    replaces its content, in no way at once. truncate(name, size). read(name): bytes; FileNotFoundError. names(): a
    sorted list. rename(old, new): replaces `new` at once. remove(name). sync(name): returns when the content of the
    file is safe. sync_names(): returns when all names are (new files, renames and removals).
    """

    __slots__ = ("append", "names", "read", "remove", "rename", "sync", "sync_names", "truncate", "write")

    append: Callable[[str, bytes], None]
    write: Callable[[str, bytes], None]
    truncate: Callable[[str, int], None]
    read: Callable[[str], bytes]
    names: Callable[[], list[str]]
    rename: Callable[[str, str], None]
    remove: Callable[[str], None]
    sync: Callable[[str], None]
    sync_names: Callable[[], None]


class Machine:
    """A computer whose power fails, up to `failures` times. load: makes the answer's module again.

    loss: what was left at the last failure, one of `LOSSES`; empty before the first. off: it has no power now.
    """

    def __init__(self, load: Callable[[], ModuleType], choices: Choices, file: str, failures: int = 2) -> None:
        self._load, self._choices, self._file = load, choices, file
        self._seen: dict[str, _File] = {}
        self._safe: dict[str, _File] = {}
        self._failures = failures
        self._runs = False
        self.off = False
        self.loss = ""
        self.rows: list[Row] = []
        self.disk = self._disk()

    def says(self, text: str) -> None:
        """A line of the trace."""
        self.rows.append(Row("program", text, "", 0))

    def run(self, function: Callable[[ModuleType], T]) -> T | None:
        """Loads the answer and runs a function of it, in which the power may fail: None then. Else what it returns."""
        answer = self._load()
        self._runs = True
        try:
            found = function(answer)
        except PowerFailure as error:
            if not self.off:  # one of an earlier execution, which would skip the assertions
                raise RuntimeError("the answer raises a power failure, and the power is on") from error
            found = None
        finally:
            self._runs = False
        return None if self.off else found

    def restart(self) -> None:
        """Stops the program and starts the machine again. Without a failure before, the disk is as it was."""
        if not self.off:
            self.rows.append(Row("program", "the program ends, and begins again", "", 0))
            return
        self.off = False
        self.rows.append(Row("disk", "the machine starts again", "", 0))

    def _fail(self, before: str) -> None:
        self._failures -= 1
        self.off = True
        dirty = any(file.changes for file in (*self._seen.values(), *self._safe.values()))
        loss = self._choices.choose(len(LOSSES)) if dirty else 0
        renamed = self._safe != self._seen
        names_left = bool(self._choices.choose(2)) if renamed else True
        for file in {id(file): file for file in (*self._seen.values(), *self._safe.values())}.values():
            file.content = file.safe = file.left(loss)
            file.changes = []
        self._seen = dict(self._seen if names_left else self._safe)
        self._safe = dict(self._seen)
        self.loss = LOSSES[loss] if dirty else "everything was synchronized"
        names = "" if not renamed else "; new names are left" if names_left else "; new names are not left"
        self.rows.append(Row("disk", f"*** the power fails before {before}: {self.loss}{names}", "", 0))
        raise PowerFailure

    def _operation(self, text: str, *, changes: bool = True) -> None:
        if self.off:
            raise PowerFailure
        if changes and self._runs and self._failures > 0 and self._choices.choose(2):
            self._fail(text)
        self.rows.append(Row("disk", text, self._file, self._line()))

    def _line(self) -> int:
        frame = sys._getframe(2)
        while frame is not None and frame.f_code.co_filename != self._file:
            if frame.f_back is None:
                return 0
            frame = frame.f_back
        return frame.f_lineno

    def _known(self, name: str) -> _File:
        if name not in self._seen:
            raise FileNotFoundError(2, "no such file on the disk", name)
        return self._seen[name]

    def _change(self, name: str, content: bytes) -> None:
        file = self._seen.setdefault(name, _File())
        file.content = content
        file.changes.append(content)

    def _disk(self) -> Disk:
        def append(name: str, data: bytes) -> None:
            self._operation(f"append({name!r}, {len(data)} bytes)")
            self._change(name, (self._seen[name].content if name in self._seen else b"") + bytes(data))

        def write(name: str, data: bytes) -> None:
            self._operation(f"write({name!r}, {len(data)} bytes)")
            self._change(name, b"")
            self._change(name, bytes(data))

        def truncate(name: str, size: int) -> None:
            self._operation(f"truncate({name!r}, {size})")
            self._change(name, self._known(name).content[:size].ljust(size, b"\0"))

        def read(name: str) -> bytes:
            self._operation(f"read({name!r})", changes=False)
            return self._known(name).content

        def names() -> list[str]:
            self._operation("names()", changes=False)
            return sorted(self._seen)

        def rename(old: str, new: str) -> None:
            self._operation(f"rename({old!r}, {new!r})")
            self._seen[new] = self._known(old)
            del self._seen[old]

        def remove(name: str) -> None:
            self._operation(f"remove({name!r})")
            self._known(name)
            del self._seen[name]

        def sync(name: str) -> None:
            self._operation(f"sync({name!r})")
            file = self._known(name)
            file.safe, file.changes = file.content, []

        def sync_names() -> None:
            self._operation("sync_names()")
            self._safe = dict(self._seen)

        disk = Disk()
        for function in (append, write, truncate, read, names, rename, remove, sync, sync_names):
            setattr(disk, function.__name__, function)
        return disk


@dataclass
class Killed:
    """What one `kill_…` function showed. message: empty if it never failed."""

    client: str
    executions: int
    complete: bool
    message: str = ""
    token: str = ""
    rows: list[Row] = field(default_factory=list)


def explore(
    function: Callable[[Machine], object], load: Callable[[], ModuleType], file: str, most: int,
    tick: Callable[[int], object],
) -> Killed:  # fmt: skip
    """Runs `function` under all choices, at most so many. The first failure ends it."""
    following: tuple[int, ...] | None = ()
    executions = 0
    while following is not None and executions < most:
        choices = Choices(following)
        found = once(function, load, file, choices)
        executions += 1
        tick(executions)
        if found.message:
            found.executions = executions
            return found
        following = choices.following()
    return Killed(function.__name__, executions, following is None)


def once(function: Callable[[Machine], object], load: Callable[[], ModuleType], file: str, choices: Choices) -> Killed:
    """One execution."""
    machine = Machine(load, choices, file)
    name = function.__name__
    try:
        function(machine)
    except (Exception, PowerFailure, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - of the answer
        text = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
        return Killed(name, 1, complete=False, message=text, token=f"{name}:{choices.token()}", rows=machine.rows)
    return Killed(name, 1, complete=True, rows=machine.rows)
