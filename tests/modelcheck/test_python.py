"""The explorer of Python's schedules: what it must find, what it must accept, and what it says."""

import asyncio
import json
import queue
import select
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import python_programs as programs

from lockfree.__main__ import main
from lockfree._native.tracer import Tracer, untraced
from lockfree.modelcheck import PythonSettings, Verdict, explore
from lockfree.modelcheck.python import locks, replay
from lockfree.modelcheck.python.trace import render

FEW = PythonSettings(executions=40, seconds=60)


@pytest.mark.parametrize("program", programs.WRONG, ids=lambda program: program.__name__)
def test_a_wrong_program_is_found_and_its_token_fails_again(program):
    kind, says = programs.WRONG[program]
    report = explore(program, settings=PythonSettings(executions=400, seconds=60, steps=5_000))
    assert (report.verdict, report.kind) == (Verdict.VIOLATION, kind), report
    assert says in report.message
    again = replay(program, report.token, settings=PythonSettings(steps=5_000))
    assert (again.verdict, again.message, again.rows) == (Verdict.VIOLATION, report.message, report.rows)


@pytest.mark.parametrize("program", programs.RIGHT, ids=lambda program: program.__name__)
def test_a_right_program_is_accepted(program):
    report = explore(program, settings=FEW)
    assert report.verdict in {Verdict.OK, Verdict.UNKNOWN}, report
    assert report.complete == (report.verdict is Verdict.OK)


@pytest.mark.soak
@pytest.mark.parametrize("program", programs.RIGHT, ids=lambda program: program.__name__)
def test_a_right_program_is_accepted_for_a_long_time(program):
    for early in (False, True):
        report = explore(program, settings=PythonSettings(seconds=60, early=early and "time" not in program.__name__))
        assert report.verdict in {Verdict.OK, Verdict.UNKNOWN}, report


@pytest.mark.parametrize("wait", [int, time.sleep], ids=["one after another", "together"])
def test_too_many_threads_are_not_followed(wait):
    def program():
        for _ in range(1_000_000):
            threading.Thread(target=wait, args=(1,)).start()

    report = explore(program, settings=PythonSettings(threads=30))
    assert report.verdict is Verdict.UNUSABLE
    assert report.message == "it starts more than 30 threads in one execution"


def test_as_many_threads_as_allowed_are_followed():
    def program():
        for _ in range(30):
            threading.Thread(target=int).start()

    report = explore(program, settings=PythonSettings(threads=30, executions=10))
    assert report.verdict is Verdict.UNKNOWN


def test_what_threading_knows_is_as_before():
    before = threading.enumerate(), threading.main_thread()
    explore(programs.right_end_of_main, settings=FEW)
    assert (threading.enumerate(), threading.main_thread()) == before


def test_a_long_text_of_an_exception_is_cut():
    def program():
        raise ValueError("x" * 100_000)

    assert len(explore(program).message) < 10_000


def test_threads_that_end_with_an_execution_say_nothing(caplog):
    assert explore(programs.wrong_pool_waits_for_itself, settings=FEW).verdict is Verdict.VIOLATION
    assert not caplog.records


def test_the_time_of_others_is_not_counted():
    """A search is bounded by what it computes: on a busy machine it finds the same."""

    def program():
        order = []

        def waits():
            for _ in range(3):
                order.append(order)
            select.select([], [], [], 0.1)

        programs.together(waits, waits)

    report = explore(program, settings=PythonSettings(executions=8, seconds=0.6, follow=(__file__,)))
    assert (report.executions, report.complete, report.out_of_time) == (8, False, False)


def interleavings(length):
    """Two threads append their name `length` times each."""
    seen = set()

    def program():
        order = []
        programs.together(*(lambda name=name: [order.append(name) for _ in range(length)] for name in "ab"))
        seen.add("".join(order))

    return program, seen


@pytest.mark.parametrize(("length", "orders"), [(1, 2), (2, 6), (3, 20)])
def test_every_interleaving_is_run(length, orders):
    program, seen = interleavings(length)
    report = explore(program, settings=PythonSettings(seconds=120))
    assert report.complete
    assert report.verdict is Verdict.OK
    assert len(seen) == orders  # (2n)! / (n! n!)


def test_a_bound_on_deviations_is_said():
    program, _ = interleavings(3)
    report = explore(program, settings=PythonSettings(deviations=1, seconds=60))
    assert report.verdict is Verdict.OK
    assert report.level == 1
    assert "at most 1 deviations" in report.bounds()


@pytest.mark.parametrize("executions", [1, 2, 7])
def test_a_bound_on_executions_is_kept(executions):
    report = explore(programs.right_buffer, settings=PythonSettings(executions=executions, seconds=60))
    assert report.verdict is Verdict.UNKNOWN
    assert report.executions == executions


