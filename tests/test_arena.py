import contextlib
import ctypes
import functools
import gc
import importlib.util
import itertools
import multiprocessing
import operator
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from patience import STUCK

import lockfree
from lockfree._native import ffi

PAGE = 4096


@pytest.fixture
def arena():
    with contextlib.closing(lockfree.Arena(64 * PAGE)) as made:
        yield made


def another(target, *arguments, context="fork"):
    process = multiprocessing.get_context(context).Process(target=target, args=arguments)
    process.start()
    return process


def is_empty(arena):
    stats = arena.stats()
    return (stats["blocks"], stats["holds"], stats["promises"], stats["free"]) == (0, 0, 0, arena.size_bytes)


class Model(RuleBasedStateMachine):
    """Against a dictionary of blocks: what each holds, who refers to it, and how many promises are open."""

    def __init__(self):
        super().__init__()
        self.arena = lockfree.Arena(32 * PAGE, max_blocks=20)
        self.blocks = []  # [content, objects, handle, promises]
        self.fill = 0

    def teardown(self):
        self.blocks.clear()
        self.arena.close()

    def some(self, data, condition):
        found = [block for block in self.blocks if condition(block)]
        return data.draw(st.sampled_from(found)) if found else None

    @rule(
        size=st.one_of(st.integers(1, 3000), st.integers(1, 33 * PAGE)), align=st.sampled_from([64, 256, 4096, 2**21])
    )
    def alloc(self, size, align):
        if size > self.arena.size_bytes:
            with pytest.raises(ValueError, match=f"size is {size}: it must be between 1 and {self.arena.size_bytes}"):
                self.arena.alloc(size)
            return
        before = self.arena.stats()
        block = self.arena.alloc(size, align=align)
        if block is None:
            assert len(self.blocks) == 20 or before["holds"] == 40 or size > before["largest"]
            return
        assert block.size == len(block) == size
        assert block.address % align == 0
        self.fill = (self.fill + 1) % 256
        block.array()[:] = self.fill
        self.blocks.append([self.fill, [block], None, 0])

    @rule(data=st.data(), readers=st.integers(0, 3))
    def promise(self, data, readers):
        block = self.some(data, lambda b: b[1])
        if block:
            handle = data.draw(st.sampled_from(block[1])).handle(readers)
            if readers:
                block[2] = handle
                block[3] += readers
            else:
                assert self.arena.open_block(handle).view[-1] == block[0]

    @rule(data=st.data())
    def open(self, data):
        block = self.some(data, lambda b: b[2])
        if block is None:
            return
        if block[3] == 0:
            with pytest.raises(LookupError, match="as many readers as were promised"):
                self.arena.open_block(block[2])
            return
        if self.arena.stats()["holds"] == 40:
            with pytest.raises(MemoryError, match="all 40 holds are in use"):
                self.arena.open_block(block[2])
            return
        block[1].append(self.arena.open_block(block[2]))
        block[3] -= 1

    @rule(data=st.data())
    def drop(self, data):
        block = self.some(data, lambda b: b[2])
        if block:
            assert self.arena.drop(block[2], 2) == min(block[3], 2)
            block[3] -= min(block[3], 2)
            self.gone(block)

    @rule(data=st.data())
    def release(self, data):
        block = self.some(data, lambda b: b[1])
        if block:
            one = block[1].pop(data.draw(st.integers(0, len(block[1]) - 1)))
            assert (one.array() == block[0]).all()
            assert one.release()
            self.gone(block)

    def gone(self, block):
        if not block[1] and block[3] == 0:
            self.blocks.remove(block)
            if block[2]:
                with pytest.raises(LookupError, match="the block of this handle is gone"):
                    self.arena.open_block(block[2])

    @invariant()
    def counts(self):
        stats = self.arena.stats()
        assert stats["blocks"] == len(self.blocks)
        assert stats["holds"] == sum(len(block[1]) for block in self.blocks)
        assert stats["promises"] == sum(block[3] for block in self.blocks)
        if not self.blocks:
            assert stats["longest_run"] == self.arena.size_bytes


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda _: lockfree.Arena(0), ValueError, "size_bytes is 0: it must be between 1 and"),
        (lambda _: lockfree.Arena(2**43 + 1), ValueError, "size_bytes is 8796093022209"),
        (lambda _: lockfree.Arena(2.5), TypeError, "size_bytes is 2.5"),
        (lambda _: lockfree.Arena(1, max_blocks=0), ValueError, "max_blocks is 0"),
        (lambda a: a.alloc(0), ValueError, "size is 0: it must be between 1 and 262144"),
        (lambda a: a.alloc(64 * PAGE + 1), ValueError, "size is 262145"),
        (lambda a: a.alloc(1, align=32), ValueError, "align is 32: it must be between 64"),
        (lambda a: a.alloc(1, align=96), ValueError, "align is 96: it must be a power of two"),
        (lambda a: a.alloc(1, block=True, timeout=-1), ValueError, "timeout is -1"),
        (lambda a: a.open_block(b"short"), ValueError, "handle has 5 bytes: it must have 16"),
        (lambda a: a.open_block("text"), TypeError, "handle is 'text'"),
        (lambda a: a.open_block(bytes(16)), ValueError, "the handle is of another arena"),
        (lambda a: a.drop(bytes(16)), ValueError, "the handle is of another arena"),
        (lambda a: a.drop(bytes(16), 0), ValueError, "readers is 0"),
        (lambda a: a.reclaim_promises(-1), ValueError, "older_than is -1"),
        (lambda a: a.reclaim_promises(float("nan")), ValueError, "older_than is nan"),
        (lambda a: a.reclaim_promises("1"), TypeError, "older_than is '1'"),
        (lambda a: a.reclaim_promises(1e10), OverflowError, "older_than is 10000000000.0: it must be at most 9223372036"),
        (lambda a: a.alloc(1).handle(-1), ValueError, "readers is -1"),
        (lambda a: a.alloc(1).release_when(3), TypeError, "predicate is 3: it must be callable"),
        (lambda a: a.alloc(8).array("f8", 2), ValueError, "shape is 2 of float64, which takes 16 bytes: the block has 8"),
        (lambda a: a.alloc(8).array("f8", (-1, 2)), ValueError, "shape is -1: it must be between 0 and"),
        (lambda a: a.alloc(8).array("f8", offset=9), ValueError, "offset is 9"),
        (lambda a: a.alloc(8).array("O"), TypeError, "holds Python objects"),
        (lambda a: pickle.dumps(a.alloc(8)), TypeError, "send its handle"),
        (lambda _: lockfree.Block(), TypeError, "Arena.alloc"),
    ],
)  # fmt: skip
def test_bad_input_is_named_and_changes_nothing(arena, call, error, says):
    with pytest.raises(error, match=says):
        call(arena)
    gc.collect()
    assert is_empty(arena)


