"""The knob `spin`: how long the waiting calls of an object look before they sleep."""

import inspect
import multiprocessing
import pickle
import queue
import resource
from contextlib import closing, suppress

import pytest

import lockfree
from lockfree._native import ffi, lib

ARGUMENTS = {
    "Arena": (10000,),
    "Barrier": (3,),
    "BlockPool": (4,),
    "BroadcastRing": (4096, 1),
    "MessageRing": (4096,),
    "MPMCRing": (4, 8),
    "LatestValue": (8,),
    "SPSCRing": (4, 8),
    "PriorityQueue": (4, 8),
    "Semaphore": (0,),
}


def waits(kind):
    """Whether a public method takes a time-out."""
    methods = [getattr(kind, name) for name in dir(kind) if not name.startswith("_")]
    return any("timeout" in inspect.signature(method).parameters for method in methods if callable(method))


CLASSES = [getattr(lockfree, name) for name in dir(lockfree) if isinstance(getattr(lockfree, name), type)]
KINDS = [kind for kind in CLASSES if not issubclass(kind, Exception) and waits(kind)]


def test_there_are_classes_that_wait():
    assert {"Mutex", "MPMCRing", "PriorityQueue", "Semaphore", "Event"} <= {kind.__name__ for kind in KINDS}
    assert lockfree.AtomicU64 not in KINDS


def make(kind, **named):
    return kind(*ARGUMENTS.get(kind.__name__, ()), **named)


def in_c(shared):
    handle = shared._h
    return lib.lf_get_spin(ffi.addressof(handle, "h"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_class_that_waits_has_the_knob(kind, shm_name):
    with closing(make(kind, name=shm_name)) as first:
        assert first.spin == "adaptive"
        assert in_c(first) == 2**32 - 1
        for spin in ("never", 250, "adaptive"):
            with closing(kind.attach(shm_name, spin=spin)) as second:
                assert second.spin == spin
                assert in_c(second) == {"never": 0, "adaptive": 2**32 - 1}.get(spin, spin)
        first.spin = 10**5
        assert (first.spin, in_c(first)) == (10**5, 10**5)
        first.spin = 0
        assert (first.spin, in_c(first)) == ("never", 0)
    with closing(make(kind, spin=7)) as third:
        assert (third.spin, in_c(third)) == (7, 7)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_values_are_refused_with_the_bound(kind, shm_name):
    wrong = [
        ("often", ValueError, 'spin is \'often\': it must be "adaptive", "never", or microseconds from 0 to 100000'),
        (-1, ValueError, "spin is -1: it must be between 0 and 100000"),
        (10**5 + 1, ValueError, "spin is 100001: it must be between 0 and 100000"),
        (2**70, ValueError, "it must be between 0 and 100000"),
        (0.5, TypeError, 'spin is 0.5: it must be "adaptive", "never", or an integer of microseconds'),
        (None, TypeError, "spin is None"),
    ]
    with closing(make(kind, name=shm_name, spin=3)) as shared:
        for spin, error, text in wrong:
            with pytest.raises(error) as caught:
                make(kind, name=shm_name + "-2", spin=spin)
            assert text in str(caught.value)
            with pytest.raises(error):
                kind.attach(shm_name, spin=spin)
            with pytest.raises(error):
                shared.spin = spin
        assert shared.spin == 3
    with pytest.raises(FileNotFoundError):  # nothing was made before the refusal
        kind.attach(shm_name + "-2")
    with pytest.raises(lockfree.Closed):
        shared.spin = 4
    assert shared.spin == 3


def tell(shared, answers):
    answers.put((shared.spin, in_c(shared)))


@pytest.mark.parametrize("kind", [lockfree.Mutex, lockfree.MPMCRing])
def test_it_travels_with_the_object(kind):
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    with closing(make(kind, spin=12)) as shared:
        child = context.Process(target=tell, args=(shared, answers))
        child.start()
        child.join()
        assert child.exitcode == 0
        assert answers.get() == (12, 12)
        with closing(pickle.loads(multiprocessing.reduction.ForkingPickler.dumps(shared))) as copy:
            assert (copy.spin, in_c(copy)) == (12, 12)


@pytest.mark.parametrize("kind", [lockfree.Semaphore, lockfree.MPMCRing, lockfree.Event])
def test_it_reaches_the_waiting_calls(kind):
    """CPU time, not elapsed time: a wait that never looks does not use it. On a busy machine one that looks gets little of
    it, and looks again.
    """

    def cpu_of_a_wait(spin):
        with closing(make(kind, spin=spin)) as shared:
            call = next(getattr(shared, name) for name in ("acquire", "wait", "get") if hasattr(shared, name))
            before = resource.getrusage(resource.RUSAGE_THREAD).ru_utime
            with suppress(queue.Empty):
                call(timeout=0.2)
            return resource.getrusage(resource.RUSAGE_THREAD).ru_utime - before

    assert any(cpu_of_a_wait(100_000) > 10 * cpu_of_a_wait("never") for _ in range(20))
