"""The methods in C look like the Python methods that they stand for, and their messages name the object and the way out."""

import contextlib
import inspect
import pickle
import threading

import pytest

import lockfree
from lockfree._native import PURE
from lockfree._types import Chosen
from lockfree.atomic import F64View, FlagView, I64View, U32View, U64View

CLASSES = [getattr(lockfree, name) for name in lockfree.__all__ if isinstance(getattr(lockfree, name), type)]
CLASSES = [kind for kind in CLASSES if not issubclass(kind, Exception)] + [U32View, U64View, I64View, F64View, FlagView]
native = pytest.mark.skipif(PURE, reason="the C types are not in use")


def in_c(kind):
    """The public methods of the C type below a class: (name, in C, in Python or None)."""
    c_type = kind.__mro__[1]
    if c_type.__base__ is not object:
        return  # a Python class that is made of another one
    for name, method in vars(c_type).items():
        if type(method).__name__ == "method_descriptor" and (
            not name.startswith("_") or name in {"__enter__", "__exit__"}
        ):
            yield name, method, next((vars(b)[name] for b in kind.__mro__[2:] if name in vars(b)), None)


def shape(method):
    return [(p.name, p.kind, p.default) for p in list(inspect.signature(method).parameters.values())[1:]]


def undocumented(cls):
    """What a reader of help() finds nothing about."""
    spoken = ("__enter__", "__exit__", "__len__", "__iter__")
    names = [name for name in dir(cls) if (not name.startswith("_") or name in spoken) and name != "name"]
    return [name for name in names if not inspect.getattr_static(cls, name).__doc__]


@pytest.mark.parametrize("name", [name for name in lockfree.__all__ if hasattr(getattr(lockfree, name), "close")])
def test_every_public_method_has_a_docstring(name):
    assert not undocumented(getattr(lockfree, name))


def test_a_method_without_a_docstring_is_found():
    assert undocumented(type("Silent", (), {"say": lambda self: 1})) == ["say"]
    assert undocumented(type("Silenced", (lockfree.Event,), {"set": lambda self: None})) == ["set"]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_method_has_the_name_by_which_it_is_called(kind):
    names = [name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))]
    assert [name for name in names if getattr(getattr(kind, name), "__name__", name) != name] == []


@native
@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_signatures_and_docstrings_are_those_of_the_python_methods(kind):
    methods = list(in_c(kind))
    if not methods:
        pytest.skip("no method in C")
    for name, c_method, python_method in methods:
        assert python_method is not None, f"{kind.__name__}.{name} has no Python method behind it"
        assert inspect.getdoc(c_method) == inspect.getdoc(python_method), name
        assert inspect.getdoc(c_method), name
        if name != "__exit__":
            assert shape(c_method) == shape(python_method), name


@native
def test_errors_of_arguments_name_class_and_method():
    with contextlib.closing(lockfree.Mutex()) as lock:
        for call, text in (
            (lambda: lock.try_acquire(1), r"Mutex\.try_acquire\(\) takes no arguments"),
            (lambda: lock.acquire(True, 1, 2), r"Mutex\.acquire\(\) takes at most 2 arguments \(3 given\)"),
            (lambda: lock.acquire(wait=1), r"Mutex\.acquire\(\) got an unexpected keyword argument 'wait'"),
            (
                lambda: lock.acquire(True, blocking=True),
                r"Mutex\.acquire\(\) got multiple values for argument 'blocking'",
            ),
        ):
            with pytest.raises(TypeError, match=text):
                call()
        assert not lock.locked()
    with (
        lockfree.AtomicU32() as atomic,
        pytest.raises(TypeError, match=r"AtomicU32\.store\(\) is missing its argument 'value'"),
    ):
        atomic.store()


@native
def test_a_method_says_what_it_is():
    assert lockfree.Mutex.acquire.__qualname__ == "Mutex.acquire"
    assert "Takes the lock" in lockfree.Mutex.acquire.__doc__
    assert str(inspect.signature(lockfree.Mutex().acquire)) == "(blocking=True, timeout=-1, *, block=None)"
    assert str(inspect.signature(lockfree.AtomicU64.fetch_add)) == "(self, /, value, order='seq_cst')"


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if hasattr(kind, "aput")])
def test_an_awaited_put_takes_what_a_put_takes(kind):
    parameters = inspect.signature(kind.put).parameters
    wanted = [name for name in parameters if name not in {"block", "timeout"}]
    assert list(inspect.signature(kind.aput).parameters) == [*wanted, "timeout"]


