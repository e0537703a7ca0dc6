"""MessageRing beside its peers, by length."""

import rings
from frame import peers
from frame.columns import Column, rate, stream

LENGTHS = {"48": (48, 4096), "1024": (1024, 1024), "65536": (65_536, 64)}
OTHERS = [peers.MpQueue, peers.MpPipe, peers.FasterFifo, peers.Zmq, peers.Cloudtoid, peers.Membridge]


def columns():
    return [
        Column(
            f"message_{key}", f"MessageRing: {length:,} bytes, 1 producer, 1 consumer", "k/s",
            rings.entries([peers.Message, *OTHERS], lambda p, c=capacity, n=length: rate(stream(p, 1, 1, capacity=c, size=n), 1e3)),
            more=True,
        )
        for key, (length, capacity) in LENGTHS.items()
    ]  # fmt: skip
