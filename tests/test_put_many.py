"""put_many of the rings of messages: what it takes, what it leaves, and what it refuses."""

import itertools
import queue
import threading
import time

import numpy as np
import pytest

import lockfree


def message_ring(size=1024):
    return lockfree.MessageRing(size, 64)


def broadcast_ring(size=1024, slow="wait"):
    ring = lockfree.BroadcastRing(size, 2, slow=slow)
    ring.join()
    return ring


RINGS = [message_ring, broadcast_ring]
rings = pytest.mark.parametrize("make", RINGS, ids=lambda make: make.__name__)


@rings
def test_what_has_no_room_stays_in_the_iterator(make):
    with make() as ring:
        everything = [b"%040d" % i for i in range(100)]
        items = iter(everything)
        count = ring.put_many(items)
        assert 0 < count < 100
        assert ring.put_many(items) == 0
        assert ring.get_many() == everything[:count]
        while put := ring.put_many(items):
            assert ring.get_many() == everything[count : count + put]
            count += put
        assert count == 100
        assert list(items) == []


class Endless:
    """It can be walked again and again, and has no length."""

    def __iter__(self):
        return itertools.repeat(b"again and again")


@pytest.mark.parametrize("make", [*RINGS, lambda: lockfree.Queue(4), lambda: lockfree.MPMCRing(4, 16)])
def test_what_has_no_length_need_not_have_an_end(make):
    with make() as ring:
        assert 0 < ring.put_many(Endless()) < 100
        assert ring.get() == b"again and again"
        assert ring.put_many(Endless()) == 1


@rings
def test_an_item_that_is_longer_and_has_no_room_is_in_the_exception(make):
    with make() as ring:
        second = 300 if isinstance(ring, lockfree.MessageRing) else 450
        items = iter([b"a" * 20, b"b" * second, b"c" * 490, b"rest"])
        with pytest.raises(queue.Full) as caught:
            ring.put_many(items)
        assert (caught.value.put, caught.value.record) == (2, b"c" * 490)
        assert ring.get_many() == [b"a" * 20, b"b" * second]
        assert ring.put_many(items) == 1
        assert ring.get_many() == [b"rest"]


@rings
def test_what_an_iterator_raises_comes_out_and_what_it_gave_before_is_inside(make):
    def items():
        yield b"a"
        yield b"b"
        raise ZeroDivisionError

    with make() as ring:
        with pytest.raises(ZeroDivisionError):
            ring.put_many(items())
        assert ring.get_many() == [b"a", b"b"]


@rings
def test_an_item_of_a_wrong_type_is_told(make):
    with make() as ring:
        items = iter([b"a", 7, b"c"])
        with pytest.raises(TypeError, match=r"^messages\[1\] is of type int: it must be bytes-like") as caught:
            ring.put_many(items)
        assert (caught.value.put, caught.value.record) == (1, 7)
        assert ring.get_many() == [b"a"]
        assert list(items) == [b"c"]


@rings
def test_an_iterator_that_closes_the_ring(make):
    with make() as ring:

        def items():
            yield b"a"
            ring.close()
            yield b"b"

        with pytest.raises(lockfree.Closed) as caught:
            ring.put_many(items())
        assert (caught.value.put, caught.value.record) == (1, b"b")


@rings
def test_the_first_item_of_an_iterator_waits(make):
    with make() as ring:
        while ring.try_put(b"%040d" % 0):
            pass
        items = iter([b"%040d" % 1, b"%040d" % 2])
        start = time.monotonic()
        with pytest.raises(queue.Full):
            ring.put_many(items, True, 0.05)
        assert time.monotonic() - start >= 0.05
        if isinstance(ring, lockfree.BroadcastRing):
            return  # its one thread cannot make room meanwhile
        got = []
        thread = threading.Thread(target=lambda: (time.sleep(0.05), got.append(ring.get())))
        thread.start()
        assert ring.put_many(items, block=True, timeout=30) == 1
        thread.join()
        assert list(items) == [b"%040d" % 2]


@rings
@pytest.mark.parametrize(
    "one", [b"", b"abc", bytearray(b"x"), memoryview(b"ab"), np.zeros(3, "u1"), "text", np.float64(1)]
)
def test_what_is_one_message_is_refused(make, one):
    with make() as ring:
        with pytest.raises(TypeError, match=r"messages is one .*: it must be a sequence of messages"):
            ring.put_many(one)
        assert ring.get_many() == []


