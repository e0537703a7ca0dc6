import array
import contextlib
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import lockfree
from lockfree import BlockPool
from lockfree import _sweep as sweeping
from lockfree._native import PURE
from lockfree._segment import starting_at


@pytest.fixture
def pool():
    with contextlib.closing(lockfree.BlockPool(8)) as made:
        yield made


def hold_for_ever(pool, n, ready):
    ready.put((pool.lease, pool.alloc(n).tolist()))
    time.sleep(600)


def seal_and_leave(pool, answer):
    answer.put(pool.seal(pool.alloc(3)))


def another(target, *arguments, context="fork"):
    process = multiprocessing.get_context(context).Process(target=target, args=arguments)
    process.start()
    return process


@pytest.fixture
def holder(pool):
    """Another process that holds three blocks: (process, lease, blocks)."""
    ready = multiprocessing.get_context("fork").SimpleQueue()
    process = another(hold_for_ever, pool, 3, ready)
    yield process, *ready.get()
    process.kill()
    process.join()


class Model(RuleBasedStateMachine):
    """Against a list of free blocks and a dictionary of references, with positions that wrap."""

    def __init__(self):
        super().__init__()
        self.pool = starting_at(2**32 - 20, lockfree.BlockPool, 7)
        self.free, self.held, self.batches = list(range(7)), {}, {}

    def teardown(self):
        self.pool.close()

    @rule(n=st.integers(1, 7))
    def alloc(self, n):
        got = self.pool.alloc(n)
        if n > len(self.free):
            assert got is None
        else:
            assert got.tolist() == self.free[:n]
            self.free = self.free[n:]
            self.held |= dict.fromkeys(got.tolist(), 1)

    @rule(blocks=st.lists(st.integers(0, 8), max_size=4, unique=True), share=st.booleans())
    def free_or_retain(self, blocks, share):
        call = self.pool.retain if share else self.pool.free
        if any(block not in self.held for block in blocks):
            with pytest.raises(ValueError, match=r"blocks\["):
                call(blocks)
            return
        call(blocks)
        for block in blocks:
            self.held[block] += 1 if share else -1
            if self.held[block] == 0:
                del self.held[block]
                self.free.append(block)

    @rule(data=st.data())
    def seal(self, data):
        if self.held:
            blocks = data.draw(st.lists(st.sampled_from(sorted(self.held)), min_size=1, unique=True))
            self.batches[self.pool.seal(blocks)] = {block: self.held.pop(block) for block in blocks}

    @rule(data=st.data())
    def adopt(self, data):
        if self.batches:
            ticket = data.draw(st.sampled_from(sorted(self.batches)))
            blocks = self.batches.pop(ticket)
            assert self.pool.adopt(ticket).tolist() == sorted(blocks)
            self.held |= blocks
            with pytest.raises(LookupError, match="no batch with ticket"):
                self.pool.adopt(ticket)

    @invariant()
    def counts(self):
        assert self.pool.available == len(self.free)
        batched = {block: n for batch in self.batches.values() for block, n in batch.items()}
        assert self.pool.references(range(7)) == [self.held.get(b, batched.get(b, 0)) for b in range(7)]


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda _: lockfree.BlockPool(0), ValueError, "blocks is 0: it must be between 1 and 16777216"),
        (lambda _: lockfree.BlockPool(2**24 + 1), ValueError, "must be between 1 and 16777216"),
        (lambda _: lockfree.BlockPool(2.5), TypeError, "blocks is 2.5"),
        (lambda p: p.alloc(0), ValueError, "n is 0: it must be between 1 and 8"),
        (lambda p: p.alloc(9), ValueError, "n is 9: it must be between 1 and 8"),
        (lambda p: p.alloc(1, True, -1), ValueError, "timeout is -1"),
        (lambda p: p.free([8]), ValueError, r"blocks\[0\] is 8: it must be between 0 and 7"),
        (lambda p: p.free([-1]), ValueError, r"blocks\[0\] is -1: it must be between 0 and 7"),
        (lambda p: p.free([2**32]), ValueError, r"blocks\[0\] is 4294967296: it must be between 0 and 7"),
        (lambda p: p.free([1.0]), TypeError, "a list of integers"),
        (lambda p: p.free([[1], [2]]), TypeError, "a list of integers"),
        (lambda p: p.free("12"), TypeError, "a list of integers"),
        (lambda p: p.free([3]), ValueError, r"blocks\[0\] is 3: this block is free, since its generation 0 began"),
        (lambda p: p.free([0, 1], [0]), ValueError, "generations has 1 entries: it must have one for each of 2 blocks"),
        (lambda p: p.generations([8]), ValueError, r"blocks\[0\] is 8: it must be between 0 and 7"),
        (lambda p: p.retain([3]), ValueError, "this block is free"),
        (lambda p: p.seal([3]), ValueError, "this block is free"),
        (lambda p: p.adopt(17), LookupError, "no batch with ticket 17"),
        (lambda p: p.adopt(-1), ValueError, "ticket is -1"),
        (lambda p: p.supersede(p.lease), ValueError, "this process's own"),
        (lambda p: p.supersede(4000), LookupError, "the lease 4000 has ended"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(pool, call, error, says):
    with pytest.raises(error, match=says):
        call(pool)
    assert pool.available == 8


def test_all_or_nothing_and_numbers_are_of_numpy(pool):
    blocks = pool.alloc(5)
    assert (blocks.dtype, blocks.tolist()) == (np.uint32, [0, 1, 2, 3, 4])
    assert pool.alloc(4) is None
    assert pool.alloc(4, block=True, timeout=0.01) is None
    pool.free(blocks[::2])  # not contiguous
    assert pool.available == 6
    pool.free([])
    assert "blocks=8 available=6" in repr(pool)


def test_a_list_with_one_wrong_block_frees_none(pool):
    blocks = pool.alloc(3)
    with pytest.raises(ValueError, match=r"blocks\[2\] is 7"):
        pool.free([*blocks[:2], 7])
    assert pool.available == 5
    with pytest.raises(ValueError, match="more often than it has references"):
        pool.free([0, 0])
    assert pool.available == 6


def test_a_generation_finds_a_use_after_free(pool):
    blocks = pool.alloc(2)
    before = pool.generations(blocks)
    pool.free(blocks)
    assert pool.alloc(8) is not None
    with pytest.raises(ValueError, match="its generation is 1, not 0: it was freed, and allocated again"):
        pool.free(blocks, before)
    pool.free(blocks, pool.generations(blocks))


def test_blocks_of_another_process_are_refused(pool, holder):
    process, _, blocks = holder
    with pytest.raises(ValueError, match=f"this block belongs to process {process.pid}"):
        pool.free(blocks)
    assert pool.available == 5


@pytest.mark.parametrize("context", ["fork", "spawn", "forkserver"])
def test_a_batch_outlives_its_maker(pool, context):
    answer = multiprocessing.get_context(context).SimpleQueue()
    another(seal_and_leave, pool, answer, context=context).join()
    ticket = answer.get()
    pool.recover_dead()
    assert pool.available == 5
    with pytest.raises(ValueError, match="this block is in a sealed batch"):
        pool.free([0])
    pool.free(pool.adopt(ticket))
    assert pool.available == 8


@pytest.mark.skipif(PURE, reason="the answer is made in C")
def test_no_memory_for_the_answer_loses_no_batch():
    memory = pytest.importorskip("_testcapi")
    refused = 0
    for at in range(40):
        with BlockPool(8) as pool:
            ticket = pool.seal(pool.alloc(3))
            memory.set_nomemory(at, at + 1)
            try:
                found = pool.adopt(ticket)
            except MemoryError:
                refused += 1
                found = None
            finally:
                memory.remove_mem_hooks()
            assert len(pool.adopt(ticket) if found is None else found) == 3
    assert refused > 0


def test_blocks_of_the_dead_come_back_to_who_waits(pool, holder):
    process, _, _ = holder
    assert pool.alloc(8) is None
    threading.Timer(0.1, os.kill, (process.pid, signal.SIGKILL)).start()
    assert sorted(pool.alloc(8, block=True, timeout=60).tolist()) == list(range(8))


def test_who_takes_over_has_the_blocks_and_the_other_is_refused(pool, holder):
    _, lease, blocks = holder
    assert pool.supersede(lease).tolist() == blocks
    pool.free(blocks)
    assert pool.available == 8
    assert pool.reclaim(lease) == 0


def superseded(pool, ready, told):
    blocks = pool.alloc(2)
    ready.put(pool.lease)
    told.get()
    for call in (
        lambda: pool.free(blocks),
        lambda: pool.retain(blocks),
        lambda: pool.alloc(1),
        lambda: pool.seal(blocks),
    ):
        try:
            call()
        except lockfree.Superseded as error:
            ready.put(str(error))


def test_a_process_that_only_seemed_dead_changes_nothing(pool):
    context = multiprocessing.get_context("fork")
    ready, told = context.SimpleQueue(), context.SimpleQueue()
    process = another(superseded, pool, ready, told)
    assert pool.reclaim(ready.get()) == 2
    told.put("go on")
    for _ in range(4):
        assert "another participant has taken over" in ready.get()
    process.join()
    assert pool.available == 8


def test_shutdown_ends_allocation_and_not_freeing(pool):
    blocks = pool.alloc(8)
    errors = []

    def wait():
        with pytest.raises(lockfree.Closed) as error:
            pool.alloc(1, block=True)
        errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.05)
    pool.shutdown()
    thread.join(60)
    assert len(errors) == 1
    pool.free(blocks)
    assert pool.available == 8
    with pytest.raises(lockfree.Closed):
        pool.alloc(1)


