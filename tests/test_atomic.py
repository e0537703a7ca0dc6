import multiprocessing
import pickle
import struct
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lockfree
from lockfree._native import PURE

INTEGERS = {
    lockfree.AtomicU32: (0, 2**32 - 1),
    lockfree.AtomicU64: (0, 2**64 - 1),
    lockfree.AtomicI64: (-(2**63), 2**63 - 1),
}
ORDERS = ["relaxed", "acquire", "release", "acq_rel", "seq_cst"]


def wrap(value, bounds):
    low, high = bounds
    return (value - low) % (high - low + 1) + low


def operands(kind):
    low, high = INTEGERS[kind]
    edge = st.sampled_from([low, low + 1, 0, 1, high - 1, high, 2**31, 2**32 - 1])
    return st.one_of(edge, st.integers(low, high)).map(lambda v: wrap(v, (low, high)))


@st.composite
def scripts(draw):
    kind = draw(st.sampled_from(list(INTEGERS)))
    value = operands(kind)
    operation = st.one_of(
        st.tuples(st.sampled_from(["load"]), st.just(())),
        st.tuples(st.sampled_from(["store", "exchange", "fetch_add", "fetch_sub"]), value.map(lambda v: (v,))),
        st.tuples(st.sampled_from(["fetch_and", "fetch_or", "fetch_xor"]), value.map(lambda v: (v,))),
        st.tuples(st.just("compare_exchange"), st.tuples(value, value)),
    )
    return kind, draw(value), draw(st.lists(operation, max_size=30))


@given(scripts())
def test_integers_do_what_c_does(script):
    kind, model, operations = script
    bounds = INTEGERS[kind]
    with kind(model) as atomic:
        for name, args in operations:
            result = getattr(atomic, name)(*args)
            before = model
            if name == "load":
                assert result == before
            elif name == "store":
                model = args[0]
            elif name == "compare_exchange":
                assert result == (before == args[0], before)
                if result[0]:
                    model = args[1]
            else:
                assert result == before
                model = {
                    "exchange": lambda a, b: b,
                    "fetch_add": lambda a, b: a + b,
                    "fetch_sub": lambda a, b: a - b,
                    "fetch_and": lambda a, b: a & b,
                    "fetch_or": lambda a, b: a | b,
                    "fetch_xor": lambda a, b: a ^ b,
                }[name](before, args[0])
                model = wrap(model, bounds)
            assert atomic.value == model


@given(st.floats(), st.floats())
def test_doubles_are_exchanged_bit_by_bit(first, second):
    def bits(value):
        return struct.pack("<d", value)

    with lockfree.AtomicF64(first) as atomic:
        assert bits(atomic.load()) == bits(first)
        ok, seen = atomic.compare_exchange(second, 1.0)
        assert ok == (bits(first) == bits(second))
        assert bits(seen) == bits(first)
        atomic.store(second)
        assert bits(atomic.exchange(0.5)) == bits(second)


def test_double_arithmetic():
    with lockfree.AtomicF64(1.5) as atomic:
        assert atomic.fetch_add(2) == 1.5
        assert atomic.fetch_sub(1) == 3.5
        assert atomic.value == 2.5


def test_flag():
    with lockfree.AtomicFlag() as flag:
        assert flag.test_and_set() is False
        assert flag.test_and_set() is True
        assert bool(flag) is True
        flag.clear()
        assert flag.load() is False
        assert flag.compare_exchange(False, True) == (True, False)
        assert not hasattr(flag, "fetch_add")


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_of_a_read_modify_write(order):
    with lockfree.AtomicI64(5) as atomic:
        assert atomic.fetch_add(1, order=order) == 5
        assert atomic.exchange(9, order) == 6
        assert atomic.compare_exchange(9, 10, order=order) == (True, 9)
        assert atomic.fetch_xor(1, order=order) == 10


def test_negative_operands_of_unsigned_additions_wrap():
    with lockfree.AtomicU64(0) as atomic:
        assert atomic.fetch_add(-1) == 0
        assert atomic.value == 2**64 - 1
        assert atomic.fetch_sub(-2) == 2**64 - 1
        assert atomic.value == 1


@pytest.mark.parametrize("kind", ["u32", "u64", "i64", "f64", "flag"])
def test_view_of_an_array(kind):
    array = np.zeros(64, "u1")
    view = lockfree.atomic_view(array, 8, kind)
    view.store(1)
    assert array.any()
    assert view.load() == 1
    assert not array[:8].any()
    assert not array[16:].any()


def test_a_view_holds_its_buffer():
    buffer = bytearray(8)
    view = lockfree.atomic_view(buffer)
    with pytest.raises(BufferError):
        buffer.extend(b"moves it")
    view.store(2**64 - 1)
    assert buffer == b"\xff" * 8


def add_many(atomic, count):
    for _ in range(count):
        atomic.fetch_add(1)


def test_processes_lose_no_addition(context):
    with lockfree.AtomicU64() as atomic:
        workers = [context.Process(target=add_many, args=(atomic, 5000)) for _ in range(3)]
        for worker in workers:
            worker.start()
        add_many(atomic, 5000)
        for worker in workers:
            worker.join()
        assert atomic.value == 20000


def test_threads_lose_no_addition():
    with lockfree.AtomicF64() as atomic:
        threads = [threading.Thread(target=add_many, args=(atomic, 5000)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert atomic.value == 20000.0


def test_attach_by_name(shm_name):
    with lockfree.AtomicU32(3, name=shm_name) as atomic, lockfree.AtomicU32.attach(shm_name) as other:
        other.fetch_add(4)
        assert atomic.value == 7
        assert "AtomicU32" in repr(other)
        assert shm_name in repr(other)
        atomic.unlink()


def echo(connection):
    connection.send(connection.recv().fetch_add(1))


def test_travels_through_a_connection():
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=echo, args=(there,))
    process.start()
    with lockfree.AtomicU64(41) as atomic:
        here.send(atomic)
        assert here.recv() == 41
        assert atomic.value == 42
    process.join()


def test_a_closed_one_does_not_travel():
    atomic = lockfree.AtomicU64()
    atomic.close()
    with pytest.raises(lockfree.Closed):
        pickle.dumps(atomic)


def test_an_answer_that_is_kept_does_not_change():
    """compare_exchange uses its last answer again, but only if nobody has it any more."""
    with lockfree.AtomicU64(5) as word:
        answers = [word.compare_exchange(n, n + 1) for n in range(4, 9)]
        assert answers == [(False, 5), (True, 5), (True, 6), (True, 7), (True, 8)]
        big = 2**64 - 1
        word.store(big)
        for _ in range(3):
            assert word.compare_exchange(0, 1) == (False, big)
        kept = word.compare_exchange(big, big)
        assert word.compare_exchange(1, 2) == (False, big)
        assert kept == (True, big)
    assert kept == (True, big)


@pytest.mark.skipif(PURE, reason="without the C types Python converts it")
@pytest.mark.parametrize("call", ["store", "exchange", "fetch_add", "fetch_sub"])
def test_an_int_that_no_double_holds_is_named_with_the_bound(call):
    made = lockfree.AtomicF64(2.5)
    with pytest.raises(
        OverflowError, match=r"^value is an int beyond the range of a double: it must be within 1.7e308"
    ):
        getattr(made, call)(-(10**400))
    assert made.load() == 2.5
