import multiprocessing
import threading

import pytest

import lockfree
from lockfree._native import ffi, lib


@pytest.fixture(autouse=True)
def group(benchmark):
    benchmark.group = "atomic add"


def test_fetch_add(many):
    with lockfree.AtomicU64() as atomic:
        many("atomic.fetch_add(1)", atomic=atomic)


def test_load(many, benchmark):
    benchmark.group = "atomic load"
    with lockfree.AtomicU64() as atomic:
        many("atomic.load()", atomic=atomic)


def test_bare_cffi_call_with_the_same_arguments(many):
    with lockfree.AtomicU64() as atomic:
        many("add(p, 1, 5)", add=lib.lf_py_u64_fetch_add, p=ffi.cast("uint64_t *", atomic._h.value))


def test_int_under_threading_lock(many):
    many("\n        with lock: box[0] += 1", lock=threading.Lock(), box=[0])


def test_multiprocessing_value(many):
    many("\n        with value.get_lock(): value.value += 1", value=multiprocessing.Value("Q"))


def test_atomics_package(many):
    atomics = pytest.importorskip("atomics")
    many("atomic.fetch_inc()", atomic=atomics.atomic(width=8, atype=atomics.UINT))