def test_data_behind_a_lock_makes_no_place_to_interrupt():
    def program():
        lock, total = threading.Lock(), [0]

        def add():
            with lock:
                for _ in range(50):
                    total[0] += 1

        programs.together(add, add)
        assert total == [100]

    report = explore(program, settings=PythonSettings(seconds=60))
    assert report.complete
    assert report.executions < 100


def test_time_is_virtual_and_put_back():
    real = (time.sleep, time.monotonic, threading.Lock, queue.SimpleQueue, asyncio.new_event_loop)
    assert explore(lambda: time.sleep(1e6), settings=FEW).verdict is Verdict.OK
    assert real == (time.sleep, time.monotonic, threading.Lock, queue.SimpleQueue, asyncio.new_event_loop)


def test_a_time_out_may_come_early_if_asked():
    def program():
        ready = threading.Event()
        thread = threading.Thread(target=ready.set)
        thread.start()
        if not ready.wait(5):
            raise LookupError("not ready")
        thread.join()

    assert explore(program, settings=FEW).verdict is not Verdict.VIOLATION
    found = explore(program, settings=PythonSettings(early=True, executions=400, seconds=60))
    assert found.verdict is Verdict.VIOLATION
    assert "LookupError: not ready" in found.message


def test_a_function_that_remembers_is_unusable():
    calls = []

    def program():
        calls.append(1)
        assert len(calls) != 1

    report = explore(program, settings=FEW)
    assert report.verdict is Verdict.UNUSABLE
    assert "what an earlier call left behind" in report.message


def test_a_lock_from_outside_is_said_not_waited_for(monkeypatch):
    monkeypatch.setattr("lockfree.modelcheck.python.scheduler.PATIENCE", 0.3)
    box = [threading.Lock()]
    box[0].acquire()
    report = explore(lambda: box[0].acquire(), settings=FEW)
    box[0].release()
    assert report.verdict is Verdict.UNUSABLE
    assert "makes no step" in report.message
    assert "test_python.py" in report.message


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"seconds": 0}, "seconds is 0: it must be 0.001 to 10,000,000"),
        ({"steps": 1}, "steps is 1: it must be 10"),
        ({"deviations": -1}, "deviations is -1: it must be 0 to 1,000"),
    ],
)
def test_a_setting_out_of_bounds_is_refused(wrong, says):
    with pytest.raises(ValueError, match="must be") as error:
        PythonSettings(**wrong)
    assert says in str(error.value)


def test_a_token_of_something_else_is_refused():
    for token in ("", "x", "client:G12", "client:P!!", "client:PeNp"):
        with pytest.raises(ValueError, match="not a token"):
            replay(lambda: None, token)


@pytest.fixture
def model(capfd):
    """Runs the command; the file is explored in a process of its own in any case."""

    def run(*arguments):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["lockfree"])
            status = main(["model", *map(str, arguments)])
        said = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, status, said.out, said.err)

    return run


ACCOUNT = """
import threading

class Account:
    def __init__(self):
        self.balance = 100

    def withdraw(self, amount):
        if self.balance >= amount:
            self.balance -= amount

def test_account():
    account = Account()
    threads = [threading.Thread(target=account.withdraw, args=(80,), name=name) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert account.balance >= 0

async def model_nothing():
    print("not shown")
"""


def test_the_command_finds_shows_and_replays(model, tmp_path):
    file = tmp_path / "account.py"
    file.write_text(ACCOUNT)
    done = model(file)
    assert done.returncode == 1, done.stderr
    assert (
        "VIOLATION  test_account  exception: AssertionError: assert account.balance >= 0 (account.py:19)" in done.stdout
    )
    assert "OK         model_nothing  (every schedule: 1 in" in done.stdout
    assert "reads self.balance == 100" in done.stdout
    assert "not shown" not in done.stdout
    token = done.stdout.split("--replay ")[1].split()[0]
    again = model(file, "--replay", token)
    assert again.returncode == 1
    assert "assert account.balance >= 0" in again.stdout
    file.write_text(ACCOUNT.replace(">= amount", ">= 2 * amount"))
    assert model(file, "--replay", token).returncode == 0


