"""close() at any time: from other threads, from signal handlers, in the middle of every call.

Each race runs in a process of its own, since what it looks for ends processes.
"""

import os
import re
import subprocess
import sys

import pytest
from patience import STUCK

PRELUDE = """
import random, signal, sys, threading, time, lockfree

# What the calls of each class are made of, and the calls.
MAKE = {
    "Mutex": lockfree.Mutex,
    "SpinLock": lockfree.SpinLock,
    "Semaphore": lambda: lockfree.Semaphore(2),
    "RLock": lockfree.RLock,
    "Condition": lockfree.Condition,
    "Barrier": lambda: lockfree.Barrier(2),
    "RWLock": lockfree.RWLock,
    "Event": lockfree.Event,
    "EventCount": lockfree.EventCount,
    "LatestValue": lambda: lockfree.LatestValue(16, copies=2),
    "AtomicU32": lockfree.AtomicU32,
    "AtomicI64": lockfree.AtomicI64,
    "AtomicF64": lockfree.AtomicF64,
    "AtomicFlag": lockfree.AtomicFlag,
    "MPMCRing": lambda: lockfree.MPMCRing(4, 8),
    "SPSCRing": lambda: lockfree.SPSCRing(4, 8),
    "PriorityQueue": lambda: lockfree.PriorityQueue(4, 8, levels=2, fronts=True),
    "MessageRing": lambda: lockfree.MessageRing(1024, 64),
    "BroadcastRing": lambda: lockfree.BroadcastRing(1024, 4),
    "Condition over a Mutex": lambda: lockfree.Condition(lockfree.Mutex()),
    "Condition over an RLock": lambda: lockfree.Condition(lockfree.RLock()),
    "threading.Condition": lambda: Around(lockfree.RLock()),
    "BlockPool": lambda: lockfree.BlockPool(8),
    "Arena": lambda: lockfree.Arena(1 << 16),
    "Queue": lambda: lockfree.JoinableQueue(3, size_bytes=4096),
    "Space": lambda: lockfree.Space(8192),
}

class Around:
    # a lock of this package in a condition of threading's: close() is the lock's
    def __init__(self, lock): self.lock, self.condition = lock, threading.Condition(lock)
    def wait(self):
        with self.condition: self.condition.wait(1e-4)
    def __getattr__(self, name): return getattr(self.lock, name)

def section(lock):
    with lock:
        pass

EVERYBODYS = [lambda o: repr(o), lambda o: o.recover_dead(), lambda o: o.closed, lambda o: o.__reduce__(), lambda o: o.close()]
LOCKS = [section, lambda o: o.locked(), lambda o: o.recover(), lambda o: o.try_acquire(), lambda o: o.acquire(timeout=1e-4),
         lambda o: o.acquire(False) and o.release()]
CELLS = [lambda o: o.load(), lambda o: o.store(1), lambda o: o.exchange(0), lambda o: o.compare_exchange(0, 1),
         lambda o: o.value, lambda o: setattr(o, "value", 1), lambda o: o.load("relaxed")]
def leased(o):
    with o.lease(block=False):
        pass

def written(o, *priority):
    if o.reserve() is not None:
        o.commit(*priority)

CONTAINERS = [lambda o: o.try_get(), lambda o: o.get(timeout=1e-4), lambda o: o.get_many(3), lambda o: o.get_into(bytearray(32)),
              lambda o: o.reserve() is not None and o.cancel(), lambda o: o.peek() is not None and o.release(), leased,
              lambda o: o.qsize(), lambda o: o.empty(), lambda o: o.full(), len]
RINGS = CONTAINERS + [lambda o: o.try_put(b"x"), lambda o: o.put(b"x", timeout=1e-4), lambda o: o.put_many([b"a", b"b"]),
                      lambda o: o.put_many(iter([b"a", b"b"])), written]
def looked(o):
    with o.read(False) as view: bytes(view)

def filled(o):
    with o.write(5, False) as view: view[:] = b"12345"

def waited(o):
    with o: o.wait(1e-4)

def notified(o):
    with o: o.notify_all()

MESSAGES = [lambda o: o.try_put(b"message"), lambda o: o.put(b"message" * 20, timeout=1e-4), lambda o: o.put_many([b"a" * 100, b"b"]),
            lambda o: o.put_many(iter([b"a", b"b" * 100])), lambda o: o.try_get(), lambda o: o.get(timeout=1e-4), lambda o: o.get_many(3),
            lambda o: o.get_many(2, True, 1e-4), lambda o: o.peek() is not None and o.release(), looked]
# the lock is not closed with the condition
CONDITIONS = [waited, notified, lambda o: o.locked(), lambda o: o.acquire(False) and o.release(), lambda o: o._is_owned()]
CALLS = {
    "MessageRing": MESSAGES + [lambda o: o.qsize(), lambda o: o.free(), len, lambda o: o.empty()],
    "BroadcastRing": MESSAGES + [lambda o: (o.join(), o.try_get(), o.leave()), filled, lambda o: o.reserve(9) is not None and o.cancel(),
                                 lambda o: o.reserve(9) is not None and o.commit(3), lambda o: o.release_role(), lambda o: o.late(),
                                 lambda o: (o.writer, o.reader, o.joined), lambda o: o.join() + o.missed,
                                 lambda o: o.wait_for_readers(3, timeout=1e-4)],
    "Condition over a Mutex": CONDITIONS,
    "Condition over an RLock": CONDITIONS,
    "threading.Condition": [lambda o: o.wait(), lambda o: o._is_owned(), lambda o: o._recursion_count()],
    "BlockPool": [lambda o: o.free(o.alloc(3, True, 1e-4)), lambda o: o.adopt(o.seal(o.alloc(2))), lambda o: o.available, lambda o: o.lease,
                  lambda o: o.references([1]), lambda o: o.generations([1]), lambda o: (o.retain(b := o.alloc(1)), o.free([b[0]] * 2))],
    "Arena": [lambda o: (b := o.alloc(3000)) and b.array(), lambda o: o.alloc(9000, block=True, timeout=1e-4), lambda o: o.available,
              lambda o: o.stats(), lambda o: (b := o.alloc(10)) and o.open_block(b.handle(1)).release(),
              lambda o: (b := o.alloc(10)) and o.drop(b.handle(2), 2), lambda o: o.reclaim_promises(0),
              lambda o: (b := o.alloc(10)) and b.release_when(lambda: True), lambda o: o.poll()],
    "Queue": [lambda o: o.put([1] * 9, timeout=1e-4), lambda o: o.get(timeout=1e-4), lambda o: o.put_many([1, 2], True, 1e-4),
              lambda o: o.put_many(iter("ab")), lambda o: o.get_many(2), lambda o: (o.qsize(), o.full(), o.is_shutdown),
              lambda o: (o.put(1, False), o.get(False), o.task_done()), lambda o: o.join(1e-4)],
    "Space": [lambda o: section(o.mutex("lock")), lambda o: o.rwlock(), lambda o: o.semaphore(2, name="permits").try_acquire(),
              lambda o: o.atomic("u64", name="count").fetch_add(1), lambda o: o.condition("c").acquire(False), lambda o: o.left],
    "MPMCRing": RINGS,
    "SPSCRing": RINGS,
    "PriorityQueue": CONTAINERS + [lambda o: o.try_put(b"x", 1), lambda o: o.put(b"x", 0, timeout=1e-4),
                                   lambda o: o.put_many([b"a", b"b"], 1), lambda o: written(o, 1),
                                   lambda o: o.cancel(o.put_ticket(b"x", 0, timeout=1e-4)), lambda o: o.put_ticket(b"x", 0, timeout=1e-2),
                                   lambda o: o.requeue(b"x", 1, timeout=1e-4)],
    "Mutex": LOCKS,
    "SpinLock": LOCKS,
    "Semaphore": [section, lambda o: o.value, lambda o: o.try_acquire(2), lambda o: o.acquire(timeout=1e-4), lambda o: o.acquire(n=2),
                  lambda o: o.release()],
    "RLock": LOCKS,
    "Condition": LOCKS + [lambda o: o.acquire(timeout=1e-4) and (o.wait(1e-4), o.notify(), o.release())],
    "Barrier": [lambda o: o.abort(), lambda o: o.reset(), lambda o: o.broken, lambda o: o.n_waiting],
    "RWLock": [lambda o: o.acquire_read(False) and o.release_read(), lambda o: o.acquire_write(timeout=1e-4) and o.release_write(),
               lambda o: o.readers, lambda o: o.writer],
    "Event": [lambda o: o.set(), lambda o: o.clear(), lambda o: o.is_set(), lambda o: o.wait(1e-4)],
    "EventCount": [lambda o: o.notify(), lambda o: o.retract(o.prepare()), lambda o: o.wait(o.prepare(), 1e-4), lambda o: o.cancel(),
                   lambda o: o.wait_until(lambda: random.random() < 0.5, 1e-4)],
    "LatestValue": [lambda o: o.set(b"x" * 9), lambda o: o.get(), lambda o: o.wait(0, 1e-4), lambda o: o.wait(timeout=1e-4),
                    lambda o: o.get_into(bytearray(16)), lambda o: o.version, lambda o: o.release_role()],
    "AtomicU32": CELLS + [lambda o: o.fetch_add(1), lambda o: o.fetch_xor(1)],
    "AtomicI64": CELLS + [lambda o: o.fetch_sub(1, "relaxed")],
    "AtomicF64": CELLS + [lambda o: o.fetch_add(0.5)],
    "AtomicFlag": CELLS + [lambda o: o.test_and_set(), lambda o: o.clear(), lambda o: bool(o)],
}
import queue
# released by another thread; above max_value; the other thread has the role; nothing inside in time
# freed by another thread, or nothing allocated; a space that is full
NO_FAULT = (RuntimeError, ValueError, TypeError, LookupError, MemoryError, lockfree.RoleTaken, lockfree.NotRecoverable,
            queue.Empty, queue.Full)

random.seed(int(sys.argv[2]))
name = sys.argv[1]
make, calls = MAKE[name], CALLS[name] + EVERYBODYS
"""

