"""Ours over capacity and over the length of a record; bytes per second beside peers that carry any length."""

from frame import peers
from frame.columns import Column, Entry, rate, stream
from locks import lazily

import lockfree

CAPACITIES = (16, 256, 4096, 65_536, 1 << 20)
LENGTHS = (8, 64, 512, 4096, 65_536, 1 << 20)
OTHERS = [peers.MpPipe, peers.FasterFifo, peers.Zmq, peers.Cloudtoid, peers.Membridge]


def pair(kind, capacity):
    """put and get in one thread through a ring that is half full."""

    def make():
        ring = kind(capacity, 8)
        for _ in range(capacity // 2):
            ring.put(b"x" * 8)
        return ring.put, ring.get, b"x" * 8

    return lazily(make, "q[0](q[2]); q[1]()", "q")


def columns():
    made = [
        Column(
            f"capacity_{capacity}", f"put and get of 8 bytes in one thread, capacity {capacity:,}", "ns",
            [Entry(kind.__name__, pair(kind, capacity), ours=True) for kind in (lockfree.SPSCRing, lockfree.MPMCRing)],
            seconds=0.05,
        )
        for capacity in CAPACITIES
    ]  # fmt: skip
    for length in LENGTHS:
        capacity = max(16, min(4096, (1 << 24) // length))
        entries = [
            Entry(p.name, rate(stream(p, 1, 1, capacity=capacity, size=length), 1e6 / length), p.ours)
            for p in (peers.Spsc, peers.Mpmc, *(OTHERS if length >= 4096 else []))
        ]
        made.append(
            Column(f"length_{length}", f"{length:,} bytes a record, 1 producer, 1 consumer", "MB/s", entries, more=True)
        )
    return made
