"""Finds the accesses of an execution that race: the places where another thread could come in between.

Two accesses race when neither happens before the other (vector clocks, as FastTrack keeps them: Flanagan and Freund,
PLDI 2009) and one of them writes. A race is no fault in Python, where one instruction is atomic: it is where the
order matters. A program without such places need be interrupted at its locks alone (Musuvathi and Qadeer, CHESS,
PLDI 2007), and at these places otherwise.
"""

import collections
import functools
import os
import site
import sysconfig
import threading
from collections.abc import Callable, Iterable, Sequence
from inspect import CO_OPTIMIZED
from types import CodeType, FrameType

from lockfree._native.tracer import Tracer
from lockfree.modelcheck.python.instructions import UNKNOWN, Access, Analysis
from lockfree.modelcheck.python.scheduler import Controlled, Position, Scheduler

TYPED = ("<stdin>", "<ipython", "<python-input")
_LIBRARY = tuple(
    {os.path.realpath(p) + os.sep for p in (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))}
    | {os.path.realpath(p) + os.sep for p in [*site.getsitepackages(), sysconfig.get_path("purelib")]}
)  # fmt: skip
Places = Sequence[tuple[str, int, str, int]]
"""File, first line and name of a function, and the offset of an instruction in it."""
Entered = Callable[[bool], object]
"""Is told whenever code that is followed is called by another file's; True: for the first time in an execution."""
_BOOTSTRAP = threading.Thread._bootstrap_inner.__code__  # type: ignore[attr-defined]
_OURS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep


def in_library(file: str) -> bool:
    """Whether a file belongs to Python, to an installed package or to us."""
    return not file or file.startswith("<") or os.path.realpath(file).startswith((*_LIBRARY, _OURS))


_realpath = functools.lru_cache(maxsize=1024)(os.path.realpath)
_analyses: dict[int, Analysis] = {}
"""By the identity of the code, which each of them has. An exploration has many runs, and a stage many explorations."""


def analysed(code: CodeType) -> Analysis:
    """The accesses of a code object."""
    if len(_analyses) > 10_000:
        _analyses.clear()
    found = _analyses.get(id(code))
    if found is None:
        found = _analyses[id(code)] = Analysis(code)
    return found


class Codes:
    """The code that is followed instruction by instruction, analysed once."""

    def __init__(self, files: Iterable[str] = (), wanted: Places = (), entered: Entered | None = None) -> None:
        self.entered = entered
        self.files = {os.path.realpath(file) for file in files}
        self.visible: set[Position] = set()
        self.tracer = Tracer()
        """It tells of no codes that are not followed, and at which no thread begins. Most calls are of these."""
        self._known: dict[int, tuple[CodeType, Analysis | None]] = {}
        self._wanted: dict[tuple[str, int, str], list[int]] = {}
        for file, line, name, offset in wanted:
            self._wanted.setdefault((file, line, name), []).append(offset)

    def analysis(self, code: CodeType) -> Analysis | None:
        """None for code of a library, which is not followed."""
        found = self._known.get(id(code))
        if found is None:
            found = code, analysed(code) if self.follows(code.co_filename) else None
            self._known[id(code)] = found
            if found[1] is None and code.co_name != "run":
                self.tracer.skip(code)
            named = (code.co_filename, code.co_firstlineno, code.co_qualname)
            self.visible |= {(id(code), offset) for offset in self._wanted.get(named, [])}
        return found[1]

    def places(self) -> Places:
        """The visible positions in a form that outlives the process."""
        codes = ((self._known[code][0], offset) for code, offset in self.visible)
        return sorted((code.co_filename, code.co_firstlineno, code.co_qualname, at) for code, at in codes)

    def follows(self, file: str) -> bool:
        """Whether the code of this file is interrupted within."""
        if file.startswith("<"):  # made by a library (a dataclass), or typed in
            return file.startswith(TYPED)
        real = _realpath(file)
        return real in self.files or not real.startswith((*_LIBRARY, _OURS))


LINE = 200
"""Instructions that a thread may make without a new line before they count as one more."""