THREADS = (
    PRELUDE
    + """
wrong = []
def work(o, call):
    try:
        while True:
            try:
                call(o)
            except lockfree.Closed:
                return
            except NO_FAULT:
                pass
            if o.closed:
                return
    except BaseException as error:
        wrong.append(error)

for call in calls:
    for _ in range(4):
        o = make()
        threads = [threading.Thread(target=work, args=(o, call)) for _ in range(2)]
        for thread in threads: thread.start()
        time.sleep(random.choice([0, 0, 1e-4, 1e-3]))
        o.close()
        for thread in threads: thread.join(30)
        assert not any(thread.is_alive() for thread in threads), "a thread was not woken"
        assert not wrong, wrong
print("survived")
"""
)

HANDLER = (
    PRELUDE
    + """
for call in calls:
    for _ in range(15):
        o = make()
        signal.signal(signal.SIGALRM, lambda *_: o.close())
        signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-5, 3e-4))
        while not o.closed:
            try:
                call(o)
            except (lockfree.Closed, *NO_FAULT):
                pass
        signal.setitimer(signal.ITIMER_REAL, 0)
print("survived")
"""
)

STEPS = (
    PRELUDE
    + """
# As a handler that closes the object would, between any two instructions of Python code: one after the other.
import lockfree as package, os
HOME = os.path.dirname(package.__file__)
def close_at(o, at):
    count = 0
    def trace(frame, event, argument):
        nonlocal count
        if not frame.f_code.co_filename.startswith(HOME):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            count += 1
            if count == at:
                sys.settrace(None)
                frame.f_trace_opcodes = False
                o.close()
        return trace
    return trace, lambda: count

total = 0
for call in calls:
    at = 1
    while True:
        o = make()
        trace, counted = close_at(o, at)
        sys.settrace(trace)
        try:
            call(o)
        except (lockfree.Closed, *NO_FAULT):
            pass
        finally:
            sys.settrace(None)
        if counted() < at:
            break
        at += STRIDE
        total += 1
# The lock of a threading.Condition has no Python code.
assert total or name == "threading.Condition"
print("survived")
"""
)

