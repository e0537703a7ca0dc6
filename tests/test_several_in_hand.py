"""Several records in hand for each thread: ended by their views, from any thread, or by the garbage collector."""

import contextlib
import gc
import itertools
import os
import random
import signal
import threading

import numpy as np
import pytest

import lockfree

POINT = np.dtype([("a", "u4"), ("b", "u4")])
CAPACITY = 4
LARGE = 100_000  # bytes: seen in place


class Kind:
    def __init__(self, name):
        self.make = getattr(lockfree, name)
        self.is_queue = name == "PriorityQueue"
        self.more = (0,) if self.is_queue else ()

    def put(self, ring, record):
        ring.put(record, *self.more, block=False)

    def peek(self, ring):
        found = ring.peek()
        return found[1] if self.is_queue and found is not None else found

    def commit(self, ring, *length, **named):
        ring.commit(*self.more, *length, **named)

    def everything(self, ring):
        return [found[1] if self.is_queue else found for found in ring.get_many(99)]

    def free(self, ring):
        """How many slots are free; the ring is as before."""
        before = ring.qsize()
        count = ring.put_many([b""] * 99, *self.more)
        kept = self.everything(ring)
        for record in kept[:before]:
            self.put(ring, record)
        return count


@pytest.fixture(params=["MPMCRing", "PriorityQueue"])
def kind(request):
    return Kind(request.param)


def in_another_thread(call):
    errors = []

    def run():
        try:
            call()
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("size", [8, LARGE])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_reservations_are_committed_in_any_order(kind, size, order):
    with kind.make(CAPACITY, size) as ring:
        views = [ring.reserve() for _ in range(3)]
        for i, view in enumerate(views):
            view[:2] = b"r%d" % i
        for i in order:
            kind.commit(ring, 2, view=views[i])
            with pytest.raises(ValueError, match="released"):
                views[i][0]
        assert kind.everything(ring) == [b"r%d" % i for i in order]
        assert kind.free(ring) == CAPACITY


@pytest.mark.parametrize("size", [8, LARGE])
def test_peeked_records_are_released_in_any_order_and_by_any_thread(kind, size):
    with kind.make(CAPACITY, size) as ring:
        for i in range(CAPACITY):
            kind.put(ring, b"r%d" % i)
        views = [kind.peek(ring) for _ in range(CAPACITY)]
        assert [bytes(view) for view in views] == [b"r%d" % i for i in range(CAPACITY)]
        ring.release(views[2])
        in_another_thread(lambda: ring.release(view=views[0]))
        assert kind.free(ring) == 2
        in_another_thread(lambda: ring.release(views[1]))
        ring.release()  # the last one
        assert kind.free(ring) == CAPACITY
        for view in views:
            with pytest.raises(ValueError, match="released"):
                bytes(view)


def test_another_thread_commits_and_cancels(kind):
    with kind.make(CAPACITY, 8) as ring:
        first, second, third = (ring.reserve() for _ in range(3))
        first[:], second[:] = b"first...", b"second.."
        in_another_thread(lambda: kind.commit(ring, view=second))
        in_another_thread(lambda: ring.cancel(view=third))  # the one that the hand keeps
        kind.commit(ring, view=first)
        assert kind.everything(ring) == [b"second..", b"first..."]
        with pytest.raises(RuntimeError, match="nothing in hand"):
            kind.commit(ring)
        assert kind.free(ring) == CAPACITY


def test_without_a_view_the_last_one_is_meant(kind):
    with kind.make(CAPACITY, 8) as ring:
        first = ring.reserve()
        ring.reserve()[:4] = b"last"
        kind.commit(ring, 4)
        with pytest.raises(RuntimeError, match="nothing in hand"):
            kind.commit(ring, 4)
        first[:5] = b"first"
        kind.commit(ring, 5, first)
        assert kind.everything(ring) == [b"last", b"first"]


def test_a_full_ring_leaves_the_last_reservation_the_last(kind):
    with kind.make(1, 8) as ring:
        view = ring.reserve()
        assert ring.reserve() is None
        view[:] = b"the last"
        kind.commit(ring)
        assert kind.everything(ring) == [b"the last"]


