"""Waits that take long: who is told and who is late, what ends them; for all calls of an object, or for some."""

import asyncio
import contextlib
import os
import queue
import sys
import threading
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from patience import STUCK
from test_peers import MAKE as PEERS
from test_peers import child, get, kill, put

import lockfree

MAKE = PEERS | {"Queue": lambda **n: lockfree.Queue(**n)}
CONVEYORS = ["MPMCRing", "SPSCRing", "PriorityQueue", "MessageRing", "BroadcastRing"]

KEPT = []
SLOW = {
    "Mutex": (lambda o: o.acquire(), lambda o: o.acquire(timeout=60), lambda o: o.release()),
    "SpinLock": (lambda o: o.acquire(), lambda o: o.acquire(timeout=60), lambda o: o.release()),
    "RLock": (lambda o: o.acquire(), lambda o: o.acquire(timeout=60), lambda o: o.release()),
    "RWLock": (lambda o: o.acquire_write(), lambda o: o.acquire_read(timeout=60), lambda o: o.release_write()),
    "Semaphore": (lambda o: o.acquire(n=3), lambda o: o.acquire(timeout=60), lambda o: o.release(n=3)),
    "Event": (lambda o: None, lambda o: o.wait(60), lambda o: o.set()),
    "Barrier": (lambda o: None, lambda o: o.wait(60), lambda o: o.wait(60)),
    "MPMCRing": (lambda o: None, lambda o: o.get(timeout=60), put),
    "SPSCRing": (lambda o: None, lambda o: o.get(timeout=60), put),
    "PriorityQueue": (lambda o: None, lambda o: o.get(timeout=60), put),
    "MessageRing": (lambda o: None, lambda o: o.get(timeout=60), put),
    "BroadcastRing": (lambda o: None, lambda o: (o.join(), o.get(timeout=60)), put),
    "BlockPool": (
        lambda o: o.alloc(4),
        lambda o: len(o.alloc(1, True, 60)),
        lambda o: o.recover_dead() or o.free([0]),
    ),
    "Arena": (
        lambda o: KEPT.append(o.alloc(1 << 14)),
        lambda o: o.alloc(1 << 14, block=True, timeout=60),
        lambda o: KEPT.clear(),
    ),
    "Queue": (lambda o: None, lambda o: o.get(timeout=60), lambda o: o.put(1)),
    "LatestValue": (lambda o: None, lambda o: o.wait(timeout=60), lambda o: o.set(b"x")),
    "EventCount": (lambda o: None, lambda o: o.wait(o.prepare(), 60), lambda o: o.notify_all()),
    "Condition": (lambda o: o.acquire(), lambda o: o.acquire(timeout=60), lambda o: o.release()),
}


@pytest.mark.parametrize("kind", SLOW)
def test_a_long_wait_says_who_is_there_and_goes_on(kind):
    take, wait, give = SLOW[kind]
    told, go_on = [], threading.Event()

    def slow(shared, seconds, peers):
        told.append((shared, seconds, peers))
        if len(told) == 2:
            go_on.set()

    with contextlib.closing(MAKE[kind]()) as shared:
        take(shared)
        shared.watch(slow, 0.15)
        waiter = threading.Thread(target=wait, args=(shared,))
        waiter.start()
        assert go_on.wait(STUCK)
        give(shared)
        waiter.join(60)
        assert not waiter.is_alive()
        (first, seconds, peers), (_, later, _) = told[:2]
        assert first is shared
        assert 0.15 <= seconds < later
        assert [peer.pid for peer in peers] == [os.getpid()]
        if kind in {"Mutex", "SpinLock", "RLock", "RWLock", "Semaphore"}:
            assert peers[0].holds > 0


@pytest.mark.parametrize("kind", ["Mutex", "Semaphore", "RWLock", "MPMCRing", "MessageRing", "Event", "BlockPool"])
def test_what_it_raises_ends_the_wait_and_nothing_is_taken(kind):
    take, wait, give = SLOW[kind]

    def enough(*_):
        raise InterruptedError("enough")

    with contextlib.closing(MAKE[kind]()) as shared:
        with child(take, shared):
            shared.watch(enough, 0.05)
            with pytest.raises(InterruptedError):
                wait(shared)
            shared.watch(None)
            assert all(peer.waiting == 0 for peer in shared.peers())
        if kind in {"Mutex", "RWLock"}:
            with pytest.raises(lockfree.OwnerDied):
                wait(shared)
        elif kind == "Semaphore":
            assert shared.acquire(n=3, timeout=60)
        else:
            give(shared)
            assert wait(shared)


