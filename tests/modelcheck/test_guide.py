"""The guide's examples do what it says, character by character except for times."""

import re
from pathlib import Path

import pytest

from lockfree.modelcheck.cli import show
from lockfree.modelcheck.runner import Verdict, check

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
GUIDE = (GUIDES / "model-checking.md").read_text()
PAGES = GUIDE + (GUIDES / "broadcast-ring.md").read_text()
SOURCES = dict(re.findall(r"```c\n/\* (\w+\.c) \*/\n(.*?)```", PAGES, re.DOTALL))
CONSOLE = re.findall(r"```console\n\$ lockfree model (\w+\.c)(?: --client (\w+))?\n(.*?)```", PAGES, re.DOTALL)


def without_times(text):
    return re.sub(r"\d+\.\d\d s", "N s", text).rstrip()


def write(directory, name):
    (directory / name).write_text(f"/* {name} */\n{SOURCES[name]}")
    return directory / name


@pytest.mark.parametrize("number", range(len(CONSOLE)))
def test_console_blocks(number, tmp_path):
    name, client, expected = CONSOLE[number]
    path = write(tmp_path, name)
    if expected.startswith("OK"):
        path.write_text(path.read_text().replace("&ready, 1, memory_order_relaxed", "&ready, 1, memory_order_release"))
    [report] = check(path, clients=[client] if client else [])
    text = show(report, f"lockfree model {name} --replay {report.token}").replace(f"{tmp_path}/", "")
    assert without_times(text).startswith(without_times(expected))


def test_every_kind_in_the_table_is_one_that_the_runtime_reports():
    runtime = "".join(path.read_text() for path in (Path(__file__).parents[2] / "c" / "model").rglob("*.c"))
    kinds = re.findall(r"^\| (`.*?`) \|", GUIDE, re.MULTILINE)
    for kind in re.findall(
        r"`([^`]+)`",
        " ".join(k for k in kinds if k not in {"`exhaustive`", "`bounded`", "`pct`", "`random`", "`auto`"}),
    ):
        assert f'"{kind}"' in runtime, kind


def test_verdicts_are_the_exit_statuses():
    assert [v.value for v in (Verdict.OK, Verdict.VIOLATION, Verdict.UNKNOWN, Verdict.UNUSABLE)] == [0, 1, 2, 3]
