"""Descriptors of objects: a program that polls misses nothing, and is not woken without end."""

import asyncio
import contextlib
import multiprocessing
import os
import select
import selectors
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from multiprocessing import connection

import pytest

import lockfree
from lockfree import _polling

FORK = multiprocessing.get_context("fork")
STUCK = 60
KINDS = {  # make, make it ready, make it not ready
    "MPMCRing": (lambda: lockfree.MPMCRing(8, 8), lambda o: o.put(b"x"), lambda o: o.get(False)),
    "SPSCRing": (lambda: lockfree.SPSCRing(8, 8), lambda o: o.put(b"x"), lambda o: o.get(False)),
    "PriorityQueue": (lambda: lockfree.PriorityQueue(8, 8, 2), lambda o: o.put(b"x", 1), lambda o: o.get(False)),
    "MessageRing": (lambda: lockfree.MessageRing(1024), lambda o: o.put(b"x"), lambda o: o.get(False)),
    "BroadcastRing": (lambda: joined(), lambda o: o.put(b"x"), lambda o: o.get(False)),
    "Queue": (lambda: lockfree.Queue(), lambda o: o.put(1), lambda o: o.get(False)),
    "Event": (lockfree.Event, lambda o: o.set(), lambda o: o.clear()),
    "Semaphore": (lambda: lockfree.Semaphore(0, max_value=9), lambda o: o.release(), lambda o: o.acquire(False)),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def joined():
    ring = lockfree.BroadcastRing(1024, 2)
    ring.join()
    return ring


def readable(fd, seconds=0.0):
    return bool(select.select([fd], [], [], seconds)[0])


def sleepers():
    return [t for t in threading.enumerate() if t.name == "lockfree-waits"]


@each_kind
def test_it_is_readable_when_a_get_would_not_wait_and_until_it_is_armed(kind):
    make, ready, take = KINDS[kind]
    with contextlib.closing(make()) as shared:
        fd = shared.fileno()
        assert shared.fileno() == fd
        if kind != "BroadcastRing":  # where it depends on the reader, so that a look without reason may come
            assert not readable(fd, 0.6)  # also after the looks that come by themselves
        ready(shared)
        assert readable(fd, STUCK)
        assert shared.arm() is False
        assert readable(fd)
        take(shared)
        assert readable(fd)  # until it is armed
        assert shared.arm() is True
        assert not readable(fd)
        ready(shared)
        assert readable(shared, STUCK)


@each_kind
def test_another_process_makes_it_readable(kind):
    make, ready, _ = KINDS[kind]
    with contextlib.closing(make()) as shared:
        fd = shared.fileno()
        child = FORK.Process(target=lambda: (time.sleep(0.1), ready(shared)))
        child.start()
        assert readable(fd, STUCK)
        child.join()
        while not shared.arm():
            KINDS[kind][2](shared)
        assert not readable(fd)


@pytest.mark.parametrize("poller", ["select", "poll", "epoll", "connection"])
def test_nothing_is_missed_under_load(poller):
    """Two producers, and a consumer that sleeps in the poller alone: never 5 s without a record."""
    each = 400

    def produce(ring, pause):
        for n in range(each):
            ring.put(n)
            if n % 7 == 0:
                time.sleep(pause)

    with lockfree.Queue(16) as ring:
        children = [FORK.Process(target=produce, args=(ring, pause)) for pause in (0.0, 0.001)]
        for child in children:
            child.start()
        fd, got = ring.fileno(), []
        if poller == "connection":
            sleep = lambda: connection.wait([ring], STUCK)  # noqa: E731
        elif poller == "select":
            sleep = lambda: readable(ring, STUCK)  # noqa: E731
        else:
            made = select.poll() if poller == "poll" else select.epoll()
            made.register(fd, select.POLLIN if poller == "poll" else select.EPOLLIN)
            sleep = lambda: made.poll(STUCK * (1000 if poller == "poll" else 1))  # noqa: E731
        while len(got) < 2 * each:
            assert sleep(), f"{len(got)} of {2 * each} came"
            while (found := ring.try_get()) is not None:
                got.append(found)
            ring.arm()
        assert sorted(got) == sorted(2 * list(range(each)))
        for child in children:
            child.join()


def test_one_thread_for_all_and_it_costs_little():
    code = """
        import lockfree, select, threading, time
        rings = [lockfree.MPMCRing(4, 8) for _ in range(60)]
        fds = [ring.fileno() for ring in rings]
        assert threading.active_count() == 2
        poller = select.poll()
        for fd in fds:
            poller.register(fd, select.POLLIN)
        began = time.process_time()
        assert poller.poll(2000) == []
        print(time.process_time() - began)
        rings[40].put(b"x")
        assert [fd for fd, _ in poller.poll(60000)] == [fds[40]]
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=STUCK)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.2


def test_add_reader():
    async def main():
        loop, got, done = asyncio.get_running_loop(), [], asyncio.Event()

        def ready():
            while (found := ring.try_get()) is not None:
                got.append(found)
            ring.arm()
            if len(got) == 100:
                done.set()

        with lockfree.Queue() as ring:
            loop.add_reader(ring, ready)
            thread = threading.Thread(target=lambda: [ring.put(n) for n in range(100)])
            thread.start()
            await asyncio.wait_for(done.wait(), STUCK)
            loop.remove_reader(ring)
            thread.join()
        assert got == list(range(100))

    asyncio.run(main())


def test_a_close_makes_it_readable_and_lets_the_participant_go():
    ring, still = lockfree.MPMCRing(4, 8), lockfree.Event()
    fd = ring.fileno()
    still.fileno()  # so that the thread goes on
    assert not readable(fd)
    threading.Timer(0.05, ring.close).start()
    assert readable(fd, STUCK)
    with pytest.raises(lockfree.Closed):
        ring.arm()
    with pytest.raises(lockfree.Closed):
        ring.fileno()
    assert _polling._identity(fd)  # nobody else gets the number while the object exists
    del ring
    end = time.monotonic() + STUCK
    while _polling._identity(fd) and time.monotonic() < end:
        time.sleep(0.01)
    assert not _polling._identity(fd)
    still.close()


def test_who_leaves_while_armed_gives_its_things_back(shm_name):
    with lockfree.MPMCRing(4, 8, name=shm_name) as ring:
        leaves = lockfree.MPMCRing.attach(shm_name)
        leaves.fileno()
        leaves.reserve()
        leaves.close()
        end = time.monotonic() + STUCK
        while len(ring.peers()) > 1 and time.monotonic() < end:
            time.sleep(0.01)
        assert len(ring.peers()) == 1
        ring.unlink()


def test_a_shutdown_and_a_death_make_it_readable():
    with lockfree.Queue() as ring:
        fd = ring.fileno()
        ring.shutdown()
        assert readable(fd, STUCK)
    with lockfree.MPMCRing(4, 8) as ring:
        ring.peer_death = "raise"
        child = FORK.Process(target=lambda: (ring.put(b"x"), time.sleep(600)))
        child.start()
        assert ring.get(timeout=STUCK) == b"x"
        assert ring.arm()
        os.kill(child.pid, signal.SIGKILL)
        assert readable(ring, STUCK)
        with pytest.raises(lockfree.PeerDied):
            ring.get(timeout=STUCK)
        child.join()


def test_a_forked_child_has_its_own():
    with lockfree.MPMCRing(4, 8) as ring:
        fd = ring.fileno()

        def child():
            mine = ring.fileno()
            assert not readable(mine)
            assert len(sleepers()) == 1
            there.send("armed")
            assert readable(mine, STUCK)
            there.send(ring.try_get())

        here, there = FORK.Pipe()
        process = FORK.Process(target=child)
        process.start()
        assert here.poll(STUCK)
        assert here.recv() == "armed"
        ring.put_many([b"x", b"y"])  # one for each
        assert readable(fd, STUCK)
        assert here.poll(STUCK)
        assert here.recv() == b"x"
        process.join()
        assert process.exitcode == 0
        assert ring.try_get() == b"y"
        assert ring.arm()
        assert not readable(fd)


def test_a_descriptor_that_the_program_closed_is_not_used():
    with lockfree.MPMCRing(4, 8) as ring:
        fd = ring.fileno()
        foreign, other = os.pipe2(os.O_NONBLOCK)
        os.dup2(foreign, fd)
        ring.put(b"x")
        time.sleep(0.1)
        assert not readable(fd)
        with pytest.raises(OSError, match="the program closed"):
            ring.fileno()
        with pytest.raises(OSError, match="the program closed"):
            ring.arm()
    del ring
    assert _polling._identity(fd) == _polling._identity(foreign)  # nor closed
    for each in (fd, foreign, other):
        os.close(each)


def test_the_death_of_the_thread_makes_all_readable(monkeypatch):
    def fails(*_):
        raise MemoryError("no more")

    seen = []
    monkeypatch.setattr(threading, "excepthook", lambda info: seen.append(info.exc_type))
    with lockfree.MPMCRing(4, 8) as ring, contextlib.closing(lockfree.Event()) as event:
        fds = [ring.fileno(), event.fileno()]
        assert not any(map(readable, fds))
        with monkeypatch.context() as patched:
            patched.setattr(_polling._Armed, "woken", fails)
            event.set()
            assert all(readable(fd, STUCK) for fd in fds)
        event.clear()
        assert ring.arm()
        assert event.arm()
        assert not any(map(readable, fds))
        ring.put(b"x")
        event.set()
        assert all(readable(fd, STUCK) for fd in fds)
    assert seen == [MemoryError]


def test_a_thread_that_cannot_start_says_why_and_may_start_later(monkeypatch):
    def fails(*_):
        raise RuntimeError("can't start new thread")

    with lockfree.MPMCRing(4, 8) as ring:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", fails)
            patched.setattr(_polling, "_pollers", {})
            for call in (ring.arm, lambda: asyncio.run(ring.aget(STUCK))):
                with pytest.raises(RuntimeError, match=r"MPMCRing: can't start new thread: .*RLIMIT_NPROC.*raise it"):
                    call()
            assert readable(ring)
        assert ring.arm()
        assert not readable(ring)
        ring.put(b"x")
        assert readable(ring, STUCK)
        assert asyncio.run(ring.aget(STUCK)) == b"x"


def test_a_wake_that_reached_the_poller_goes_on_to_who_sleeps():
    with lockfree.MPMCRing(4, 8) as ring:
        for _ in range(20):
            assert ring.arm()
            taken = []
            thread = threading.Thread(target=lambda taken=taken: taken.append(ring.get(timeout=STUCK)))
            thread.start()
            time.sleep(0.005)
            ring.put(b"x")
            thread.join(STUCK)
            assert taken == [b"x"]


@pytest.mark.parametrize("how", ["descriptors", "a loop"])
def test_a_thread_that_is_taken_for_dead_stays_the_only_one(how):
    """Python 3.11 says so of one that runs, once an exception of a signal handler came within `is_alive`."""

    def threads():
        return {thread for thread in threading.enumerate() if thread.name == "lockfree-waits"}

    before = threads()
    with contextlib.ExitStack() as stack:
        rings = [stack.enter_context(lockfree.MPMCRing(4, 8)) for _ in range(3)]

        async def main():
            tasks = [asyncio.create_task(rings[0].aget())]
            await asyncio.sleep(0.05)
            for thread in threads() - before:
                thread.is_alive = lambda: False
            tasks += [asyncio.create_task(ring.aget(0.05)) for ring in rings[1:]]
            await asyncio.sleep(0.1)
            assert len(threads() - before) == 1
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        if how == "a loop":
            asyncio.run(main())
            return
        for ring in rings:
            assert ring.arm()
            poller = _polling._poller()
            while not poller.began:
                time.sleep(0.001)
            poller.thread.is_alive = lambda: False
        assert len(threads() - before) <= 1


def test_selectors_and_several_objects():
    with lockfree.Queue() as one, lockfree.Queue() as two, selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, "one")
        selector.register(two, selectors.EVENT_READ, "two")
        assert selector.select(0) == []
        two.put(1)
        assert [key.data for key, _ in selector.select(STUCK)] == ["two"]


def test_what_cannot_be_polled_says_so():
    for shared in (lockfree.Barrier(2), lockfree.RWLock(), lockfree.EventCount(), lockfree.AtomicU64()):
        assert not hasattr(shared, "fileno")
        shared.close()


def test_a_descriptor_is_closed_with_its_object_and_without_python_code():
    """What a signal handler raises in a callback of a weak reference is lost."""
    ring = lockfree.MPMCRing(4, 8)
    fd = ring.fileno()
    assert weakref.getweakrefs(ring) == []
    ring.close()
    os.fstat(fd)
    del ring
    deadline = time.monotonic() + STUCK
    while os.path.exists(f"/proc/self/fd/{fd}"):  # the thread lets go of it
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_handler_may_arm_while_its_own_thread_arms():
    """At each line of fileno() and arm(): of the same object, and of another one that the thread sleeps for."""
    code = """
        import itertools, select, sys, lockfree
        from lockfree import _polling  # a module that is half loaded has no calls

        def at_line(wanted, handler):
            left = wanted

            def trace(frame, event, argument):
                nonlocal left
                if not frame.f_code.co_filename.endswith(("_polling.py", "_sleeping.py")):
                    return None
                if event == "line":
                    left -= 1
                    if left == 0:
                        handler()
                return trace

            return trace, lambda: left <= 0

        def readable(shared, seconds):
            return bool(select.select([shared], [], [], seconds)[0])

        for call in ("fileno", "arm", "fileno of the other", "arm of the other"):
            name, _, other_one = call.partition(" of ")
            for wanted in itertools.count(1):
                with lockfree.MPMCRing(4, 8) as ring, lockfree.MPMCRing(4, 8) as other:
                    if other_one:
                        other.arm()
                    found = []
                    handler = lambda: found.append(getattr(other if other_one else ring, name)())
                    trace, has_come = at_line(wanted, handler)
                    sys.settrace(trace)
                    armed, number = ring.arm(), ring.fileno()
                    sys.settrace(None)
                    assert armed, (call, wanted)
                    if name == "fileno" and found:
                        assert found == [(other if other_one else ring).fileno()], (call, wanted)
                    for each in (ring, other):
                        assert each.arm(), (call, wanted)
                        assert not readable(each, 0), (call, wanted)
                        each.put(b"x")
                        assert readable(each, 60), (call, wanted)
                        assert not each.arm(), (call, wanted)
                if not has_come():
                    break
            print(call, wanted)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=STUCK)
    assert done.returncode == 0, done.stderr
    lines = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert len(lines) == 4
    assert all(int(number) > 20 for number in lines.values()), lines
