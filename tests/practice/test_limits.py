"""The limits on the processes of answers, where there are narrower ones already."""

import subprocess
import sys

import pytest

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
