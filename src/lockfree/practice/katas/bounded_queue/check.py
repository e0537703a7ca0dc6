"""What the judge runs. A text in brackets names the diagnosis."""

import threading
import time


def together(*functions):
    threads = [threading.Thread(target=function, name=function.__name__) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def raises(error, call):
    try:
        call()
    except error:
        return True
    return False


def edges_order_and_bound(answer):
    queue = answer.BoundedQueue(2)
    queue.put("a")
    queue.put("b")
    assert len(queue) == 2, "[Q7] two items are inside"
    assert raises(answer.Full, lambda: queue.put("c", timeout=1)), "[Q7] a put into a full queue raises Full"
    assert [queue.get(), queue.get()] == ["a", "b"], "[Q6] the oldest comes first"
    assert raises(answer.Empty, lambda: queue.get(timeout=1)), "[Q4] a get from an empty queue raises Empty"


def edges_time_passes(answer):
    queue = answer.BoundedQueue(1)
    began = time.monotonic()
    assert raises(answer.Empty, lambda: queue.get(timeout=5)), "[Q4] no item comes"
    assert 5 <= time.monotonic() - began < 6, "[Q4] the time-out is waited for, and not longer"


def edges_shutdown(answer):
    queue = answer.BoundedQueue(2)
    queue.put(1)
    queue.shutdown()
    assert raises(answer.Shutdown, lambda: queue.put(2)), "[Q5] put raises Shutdown at once"
    assert queue.get() == 1, "[Q5] what was put before can still be taken"
    assert raises(answer.Shutdown, queue.get), "[Q5] then get raises Shutdown"


def schedules_two_puts(answer):
    """There is room for one of two items that come at the same time."""
    queue, full = answer.BoundedQueue(1), {}

    def first():
        full["first"] = raises(answer.Full, lambda: queue.put("a", timeout=0))

    def second():
        full["second"] = raises(answer.Full, lambda: queue.put("b", timeout=0))

    together(first, second)
    assert len(queue) == 1, f"[Q7] {len(queue)} items are inside"
    assert sum(full.values()) == 1, "[Q7] one of the two put() raises Full"


def schedules_one_each(answer):
    queue, got = answer.BoundedQueue(1), []

    def producer():
        for item in range(2):
            queue.put(item)

    def consumer():
        got.extend([queue.get(), queue.get()])

    together(producer, consumer)
    assert got == [0, 1], f"[Q6] got {got}"


def schedules_two_consumers(answer):
    queue, got = answer.BoundedQueue(1), []

    def producer():
        for item in range(2):
            queue.put(item)
            inside = len(queue)
            assert inside <= 1, f"[Q7] {inside} items are inside"

    def first():
        got.append(queue.get())

    def second():
        got.append(queue.get())

    together(first, second, producer)
    assert sorted(got) == [0, 1], f"[Q6] got {sorted(got)}"


def schedules_two_items_for_two(answer):
    """Both items come before the first of two sleeping consumers runs on: the second one must wake up, too."""
    queue, got = answer.BoundedQueue(2), []

    def producer():
        queue.put("a")
        queue.put("b")

    def first():
        got.append(queue.get())

    def second():
        got.append(queue.get())

    together(first, second, producer)
    assert sorted(got) == ["a", "b"], f"[Q6] got {sorted(got)}"


def schedules_two_rooms_for_two(answer):
    queue, got = answer.BoundedQueue(2), []
    queue.put("a")
    queue.put("b")

    def consumer():
        got.extend([queue.get(), queue.get()])

    def first():
        queue.put("c")

    def second():
        queue.put("d")

    together(first, second, consumer)
    assert got == ["a", "b"], f"[Q6] got {got}"
    assert len(queue) == 2, f"[Q7] {len(queue)} items are inside"


def schedules_two_producers(answer):
    queue, got = answer.BoundedQueue(1), []

    def put(item):
        queue.put(item)
        inside = len(queue)
        assert inside <= 1, f"[Q7] {inside} items are inside"

    def first():
        put("a")
        put("b")

    def second():
        put("c")

    def consumer():
        got.extend(queue.get() for _ in range(3))

    together(first, second, consumer)
    assert sorted(got) == ["a", "b", "c"], f"[Q6] got {got}"
    assert got.index("a") < got.index("b"), f"[Q6] got {got}"


def schedules_time_out_goes_on(answer):
    """A consumer that is woken for nothing waits for the rest of its time, not for the whole again."""
    queue = answer.BoundedQueue(1)

    def patient():
        began = time.monotonic()
        raises(answer.Empty, lambda: queue.get(timeout=10))
        waited = time.monotonic() - began
        assert waited <= 10, f"[Q4] get(timeout=10) took {waited:g} s"

    def quick():
        time.sleep(8)
        raises(answer.Empty, lambda: queue.get(timeout=1))

    def producer():
        time.sleep(8)
        queue.put(1)

    together(patient, quick, producer)


def schedules_time_out_of_put(answer):
    """The same for a producer: another one takes the room for which it was woken."""
    queue = answer.BoundedQueue(1)
    queue.put(0)

    def patient():
        began = time.monotonic()
        raises(answer.Full, lambda: queue.put(1, timeout=10))
        waited = time.monotonic() - began
        assert waited <= 10, f"[Q4] put(timeout=10) took {waited:g} s"

    def quick():
        time.sleep(8)
        raises(answer.Full, lambda: queue.put(2, timeout=1))

    def consumer():
        time.sleep(8)
        queue.get()

    together(patient, quick, consumer)


def schedules_time_out_meets_an_item(answer):
    """The time is up in the moment when the item comes: the consumer has it, or it is inside."""
    queue, got = answer.BoundedQueue(1), []

    def consumer():
        raises(answer.Empty, lambda: got.append(queue.get(timeout=1)))

    def producer():
        time.sleep(1)
        queue.put("a")

    together(consumer, producer)
    assert len(got) + len(queue) == 1, f"[Q6] one item was put; {got} was taken, and {len(queue)} are inside"


def schedules_time_out_meets_room(answer):
    """The same for a producer: it raises Full, or its item is inside."""
    queue, sent = answer.BoundedQueue(1), []
    queue.put("a")

    def producer():
        if not raises(answer.Full, lambda: queue.put("b", timeout=1)):
            sent.append("b")

    def consumer():
        time.sleep(1)
        queue.get()

    together(producer, consumer)
    assert len(sent) == len(queue), f"[Q6] 1 item was taken, {sent} was put besides, and {len(queue)} are inside"


def schedules_room_beside_an_item(answer):
    """There is room again although an item is inside: a producer that waits must know."""
    queue = answer.BoundedQueue(2)
    queue.put("a")
    queue.put("b")
    together(lambda: queue.put("c"), lambda: queue.get())
    assert [queue.get(timeout=0), queue.get(timeout=0)] == ["b", "c"], "[Q6] the oldest comes first"


def schedules_shutdown_wakes(answer):
    queue, ended = answer.BoundedQueue(1), []

    def first():
        ended.append(raises(answer.Shutdown, queue.get))

    def second():
        ended.append(raises(answer.Shutdown, queue.get))

    together(first, second, lambda: queue.shutdown())
    assert ended == [True, True], "[Q5] both consumers raise Shutdown"


def schedules_shutdown_keeps(answer):
    queue, got = answer.BoundedQueue(1), []

    def producer():
        sent = []
        for item in range(2):
            if not raises(answer.Shutdown, lambda item=item: queue.put(item)):
                sent.append(item)
        got.append(sent)

    def consumer():
        taken = []
        while not raises(answer.Shutdown, lambda: taken.append(queue.get())):
            pass
        got.append(taken)

    together(producer, consumer, lambda: queue.shutdown())
    assert got[0] == got[1], f"[Q5] put and taken differ: {got}"


def schedules_shutdown_wakes_producers(answer):
    queue, ended = answer.BoundedQueue(1), []
    queue.put(0)

    def first():
        ended.append(raises(answer.Shutdown, lambda: queue.put(1)))

    def second():
        ended.append(raises(answer.Shutdown, lambda: queue.put(2)))

    together(first, second, lambda: queue.shutdown())
    assert ended == [True, True], "[Q5] both producers raise Shutdown"