def test_a_named_pool_is_found_again(shm_name):
    with contextlib.closing(lockfree.BlockPool(4, name=shm_name)) as pool:
        ticket = pool.seal(pool.alloc(2))
    with contextlib.closing(lockfree.BlockPool.attach(shm_name)) as again:  # nobody used it in between
        assert again.available == 2
        assert again.adopt(ticket).tolist() == [0, 1]
        again.unlink()


def test_after_close(pool):
    pool.close()
    for call in (lambda: pool.alloc(), lambda: pool.free([0]), lambda: pool.available, lambda: pool.adopt(1)):
        with pytest.raises(lockfree.Closed):
            call()


@pytest.mark.skipif(PURE, reason="the C types are not in use")
@pytest.mark.parametrize("call", ["reclaim", "free", "retain", "references"])
def test_what_is_done_runs_no_python_code_afterwards(pool, holder, call):
    """Where a call has changed something, no step of Python code follows in which a handler could lose its answer. Those
    that hand blocks out are test_signals.py's."""
    _, lease, _ = holder
    kept = pool.alloc(4)[2:]
    calls = {
        "reclaim": lambda: pool.reclaim(lease),
        "free": lambda: pool.free(kept),
        "retain": lambda: pool.retain(kept),
        "references": lambda: pool.references(kept),
    }
    state, steps = [], []

    def trace(frame, _event, _argument):
        if frame.f_code is not calls[call].__code__ and "lockfree" in frame.f_code.co_filename:
            state.append((pool.available, lockfree.BlockPool.references(pool, range(8))))
            steps.append(frame.f_code.co_name)
        return trace

    before = (pool.available, pool.references(range(8)))
    sys.settrace(trace)
    try:
        calls[call]()
    finally:
        sys.settrace(None)
    assert all(seen == before for seen in state), steps
    assert bool(steps) == (call == "references")


