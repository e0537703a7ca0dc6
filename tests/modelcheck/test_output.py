"""What the command shows of an execution: names, numbers, files, JSON, a page, a graph, branches, progress."""

import argparse
import json
import platform
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from lockfree._command import UsageError
from lockfree.modelcheck import Settings, Verdict, check, cli
from lockfree.modelcheck.runner import Progress, checks

HEAD = '#include <stdatomic.h>\n#include <stdint.h>\n#include "lockfree_model.h"\n'
TWO = (
    HEAD
    + """
static atomic_int x, y;
static void a(void) {
    atomic_store_explicit(&x, 1, memory_order_relaxed);
    atomic_store_explicit(&y, 1, memory_order_relaxed);
    atomic_store_explicit(&x, 2, memory_order_relaxed);
}
static void b(void) {
    if (atomic_load_explicit(&y, memory_order_relaxed) == 1)
        lf_model_assert(atomic_load_explicit(&x, memory_order_relaxed) != 0);
    else if (atomic_load_explicit(&x, memory_order_relaxed) == 7)
        atomic_store_explicit(&y, 3, memory_order_relaxed);
}
LF_MODEL_CLIENT(two, .threads = {a, b});
"""
)


@pytest.fixture
def model(tmp_path, capsys):
    def run(text, *arguments):
        (tmp_path / "client.c").write_text(text)
        parser = argparse.ArgumentParser()
        cli.add_parser(parser.add_subparsers())
        args = parser.parse_args(["model", str(tmp_path / "client.c"), *arguments])
        status = args.run(args)
        return status, *capsys.readouterr()

    return run


def test_a_step_of_included_code_is_in_its_own_file(tmp_path, model):
    (tmp_path / "part.h").write_text(
        "static atomic_int v;\n\n\nstatic void bump(void) {\n    v = 1;\n    lf_model_assert(v == 1);\n}\n"
    )
    text = HEAD + '#include "part.h"\nstatic void t(void) { bump(); }\nstatic void u(void) { v = 2; }\n'
    _, out, _ = model(text + "LF_MODEL_CLIENT(c, .threads = {t, u});")
    assert re.search(r"v := 1 seq_cst +part.h:5 bump", out)
    assert re.search(r"v := 2 seq_cst +client.c:6 u", out)


@pytest.mark.parametrize(
    "value", ["0x8000000000000010", "0xC000000000000000", "0x4000000000000020", "0xffffffffffffffff"]
)
def test_a_number_with_its_top_bits_set_is_a_number(value, model):
    text = HEAD + f"static _Atomic uint64_t x; static void a(void) {{ atomic_store(&x, {value}u); }}\n"
    text += "static void b(void) { lf_model_assert(atomic_load(&x) == 0); } LF_MODEL_CLIENT(c, .threads = {a, b});"
    _, out, _ = model(text)
    assert f"x == {value.lower()} seq_cst" in out


def test_a_pointer_is_named_and_an_int_of_the_same_value_is_not(model):
    text = HEAD + "static int target; static _Atomic(int *) p; static _Atomic int n;\n"
    text += "static void a(void) { atomic_store(&p, &target); atomic_store(&n, (int)(uintptr_t)&target); }\n"
    text += "static void b(void) { lf_model_assert(atomic_load(&n) == 0); } LF_MODEL_CLIENT(c, .threads = {a, b});"
    _, out, _ = model(text)
    assert "p := &target seq_cst" in out
    assert re.search(r"n := 0x[0-9a-f]+ seq_cst", out)


def test_json_has_the_trace(model):
    status, out, _ = model(TWO, "--json")
    assert status == 1
    report = json.loads(out)
    assert report["trace"]["threads"]["2"] == "failed"
    steps = report["trace"]["steps"]
    last = steps[-1]
    assert (last["thread"], last["variable"], last["read"], last["function"]) == (2, "x", 0, "b")
    assert last["stale"] > 0
    assert last["file"].endswith("client.c")
    stores = [step["index"] for step in steps if step["kind"] == "store" and step["variable"] == "x"]
    assert [[[1, i], [1, j]] for i, j in pairwise(stores)] == report["trace"]["modification_order"]
    assert json.loads(model(TWO.replace("!= 0", "< 3"), "--json")[1])["trace"] is None


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        while self.open.pop() != tag:
            pass


def test_the_page_has_a_picture_and_needs_nothing_else(tmp_path, model):
    page = tmp_path / "page.html"
    model(TWO + HEAD.replace("#include", "//") + "LF_MODEL_CLIENT(fine, .threads = {a});", "--html", str(page))
    text = page.read_text()
    tags = Tags()
    tags.feed(text)
    boxes = [attrs for tag, attrs in tags.seen if tag == "rect"]
    _, out, _ = model(TWO, "--json")
    assert len(boxes) == len(json.loads(out)["trace"]["steps"])
    assert sum(attrs.get("class") == "rf" and "marker-end" in attrs for tag, attrs in tags.seen if tag == "path") >= 1
    assert "two: VIOLATION: assertion failed" in text
    assert "fine: OK" in text
    assert "http" not in text
    assert "&y" not in text.replace("&#", "")


