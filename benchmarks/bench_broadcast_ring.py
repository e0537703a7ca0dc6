"""BroadcastRing beside pyzmq PUB and a ring of byte flags: messages per second to 2 and 7 readers, and CPU at 5 ms.

A reader's CPU at one message each 5 ms is in `extra_info["reader_cpu_ms_per_second"]`.
"""

import multiprocessing
import resource

import pytest
from broadcast_peers import PEERS, FlagRing, Pub
from transfer import measure

import lockfree

SIZE = 1 << 22
KINDS = {"64 B": (64, 20_000), "4 KiB": (4096, 10_000), "256 KiB": (262_144, 1_000)}


def needs(peer):
    if peer is Pub:
        pytest.importorskip("zmq")


@pytest.mark.parametrize("peer", PEERS, ids=lambda p: p.name)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("readers", [2, 7])
def test_rate(benchmark, peer, readers, kind):
    needs(peer)
    length, count = KINDS[kind]
    count //= 4 if peer is FlagRing else 1
    benchmark.group = f"broadcast: {kind} to {readers} readers"

    def make():
        made = peer(readers, SIZE)
        messages = [b"x" * length] * count
        return [(made.write, (messages,))], [(made.read, (k, count)) for k in range(readers)], int

    measure(benchmark, count, make, rounds=3)


def reading(made, number, count, said):
    made.read(number, count)
    used = resource.getrusage(resource.RUSAGE_SELF)
    said.put(used.ru_utime + used.ru_stime)


@pytest.mark.parametrize("peer", PEERS, ids=lambda p: p.name)
def test_cpu_at_5_ms(benchmark, peer):
    needs(peer)
    benchmark.group = "broadcast: 200 messages, one each 5 ms, to 2 readers"
    context = multiprocessing.get_context("fork")

    def once():
        made, said = peer(2, SIZE), context.SimpleQueue()
        readers = [context.Process(target=reading, args=(made, k, 200, said)) for k in range(2)]
        for process in readers:
            process.start()
        made.write([b"x" * 64] * 200, 0.005)
        cpu = [said.get() for _ in readers]
        for process in readers:
            process.join()
        benchmark.extra_info["reader_cpu_ms_per_second"] = round(1000 * max(cpu), 1)
        benchmark.extra_info["per_second"] = 200

    benchmark.pedantic(once, rounds=1)


class TestAlone:
    @pytest.fixture(autouse=True)
    def group(self, benchmark):
        benchmark.group = "broadcast: put+get alone"

    def test_ours(self, many):
        ring = lockfree.BroadcastRing(SIZE, 1)
        ring.join()
        many("r.try_put(m); r.try_get()", r=ring, m=b"x" * 64)
