import contextlib
import multiprocessing
import os
import signal
import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from patience import STUCK
from sync_behaviour import Behaviour
from threads import started

import lockfree


def use(lock, counter, mirror, rounds):
    for i in range(rounds):
        if i % 3 == 0:
            with lock.writing():
                counter.store(counter.load("relaxed") + 1, "relaxed")
                if i % 30 == 0:
                    time.sleep(0)
                mirror.store(mirror.load("relaxed") + 1, "relaxed")
        else:
            with lock.reading():
                assert counter.load("relaxed") == mirror.load("relaxed")


def hold(lock, writes, ready):
    lock.acquire_write() if writes else lock.acquire_read()
    ready.set()
    signal.pause()


def killed_holder(lock, *, writes):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    child = context.Process(target=hold, args=(lock, writes, ready))
    child.start()
    assert ready.wait(STUCK)
    return child


def kill(child):
    os.kill(child.pid, signal.SIGKILL)
    child.join(30)


class TestRWLock(Behaviour):
    Kind = lockfree.RWLock
    calls = {
        "acquire_read": lambda o: o.acquire_read(),
        "acquire_write": lambda o: o.acquire_write(),
        "release_read": lambda o: o.release_read(),
        "release_write": lambda o: o.release_write(),
        "recover": lambda o: o.recover(),
        "readers": lambda o: o.readers,
        "writer": lambda o: o.writer,
    }

    def prepare(self, shared):
        assert started(shared.acquire_write)() is True

    def wait(self, shared, timeout=None):
        return shared.acquire_read(timeout=timeout)

    def test_many_read_or_one_writes(self, shared):
        assert shared.acquire_read()
        with shared.reading():
            assert (shared.readers, shared.writer) == (2, False)
            assert shared.acquire_write(False) is False
            assert shared.acquire_write(timeout=0.02) is False
            assert "readers=2" in repr(shared)
        shared.release_read()
        with shared.writing():
            assert (shared.readers, shared.writer) == (0, True)
            assert started(lambda: shared.acquire_read(False))() is False
            assert started(lambda: shared.acquire_write(timeout=0.02))() is False
            assert "writer" in repr(shared)
        with pytest.raises(ZeroDivisionError), shared.writing():
            raise ZeroDivisionError
        assert shared.acquire_read(False)
        shared.release_read()

    def test_errors(self, shared):
        with pytest.raises(RuntimeError, match="release_read"):
            shared.release_read()
        with pytest.raises(RuntimeError, match="release_write"):
            shared.release_write()
        with pytest.raises(RuntimeError, match="recover"):
            shared.recover()
        with shared.writing():
            assert isinstance(started(shared.release_write)(), RuntimeError)
            for call in (shared.acquire_write, shared.acquire_read):
                with pytest.raises(RuntimeError, match="wait for itself"):
                    call()
        with pytest.raises(ValueError, match="non-blocking"):
            shared.acquire_read(False, 1)

    def test_a_waiting_writer_holds_new_readers_off(self, shared):
        shared.acquire_read()
        writer = started(lambda: [shared.acquire_write(), shared.release_write()])
        while not shared.writer:
            time.sleep(0.001)
        assert started(lambda: shared.acquire_read(timeout=0.05))() is False
        shared.release_read()
        assert writer()[0] is True
        assert shared.acquire_read(timeout=10)
        shared.release_read()

    def test_a_writer_that_gives_up_lets_readers_in(self, shared, alarm):
        reader = started(shared.acquire_read)
        assert reader()
        with pytest.raises(KeyboardInterrupt), alarm(0.1):
            shared.acquire_write(timeout=30)
        assert not shared.writer
        assert shared.acquire_read(False)

    def test_processes_exclude_each_other(self, shared, context):
        with lockfree.AtomicU64() as counter, lockfree.AtomicU64() as mirror:
            child = context.Process(target=use, args=(shared, counter, mirror, 150))
            child.start()
            use(shared, counter, mirror, 150)
            child.join(60)
            assert child.exitcode == 0
            assert counter.load() == mirror.load() == 100

    def test_a_dead_reader_is_forgotten(self, shared):
        child = killed_holder(shared, writes=False)
        assert shared.readers == 1
        writer = started(shared.acquire_write)
        kill(child)
        assert writer() is True

    def test_a_dead_writer_is_told_of(self, shared):
        child = killed_holder(shared, writes=True)
        reader = started(shared.acquire_read)
        kill(child)
        assert isinstance(told := reader(), lockfree.OwnerDied)
        # the reader has no lock
        assert f"RWLock: the last writer, process {child.pid}, died while it wrote: a writer must repair" in str(told)
        with pytest.raises(
            lockfree.OwnerDied, match=f"the last holder, process {child.pid}, died with the lock; it is"
        ):
            shared.acquire_write()
        assert shared.writer
        shared.recover()
        shared.release_write()
        with shared.reading():
            assert shared.readers == 1

    def test_ended_without_recover_it_is_unusable(self, shared):
        kill(killed_holder(shared, writes=True))
        with pytest.raises(lockfree.OwnerDied), shared.writing():
            pytest.fail("the block has run")
        shared.release_write()
        for call in (shared.acquire_read, shared.acquire_write):
            with pytest.raises(lockfree.NotRecoverable):
                call()

    def test_state_machine(self):
        class Machine(RuleBasedStateMachine):
            """Two participants of one lock, operated by one thread, against counts."""

            @initialize()
            def create(self):
                self.first = lockfree.RWLock()
                ours, theirs = multiprocessing.Pipe()
                ours.send(self.first)
                self.handles = [self.first, theirs.recv()]
                self.reads, self.writer = [0, 0], None

            @rule(who=st.integers(0, 1), timeout=st.sampled_from([None, 1e-4]))
            def read(self, who, timeout):
                lock = self.handles[who]
                taken = lock.acquire_read(False) if timeout is None else lock.acquire_read(timeout=timeout)
                assert taken is (self.writer is None)
                self.reads[who] += taken

            @rule(who=st.integers(0, 1), timeout=st.sampled_from([None, 1e-4]))
            def write(self, who, timeout):
                lock = self.handles[who]
                taken = lock.acquire_write(False) if timeout is None else lock.acquire_write(timeout=timeout)
                assert taken is (self.writer is None and not any(self.reads))
                if taken:
                    self.writer = who

            @rule(who=st.integers(0, 1))
            def end_read(self, who):
                with contextlib.nullcontext() if self.reads[who] else pytest.raises(RuntimeError):
                    self.handles[who].release_read()
                    self.reads[who] -= 1

            @rule(who=st.integers(0, 1))
            def end_write(self, who):
                with contextlib.nullcontext() if self.writer == who else pytest.raises(RuntimeError):
                    self.handles[who].release_write()
                    self.writer = None

            @rule(who=st.integers(0, 1))
            def look(self, who):
                assert self.handles[who].readers == sum(self.reads)
                assert self.handles[who].writer is (self.writer is not None)

            def teardown(self):
                for handle in getattr(self, "handles", ()):
                    handle.close()

        run_state_machine_as_test(Machine, settings=settings(max_examples=40, stateful_step_count=25, deadline=None))
