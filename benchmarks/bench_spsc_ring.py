import rings
from frame import natives, peers

import lockfree

OTHERS = peers.queues(without=(peers.Spsc, peers.Mpmc))
BATCHES = ("SPSCRing", "MPMCRing", "boost::spsc_queue")


def columns():
    return [
        rings.one_thread(lockfree.SPSCRing, "spsc"),
        rings.streams(peers.Spsc, OTHERS, "spsc_stream", 1, 1),
        rings.batches(peers.Spsc, [peer for peer in OTHERS if hasattr(peer, "producer_many")], "spsc"),
        rings.trips(peers.Spsc, [peer for peer in OTHERS if peer is not peers.Kickmsg], "spsc"),
        natives.column("rings", "alone", "C: put and get of 64 bytes in one thread", "ns", natives.ONE_TO_ONE),
        natives.column("rings", "1p1c", "C: 64 bytes, 1 producer, 1 consumer", "M/s", natives.ONE_TO_ONE),
        natives.column("rings", "batches", "C: batches of 64, 1 producer, 1 consumer", "M/s", BATCHES),
        natives.column("rings", "round_trip", "C: 64 bytes there and back", "ns", natives.ONE_TO_ONE),
    ]