def test_arguments_of_watch():
    with contextlib.closing(lockfree.Mutex()) as lock:
        for arguments, error, text in (
            ((3, 1), TypeError, "on_slow is 3"),
            ((print, 0), ValueError, "slow_after is 0"),
            ((print, float("nan")), ValueError, "slow_after is nan"),
            ((print, "1"), TypeError, "slow_after is '1'"),
            ((print, 1e10), OverflowError, "slow_after is 10000000000.0: it must be at most 9223372036 seconds"),
            ((print, 10**400), OverflowError, "it must be at most 9223372036 seconds"),
        ):
            with pytest.raises(error, match=text):
                lock.watch(*arguments)
            with pytest.raises(error, match=text):
                lock.waiting(on_slow=arguments[0], slow_after=arguments[-1])
        for number in (np.float32(0.5), Fraction(1, 2), Decimal("0.5"), np.int8(1), True, 9223372036):
            lock.watch(print, number)
            with lock.waiting(on_slow=print, slow_after=number):
                pass
    with pytest.raises(lockfree.Closed):
        lock.watch(print)


# ---- for some calls alone ----


@pytest.mark.parametrize("kind", SLOW)
def test_a_block_says_it_for_its_calls_alone(kind):
    take, wait, give = SLOW[kind]
    told, others, go_on = [], [], threading.Event()

    def slow(shared, seconds, peers):
        told.append((shared, seconds, [peer.pid for peer in peers]))
        go_on.set()

    def work(shared):
        with shared.waiting(on_slow=slow, slow_after=0.15) as same:
            assert same is shared
            wait(same)

    with contextlib.closing(MAKE[kind]()) as shared:
        take(shared)
        shared.watch(lambda *_: others.append(1), 0.15)
        waiter = threading.Thread(target=work, args=(shared,))
        waiter.start()
        assert go_on.wait(STUCK)
        give(shared)
        waiter.join(60)
        assert not waiter.is_alive()
        first, seconds, pids = told[0]
        assert (first is shared, pids) == (True, [os.getpid()])
        assert seconds >= 0.15
        if kind == "Barrier":
            return
        assert not others  # what the block says comes before what the object says
        shared.watch(None)


def late(shared, seconds, peers):
    raise InterruptedError("late")


def test_calls_without_arguments_are_told_too():
    with contextlib.closing(lockfree.Mutex()) as lock, contextlib.closing(lockfree.RWLock()) as both:
        threading.Thread(target=lambda: (lock.acquire(), both.acquire_write()), daemon=True).start()
        while not (lock.locked() and both.writer):
            time.sleep(0.001)
        with lock.waiting(on_slow=late, slow_after=0.05), pytest.raises(InterruptedError), lock:
            pass
        with both.waiting(on_slow=late, slow_after=0.05):
            with pytest.raises(InterruptedError), both.reading():
                pass
            with pytest.raises(InterruptedError), both.writing():
                pass


@pytest.mark.parametrize("kind", [lockfree.Mutex, lockfree.SpinLock, lockfree.RLock])
def test_of_a_condition_over_a_lock_it_is_told_of_both(kind):
    told = []

    def enough(shared, seconds, peers):
        told.append((shared, [peer.holds for peer in peers]))
        raise InterruptedError("enough")

    with contextlib.closing(kind()) as lock, contextlib.closing(lockfree.Condition(lock)) as condition:
        take_in_thread, let_go = threading.Event(), threading.Event()

        def hold():
            with lock:
                take_in_thread.set()
                let_go.wait(60)

        holder = threading.Thread(target=hold)
        holder.start()
        take_in_thread.wait(60)
        with condition.waiting(on_slow=enough, slow_after=0.05):
            for call in (condition.acquire, condition.__enter__):
                with pytest.raises(InterruptedError):
                    call()
            assert told == [(lock, [1])] * 2
            let_go.set()
            holder.join(60)
            with condition, pytest.raises(InterruptedError):
                condition.wait(60)
            assert told[2:] == [(condition, [0])]
        assert not condition.locked()


