"""The practice mode: what it shows, what it refuses, and whether the judge is right."""

import json
import os

import pytest

from lockfree.__main__ import main
from lockfree.modelcheck import Report, Settings
from lockfree.modelcheck import Verdict as Found
from lockfree.practice import c_stages, workspace
from lockfree.practice.catalog import find, katas
from lockfree.practice.judge import judge
from lockfree.practice.results import Outcome, Verdict
from lockfree.practice.screen import screen
from lockfree.practice.selftest import trials

SLICE = {
    "spsc_ring": ["acquire_release.c", "publish_relaxed.c"],
    "bounded_queue": ["if_for_while.py"],
    "async_crawler": ["gather_does_not_wait.py"],
    "rate_limiter": ["stale_clock.py"],
}
"""What is judged in every run; the whole is in `make soak`."""


@pytest.fixture(autouse=True)
def progress(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCKFREE_PRACTICE", str(tmp_path / "progress.json"))


@pytest.mark.parametrize("kata", katas(), ids=lambda kata: kata.name)
def test_a_kata_is_whole(kata):
    assert all(f"LF_MODEL_CLIENT({name}," in (kata.folder / "check/model.c").read_text() for name in kata.sampled)
    samples = kata.samples
    assert sum(sample.right for sample in samples) >= 3
    wrong = [sample for sample in samples if not sample.right]
    assert len(wrong) >= 4
    assert {sample.diagnosis for sample in wrong} <= {*kata.diagnoses, "REACH"}  # which any kata may have
    assert len(kata.hints) == 3
    for text in ("statement", "questions", "debrief"):
        assert len(kata.text(text)) > 300
    for diagnosis in kata.diagnoses.values():
        assert diagnosis.why.endswith(".")
    assert kata.both_ways == (kata.language == "c"), "conditions that go one way were not judged"


@pytest.mark.parametrize(
    "sample", [s for k in katas() for s in k.samples if s.path.name in SLICE.get(k.name, [])], ids=lambda s: s.path.name
)
def test_the_judge_is_right(sample):
    judgement = judge(find(sample.path.parent.parent.name), sample.path)
    if sample.right:
        assert judgement.verdict is Verdict.ACCEPT, judgement
    else:
        assert judgement.verdict is Verdict.REJECT, judgement
        assert (judgement.failure.stage, judgement.failure.diagnosis) == (sample.stage, sample.diagnosis)


@pytest.mark.soak
@pytest.mark.parametrize("kata", katas(), ids=lambda kata: kata.name)
def test_the_judge_is_right_about_all_of_them(kata):
    assert [trial for trial in trials(kata) if trial.problem] == []


PYTHON = {
    "import os\n": "import of os",
    "from threading import _os\n": "import of threading._os",
    "import threading\nthreading._sys.exit(0)\n": "._sys",
    "import threading as t\nt._os.abort()\n": "._os",
    "eval('1')\n": "eval",
    "__import__('os')\n": "__import__",
    "open('/etc/passwd')\n": "open",
    "().__class__.__base__.__subclasses__()\n": "__class__",
    "import sys\nsys.settrace(None)\n": "import of sys",
    "import asyncio\nasyncio.create_subprocess_shell('x')\n": "create_subprocess_shell",
    "f = lambda: 0\nf.__globals__\n": "__globals__",
    "getattr(1, 'x')\n": "getattr",
    "from lockfree.modelcheck.python import explore\n": "import of lockfree",
    "def broken(:\n": "SyntaxError",
    "": "must be there, and is not",
}


@pytest.mark.parametrize("text", PYTHON)
def test_python_that_leads_out_of_the_task_is_not_run(tmp_path, text):
    answer = tmp_path / "bounded_queue.py"
    answer.write_text(text)
    found = screen(find("bounded_queue"), answer)
    assert found
    assert PYTHON[text] in "\n".join(map(str, found))


C = {
    "#include <stdlib.h>\nvoid leave(void) { exit(0); }\n": "uses exit",
    "#include <unistd.h>\nvoid leave(void) { _exit(0); }\n": "uses _exit",
    "#include <unistd.h>\nvoid bomb(void) { while (1) fork(); }\n": "uses fork",
    "#include <pthread.h>\nstatic pthread_mutex_t all;\nvoid f(void) { pthread_mutex_lock(&all); }\n": "uses pthread_mutex_lock",
    '#include <stdio.h>\nvoid fake(void) { printf("summary\\tOK"); }\n': "uses p",
    'void hidden(void) { __asm__ volatile("syscall"); }\n': "inline assembly",
    "__attribute__((constructor)) static void early(void) { __builtin_trap(); }\n": "the attribute constructor",
    "void lf_model_assert_failed(void) {}\n": "the judge's tools",
    "int others(void) { return 1; }\n": "must be static",
    "inline int others(void) { return 1; }\nint spsc_put(void) { return others(); }\n": "make it static inline",
    '#include "../check/model.c"\n': "a file of somebody else",
    "int spsc_put(": "error",
    "": "must be there, and is not",
}


@pytest.mark.parametrize("text", C)
def test_c_that_leads_out_of_the_task_is_not_run(tmp_path, text):
    answer = tmp_path / "spsc_ring.c"
    answer.write_text(text)
    assert C[text] in "\n".join(map(str, screen(find("spsc_ring"), answer)))


@pytest.mark.parametrize(
    "body",
    [
        "        while True:\n            pass\n",
        "        raise SystemExit(0)\n",
        "        raise KeyboardInterrupt\n",
        "        self.items = bytearray(1 << 40)\n",
        "        return self.put(item)\n",
        "        threading.Lock().acquire() and threading.Lock().acquire()\n        while True:\n            time.sleep(1)\n",
    ],
)
def test_a_hostile_answer_is_rejected(tmp_path, body):
    right = (find("bounded_queue").folder / "right" / "two_conditions.py").read_text()
    answer = tmp_path / "bounded_queue.py"
    answer.write_text(right.replace("        deadline = None", f"{body}        deadline = None", 1))
    judgement = judge(find("bounded_queue"), answer)
    assert judgement.verdict is Verdict.REJECT, judgement


def practice(capsys, *arguments):
    status = main(["practice", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out + said.err


def test_the_first_round(tmp_path, capsys):
    folder = tmp_path / "spsc_ring"
    status, said = practice(capsys, "start", "spsc_ring", folder)
    assert status == 0
    assert "spsc_ring.h" in said
    wrong = find("spsc_ring").folder / "wrong" / "publish_relaxed.c"
    (folder / "spsc_ring.c").write_text(wrong.read_text())
    status, said = practice(capsys, "check", "--in", folder)
    assert status == Verdict.REJECT.value
    assert "S1  the record is published without an order" in said
    assert "x86" in said
    status, said = practice(capsys, "why", "--in", folder)
    assert status == 0
    assert "data race" in said
    assert "T1" in said
    status, said = practice(capsys, "hint", "--in", folder)
    assert "hint 1 of 3" in said
    assert practice(capsys, "debrief", "--in", folder)[0] == 3
    assert "Debrief" in practice(capsys, "debrief", "--now", "--in", folder)[1]
    assert json.loads(workspace.progress_file().read_text())["spsc_ring"]["checks"] == 1
    listed = practice(capsys)[1]
    assert "started" in listed
    assert "Level 0: break it (you are the scheduler: lockfree practice break KATA)" in listed


def test_the_starter_of_level_0_is_a_program_to_break():
    kata = find("peterson")
    found = judge(kata, kata.starter).failure
    assert (found.stage, found.diagnosis) == ("model", "E1")


@pytest.mark.parametrize("kata", [kata for kata in katas() if kata.level > 0], ids=lambda kata: kata.name)
def test_an_untouched_starter_is_not_written_yet(kata, tmp_path):
    found = judge(kata, kata.starter).failure
    assert (found.stage, found.diagnosis) == ("screen", "START")
    touched = tmp_path / kata.file
    comment = "# mine\n" if kata.language == "python" else "/* mine */\n"
    touched.write_text(comment + kata.starter.read_text() + "\n\n")
    assert judge(kata, touched).failure.diagnosis == "START"


def test_a_function_that_is_not_written_yet_is_said(tmp_path):
    answer = tmp_path / "bounded_queue.py"
    answer.write_text(find("bounded_queue").starter.read_text() + "\n\nMINE = 1\n")
    found = judge(find("bounded_queue"), answer).failure
    assert (found.stage, found.diagnosis) == ("edges", "START")


def test_an_accept_lists_its_bounds_in_lines(tmp_path, capsys):
    kata = find("spsc_ring")
    folder = tmp_path / "mine"
    practice(capsys, "start", "spsc_ring", folder)
    (folder / kata.file).write_text((kata.folder / "right" / "seq_cst.c").read_text())
    status, said = practice(capsys, "check", "--in", folder)
    assert status == 0
    bounds = said.partition("within these bounds:\n")[2].splitlines()
    assert any(line.startswith("  model      publish: every execution: ") for line in bounds)
    assert max(map(len, said.splitlines())) < 120


def test_a_compiler_names_the_learners_file(tmp_path, capsys):
    folder = tmp_path / "mine"
    practice(capsys, "start", "spsc_ring", folder)
    with (folder / "spsc_ring.c").open("a") as file:
        file.write("int broken( {\n")
    status, said = practice(capsys, "check", "--in", folder)
    assert status == Verdict.REJECT.value
    assert "spsc_ring.c:28:" in said
    assert str(tmp_path) not in said
    assert str(find("spsc_ring").folder) not in said


def test_a_part_of_the_selftest(capsys):
    status, said = practice(capsys, "selftest", "--language", "c", "--kata", "spsc_ring", "--answer", "full_is_empty")
    assert status == 0
    assert "REJECT edges S3" in said
    assert "0 of 1 answers" in said


def test_a_start_never_replaces_an_answer(tmp_path, capsys):
    assert practice(capsys, "start", "bounded_queue", tmp_path)[0] == 0
    (tmp_path / "bounded_queue.py").write_text("mine")
    status, said = practice(capsys, "start", "bounded_queue", tmp_path)
    assert status == 3
    assert "is there already" in said
    assert (tmp_path / "bounded_queue.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["start", "nothing"], "no kata is called 'nothing'; there are: "),
        (["check", "--in", os.sep], "was not made by `lockfree practice start`"),
        (["selftest", "nothing"], "no kata is called 'nothing'"),
        (["selftest", "--answer", "no such answer"], "nothing to judge"),
        (["selftest", "--times", "0"], "--times is 0: it must be at least 1"),
    ],
)
def test_wrong_usage_is_said(capsys, arguments, says):
    status, said = practice(capsys, *arguments)
    assert status == 3
    assert says in said


def test_without_a_compiler_the_judge_says_how_to_get_one(monkeypatch, capsys):
    monkeypatch.setenv("CC", "/nowhere/cc")
    kata = find("spsc_ring")
    judgement = judge(kata, kata.folder / "right" / "seq_cst.c")
    assert judgement.verdict is Verdict.UNDECIDED
    assert judgement.results[0].outcome is Outcome.UNDECIDED
    assert "/nowhere/cc" in judgement.results[0].message
    assert "katas in Python need none" in judgement.results[0].message
    assert main(["practice"]) == 0
    said = capsys.readouterr().out
    assert "/nowhere/cc not found. Install one" in said
    assert find(said.rpartition("next: lockfree practice start ")[2].strip()).language == "python"


@pytest.mark.parametrize(
    ("client", "executions", "outcome"),
    [
        ("three", c_stages.ENOUGH, Outcome.PASSED),
        ("three", c_stages.ENOUGH - 1, Outcome.UNDECIDED),
        ("exclusion", c_stages.ENOUGH, Outcome.UNDECIDED),
    ],
)
def test_many_executions_are_enough_of_a_client_that_may_be_sampled(monkeypatch, client, executions, outcome):
    mutex = find("futex_mutex")
    assert mutex.sampled == ("three",)
    report = Report(client, "auto", Found.UNKNOWN, executions, sampled=True)
    monkeypatch.setattr(c_stages, "checks", lambda *_args, **_named: iter([report]))
    answer = mutex.folder / "right" / "seq_cst.c"
    found = c_stages.checked(mutex, answer, "model", Settings(), lambda _text: None)
    assert found.outcome is outcome
    assert outcome is Outcome.UNDECIDED or "sampled" in found.looked_at[0]
