"""The tests of an installed wheel: what it does without a compiler, and what it says where it needs one.

cibuildwheel runs them in its containers, `make test-wheel` on this machine. They use the installed package alone.
"""

import multiprocessing
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import lockfree

PROGRAM = "int main(void) { return 0; }\n"


def command(*words):
    """`lockfree WORDS` with no compiler on the PATH."""
    environment = {name: value for name, value in os.environ.items() if name not in {"CC", "CXX", "PATH"}}
    environment["PATH"] = os.path.dirname(sys.executable)
    words = [sys.executable, "-m", "lockfree", *words]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


def test_it_is_the_installed_one():
    assert Path(lockfree.__file__).is_relative_to(sysconfig.get_path("platlib"))


def answer(questions, answers):
    while (record := questions.get(timeout=30)) != b"end":
        answers.put(record.upper())


def test_records_go_between_processes():
    questions, answers = lockfree.MPMCRing(8, 16), lockfree.MPMCRing(8, 16)
    worker = multiprocessing.get_context("spawn").Process(target=answer, args=(questions, answers))
    worker.start()
    for word in (b"red", b"green"):
        questions.put(word)
        assert answers.get(timeout=30) == word.upper()
    questions.put(b"end")
    worker.join(30)
    assert worker.exitcode == 0


def test_every_primitive_works():
    mutex, spinlock, permits = lockfree.Mutex(), lockfree.SpinLock(), lockfree.Semaphore(1)
    with mutex, spinlock, permits:
        assert not permits.acquire(blocking=False)
    counter = lockfree.AtomicU64(1)
    assert counter.fetch_add(2) == 1
    assert counter.load() == 3
    ring, queue = lockfree.SPSCRing(4, 8), lockfree.PriorityQueue(4, 8)
    ring.put(b"first")
    queue.put(b"first", 0)
    assert ring.get() == queue.get()[1] == b"first"


def test_without_the_gil_it_stays_off():
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        pytest.skip("this interpreter has the GIL")
    assert not sys._is_gil_enabled()


def test_the_commands_that_need_no_compiler_run(tmp_path):
    assert command("--version").stdout == f"lockfree {lockfree.__version__}\n"
    assert command("ls").returncode == 0
    history = tmp_path / "history.jsonl"
    history.write_text(
        '{"client": 0, "op": "put", "arg": 1, "result": true, "call": 0, "return": 1}\n'
        '{"client": 1, "op": "get", "arg": null, "result": 1, "call": 2, "return": 3}\n'
    )
    checked = command("check", "--spec", "queue", str(history))
    assert checked.returncode == 0, checked.stderr
    done = command("stress", "mutex", "--procs", "2", "--seconds", "1")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("tool", ["model", "kill-everywhere"])
def test_the_commands_that_need_a_compiler_say_how_to_get_one(tool, tmp_path):
    program = tmp_path / "client.c"
    program.write_text(PROGRAM)
    words = ["model", str(program)] if tool == "model" else ["stress", "mutex", "--kill-everywhere", "--at", "1"]
    done = command(*words)
    assert done.returncode == 3, done.stdout + done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert "no C compiler: cc not found" in line
    assert "apt install gcc" in line


def test_programs_in_c_find_their_headers():
    include = Path(lockfree.get_include())
    assert (include / "lockfree" / "lockfree.h").exists()
