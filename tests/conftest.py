import contextlib
import gc
import os
import secrets
import signal
import time
import zlib
from pathlib import Path

import hypothesis
import pytest

SHM = Path("/dev/shm")
hypothesis.settings.register_profile("lockfree", deadline=None)  # a busy machine is no fault of an example
hypothesis.settings.load_profile("lockfree")


def pytest_addoption(parser):
    parser.addoption("--soak", action="store_true", help="run the long campaigns too")


SLICED = {
    "test_mutants": 12, "test_kill_everywhere": 12, "test_close": 3, "test_stress": 4, "test_crosscheck": 8,
    "test_random_loops": 12, "test_litmus": 8, "test_threads": 8, "test_compilers": 3, "test_command": 5,
    "test_programs": 5, "test_loops": 8, "test_turns": 8, "test_waiting": 8, "test_output": 3, "test_clients": 8,
    "test_memory": 3, "test_assembly": 3, "test_primitives": 14, "test_python": 8, "test_textbook": 3,
    "test_practice": 8, "test_first_round": 3, "test_rounds": 3, "test_breaking": 3, "test_power": 3,
    "test_c_advice": 3, "test_kill": 3, "test_guide": 3, "test_symmetry": 8, "test_life": 3,
    "test_peers": 4, "test_handles": 3, "test_record_calls": 3, "test_selftest": 12, "test_cxx": 10, "test_libc": 8,
    "test_verifier": 3, "test_wrong": 3, "test_cli": 3, "test_queue": 3, "test_awaited": 3, "test_put_many": 3,
    "test_signals": 3, "test_hands": 3, "test_lock_tests": 4, "test_multiprocessing_suite": 2, "test_machine": 3,
    "test_bench": 8, "test_benchmarks": 3, "test_syscalls": 3, "test_top": 2, "test_priority_queue": 2,
    "test_mpmc_ring": 2, "test_spsc_ring": 2, "test_dtypes": 2, "test_sweep": 2, "test_command_line": 2,
    "test_order_audit": 2, "test_spin": 2, "test_semaphore": 2, "test_timeline": 2, "test_corpus": 2,
    "test_broadcast_ring": 2, "test_block_pool": 2, "test_arena": 2, "test_windows": 2, "test_docs": 3,
    "test_corruption": 4, "test_long_waits": 3, "test_polling": 2, "test_barrier_reduction": 2,
    "test_first_object": 12,
}  # fmt: skip
"""Files whose tests are many and long: one test in so many runs, by the seed; all of them with --soak."""
FEW = 1000
"""A run of some files by hand gets all of their tests."""
SEED = int(os.environ.setdefault("LF_TEST_SLICE", str(int(time.time() // 86400))))


LONG = (
    "test_primitives", "test_packaging", "test_check", "test_stress", "test_new_primitive", "test_assembly",
    "test_threads", "test_cxx", "test_practice", "test_mutants", "test_rounds", "test_typing", "test_architecture",
)  # fmt: skip
"""The files that take longest begin first, so that at the end no processor waits for one of them."""


def pytest_report_header():
    return f"seed of the slices: LF_TEST_SLICE={SEED}"


def pytest_configure():
    """Started in the background of a shell, this process ignores SIGINT, and so would all that the tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config, items):
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONG)))
    if config.getoption("--soak"):
        return
    skip = pytest.mark.skip(reason="long campaign: run with --soak (make soak)")
    left_out = []
    for item in items:
        if "soak" in item.keywords:
            item.add_marker(skip)
        one_in = SLICED.get(item.path.stem, 1)
        if zlib.crc32(item.nodeid.encode()) % one_in != SEED % one_in and len(items) > FEW:
            left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(map(id, left_out))
        items[:] = [item for item in items if id(item) not in gone]


@pytest.fixture
def shm_name():
    """A name for a segment that is gone after the test."""
    name = f"test-{os.getpid()}-{secrets.token_hex(4)}"
    yield name
    (SHM / f"lockfree.{name}").unlink(missing_ok=True)


@pytest.fixture(params=["fork", "spawn", "forkserver"])
def context(request):
    import multiprocessing

    return multiprocessing.get_context(request.param)


@pytest.fixture(autouse=True)
def no_leftovers():
    """No test leaves a segment in /dev/shm."""
    before = {p.name for p in SHM.glob("lockfree.*")}
    yield
    after = {p.name for p in SHM.glob(f"lockfree.test-{os.getpid()}-*")}
    assert not after - before, f"left behind: {after - before}"


@pytest.fixture
def alarm():
    """Sends SIGINT to this very process after a delay, as Ctrl-C would. On a busy machine it may come before the next
    statement: `with pytest.raises(KeyboardInterrupt), alarm(0.1):` expects it from then on.

    Garbage is not collected meanwhile: Python serves the signal in a callback of the collector, which Hypothesis leaves
    behind in each process, and what is raised there is lost.
    """
    import threading

    def ring(seconds):
        timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
        timer.daemon = True
        timer.start()
        return contextlib.nullcontext(timer)

    gc.disable()
    yield ring
    gc.enable()
