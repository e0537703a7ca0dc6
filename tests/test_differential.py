"""The classes that stand in for those of the standard library: the same calls, the same answers, the same errors.

Random sequences of calls of one thread, with each object beside its model. What is different on purpose is left out of the
sequences: `with lock as it` gives the lock, `acquire(timeout=None)` waits for ever, and arguments that are no numbers are
refused by name. A held lock raises RuntimeError for the thread that would wait for itself, where the model would wait.
"""

import queue
import random
import sys
import threading

import pytest

import lockfree

TIMEOUTS = [0, 0.0, 0.0001, -1, -1.0, -0.5, -2, False]
BLOCKING = [True, False, 0, 1, 2]


def acquire(rng):
    blocking, timeout = rng.choice(BLOCKING), rng.choice(TIMEOUTS)
    return rng.choice(
        [
            ("acquire",),
            ("acquire", blocking),
            ("acquire", blocking, timeout),
            ("acquire", {"timeout": timeout}),
            ("acquire", {"blocking": blocking, "timeout": timeout}),
            ("acquire", 1, 2, 3, 4),
            ("acquire", {"bogus": 1}),
        ]
    )


def lock_calls(rng):
    return rng.choice([acquire(rng), ("release",), ("release",), ("release", 1), ("__exit__", None, None, None)])


def semaphore_calls(rng):
    return rng.choice([acquire(rng), ("release",), ("release", rng.choice([0, -1, 1, 2, True]))])


def event_calls(rng):
    wait = rng.choice([("wait", rng.choice(TIMEOUTS)), ("wait", {"timeout": rng.choice(TIMEOUTS)}), ("wait", 1, 2)])
    return rng.choice([wait, ("set",), ("clear",), ("is_set",), ("set", 1), ("is_set", 1)])


def barrier_calls(rng):
    return rng.choice([("wait",), ("wait", rng.choice(TIMEOUTS)), ("reset",), ("abort",), ("reset", 1), ("wait", 1, 2)])


def condition_calls(rng):
    says = rng.choice([(True,), (False,), ("yes",), (0,), (0, 1), (0, 0, 5), (ZeroDivisionError(),)])
    return rng.choice(
        [
            lock_calls(rng),
            ("notify",),
            ("notify", rng.choice([1, 0, 2, True, sys.maxsize])),
            ("notify_all",),
            ("wait", rng.choice(TIMEOUTS)),
            ("wait_for", Says(says), rng.choice(TIMEOUTS)),
        ]
    )


def queue_calls(rng):
    block, timeout, item = rng.choice(BLOCKING), rng.choice(TIMEOUTS), rng.randrange(9)
    if block and timeout < 0:
        timeout = 0
    return rng.choice(
        [
            ("put", item, block, timeout),
            ("put", item, {"timeout": abs(timeout) / 1000}),
            ("get", block, timeout),
            ("get", {"block": block, "timeout": timeout}),
            ("put_nowait", item),
            ("get_nowait",),
            ("get", False),
            ("empty",),
            ("full",),
            ("qsize",),
            ("task_done",),
            ("put",),
            ("put", 1, True, None, 4),
            ("get", True, None, 3),
        ]
    )


class Says:
    """A predicate that gives these answers one after another, and then the last one again; it counts its calls."""

    def __init__(self, answers):
        self.answers, self.calls = answers, 0

    def __call__(self):
        answer = self.answers[min(self.calls, len(self.answers) - 1)]
        self.calls += 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    def __repr__(self):
        return f"Says({self.answers})"


def locked(model):
    """Whether the model's `acquire` of this thread would wait for ever."""
    if isinstance(model, threading.Semaphore):
        return model._value == 0
    if isinstance(model, threading.Condition):
        return getattr(model._lock, "locked", bool)()
    return getattr(model, "locked", bool)()


