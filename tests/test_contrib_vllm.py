import functools
import itertools
import math
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import types
from pathlib import Path

import pytest
from threads import started

from lockfree import RoleTaken
from lockfree.contrib.vllm import MessageQueue, ReaderDied, WriterDied


@pytest.fixture
def made():
    """A writer and two readers in this process."""
    writer = MessageQueue(2, 2, max_chunk_bytes=4096, max_chunks=4)
    handle = pickle.loads(pickle.dumps(writer.export_handle()))
    readers = [MessageQueue.create_from_handle(handle, rank) for rank in (0, 1)]
    for queue in (writer, *readers):
        queue.wait_until_ready()
    yield writer, readers
    for queue in (writer, *readers):
        queue.shutdown()


def echo(handle, rank, back):
    queue = MessageQueue.create_from_handle(handle, rank)
    queue.wait_until_ready()
    while (message := queue.dequeue(timeout=60)) is not None:
        back.put((rank, message))


def write_one_and_stand_still(connection):
    queue = MessageQueue(1, 1)
    connection.send(queue.export_handle())
    queue.wait_until_ready()
    queue.enqueue("first")
    time.sleep(600)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_every_reader_gets_every_object(method):
    context = multiprocessing.get_context(method)
    back, writer = context.Queue(), MessageQueue(2, 2, local_reader_ranks=[3, 7], max_chunk_bytes=4096)
    children = [context.Process(target=echo, args=(writer.export_handle(), rank, back)) for rank in (3, 7)]
    for child in children:
        child.start()
    writer.wait_until_ready()
    sent = [1, "text", {"tokens": list(range(100))}, b"x" * 100_000, ("method", (), {})]
    for message in [*sent, None]:
        writer.enqueue(message, timeout=60)
    got = [back.get(timeout=60) for _ in range(2 * len(sent))]
    assert [m for rank, m in got if rank == 3] == sent
    assert [m for rank, m in got if rank == 7] == sent
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    writer.shutdown()


def test_arrays_travel_out_of_band(made):
    numpy = pytest.importorskip("numpy")
    writer, readers = made
    for length in (10, 100_000):  # in one chunk, and in pieces
        array = numpy.arange(length)
        sending = started(lambda: writer.enqueue({"a": array}, timeout=60))  # noqa: B023 - it is joined below
        reading = started(lambda: readers[1].dequeue(timeout=60))
        got = [readers[0].dequeue(timeout=60), reading()]
        assert sending() is None
        for message in got:
            assert (message["a"] == array).all()
            message["a"][0] = 5  # memory of its own


def names():
    return {path.name for path in Path("/dev/shm").iterdir() if str(os.getpid()) in path.name or "vllm" in path.name}


def test_a_queue_never_has_a_name(made):
    writer, _ = made
    before = names()
    other = MessageQueue(
        1, 1, max_chunk_bytes=4096
    )  # a writer that is killed now, before anybody is ready, leaves what there is
    assert names() == before
    other.shutdown()
    with pytest.raises(WriterDied, match="has died, or has closed it"):
        MessageQueue.create_from_handle(other.export_handle(), 0)
    with pytest.raises(RoleTaken):
        MessageQueue.create_from_handle(writer.export_handle(), 0)


def test_a_reader_finds_the_file_and_not_its_number(made):
    """The writer's program has closed the descriptor, and another file has its number."""
    writer = MessageQueue(1, 1, max_chunk_bytes=4096)
    number = writer.handle.file[0]
    other = os.open("/dev/null", os.O_RDWR)
    kept = os.dup(number)
    os.dup2(other, number)
    try:
        reader = MessageQueue.create_from_handle(writer.export_handle(), 0)
        writer.enqueue("found", timeout=10)
        assert reader.dequeue(timeout=10) == "found"
        os.close(kept)
        with pytest.raises(WriterDied):
            MessageQueue.create_from_handle(MessageQueue(1, 1, max_chunk_bytes=64).export_handle(), 0)
        reader.shutdown()
    finally:
        os.close(number)
        os.close(other)
    writer.shutdown()


