"""Counters of a run in shared memory: each is written by one process, and read by the view."""

from __future__ import annotations

import time
from multiprocessing.shared_memory import SharedMemory

import numpy as np

NAMES = ("steps", "tokens", "answered", "running", "preempted", "preemptions", "free", "shared")


class Board:
    def __init__(self) -> None:
        self.memory = SharedMemory(create=True, size=8 * len(NAMES))
        self.began = time.monotonic()

    @property
    def cells(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.ndarray(len(NAMES), np.int64, self.memory.buf)

    def add(self, **counts: int) -> None:
        cells = self.cells
        for name, count in counts.items():
            cells[NAMES.index(name)] += count

    def set(self, **values: int) -> None:
        cells = self.cells
        for name, value in values.items():
            cells[NAMES.index(name)] = value

    def all(self) -> dict[str, int]:
        return dict(zip(NAMES, self.cells.tolist(), strict=True))