def test_views_and_arrays_are_the_same_memory(arena):
    block = arena.alloc(1000)
    array = block.array("<u4", (10, 5), offset=8)
    array[:] = 7
    view = block.view
    assert (len(view), view.readonly, bytes(view[8:16])) == (1000, False, b"\7\0\0\0\7\0\0\0")
    view[8] = 9
    assert array[0, 0] == 9
    assert array.__array_interface__["data"][0] == block.address + 8
    assert block.array("f8").shape == (125,)
    assert np.from_dlpack(block)[8] == 9
    assert np.asarray(block)[8] == 9
    assert block.array("u1", (2, 3), "F").flags.f_contiguous
    assert "size=1000 address=0x" in repr(block)
    with pytest.raises(ValueError, match="a copy only"):
        block.__array__("f4", copy=False)


def test_a_block_is_held_as_long_as_something_is_left_of_it(arena):
    block = arena.alloc(100)
    array, view = block.array(), block.view
    assert not block.release()
    for look in (lambda: block.view, lambda: block.array(), lambda: block.address, lambda: block.handle()):
        with pytest.raises(ValueError, match="the block was released"):
            look()
    array[:] = 3
    assert view[50] == 3
    del array
    assert not block.release()
    assert arena.stats()["blocks"] == 1
    del view
    assert block.release()
    assert is_empty(arena)
    with arena.alloc(100) as block:
        assert not block.released
    assert block.released
    assert is_empty(arena)


