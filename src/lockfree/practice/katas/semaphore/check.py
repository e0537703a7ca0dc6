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


def edges_take_and_give(answer):
    semaphore = answer.Semaphore(2)
    assert semaphore.value() == 2, "[P7] two permits are free"
    assert semaphore.acquire() is True, "[P7] acquire() returns True with a permit"
    assert semaphore.acquire(timeout=0) is True, "[P7] one permit is left"
    assert semaphore.value() == 0, "[P7] both are taken"
    assert semaphore.acquire(timeout=0) is False, "[P7] no permit is left"
    semaphore.release(3)
    assert semaphore.value() == 3, "[P7] three were given back"


def edges_time_out(answer):
    semaphore = answer.Semaphore(0)
    began = time.monotonic()
    assert semaphore.acquire(timeout=5) is False, "[P3] no permit comes"
    assert 5 <= time.monotonic() - began < 6, "[P3] the time-out is waited for, and not longer"
    assert semaphore.acquire(timeout=0) is False, "[P3] no permit is there"
    assert time.monotonic() - began < 6, "[P3] timeout=0 does not wait"
    assert semaphore.value() == 0, "[P7] a time-out changes nothing"


def edges_bound(answer):
    semaphore = answer.Semaphore(1, limit=2)
    semaphore.release()
    assert semaphore.value() == 2, "[P5] as many as the limit may be free"
    assert raises(ValueError, semaphore.release), "[P5] release() beyond the limit raises ValueError"
    semaphore.acquire()
    assert raises(ValueError, lambda: semaphore.release(2)), "[P5] release(2) would free three of two"
    assert semaphore.value() == 1, "[P5] a refused release() changes nothing"
    for count in (0, -1):
        assert raises(ValueError, lambda count=count: semaphore.release(count)), f"[P5] release({count}) is refused"


def schedules_two_at_once(answer):
    """Two threads that come at the same time do not get one permit."""
    semaphore, got = answer.Semaphore(1), {}

    def first():
        got["first"] = semaphore.acquire(timeout=0)

    def second():
        got["second"] = semaphore.acquire(timeout=0)

    together(first, second)
    assert sum(got.values()) == 1, f"[P6] {sum(got.values())} threads have the only permit"
    assert semaphore.value() == 0, f"[P6] value() is {semaphore.value()} in the end"


def schedules_one_inside(answer):
    """The third thread can take the permit for which a waiter was woken."""
    semaphore, inside = answer.Semaphore(1), []

    def visit():
        semaphore.acquire()
        inside.append(threading.current_thread().name)
        assert len(inside) == 1, f"[P1] {len(inside)} threads have the only permit"
        free = semaphore.value()
        assert free >= 0, f"[P6] {free} permits are free: two threads have taken the same one"
        assert free == 0, f"[P1] {free} permits are free while the only one is taken"
        inside.pop()
        semaphore.release()

    def first():
        visit()

    def second():
        visit()

    def third():
        visit()

    together(first, second, third)
    assert semaphore.value() == 1, f"[P6] value() is {semaphore.value()} in the end"


def schedules_released_one_by_one(answer):
    semaphore = answer.Semaphore(0)

    def first():
        semaphore.acquire()

    def second():
        semaphore.acquire()

    def giver():
        semaphore.release()
        semaphore.release()

    together(first, second, giver)
    assert semaphore.value() == 0, f"[P6] value() is {semaphore.value()} in the end"


def schedules_released_together(answer):
    semaphore = answer.Semaphore(0)

    def first():
        semaphore.acquire()

    def second():
        semaphore.acquire()

    together(first, second, lambda: semaphore.release(2))
    assert semaphore.value() == 0, f"[P6] value() is {semaphore.value()} in the end"


def schedules_two_give_back(answer):
    semaphore = answer.Semaphore(0, limit=1)
    refused = {}

    def first():
        refused["first"] = raises(ValueError, semaphore.release)

    def second():
        refused["second"] = raises(ValueError, semaphore.release)

    together(first, second)
    assert semaphore.value() == 1, f"[P5] {semaphore.value()} permits are free, and the limit is 1"
    assert sum(refused.values()) == 1, "[P5] one of the two release() raises ValueError"


def schedules_refused_beside_a_waiter(answer):
    semaphore, got = answer.Semaphore(0, limit=1), []

    def waiter():
        got.append(semaphore.acquire(timeout=5))

    def giver():
        time.sleep(1)
        assert raises(ValueError, lambda: semaphore.release(3)), "[P5] release(3) is more than one waiter and the limit take"

    together(waiter, giver)
    assert got == [False], "[P5] a refused release() changes nothing, and a waiter got a permit"
    assert semaphore.value() == 0, f"[P5] a refused release() changes nothing, and {semaphore.value()} are free"


def schedules_time_out_goes_on(answer):
    """Who is woken for nothing waits for the rest of its time, not for the whole again."""
    semaphore = answer.Semaphore(0)

    def patient():
        began = time.monotonic()
        semaphore.acquire(timeout=10)
        waited = time.monotonic() - began
        assert waited <= 10, f"[P3] acquire(timeout=10) took {waited:g} s"

    def quick():
        time.sleep(8)
        semaphore.acquire(timeout=1)

    def giver():
        time.sleep(8)
        semaphore.release()

    together(patient, quick, giver)


def schedules_time_out_meets_release(answer):
    """The permit comes in the moment when the time is up."""
    semaphore, got = answer.Semaphore(0), []

    def waiter():
        got.append(semaphore.acquire(timeout=5))

    def giver():
        time.sleep(5)
        semaphore.release()

    together(waiter, giver)
    free = semaphore.value()
    assert got[0] + free == 1, f"[P4] one permit was given; acquire() returned {got[0]}, and {free} are free"
    assert semaphore.acquire(timeout=0) is not got[0], "[P4] the permit is lost"


def schedules_time_out_meets_another(answer):
    """The wake went to the thread whose time is up: then the other one must not sleep on."""
    semaphore, got = answer.Semaphore(0), []

    def waiter():
        got.append(semaphore.acquire(timeout=5))
        if got[0]:
            semaphore.release()

    def patient():
        semaphore.acquire()

    def giver():
        time.sleep(5)
        semaphore.release()

    together(waiter, patient, giver)
