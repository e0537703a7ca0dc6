"""BroadcastRing beside pyzmq PUB and a ring of byte flags: messages per second that each reader got."""

from functools import partial

from broadcast_peers import PEERS
from frame.columns import Column, Entry, rate

from lockfree.bench.engine import Load, Worker

SIZE = 1 << 22
LENGTHS = {64: 1e6, 4096: 1e3, 262_144: 1e3}


def load(peer, readers, length):
    made, message = peer(readers, SIZE), b"x" * length
    write = Worker("put", lambda tally: tally.run(partial(made.writer(), message)), counts=False)
    read = [Worker("get", lambda tally, k=k: tally.run(made.reader(k))) for k in range(readers)]
    return Load([write, *read], made.end, made.close, 1.0 if peer.ours else 0.05)


def columns():
    made = []
    for length, per in LENGTHS.items():
        for readers in (2, 7):
            entries = [Entry(p.name, rate(partial(load, p, readers, length), per * readers), p.ours) for p in PEERS]
            title = f"BroadcastRing: {length:,} bytes to {readers} readers"
            unit = "M/s" if per == 1e6 else "k/s"
            made.append(Column(f"broadcast_{length}_{readers}", title, unit, entries, more=True, seconds=0.3))
    return made
