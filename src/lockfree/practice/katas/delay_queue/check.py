"""What the judge runs. A text in brackets names the diagnosis."""

import threading
import time


class Task:
    """Tasks have no order."""

    def __init__(self, name):
        self.name = name


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


def taken(queue, says, **options):
    """Takes a task: its name, and when it came."""
    task = queue.get(**options)
    assert isinstance(task, Task), f"{says}: get() returned {task!r}"
    return task.name, time.monotonic()


def edges_delay(answer):
    queue = answer.DelayQueue()
    queue.put(Task("late"), 5)
    queue.put(Task("soon"), 2)
    queue.put(Task("now"), 0)
    assert len(queue) == 3, f"[D4] three tasks are inside; len() is {len(queue)}"
    got = [taken(queue, "[D4] three tasks") for _ in range(3)]
    wanted = [("now", 0), ("soon", 2), ("late", 5)]
    assert got == wanted, f"[D4] delays 5, 2, 0; the tasks and when they came: {got}"
    assert len(queue) == 0, f"[D4] none is left; len() is {len(queue)}"


def edges_what_was_due_first(answer):
    queue = answer.DelayQueue()
    queue.put(Task("b"), 2)
    queue.put(Task("a"), 1)
    time.sleep(5)
    got = [taken(queue, "[D4] both are due") for _ in range(2)]
    assert got == [("a", 5), ("b", 5)], f"[D4] both are due, a first; the tasks and when they came: {got}"


def edges_equal_times(answer):
    queue = answer.DelayQueue()
    for name in "abcdefg":
        queue.put(Task(name), 3)
    got = "".join(taken(queue, "[D3] equal times")[0] for _ in range(7))
    assert got == "abcdefg", f"[D3] seven tasks due at the same time, put as abcdefg, came as {got}"


def edges_time_out(answer):
    queue = answer.DelayQueue()
    assert raises(TimeoutError, lambda: queue.get(timeout=2)), "[D5] nothing is inside"
    assert time.monotonic() == 2, f"[D5] the time-out of 2 s came after {time.monotonic():g} s"
    queue.put(Task("a"), 3)
    assert raises(TimeoutError, lambda: queue.get(timeout=0)), "[D5] timeout=0 does not wait"
    assert raises(TimeoutError, lambda: queue.get(timeout=1)), "[D5] the task is due in 3 s, the time-out is 1 s"
    assert time.monotonic() == 3, f"[D5] the time-out of 1 s took until {time.monotonic():g} s instead of 3"
    assert taken(queue, "[D4] it is due at 5", timeout=9) == ("a", 5), f"[D4] due at 5, and it is {time.monotonic():g}"
    queue.put(Task("b"), 0)
    assert taken(queue, "[D5] it is due", timeout=0)[0] == "b", "[D5] timeout=0 takes what is due"


def edges_close(answer):
    queue = answer.DelayQueue()
    queue.put(Task("a"), 2)
    queue.close()
    assert raises(answer.Closed, lambda: queue.put(Task("b"), 0)), "[D7] put() after close() raises Closed"
    assert taken(queue, "[D7] a is inside") == ("a", 2), "[D7] what is inside comes when it is due"
    assert raises(answer.Closed, queue.get), "[D7] then get() raises Closed"
    now = time.monotonic()
    for timeout in (5, 0):
        late = raises(answer.Closed, lambda timeout=timeout: queue.get(timeout))
        assert late, f"[D7] get(timeout={timeout}) raises Closed, too: nothing is left, and nothing will come"
    assert time.monotonic() == now, "[D7] get() of a closed queue with nothing in it does not wait"
    queue.close()


def schedules_earlier_task(answer):
    queue, got = answer.DelayQueue(), []
    queue.put(Task("late"), 10)

    def consumer():
        got.append(taken(queue, "[D1] two tasks"))

    def producer():
        time.sleep(1)
        queue.put(Task("soon"), 1)

    together(consumer, producer)
    assert got[0][1] >= 2, f"[D4] one task is due at 10, one at 2; {got[0][0]!r} came at {got[0][1]:g}"
    assert got == [("soon", 2)], f"[D1] one task is due at 10, one at 2; get() returned {got}"


def schedules_later_task(answer):
    """The sleeper is woken, and nothing is due."""
    queue, got = answer.DelayQueue(), []
    queue.put(Task("soon"), 5)

    def consumer():
        got.append(taken(queue, "[D4] two tasks"))

    def producer():
        time.sleep(1)
        queue.put(Task("late"), 8)

    together(consumer, producer)
    assert got == [("soon", 5)], f"[D4] one task is due at 5, one at 9; get() returned {got}"


