"""MPMCRing from Python: what the rings have in common, and what many at once see."""

import multiprocessing
import os
import signal
import threading
import time

import pytest
from ring_behaviour import Behaviour

import lockfree


class TestMPMCRing(Behaviour):
    Ring = lockfree.MPMCRing
    in_place = False


@pytest.fixture
def ring():
    with lockfree.MPMCRing(4, 8) as made:
        yield made


def produce(ring, number, count):
    for i in range(count):
        if i % 5 == 4:
            while ring.put_many([f"{number}.{i}".encode()]) == 0:
                time.sleep(0)
        else:
            ring.put(f"{number}.{i}".encode())


def consume(ring, into):
    while True:
        records = ring.get_many(3, block=True) if len(into) % 4 else [ring.get()]
        for position, record in enumerate(records):
            if record == b"stop":
                for _ in records[position + 1 :]:  # the others' stops
                    ring.put(b"stop")
                return
            into.append(record)


def check_once_and_in_order(everything, producers, count):
    assert sorted(r for into in everything for r in into) == sorted(
        f"{n}.{i}".encode() for n in range(producers) for i in range(count)
    )
    for into in everything:
        for n in range(producers):
            mine = [int(r.split(b".")[1]) for r in into if r.startswith(b"%d." % n)]
            assert mine == sorted(mine)


def test_threads_get_everything_once_and_each_producers_records_in_order(ring):
    got = [[] for _ in range(3)]
    producers = [threading.Thread(target=produce, args=(ring, n, 500)) for n in range(3)]
    consumers = [threading.Thread(target=consume, args=(ring, into)) for into in got]
    for thread in producers + consumers:
        thread.start()
    for thread in producers:
        thread.join()
    for _ in consumers:
        ring.put(b"stop")
    for thread in consumers:
        thread.join()
    check_once_and_in_order(got, 3, 500)


def consume_and_tell(ring, answers):
    into = []
    consume(ring, into)
    answers.put(into)


def test_processes_get_everything_once_and_each_producers_records_in_order(ring, context):
    answers = context.SimpleQueue()
    producers = [context.Process(target=produce, args=(ring, n, 200)) for n in range(2)]
    consumers = [context.Process(target=consume_and_tell, args=(ring, answers)) for _ in range(2)]
    for process in producers + consumers:
        process.start()
    for process in producers:
        process.join(60)
        assert process.exitcode == 0
    for _ in consumers:
        ring.put(b"stop")
    got = [answers.get() for _ in consumers]
    for process in consumers:
        process.join(60)
    check_once_and_in_order(got, 2, 200)


def test_full_counts_the_records_in_hand(ring):
    ring.put_many([b"a", b"b", b"c"])
    peeked = ring.peek()
    ring.reserve()
    assert not ring.try_put(b"x")
    assert ring.qsize() == 2
    ring.release(peeked)
    ring.cancel()
    assert ring.put_many([b"x"] * 9) == 2


def test_each_thread_has_its_own_hand(ring):
    ring.put_many([b"a", b"b"])
    assert bytes(ring.peek()) == b"a"
    seen = []
    thread = threading.Thread(target=lambda: (seen.append(bytes(ring.peek())), ring.release()))
    thread.start()
    thread.join()
    assert seen == [b"b"]
    ring.release()
    assert ring.put_many([b"x"] * 9) == 4


def test_a_failed_lease_goes_to_the_tail(ring):
    ring.put_many([b"a", b"b"])
    with pytest.raises(ZeroDivisionError), ring.lease():
        1 / 0  # noqa: B018
    assert ring.get_many(3) == [b"b", b"a"]


def test_a_lease_of_a_killed_process_is_delivered_again_once(ring):
    ring.put_many([b"a", b"b"])
    child = os.fork()
    if child == 0:
        with ring.lease():
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert [ring.get(timeout=5) for _ in range(2)] == [b"b", b"a"]
    assert ring.try_get() is None
    assert ring.put_many([b"x"] * 9) == 4


def test_what_a_killed_process_had_in_hand_comes_back(ring):
    ring.put_many([b"a", b"b"])
    child = os.fork()
    if child == 0:
        in_hand = ring.peek(), ring.reserve()
        os.kill(os.getpid(), signal.SIGKILL)
        del in_hand
    os.waitpid(child, 0)
    assert ring.recover_dead() == 1
    assert ring.get_many(3) == [b"b"]  # "a" was its taker's for good
    assert ring.put_many([b"x"] * 9) == 4


def test_what_a_closed_ring_had_in_hand_comes_back(ring):
    context = multiprocessing.get_context("fork")
    done, end = context.Event(), context.Event()

    def body():
        view = ring.reserve()
        ring.close()
        del view
        done.set()
        end.wait(30)

    child = context.Process(target=body)
    child.start()
    assert done.wait(30)
    assert ring.put_many([b"x"] * 9) == 4
    end.set()
    child.join(30)


def test_workers_that_are_killed_one_after_the_other_lose_nothing_on_a_lease():
    context = multiprocessing.get_context("fork")
    with lockfree.MPMCRing(16, 8) as jobs, lockfree.MPMCRing(64, 8) as answers:

        def work():
            while True:
                with jobs.lease() as job:
                    answers.put(job)

        total = 200
        workers = [context.Process(target=work) for _ in range(2)]
        for worker in workers:
            worker.start()
        got = set()
        kills = 0
        for i in range(total):
            jobs.put(str(i).encode(), timeout=30)
            got.update(answers.get_many(64))
            if i % 20 == 10:
                os.kill(workers[kills % 2].pid, signal.SIGKILL)
                workers[kills % 2].join(30)
                workers[kills % 2] = context.Process(target=work)
                workers[kills % 2].start()
                kills += 1
        while len(got) < total:
            got.add(answers.get(timeout=30))
        assert got == {str(i).encode() for i in range(total)}
        for worker in workers:
            worker.kill()
            worker.join(30)