ASLEEP = (
    PRELUDE
    + """
# Threads sleep in the object, and a handler of this thread's, which sleeps in it too, closes it.
o = make()
if hasattr(o, "acquire"):
    holder = threading.Thread(target=lambda: o.acquire(n=2) if name == "Semaphore" else o.acquire())
    holder.start(); holder.join()
ended = []
def sleep():
    try: o.acquire() if hasattr(o, "acquire") else o.get()
    except lockfree.Closed: ended.append(1)
threads = [threading.Thread(target=sleep) for _ in range(3)]
for thread in threads: thread.start()
time.sleep(0.05)
signal.signal(signal.SIGALRM, lambda *_: o.close())
signal.setitimer(signal.ITIMER_REAL, 0.05)
sleep()
for thread in threads: thread.join(30)
assert ended == [1] * 4
assert o._h.h.fd == -1, "the last one out detaches it"
print("survived")
"""
)

CLASSES = [
    "MPMCRing",
    "SPSCRing",
    "PriorityQueue",
    "Mutex",
    "SpinLock",
    "Semaphore",
    "AtomicU32",
    "AtomicI64",
    "AtomicF64",
    "AtomicFlag",
]

LATER = [
    "RLock",
    "RWLock",
    "Condition",
    "Condition over a Mutex",
    "Condition over an RLock",
    "threading.Condition",
    "Barrier",
    "Event",
    "EventCount",
    "LatestValue",
    "MessageRing",
    "BroadcastRing",
    "BlockPool",
    "Arena",
    "Queue",
    "Space",
]
"""Races of these are run at length only."""