@pytest.mark.parametrize("size", [8, LARGE])
def test_the_garbage_collector_releases_what_was_peeked(kind, size):
    with kind.make(CAPACITY, size) as ring:
        for _ in range(3):
            for i in range(CAPACITY):
                kind.put(ring, b"r%d" % i)
            views = [kind.peek(ring) for _ in range(CAPACITY)]
            assert kind.free(ring) == 0
            part = views[1][:1]
            del views
            gc.collect()
            assert kind.free(ring) == CAPACITY - 1  # somebody sees a part of the second
            assert bytes(part) == b"r"
            array = np.frombuffer(part, "u1")
            del part
            assert kind.free(ring) == CAPACITY - 1
            assert array.tobytes() == b"r"
            del array
            assert kind.free(ring) == CAPACITY
        ring.release()  # the last one has been released: this says it once more
        with pytest.raises(RuntimeError, match="nothing in hand"):
            ring.release()


def test_the_garbage_collector_cancels_reservations_but_the_last(kind):
    with kind.make(CAPACITY, 8) as ring:
        views = [ring.reserve() for _ in range(CAPACITY)]
        assert kind.free(ring) == 0
        del views
        gc.collect()
        assert kind.free(ring) == CAPACITY - 1
        views = [ring.reserve() for _ in range(CAPACITY)]  # now the last one of before belongs to nobody
        assert None not in views
        ring.cancel()
        del views
        assert kind.free(ring) == CAPACITY


def test_the_garbage_collector_works_in_another_thread(kind):
    with kind.make(CAPACITY, 8) as ring:
        for _ in range(CAPACITY):
            kind.put(ring, b"x")
        boxes = [[kind.peek(ring)] for _ in range(CAPACITY)]
        in_another_thread(lambda: [box.clear() for box in boxes])
        assert kind.free(ring) == CAPACITY


@pytest.mark.parametrize("dtype", [POINT, "(3,)f4", "u8"])
def test_arrays_name_their_records(kind, dtype):
    with kind.make(CAPACITY, dtype=dtype) as ring:
        first, second = ring.reserve(), ring.reserve()
        first[...], second[...] = np.ones_like(first), np.zeros_like(second)
        in_another_thread(lambda: kind.commit(ring, view=first))
        kind.commit(ring, view=second)
        one, two = kind.peek(ring), kind.peek(ring)
        field = one["a"] if dtype is POINT else one[...]
        del one
        ring.release(two)
        assert ring.put_many(np.zeros(9, ring.dtype), *kind.more) == CAPACITY - 1
        ring.release(field)  # made of the view
        assert ring.put_many(np.zeros(9, ring.dtype), *kind.more) == 1


def test_what_is_not_in_hand_is_refused(kind):
    with kind.make(CAPACITY, 8) as ring, kind.make(CAPACITY, 8) as other:
        kind.put(ring, b"x")
        reserved, peeked, foreign = ring.reserve(), kind.peek(ring), other.reserve()
        for call, view in [(ring.release, reserved), (ring.release, foreign), (ring.cancel, peeked)]:
            with pytest.raises(RuntimeError, match="this view is of no"):
                call(view=view)
        with pytest.raises(RuntimeError, match="this view is of no reservation that is in hand"):
            kind.commit(ring, view=foreign)
        for what in (7, b"bytes", memoryview(b"bytes"), np.zeros(3), "text", (0, peeked)):
            with pytest.raises(TypeError, match=r"view is .*: it must be what reserve\(\) or peek\(\) gave"):
                ring.release(what)
        with pytest.raises(TypeError, match=r"length is .*: a view is passed as commit\(view=\.\.\.\)"):
            kind.commit(ring, reserved)
        with pytest.raises(ValueError, match="length is 9"):
            kind.commit(ring, 9, view=reserved)
        kind.commit(ring, 1, view=reserved)
        with pytest.raises(ValueError, match="view is a memoryview that was released"):
            kind.commit(ring, 1, view=reserved)
        ring.release(peeked)
        assert kind.free(ring) == CAPACITY - 1
        if kind.is_queue:
            with pytest.raises(TypeError, match="a ticket or a view, not both"):
                ring.cancel(ring.put_ticket(b"x", 0), view=foreign)
            with pytest.raises(TypeError, match=r"ticket is .*: a view is passed as cancel\(view=\.\.\.\)"):
                ring.cancel(foreign)
            assert ring.cancel(np.uint64(ring.put_ticket(b"x", 0)))