def test_who_is_not_there_yet(made):
    writer = MessageQueue(2, 2, [4, 9], max_chunk_bytes=64)
    with pytest.raises(TimeoutError, match=r"readers \[4, 9\] have not attached"):
        writer.enqueue("nobody would get this", timeout=0.05)
    first = MessageQueue.create_from_handle(writer.export_handle(), 4)
    with pytest.raises(TimeoutError, match=r"readers \[9\] have not attached"), writer.acquire_write(timeout=0.05):
        pass
    first.shutdown()
    with pytest.raises(ReaderDied, match=r"readers \[4\] had attached, and are gone"):
        writer.wait_until_ready()
    writer.shutdown()


def read_and_stand_still(handle, rank, connection):
    queue = MessageQueue.create_from_handle(handle, rank)
    connection.send("ready")
    while True:
        message = queue.dequeue()
        connection.send((message[:1], len(message)))


@pytest.mark.parametrize("length", [10, 100_000])  # in one piece, and in more than the ring holds
def test_the_death_of_readers(length):
    context = multiprocessing.get_context("fork")
    writer = MessageQueue(2, 2, max_chunk_bytes=4096, max_chunks=4)
    pipes = [context.Pipe() for _ in range(2)]
    children = [
        context.Process(target=read_and_stand_still, args=(writer.export_handle(), rank, pipes[rank][1]))
        for rank in range(2)
    ]
    for child in children:
        child.start()
    assert [ours.recv() for ours, _ in pipes] == ["ready"] * 2
    writer.enqueue(b"x" * length, timeout=60)
    os.kill(children[0].pid, signal.SIGKILL)
    for number in range(5):
        writer.enqueue(bytes([number]) * length, timeout=60)  # the other one gets all
    assert [pipes[1][0].recv() for _ in range(6)] == [(b"x", length), *((bytes([n]), length) for n in range(5))]
    os.kill(children[1].pid, signal.SIGKILL)
    for child in children:  # a busy machine ends what was killed when it gets to it
        child.join(60)
    time.sleep(0.01)
    with pytest.raises(ReaderDied, match="no reader is left"):
        writer.enqueue(b"nobody gets it", timeout=60)
    with pytest.raises(ReaderDied), writer.acquire_write():
        pass
    writer.shutdown()


def write_without_end(connection):
    queue = MessageQueue(1, 1, max_chunk_bytes=512, max_chunks=2)
    connection.send(queue.export_handle())
    number = 0
    while True:
        queue.enqueue([number, b"x" * (number % 7 * 400)])
        number += 1


@pytest.mark.parametrize("after", [0.001, 0.01, 0.03])
def test_a_writer_that_is_killed_in_the_middle(after):
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=write_without_end, args=(theirs,))
    child.start()
    reader = MessageQueue.create_from_handle(ours.recv(), 0)
    threading.Timer(after, os.kill, (child.pid, signal.SIGKILL)).start()

    def read_all():
        for number in itertools.count():
            assert reader.dequeue(timeout=60) == [number, b"x" * (number % 7 * 400)]

    with pytest.raises(WriterDied):
        read_all()
    child.join(60)
    reader.shutdown()


def test_a_time_out_says_who_is_late(made):
    writer, readers = made
    with pytest.raises(TimeoutError, match="no message came"):
        readers[0].dequeue(timeout=0.01)
    for _ in range(5):
        writer.enqueue(b"x" * 3000, timeout=0.01)
        readers[0].dequeue(timeout=0.01)
    with pytest.raises(TimeoutError, match=rf"reader 1 \(process {os.getpid()}\) has not read"):
        writer.enqueue(b"x" * 3000, timeout=0.01)
    assert readers[1].dequeue(timeout=0.01) == b"x" * 3000
    writer.enqueue("more", timeout=10)


def test_a_time_out_in_the_middle_of_an_object_loses_nothing(made):
    writer, readers = made
    message = os.urandom(50_000)  # more than the ring holds
    sending = started(lambda: writer.enqueue(message, timeout=10))
    other = started(lambda: readers[1].dequeue(timeout=60))
    while True:
        try:
            got = readers[0].dequeue(timeout=0.0001)
            break
        except TimeoutError:
            continue
    assert got == other() == message
    assert sending() is None


def test_a_put_that_times_out_in_the_middle_is_taken_back(made):
    writer, readers = made
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="has not read"):
        writer.enqueue(b"x" * 100_000, timeout=0.1)
    assert time.monotonic() - began < 5
    with pytest.raises(TimeoutError):
        readers[0].dequeue(timeout=0.01)  # the pieces that came are no object
    sending = started(lambda: [writer.enqueue(m, timeout=60) for m in ("whole", b"y" * 50_000)])
    other = started(lambda: [readers[1].dequeue(timeout=60) for _ in range(2)])
    assert [readers[0].dequeue(timeout=60) for _ in range(2)] == other() == ["whole", b"y" * 50_000]
    sending()