class Accesses:
    """What the threads of one execution touch."""

    def __init__(self, scheduler: Scheduler, codes: Codes, *, learn: bool) -> None:
        self.scheduler = scheduler
        self.codes = codes
        self.visible = codes.visible
        self.learn = learn
        self.found: set[Position] = set()
        self._writes: dict[object, tuple[int, int, Position]] = {}
        self._reads: dict[object, dict[int, tuple[int, Position]]] = {}
        self._pasts: dict[object, tuple[int, int]] = {}
        self._first = True

    # --- what the interpreter calls ------------------------------------------------------------------------------

    def enter(self, frame: FrameType) -> None:
        """A new frame of a thread."""
        me = self.scheduler.me()
        if me is not None and not me.begun and _is_run(frame):
            self.scheduler.begin(me)
        analysis = self.codes.analysis(frame.f_code)
        if analysis is None:
            return
        if self.codes.entered is not None and _is_entered(frame):
            self.codes.entered(self._first)
            self._first = False
        accesses = analysis.accesses
        code = id(frame.f_code)
        scheduler = self.scheduler
        visible = self.visible

        def touch(frame: FrameType, offset: int) -> None:
            if len(scheduler.threads) < 2:
                return
            access = accesses[offset]
            position = (code, offset)
            seen = position in visible
            if seen:
                scheduler.point()
            touched = access.touch(frame)
            if me is None or touched is None:
                return
            where, writes = touched
            if self.learn:
                self._touch(me, where, position, writes=writes)
            if seen:
                self._show(frame, access, writes=writes)
                self._met(me, where, writes=writes)

        def line(frame: FrameType) -> None:
            if scheduler.rows is not None and frame.f_code.co_flags & CO_OPTIMIZED:  # no body of a module or class
                scheduler.record("", (frame.f_code.co_filename, frame.f_lineno))
            if me is not None:
                scheduler.step(me)

        def loop() -> None:
            if me is not None:
                scheduler.step(me)

        self.codes.tracer.follow(frame, analysis.touching, touch, line, loop, LINE)

    def _show(self, frame: FrameType, access: Access, *, writes: bool) -> None:
        if self.scheduler.rows is None:
            return
        value = access.value(frame) if access.value is not None else UNKNOWN
        does = "calls" if access.shown.endswith("()") else "writes" if writes else "reads"
        text = f"{does} {access.shown}" + ("" if value is UNKNOWN else f" == {short(value)}")
        self.scheduler.record(text, (frame.f_code.co_filename, frame.f_lineno))

    def _met(self, me: Controlled, where: object, *, writes: bool) -> None:
        """The thread has seen what was written there before, and a write also who has read it."""
        written, readers = self._pasts.get(where, (0, 0))
        me.past = hash((me.past, written, readers if writes else 0, writes))
        self._pasts[where] = (me.past, 0) if writes else (written, readers + hash((me.past, "read")))

    # --- races ---------------------------------------------------------------------------------------------------

    def _touch(self, me: Controlled, where: object, position: Position, *, writes: bool) -> None:
        clock, mine = me.clock, me.clock[me.index]
        last = self._writes.get(where)
        if last is not None and last[0] != me.index and last[1] > _at(clock, last[0]):
            self._race(last[2], position)
        reads = self._reads.get(where)
        if writes:
            for thread, (when, place) in (reads or {}).items():
                if thread != me.index and when > _at(clock, thread):
                    self._race(place, position)
            self._writes[where] = (me.index, mine, position)
            if reads:
                self._reads[where] = {}
        elif reads is None:
            self._reads[where] = {me.index: (mine, position)}
        else:
            reads[me.index] = (mine, position)

    def _race(self, one: Position, other: Position) -> None:
        for position in (one, other):
            if position not in self.visible:
                self.found.add(position)


def _is_entered(frame: FrameType) -> bool:
    """Whether the caller is in another file."""
    return frame.f_back is None or frame.f_back.f_code.co_filename != frame.f_code.co_filename


def _is_run(frame: FrameType) -> bool:
    """Whether this is the `run` of a `threading.Thread`, whatever is its target: code in C is not followed."""
    return frame.f_code.co_name == "run" and frame.f_back is not None and frame.f_back.f_code is _BOOTSTRAP


def _at(clock: list[int], thread: int) -> int:
    return clock[thread] if thread < len(clock) else 0


def short(value: object, most: int = 40) -> str:
    """`repr`, cut. For plain values only: the `repr` of others is code of the program."""
    if isinstance(value, bool | int | float | str | bytes | type(None)):
        text = repr(value)
    elif type(value) in {list, tuple, dict, set, collections.deque}:
        text = f"{type(value).__name__} of {len(value)}"  # type: ignore[arg-type]
    else:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= most else text[: most - 1] + "…"