def test_the_command_writes_json(model, tmp_path):
    file = tmp_path / "account.py"
    file.write_text(ACCOUNT)
    done = model(file, "--json", "--client", "test_account")
    (line,) = done.stdout.splitlines()
    report = json.loads(line)
    assert (report["verdict"], report["kind"], done.returncode) == ("VIOLATION", "exception", 1)
    assert report["rows"]
    assert report["token"].startswith("test_account:P")


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("import os\ndef main(): os._exit(0)\n", [], "it ended the process with status 0"),
        ("import os\ndef main(): os.abort()\n", [], "it ended the process by signal 6"),
        ("def main(:\n", [], "SyntaxError"),
        ("raise LookupError('x')\n", [], "does not load: LookupError: x"),
        ("def helper(): pass\n", [], "has no function model_"),
        ("def test_it(x): pass\n", [], "test_it(x) of file.py needs arguments"),
        ("def main(): pass\n", ["--client", "other"], "no function other in file.py; it has: main"),
        ("def main(): pass\n", ["--preemptions", "2"], "--preemptions: for C and C++ only"),
        ("def main(): pass\n", ["--volatile", "race"], "--volatile: for C and C++ only"),
        ("def main(): pass\n", ["--follow", "gone.py"], "--follow gone.py: there is no such file"),
        ("def main(): pass\n", ["--replay", "x"], "not a token"),
        ("def main(): pass\n", ["--seconds", "0"], "seconds is 0"),
    ],
)
def test_the_command_says_what_cannot_be_explored(model, tmp_path, text, options, says):
    file = tmp_path / "file.py"
    file.write_text(text)
    done = model(file, *options)
    assert done.returncode == 3
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_options_for_python_are_refused_for_c(model, tmp_path):
    file = tmp_path / "file.c"
    file.write_text("int main(void) { return 0; }\n")
    done = model(file, "--early")
    assert done.returncode == 3
    assert "--early has no effect on C and C++" in done.stderr


def test_what_threading_keeps_of_a_foreign_thread_goes_before_its_end(monkeypatch):
    keeper = getattr(threading, "_DeleteDummyThreadOnDel", None)
    if keeper is None:
        pytest.skip("this Python's threading keeps nothing that has to go")
    known, real = [], keeper.__del__

    def noted(self):
        known.append(locks.current() is not None)
        real(self)

    monkeypatch.setattr(keeper, "__del__", noted)
    report = explore(threading.current_thread, settings=FEW)
    assert report.verdict is Verdict.OK
    assert known
    assert all(known)


def test_threads_of_one_name_have_columns_of_their_own():
    def program():
        threads = [threading.Thread(target=lambda: None, name="worker") for _ in range(3)]
        lock = threading.Lock()
        for thread in threads:
            thread.start()
        with lock, lock:
            pass

    report = explore(program, settings=FEW)
    assert report.kind == "deadlock"
    assert {"worker", "worker (2)", "worker (3)"} <= set(report.trace.split("\n", maxsplit=1)[0].split("  "))


@pytest.mark.parametrize("width", [80, 60, 40])
def test_a_trace_fits_into_a_terminal(width):
    def program():
        names, lock = [], threading.Lock()

        def appends_a_name_that_is_long_enough_to_need_another_line():
            with lock:
                names.append("a name that is so long that the line has no room for the place and for the name")

        programs.together(*[appends_a_name_that_is_long_enough_to_need_another_line] * 3)
        assert len(names) == 2, "three threads have appended a name, and the list of all names has only two of them"

    report = explore(program, settings=FEW)
    lines = render(report.rows, report.message, width).split("\n")
    assert max(map(len, lines)) <= width
    assert any(line.rstrip().endswith(".py:" + str(report.rows[-1].line)) for line in lines)
    assert max(map(len, render(report.rows, report.message).split("\n"))) > 80


def test_a_set_of_tasks_has_one_order():
    async def sleeps():
        await asyncio.sleep(0)

    async def client():
        tasks = [asyncio.create_task(sleeps()) for _ in range(30)]
        assert [task.get_name() for task in set(tasks)] == [task.get_name() for task in tasks], "by their addresses"
        await asyncio.gather(*tasks)

    report = explore(client, settings=PythonSettings(executions=1))
    assert report.verdict in {Verdict.OK, Verdict.UNKNOWN}, report


def test_the_tracer_tells_of_code_that_is_followed():
    def inner(value):
        value.append(1)
        return value

    def passed(value):
        return inner(value)

    tracer, told = Tracer(), []
    tracer.skip(passed.__code__)

    def enter(frame):
        offset = len(frame.f_code.co_code) - 2
        touching = bytes(at == offset for at in range(offset + 1))
        tracer.follow(
            frame, touching, lambda _frame, at: told.append(("touch", at == offset)),
            lambda frame: told.append(("line", frame.f_lineno - frame.f_code.co_firstlineno)),
            lambda: told.append("loop"), 1000,
        )  # fmt: skip

    def run():
        tracer.start()
        passed([])
        untraced(inner)([])
        sys.settrace(None)

    tracer.hear(enter)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert told == [("line", 1), ("line", 2), ("touch", True)]


