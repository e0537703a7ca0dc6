"""SPSCRing from Python: what the rings have in common, and its roles."""

import multiprocessing
import os
import signal
import threading

import pytest
from patience import STUCK
from ring_behaviour import Behaviour
from threads import in_thread

import lockfree


class TestSPSCRing(Behaviour):
    Ring = lockfree.SPSCRing
    in_place = True


@pytest.fixture
def ring():
    with lockfree.SPSCRing(4, 8) as made:
        yield made


def test_a_second_thread_cannot_have_a_role(ring):
    ring.put(b"a")
    for call in (
        lambda: ring.put(b"b"),
        lambda: ring.try_put(b"b"),
        lambda: ring.put_many([b"b"]),
        ring.reserve,
    ):
        assert isinstance(in_thread(call), lockfree.RoleTaken)
    assert ring.get() == b"a"
    for call in (ring.get, ring.try_get, lambda: ring.get_many(3), lambda: ring.get_into(bytearray(8)), ring.peek):
        assert isinstance(in_thread(call), lockfree.RoleTaken)
    assert ring.qsize() == 0


def test_the_role_of_a_thread_that_ended_is_free(ring):
    for i in range(20):
        assert in_thread(lambda i=i: ring.try_put(bytes([i]))) is True
        assert in_thread(ring.get) == bytes([i])
    ring.put(b"x")
    assert ring.get() == b"x"


def test_a_role_can_be_given_back(ring):
    ring.put(b"a")
    ring.release_role("producer")
    done = threading.Event()
    started = threading.Event()

    def produce():
        ring.put(b"b")
        started.set()
        done.wait(30)

    other = threading.Thread(target=produce)
    other.start()
    assert started.wait(30)
    with pytest.raises(lockfree.RoleTaken, match="one producer and one consumer"):
        ring.put(b"c")
    with pytest.raises(RuntimeError, match=r"release_role\(\) of a role that this thread does not hold"):
        ring.release_role("producer")
    done.set()
    other.join()
    ring.put(b"d")
    assert ring.get_many(5) == [b"a", b"b", b"d"]
    ring.release_role("consumer")
    with pytest.raises(RuntimeError):
        ring.release_role("consumer")


@pytest.mark.parametrize("role", ["reader", "", None, 0])
def test_there_are_two_roles(ring, role):
    with pytest.raises(ValueError, match='it must be "producer" or "consumer"'):
        ring.release_role(role)


def test_a_role_that_is_given_back_forgets_what_is_in_hand(ring):
    ring.put(b"a")
    ring.peek()
    ring.reserve()
    ring.release_role("producer")
    ring.release_role("consumer")
    with pytest.raises(RuntimeError, match="nothing in hand"):
        ring.commit()
    with pytest.raises(RuntimeError, match="nothing in hand"):
        ring.release()
    assert in_thread(ring.get) == b"a"


def test_a_record_got_in_another_way_cannot_be_released_again():
    with lockfree.SPSCRing(1, 8) as ring:
        ring.put(b"a")
        ring.peek()
        assert ring.get() == b"a"
        ring.put(b"b")
        with pytest.raises(RuntimeError, match="none to give back"):
            ring.release()
        assert ring.get() == b"b"
        ring.reserve()
        ring.put(b"c")
        assert ring.get() == b"c"
        with pytest.raises(RuntimeError, match="none to give back"):
            ring.commit()
        assert ring.try_get() is None


def hold_and_wait(ring, ready):
    ring.put(b"theirs")
    ready.set()
    threading.Event().wait(600)


@pytest.mark.parametrize("leave", ["kill", "terminate"])
def test_the_role_of_a_dead_process_is_free(ring, context, leave):
    ready = context.Event()
    child = context.Process(target=hold_and_wait, args=(ring, ready))
    child.start()
    assert ready.wait(STUCK)
    with pytest.raises(lockfree.RoleTaken):
        ring.put(b"ours")
    getattr(child, leave)()
    child.join(30)
    ring.put(b"ours")
    assert ring.get_many(3) == [b"theirs", b"ours"]


def test_a_process_that_closes_the_ring_gives_its_role_back(ring):
    context = multiprocessing.get_context("fork")
    closed, end = context.Event(), context.Event()

    def body():
        ring.put(b"theirs")
        ring.close()
        closed.set()
        end.wait(30)

    child = context.Process(target=body)
    child.start()
    assert closed.wait(30)
    ring.put(b"ours")
    assert ring.get_many(3) == [b"theirs", b"ours"]
    end.set()
    child.join(30)
    assert child.exitcode == 0


def test_a_forked_child_has_no_role_of_its_parents(ring):
    ring.put(b"a")
    child = os.fork()
    if child == 0:
        try:
            ring.put(b"b")
        except lockfree.RoleTaken:
            os._exit(0 if ring.get() == b"a" else 2)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert ring.try_get() is None  # and the consumer's role is free, since the child has ended


def test_a_peek_of_a_killed_process_is_still_inside(ring):
    ring.put(b"a")
    child = os.fork()
    if child == 0:
        ring.peek()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert ring.get(timeout=5) == b"a"
