"""BroadcastRing beside pyzmq PUB and a ring of byte flags: messages per second that each reader got."""

import time
from functools import partial

from broadcast_peers import PEERS
from frame.columns import Column, Entry, rate, used

from lockfree.bench import engine
from lockfree.bench.engine import Load, Worker

SIZE = 1 << 22
LENGTHS = {64: 1e6, 4096: 1e3, 262_144: 1e3}
GAP = 0.005
"""Seconds between two messages, about as between two steps of an inference engine."""


def load(peer, readers, length):
    made, message = peer(readers, SIZE), b"x" * length
    write = Worker("put", lambda tally: tally.run(partial(made.writer(), message)), counts=False)
    read = [Worker("get", lambda tally, k=k: tally.run(made.reader(k))) for k in range(readers)]
    return Load([write, *read], made.end, made.close, 1.0 if peer.ours else 0.05)


def paced(peer, readers):
    """What the readers use of a processor together, while a message comes each GAP."""

    def load():
        made, message = peer(readers, SIZE), b"x" * 64

        def write(tally):
            put = made.writer()
            while not tally.stop[0]:
                put(message)
                tally.words[engine.DONE] += 1
                time.sleep(GAP)

        def read(tally, number):
            get = made.reader(number)
            while True:
                get()

        workers = [Worker("read", partial(read, number=k), counts=False) for k in range(readers)]
        return Load([Worker("write", write), *workers], made.end, made.close, 1.0 if peer.ours else 0.05)

    return used(load, "read")


def columns():
    made = []
    for length, per in LENGTHS.items():
        for readers in (2, 7):
            entries = [Entry(p.name, rate(partial(load, p, readers, length), per * readers), p.ours) for p in PEERS]
            title = f"BroadcastRing: {length:,} bytes to {readers} readers"
            unit = "M/s" if per == 1e6 else "k/s"
            made.append(Column(f"broadcast_{length}_{readers}", title, unit, entries, more=True, seconds=0.3))
    for readers in (2, 7):
        entries = [Entry(p.name, paced(p, readers), p.ours) for p in PEERS]
        title = f"BroadcastRing: a message each 5 ms to {readers} readers, their CPU together"
        made.append(Column(f"broadcast_paced_{readers}", title, "% of a core", entries, seconds=1, most_samples=3))
    return made
