"""What everything that threads and processes wait on promises alike: names, travel, close, idle CPU, Ctrl-C.

A test module of a primitive makes a class of `Behaviour` and says there how one is made, waited on and woken.
"""

import contextlib
import multiprocessing
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from patience import STUCK
from threads import started

import lockfree


def wakes_and_cpu(seconds):
    """How often this process gave up a processor to sleep, and the share of one that it used, in each of these seconds."""
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    time.sleep(seconds)
    after, passed = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - began
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return (after.ru_nvcsw - before.ru_nvcsw) / passed, used / passed


def wakes_of(pids, seconds):
    """How often these processes gave up a processor to sleep in each second, all together."""

    def so_far():
        text = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
        return sum(int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0]) for status in text)

    before, began = so_far(), time.monotonic()
    time.sleep(seconds)
    return (so_far() - before) / (time.monotonic() - began)


class Behaviour:
    """A subclass sets these; `calls` are all public calls with arguments that are in order."""

    Kind: type
    calls: dict

    def make(self, **named):
        return self.Kind(**named)

    def prepare(self, shared):
        """Makes the object one on which `wait` sleeps, for other threads than the one that calls this."""

    def wait(self, shared, timeout=None):
        raise NotImplementedError

    @pytest.fixture
    def shared(self):
        with contextlib.closing(self.make()) as made:
            yield made

    # ---- life ----

    def test_use_after_close(self, shared):
        shared.close()
        shared.close()
        assert shared.closed
        assert "closed" in repr(shared)
        for call in self.calls.values():
            with pytest.raises(lockfree.Closed):
                call(shared)

    def test_by_name(self, shm_name):
        with contextlib.closing(self.make(name=shm_name)) as shared:
            with contextlib.closing(self.Kind.attach(shm_name)) as other:
                assert type(other) is self.Kind
                assert repr(other) == repr(shared)
            with pytest.raises(FileExistsError):
                self.make(name=shm_name)
            with lockfree.AtomicU64(name=shm_name + "-other") as counter:
                with pytest.raises(lockfree.SegmentError, match="kind"):
                    self.Kind.attach(shm_name + "-other")
                counter.unlink()
            shared.unlink()
            with pytest.raises(FileNotFoundError):
                self.Kind.attach(shm_name)

    def test_close_wakes_sleepers(self, shared):
        self.prepare(shared)
        sleepers = [started(lambda: self.wait(shared)) for _ in range(3)]
        time.sleep(0.05)
        shared.close()
        assert all(isinstance(join(), lockfree.Closed) for join in sleepers)

    # ---- waiting ----

    def test_sixty_four_sleepers_use_no_cpu(self, shared):
        """They wake 340 to 690 times a second, all together; what a wake costs is up to the machine. A test that polls wakes
        64,000 times, or uses all of a CPU."""
        self.prepare(shared)
        sleepers = [started(lambda: self.wait(shared, 60)) for _ in range(64)]
        time.sleep(0.3)
        seconds = []
        while len(seconds) < 5 and not any(wakes < 3000 and cpu < 0.5 for wakes, cpu in seconds):
            seconds.append(wakes_and_cpu(1))  # again: all naps end at once if the machine was paused
        shared.close()
        assert all(isinstance(join(), lockfree.Closed) for join in sleepers)
        assert any(wakes < 3000 and cpu < 0.5 for wakes, cpu in seconds), seconds

    def test_sixty_four_processes_that_sleep_make_each_other_sleep_longer(self, shared):
        """They wake about 360 times a second, all together. Where each counts its own threads alone, it is 640 or 1,600 times."""
        self.prepare(shared)
        context = multiprocessing.get_context("fork")
        children = [context.Process(target=self.wait, args=(shared, 60), daemon=True) for _ in range(64)]
        for child in children:
            child.start()
        pids = [child.pid for child in children]
        try:
            time.sleep(0.3)
            seconds = [wakes_of(pids, 1)]
            while seconds[-1] >= 500 and len(seconds) < 5:
                seconds.append(wakes_of(pids, 1))
            assert seconds[-1] < 500, seconds
            assert all(child.is_alive() for child in children)
        finally:
            for child in children:
                child.kill()
                child.join()

    def test_ctrl_c_ends_a_wait(self, shared, alarm):
        woken = started(lambda: self.prepare(shared))
        woken()
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt), alarm(0.1):
            self.wait(shared, 20)
        assert time.monotonic() - start < 10

    @pytest.mark.parametrize("timeout", [float("nan"), "soon", 2**40], ids=str)
    def test_bad_timeouts(self, shared, timeout):
        self.prepare(shared)
        with pytest.raises((ValueError, TypeError, OverflowError), match="timeout is"):
            self.wait(shared, timeout)

    def test_an_unrelated_program_attaches(self, shm_name):
        with contextlib.closing(self.make(name=shm_name)) as shared:
            program = f"import lockfree; print(repr(lockfree.{self.Kind.__name__}.attach({shm_name!r})))"
            flags = subprocess._args_from_interpreter_flags()
            done = subprocess.run(
                [sys.executable, *flags, "-c", program], capture_output=True, text=True, timeout=STUCK
            )
            assert done.stdout.strip() == repr(shared), done.stderr
            shared.unlink()

    def test_it_travels_through_a_connection(self, shared):
        ours, theirs = multiprocessing.Pipe()
        ours.send(shared)
        with contextlib.closing(theirs.recv()) as received:
            assert repr(received) == repr(shared)
            assert received._h.h.participant != shared._h.h.participant

    def test_a_forked_child_uses_it(self, shared):
        pid = os.fork()
        if pid == 0:
            try:
                os._exit(0 if shared.recover_dead() == 0 and repr(shared) else 1)
            except BaseException:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
