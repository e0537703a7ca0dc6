import rings
from frame import natives, peers

import lockfree

MANY = peers.queues(many_to_many=True, without=(peers.Mpmc,))
NATIVE = {
    "2p2c": ("C: 64 bytes, 2 producers, 2 consumers", "M/s"),
    "4p4c": ("C: 64 bytes, 4 producers, 4 consumers", "M/s"),
}


def columns():
    return [
        rings.one_thread(lockfree.MPMCRing, "mpmc"),
        *(rings.streams(peers.Mpmc, MANY, f"mpmc_stream_{n}p{n}c", n, n) for n in (1, 2, 4, 8)),
        rings.batches(peers.Mpmc, [peer for peer in MANY if hasattr(peer, "producer_many")], "mpmc"),
        rings.trips(peers.Mpmc, MANY, "mpmc"),
        *(natives.column("rings", work, *what, natives.MANY_TO_MANY) for work, what in NATIVE.items()),
    ]