SWALLOWS = """
import asyncio
import threading

async def swallows():
    while True:
        try:
            await asyncio.sleep(1)
        except BaseException:
            pass

async def test_task():
    task = asyncio.create_task(swallows())
    await asyncio.sleep(0.1)
    assert task.cancel() is None, "the task"

async def test_task_without_an_end():
    task = asyncio.create_task(swallows())
    await asyncio.sleep(0)
    task.cancel()
    await task

def test_generator():
    def endless():
        while True:
            try:
                yield
            except BaseException:
                pass

    class Holder:
        pass

    holder = Holder()
    holder.values = endless()
    holder.itself = holder
    next(holder.values)
    assert holder is None, "the generator"

def test_destructor():
    class Endless:
        def __init__(self):
            self.itself = self

        def __del__(self):
            while True:
                try:
                    while True:
                        pass
                except BaseException:
                    pass

    threading.Thread(target=Endless).start()

def test_thread():
    def swallows():
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass

    threading.Thread(target=swallows).start()

def test_daemon():
    stop = threading.Event()

    def swallows():
        while True:
            try:
                stop.wait()
            except BaseException:
                pass

    threading.Thread(target=swallows, daemon=True).start()
"""


def test_code_that_catches_every_exception_in_an_endless_loop_ends(model, tmp_path):
    file = tmp_path / "swallows.py"
    file.write_text(SWALLOWS)
    reports = {report["client"]: report for report in map(json.loads, model(file, "--json").stdout.splitlines())}
    found = {client: (report["verdict"], report["kind"]) for client, report in reports.items()}
    assert found == {
        "test_task": ("VIOLATION", "exception"),
        "test_task_without_an_end": ("VIOLATION", "no progress"),
        "test_generator": ("VIOLATION", "exception"),
        "test_destructor": ("OK", ""),
        "test_thread": ("VIOLATION", "no progress"),
        "test_daemon": ("OK", ""),
    }
    assert "the generator" in reports["test_generator"]["message"]


def test_the_end_of_one_execution_ends_no_other():
    """A program that keeps what ends its threads, and raises it, would skip its own assertions."""
    kept = []

    def waits():
        try:
            threading.Event().wait()
        except BaseException as end:
            kept.append(end)
            raise

    def function():
        threading.Thread(target=waits, daemon=True).start()
        if kept:
            raise kept[0]

    report = explore(function)
    assert (report.verdict, report.kind) in {(Verdict.VIOLATION, "exception"), (Verdict.UNUSABLE, "")}
    assert "Aborted" in report.message

    def in_a_thread():
        thread = threading.Thread(target=function)
        thread.start()
        thread.join()

    assert "Aborted" in explore(in_a_thread).message


@pytest.mark.parametrize(
    ("text", "client"),
    [
        ("def main(): pass\nwhile True: pass\n", "file.py"),
        ("import itertools\ndef main(): sum(itertools.count())\n", "main"),
    ],
)
def test_a_loop_that_the_scheduler_cannot_reach_is_said_not_waited_for(model, monkeypatch, tmp_path, text, client):
    monkeypatch.setattr("lockfree.modelcheck.python.command.SILENT", 2.0)
    file = tmp_path / "file.py"
    file.write_text(text)
    done = model(file)
    assert done.returncode == 3
    assert f"UNUSABLE   {client}  no progress: 2 s of CPU time in a call of code in C" in done.stdout


def _starts(function, **options):
    return lambda: threading.Thread(target=function, **options).start()


def _sleeps():
    threading.Event().wait()


def _runs():
    while True:
        pass


def _leaves_a_pool():
    pool = ThreadPoolExecutor(1)
    pool.itself = pool
    assert pool.submit(pow, 2, 3).result() == 8


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        (_starts(_sleeps), "deadlock"),
        (_starts(_runs), "no progress"),
        (_starts(_starts(_sleeps)), "deadlock"),
        (_starts(_sleeps, daemon=True), ""),
        (lambda: threading.Timer(5, int).start(), ""),
        (_leaves_a_pool, ""),
    ],
)
def test_a_program_waits_for_its_threads_as_the_interpreter_does(program, kind):
    report = explore(program, settings=FEW)
    assert report.kind == kind, report
    if kind:
        assert "main has ended; a program waits for its threads that are no daemons" in report.message


def test_a_time_out_of_years_hides_no_lost_wake():
    def sleeps():
        told = threading.Condition()
        with told:
            told.notify()
            assert not told.wait(1e9)

    assert explore(sleeps, settings=FEW).verdict is Verdict.OK
    report = explore(sleeps, settings=PythonSettings(executions=40, seconds=60, longest=1e6))
    assert report.kind == "deadlock"
    assert "(a time-out of 1,000,000,000 s counts as none)" in report.message