def test_after_an_exception_of_it_a_reader_or_a_writer_that_waited_has_left_nothing():
    with contextlib.closing(lockfree.RWLock()) as lock:
        lock.acquire_read()
        with lock.waiting(on_slow=late, slow_after=0.05), pytest.raises(InterruptedError):
            lock.acquire_write()
        assert not lock.writer
        assert lock.acquire_read(False)


@pytest.mark.parametrize("kind", CONVEYORS)
def test_one_wait_can_end_with_the_last_producer(kind):
    with MAKE[kind]() as ring:
        if kind == "BroadcastRing":
            ring.join()
        with child(put, ring, b"last") as process:
            kill(process)
        with ring.waiting(peer_death="raise"):
            assert get(ring, timeout=60) == b"last"
            with pytest.raises(lockfree.PeerDied, match="the last (producer|writer)"):
                ring.get(timeout=60)
            with ring.waiting(peer_death="wait"), pytest.raises(queue.Empty):
                ring.get(timeout=0.1)
            with (
                ring.waiting(on_slow=print),
                pytest.raises(lockfree.PeerDied),
            ):  # of what it says nothing, the outer one
                ring.get(timeout=60)
        with pytest.raises(queue.Empty):
            ring.get(timeout=0.1)
        ring.peer_death = "raise"
        with ring.waiting(peer_death="wait"), pytest.raises(queue.Empty):
            ring.get(timeout=0.1)


def lose_the_producer(ring):
    """The ring is empty, and the only process that put something is dead."""
    with child(put, ring, b"x") as process:
        kill(process)
    ring.get(timeout=60)


def test_it_holds_for_one_thread_and_one_object():
    with lockfree.MPMCRing(4, 8) as ring, lockfree.MPMCRing(4, 8) as other:
        for each in (ring, other):
            lose_the_producer(each)
        seen = []

        def elsewhere():
            with contextlib.suppress(queue.Empty):
                ring.get(timeout=0.3)
            seen.append("empty")

        with ring.waiting(peer_death="raise"):
            thread = threading.Thread(target=elsewhere)
            thread.start()
            with pytest.raises(queue.Empty):
                other.get(timeout=0.2)
            with pytest.raises(lockfree.PeerDied):
                ring.get(timeout=60)
            thread.join()
        assert seen == ["empty"]


def test_what_on_slow_waits_for_itself_is_not_told():
    with lockfree.MPMCRing(4, 8) as ring, lockfree.MPMCRing(4, 8) as other:
        for each in (ring, other):
            lose_the_producer(each)
        calls = []

        def slow(*_):
            calls.append(1)
            with pytest.raises(queue.Empty):
                other.get(timeout=0.15)
            if len(calls) == 3:
                raise InterruptedError("enough")

        with child(ring.put, b"y"):
            ring.get(timeout=60)
            with ring.waiting(peer_death="raise", on_slow=slow, slow_after=0.05), pytest.raises(InterruptedError):
                ring.get(timeout=STUCK)


def test_arguments_of_waiting():
    with contextlib.closing(lockfree.Mutex()) as lock, lockfree.MPMCRing(4, 8) as ring:
        with pytest.raises(TypeError, match="unexpected keyword argument 'peer_death'"):
            lock.waiting(peer_death="raise")  # the next holder of a lock is told always: OwnerDied
        with pytest.raises(ValueError, match="peer_death is 'shout'"):
            ring.waiting(peer_death="shout")
        with pytest.raises(TypeError, match="on_slow is 3"):
            ring.waiting(on_slow=3)
        with pytest.raises(ValueError, match="slow_after is 0"):
            ring.waiting(on_slow=print, slow_after=0)
    with pytest.raises(lockfree.Closed):
        ring.waiting(on_slow=print)


# ---- tasks ----