@pytest.mark.parametrize("which", range(1, 7))
def test_a_release_that_is_interrupted_can_be_made_again(arena, which):
    """By a signal handler that raises, or by a thread that releases the same block, before each line of it."""
    block = arena.alloc(100)
    lines, others = [], []

    def trace(frame, event, _):
        if frame.f_code is lockfree.arena.Block.release.__code__:
            if event == "line":
                lines.append(frame.f_lineno)
                if len(lines) == which:
                    other = threading.Thread(target=lambda: others.append(block.release()))
                    other.start()
                    other.join()
                    raise InterruptedError
            return trace
        return None

    sys.settrace(trace)
    with contextlib.suppress(InterruptedError):
        block.release()
    sys.settrace(None)
    assert len(lines) == min(which, 6), "lines of release() that no number stands for"
    assert len(others) == 1
    assert block.release()
    assert block.released
    assert arena.stats()["blocks"] == 0


def test_the_garbage_collector_releases_from_any_thread(arena):
    def churn(seed):
        chance = np.random.default_rng(seed)
        kept = []
        for _ in range(300):
            block = arena.alloc(int(chance.integers(1, 3 * PAGE)))
            if block is not None:
                array = block.array()
                array[:] = seed
                kept.append([array, block])
                kept[-1].append(kept[-1])  # a circle
            if len(kept) > 5:
                taken = kept.pop(int(chance.integers(5)))
                assert (taken[0] == seed).all()
                others.append(taken)
            if len(others) > 20:
                others.pop(0)

    others = []
    threads = [threading.Thread(target=churn, args=(seed,)) for seed in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    others.clear()
    gc.collect()
    assert is_empty(arena)


def add_one(arena, handle, answer):
    with arena.open_block(handle) as block:
        block.array("i8")[:] += 1
    answer.put(arena.stats()["holds"])


@pytest.mark.parametrize("context", ["fork", "spawn", "forkserver"])
def test_a_handle_opens_the_block_in_another_process(arena, context):
    answer = multiprocessing.get_context(context).SimpleQueue()
    block = arena.alloc(40 * PAGE)
    block.array("i8")[:] = 41
    handle = block.handle()
    assert (type(handle), len(handle)) == (bytes, 16)
    another(add_one, arena, handle, answer, context=context).join()
    assert (block.array("i8") == 42).all()
    assert answer.get() == 1
    with pytest.raises(LookupError, match="as many readers as were promised"):
        arena.open_block(handle)


def test_a_block_of_scattered_pages_is_one_in_every_process(arena):
    pages = [arena.alloc(PAGE) for _ in range(64)]
    del pages[::2]
    stats = arena.stats()
    assert (stats["longest_run"], stats["largest"], stats["free_runs"]) == (PAGE, 32 * PAGE, 32)
    assert stats["scattered_ppm"] == 31 * 10**6 // 32
    block = arena.alloc(32 * PAGE)
    block.array("i8")[:] = range(32 * PAGE // 8)
    answer = multiprocessing.get_context("fork").SimpleQueue()
    another(add_one, arena, block.handle(), answer).join()
    assert (block.array("i8") == np.arange(1, 32 * PAGE // 8 + 1)).all()
    assert arena.alloc(1) is None
    del block, pages
    assert is_empty(arena)


def send_and_leave(arena, answer):
    block = arena.alloc(1000)
    block.array()[:] = 5
    answer.put(block.handle(2))


def test_a_promise_outlives_its_maker_and_can_be_given_up(arena):
    answer = multiprocessing.get_context("fork").SimpleQueue()
    another(send_and_leave, arena, answer).join()
    handle = answer.get()
    arena.recover_dead()
    assert arena.open_block(handle).view[999] == 5
    assert arena.stats()["promises"] == 1
    assert arena.reclaim_promises(3600) == 0
    assert arena.reclaim_promises(0) == 1
    assert is_empty(arena)


def hold_for_ever(arena, ready):
    kept = [arena.alloc(PAGE) for _ in range(60)]
    ready.put(len(kept))
    time.sleep(600)


def test_blocks_of_the_dead_come_back_to_who_waits(arena):
    ready = multiprocessing.get_context("fork").SimpleQueue()
    process = another(hold_for_ever, arena, ready)
    ready.get()
    assert arena.alloc(64 * PAGE) is None
    assert arena.alloc(64 * PAGE, block=True, timeout=0.05) is None
    threading.Timer(0.1, os.kill, (process.pid, signal.SIGKILL)).start()
    assert arena.alloc(64 * PAGE, block=True, timeout=60) is not None
    process.join()


def test_a_crash_with_ten_thousand_blocks():
    with contextlib.closing(lockfree.Arena(10_000 * PAGE, max_blocks=10_000)) as arena:
        ready = multiprocessing.get_context("fork").SimpleQueue()

        def hold():
            kept = [arena.alloc(PAGE) for _ in range(10_000)]
            ready.put(len(kept))
            time.sleep(600)

        process = another(hold)
        ready.get()
        assert arena.recover_dead() == 0  # none while it lives
        assert arena.available == 0
        process.kill()
        process.join()
        began = time.thread_time()
        assert arena.recover_dead() == 1
        assert time.thread_time() - began < 0.1  # 0.5 ms; a look at all blocks for each of them takes seconds
        assert is_empty(arena)


def look_at_it(arena, block, answer):
    try:
        block.handle()
    except ValueError as error:
        answer.put((block.view[0], str(error)))
    del block
    gc.collect()


def test_a_forked_child_sees_the_block_and_does_not_hold_it(arena):
    answer = multiprocessing.get_context("fork").SimpleQueue()
    block = arena.alloc(100)
    block.view[0] = 77
    another(look_at_it, arena, block, answer).join()
    assert answer.get() == (77, "Arena: this process does not hold the block: it is its parent's")
    assert arena.stats()["blocks"] == 1


def test_released_when_a_predicate_holds(arena):
    done = []
    block = arena.alloc(64 * PAGE)
    block.release_when(lambda: bool(done))
    assert block.released
    assert (arena.pending, arena.poll()) == (1, 1)
    assert arena.alloc(1) is None
    threading.Timer(0.05, done.append, (1,)).start()
    assert arena.alloc(PAGE, block=True, timeout=60) is not None
    assert arena.pending == 0


def test_what_a_predicate_raises_comes_out_and_the_block_stays(arena):
    wrong = [True]
    arena.alloc(100).release_when(lambda: 1 / 0 if wrong else True)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            arena.alloc(100)
    assert arena.stats()["blocks"] == 1
    wrong.clear()
    assert arena.poll() == 0
    assert is_empty(arena)


class Struck:
    """A queue of what is to be released. A signal comes within popleft(), where no Python code runs."""

    def __init__(self, entries):
        kills = map(ctypes.CDLL(None).kill, itertools.repeat(os.getpid()), itertools.repeat(signal.SIGUSR1))
        self.popleft = functools.partial(
            next, map(operator.itemgetter(0), zip(iter(entries.popleft, None), kills, strict=False))
        )
        self.append, self.entries = entries.append, entries

    def __len__(self):
        return len(self.entries)


def test_a_signal_in_poll_releases_nothing_too_early(arena):
    def strike(*_):
        raise InterruptedError

    arena.alloc(100).release_when(bool)
    before, arena._later = signal.signal(signal.SIGUSR1, strike), Struck(arena._later)
    try:
        with pytest.raises(InterruptedError):
            arena.poll()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert arena.pending == 1
    assert arena.stats()["blocks"] == 1


def test_memory_is_taken_when_a_block_first_needs_it():
    with contextlib.closing(lockfree.Arena(2**40)) as arena:  # more than any machine has
        assert arena.stats()["populated"] == 0
        block = arena.alloc(3 * PAGE)
        assert arena.stats()["populated"] == 3 * PAGE
        del block
        arena.alloc(2 * PAGE)
        assert arena.stats()["populated"] == 3 * PAGE  # used again
        before = arena.available
        with pytest.raises(OSError, match="taking memory for a block"):
            arena.alloc(2**39)
        assert arena.available == before
        assert arena.alloc(PAGE) is not None


FULL = """
import lockfree
with lockfree.Arena(1 << 24, name="full") as arena:
    kept, errors = [], []
    for _ in range(10):
        try:
            kept.append(arena.alloc(1 << 20))
            kept[-1].array()[:] = 1
        except OSError as error:
            errors.append(error.errno)
    print(0 < len(kept) < 4, set(errors), arena.stats()["blocks"] == len(kept))
"""


def test_a_full_memory_file_system_is_an_error_of_alloc():
    mounted = ["unshare", "--map-root-user", "--user", "--mount", "sh", "-c"]
    mounted += ['mount -t tmpfs -o size=4m none /dev/shm && exec "$@"', "sh", sys.executable, "-c", FULL]
    done = subprocess.run(mounted, capture_output=True, text=True, timeout=120, check=False)
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip("a file system of one's own cannot be mounted here")
    assert (done.returncode, done.stdout) == (0, "True {28} True\n"), done.stderr  # ENOSPC


def test_hours_of_traffic_leave_all_that_is_free_in_one_piece():
    path = Path(__file__).parents[1] / "benchmarks/fragmentation.py"
    traffic = importlib.util.module_from_spec(importlib.util.spec_from_file_location("fragmentation", path))
    sys.modules["fragmentation"] = traffic  # dataclasses look there
    traffic.__spec__.loader.exec_module(traffic)
    ours, *others = traffic.simulate(0.4, 3, bucket=60)
    assert ours.allocs > 5000
    assert ours.end >= 0.9
    assert min(value for value in ours.largest if value == value) >= 0.9
    first, last = traffic.thirds(ours.cost)
    assert last < 3 * first
    for other in others:  # which the same check rejects
        assert min(value for value in other.largest if value == value) < 0.9
        assert other.refused > 3 * ours.refused


def test_prefault_and_huge_pages():
    with contextlib.closing(lockfree.Arena(16 * PAGE, prefault=True, huge_pages=True)) as arena:
        assert arena.stats()["populated"] == 16 * PAGE
        assert arena.huge_pages in {True, False}  # as the kernel is built
        arena.alloc(16 * PAGE).array()[:] = 1


def test_after_close_what_was_made_of_blocks_stays():
    arena = lockfree.Arena(64 * PAGE)
    block = arena.alloc(1000)
    array = block.array()
    array[:] = 8
    arena.close()
    assert (array == 8).all()
    assert block.view[0] == 8
    for call in (lambda: arena.alloc(1), lambda: block.handle(), lambda: arena.available, lambda: arena.stats()):
        with pytest.raises(lockfree.Closed):
            call()
    assert not block.release()
    array[:] = 9
    del array
    block.release()


def test_close_gives_back_what_is_left(shm_name):
    with contextlib.closing(lockfree.Arena(64 * PAGE, name=shm_name)) as arena:
        mine, other = arena.alloc(100), lockfree.Arena.attach(shm_name)
        kept = other.alloc(1000)
        assert other.open_block(mine.handle()).view is not None
        assert arena.stats()["holds"] == 2
        other.close()
        del kept
        gc.collect()
        assert arena.stats()["holds"] == 1
        arena.unlink()


def test_shutdown_ends_alloc_and_not_opening(arena):
    block = arena.alloc(64 * PAGE)
    errors = []

    def wait():
        with pytest.raises(lockfree.Closed) as error:
            arena.alloc(1, block=True)
        errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.05)
    arena.shutdown()
    thread.join(60)
    assert len(errors) == 1
    assert arena.open_block(block.handle()).size == 64 * PAGE
    with pytest.raises(lockfree.Closed):
        arena.alloc(1)


def test_a_named_arena_is_found_again(shm_name):
    with contextlib.closing(lockfree.Arena(10 * PAGE, name=shm_name)) as arena:
        block = arena.alloc(500)
        block.array()[:] = 6
        handle = block.handle()
        del block
    with contextlib.closing(lockfree.Arena.open(shm_name, 10 * PAGE)) as again:  # nobody used it in between
        assert (again.open_block(handle).array() == 6).all()
        assert again.open_block is not None
        with pytest.raises(LookupError, match="gone"):
            again.open_block(handle)
        again.unlink()
    with pytest.raises(lockfree.Closed):
        again.alloc(1)


def test_a_storm_of_signals_loses_no_block(arena):
    class Now(Exception):
        pass

    armed = False

    def interrupt(*_):
        nonlocal armed
        if armed:
            armed = False
            raise Now

    before = signal.signal(signal.SIGALRM, interrupt)
    interrupted = 0
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            block = None
            try:
                armed = True
                block = arena.alloc(64 * PAGE)
                armed = False
            except Now:
                interrupted += 1
            del block
            assert arena.available == arena.size_bytes
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted > 10


def test_a_destructor_does_not_wait_for_who_stands_still_with_the_lock(shm_name):
    """Signals are served, and the block is free when the lock is."""

    class Now(Exception):
        pass

    def interrupt(*_):
        raise Now

    def let_go():
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        blocks.clear()
        time.sleep(STUCK)

    with lockfree.Arena(8 * PAGE, name=shm_name) as arena, lockfree.Arena.attach(shm_name) as other:
        arena.unlink()
        blocks = [arena.alloc(PAGE) for _ in range(3)]
        lock = ffi.cast("uint64_t *", arena._h.h.body)
        lock[0] = other._h.h.participant
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            started = time.monotonic()
            with pytest.raises(Now):
                let_go()
            assert time.monotonic() - started < STUCK / 2
        finally:
            signal.signal(signal.SIGALRM, before)
            lock[0] = 0
        assert arena.available == arena.size_bytes
        assert is_empty(arena)


def stop_in_the_section(arena, ready):
    """Dies now and then with the lock held: only C code could stop there, so it is killed often."""
    ready.put(os.getpid())
    while True:
        for size in (100, PAGE, 5 * PAGE):
            arena.alloc(size)


def test_whoever_is_killed_anywhere_the_others_go_on(arena):
    for _ in range(20):
        ready = multiprocessing.get_context("fork").SimpleQueue()  # whose lock dies with who is killed in put
        process = another(stop_in_the_section, arena, ready)
        ready.get()
        time.sleep(0.005)
        process.kill()
        process.join()
        assert arena.alloc(64 * PAGE, block=True, timeout=60) is not None
    assert is_empty(arena)


def test_open_names_the_argument_that_differs(shm_name):
    with (
        lockfree.Arena(1 << 16, name=shm_name),
        pytest.raises(lockfree.SegmentError, match=": huge_pages: found False"),
    ):
        lockfree.Arena.open(shm_name, 1 << 16, huge_pages=True)