def test_an_array_whose_record_was_released_is_refused(kind):
    with kind.make(CAPACITY, dtype=POINT) as ring:
        ring.put((1, 2), *kind.more)
        record = kind.peek(ring)
        ring.release(record)
        with pytest.raises(RuntimeError, match="this view is of no peeked record that is in hand"):
            ring.release(record)
        assert record["b"] == 2


def test_a_view_that_its_user_releases(kind):
    with kind.make(CAPACITY, 8) as ring:
        kind.put(ring, b"x")
        with kind.peek(ring) as view:
            assert bytes(view) == b"x"
            assert kind.free(ring) == CAPACITY - 1
        assert kind.free(ring) == CAPACITY


def test_one_side_of_a_pair_has_one_in_hand():
    with lockfree.SPSCRing(4, 8) as ring:
        ring.put_many([b"a", b"b"])
        reserved, peeked = ring.reserve(), ring.peek()
        with pytest.raises(RuntimeError, match="has a reservation already"):
            ring.reserve()
        with pytest.raises(RuntimeError, match="has a record in hand already"):
            ring.peek()
        ring.commit(0, view=reserved)
        ring.release(view=peeked)
        ring.peek()
        gc.collect()
        assert ring.qsize() == 2  # it is inside until release()
        ring.release()
        assert ring.get_many(9) == [b""]


@pytest.mark.parametrize("size", [8, LARGE])
def test_a_child_gives_nothing_of_its_parent_back(kind, size):
    with kind.make(CAPACITY, size) as ring:
        for i in range(2):
            kind.put(ring, b"r%d" % i)
        peeked = [kind.peek(ring) for _ in range(2)]
        reserved = [ring.reserve() for _ in range(2)]
        child = os.fork()
        if child == 0:
            code = 1
            with contextlib.suppress(BaseException):
                refused = 0
                for call in (lambda: ring.release(peeked[0]), lambda: kind.commit(ring, view=reserved[1])):
                    try:
                        call()
                    except RuntimeError:
                        refused += 1
                peeked.clear(), reserved.clear()
                gc.collect()
                code = 0 if refused == 2 and ring.put_many([b""] * 9, *kind.more) == 0 else 2
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert [bytes(view) for view in peeked] == [b"r0", b"r1"]
        for view in reserved:
            kind.commit(ring, 0, view)
        del view
        peeked.clear()
        assert kind.everything(ring) == [b"", b""]
        assert kind.free(ring) == CAPACITY


def test_a_child_that_only_drops_views_takes_no_part(kind):
    with kind.make(CAPACITY, 8) as ring:
        kind.put(ring, b"x")
        views = [kind.peek(ring), ring.reserve(), ring.reserve()]
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                views.clear()
                gc.collect()
                os.write(tell, b"dropped")
                signal.pause()
            os._exit(1)
        try:
            assert os.read(told, 7) == b"dropped"
            assert [peer.pid for peer in ring.peers()] == [os.getpid()]
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(told), os.close(tell)
        assert kind.free(ring) == CAPACITY - 3


def test_what_a_killed_process_had_in_hand_is_free_again(kind):
    with kind.make(CAPACITY, 8) as ring:
        for _ in range(2):
            kind.put(ring, b"x")
        child = os.fork()
        if child == 0:
            held = [kind.peek(ring) for _ in range(2)], [ring.reserve() for _ in range(2)]
            os.kill(os.getpid(), signal.SIGKILL)
            del held
        os.waitpid(child, 0)
        for _ in range(CAPACITY):
            ring.put(b"", *kind.more)  # the third one waits, and looks for the dead


