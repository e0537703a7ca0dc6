"""The filter on the system calls of an answer in Python: what it refuses, and what goes on."""

import subprocess
import sys

import pytest

from lockfree.practice.syscalls import CALLS, program

BEGIN = "import os, socket, threading\nfrom lockfree.practice.syscalls import forbid\nassert forbid()\n"
REFUSED = {
    "a process": "os.fork()",
    "another program": "os.execv('/bin/true', ['true'])",
    "a started program": "import subprocess; subprocess.run(['/bin/true'])",
    "a signal": "os.kill(os.getppid(), 0)",
    "a new file": "open('made', 'w')",
    "a file that is there": "open(__file__, 'a')",
    "a removed file": "os.unlink('nothing')",
    "a socket": "socket.socket()",
    "a session of its own": "os.setsid()",
}


def ran(text, folder):
    (folder / "tried.py").write_text(BEGIN + text)
    return subprocess.run([sys.executable, "tried.py"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("what", REFUSED)
def test_a_call_that_an_answer_has_no_use_for_is_refused(tmp_path, what):
    done = ran(REFUSED[what], tmp_path)
    assert done.returncode == 1
    assert "PermissionError: [Errno 1]" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["tried.py"]


def test_threads_and_what_is_open_go_on(tmp_path):
    text = """
thread = threading.Thread(target=print, args=(len(open(__file__).read()) > 0,))
thread.start()
thread.join()
"""
    done = ran(text, tmp_path)
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr


def test_an_abort_still_ends_the_process(tmp_path):
    assert ran("os.abort()", tmp_path).returncode < 0


@pytest.mark.parametrize("machine", CALLS)
def test_the_filter_is_one_that_the_kernel_takes(machine):
    code = program(machine, 1)
    assert len(code) % 8 == 0
    assert len(code) // 8 < 4096  # BPF_MAXINSNS
    assert len(set(CALLS[machine].values())) == len(CALLS[machine])