def test_a_time_out_is_also_for_the_turn_of_another_thread(made):
    _, readers = made
    waiting = started(lambda: readers[0].dequeue())
    time.sleep(0.02)
    with pytest.raises(TimeoutError, match="another thread"):
        readers[0].dequeue(timeout=0.02)
    readers[0].shutdown()
    assert "shut down" in str(waiting())


def test_chunks_of_bytes(made):
    writer, readers = made
    with writer.acquire_write(timeout=1) as chunk:
        assert len(chunk) == 4096
        chunk[:5] = b"hello"
    with pytest.raises(KeyError), writer.acquire_write() as chunk:
        raise KeyError
    for reader in readers:
        with pytest.raises(KeyError), reader.acquire_read(timeout=1) as chunk:
            raise KeyError(bytes(chunk[:5]))  # it is passed all the same
        with pytest.raises(TimeoutError), reader.acquire_read(timeout=0.01):
            pass
    with writer.acquire_write() as chunk:
        chunk[:1] = b"\xff"
    with pytest.raises(RuntimeError, match="acquire_read"):
        readers[0].dequeue(timeout=1)


def test_cancel_and_shutdown_from_another_thread(made):
    writer, readers = made
    cancel = threading.Event()
    cancelled = started(lambda: readers[0].dequeue(cancel=cancel))
    waiting = started(lambda: readers[1].dequeue(timeout=0.001, indefinite=True))
    time.sleep(0.05)
    cancel.set()
    readers[1].shutdown()
    assert "cancelled" in str(cancelled())
    assert "the queue was shut down" in str(waiting())
    with pytest.raises(RuntimeError, match="shut down"):
        readers[1].dequeue()
    writer.enqueue("last", timeout=10)  # the reader that is gone holds nobody back
    writer.shutdown()
    assert readers[0].dequeue(timeout=10) == "last"
    with pytest.raises(RuntimeError, match="shut down"):
        readers[0].dequeue(timeout=10)


def test_a_dead_writer_is_told():
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=write_one_and_stand_still, args=(theirs,))
    child.start()
    reader = MessageQueue.create_from_handle(ours.recv(), 0)
    waiting = started(lambda: [reader.dequeue(), reader.dequeue()])
    time.sleep(0.1)
    os.kill(child.pid, signal.SIGKILL)
    child.join(60)
    assert isinstance(error := waiting(), WriterDied)
    assert f"process {child.pid}" in str(error)
    reader.shutdown()


def test_any_thread_may_call(made):
    writer, readers = made
    for number in range(5):
        assert started(lambda: writer.enqueue(number))() is None  # noqa: B023
        assert started(lambda: readers[0].dequeue(timeout=10))() == number
        assert readers[1].dequeue(timeout=10) == number
    assert writer.broadcast_object("x") == "x"
    assert readers[0].broadcast_object() == "x"


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((3, 2), NotImplementedError, "1 of 3 readers are on other machines"),
        ((1, 1, None, 4096, 4, "10.0.0.1"), NotImplementedError, "connect_ip is '10.0.0.1'"),
        ((0, 0), ValueError, "n_reader is 0"),
        ((2, 2, [1]), ValueError, r"local_reader_ranks is \[1\]: it must name 2 different ranks"),
        ((1, 1, None, 8), ValueError, "max_chunk_bytes is 8: it must be between 64"),
    ],
)
def test_what_it_cannot_do_is_refused(arguments, error, text):
    with pytest.raises(error, match=text):
        MessageQueue(*arguments)


def test_sides(made):
    writer, readers = made
    with pytest.raises(RuntimeError, match="this side of the queue writes"):
        writer.dequeue()
    with pytest.raises(RuntimeError, match="this side of the queue reads"):
        readers[0].enqueue(1)
    with pytest.raises(NotImplementedError, match=r"rank 5 is no local reader of this queue \(those are 0, 1\)"):
        MessageQueue.create_from_handle(writer.export_handle(), 5)


