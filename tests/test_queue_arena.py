"""Queues whose large buffers travel through an Arena."""

import asyncio
import contextlib
import copyreg
import gc
import multiprocessing
import pickle
import queue
import sys
import threading
import time
import types

import numpy as np
import pytest

import lockfree
from lockfree import _cargo, _pickles

SIZE = 1 << 20
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def arena():
    with contextlib.closing(lockfree.Arena(8 * SIZE)) as made:
        yield made


@pytest.fixture
def q(arena):
    with contextlib.closing(lockfree.Queue(4, arena=arena)) as made:
        yield made


def left(arena):
    gc.collect()
    stats = arena.stats()
    return stats["blocks"], stats["promises"]


@pytest.mark.parametrize("make", [lockfree.Queue, lockfree.JoinableQueue, lockfree.SimpleQueue])
def test_arrays_and_views_come_out_as_they_went_in(make, arena):
    with contextlib.closing(make(arena=arena)) as q:
        big, small = np.arange(SIZE // 8.0).reshape(2, -1), np.arange(10)
        read_only = np.ones(SIZE, "u1")
        read_only.flags.writeable = False
        view = memoryview(bytearray(range(256)) * 1000).cast("H")
        q.put({"big": big, "small": small, "twice": [big, big], "fixed": read_only, "view": view, "n": 3})
        got = q.get()
        assert arena.stats()["blocks"] == 3
        assert (got["big"] == big).all()
        assert (got["small"] == small).all()
        assert got["twice"][0] is got["twice"][1] is got["big"]
        assert got["big"].flags.writeable
        assert not got["fixed"].flags.writeable
        assert (got["view"], got["view"].format, got["n"]) == (view, "H", 3)
        got["big"][:] = 0
        assert big[1, 1] != 0
        q.put("only a pickle")
        assert q.get() == "only a pickle"
        del got
        assert left(arena) == (0, 0)


ARRAYS = {
    "float64": np.arange(1e5),
    "another shape": np.arange(1e5).reshape(10, -1),
    "float32": np.arange(1e5, dtype="f4"),
    "columns first": np.asfortranarray(np.arange(1e5).reshape(10, -1)),
    "one column": np.arange(1e5).reshape(-1, 1),
    "read-only": np.broadcast_to(np.arange(1e5), 100_000),
    "big endian": np.arange(1e5).astype(">f8"),
    "times": np.arange(100_000).astype("M8[s]"),
    "records": np.zeros(100_000, [("a", "i4"), ("b", "f8")]),
    "a step": np.arange(2e5)[::2],
}


def test_each_array_of_many_comes_out_as_it_went_in(arena, q):
    for turn in range(3):  # from the second one on, the pickle of the first one is used again
        for name, array in ARRAYS.items():
            sent = array + turn if array.dtype.kind == "f" and array.flags.writeable else array
            q.put(sent)
            got = q.get()
            assert (got == sent).all(), name
            assert (got.dtype, got.shape, got.flags.writeable) == (sent.dtype, sent.shape, sent.flags.writeable), name
            assert got.flags.f_contiguous == (sent.flags.f_contiguous or name == "a step"), name
    del got
    assert left(arena) == (0, 0)


def test_a_queue_remembers_the_pickles_of_some_arrays(arena, q):
    for n in range(_cargo.LEAST, _cargo.LEAST + 3 * _cargo._MOST_PICKLES):
        q.put(np.full(n, n % 256, "u1"))
        got = q.get()
        assert (len(got), got[0], got[-1]) == (n, n % 256, n % 256)
    assert len(q._carrier._pickles) <= _cargo._MOST_PICKLES


def test_a_reducer_for_arrays_has_its_say_at_any_time(q, monkeypatch):
    for _ in range(2):
        q.put(np.arange(1e5))
        assert type(q.get()) is np.ndarray
    monkeypatch.setitem(copyreg.dispatch_table, np.ndarray, lambda array: (len, (list(array[:3]),)))
    q.put(np.arange(1e5))
    assert q.get() == 3


def add(q, results):
    while (array := q.get()) is not None:
        array += 1
        results.put((array.shape, array))


@pytest.mark.parametrize("context", ["fork", "spawn", "forkserver"])
def test_between_processes(context, arena, q):
    with contextlib.closing(lockfree.Queue(arena=arena, arena_from=1000)) as results:
        worker = multiprocessing.get_context(context).Process(target=add, args=(q, results))
        worker.start()
        for k in range(20):
            q.put(np.full((3, SIZE // 24), k, "f8"))
            shape, array = results.get(timeout=60)
            assert shape == (3, SIZE // 24)
            assert (array == k + 1).all()
        q.put(None)
        worker.join()
        del array
        assert left(arena) == (0, 0)


def test_an_array_that_stands_in_the_arena_is_not_copied_at_all(arena, q):
    block = arena.alloc(SIZE)
    array = block.array("f4")
    array[:] = 1
    q.put(array)
    assert arena.stats()["blocks"] == 1
    got = q.get()
    got[5] = 2
    assert array[5] == 2  # the same memory
    q.put(got)  # handed on
    del block, array, got
    assert left(arena) == (1, 1)
    got = q.get()
    assert got[5] == 2
    q.put(got[1:])  # it does not begin where the block does
    assert arena.stats()["blocks"] == 2
    assert q.get()[4] == 2
    del got
    assert left(arena) == (0, 0)


def put_of_the_parent(q, array):
    q.put(array)


def test_a_forked_child_copies_what_its_parent_holds(arena, q):
    array = arena.alloc(SIZE).array("u1")
    array[:] = 3
    process = FORK.Process(target=put_of_the_parent, args=(q, array))
    process.start()
    process.join()
    got = q.get()
    array[:] = 4
    assert (got == 3).all()


def test_a_full_arena_is_a_full_queue(arena, q):
    kept = arena.alloc(8 * SIZE - 1)
    for call in (lambda: q.put(np.ones(SIZE), timeout=0.01), lambda: q.put_nowait(np.ones(SIZE))):
        with pytest.raises(queue.Full):
            call()
    assert not q.try_put(np.ones(SIZE))
    threading.Timer(0.05, kept.release).start()
    del kept
    q.put(np.ones(SIZE // 2), timeout=60)
    assert q.get()[7] == 1


def test_an_object_that_no_arena_of_this_size_holds_is_refused_with_the_bound_and_a_way_out(arena, q):
    words = "obj has a buffer of 8388616 bytes: the queue's Arena.* takes at most 8388608. Make an Arena with more `size_bytes`"
    for call in (q.put, q.put_nowait, q.try_put, lambda obj: q.put_many([1, obj])):
        with pytest.raises(ValueError, match=words):
            call([np.ones(SIZE // 8), np.ones(SIZE + 1)])
    while q.try_get() is not None:
        pass
    assert left(arena) == (0, 0)


def test_what_is_not_put_leaves_nothing_in_the_arena(arena, q):
    class Fails:
        def __reduce__(self):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        q.put([np.ones(SIZE // 8), Fails()])
    assert left(arena) == (0, 0)
    for _ in range(4):
        q.put(0)
    began = time.monotonic()
    with pytest.raises(queue.Full):
        q.put(np.ones(SIZE // 8), timeout=0.05)
    assert time.monotonic() - began > 0.04
    assert left(arena) == (0, 0)
    q.shutdown()
    with pytest.raises(lockfree.Closed):
        q.put(np.ones(SIZE // 8))
    assert left(arena) == (0, 0)
    q.close()
    with pytest.raises(ValueError, match="closed"):
        q.put(np.ones(SIZE // 8))
    assert left(arena) == (0, 0)


def test_many(arena, q):
    arrays = [np.full(SIZE // 8, k) for k in range(6)]
    assert q.put_many(arrays) == 4
    assert [array[0] for array in q.get_many()] == [0, 1, 2, 3]
    items = iter(arrays)
    assert q.put_many(items) == 4
    assert next(items) is arrays[4]
    assert len(q.get_many(3)) == 3
    assert len(q.get_many()) == 1
    assert left(arena) == (0, 0)


def test_what_does_not_fit_stays_in_the_iterator(arena):
    with lockfree.Queue(3, size_bytes=4096, arena=arena, arena_from=1) as q:
        numbers = iter([b"%d" % k for k in range(6)])
        assert q.put_many(numbers) == 3
        assert q.put_many(numbers) == 0
        with pytest.raises(queue.Full):
            q.put_many(numbers, True, 0.01)
        assert next(numbers) == b"3"
        assert q.get_many() == [b"0", b"1", b"2"]
        q.shutdown()
        with pytest.raises(lockfree.Closed):
            q.put_many(numbers)
        assert list(numbers) == [b"4", b"5"]
    assert left(arena) == (0, 0)


def test_what_has_a_place_and_no_memory_is_in_the_exception(arena):
    with lockfree.Queue(9, size_bytes=4096, arena=arena, arena_from=1) as q:
        large = np.ones(arena.available // 2 + 1, "u1")
        items = iter([large, large, b"left"])
        with pytest.raises(queue.Full) as full:
            q.put_many(items)
        assert full.value.put == 1
        assert full.value.record is large
        assert list(items) == [b"left"]
        assert (q.get() == large).all()
    del full
    assert left(arena) == (0, 0)


def test_awaited_puts_that_are_cancelled_leave_nothing(arena, q):
    async def main():
        for _ in range(4):
            await q.aput(np.ones(SIZE // 8))
        waiting = asyncio.create_task(q.aput(np.ones(SIZE // 8)))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        del waiting
        return [(await q.aget())[3] for _ in range(4)]

    assert asyncio.run(main()) == [1] * 4
    assert left(arena) == (0, 0)


def test_a_block_whose_promise_was_reclaimed_is_an_error_of_get(arena, q):
    q.put([np.ones(SIZE // 8), np.ones(SIZE // 4)])
    assert arena.reclaim_promises(0) == 2
    with pytest.raises(LookupError, match="the block of this handle is gone"):
        q.get()
    assert q.empty()
    assert left(arena) == (0, 0)


def test_other_handles_of_the_queue(arena, shm_name):
    with contextlib.closing(lockfree.Queue(3, arena=arena, name=shm_name)) as q:
        for make in (
            lambda: lockfree.Queue.attach(shm_name, arena=arena),
            lambda: lockfree.Queue.open(shm_name, 3, arena=arena, arena_from=10),
        ):
            with contextlib.closing(make()) as other:
                q.put(np.ones(SIZE // 8))
                assert other.get()[0] == 1
        q.unlink()


@pytest.mark.parametrize("end", ["close", "shutdown"])
def test_an_arena_that_has_ended_is_no_shutdown_of_the_queue(end):
    arena, array = lockfree.Arena(1 << 18), np.arange(1 << 12)
    q = lockfree.Queue(8, arena=arena, arena_from=1)
    q.put(array)
    getattr(arena, end)()
    puts = [
        lambda: q.put(array),
        lambda: q.put_nowait(array),
        lambda: q.try_put(array),
        lambda: q.put_many([array]),
        lambda: q.put_many(iter([array])),
        lambda: asyncio.run(q.aput(array)),
    ]
    gets = [lambda: q.get()] if end == "close" else []
    for call in puts + gets:
        with pytest.raises(
            lockfree.Closed, match=f"Arena: the object {'is closed' if gets else 'was shut down'}"
        ) as told:
            call()
        assert not isinstance(told.value, lockfree.ShutDown)
    assert not q.is_shutdown
    q.put(5)
    if end == "shutdown":  # what is inside can be opened still
        assert (q.get() == array).all()
    else:
        with pytest.raises(lockfree.Closed):
            q.get()  # it is inside again, behind the other one
    assert q.get() == 5  # what is small needs no arena
    assert q.qsize() == (end == "close")
    q.shutdown()
    with pytest.raises(lockfree.ShutDown):
        q.put(5)
    q.close()
    with pytest.raises(lockfree.Closed, match="is closed"):
        q.put(5)


def test_what_cannot_be_opened_here_is_inside_again(arena, shm_name):
    array = np.arange(SIZE // 8)
    with contextlib.closing(lockfree.JoinableQueue(4, arena=arena, name=shm_name)) as q:
        q.unlink()
        q.put({"one": array, "two": array[::2].copy()})
        ended, other = lockfree.Arena(1 << 16), lockfree.Arena(1 << 16)
        for make, error, says in [
            (lambda: q._adopt(q._duplicate(), None), RuntimeError, "made without `arena`"),
            (lambda: with_arena(q, ended), lockfree.Closed, "Arena: the object is closed"),
            (lambda: with_arena(q, other), ValueError, "the handle is of another arena"),
        ]:
            with contextlib.closing(make()) as another:
                ended.close()
                for _ in range(2):
                    with pytest.raises(error, match=says) as told:
                        another.get(False)
                    assert told.value.__context__ is None
            assert (q.qsize(), q.unfinished()) == (1, 1)
        got = q.get()
        assert (got["one"] == array).all()
        assert (got["two"] == array[::2]).all()
        del got
        assert left(arena) == (0, 0)
        q.task_done()
        assert q.join(0)


def with_arena(q, arena):
    other = q._adopt(q._duplicate(), None)
    other._means(None, None, arena, None)
    return other


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ZeroDivisionError])
def test_what_is_interrupted_while_it_is_unpickled_leaves_nothing(arena, q, error):
    Interrupted.errors = [error]
    q.put([np.arange(SIZE // 8), Interrupted()])
    with pytest.raises(error):
        q.get()
    if error is not ZeroDivisionError:
        assert left(arena) == (1, 1)
        assert (q.get()[0] == np.arange(SIZE // 8)).all()
    assert q.empty()
    assert left(arena) == (0, 0)


def interrupted():
    if Interrupted.errors:
        raise Interrupted.errors.pop()


class Interrupted:
    def __reduce__(self):
        return interrupted, ()


def test_an_arena_without_a_free_hold_leaves_the_message_inside():
    with contextlib.closing(lockfree.Arena(1 << 16, max_blocks=2)) as arena:
        with contextlib.closing(lockfree.Queue(2, arena=arena, arena_from=1)) as q:
            q.put([np.arange(10), np.arange(20)])
            kept = [arena.open_block(handle) for handle in weak_handles(arena, q, 3)]
            with pytest.raises(MemoryError, match="all 4 holds are in use"):
                q.get()  # it has opened the first one
            assert q.qsize() == 1
            assert left(arena) == (2, 2)
            kept.clear()
            assert [len(one) for one in q.get()] == [10, 20]
        assert left(arena) == (0, 0)


def weak_handles(arena, q, count):
    """Of the first block of the message inside, which stays there."""
    found = []

    def look(message):
        found.append(bytes(message))
        raise ZeroDivisionError

    with contextlib.suppress(ZeroDivisionError):
        q._get_converted(look, KeyError, False)
    (handle, _), *_ = _cargo._entries(memoryview(found[0]))[0]
    block = arena.open_block(handle)
    arena._promise(block._seen())
    return [block.handle(readers=0)] * count


@pytest.mark.parametrize(
    ("named", "error", "says"),
    [
        ({"arena": 3}, TypeError, "arena is 3: it must be an Arena"),
        ({"arena_from": 3}, ValueError, "arena_from is 3: it has no effect without `arena`"),
        ({"arena": True, "arena_from": 0}, ValueError, "arena_from is 0: it must be between 1"),
        ({"arena": True, "dumps": bytes, "loads": bytes}, ValueError, "arena and dumps exclude each other"),
    ],
)
def test_bad_arguments_are_named(arena, named, error, says):
    if named.get("arena") is True:
        named = {**named, "arena": arena}
    with pytest.raises(error, match=says):
        lockfree.Queue(**named)


@pytest.mark.parametrize(
    "message",
    [b"\x02", b"\x02" + bytes(15), b"\x02" + bytes(7) + b"\xff" * 8, b"\x02" + bytes(6) + b"\1" + bytes(60)],
)
def test_a_message_that_nobody_wrote_is_refused(arena, message):
    carrier = _cargo.Carrier(arena, None)
    with pytest.raises((pickle.UnpicklingError, EOFError, ValueError)):
        unpack(carrier, message)


def unpack(carrier, message):
    try:
        carrier.unpack(message)
    except _pickles.Within as within:
        raise within.error from None


def test_a_buffer_longer_than_its_block_is_refused(arena):
    carrier = _cargo.Carrier(arena, None)
    cargo = _cargo.Cargo(arena)
    cargo.blocks, cargo.sizes, cargo.pickle = [arena.alloc(100)._seen()], [101], [pickle.dumps(1)]
    messages = []
    cargo.put(lambda pieces: messages.append(b"".join(pieces)))
    cargo.give_up()
    with pytest.raises(pickle.UnpicklingError, match="a buffer of 101 bytes in a block of 100"):
        unpack(carrier, messages[0])
    assert left(arena) == (0, 0)


def test_nothing_is_asked_of_a_torch_that_is_still_being_imported(q, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
    q.put(["a list"])
    assert q.get() == ["a list"]


def test_tensors_arrive_as_tensors_over_the_block(arena, q):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    size, free = 100_000, arena.available
    for dtype in (torch.float32, torch.int64, torch.bfloat16, torch.bool, torch.complex64):
        sent = (torch.arange(size) % 2).to(dtype).reshape(100, -1).t()  # not contiguous
        q.put({"deep": [sent]})
        del sent
        got = q.get()["deep"][0]
        assert (type(got), got.dtype, got.shape) == (torch.Tensor, dtype, (size // 100, 100))
        assert torch.equal(got, (torch.arange(size) % 2).to(dtype).reshape(100, -1).t())
        assert arena.available < free  # the tensor holds its block
        row = got[3:]
        del got
        row[0, 0] = 1
        assert arena.available < free
        del row
        assert arena.available == free


def test_tensors_that_are_not_plain_travel_as_torch_pickles_them(arena, q):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    for sent in (torch.tensor(7), torch.empty(0, 3), torch.ones(3, requires_grad=True), torch.eye(3).to_sparse(),
                 torch.nn.Parameter(torch.ones(3)), torch.ones(2, dtype=torch.complex64).conj()):  # fmt: skip
        q.put(sent)
        got = q.get()
        assert (type(got), got.shape, got.requires_grad, got.layout) == (
            type(sent), sent.shape, sent.requires_grad, sent.layout)  # fmt: skip
        assert torch.equal(got.detach().to_dense(), sent.detach().to_dense())


def test_a_tensor_that_stands_in_the_arena_is_not_copied(arena, q):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    block = arena.alloc(400_000)
    tensor = torch.from_dlpack(block).view(torch.float32).reshape(100, -1)
    q.put(tensor)
    got = q.get()
    got[1, 1] = 5
    assert tensor[1, 1] == 5
