import contextlib
import copy
import gc
import multiprocessing
import os
import pickle
import signal
import threading
import time
import weakref

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from patience import STUCK
from threads import in_thread, started

import lockfree
from lockfree._native import blocking

FORK = multiprocessing.get_context("fork")
SIZE = 2**18
MAKE = {
    "mutex": (),
    "spinlock": (),
    "rlock": (),
    "rwlock": (),
    "condition": (),
    "event": (),
    "event_count": (),
    "semaphore": (2, 5),
    "atomic": ("u64", 7),
}
CALLS = {
    "mutex": lambda o: o.acquire(False),
    "spinlock": lambda o: o.acquire(False),
    "rlock": lambda o: o.acquire(False),
    "rwlock": lambda o: o.acquire_read(False),
    "condition": lambda o: o.acquire(False),
    "event": lambda o: o.set(),
    "event_count": lambda o: o.notify(),
    "semaphore": lambda o: o.acquire(False),
    "atomic": lambda o: o.fetch_add(1),
}


@pytest.fixture
def space():
    with contextlib.closing(lockfree.Space(SIZE)) as made:
        yield made


def add(space, kind, name=None):
    return getattr(space, kind)(*MAKE[kind], name=name)


@contextlib.contextmanager
def child(target, *arguments, method="fork"):
    process = multiprocessing.get_context(method).Process(target=target, args=arguments, daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join(30)


def count_under(lock, counter, done):
    with lock:
        counter.store(counter.load() + 1)
    done.release()


def hold_all(first, second, permits, ready):
    first.acquire()
    second.acquire()
    permits.acquire(n=2)
    ready.set()
    time.sleep(60)


@pytest.mark.parametrize("kind", MAKE)
def test_every_kind(space, kind, shm_name):
    """What is found by its name is the same object, here, in a copy, and in another handle on the space."""
    left = space.left
    first, second = add(space, kind, "name"), add(space, kind, "name")
    assert space.left < left
    assert type(first) is type(second)
    assert type(first) is type(CALLS) or type(first).__module__.startswith("lockfree.")
    CALLS[kind](first)
    assert repr(first) == repr(second) == repr(copy.copy(first))
    another = add(space, kind)
    assert repr(another) != repr(first) or kind == "event_count"
    for one in (first, second, another):
        one.close()
        one.close()
        assert one.closed
        with pytest.raises(lockfree.Closed):
            CALLS[kind](one)
    assert repr(add(space, kind, "name")) == repr(add(space, kind, "name"))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_objects_travel(space, method):
    lock, counter, done = space.mutex(), space.atomic("i64"), space.semaphore(0)
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(child(count_under, lock, counter, done, method=method))
        assert done.acquire(timeout=60)
        assert done.acquire(timeout=60)
    assert counter.load() == 2


def test_one_space_travels_with_its_objects(space, shm_name):
    lock, event = space.mutex(), space.event("e")
    ours, theirs = multiprocessing.Pipe()
    ours.send((lock, event, space))
    lock2, event2, space2 = theirs.recv()
    assert lock2._home is event2._home is space2
    event.set()
    assert event2.is_set()
    assert space2.event("e").is_set()
    with lock:
        assert not lock2.acquire(False)
    assert len(space.peers()) == len(lock.peers()) == 2
    space2.close()
    assert lock2.closed
    assert event2.closed


def test_by_name_and_in_bytes(shm_name):
    with contextlib.closing(lockfree.Space(4096, name=shm_name)) as space:
        counter = space.atomic("u64", 5, name="hits")
        kept = pickle.dumps(counter)
        with contextlib.closing(lockfree.Space.attach(shm_name)) as other:
            assert other.atomic("u64", name="hits").fetch_add(1) == 5
            assert repr(other) == repr(space)
        loaded = pickle.loads(kept)
        assert loaded.load() == counter.load() == 6
        loaded._home.close()
        with contextlib.closing(lockfree.Space.open(shm_name, 4096)) as found:
            assert found.size_bytes == 4096
        with pytest.raises(lockfree.SegmentError, match="size_bytes: found 4096, asked for 8192"):
            lockfree.Space.open(shm_name, 8192)
        space.unlink()
    with pytest.raises(RuntimeError, match="can only be pickled for a process that is alive"):
        pickle.dumps(lockfree.Space(256).mutex())


def test_bounds(space):
    with contextlib.closing(lockfree.Space(1000)) as small:
        assert small.size_bytes == 1024
        for left in (768, 512, 256, 0):
            small.mutex()
            assert small.left == left
        with pytest.raises(MemoryError, match="Space: Mutex takes 256 bytes: 0 of 1024 are left"):
            small.mutex()
        with pytest.raises(MemoryError, match="Semaphore takes 6016 bytes: 0 of 1024 are left"):
            small.semaphore(name="s")
    for size in (255, 2**32 + 1, -1):
        with pytest.raises(ValueError, match=f"size_bytes is {size}: it must be between 256 and {2**32}"):
            lockfree.Space(size)
    with pytest.raises(TypeError, match="size_bytes"):
        lockfree.Space("much")


def test_it_is_for_so_many_threads(shm_name):
    """A condition has places for them, and a semaphore seats; both take memory for each."""
    with lockfree.Space(2**16, threads=2, name=shm_name) as space:
        assert space.threads == lockfree.Space.attach(shm_name).threads == 2
        with pytest.raises(lockfree.SegmentError, match="threads: found 2, asked for 3"):
            lockfree.Space.open(shm_name, 2**16, threads=3)
        space.unlink()
        condition = space.condition()
        assert 2**16 - space.left == 512
        waiting = [started(lambda: wait_for(condition)) for _ in range(2)]
        while space.peers()[0].waiting < 2:
            time.sleep(0.001)
        with condition, pytest.raises(RuntimeError, match="all 2 places for waiting threads are taken"):
            condition.wait(1)
        with condition:
            condition.notify_all()
        assert [wait() for wait in waiting] == [True, True]
        left = space.left
        space.semaphore()
        assert left - space.left == 1920
    with lockfree.Space(2**16) as space:
        space.condition(), space.semaphore()
        assert 2**16 - space.left < 11000  # 130 KiB, if each had room for 1,024
    for threads in (0, 1025):
        with pytest.raises(ValueError, match=f"threads is {threads}: it must be between 1 and 1024"):
            lockfree.Space(4096, threads=threads)


def wait_for(condition):
    with condition:
        return condition.wait(60)


def test_what_it_refuses(space):
    space.mutex("lock")
    space.semaphore(2, 5, name="permits")
    space.atomic("u64", name="hits")
    for make, told in (
        (lambda: space.event("lock"), "'lock' is another one: kind: found Mutex, expected Event"),
        (lambda: space.atomic("u64", name="lock"), "'lock' is another one: kind: found Mutex, expected Atomic"),
        (lambda: space.mutex("hits"), "'hits' is another one: kind: found Atomic, expected Mutex"),
        (lambda: space.semaphore(2, 6, name="permits"), "'permits' is another one: max_value: found 5, expected 6"),
        (lambda: space.semaphore(1, 5, name="permits"), "'permits' is another one: value: found 2, expected 1"),
        (lambda: space.semaphore(3, 3, name="permits"), "value or max_value: found 2, expected 3"),
        (lambda: space.atomic("i64", name="hits"), "type of the atomic: found AtomicU64, expected AtomicI64"),
    ):
        with pytest.raises(lockfree.SegmentError, match=told):
            make()
    for name in ("", "x" * 65, "é" * 33, "nul\0"):
        with pytest.raises(ValueError, match="name is .*: it must have 1 to 64 bytes"):
            space.mutex(name)
    with pytest.raises(TypeError, match="name is 5: it must be a string"):
        space.mutex(5)
    with pytest.raises(ValueError, match="kind is 'u16': it must be one of 'u32', 'u64', 'i64', 'f64', 'flag'"):
        space.atomic("u16")
    with pytest.raises(ValueError, match="value is -1"):
        space.atomic("u32", -1)
    with pytest.raises(ValueError, match="value is 6"):
        space.semaphore(6, 5)
    with pytest.raises(ValueError, match="spin is"):
        space.mutex(spin="often")
    assert space.stats()["inside"] == 3


def test_the_place_in_a_pickle_is_checked(space):
    space.mutex()
    space.event()
    for cls, place in ((lockfree.Mutex, 128), (lockfree.Event, 0), (lockfree.Mutex, SIZE), (lockfree.Mutex, 2**63)):
        with pytest.raises(lockfree.SegmentError, match=f"no {cls.__name__} begins at {place} of its {SIZE} bytes"):
            space._object_at(cls, place)


def test_close_ends_all(space):
    made = {kind: add(space, kind) for kind in MAKE}
    held = space.mutex()
    held.acquire()
    waiting = [started(made["event"].wait), started(lambda: made["event_count"].wait(made["event_count"].prepare()))]
    waiting += [started(lambda: space.semaphore(0).acquire()), started(held.acquire)]
    while space.peers()[0].waiting < 4:
        time.sleep(0.001)
    space.close()
    space.close()
    assert all(isinstance(join(), lockfree.Closed) for join in waiting)
    for kind, shared in made.items():
        assert shared.closed
        with pytest.raises(lockfree.Closed):
            CALLS[kind](shared)
        with pytest.raises(lockfree.Closed):
            add(space, kind)
    for call in (lambda: space.left, lambda: space.mutex("x"), space.peers, space.stats, lambda: pickle.dumps(held)):
        with pytest.raises(lockfree.Closed):
            call()


def test_a_full_space_that_is_closed_meanwhile_is_closed(space, monkeypatch):
    class Meanwhile:
        def __getattr__(self, name):
            return getattr(blocking, name)

        def lf_space_object(self, *arguments):
            status = blocking.lf_space_object(*arguments)
            space.close()
            return status

    while space.left >= 256:
        space.mutex()
    with pytest.raises(MemoryError, match=r"Condition takes \d+ bytes: \d+ of \d+ are left"):
        space.condition()
    monkeypatch.setattr("lockfree.space.blocking", Meanwhile())
    with pytest.raises(lockfree.Closed):
        space.condition()


def test_closing_one_gives_nothing_back(space):
    lock = space.mutex("lock")
    lock.acquire()
    lock.close()
    assert not space.mutex("lock").acquire(False)
    space.mutex("lock").release()
    assert space.mutex("lock").acquire(False)


def test_an_object_keeps_its_space():
    lock = lockfree.Space(4096).mutex()
    gc.collect()
    with lock:
        assert isinstance(in_thread(lambda: lock.acquire(False)), bool)
    lock._home.close()
    assert lock.closed


def test_close_beside_threads_that_add_and_use():
    for _ in range(6):
        space, wrong = lockfree.Space(2**16), []

        def work(space=space, wrong=wrong):
            try:
                while True:
                    lock = space.mutex("m")
                    if lock.acquire(timeout=0.01):
                        lock.release()
                    space.atomic("u64", name="a").fetch_add(1)
            except lockfree.Closed:
                pass
            except BaseException as error:
                wrong.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.01)
        space.close()
        for thread in threads:
            thread.join(30)
        assert not wrong


