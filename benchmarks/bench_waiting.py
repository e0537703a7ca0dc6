"""Messages at a steady pace: how late they come and what waiting costs; the wake of a real sleeper; many sleepers."""

import time

from frame import peers
from frame.columns import SIZE, Column, Entry, Sample, cpus, median_time, round_trip, used

from lockfree.bench import engine
from lockfree.bench.engine import Load, Span, Worker
from lockfree.machine.figures import percentiles

PACED = [
    peers.Spsc,
    peers.Mpmc,
    peers.MpQueue,
    peers.MpPipe,
    peers.FasterFifo,
    peers.Zmq,
    peers.Cloudtoid,
    peers.SubethaChannel,
]
GAPS = {"500us": (0.0005, 0.4), "5ms": (0.005, 0.6), "50ms": (0.05, 1.2)}
SLEEPERS = (1, 16, 64, 200)


def paced(peer, gap):
    def load():
        made = peer(64, SIZE)

        def send(tally):
            put, due = made.producer(), time.monotonic()
            while not tally.stop[0]:
                due += gap
                time.sleep(max(0.0, due - time.monotonic()))
                put(time.monotonic_ns().to_bytes(8, "little") + bytes(SIZE - 8))
                tally.words[engine.DONE] += 1

        def receive(tally):
            get, taken = made.consumer(), 0
            while True:
                sent = int.from_bytes(get()[:8], "little")
                tally.times[taken % engine.ROOM] = max(0, time.monotonic_ns() - sent)
                taken += 1
                tally.words[engine.TAKEN] = taken

        return Load([Worker("send", send), Worker("receive", receive, counts=False)], made.end, made.close, made.grace)

    def sample(seconds):
        done = engine.run(load(), cpus(), Span(1, seconds))
        found = percentiles(done.times["receive"])
        used = 100 * done.cpu["receive"] / done.seconds
        return Sample(found["p50"] / 1e3, {"99%, µs": found["p99"] / 1e3, "CPU of the receiver, %": used})

    return sample


def asleep(peer, count):
    """So many processes that wait in get() for messages that do not come: what they use of a processor together."""

    def load():
        made = peer(256, SIZE)

        def wait(_tally):
            get = made.consumer()
            while True:
                get()

        return Load([Worker("asleep", wait)] * count, made.end, made.close, made.grace)

    return used(load, "asleep")


def put_beside_sleepers(peer, count):
    """A put while so many wait; one of them is woken each time."""

    def load():
        made = peer(256, SIZE)

        def wait(_tally):
            get = made.consumer()
            while True:
                get()

        def put(tally):
            send, message = made.producer(), b"x" * SIZE
            time.sleep(0.3)  # until they sleep
            while not tally.stop[0]:
                began = time.perf_counter_ns()
                send(message)
                taken = tally.words[engine.TAKEN]
                tally.times[taken % engine.ROOM] = time.perf_counter_ns() - began
                tally.words[engine.TAKEN] = taken + 1
                time.sleep(0.001)

        return Load(
            [Worker("put", put), *[Worker("asleep", wait, counts=False)] * count], made.end, made.close, made.grace
        )

    def sample(seconds):
        done = engine.run(load(), [None], Span(1, seconds + 0.3, 0.1))
        found = percentiles(done.times["put"])
        return Sample(found["p50"] / 1e3, {"99%, µs": found["p99"] / 1e3})

    return sample


def columns():
    made = []
    for key, (gap, seconds) in GAPS.items():
        entries = [Entry(p.name, paced(p, gap), p.ours) for p in PACED]
        title = f"A message each {gap * 1000:g} ms: from before put to after get"
        made.append(Column(f"cadence_{key}", title, "µs", entries, seconds=seconds, most_samples=3))
    woken = [Entry(p.name, median_time(round_trip(p, pause=0.002), "round trip"), p.ours) for p in PACED]
    made.append(
        Column("wake_mpmc", "Wake of a sleeper: there and back after 2 ms of silence", "µs", woken, seconds=0.3)
    )
    for count in SLEEPERS:
        most = 3 if count < 100 else 2  # to start and to end so many takes long
        waiting = [peers.Mpmc, peers.MpQueue, *([peers.FasterFifo, peers.Cloudtoid] if count < 100 else [])]
        title = f"{count} processes asleep in get(): CPU together"
        entries = [Entry(p.name, asleep(p, count), p.ours) for p in waiting]
        made.append(
            Column(f"sleepers_{count}", title, "% of a core", entries, seconds=0.5, most_samples=most, compares=False)
        )
        entries = [Entry(p.name, put_beside_sleepers(p, count), p.ours) for p in waiting if p is not peers.Cloudtoid]
        title = f"put while {count} processes sleep in get()"
        made.append(Column(f"sleepers_put_{count}", title, "µs", entries, seconds=0.2, most_samples=most))
    return made
