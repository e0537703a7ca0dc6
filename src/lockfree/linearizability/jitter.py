"""Makes races of Python threads show: the interpreter switches often, and calls stop at random instructions."""

import os
import random
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

INTERVAL = 1e-5  # seconds between switches of threads, 5 ms without jitter
_CHANCE = 0.04  # that an instruction of a traced call gives way
_PAUSES = (0.0, 0.0, 0.0, 1e-5, 1e-4)


class Jitter:
    """Calls run under a tracer that sleeps at random instructions of Python code, most for no time at all: another
    thread runs there. Code in C is not traced; for it there is the shorter interval. `seed` makes the choices of each
    thread the same again, not the schedule.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = random.randrange(1 << 32) if seed is None else seed
        self._start()

    def _start(self) -> None:
        self._local = threading.local()
        self._before: float | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"seed": self.seed}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.seed = state["seed"]
        self._start()

    def begin(self) -> None:
        if self._before is None:
            self._before = sys.getswitchinterval()
            sys.setswitchinterval(INTERVAL)

    def end(self) -> None:
        """Puts the interval back."""
        if self._before is not None:
            sys.setswitchinterval(self._before)
            self._before = None

    def _random(self) -> random.Random:
        try:
            return self._local.random  # type: ignore[no-any-return]
        except AttributeError:
            self._local.random = random.Random(f"{self.seed} {os.getpid()} {threading.get_ident()}")
            return self._local.random  # type: ignore[no-any-return]

    def call(self, member: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.begin()
        rng = self._random()
        if rng.random() < 0.5:
            time.sleep(rng.choice(_PAUSES))
        outside = sys.gettrace()

        def trace(frame: FrameType, event: str, _: Any) -> Any:
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            if event == "opcode" and rng.random() < _CHANCE:
                time.sleep(rng.choice(_PAUSES))
            return trace

        sys.settrace(trace)
        try:
            return member(*args, **kwargs)
        finally:
            sys.settrace(outside)