# ---- messages ----


def text_of(call, kind=Exception):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize("kind", [lockfree.Mutex, lockfree.SpinLock])
def test_who_must_hold_a_lock_is_told_who_does(kind, shm_name):
    import os

    with contextlib.closing(kind(name=shm_name)) as lock:
        title = f"{kind.__name__} {shm_name!r}"
        for call in ("release", "recover"):
            text = text_of(getattr(lock, call), RuntimeError)
            assert text == f"{title}: {call}() by a thread that does not hold it: nobody holds it"
        holder = threading.Thread(target=lambda: (lock.acquire(), told.wait(30), lock.release()))
        told = threading.Event()
        holder.start()
        while not lock.locked():
            pass
        text = text_of(lock.release, RuntimeError)
        assert text.endswith(f"thread {holder.native_id} of process {os.getpid()} holds it")
        told.set()
        holder.join()
        lock.acquire()
        assert text_of(lock.acquire, RuntimeError).startswith(f"{title}: this thread holds the lock already")
        lock.release()
        lock.unlink()


def test_a_name_that_is_taken(shm_name):
    with contextlib.closing(lockfree.Semaphore(name=shm_name)) as first:
        text = text_of(lambda: lockfree.Semaphore(name=shm_name), FileExistsError)
        assert "attach()" in text
        assert "lockfree gc" in text
        assert f"Semaphore '{shm_name}'" in text
        first.unlink()
    text = text_of(lambda: lockfree.Semaphore.attach(shm_name), FileNotFoundError)
    assert "lockfree ls" in text
    assert f"Semaphore '{shm_name}'" in text


@pytest.mark.parametrize("call", [lockfree.Mutex.attach, lambda name: lockfree.AtomicU64(name=name)])
def test_a_name_that_cannot_be_encoded(call):
    with pytest.raises(ValueError, match=r"name is '\\udcff.*': it must be text that UTF-8 can encode"):
        call("\udcffx")


def test_a_semaphore_says_how_far_a_release_went_too_far(shm_name):
    with contextlib.closing(lockfree.Semaphore(2, max_value=3, name=shm_name)) as permits:
        text = text_of(lambda: permits.release(n=2), ValueError)
        assert text == f"Semaphore '{shm_name}': release of 2 at a value of 2: above max_value 3"
        permits.unlink()


def test_a_stale_unlink_says_whose_the_name_is(shm_name):
    with contextlib.closing(lockfree.Mutex(name=shm_name)) as first:
        first.unlink()
        with contextlib.closing(lockfree.Mutex(name=shm_name)) as second:
            with pytest.raises(FileNotFoundError) as error:
                first.unlink()
            assert "the name stands for another segment now" in str(error.value)
            assert "no segment has this name" not in str(error.value)
            second.unlink()


def test_a_role_that_is_taken(shm_name):
    import os

    ring = lockfree.SPSCRing(4, 8, name=shm_name)
    ring.unlink()
    ring.put(b"a")
    ring.put(b"b")
    ring.get()
    texts = []

    def try_all():
        for call in (lambda: ring.put(b"x"), ring.get):
            texts.append(text_of(call, lockfree.RoleTaken))
        texts.append(text_of(lambda: ring.release_role("producer"), RuntimeError))

    thread = threading.Thread(target=try_all)
    thread.start()
    thread.join()
    holder = f"thread {threading.get_native_id()} of process {os.getpid()}"
    assert texts == [
        f"SPSCRing '{shm_name}': the role of the producer is taken by {holder}: one producer and one consumer at a time",
        f"SPSCRing '{shm_name}': the role of the consumer is taken by {holder}: one producer and one consumer at a time",
        f"SPSCRing '{shm_name}': release_role() of a role that this thread does not hold",
    ]
    ring.close()


def test_misuse_of_a_container_names_it(shm_name):
    with contextlib.closing(lockfree.MPMCRing(4, 8, name=shm_name)) as ring:
        ring.unlink()
        for call in (lambda: ring.commit(), ring.cancel, ring.release):
            assert text_of(call, RuntimeError).startswith(
                f"MPMCRing '{shm_name}': this thread has nothing in hand: call "
            )
        view = ring.reserve()
        assert text_of(lambda: ring.release(view), RuntimeError).startswith(
            f"MPMCRing '{shm_name}': this view is of no peeked record that is in hand"
        )
        ring.commit(1)
    with lockfree.SPSCRing(4, 8) as ring:
        ring.put(b"x")
        ring.reserve()
        assert "SPSCRing: this thread has a reservation already" in text_of(ring.reserve, RuntimeError)
        ring.peek()
        assert "SPSCRing: this thread has a record in hand already" in text_of(ring.peek, RuntimeError)


