"""Random deaths. The round's seed decides who is killed and when."""

import os
import random
import signal
import time


class Reaper:
    """Kills a process at random moments, as often as the round says."""

    def __init__(self, seed: int, kills: int, seconds: float) -> None:
        self._random = random.Random(seed ^ 0x6B696C6C)
        self._at = sorted(self._random.uniform(0.02, 0.85) * seconds for _ in range(kills))
        self._began: float | None = None

    def begin(self) -> None:
        self._began = time.monotonic()

    def due(self) -> float:
        """Seconds until the next kill; an hour if there is none."""
        if self._began is None or not self._at:
            return 3600.0
        return max(0.0, self._began + self._at[0] - time.monotonic())

    def strike(self, pids: list[int]) -> int | None:
        """Kills one of these processes if a kill is due, and returns its id."""
        if self.due() > 0 or not pids:
            return None
        self._at.pop(0)
        victim = self._random.choice(pids)
        os.kill(victim, signal.SIGKILL)
        return victim
