from multiprocessing import heap, shared_memory

from frame.columns import Column, Entry, everybody, rate
from locks import lazily

import lockfree

ROOM = 1 << 26


class Heap:
    """The heap behind multiprocessing.Array: blocks in shared memory for a process and its children."""

    def alloc(self, size):
        return heap.BufferWrapper(size).create_memoryview()


class Segments:
    """One file for each block."""

    def alloc(self, size):
        made = shared_memory.SharedMemory(create=True, size=size)
        made.close()
        made.unlink()


class Handed:
    def __init__(self):
        self.arena = lockfree.Arena(ROOM)
        self.block = self.arena.alloc(1 << 20)

    def hand(self):
        self.arena.open_block(self.block.handle()).array("u1")


def together(size):
    def load():
        arena = lockfree.Arena(ROOM)
        return everybody("alloc, release", lambda: arena.alloc(size), 2, arena.close)

    return rate(load)


def columns():
    made = []
    for size, shown in ((64, "64 B"), (4096, "4 KiB"), (1 << 20, "1 MiB")):
        statement = f"p.alloc({size})"
        single = [
            Entry("Arena", lazily(lambda: lockfree.Arena(ROOM), statement, "p"), ours=True),
            Entry("multiprocessing.heap", lazily(Heap, statement, "p")),
            Entry("SharedMemory", lazily(Segments, statement, "p")),
        ]
        made.append(Column(f"arena_{size}", f"Arena: alloc and release of {shown}", "ns", single, seconds=0.05))
    both = [Entry("Arena", together(4096), ours=True)]
    made.append(Column("arena_2", "Arena: alloc and release of 4 KiB, 2 processes", "M/s", both, more=True))
    made.append(
        Column(
            "arena_handle", "Arena: a handle made and opened as an array", "ns",
            [Entry("Arena", lazily(Handed, "p.hand()", "p"), ours=True)],
            seconds=0.05, compares=False,
        )
    )  # fmt: skip
    return made
