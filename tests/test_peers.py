"""Who uses an object, what was counted, and waits that end when nobody is left who could end them."""

import asyncio
import contextlib
import multiprocessing
import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import compilers
import pytest

import lockfree

CONTEXT = multiprocessing.get_context("fork")
MAKE = {
    "MPMCRing": lambda **n: lockfree.MPMCRing(4, 8, **n),
    "SPSCRing": lambda **n: lockfree.SPSCRing(4, 8, **n),
    "PriorityQueue": lambda **n: lockfree.PriorityQueue(4, 8, 2, **n),
    "MessageRing": lambda **n: lockfree.MessageRing(1024, 256, **n),
    "BroadcastRing": lambda **n: lockfree.BroadcastRing(1024, 2, **n),
    "BlockPool": lambda **n: lockfree.BlockPool(4, **n),
    "Arena": lambda **n: lockfree.Arena(1 << 14, **n),
    "Mutex": lockfree.Mutex,
    "SpinLock": lockfree.SpinLock,
    "RLock": lockfree.RLock,
    "RWLock": lockfree.RWLock,
    "Condition": lockfree.Condition,
    "Semaphore": lambda **n: lockfree.Semaphore(3, **n),
    "Event": lockfree.Event,
    "EventCount": lockfree.EventCount,
    "Barrier": lambda **n: lockfree.Barrier(2, **n),
    "AtomicU64": lockfree.AtomicU64,
    "LatestValue": lambda **n: lockfree.LatestValue(8, **n),
    "Space": lambda **n: lockfree.Space(4096, **n),
}
QUEUES = ["MPMCRing", "SPSCRing", "PriorityQueue", "MessageRing"]
CONVEYORS = [*QUEUES, "BroadcastRing"]


def put(ring, data=b"x", **named):
    extra = (0,) if isinstance(ring, lockfree.PriorityQueue) else ()
    ring.put(data, *extra, **named)


def get(ring, **named):
    got = ring.get(**named)
    return got[1] if isinstance(got, tuple) else got


def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "no progress"
        time.sleep(0.002)


@contextlib.contextmanager
def child(work, *arguments):
    """A forked process that does the work and then sleeps until it is killed."""

    def body():
        work(*arguments)
        there.send("done")
        time.sleep(600)

    here, there = CONTEXT.Pipe()
    process = CONTEXT.Process(target=body, daemon=True)
    process.start()
    try:
        assert here.poll(60)
        assert here.recv() == "done"
        yield process
    finally:
        process.kill()
        process.join()


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.join()


# ---- peers ----


@pytest.mark.parametrize("kind", MAKE)
def test_everybody_is_listed_and_who_looks_changes_nothing(kind):
    before = time.time() - 1
    with contextlib.closing(MAKE[kind]()) as shared:
        (me,) = shared.peers()
        assert shared.peers()[0][:6] == pytest.approx(me[:6])
        assert (me.pid, me.alive, me.waiting, me.number) == (os.getpid(), True, 0, shared._h.h.participant)
        assert me.threads == len(os.listdir("/proc/self/task"))
        assert before < me.since <= me.last_seen <= time.time() + 1
        assert me.holds == 0
        with child(shared.recover_dead) as process:
            other = max(shared.peers(), key=lambda peer: peer.since)
            assert (other.pid, other.alive, other.threads) == (process.pid, True, 1)
            assert len(shared.peers()) == 2
            kill(process)
            assert [peer.alive for peer in sorted(shared.peers(), key=lambda p: p.since)] in ([True, False], [True])
        shared.recover_dead()
        assert [peer.pid for peer in shared.peers()] == [os.getpid()]
        assert shared.stats()["recoveries"] == 1
    with pytest.raises(lockfree.Closed):
        shared.peers()
    with pytest.raises(lockfree.Closed):
        shared.stats()