def test_tasks_have_their_own():
    async def main():
        with lockfree.MPMCRing(4, 8) as ring:
            lose_the_producer(ring)
            told = []

            async def with_it():
                with ring.waiting(peer_death="raise"):
                    await ring.aget(timeout=60)

            def slow(shared, seconds, peers):
                told.append(seconds)
                if len(told) == 3:
                    raise InterruptedError("enough")

            async def without():
                with ring.waiting(on_slow=slow, slow_after=0.05):
                    await ring.aget(timeout=STUCK)

            answers = await asyncio.gather(with_it(), without(), return_exceptions=True)
            assert [type(answer) for answer in answers] == [lockfree.PeerDied, InterruptedError]
            assert told[0] >= 0.05
            assert told == sorted(told)

    asyncio.run(asyncio.wait_for(main(), 60))


def test_an_exception_of_on_slow_ends_an_awaited_call_and_loses_nothing():
    async def main():
        with lockfree.MPMCRing(4, 8) as ring:
            with ring.waiting(on_slow=late, slow_after=0.05), pytest.raises(InterruptedError):
                await ring.aget()
            task = asyncio.create_task(ring.aget())
            await asyncio.sleep(0.01)
            ring.put(b"x")
            assert await task == b"x"

    asyncio.run(asyncio.wait_for(main(), 60))


# ---- several objects ----


def test_wait_for_several_is_told():
    told = []

    def slow(shared, seconds, peers):
        told.append(shared)
        assert [peer.pid for peer in peers] == [os.getpid()]
        if len(told) == 4:
            raise InterruptedError("late")

    with lockfree.MPMCRing(4, 8) as ring, contextlib.closing(lockfree.Event()) as event:
        with pytest.raises(InterruptedError):
            lockfree.wait([ring, event], 60, on_slow=slow, slow_after=0.05)
        assert told == [ring, event, ring, event]


def test_wait_for_several_ends_with_the_last_producer():
    with lockfree.MPMCRing(4, 8) as ring, contextlib.closing(lockfree.Event()) as event:
        with child(put, ring, b"x") as process:
            kill(process)
        assert lockfree.wait([event, ring], 60, peer_death="raise") == [ring]  # something is inside
        ring.get()
        assert lockfree.wait([event, ring], 0.2) == []
        with pytest.raises(lockfree.PeerDied, match="the last producer"):
            lockfree.wait([event, ring], 60, peer_death="raise")
        ring.peer_death = "raise"
        assert lockfree.wait([event, ring], 60) == [ring]  # get says why
        assert lockfree.wait([event, ring], 0.2, peer_death="wait") == []
        with pytest.raises(lockfree.PeerDied):
            ring.get(timeout=60)


# ---- gevent ----


@pytest.mark.parametrize("kind", ["Mutex", "Semaphore", "RWLock", "MPMCRing", "MessageRing", "Queue", "Event", "Arena"])
def test_where_greenlets_run_a_wait_is_refused_and_nothing_is_taken(kind, monkeypatch):
    class HubLocal:
        @staticmethod
        def get_hub_if_exists():
            return object() if threading.current_thread() is threading.main_thread() else None

    monkeypatch.setitem(sys.modules, "gevent._hub_local", HubLocal)
    take, wait, give = SLOW[kind]
    with contextlib.closing(MAKE[kind]()) as shared:
        holder = threading.Thread(target=take, args=(shared,))
        holder.start()
        holder.join()
        with pytest.raises(RuntimeError, match="runs greenlets of gevent"):
            wait(shared)
        if kind in {"Mutex", "Semaphore", "MPMCRing", "MessageRing", "Queue", "Event"}:
            assert lockfree.wait([shared], 0.01) == []  # too short to be refused
            with pytest.raises(RuntimeError, match="lockfree.wait: this thread runs greenlets of gevent"):
                lockfree.wait([shared], 60)
        if kind in {"MPMCRing", "MessageRing", "Queue", "Event", "Semaphore", "Arena"}:
            elsewhere = threading.Thread(target=wait, args=(shared,))  # as in its thread pool
            elsewhere.start()
            time.sleep(0.2)
            give(shared)
            elsewhere.join(60)
            assert not elsewhere.is_alive()
        assert all(peer.waiting == 0 for peer in shared.peers())