@pytest.mark.skipif(PURE, reason="there, the last reference to the handle keeps it attached")
@pytest.mark.parametrize("n", [1, 20_000])
def test_close_while_others_are_inside(n):
    for _ in range(20):
        pool = lockfree.BlockPool(40_000)
        wrong = []

        def work(pool=pool, wrong=wrong):
            try:
                while True:
                    blocks = pool.alloc(n, True, 1)
                    pool.references(blocks)
                    pool.free(pool.adopt(pool.seal(blocks)))
            except lockfree.Closed:
                pass
            except BaseException as error:
                wrong.append(error)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.005)
        pool.close()
        for thread in threads:
            thread.join(30)
        assert not wrong


def test_large_batches_give_the_gil_up_and_answer_the_same():
    from lockfree import block_pool

    many = 2 * block_pool.MANY
    with lockfree.BlockPool(many) as pool:
        blocks = pool.alloc(many)
        assert sorted(blocks) == list(range(many))
        assert pool.alloc(1) is None
        pool.retain(blocks)
        assert set(pool.references(blocks)) == {2}
        assert pool.adopt(pool.seal(blocks)).tolist() == list(range(many))
        kept = blocks.copy()
        pool.free(blocks)
        with pytest.raises(ValueError, match=rf"blocks\[{many}\] is {many}: it must be between 0 and {many - 1}"):
            pool.free([*blocks, many])
        assert (blocks == kept).all()
        pool.free(blocks, pool.generations(blocks))
        assert pool.available == many
        assert pool.alloc(many, block=True, timeout=0).size == many
        assert pool.alloc(many, block=True, timeout=0.01) is None


