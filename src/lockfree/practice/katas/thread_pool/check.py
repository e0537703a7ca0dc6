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


def fails():
    raise LookupError("of the task")


def nobody_is_left(before):
    left = threading.active_count() - before
    assert left == 0, f"[T4] {left} threads are left after shutdown()"


def edges_results(answer):
    before = threading.active_count()
    pool = answer.Pool(2)
    began = time.monotonic()
    tasks = [pool.submit(time.sleep, 1), pool.submit(time.sleep, 1), pool.submit(pow, 2, 5)]
    got = [task.result() for task in tasks]
    assert got == [None, None, 32], f"[T8] the results are {got}"
    took = time.monotonic() - began
    assert took < 2, f"[T8] two workers took {took:g} s for two tasks of 1 s"
    assert [task.done() for task in tasks] == [True] * 3, "[T8] all are done"
    assert not any(task.cancel() for task in tasks), "[T2] what has run cannot be cancelled"
    assert tasks[2].result(timeout=0) == 32, "[T8] the result can be asked for again"
    pool.shutdown()
    nobody_is_left(before)


def edges_exception(answer):
    pool = answer.Pool(1)
    bad, good = pool.submit(fails), pool.submit(pow, 3, 2)
    assert good.result() == 9, "[T3] the worker goes on after an exception"
    assert raises(LookupError, bad.result), "[T3] result() raises what the function raised"
    assert bad.done(), "[T3] a task that failed is done"
    pool.shutdown()


def edges_time_out(answer):
    pool = answer.Pool(1)
    task = pool.submit(time.sleep, 10)
    began = time.monotonic()
    assert raises(TimeoutError, lambda: task.result(timeout=4)), "[T7] result(timeout=4) of a task of 10 s raises TimeoutError"
    took = time.monotonic() - began
    assert 4 <= took < 5, f"[T7] the time-out of 4 s came after {took:g} s"
    assert not task.done(), "[T7] it is still running"
    assert task.result(timeout=100) is None, "[T7] later its result is there"
    pool.shutdown()


def edges_shutdown(answer):
    before = threading.active_count()
    pool, ran = answer.Pool(1), []
    tasks = [pool.submit(lambda number=number: (time.sleep(1), ran.append(number))) for number in range(3)]
    pool.shutdown()
    assert ran == [0, 1, 2], f"[T1] three tasks were submitted before shutdown(); these have run: {ran}"
    assert all(task.done() for task in tasks), "[T1] all are done"
    assert raises(RuntimeError, lambda: pool.submit(fails)), "[T1] submit() after shutdown() raises RuntimeError"
    nobody_is_left(before)
    pool.shutdown()


def edges_cancel(answer):
    before = threading.active_count()
    pool, ran = answer.Pool(1), []
    first, second, third = pool.submit(time.sleep, 5), pool.submit(ran.append, 2), pool.submit(ran.append, 3)
    time.sleep(1)
    assert first.cancel() is False, "[T2] cancel() of a running task returns False"
    assert second.cancel() is True, "[T2] cancel() of a waiting task returns True"
    assert second.cancel() is True, "[T2] it is cancelled already, and never runs"
    assert second.done(), "[T2] a cancelled task is done"
    assert raises(answer.Cancelled, second.result), "[T2] result() of a cancelled task raises Cancelled"
    pool.shutdown()
    assert ran == [3], f"[T2] these ran: {ran}"
    assert third.done(), "[T8] the last one ran"
    nobody_is_left(before)


def edges_drop(answer):
    before = threading.active_count()
    pool, ran = answer.Pool(1), []
    first = pool.submit(time.sleep, 5)
    others = [pool.submit(ran.append, number) for number in range(2)]
    time.sleep(1)
    pool.shutdown(drop=True)
    assert first.done(), "[T4] shutdown() waits for what runs"
    assert ran == [], f"[T1] dropped tasks have run: {ran}"
    for task in others:
        assert task.done(), "[T6] a dropped task is cancelled"
        assert raises(answer.Cancelled, task.result), "[T6] a dropped task is cancelled"
    nobody_is_left(before)


def edges_drop_while_a_shutdown_waits(answer):
    before = threading.active_count()
    pool, ran = answer.Pool(1), []
    pool.submit(time.sleep, 5)
    task = pool.submit(ran.append, 1)
    waits = threading.Thread(target=pool.shutdown, name="shutdown")
    waits.start()
    time.sleep(1)
    pool.shutdown(drop=True)
    waits.join()
    assert ran == [], "[T6] shutdown(drop=True) came while another shutdown() waited: the waiting task has run"
    assert raises(answer.Cancelled, task.result), "[T6] a dropped task is cancelled, also by a second shutdown()"
    nobody_is_left(before)


def edges_shutdown_from_a_task(answer):
    before = threading.active_count()
    pool = answer.Pool(2)
    task = pool.submit(pool.shutdown)
    task.result()
    assert raises(RuntimeError, lambda: pool.submit(fails)), "[T5] the pool is closed"
    pool.shutdown()
    nobody_is_left(before)