def test_the_graph_for_graphviz(tmp_path, model):
    graph = tmp_path / "graph.dot"
    model(TWO, "--dot", str(graph))
    text = graph.read_text()
    assert text.startswith('digraph "two" {')
    assert 's1_1 -> s2_0 [constraint=false, color=darkgreen, fontcolor=darkgreen, label="rf"];' in text
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize("option", ["--html", "--dot"])
def test_an_output_that_cannot_be_written_is_said_before_the_work(option, tmp_path, model, capsys):
    with pytest.raises(UsageError, match=f"{option}: .*nowhere: No such directory"):
        model(TWO, option, str(tmp_path / "nowhere" / "file"))
    assert "VIOLATION" not in capsys.readouterr().out


def test_branches_that_no_execution_reached(model):
    text = TWO.replace("!= 0", "< 3")
    status, out, _ = model(text, "--coverage")
    assert status == 0
    line = 1 + text.split("\n").index("        atomic_store_explicit(&y, 3, memory_order_relaxed);")
    assert re.search(rf"\d+ of \d+ branches reached; never: .*client.c:{line}", out)
    _, out, _ = model(text.replace("== 7", "== 0"), "--coverage", "--json")
    coverage = json.loads(out)["coverage"]
    assert not any(place.endswith(f":{line}") for place in coverage["missed"])


@pytest.mark.skipif(platform.machine() != "x86_64", reason="edges are marked on x86-64 only")
def test_a_condition_that_always_goes_one_way_past_a_fence(tmp_path):
    path = tmp_path / "client.c"
    path.write_text(
        HEAD + "atomic_int x, y; int n, m;\n"
        "static void writer(void) {\n"
        "    atomic_store_explicit(&x, 1, memory_order_relaxed);\n"
        "    if (n < 40)\n"
        "        atomic_thread_fence(memory_order_release);\n"
        "    atomic_store_explicit(&y, 1, memory_order_relaxed);\n"
        "    if (m == 0)\n"  # nothing follows: to leave the function early is nothing special
        "        atomic_store_explicit(&x, 2, memory_order_relaxed);\n"
        "}\n"
        "static void reader(void) {\n"
        "    if (atomic_load_explicit(&y, memory_order_relaxed))\n"
        "        atomic_thread_fence(memory_order_acquire);\n"
        "    atomic_load_explicit(&x, memory_order_relaxed);\n"
        "}\n"
        "LF_MODEL_CLIENT(c, .threads = {writer, reader});"
    )
    [report] = check(path, settings=Settings(coverage=True))
    line = 1 + path.read_text().split("\n").index("    if (n < 40)")
    assert report.coverage is not None
    found = [(way.jump, way.skipped, way.other_taken) for way in report.coverage.one_way]
    assert found == [(f"client.c:{line}", f"client.c:{line + 1}", True)]
    assert not report.coverage.missed


def test_blocked_executions_are_counted(tmp_path):
    path = tmp_path / "client.c"
    path.write_text(
        HEAD + "static atomic_int x; static void a(void) { while (!atomic_load(&x)) ; }\n"
        "static void b(void) { atomic_store(&x, 1); } LF_MODEL_CLIENT(c, .threads = {a, b});"
    )
    [report] = check(path)
    assert (report.verdict, report.executions, report.blocked) == (Verdict.OK, 1, 1)
    assert "1 more blocked" in report.bounds()


def test_progress_tells_how_much_is_left(capsys, monkeypatch):
    shown = cli._Shown()
    shown(*("c", "exhaustive", 1.0), Progress(100, 3, 0, 0.25))
    assert capsys.readouterr().err == "", "not yet: a line every ten seconds"
    monkeypatch.setattr(shown, "last", shown.last - 11)
    shown(*("c", "exhaustive", 60.0), Progress(1000, 3, 2, 0.25))
    said = capsys.readouterr().err
    assert said == (
        "  c: exhaustive, 60 s, 1,000 executions, 3 dropped, 2 beyond the step bound, about 25% of 4e+03, 3 min left\n"
    )


def test_the_estimate_ends_at_everything(tmp_path):
    """The parts of a search that is complete add up to one."""
    path = tmp_path / "client.c"
    path.write_text(
        HEAD + "static atomic_int x; static void a(void) { for (int i = 0; i < 5; i++) x++; }\n"
        "LF_MODEL_CLIENT(c, .threads = {a, a, a});"
    )
    parts = []
    tick = lambda _client, _mode, _seconds, progress: parts.append(progress.part)  # noqa: E731
    list(checks(path, settings=Settings(mode="exhaustive", seconds=2), tick=tick))
    assert all(0 <= part <= 1.0001 for part in parts)
    assert parts == sorted(parts)
    assert parts[-1] > 0


def test_the_command_says_its_progress_on_a_pipe(tmp_path):
    path = tmp_path / "client.c"
    path.write_text(
        HEAD + "static atomic_int x; static void a(void) { for (int i = 0; i < 9; i++) x++; }\n"
        "LF_MODEL_CLIENT(c, .threads = {a, a, a});"
    )
    code = "import lockfree.modelcheck.cli as c, sys; c._Shown.EVERY = 0.5; from lockfree.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "model", str(path), "--mode", "exhaustive", "--seconds", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert re.search(r"^  c: exhaustive, \d+ s, [\d,]+ executions, .*about .*% of .*left$", done.stderr, re.MULTILINE)