@pytest.mark.parametrize("kind", [lockfree.Mutex, lockfree.Semaphore, lockfree.AtomicF64])
def test_a_closed_object_is_named(kind, shm_name):
    made = kind(name=shm_name)
    made.unlink()
    made.close()
    call = made.load if kind is lockfree.AtomicF64 else made.try_acquire
    assert text_of(call, lockfree.Closed) == f"{kind.__name__} '{shm_name}': the object is closed"


# ---- time-outs ----

WAITS = {
    "Mutex": lambda timeout: lockfree.Mutex().acquire(timeout=timeout),
    "SpinLock": lambda timeout: lockfree.SpinLock().acquire(True, timeout),
    "Semaphore": lambda timeout: lockfree.Semaphore(1).acquire(timeout=timeout),
    "MPMCRing.put": lambda timeout: lockfree.MPMCRing(4, 8).put(b"x", timeout=timeout) is None,
    "PriorityQueue.put": lambda timeout: lockfree.PriorityQueue(4, 8).put(b"x", 0, True, timeout) is None,
    "SPSCRing.reserve": lambda timeout: lockfree.SPSCRing(4, 8).reserve(True, timeout) is not None,
    "SPSCRing.put_many": lambda timeout: lockfree.SPSCRing(4, 8).put_many([b"x"], True, timeout) == 1,
}
BAD = [
    ("soon", TypeError),
    ("1", TypeError),
    ([], TypeError),
    (1j, TypeError),
    (b"1", TypeError),
    (float("nan"), ValueError),
    (-2, ValueError),
    (-(10**400), ValueError),
    (float("inf"), OverflowError),
    (9223372037, OverflowError),
    (1e300, OverflowError),
    (10**400, OverflowError),
]


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
@pytest.mark.parametrize(("timeout", "error"), BAD, ids=lambda value: repr(value)[:12])
def test_a_wrong_timeout_is_an_error_before_the_first_attempt(wait, timeout, error):
    """The lock is free: what is wrong does not depend on having to wait. Semaphore takes a number below 0, as threading's."""
    if wait is WAITS["Semaphore"] and not isinstance(timeout, (str, bytes, list, complex)) and timeout < 0:
        assert wait(timeout)
        return
    with pytest.raises(error, match=r"timeout is .*: it must be"):
        wait(timeout)


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
@pytest.mark.parametrize("timeout", [0, 0.0, 1, 1e-12, True, 9223372036, None])
def test_a_right_timeout_is_not(wait, timeout):
    assert wait(timeout) is True


def test_a_number_of_another_type_is_a_timeout():
    from decimal import Decimal
    from fractions import Fraction

    import numpy as np

    for timeout in (Decimal("0.001"), Fraction(1, 1000), np.float32(0.001), np.int64(0)):
        for wait in WAITS.values():
            assert wait(timeout) is True


def test_what_a_conversion_raises_comes_out():
    class Odd:
        def __float__(self):
            raise ZeroDivisionError

    for wait in WAITS.values():
        with pytest.raises(ZeroDivisionError):
            wait(Odd())


@native
@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_methods_in_c_are_of_the_class_itself_so_that_the_interpreter_calls_them_straight(kind):
    for name, _, _ in in_c(kind):
        method = vars(kind)[name]
        assert not inspect.ismethoddescriptor(method) or method.__objclass__ is kind, name


def test_a_subclass_overrides_and_inherits():
    class Louder(lockfree.MPMCRing):
        def put(self, record, block=True, timeout=None):
            super().put(record.upper(), block, timeout)

    assert "get" not in vars(Louder)
    with Louder(4, 8) as ring:
        ring.put(b"a")
        assert ring.get() == b"A"


# ---- wrong arguments: each error names the argument, what it is and what it must be ----


def numbers():
    import numpy as np

    return np.zeros(4, "f8")


