"""What another process writes into the memory of an object, while calls run: an error or an answer, never a crash or a loop.

Random bytes go into every region: the heads of queues and locks, the words of blocks, the participants, the contents. Each
run is a process of its own, since what it looks for ends processes. Garbage may say that somebody alive holds a lock; then
a call sleeps, and an exception out of a signal handler ends it. One that this does not end is an endless loop.
"""

import os
import subprocess
import sys

import pytest
from patience import STUCK
from test_close import PRELUDE

CALM = ["Mutex", "Semaphore", "RLock", "RWLock", "Condition", "Barrier", "Event", "EventCount", "AtomicU32", "MPMCRing"]
CALM += [
    "SPSCRing",
    "PriorityQueue",
    "MessageRing",
    "BroadcastRing",
    "BlockPool",
    "Queue",
    "LatestValue",
    "Space",
    "Arena",
]

DAMAGE = (
    PRELUDE.replace("random.seed(int(sys.argv[2]))\n", "")
    .replace("name = sys.argv[1]\nmake, calls =", "KNOWN =")
    .replace("MAKE[name], CALLS[name] + EVERYBODYS", "None")
    + """
import collections, faulthandler, mmap, os, pickle
from lockfree._native import ffi

name, seed, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random.seed(seed)
MAKE["Queue"] = lambda: lockfree.Queue(4, size_bytes=2048)
CALLS["Queue"] = [lambda o: o.put((1, "text"), timeout=1e-4), lambda o: o.get(timeout=1e-4), lambda o: o.put_many([1, 2.5, b"3"]),
                  lambda o: o.get_many(3), lambda o: o.qsize(), lambda o: o.free(), lambda o: o.full(), lambda o: o.task_done(),
                  lambda o: o.join(1e-4), lambda o: o.put(bytearray(20000), timeout=1e-4)]
# garbage may say that somebody else holds it: no call here waits without a time-out
TIMED = [lambda o: o.acquire(timeout=1e-4) and o.release(), lambda o: o.acquire(timeout=0.03)]
CALLS["Semaphore"] = [*TIMED, lambda o: o.value, lambda o: o.try_acquire(2), lambda o: o.release(), lambda o: o.release(2)]
for lock in ("Mutex", "SpinLock", "RLock", "Condition"):
    CALLS[lock] = [*TIMED, *(call for call in CALLS[lock] if call is not section)]
CALLS["Barrier"] += [lambda o: o.wait(1e-4)]
# what is in a space: a lock, a semaphore, a flag and a number
MAKE["Space"] = lambda: lockfree.Space(1 << 18)
CALLS["Space"] = [lambda o: TIMED[0](o.mutex("m")), lambda o: TIMED[1](o.rlock("r")), lambda o: TIMED[1](o.semaphore(name="s")),
                  lambda o: o.event("e").set(), lambda o: o.event("e").wait(1e-4), lambda o: o.atomic("u64", name="a").fetch_add(1),
                  lambda o: o.rwlock("w").acquire_read(False), lambda o: o.left, lambda o: o.event_count("c").notify(),
                  lambda o: o.mutex(f"m{random.randrange(9)}").locked()]
LOOKS = [lambda o: o.peers(), lambda o: o.stats(), lambda o: repr(o), lambda o: o.recover_dead()]
GOOD = (lockfree.LockfreeError, RuntimeError, ValueError, LookupError, OSError, MemoryError, queue.Empty, queue.Full, TypeError, AttributeError)
if name == "Queue":
    GOOD = Exception  # whatever the unpickling of garbage raises
seen = collections.Counter()

class Waits(Exception):
    # it sleeps, since garbage says that somebody alive has what it wants; and it serves signals
    pass

GOOD = (GOOD, Waits) if GOOD is Exception else (*GOOD, Waits)

def over(*_):
    raise Waits

signal.signal(signal.SIGALRM, over)

def damage(memory, body):
    for _ in range(random.choice([1, 1, 2, 8, 64])):
        size = len(memory)
        near = body if body < size else 256
        low, high = random.choice([(near, min(near + random.choice([64, 1024, 8192]), size)), (256, min(4096, size)), (max(0, size - 8192), size), (max(0, size - 1024), size), (0, size)])
        at = random.randrange(low, high) // 8 * 8
        word = int.from_bytes(memory[at : at + 8], "little")
        word = random.choice([random.getrandbits(64), 0, 2**64 - 1, word ^ 1 << random.randrange(64), word + 1, word - 1,
                              2**32 * word, word >> 32, random.getrandbits(32), random.getrandbits(8)]) % 2**64
        memory[at : at + 8] = word.to_bytes(8, "little")

def one_round():
    o = MAKE[name]()
    body = int(ffi.cast("uintptr_t", o._h.h.body)) - int(ffi.cast("uintptr_t", o._h.h.segment))
    with mmap.mmap(o._h.h.fd, 0) as memory:
        calls = CALLS[name] + LOOKS
        done = threading.Event()
        def more():
            while not done.wait(random.uniform(0, 2e-4)):
                damage(memory, body)
        other = threading.Thread(target=more) if random.random() < 0.3 else None
        for _ in range(random.randrange(4)):
            run(o, random.choice(CALLS[name]))
        damage(memory, body)
        if other: other.start()
        for _ in range(12):
            run(o, random.choice(calls))
            if random.random() < 0.1: damage(memory, body)
        faulthandler.dump_traceback_later(TOO_LONG, exit=True)
        o.close()
        done.set()
        if other: other.join()

def run(o, call):
    faulthandler.dump_traceback_later(TOO_LONG, exit=True)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.4)
            call(o)
            seen["answered"] += 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except GOOD as error:
        seen[type(error).__name__] += 1

TOO_LONG = 20
for _ in range(rounds):
    one_round()
faulthandler.cancel_dump_traceback_later()
print("survived", dict(seen))
"""
)


def damaged(kind, seed, rounds, pure="0"):
    command = [sys.executable, "-X", "faulthandler", "-c", DAMAGE, kind, str(seed), str(rounds)]
    environment = {**os.environ, "LOCKFREE_PURE_CFFI": pure}
    done = subprocess.run(command, capture_output=True, text=True, timeout=STUCK * 4, env=environment, check=False)
    assert (done.returncode, done.stdout[:8]) == (0, "survived"), done.stdout + done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("kind", CALM)
def test_garbage_in_every_region(kind):
    damaged(kind, 1, 30)


@pytest.mark.soak
@pytest.mark.parametrize("kind", CALM)
@pytest.mark.parametrize("pure", "01")
def test_garbage_for_long(kind, pure):
    for seed in range(10):
        damaged(kind, seed, 500, pure)
