"""The Python methods below the C types: a slice of the same tests with LOCKFREE_PURE_CFFI=1 (all of them: make test-pure)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import STUCK

from lockfree._native import PURE

HERE = Path(__file__).parent
SLICE = ["test_face.py", "test_objects.py", "test_atomic.py", "test_bad_input.py"]
OTHERS = "not processes and not connection and not page and not state_machine"


@pytest.mark.skipif(PURE, reason="this is that run")
@pytest.mark.parametrize(
    ("names", "choice", "least"), [(SLICE, OTHERS, 100), (["test_life.py"], "a_forked_child_is_a_participant", 20)]
)
def test_without_the_c_types_the_answers_are_the_same(names, choice, least):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", choice]
    command += [str(HERE / name) for name in names]
    environment = {**os.environ, "LOCKFREE_PURE_CFFI": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=HERE.parent, timeout=STUCK)
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(done.stdout.split(" passed")[0].split()[-1].strip(",")) > least


def test_the_switch_leaves_the_c_types_out():
    code = (
        "import lockfree; print(lockfree.Mutex.acquire.__class__.__name__, lockfree.AtomicU64.load.__class__.__name__)"
    )

    def kinds(pure):
        environment = {**os.environ, "LOCKFREE_PURE_CFFI": pure}
        return subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
        ).stdout

    assert kinds("0") == "method_descriptor method_descriptor\n"
    assert kinds("1") == "function function\n"
