import os
import secrets
import signal
from pathlib import Path

import pytest

SHM = Path("/dev/shm")


def pytest_addoption(parser):
    parser.addoption("--soak", action="store_true", help="run the long campaigns too")


def pytest_configure():
    """Started in the background of a shell, this process ignores SIGINT, and so would all that the tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config, items):
    if config.getoption("--soak"):
        return
    skip = pytest.mark.skip(reason="long campaign: run with --soak (make soak)")
    for item in items:
        if "soak" in item.keywords:
            item.add_marker(skip)


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
    """Sends SIGINT to this very process after a delay, as Ctrl-C would."""
    import threading

    def ring(seconds):
        timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
        timer.daemon = True
        timer.start()
        return timer

    return ring