def run(script, name, seed=1, **environment):
    command = [sys.executable, "-c", script, name, str(seed)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=STUCK, env={**os.environ, **environment}, check=False
    )
    assert (done.returncode, done.stdout) == (0, "survived\n"), done.stderr


@pytest.mark.parametrize("name", CLASSES)
def test_against_every_call_of_other_threads(name):
    run(THREADS, name)


@pytest.mark.parametrize("name", CLASSES)
def test_in_a_signal_handler_in_the_middle_of_every_call(name):
    run(HANDLER, name)


IN_PYTHON = ["MessageRing", "BroadcastRing", "BlockPool", "Arena", "Condition over a Mutex", "Queue", "Space"]
"""Parts of them are Python code."""


@pytest.mark.parametrize("name", IN_PYTHON)
def test_between_any_two_instructions_of_python_code(name):
    run(STEPS.replace("STRIDE", "1"), name)


@pytest.mark.parametrize("name", ["MessageRing", "BroadcastRing", "BlockPool", "Arena", "Queue", "Space"])
def test_without_the_c_types(name):
    run(STEPS.replace("STRIDE", "5"), name, LOCKFREE_PURE_CFFI="1")


@pytest.mark.parametrize("script", [THREADS, HANDLER], ids=["threads", "handler"])
def test_a_space_without_the_c_types(script):
    """close() of a space also meets objects that are only half made."""
    run(script, "Space", LOCKFREE_PURE_CFFI="1")


REFUSED = """
# The same where a call is refused, because of somebody who died or another one who has the role: what is said of that one
# stands in the segment, which close() unmaps.
import asyncio, copy, os, queue, sys, threading, lockfree

def in_child(call, o):
    pid = os.fork()
    if pid == 0:
        call(o)
        os._exit(0)
    os.waitpid(pid, 0)
    return o

def full(o, data):
    try:
        while True: o.put_nowait(data)
    except queue.Full:
        return o

def deserted(o, put=lambda o: o.put(b"x"), get=lambda o: o.get(timeout=60)):
    o.peer_death = "raise"
    if type(o) is lockfree.BroadcastRing: o.join()
    in_child(put, o)
    get(o)
    return o

def without_consumers(o, data):
    o.peer_death = "raise"
    return full(in_child(lambda o: o.get(), full(o, data)), data)

others = []
def beside(o, call):
    others[:] = [copy.copy(o)]
    call(others[0])
    return o

GETS = [lambda o: o.get(timeout=60), lambda o: asyncio.run(o.aget(60)), lambda o: lockfree.wait([o], 60)]
PUTS = [lambda o, m: o.put(m, timeout=60), lambda o, m: o.put_many(iter([m]), True, 60),
        lambda o, m: asyncio.run(o.aput(m, timeout=60))]
CASES = {
    "MPMCRing": (lambda: deserted(lockfree.MPMCRing(4, 8)), GETS),
    "MessageRing": (lambda: deserted(lockfree.MessageRing(1024)), GETS),
    "Queue": (lambda: deserted(lockfree.Queue(4, size_bytes=4096)), GETS),
    "BroadcastRing": (lambda: deserted(lockfree.BroadcastRing(1024, 2)), GETS),
    "LatestValue": (lambda: deserted(lockfree.LatestValue(8), lambda o: o.set(b"x"), lambda o: o),
                    [lambda o: o.wait(1, 60), lambda o: asyncio.run(o.await_(1, 60))]),
    "a full MPMCRing": (lambda: without_consumers(lockfree.MPMCRing(4, 8), b"x"), [lambda o, p=p: p(o, b"x") for p in PUTS]),
    "a full MessageRing": (lambda: without_consumers(lockfree.MessageRing(1024), b"x" * 200),
                           [lambda o, p=p: p(o, b"x" * 200) for p in PUTS]),
    "a late reader": (lambda: full(beside(lockfree.BroadcastRing(1024, 2), lambda r: r.join()), b"x" * 100),
                      [lambda o: o.put(b"x" * 100, timeout=1e-3), lambda o: o.late(), lambda o: o.reserve(100, True, 1e-3)]),
    "another writer": (lambda: beside(lockfree.BroadcastRing(1024, 2), lambda r: (r.join(0), r.put(b"x"))),
                       [lambda o: o.put(b"x"), lambda o: o.join(0), lambda o: o.release_role()]),
    "Mutex": (lambda: in_child(lambda o: o.acquire(), lockfree.Mutex()),
              [lambda o: o.acquire(), lambda o: o.release(), lambda o: asyncio.run(o.aacquire(60))]),
    "RWLock": (lambda: in_child(lambda o: o.acquire_write(), lockfree.RWLock()),
               [lambda o: asyncio.run(o.aacquire_read(60)), lambda o: asyncio.run(o.aacquire_write(60))]),
}
make, calls = CASES[sys.argv[1]]
name = sys.argv[1]
NO_FAULT = (RuntimeError, lockfree.PeerDied, lockfree.OwnerDied, lockfree.RoleTaken, queue.Full)
""" + STEPS.removeprefix(PRELUDE).replace("assert total", "assert total or make")


