"""Whether a process gets on: one that only gets no processor is told from one that waits."""

import subprocess
import sys
import time

import pytest

from lockfree import _running
from lockfree.practice import limits

SPINS = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"
SLEEPS = "import time\ntime.sleep(60)\n"


@pytest.fixture
def started():
    there = []

    def start(text):
        command = [sys.executable, "-S", "-c", f"print(flush=True)\n{text}"]
        there.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True))
        there[-1].stdout.readline()
        return there[-1]

    yield start
    for process in there:
        process.kill()
        process.communicate()


def test_a_process_that_waits_is_not_ready(started):
    spins, sleeps = started("while True: pass"), started(SLEEPS)
    until = time.monotonic() + 60
    while (_running.ready(sleeps.pid) or _running.used(spins.pid) < 0.05) and time.monotonic() < until:
        time.sleep(0.02)
    assert _running.ready(spins.pid)
    assert not _running.ready(spins.pid, but=spins.pid)
    assert not _running.ready(sleeps.pid)
    assert list(_running.session(spins.pid)) == [spins.pid]
    spins.kill()
    spins.wait()
    assert (_running.used(spins.pid), _running.ready(spins.pid)) == (0.0, False)


@pytest.mark.parametrize(("text", "rests"), [(SPINS, False), (SLEEPS, True)])
def test_a_program_that_gets_no_processor_is_not_ended(started, monkeypatch, text, rests):
    monkeypatch.setattr(limits, "STILL", 0.2)
    monkeypatch.setattr(limits, "used", lambda _session: 0.0)  # as on a machine with much else to do
    assert limits.finish(started(text))[1] == rests