# ---- arrays that serve again ----


@pytest.mark.parametrize(
    "kept", [lambda a: a, lambda a: a[1:], lambda a: a[::-1], memoryview, lambda a: a.reshape(1, 2)]
)
def test_numbers_that_somebody_has_are_never_overwritten(pool, kept):
    for _ in range(2):
        somebodys = kept(pool.alloc(2))
        before = somebodys.tolist()
        assert pool.alloc(2).tolist() != before
        assert somebodys.tolist() == before
        pool.free(np.asarray(somebodys).ravel())


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.setflags(write=False),
        lambda a: setattr(a, "shape", (2, 1)),
        lambda a: setattr(a, "dtype", np.int32),
        lambda a: a.resize(1, refcheck=False),
    ],
)
def test_an_array_that_was_changed_does_not_serve_again(pool, change):
    array = pool.alloc(2)
    change(array)
    del array
    again = pool.alloc(2)
    assert (again.tolist(), again.dtype, again.flags.writeable) == ([2, 3], np.uint32, True)


def test_a_weak_reference_sees_no_later_numbers(pool):
    array = pool.alloc(2)
    seen = weakref.ref(array)
    del array
    assert pool.alloc(2) is not seen()
    assert seen() is None or seen().tolist() == [0, 1]


# ---- few blocks, which the C type takes as they are, and what it leaves to the class ----

AS = {
    "array": lambda numbers: np.array(numbers, np.uint32),
    "list": list,
    "tuple": tuple,
    "i8": lambda numbers: np.array(numbers, np.int64),
    "big-endian": lambda numbers: np.array(numbers, ">u4"),
    "every second": lambda numbers: np.repeat(np.array(numbers, np.uint32), 2)[::2],
    "array.array": lambda numbers: array.array("I", numbers),
    "memoryview": lambda numbers: memoryview(np.array(numbers, np.uint32)),
    "numpy integers": lambda numbers: [np.int16(number) for number in numbers],
}


@pytest.mark.parametrize("kind", AS)
@pytest.mark.parametrize("count", [0, 1, 3, 255, 256, 257, 900])
def test_blocks_may_be_given_as_any_list_of_integers(kind, count):
    with BlockPool(1000) as pool:
        pool.alloc(1000)
        numbers = list(range(999, 999 - count, -1))
        pool.retain(AS[kind](numbers))
        assert pool.references(numbers) == [2] * count
        pool.free(AS[kind](numbers))
        pool.free(AS[kind](numbers))
        assert pool.available == count
        if count:
            with pytest.raises(
                ValueError, match=r"blocks\[0\] is 999: this block is free, since its generation 1 began"
            ):
                pool.free(AS[kind](numbers))
            with pytest.raises(ValueError, match=r"blocks\[0\] is 999: this block is free"):
                pool.retain(AS[kind](numbers))


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ([-1], ValueError, r"blocks\[0\] is -1: it must be between 0 and 7"),
        ([2**32], ValueError, r"blocks\[0\] is 4294967296: it must be between 0 and 7"),
        ([2**70], TypeError, "blocks is of type object"),
        ([0.5], TypeError, "blocks is of type float64"),
        ([True], TypeError, "blocks is of type bool"),
        (np.zeros((2, 2), np.uint32), TypeError, "with 2 dimensions"),
        ("5", TypeError, "blocks is of type"),
        (b"\0\0\0\0", TypeError, "blocks is of type"),
        ([8], ValueError, r"blocks\[0\] is 8: it must be between 0 and 7"),
        (array.array("I", [2**32 - 1]), ValueError, r"blocks\[0\] is 4294967295: it must be between 0 and 7"),
    ],
)
def test_what_is_no_list_of_blocks_is_refused(pool, given, error, says):
    pool.alloc(8)
    for call in (pool.free, pool.retain):
        with pytest.raises(error, match=says):
            call(given)
    assert pool.available == 0


# ---- orders, and pools that outlive their users ----