def waits(call, model):
    """Whether this call of the model would not return."""
    name, *rest = call
    named = rest.pop() if rest and isinstance(rest[-1], dict) else {}
    if name == "acquire" and locked(model) and len(rest) < 3 and "bogus" not in named:
        blocking = rest[0] if rest else named.get("blocking", True)
        timeout = (
            rest[1]
            if len(rest) > 1
            else named.get("timeout", -1 if not isinstance(model, threading.Semaphore) else None)
        )
        return bool(blocking) and (timeout is None or (timeout == -1 and not isinstance(model, threading.Semaphore)))
    if name == "get" and isinstance(model, queue.Queue):
        return call == ("get",)
    return False


def answer(shared, call):
    name, *rest = call
    named = rest.pop() if rest and isinstance(rest[-1], dict) else {}
    says = [value for value in rest if isinstance(value, Says)]
    for each in says:
        each.calls = 0
    try:
        said = getattr(shared, name)(*rest, **named)
    except Exception as error:
        return error, [each.calls for each in says]
    return said, [each.calls for each in says]


def same(ours, theirs):
    (ours, calls), (theirs, expected) = ours, theirs
    if isinstance(theirs, Exception):
        return isinstance(ours, type(theirs)) and calls == expected
    return type(ours) is type(theirs) and ours == theirs and calls == expected


PAIRS = {
    "Mutex": (lockfree.Mutex, threading.Lock, lock_calls),
    "SpinLock": (lockfree.SpinLock, threading.Lock, lock_calls),
    "RLock": (lockfree.RLock, threading.RLock, lock_calls),
    "Semaphore": (lambda: lockfree.Semaphore(2), lambda: threading.Semaphore(2), semaphore_calls),
    "BoundedSemaphore": (lambda: lockfree.Semaphore(2, 2), lambda: threading.BoundedSemaphore(2), semaphore_calls),
    "Event": (lockfree.Event, threading.Event, event_calls),
    "Barrier": (lambda: lockfree.Barrier(1), lambda: threading.Barrier(1), barrier_calls),
    "Barrier of 2": (
        lambda: lockfree.Barrier(2, None, 0.001),
        lambda: threading.Barrier(2, None, 0.001),
        barrier_calls,
    ),
    "Condition": (lockfree.Condition, threading.Condition, condition_calls),
    "Condition over a lock": (
        lambda: lockfree.Condition(lockfree.Mutex()),
        lambda: threading.Condition(threading.Lock()),
        condition_calls,
    ),
    "JoinableQueue": (lambda: lockfree.JoinableQueue(3), lambda: queue.Queue(3), queue_calls),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_the_same_calls_have_the_same_answers(kind):
    make, model, calls = PAIRS[kind]
    for seed in range(300):
        rng = random.Random(f"{kind} {seed}")
        ours, theirs, before = make(), model(), []
        for _ in range(12):
            call = calls(rng)
            if not waits(call, theirs):
                got, expected = answer(ours, call), answer(theirs, call)
                assert same(got, expected), (seed, before, call, got, expected)
                before.append(call)
        ours.close()


@pytest.mark.parametrize("maxsize", [0, 1, 3])
@pytest.mark.parametrize("immediate", [False, True])
def test_after_a_shutdown_a_queue_says_what_that_of_python_3_13_says(maxsize, immediate):
    """An immediate shutdown of `queue.Queue` empties it, and does each task that was inside."""
    with lockfree.JoinableQueue(maxsize) as ours:
        for item in range(maxsize or 2):
            ours.put(item)
        assert ours.full() is (maxsize > 0)
        ours.shutdown(immediate)
        left = 0 if immediate else maxsize or 2
        assert (ours.qsize(), ours.empty(), ours.full()) == (left, left == 0, 0 < maxsize == left)
        for call in (lambda: ours.put("late"), ours.get, ours.get_nowait)[: 3 if immediate else 1]:
            with pytest.raises(lockfree.ShutDown):
                call()
        for item in range(left):
            assert ours.get() == item
            ours.task_done()
        assert ours.join(timeout=0) is True
        with pytest.raises(lockfree.ShutDown):
            ours.get()


def test_a_difference_is_seen():
    assert same((1, []), (1, []))
    assert not same((1, []), (True, []))
    assert not same((0, [1]), (0, [2]))
    assert not same((ValueError(), []), (TypeError(), []))
    assert same((queue.Empty(), []), (queue.Empty(), []))