TAKE = {
    "Mutex": (lambda o: o.acquire(), 1),
    "SpinLock": (lambda o: o.acquire(), 1),
    "RLock": (lambda o: o.acquire(), 1),
    "RWLock": (lambda o: (o.acquire_read(), o.acquire_read()), 2),
    "Condition": (lambda o: o.acquire(), 1),
    "Semaphore": (lambda o: o.acquire(n=2), 2),
    "MPMCRing": (lambda o: (o.put(b"a"), vars(o).update(kept=o.peek()), o.reserve()), 2),
    "PriorityQueue": (lambda o: (o.put(b"a", 1), vars(o).update(kept=o.peek()), o.reserve()), 2),
    "SPSCRing": (lambda o: (o.put(b"a"), o.peek()), 2),
    "BlockPool": (lambda o: o.alloc(3), 3),
    "Arena": (lambda o: vars(o).update(kept=[o.alloc(10), o.alloc(20)]), 2),
    "BroadcastRing": (lambda o: o.put(b"a"), 1),
}


@pytest.mark.parametrize("kind", TAKE)
def test_what_they_hold(kind):
    take, much = TAKE[kind]
    with contextlib.closing(MAKE[kind]()) as shared, child(take, shared) as process:
        assert {peer.pid: peer.holds for peer in shared.peers()} == {os.getpid(): 0, process.pid: much}
        kill(process)
        shared.recover_dead()
        assert [peer.holds for peer in shared.peers()] == [0]


WAIT = {
    "Mutex": lambda o: o.acquire(timeout=60),
    "RWLock": lambda o: o.acquire_read(timeout=60),
    "Semaphore": lambda o: o.acquire(timeout=60, n=3),
    "Event": lambda o: o.wait(60),
    "EventCount": lambda o: o.wait(o.prepare(), 60),
    "LatestValue": lambda o: o.wait(0, 60),
    "MPMCRing": lambda o: o.get(timeout=60),
    "SPSCRing": lambda o: o.get(timeout=60),
    "PriorityQueue": lambda o: o.get(timeout=60),
    "MessageRing": lambda o: o.get(timeout=60),
    "Barrier": lambda o: o.wait(60),
    "BlockPool": lambda o: o.alloc(4, block=True, timeout=60),
    "Arena": lambda o: o.alloc(1 << 14, block=True, timeout=60),
}
END = {
    "Mutex": (lambda o: o.acquire(), lambda o: o.release()),
    "RWLock": (lambda o: o.acquire_write(), lambda o: o.release_write()),
    "Semaphore": (lambda o: o.acquire(), lambda o: o.release()),
    "Event": (None, lambda o: o.set()),
    "EventCount": (None, lambda o: o.notify(10)),
    "LatestValue": (None, lambda o: o.set(b"x")),
    "Barrier": (None, lambda o: o.wait(60)),
}


@pytest.mark.parametrize("kind", WAIT)
def test_who_waits_is_seen_and_counted(kind):
    with contextlib.closing(MAKE[kind](spin="never")) as shared:
        begin, end = END.get(kind, (None, put))
        if kind == "BlockPool":
            blocks = shared.alloc(2)
            end = lambda pool: pool.free(blocks)  # noqa: E731
        if kind == "Arena":
            block = shared.alloc(100)
            end = lambda _: block.release()  # noqa: E731
        if begin:
            begin(shared)
        before = shared.stats()
        waiter = threading.Thread(target=WAIT[kind], args=(shared,))
        waiter.start()
        until(lambda: shared.peers()[0].waiting == 1)
        began = shared.peers()[0].last_seen
        time.sleep(0.3)  # so that it has been interrupted, and goes on
        until(lambda: shared.peers()[0].waiting == 1)
        assert shared.peers()[0].last_seen == pytest.approx(began, abs=0.02), "a wait that goes on began once"
        end(shared)
        waiter.join(60)
        after = shared.stats()
        assert shared.peers()[0].waiting == 0
        assert after["sleeps"] > before["sleeps"]
        assert after["sleeps"] - before["sleeps"] >= after["wakes"] - before["wakes"] >= 0
        assert after["recoveries"] == 0