WRONG = [
    (lambda: lockfree.Condition(5), TypeError, "lock is 5: it must have acquire() and release(), or be None"),
    (lambda: lockfree.Condition.attach("x", "y"), TypeError, "lock is 'y': it must have acquire() and release()"),
    (lambda: lockfree.Barrier(2, action=5), TypeError, "action is 5: it must be callable, or None"),
    (lambda: lockfree.Queue(dumps=5, loads=5), TypeError, "dumps is 5: it must be callable, or None"),
    (lambda: lockfree.Queue(2**70), ValueError, f"maxsize is {2**70}: it must be at most {2**31}, or 0 for no bound"),
    (lambda: lockfree.Queue(arena_from="a"), ValueError, "arena_from is 'a': it has no effect without `arena`"),
    (lambda: lockfree.MPMCRing(2, dtype="nonsense"), TypeError, "dtype is 'nonsense': NumPy has no such type"),
    (lambda: lockfree.LatestValue(dtype=5), TypeError, "dtype is 5: NumPy has no such type"),
    (lambda: lockfree.wait(5), TypeError, "objects is of type int: it must be an iterable of objects"),
    (lambda: lockfree.wait([lockfree.Event(), 5], 0), TypeError, "objects[1] is 5: it must be a ring, a queue, an"),
    (lambda: lockfree.atomic_view(5), TypeError, "buffer is of type int: it has no buffer"),
]
"""Constructors and functions."""
OBJECTS = {
    "arena": lambda: lockfree.Arena(1 << 16),
    "condition": lockfree.Condition,
    "event_count": lockfree.EventCount,
    "latest": lambda: lockfree.LatestValue(dtype="f4"),
    "messages": lambda: lockfree.MessageRing(4096),
    "pool": lambda: lockfree.BlockPool(8),
    "priority": lambda: lockfree.PriorityQueue(2, 8, levels=3),
    "queue": lambda: lockfree.Queue(2),
    "ring": lambda: lockfree.MPMCRing(2, 8),
    "numbers": lambda: lockfree.MPMCRing(2, dtype="f4"),
    "space": lambda: lockfree.Space(4096),
}
NO_NUMBERS = "priorities is of type NoneType: it must be an integer or an iterable of integers"
WRONG_CALLS = [
    ("arena", lambda o: o.alloc(64).array("nonsense"), TypeError, "dtype is 'nonsense': NumPy has no such type"),
    ("arena", lambda o: o.alloc(64).array(shape="a"), TypeError, "shape is 'a': it must be an integer"),
    ("arena", lambda o: o.alloc(64).array(shape=(2, -1)), ValueError, "shape is -1: it must be between 0 and"),
    ("arena", lambda o: o.alloc(64).array(order="x"), ValueError, 'order is \'x\': it must be "C" or "F"'),
    ("arena", lambda o: o.alloc(64).release_when(5), TypeError, "predicate is 5: it must be callable"),
    ("arena", lambda o: o.watch(5), TypeError, "on_slow is 5: it must be callable, or None"),
    ("condition", lambda o: o.wait_for(5), TypeError, "predicate is 5: it must be callable"),
    ("event_count", lambda o: o.wait_until(5), TypeError, "predicate is 5: it must be callable"),
    ("event_count", lambda o: o.await_until(5).send(None), TypeError, "predicate is 5: it must be callable"),
    ("latest", lambda o: o.get_into(b"1234"), ValueError, "buffer is read-only"),
    ("latest", lambda o: o.get_into(5), TypeError, "buffer is of type int: it has no buffer"),
    ("latest", lambda o: o.get_into(bytearray(3)), ValueError, "buffer has 3 bytes: it must have at least 4"),
    ("latest", lambda o: o.get_into(numbers()), ValueError, "buffer is float64: the value has records of float32"),
    ("messages", lambda o: o.put("text"), TypeError, "message is of type str: it must be bytes-like; encode the text"),
    ("messages", lambda o: o.put_many([b"", "text"]), TypeError, "messages[1] is of type str: it must be bytes-like;"),
    ("pool", lambda o: o.free([0, -1]), ValueError, "blocks[1] is -1: it must be between 0 and 7"),
    ("pool", lambda o: o.references([0, 99]), ValueError, "blocks[1] is 99: it must be between 0 and 7"),
    ("pool", lambda o: o.generations([99]), ValueError, "blocks[0] is 99: it must be between 0 and 7"),
    ("priority", lambda o: o.put_many([b"x"], None), TypeError, NO_NUMBERS),
    ("priority", lambda o: o.put_many(iter([b"x"]), None), TypeError, NO_NUMBERS),
    ("queue", lambda o: o.put_many(5), TypeError, "objs is of type int: it must be an iterable of objects"),
    ("ring", lambda o: o.put_many([b"x", 1]), TypeError, "records[1] is of type int: it must be bytes-like"),
    ("ring", lambda o: o.put_many(iter(["text"])), TypeError, "records[0] is of type str: it must be bytes-like; enc"),
    ("numbers", lambda o: o.put_many([1.5, "a"]), TypeError, "records[1] is 'a' of <U1: dtype float32 does not take"),
    ("space", lambda o: o.mutex(spin=None), TypeError, 'spin is None: it must be "adaptive", "never", or an'),
]


