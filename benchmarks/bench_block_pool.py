import multiprocessing
from functools import partial

from frame import natives
from frame.columns import Column, Entry, everybody, rate
from locks import lazily

import lockfree

NATIVE = {
    "blocks_alone": ("C: a block taken and freed, alone", "ns"),
    "blocks_2": ("C: a block taken and freed, 2 threads", "M/s"),
}


class LockedList:
    """What is written by hand: a list of free blocks in shared memory, behind a lock. For threads and processes. The block
    that was freed last comes first."""

    def __init__(self, blocks):
        context = multiprocessing.get_context("fork")
        self.lock = context.Lock()
        self.free_blocks = context.RawArray("I", range(blocks))
        self.count = context.RawValue("I", blocks)

    def alloc(self, n):
        with self.lock:
            if self.count.value < n:
                return None
            self.count.value -= n
            return self.free_blocks[self.count.value : self.count.value + n]

    def free(self, blocks):
        with self.lock:
            self.free_blocks[self.count.value : self.count.value + len(blocks)] = blocks
            self.count.value += len(blocks)

    def close(self):
        pass


def together(make, n):
    def load():
        pool = make(4096)
        return everybody("alloc, free", lambda: pool.free(pool.alloc(n)), 2, pool.close)

    return rate(load)


def columns():
    made = []
    for n in (1, 16, 256):
        statement = f"p.free(p.alloc({n}))"
        single = [
            Entry("BlockPool", lazily(lambda: lockfree.BlockPool(4096, order="lifo"), statement, "p"), ours=True),
            Entry("BlockPool, fifo", lazily(lambda: lockfree.BlockPool(4096), statement, "p"), ours=True),
            Entry("list under multiprocessing.Lock", lazily(lambda: LockedList(4096), statement, "p")),
        ]
        made.append(Column(f"block_pool_{n}", f"BlockPool: alloc and free of {n}", "ns", single, seconds=0.05))
        both = [
            Entry("BlockPool", together(partial(lockfree.BlockPool, order="lifo"), n), ours=True),
            Entry("BlockPool, fifo", together(lockfree.BlockPool, n), ours=True),
            Entry("list under multiprocessing.Lock", together(LockedList, n)),
        ]
        made.append(
            Column(f"block_pool_{n}_2", f"BlockPool: alloc and free of {n}, 2 processes", "M/s", both, more=True)
        )
    return made + [natives.column("blocks", work, *what, natives.BLOCKS) for work, what in NATIVE.items()]