def test_a_killed_sleeper_sleeps_no_more():
    with lockfree.Event() as event:
        process = CONTEXT.Process(target=event.wait)
        process.start()
        until(lambda: sum(peer.waiting for peer in event.peers()) == 1)
        kill(process)
        assert sum(peer.waiting for peer in event.peers()) == 0
        with child(event.is_set):  # the number is used again
            assert [peer.waiting for peer in event.peers()] == [0, 0]


# ---- stats ----


@pytest.mark.parametrize("kind", QUEUES)
def test_puts_and_gets_are_exact_over_all_processes(kind):
    with MAKE[kind]() as ring:
        for _ in range(25):  # laps
            put(ring), put(ring)
            get(ring), get(ring)
        put(ring)
        stats = ring.stats()
        assert (stats["puts"], stats["gets"], stats["inside"]) == (51, 50, 1)
        assert (stats["sleeps"], stats["wakes"], stats["recoveries"]) == (0, 0, 0)
        if kind == "SPSCRing":
            ring.release_role("producer")

        def work():
            put(ring), put(ring)

        with child(work) as process:
            kill(process)
        ring.recover_dead()
        assert (ring.stats()["puts"], ring.stats()["gets"], ring.stats()["recoveries"]) == (53, 50, 1)
        if kind != "SPSCRing":
            refused = ring.stats()["refusals"]
            while ring.try_get() is not None:
                pass
            assert ring.stats()["refusals"] == refused + 1
            assert ring.stats()["gets"] == 53


@pytest.mark.parametrize(
    ("make", "message", "fill"),
    [
        (lambda: lockfree.Queue(4), bytes(1000), (2, 4)),
        (lambda: lockfree.MessageRing(4096, block_bytes=256, max_messages=3), bytes(1000), (2, 3)),
        (lambda: lockfree.MessageRing(4096, block_bytes=256), bytes(1000), (10, 16)),
    ],
    ids=["Queue", "bound", "no bound"],
)
def test_what_is_inside_is_counted_as_it_is_bounded(make, message, fill):
    with make() as ring:
        ring.put(message)
        ring.put(message)
        stats = ring.stats()
        assert (stats["inside"], stats["room"]) == fill
        assert (stats["puts"], stats["gets"]) == (2, 0)


def test_counts_begin_where_positions_do():
    from lockfree._segment import starting_at

    for start in (2**32 - 2, 2**50 - 2, 2**64 - 2):
        with starting_at(start, lockfree.MPMCRing, 4, 8) as ring:
            for _ in range(5):
                ring.put(b"")
                ring.get()
            assert (ring.stats()["puts"], ring.stats()["gets"]) == (5, 5)


def test_an_event_counts_how_often_it_was_set():
    with lockfree.Event() as event:
        for _ in range(3):
            event.set()
            event.clear()
        event.set()
        event.set()
        assert event.stats()["puts"] == 4


# ---- the death of peers ----


@pytest.mark.parametrize("kind", CONVEYORS)
def test_get_takes_what_is_inside_and_then_says_that_the_last_producer_died(kind):
    with MAKE[kind]() as ring:
        ring.peer_death = "raise"
        if kind == "BroadcastRing":
            ring.join()
        with child(put, ring, b"last") as process:
            kill(process)
        assert get(ring, timeout=60) == b"last"
        side = "writer" if kind == "BroadcastRing" else "producer"
        with pytest.raises(
            lockfree.PeerDied, match=f"{kind}: the last {side}, process {process.pid}, has died, and nothing is inside"
        ):
            ring.get(timeout=60)
        assert ring.try_get() is None  # an answer, as before


@pytest.mark.parametrize("kind", QUEUES)
def test_put_says_that_the_last_consumer_died(kind):
    with MAKE[kind]() as ring:
        ring.peer_death = "raise"
        put(ring)
        with child(get, ring) as process:
            kill(process)
        data = b"x" * (8 if kind != "MessageRing" else 200)

        def fill():
            while True:
                put(ring, data, timeout=60)

        with pytest.raises(
            lockfree.PeerDied, match=f"the last consumer, process {process.pid}, has died, and there is no"
        ):
            fill()


def become_reader(ring, number):
    ring.join(number)
    assert ring.try_get() is None