@pytest.mark.parametrize(("call", "kind", "text"), WRONG, ids=[text[:24] for _, _, text in WRONG])
def test_a_wrong_argument_is_named(call, kind, text):
    assert text_of(call, kind).startswith(text)


@pytest.mark.parametrize(
    ("name", "call", "kind", "text"), WRONG_CALLS, ids=[f"{name}-{text[:24]}" for name, _, _, text in WRONG_CALLS]
)
def test_a_wrong_argument_of_a_call_is_named(name, call, kind, text):
    with contextlib.closing(OBJECTS[name]()) as made:
        assert text_of(lambda: call(made), kind).startswith(text)


CONTAINERS = {
    "MPMCRing": lambda: lockfree.MPMCRing(8, 8),
    "SPSCRing": lambda: lockfree.SPSCRing(8, 8),
    "PriorityQueue": lambda: lockfree.PriorityQueue(8, 8),
    "MessageRing": lambda: lockfree.MessageRing(4096),
    "BroadcastRing": lambda: lockfree.BroadcastRing(4096, 1),
    "Queue": lambda: lockfree.Queue(8),
    "JoinableQueue": lambda: lockfree.JoinableQueue(8),
    "SimpleQueue": lockfree.SimpleQueue,
}


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_batch_of_a_container_that_was_shut_down_has_all_that_was_inside(kind, waits):
    with contextlib.closing(CONTAINERS[kind]()) as container:
        if kind == "BroadcastRing":
            container.join()
        sent = [(1, b"a"), (1, b"b"), (2, b"c")]
        for level, record in sent:
            container.put(*((record, level) if kind == "PriorityQueue" else (record,)))
        container.shutdown()
        assert container.get_many(9, waits) == (sent if kind == "PriorityQueue" else [b"a", b"b", b"c"])
        with pytest.raises((lockfree.Closed, lockfree.ShutDown)):
            container.get_many(9, waits)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_what_was_chosen_at_creation_is_read_only(kind):
    names = [name for base in kind.__mro__ for name, value in vars(base).items() if isinstance(value, Chosen)]
    made = CONTAINERS.get(kind.__name__) or OTHERS.get(kind.__name__)
    if not names:
        pytest.skip("nothing is chosen")
    with contextlib.closing(made()) as shared:
        for name in names:
            before = getattr(shared, name)
            with pytest.raises(AttributeError, match=rf"{kind.__name__}\.{name} cannot be set"):
                setattr(shared, name, before)
            assert getattr(shared, name) == before


OTHERS = {
    "Semaphore": lambda: lockfree.Semaphore(1, 3),
    "Barrier": lambda: lockfree.Barrier(2),
    "LatestValue": lambda: lockfree.LatestValue(8),
    "Space": lambda: lockfree.Space(65536),
    "BlockPool": lambda: lockfree.BlockPool(8),
    "Arena": lambda: lockfree.Arena(1 << 20),
}


def test_errors_of_arguments_name_a_class_that_users_know():
    kinds = [kind for kind in CLASSES if hasattr(kind, "close")]
    assert len(kinds) > 20
    for kind in kinds:
        for name in dir(kind):
            method = getattr(kind, name)
            if name == "__init__" or (not name.startswith("_") and inspect.isroutine(method)):
                owner, _, found = method.__qualname__.partition(".")
                assert owner in lockfree.__all__, f"{kind.__name__}.{name} is {method.__qualname__}"
                assert found == name
    for call in (lambda: lockfree.MPMCRing(4, 8, most=1), lambda: lockfree.MPMCRing.attach("x", most=1)):
        with pytest.raises(
            TypeError, match=r"^MPMCRing\.(__init__|attach)\(\) got an unexpected keyword argument 'most'"
        ):
            call()
    assert pickle.loads(pickle.dumps(lockfree.MPMCRing.peers)) is lockfree.MPMCRing.peers
    with lockfree.Mutex() as lock, pytest.raises(TypeError, match=r"^Mutex\.waiting\(\) got"):
        lock.waiting(peer_death="raise")
