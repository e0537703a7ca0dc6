"""What type checkers say of the package: right*.py have no error, wrong*.py one in each line that is marked."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from patience import STUCK

HERE = Path(__file__).parent
FILES = HERE / "typing"


def marked(path):
    return {number for number, line in enumerate(path.read_text().splitlines(), 1) if line.endswith("# wrong")}


def mypy(path):
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--show-absolute-path", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent, timeout=STUCK)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    found = re.findall(rf"^{re.escape(str(path))}:(\d+): error: (.*)$", done.stdout, re.MULTILINE)
    assert len(found) == done.stdout.count(": error: "), done.stdout
    return {int(line): text for line, text in found}


def pyright(path):
    pytest.importorskip("pyright", reason="pyright is not installed: pip install 'pyright[nodejs]'")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent, timeout=STUCK)
    if not done.stdout.startswith("{"):
        pytest.skip(f"pyright does not run here: {done.stderr.strip()[-200:]}")
    found = [d for d in json.loads(done.stdout)["generalDiagnostics"] if d["severity"] == "error"]
    assert all(Path(d["file"]) == path for d in found), found
    return {d["range"]["start"]["line"] + 1: d["message"] for d in found}


CHECKERS = pytest.mark.parametrize("checker", [mypy, pyright], ids=["mypy", "pyright"])


@CHECKERS
@pytest.mark.parametrize("path", sorted(FILES.glob("right*.py")), ids=lambda path: path.stem)
def test_right_uses_are_accepted(checker, path):
    assert checker(path) == {}


@CHECKERS
@pytest.mark.parametrize("path", sorted(FILES.glob("wrong*.py")), ids=lambda path: path.stem)
def test_wrong_uses_are_errors_and_nothing_else_is(checker, path):
    errors = checker(path)
    assert errors.keys() == marked(path), {line: errors.get(line) for line in errors.keys() ^ marked(path)}