@pytest.mark.parametrize("slow", ["wait", "overwrite"])
def test_a_put_into_a_broadcast_ring_says_that_no_reader_is_left(slow):
    with lockfree.BroadcastRing(1024, 2, slow=slow) as ring:
        ring.peer_death = "raise"
        ring.put(b"x")  # before there ever was a reader
        with child(become_reader, ring, 0) as first, child(become_reader, ring, 1) as second:
            kill(first)
            ring.recover_dead()
            ring.put(b"x")  # there is one left
            kill(second)
        said = f"the last reader, process {second.pid}, has died, and nobody would read it"
        ring.recover_dead()
        puts = [ring.put, ring.try_put, lambda m: ring.put_many([m]), lambda m: asyncio.run(ring.aput(m))]
        for put_it in puts:
            with pytest.raises(lockfree.PeerDied, match=said):
                put_it(b"y")
        with pytest.raises(lockfree.PeerDied), ring.write(4):
            pass
        ring.peer_death = "wait"
        ring.put(b"into the void")
        ring.peer_death = "raise"
        ring.join()
        ring.put(b"to itself")
        assert ring.get() == b"to itself"


def test_a_producer_that_takes_its_own_record_back_is_no_consumer():
    with lockfree.PriorityQueue(2, 8, levels=1) as ring:
        ring.peer_death = "raise"
        ring.cancel(ring.put_ticket(b"mine", 0))
        ring.put(b"a", 0)
        with child(get, ring) as process:
            kill(process)
        ring.put(b"x", 0)
        ring.put(b"x", 0)
        with pytest.raises(lockfree.PeerDied, match="the last consumer"):
            ring.put(b"x", 0, timeout=60)


@pytest.mark.parametrize("kind", CONVEYORS)
def test_a_wait_that_sleeps_already_is_told(kind):
    with MAKE[kind]() as ring:
        ring.peer_death = "raise"
        if kind == "BroadcastRing":
            ring.join()
        with child(put, ring, b"a") as process:
            assert get(ring, timeout=60) == b"a"
            threading.Timer(0.3, process.kill).start()
            with pytest.raises(lockfree.PeerDied):
                ring.get()


def test_who_left_in_order_is_told_apart():
    with lockfree.MPMCRing(4, 8) as ring:
        ring.peer_death = "raise"
        process = CONTEXT.Process(target=lambda: (ring.put(b"x"), ring.close()))
        process.start()
        process.join()
        assert ring.get() == b"x"
        with pytest.raises(lockfree.PeerDied, match=f"process {process.pid}, has left"):
            ring.get(timeout=60)


def test_as_long_as_one_is_left_a_wait_is_a_wait():
    import queue

    with lockfree.MPMCRing(4, 8) as ring:
        ring.peer_death = "raise"
        with pytest.raises(queue.Empty):
            ring.get(timeout=0.1)  # nobody has ever put
        with child(ring.put, b"a") as one, child(ring.put, b"b") as other:
            kill(one)
            assert ring.get(timeout=60) + ring.get(timeout=60) in (b"ab", b"ba")
            with pytest.raises(queue.Empty):
                ring.get(timeout=0.3)
            kill(other)
            with pytest.raises(lockfree.PeerDied):
                ring.get(timeout=60)
        with child(ring.put, b"new"):  # somebody new
            assert ring.get(timeout=60) == b"new"
            with pytest.raises(queue.Empty):
                ring.get(timeout=0.1)


def test_without_the_mode_a_wait_goes_on():
    import queue

    with lockfree.MPMCRing(4, 8) as ring:
        with child(ring.put, b"a") as process:
            kill(process)
        ring.get()
        with pytest.raises(queue.Empty):
            ring.get(timeout=0.3)
        assert ring.peer_death == "wait"
        with pytest.raises(ValueError, match="peer_death is 'shout'"):
            ring.peer_death = "shout"