def test_lifo_hands_out_what_became_free_last():
    with BlockPool(6, order="lifo") as pool, BlockPool(6) as fifo:
        assert (pool.order, fifo.order) == ("lifo", "fifo")
        for each in (pool, fifo):
            blocks = each.alloc(4)
            assert blocks.tolist() == [0, 1, 2, 3]
            each.free([2, 1])
            each.free([3])
            assert each.available == 5
            assert each.alloc(6) is None
            assert each.alloc(5).tolist() == ([3, 1, 2, 4, 5] if each is pool else [4, 5, 2, 1, 3])
            assert each.available == 0
            assert each.alloc() is None


class Stack(RuleBasedStateMachine):
    """A LIFO pool against a list."""

    def __init__(self):
        super().__init__()
        self.pool = starting_at(2**31 - 3, BlockPool, 7, order="lifo")
        self.free_blocks, self.held = list(reversed(range(7))), []

    @rule(n=st.integers(1, 7))
    def alloc(self, n):
        found = self.pool.alloc(n)
        if n > len(self.free_blocks):
            assert found is None
        else:
            expected = [self.free_blocks.pop() for _ in range(n)]
            assert found.tolist() == expected
            self.held += expected

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def free(self, data):
        blocks = data.draw(st.lists(st.sampled_from(self.held), unique=True))
        self.pool.free(blocks)
        self.free_blocks += blocks
        self.held = [block for block in self.held if block not in blocks]

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def hand_over(self, data):
        blocks = data.draw(st.lists(st.sampled_from(self.held), unique=True))
        assert self.pool.adopt(self.pool.seal(blocks)).tolist() == sorted(blocks)

    @invariant()
    def agrees(self):
        assert self.pool.available == len(self.free_blocks)
        assert self.pool.references(range(7)) == [int(block in self.held) for block in range(7)]

    def teardown(self):
        self.pool.close()


TestStack = Stack.TestCase
TestStack.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize("order", ["fifo", "lifo"])
def test_blocks_of_a_killed_process_come_back_in_either_order(order):
    with BlockPool(2000, order=order) as pool:
        pid = os.fork()
        if pid == 0:
            pool.alloc(1500)
            pool.free(pool.alloc(7))
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(pid, 0)
        assert sorted(pool.alloc(2000, block=True, timeout=60).tolist()) == list(range(2000))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"order": "fifth"}, 'order is .fifth.: it must be "fifo" or "lifo"'),
        ({"order": None}, 'order is None: it must be "fifo" or "lifo"'),
        ({"persistent": True}, "persistent is True and name is None: without a name"),
    ],
)
def test_bad_orders_and_persistence_are_refused(given, says):
    with pytest.raises(ValueError, match=says):
        BlockPool(4, **given)


def test_open_says_which_order_it_found(shm_name):
    with BlockPool(4, order="lifo", name=shm_name) as made:
        with BlockPool.attach(shm_name) as found:
            assert (found.order, found.persistent) == ("lifo", False)
        with pytest.raises(lockfree.SegmentError, match=r"order: found .lifo., asked for .fifo."):
            BlockPool.open(shm_name, 4)
        assert pickle.loads(pickle.dumps(made)).order == "lifo"
        made.unlink()


def test_gc_keeps_a_persistent_pool_and_what_was_sealed_in_it(shm_name):
    def gc(*names):
        words = [sys.executable, "-m", "lockfree", "gc", *names]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    code = f"""if True:
        import lockfree
        pool = lockfree.BlockPool(8, name={shm_name!r}, persistent=True)
        pool.alloc(2)
        print(pool.seal(pool.alloc(3)))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    segment = next(segment for segment in sweeping.segments() if segment.name == shm_name)
    assert (segment.persistent, segment.in_use) == (True, False)
    assert f"kept     {shm_name}: it is persistent; `lockfree gc {shm_name}` removes it" in gc("--dry-run")
    with BlockPool.open(shm_name, 8, persistent=True) as pool:
        assert pool.persistent
        assert pool.available == 5  # what was not sealed is free again
        assert pool.adopt(int(done.stdout)).tolist() == [2, 3, 4]
        assert f"in use   {shm_name}" in gc(shm_name)
    assert f"removed  {shm_name}" in gc(shm_name)
    with pytest.raises(FileNotFoundError):
        BlockPool.attach(shm_name)