@pytest.mark.parametrize("timeout", [math.nan, "soon"])
def test_a_time_out_that_is_no_number_is_refused(made, timeout):
    """With NaN a call looked for ever, without a pause."""
    writer, (reader, *_) = made
    calls = [lambda: reader.dequeue(timeout=timeout), lambda: reader.acquire_read(timeout=timeout).__enter__()]
    calls += [lambda: writer.enqueue(1, timeout=timeout), lambda: writer.acquire_write(timeout=timeout).__enter__()]
    for call in calls:
        with pytest.raises((ValueError, TypeError), match="timeout is"):
            call()
    writer.enqueue(2, timeout=math.inf)
    assert reader.dequeue(timeout=math.inf) == 2


def test_what_a_block_raises_comes_out_after_a_shutdown(made):
    writer, (reader, *_) = made
    with writer.acquire_write() as view:
        view[:3] = b"abc"

    def end_and_raise(side, acquire):
        with acquire():
            side.shutdown()
            raise KeyError("mine")

    for side, acquire in ((reader, reader.acquire_read), (writer, writer.acquire_write)):
        with pytest.raises(KeyError, match="mine"):
            end_and_raise(side, acquire)


def test_the_second_argument_of_dequeue_is_cancel_or_indefinite(made):
    writer, (reader, _) = made
    with pytest.raises(TimeoutError):
        reader.dequeue(0, False)
    with pytest.raises(TypeError, match="cancel is 5: it must be"):
        reader.dequeue(0, 5)
    waits = started(lambda: reader.dequeue(0, True))
    time.sleep(0.05)
    writer.enqueue("late")
    assert waits() == "late"
    writer.enqueue("chunk")
    with reader.acquire_read(0, True) as view:
        assert b"chunk" in bytes(view)


# ---- groups of processes ----


class Group:
    """As vLLM's StatelessProcessGroup, for threads of one process."""

    def __init__(self, rank, world_size, place):
        self.rank, self.world_size, self.place = rank, world_size, place

    def broadcast_obj(self, obj, src):
        if self.rank == src:
            self.place.extend(pickle.dumps(obj) for _ in range(self.world_size - 1))
            return obj
        while not self.place:
            time.sleep(0.001)
        return pickle.loads(self.place.pop())


class Torch(types.ModuleType):
    """What is used of torch.distributed. The group stands in a larger one, where its ranks are 4, 5, 6."""

    def get_rank(self, group):
        return group.rank

    def get_world_size(self, group):
        return group.world_size

    def get_process_group_ranks(self, group):
        return [4 + rank for rank in range(group.world_size)]

    def broadcast_object_list(self, box, src, group):
        box[0] = Group(group.rank, group.world_size, group.place).broadcast_obj(box[0], src - 4)


def in_a_group(make):
    """make(rank, place) in three threads, whose place is common."""
    place = []
    return [join() for join in [started(functools.partial(make, rank, place)) for rank in range(3)]]


@pytest.mark.parametrize("kind", ["stateless", "torch"])
def test_a_process_group_makes_one_writer_and_its_readers(kind, monkeypatch):
    if kind == "torch":
        monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
        monkeypatch.setitem(sys.modules, "torch.distributed", Torch("torch.distributed"))

    def make(rank, place):
        group = Group(rank, 3, place)
        if kind == "torch":
            group = types.SimpleNamespace(rank=rank, world_size=3, place=place)
        return MessageQueue.create_from_process_group(group, 4096, 4, 1)

    queues = in_a_group(make)
    assert queues[1].broadcast_object("to all") == "to all"
    assert [queues[rank].broadcast_object() for rank in (0, 2)] == ["to all"] * 2
    for queue in queues:
        queue.shutdown()


def test_a_process_group_of_readers_of_somebody_else():
    writer = MessageQueue(3, 3)
    readers = in_a_group(
        lambda rank, place: MessageQueue.create_from_process_group(
            Group(rank, 3, place), 4096, 4, external_writer_handle=writer.export_handle() if rank == 0 else None
        )
    )
    writer.enqueue(5)
    assert [reader.dequeue(timeout=60) for reader in readers] == [5] * 3
    for queue in (writer, *readers):
        queue.shutdown()


def test_a_writer_that_is_not_in_the_group():
    with pytest.raises(ValueError, match="writer_rank is 3"):
        MessageQueue.create_from_process_group(Group(0, 3, []), writer_rank=3)