def test_a_killed_holder(space):
    first, second, ready = space.mutex(), space.rlock("second"), space.event()
    permits = space.semaphore(2)
    with child(hold_all, first, second, permits, ready) as process:
        assert ready.wait(STUCK)
        assert [peer.holds for peer in sorted(space.peers(), key=lambda p: p.pid == process.pid)] == [0, 2]
        assert not permits.acquire(timeout=0.01)
        waiting = started(lambda: permits.acquire(timeout=60))
        os.kill(process.pid, signal.SIGKILL)
        process.join(30)
        assert waiting() is True
    with pytest.raises(lockfree.OwnerDied):
        second.acquire()
    second.recover()
    second.release()
    with pytest.raises(lockfree.OwnerDied):
        first.acquire()
    first.recover()
    first.release()
    assert space.stats()["recoveries"] == 1


def test_waiting_for_several(space):
    events = [space.event() for _ in range(3)]
    timer = threading.Timer(0.05, events[1].set)
    timer.start()
    assert lockfree.wait(events, 30) == [events[1]]
    timer.join()


def test_one_descriptor_for_all(space):
    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    before = descriptors()
    kept = [space.mutex() for _ in range(100)]
    assert descriptors() == before
    assert len(space.peers()) == 1
    assert len(kept) == 100


