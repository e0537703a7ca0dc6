"""Every Python block of the documentation runs as it stands, in a program of its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks():
    for page in PAGES:
        for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)):
            yield pytest.param(code, id=f"{page.relative_to(ROOT)}-{number}")


@pytest.mark.parametrize("code", list(blocks()))
def test_block_runs(code, tmp_path):
    program = tmp_path / "block.py"
    program.write_text(code)
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for promised in re.findall(r"#> (.*)$", code, re.MULTILINE):
        assert promised in done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_readme_prints_what_it_says(tmp_path):
    readme = (ROOT / "README.md").read_text()
    program = tmp_path / "readme.py"
    program.write_text(re.search(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)[1])
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=60)
    printed = done.stdout.strip()
    assert printed, done.stderr
    assert f"It prints `{printed}`." in readme