@rings
@pytest.mark.parametrize("none", [5, None, 1.5, object()])
def test_what_is_no_sequence_is_refused(make, none):
    with make() as ring, pytest.raises(TypeError, match=r"messages is of type .*: it must be a sequence of messages"):
        ring.put_many(none)


@rings
def test_a_buffer_has_a_message_in_each_row(make):
    with make() as ring:
        rows = np.arange(12, dtype="u1").reshape(3, 4)
        assert ring.put_many(rows) == 3
        assert ring.put_many(memoryview(rows)) == 3
        assert ring.get_many() == [row.tobytes() for row in rows] * 2
        assert ring.put_many(np.zeros((0, 4), "u1")) == 0
        with pytest.raises(TypeError, match="Python objects or pointers"):
            ring.put_many(np.array([[None]]))


@rings
def test_a_position_is_named(make):
    with make() as ring:
        with pytest.raises(TypeError, match=r"messages\[1\] is of type int: it must be bytes-like"):
            ring.put_many([b"a", 5])
        with pytest.raises(ValueError, match=r"messages\[1\] has 4096 bytes: the ring takes at most"):
            ring.put_many([b"a", bytes(4096)])
        assert ring.get_many() == []
        items = iter([b"a", b"b", bytes(4096), memoryview(bytes(12))[::3], np.zeros(2, "O"), b"f"])
        for said in (r"\[2\] has 4096 bytes: the ring takes at most \d", r"\[1\] is a buffer of format 'O': it holds"):
            with pytest.raises((TypeError, ValueError), match=f"^messages{said}"):
                ring.put_many(items)
        assert ring.get_many() == [b"a", b"b", bytes(4)]
        assert list(items) == [b"f"]


def test_a_position_of_an_object_is_named():
    with lockfree.Queue(8, size_bytes=1024) as ring, lockfree.Queue(8, dumps=lambda obj: obj, loads=bytes) as own:
        for objs in ([1, bytes(4096)], iter([1, bytes(4096)])):
            with pytest.raises(ValueError, match=r"^dumps\(objs\[1\]\) has 41\d\d bytes: the queue takes at most \d+"):
                ring.put_many(objs)
            with pytest.raises(TypeError, match=r"^dumps\(objs\[1\]\) is of type int: it must be bytes-like"):
                own.put_many([b"x", 1] if isinstance(objs, list) else iter([b"x", 1]))
        assert ring.get_many() == [1]
        with pytest.raises(TypeError, match=r"^dumps\(obj\) is of type int: it must be bytes-like"):
            own.put(1)


@rings
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_tuple_is_a_sequence(make, count):
    with make() as ring:
        messages = tuple(b"%d" % i for i in range(count))
        assert ring.put_many(messages) == count
        assert ring.put_many(messages, block=True, timeout=1) == count
        assert ring.get_many() == [*messages, *messages]


@rings
def test_other_collections_are_sequences(make):
    with make() as ring:
        assert ring.put_many({b"a": 1, b"b": 2}) == 2
        assert ring.put_many(range(0)) == 0
        assert ring.get_many() == [b"a", b"b"]


@rings
def test_a_closed_ring_takes_not_even_nothing(make):
    ring = make()
    ring.close()
    with pytest.raises(lockfree.Closed):
        ring.put_many([])


@pytest.mark.parametrize("slow", ["drop", "overwrite"])
def test_a_broadcast_that_never_waits_takes_a_whole_iterator(slow):
    with broadcast_ring(slow=slow) as ring:
        assert ring.put_many(b"%040d" % i for i in range(100)) == 100


def test_ctrl_c_ends_a_call_with_an_iterator_that_has_no_end(alarm):
    """The iterator is in C, so no Python code runs in between."""
    with broadcast_ring(slow="overwrite") as ring, pytest.raises(KeyboardInterrupt), alarm(0.1):
        ring.put_many(itertools.repeat(b"message"))


@pytest.mark.parametrize("to", [5.0, object()])
def test_whom_a_message_is_for(to):
    with (
        broadcast_ring() as ring,
        pytest.raises(TypeError, match=r"to is .*: it must be the number of a reader, or an"),
    ):
        ring.put(b"x", to=to)