def schedules_cancel_meets_start(answer):
    pool, ran = answer.Pool(1), []
    task = pool.submit(ran.append, 1)
    cancelled = task.cancel()
    pool.shutdown()
    assert len(ran) == (not cancelled), f"[T2] cancel() returned {cancelled}, and the function ran {len(ran)} times"
    assert task.done(), "[T2] it has run, or it is cancelled"


def schedules_two_cancel(answer):
    pool, ran, said = answer.Pool(1), [], {}
    task = pool.submit(ran.append, 1)

    def first():
        said["first"] = task.cancel()

    def second():
        said["second"] = task.cancel()

    together(first, second)
    pool.shutdown()
    assert len(set(said.values())) == 1, f"[T2] the same task is cancelled for one caller, and not for the other: {said}"
    assert len(ran) == (not said["first"]), f"[T2] cancel() returned {said['first']}, and it ran {len(ran)} times"


def schedules_submit_meets_shutdown(answer):
    pool, ran, refused = answer.Pool(1), [], []

    def submits():
        try:
            task = pool.submit(ran.append, 1)
        except RuntimeError:
            refused.append(1)
            return
        task.result()

    together(submits, lambda: pool.shutdown())
    assert len(ran) + len(refused) == 1, "[T1] a task runs or is refused"


def schedules_drop_meets_worker(answer):
    pool, ran = answer.Pool(1), []
    tasks = [pool.submit(ran.append, number) for number in range(2)]
    pool.shutdown(drop=True)
    dropped = [raises(answer.Cancelled, task.result) for task in tasks]
    assert dropped == [number not in ran for number in range(2)], f"[T2] ran: {ran}; dropped: {dropped}"


def schedules_each_once(answer):
    before = threading.active_count()
    pool, ran = answer.Pool(2), {}

    def task(number):
        ran[number] = ran.get(number, 0) + 1

    tasks = [pool.submit(task, number) for number in range(3)]
    pool.shutdown()
    assert ran == {0: 1, 1: 1, 2: 1}, f"[T1] three tasks; how often each ran: {ran}"
    assert all(task.done() for task in tasks), "[T1] all are done"
    nobody_is_left(before)


def schedules_idle_shutdown(answer):
    before = threading.active_count()
    pool = answer.Pool(2)
    pool.shutdown()
    nobody_is_left(before)


def schedules_two_shutdowns(answer):
    before = threading.active_count()
    pool = answer.Pool(2)
    together(lambda: pool.shutdown(), lambda: pool.shutdown())
    nobody_is_left(before)


def schedules_two_tasks_shut_down(answer):
    """Two workers must not wait for each other."""
    before = threading.active_count()
    pool = answer.Pool(2)
    for _ in range(2):
        try:
            pool.submit(pool.shutdown)
        except RuntimeError:
            break
    pool.shutdown()
    nobody_is_left(before)


def schedules_result_wakes_all(answer):
    pool, got = answer.Pool(1), {}
    task = pool.submit(pow, 2, 5)

    def first():
        got["first"] = task.result()

    def second():
        got["second"] = task.result()

    together(first, second)
    assert got == {"first": 32, "second": 32}, f"[T6] got {got}"
    pool.shutdown()


def schedules_result_of_a_cancelled_task(answer):
    pool, raised, gate = answer.Pool(1), [], threading.Event()
    pool.submit(gate.wait)
    task = pool.submit(time.sleep, 1)

    def waits():
        raised.append(raises(answer.Cancelled, task.result))

    def cancels():
        raised.append(task.cancel())

    together(waits, cancels)
    gate.set()
    assert raised[0] == raised[1], "[T6] cancel() returned True, and result() does not raise Cancelled"
    pool.shutdown()


def schedules_result_of_a_dropped_task(answer):
    pool, ran = answer.Pool(1), []
    task, got = pool.submit(ran.append, 1), []

    def waits():
        got.append(raises(answer.Cancelled, task.result))

    together(waits, lambda: pool.shutdown(drop=True))
    assert got == [not ran], f"[T6] the task ran: {ran}; result() raises Cancelled: {got}"


def schedules_woken_for_nothing(answer):
    """A worker takes the task for which another one was woken. Both are there for the next tasks."""
    pool = answer.Pool(2)
    for _ in range(2):
        pool.submit(int)
    time.sleep(1)
    began = time.monotonic()
    tasks = [pool.submit(time.sleep, 1) for _ in range(2)]
    for task in tasks:
        task.result()
    took = time.monotonic() - began
    pool.shutdown()
    assert took < 2, f"[T8] two workers took {took:g} s for two tasks of 1 s: one of them went home"


def schedules_result_meets_time_out(answer):
    pool = answer.Pool(1)
    task = pool.submit(lambda: time.sleep(1) or 7)
    try:
        got = task.result(timeout=1)
    except TimeoutError:
        got = task.result()
    assert got == 7, f"[T7] result() returned {got!r}"
    pool.shutdown()