@pytest.mark.parametrize("size", [8, LARGE])
def test_close_with_several_in_hand(kind, size):
    ring = kind.make(CAPACITY, size)
    for i in range(3):
        kind.put(ring, b"r%d" % i)
    views = [kind.peek(ring) for _ in range(3)]
    reserved = ring.reserve()
    ring.close()
    assert [bytes(view) for view in views[:2]] == [b"r0", b"r1"]
    for ended in (views[2], reserved):  # the last ones end with it
        with pytest.raises(ValueError, match="released"):
            bytes(ended)
    with pytest.raises(lockfree.Closed):
        ring.release(views[0])
    del views, ring


def test_a_view_keeps_its_ring(kind):
    ring = kind.make(CAPACITY, 8)
    kind.put(ring, b"x")
    view = kind.peek(ring)
    del ring
    gc.collect()
    assert bytes(view) == b"x"
    del view


def test_many_threads_pass_views_on(kind):
    capacity, rounds = 16, 300
    with kind.make(capacity, 8) as ring:
        boxes = [[] for _ in range(4)]
        stop = threading.Event()
        errors = []

        def produce(seed):
            chance = random.Random(seed)
            numbers = itertools.count(seed * 10_000)
            held = []
            for _ in range(rounds):
                view = ring.reserve()
                if view is not None:
                    view[:] = next(numbers).to_bytes(8, "little")
                    held.append(view)
                del view
                while len(held) > chance.randrange(4):
                    mine = held.pop(chance.randrange(len(held)))
                    if chance.random() < 0.8:
                        kind.commit(ring, view=mine)
                    elif chance.random() < 0.5:
                        ring.cancel(view=mine)
                    del mine
            for mine in held:
                ring.cancel(view=mine)

        def consume(at):
            chance = random.Random(at)
            while not stop.is_set():
                view = kind.peek(ring)
                if view is not None:
                    seen.append(bytes(view))
                    boxes[chance.randrange(4)].append(view)
                del view
                with contextlib.suppress(IndexError):
                    other = boxes[chance.randrange(4)].pop()
                    if chance.random() < 0.5:
                        ring.release(other)
                    del other

        def guarded(work, *args):
            try:
                work(*args)
            except BaseException as error:  # noqa: BLE001
                errors.append(error)

        seen = []
        producers = [threading.Thread(target=guarded, args=(produce, i + 1)) for i in range(3)]
        consumers = [threading.Thread(target=guarded, args=(consume, i)) for i in range(3)]
        for thread in producers + consumers:
            thread.start()
        for thread in producers:
            thread.join()
        stop.set()
        for thread in consumers:
            thread.join()
        assert not errors
        boxes.clear()
        gc.collect()
        seen += kind.everything(ring)
        assert len(seen) == len(set(seen))
        assert kind.free(ring) == capacity


def test_hands_of_threads_that_are_gone_are_used_again(kind):
    with kind.make(CAPACITY, 8) as ring:
        kind.put(ring, b"x")

        def look():
            view = kind.peek(ring)
            kind.put(ring, bytes(view))

        for _ in range(300):
            in_another_thread(look)
        assert kind.free(ring) == CAPACITY - 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: lockfree.MPMCRing(4, 8),
        lambda: lockfree.MPMCRing(4, LARGE),
        lambda: lockfree.SPSCRing(4, 8),
        lambda: lockfree.MessageRing(1 << 20),
        lambda: lockfree.BroadcastRing(1 << 20, 1),
    ],
)
def test_no_view_is_left_behind(make):
    """Of a record, or a message, that is seen in place and given back."""
    with make() as ring:
        if isinstance(ring, lockfree.BroadcastRing):
            ring.join(0)

        def turns(count):
            for _ in range(count):
                ring.put(b"x")
                ring.peek()
                ring.release()
            gc.collect()
            return sum(type(found) is memoryview for found in gc.get_objects())

        before = turns(3)
        assert turns(100) <= before + 2
