"""The limits on the processes of answers, where there are narrower ones already; and answers that are no files."""

import os
import subprocess
import sys

import pytest

from lockfree.practice.catalog import find
from lockfree.practice.judge import judge
from lockfree.practice.results import Verdict

SAYS = "import resource, sys; print(resource.getrlimit(resource.RLIMIT_AS)[1], file=sys.stderr)"
RUNS = """
import resource, subprocess, sys
from lockfree.practice.limits import Limits, limited
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, MOST))
with limited([sys.executable, "-c", SAYS], Limits(5, memory=MEMORY), stderr=subprocess.PIPE) as process:
    print(process.stderr.read().decode().strip())
"""


@pytest.mark.parametrize(("most", "memory", "then"), [(3, 4, 3), (4, 2, 2)])
def test_the_narrower_limit_counts(most, memory, then):
    names = f"SAYS, MOST, MEMORY = {SAYS!r}, {most} << 30, {memory} << 30"
    done = subprocess.run([sys.executable, "-c", names + RUNS], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == (str(then << 30), "")


@pytest.mark.parametrize("name", ["spsc_ring", "bounded_queue"])
def test_an_answer_that_is_no_file_is_not_read(tmp_path, name):
    kata = find(name)
    answer = tmp_path / kata.file
    os.mkfifo(answer)
    assert judge(kata, answer).failure.message == f"{kata.file}: this is no file"
    answer.unlink()
    answer.symlink_to("/dev/zero")
    assert judge(kata, answer).failure.message.endswith("this is no file")
    answer.unlink()
    answer.write_bytes(b" " * ((1 << 20) + 1))
    assert judge(kata, answer).failure.diagnosis == "FORBIDDEN"


@pytest.mark.parametrize("name", ["spsc_ring", "bounded_queue"])
def test_a_link_to_itself_is_no_fault_of_the_judge(tmp_path, name):
    kata = find(name)
    answer = tmp_path / kata.file
    answer.symlink_to(answer)
    judgement = judge(kata, answer)
    assert judgement.verdict is Verdict.REJECT
    assert "symbolic links" in judgement.results[-1].message