def refusals():
    found = re.findall(r'^    "(.+?)": \(lambda', REFUSED, re.MULTILINE)
    assert len(found) == 11
    return found


@pytest.mark.parametrize("pure", "01")
@pytest.mark.parametrize("name", ["BroadcastRing", "LatestValue", "a full MessageRing", "a late reader", "RWLock"])
def test_where_a_call_is_refused(name, pure):
    run(REFUSED.replace("STRIDE", "13"), name, LOCKFREE_PURE_CFFI=pure)


@pytest.mark.soak
@pytest.mark.parametrize("pure", "01")
@pytest.mark.parametrize("name", refusals())
def test_where_a_call_is_refused_at_length(name, pure):
    run(REFUSED.replace("STRIDE", "1"), name, LOCKFREE_PURE_CFFI=pure)


LATE = """
import asyncio, copy, time, lockfree

async def main():
    loop, ring = asyncio.get_running_loop(), lockfree.MPMCRing(4, 8)
    other, task = copy.copy(ring), asyncio.create_task(ring.aget())
    await asyncio.sleep(0.05)
    task.cancel()  # its last step is the next one of the loop
    loop.call_soon(time.sleep, 0.1)
    other.put(b"x")  # the thread that sleeps for the loop is woken, and tells the loop: behind these two
    time.sleep(0.1)
    ring.close()
    await asyncio.sleep(0)
    assert other.get() == b"x"

for _ in range(3):
    asyncio.run(main())
print("survived")
"""


@pytest.mark.parametrize("pure", "01")
def test_before_an_event_loop_has_dealt_with_a_wake(pure):
    run(LATE, "", LOCKFREE_PURE_CFFI=pure)


SEVERAL = """
import random, signal, sys, threading, time, lockfree
random.seed(int(sys.argv[2]))

def several():
    shared = [lockfree.MPMCRing(2, 8), lockfree.Event(), lockfree.Semaphore(0), lockfree.MessageRing(64, 64)]
    for ring in (shared[0], shared[3]):
        ring.peer_death = "raise"
    return shared, random.choice(shared)

def by_another_thread():
    shared, one = several()
    ends = []
    def wait():
        for _ in range(10_000):
            if lockfree.wait(shared, 1e-4):
                ends.append(one.closed)
                return
    threads = [threading.Thread(target=wait) for _ in range(2)]
    for thread in threads: thread.start()
    time.sleep(random.uniform(0, 0.002))
    one.close()
    for thread in threads: thread.join()
    assert ends == [True, True], ends

def by_a_handler():
    shared, one = several()
    signal.signal(signal.SIGALRM, lambda *_: one.close())
    signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-5, 2e-3))
    while not lockfree.wait(shared, 1e-4):
        pass
    assert one.closed

for _ in range(250):
    {"threads": by_another_thread, "handler": by_a_handler}[sys.argv[1]]()
print("survived")
"""


@pytest.mark.parametrize("pure", "01")
@pytest.mark.parametrize("by", ["threads", "handler"])
def test_of_one_of_several_that_a_thread_waits_for(by, pure):
    run(SEVERAL, by, LOCKFREE_PURE_CFFI=pure)


@pytest.mark.soak
@pytest.mark.parametrize("name", CLASSES + LATER)
@pytest.mark.parametrize("pure", "01")
def test_between_any_two_instructions_of_python_code_at_length(name, pure):
    run(STEPS.replace("STRIDE", "1"), name, LOCKFREE_PURE_CFFI=pure)


@pytest.mark.parametrize("name", ["Mutex", "SpinLock", "Semaphore", "MPMCRing", "PriorityQueue"])
def test_in_a_signal_handler_while_threads_sleep(name):
    run(ASLEEP, name)


@pytest.mark.soak
@pytest.mark.parametrize("name", CLASSES + LATER)
@pytest.mark.parametrize("script", [THREADS, HANDLER], ids=["threads", "handler"])
def test_for_long(script, name):
    for seed in range(40):
        run(script, name, seed)