def test_the_mode_travels():
    from multiprocessing.reduction import ForkingPickler

    with lockfree.MPMCRing(4, 8) as ring:
        ring.peer_death = "raise"
        with ForkingPickler.loads(ForkingPickler.dumps(ring)) as again:
            assert again.peer_death == "raise"


# ---- wrong versions ----

WRONG = {
    "no last look": (
        "blocking.h",
        "            status = attempt(operation);\n            h->error =",
        "            status = refused;\n            h->error =",
    ),
    "who leaves has died": ("participants.h", "died = gone != h->participant || h->life == NULL;", "died = 1;"),
    "the roles of the last life": ("participants.h", "    lf_store_relaxed(&me->roles, 0u);\n", ""),
    "the sleepers of the last life": ("participants.h", "    lf_store_relaxed(&me->sleepers, 0u);\n", ""),
    "told of nobody": ("peers.h", "(lf_load_relaxed(&h->segment->roles) & role)", "role"),
    "told unasked": ("peers.h", "LF_UNLIKELY(told)", "1"),
    "told as the handle says": ("peers.h", "lf__told_here == LF_TOLD_AS_THE_HANDLE ?", "1 ?"),
    "every sleep is a wake": (
        "peers.h",
        "    if (how != 0)\n        return;\n",
        "    lf_fetch_add_relaxed(&me->wakes, (uint64_t)1);\n",
    ),
    "what succeeds is refused": (
        "peers.h",
        "    lf_fetch_or_relaxed(&h->roles, role);\n",
        "    lf__count_refusal(h);\n",
    ),
}


@pytest.mark.parametrize("what", ["", *WRONG])
def test_the_c_test_catches_wrong_versions(what, tmp_path):
    root = Path(__file__).resolve().parent.parent
    shutil.copytree(root / "c/include", tmp_path / "include")
    if what:
        header, right, wrong = WRONG[what]
        path = tmp_path / "include/lockfree/blocks" / header
        text = path.read_text()
        assert text.count(right) == 1
        path.write_text(text.replace(right, wrong))
    command = [*compilers.needed("c"), "-std=c11", "-O1", "-w", f"-I{tmp_path}/include", f"-I{root}/c/tests"]
    command += [str(root / "c/tests/test_peers.c"), "-o", str(tmp_path / "test"), "-lpthread"]
    subprocess.run(command, check=True)
    done = subprocess.run([tmp_path / "test"], capture_output=True, timeout=300, check=False)
    assert (done.returncode == 0) == (what == ""), done.stderr.decode()


def test_which_refusals_of_calls_that_do_not_wait_are_counted():
    """As docs/life.md says."""

    def counted(obj, call):
        before = obj.stats()["refusals"]
        for _ in range(3):
            with contextlib.suppress(queue.Empty, queue.Full):
                assert not call()
        return obj.stats()["refusals"] - before

    for ring in (lockfree.MPMCRing(1, 8), lockfree.PriorityQueue(1, 8, 1), lockfree.MessageRing(1024, 1024)):
        with ring:
            put = (
                (lambda r=ring: r.put(b"", 0, False)) if "Priority" in repr(ring) else lambda r=ring: r.put(b"", False)
            )
            assert counted(ring, lambda r=ring: r.get(False)) == 3
            put()
            assert counted(ring, put) == 3
    with lockfree.Semaphore(0) as permits, lockfree.BlockPool(1) as pool:
        assert counted(permits, lambda: permits.acquire(False)) == 3
        block = pool.alloc()
        assert counted(pool, lambda: pool.alloc(block=False)) == 3
        block.free()
    with lockfree.SPSCRing(1, 8) as pair, lockfree.Event() as event, lockfree.BroadcastRing(1024, 1) as log:
        log.join(0)
        assert counted(pair, lambda: pair.get(False)) == counted(event, lambda: event.wait(0)) == 0
        assert counted(log, lambda: log.get(False)) == 0
        pair.put(b"")
        assert counted(pair, lambda: pair.put(b"", False)) == 0
    with lockfree.Queue(1) as items:
        assert counted(items, lambda: items.get(False)) == 3
        items.put(1)
        assert counted(items, lambda: items.put(2, False)) == 0