def test_state_machine():
    class Machine(RuleBasedStateMachine):
        """Two participants of one space, against dicts: which names there are, and who holds which lock."""

        @initialize()
        def create(self):
            first = lockfree.Space(4096)
            ours, theirs = multiprocessing.Pipe()
            ours.send(first)
            self.spaces = [first, theirs.recv()]
            self.kinds, self.holder, self.count = {}, {}, {}
            self.left = 4096

        @rule(
            who=st.integers(0, 1),
            kind=st.sampled_from(["mutex", "atomic", "event"]),
            name=st.sampled_from("abcdefghijklmnopqrstuvw"),
        )
        def find(self, who, kind, name):
            needs = 384 if kind == "event" else 256
            if name in self.kinds and self.kinds[name] != kind:
                with pytest.raises(lockfree.SegmentError):
                    add(self.spaces[who], kind, name)
            elif name not in self.kinds and needs > self.left:
                with pytest.raises(MemoryError):
                    add(self.spaces[who], kind, name)
            else:
                found = add(self.spaces[who], kind, name)
                if name not in self.kinds:
                    self.kinds[name], self.left = kind, self.left - needs
                self.use(who, kind, name, found)
            assert self.spaces[who].left == self.left

        def use(self, who, kind, name, found):
            if kind == "atomic":
                assert found.fetch_add(1) == 7 + self.count.get(name, 0)
            elif kind == "event":
                assert found.is_set() is bool(self.count.get(name, 0) % 2)
                (found.clear if found.is_set() else found.set)()
            elif self.holder.get(name) == who:
                found.release()
                del self.holder[name]
            elif name in self.holder:
                assert found.acquire(False) is False
            else:
                assert found.acquire(False) is True
                self.holder[name] = who
            self.count[name] = self.count.get(name, 0) + 1

        def teardown(self):
            for space in getattr(self, "spaces", ()):
                space.close()

    run_state_machine_as_test(Machine, settings=settings(max_examples=15, stateful_step_count=30, deadline=None))


def test_no_python_code_runs_when_an_object_ends():
    """What a signal handler raises in a callback of a weak reference is lost."""
    with lockfree.Space(4096) as space:
        mutex = space.mutex()
        assert [there.__callback__ for there in weakref.getweakrefs(mutex)] == [None]
        del mutex
        other = space.mutex()
        space.close()
        assert other.closed