def schedules_two_consumers(answer):
    queue, got = answer.DelayQueue(), {}

    def first():
        got["first"] = taken(queue, "[D2] two tasks")

    def second():
        got["second"] = taken(queue, "[D2] two tasks")

    def producer():
        queue.put(Task("a"), 2)
        queue.put(Task("b"), 1)

    together(first, second, producer)
    found = sorted(got.values())
    assert found == [("a", 2), ("b", 1)], f"[D2] a is due at 2, b at 1; two consumers wait, and got {found}"


def schedules_due_at_the_same_time(answer):
    queue, got = answer.DelayQueue(), {}

    def first():
        got["first"] = taken(queue, "[D2] two tasks")

    def second():
        got["second"] = taken(queue, "[D2] two tasks")

    def producer():
        queue.put(Task("a"), 1)
        queue.put(Task("b"), 1)

    together(first, second, producer)
    found = sorted(got.values())
    assert found == [("a", 1), ("b", 1)], f"[D2] both are due at 1; two consumers wait, and got {found}"


def schedules_time_out_meets_a_task(answer):
    """One consumer gives up in the moment when the task comes. Then the other one must get it in time."""
    queue, got = answer.DelayQueue(), {}

    def impatient():
        try:
            got["impatient"] = taken(queue, "[D2] one task", timeout=3)
        except TimeoutError:
            pass

    def patient():
        try:
            got["patient"] = taken(queue, "[D2] one task", timeout=20)
        except TimeoutError:
            pass

    def producer():
        time.sleep(3)
        queue.put(Task("a"), 0)

    together(impatient, patient, producer)
    assert list(got.values()) == [("a", 3)], f"[D2] a task is due at 3, two consumers wait, and got {got}"


def schedules_time_out_after_the_news(answer):
    """The consumer that was woken for the task gives up before the task is due. Then the other one must know of it."""
    queue, got = answer.DelayQueue(), {}

    def impatient():
        assert raises(TimeoutError, lambda: queue.get(timeout=3)), "[D5] nothing is due within 3 s"

    def patient():
        try:
            got["patient"] = taken(queue, "[D2] one task", timeout=20)
        except TimeoutError:
            pass

    def producer():
        time.sleep(1)
        queue.put(Task("a"), 9)

    together(impatient, patient, producer)
    assert got.get("patient") == ("a", 10), f"[D2] one is due at 10; the consumer that waits for 20 s has {got}"


def schedules_time_out_goes_on(answer):
    queue = answer.DelayQueue()

    def consumer():
        assert raises(TimeoutError, lambda: queue.get(timeout=10)), "[D5] nothing is due within 10 s"
        waited = time.monotonic()
        assert waited == 10, f"[D5] get(timeout=10) took {waited:g} s"

    def producer():
        time.sleep(8)
        queue.put(Task("late"), 30)

    together(consumer, producer)


def schedules_two_producers(answer):
    queue = answer.DelayQueue()
    together(lambda: queue.put(Task("a"), 0), lambda: queue.put(Task("b"), 0))
    got = sorted(taken(queue, "[D6] two tasks", timeout=1)[0] for _ in range(2))
    assert got == ["a", "b"], f"[D6] got {got}"


def schedules_close_while_empty(answer):
    queue, ended = answer.DelayQueue(), {}

    def first():
        ended["first"] = raises(answer.Closed, queue.get)

    def second():
        ended["second"] = raises(answer.Closed, queue.get)

    together(first, second, lambda: queue.close())
    assert list(ended.values()) == [True, True], "[D7] both consumers raise Closed"


def schedules_close_wakes_all(answer):
    queue, ended = answer.DelayQueue(), {}
    queue.put(Task("a"), 2)

    def consume(name):
        try:
            ended[name] = taken(queue, "[D7] a is inside")
        except answer.Closed:
            ended[name] = "closed"

    def first():
        consume("first")

    def second():
        consume("second")

    together(first, second, lambda: queue.close())
    found = sorted(ended.values(), key=str)
    assert found == [("a", 2), "closed"], f"[D7] one task was inside at close(), two consumers wait: {found}"
    assert time.monotonic() == 2, f"[D7] all is over at 2 s, and it is {time.monotonic():g} s"
