"""Every block of Python and of C in the documentation runs as it stands, in a program of its own; links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import compilers
import pytest
from patience import STUCK

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
HEADERS = sorted(p for p in (ROOT / "c/include/lockfree").glob("*.h") if p.stem != "lockfree")


def blocks():
    for page in PAGES:
        for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)):
            yield pytest.param(code, id=f"{page.relative_to(ROOT)}-{number}")


@pytest.mark.parametrize("code", list(blocks()))
def test_block_runs(code, tmp_path):
    program = tmp_path / "block.py"
    program.write_text(code)
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=STUCK, cwd=tmp_path)
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
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=STUCK)
    printed = done.stdout.strip()
    assert printed, done.stderr
    assert f"It prints `{printed}`." in readme


def c_blocks():
    """(file name, program, commands and what they print) of each C block; clients of the model checker have tests of their own."""
    for page in PAGES:
        found = re.findall(
            r"^```c\n(.*?)^```\n*(?:^```console\n(.*?)^```)?", page.read_text(), re.MULTILINE | re.DOTALL
        )
        for number, (code, console) in enumerate(found):
            if "#include <lockfree/" in code:
                yield pytest.param(code, console, id=f"{page.relative_to(ROOT)}-{number}")


@pytest.mark.parametrize(("code", "console"), list(c_blocks()))
def test_c_block_does_what_its_commands_show(code, console, tmp_path):
    name = re.match(r"/\* (\w+\.c)\b", code)
    assert name, "a C block begins with the name of its file"
    assert console, "a C block is followed by the commands that compile and run it"
    (tmp_path / name[1]).write_text(code)
    lines = console.splitlines()
    commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    assert commands[0].startswith("cc ")
    compilers.needed("c")
    (tmp_path / "bin").mkdir()
    path = compilers.path_with_usual_names(tmp_path / "bin")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{path}"}
    printed = ""
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, timeout=STUCK, cwd=tmp_path, env=environment
        )
        assert done.returncode == 0, done.stderr
        printed += done.stdout
    assert printed.splitlines() == [line for line in lines if not line.startswith("$ ")]


@pytest.mark.parametrize("page", sorted((ROOT / "docs/primitives").glob("*.md")), ids=lambda page: page.stem)
def test_a_primitive_s_page_leads_to_the_life_of_an_object_and_to_c(page):
    text = page.read_text()
    assert "](../life.md)" in text
    assert "```c\n" in text
    assert f"primitives/{page.name})" in (ROOT / "docs/life.md").read_text(), "and back"


def test_every_page_can_be_found():
    """From README.md, over links."""
    seen, open_ = set(), [ROOT / "README.md"]
    while open_:
        page = open_.pop().resolve()
        if page in seen:
            continue
        seen.add(page)
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
            path = (page.parent / target).resolve()
            open_ += sorted(path.glob("*.md")) if path.is_dir() else [path] * (path.suffix == ".md")
    assert set((ROOT / "docs").resolve().rglob("*.md")) <= seen


def usage(header):
    """The example at the top of a header: its lines of C, without the comment's margin."""
    found = re.search(r"^ \* Usage\n((?: \*   .*\n| \*\n(?= \*   ))+)", header.read_text(), re.MULTILINE)
    assert found, f"{header.name} does not begin with an example of its use"
    return [line[5:] for line in found[1].splitlines()]


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: header.stem)
@pytest.mark.parametrize(("standard", "suffix"), [("c11", "c"), ("c++17", "cpp")])
def test_the_example_of_a_header_compiles_and_runs(header, standard, suffix, tmp_path, shm_name):
    compiler = compilers.needed(suffix)
    lines = usage(header)
    assert lines[0] == f"#include <lockfree/{header.name}>"
    code = re.sub(r'(_create\(&\w+|_unlink\(&\w+\.h), "\w+"', rf'\1, "{shm_name}"', "\n    ".join(lines[1:]))
    source = tmp_path / f"usage.{suffix}"
    source.write_text(f"{lines[0]}\n\nint main(void) {{\n    {code}\n    return (int)status;\n}}\n")
    flags = [f"-std={standard}", *compilers.WARNINGS, "-I", str(ROOT / "c/include")]
    subprocess.run([*compiler, *flags, str(source), "-o", str(tmp_path / "usage")], check=True, timeout=STUCK)
    assert subprocess.run([str(tmp_path / "usage")], timeout=STUCK).returncode == 0
    assert not Path(f"/dev/shm/lockfree.{shm_name}").exists()
