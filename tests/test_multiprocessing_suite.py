"""CPython's tests of multiprocessing's locks and the like, with ours: multiprocessing_suite.py in a process of its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("test._test_multiprocessing", reason="this Python has no test package")
PROGRAM = Path(__file__).with_name("multiprocessing_suite.py")


@pytest.mark.parametrize(
    "method",
    ["fork", pytest.param("spawn", marks=pytest.mark.soak), pytest.param("forkserver", marks=pytest.mark.soak)],
)
def test_the_suite_of_multiprocessing_passes(method):
    done = subprocess.run([sys.executable, str(PROGRAM), method], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-6000:]
    ran, skipped = (int(re.search(what, done.stderr)[1]) for what in (r"Ran (\d+) tests", r"skipped=(\d+)"))
    assert ran - skipped >= 29
