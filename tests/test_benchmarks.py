"""The frame of `make bench`: what it does with samples, failures and peers that are not there; and that every figure in
README.md and in docs/guides/comparison.md stands in benchmarks/results.json. No figure is a verdict.
"""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from patience import STUCK

import lockfree

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from frame import names, natives, peers, report, runner  # noqa: E402
from frame.columns import Column, Entry, Sample, Skip, alone, rate, stream  # noqa: E402

RESULTS = ROOT / "benchmarks/results.json"


def constant(*values):
    seen = iter(values)
    return lambda _seconds: Sample(next(seen))


def refused(_seconds):
    raise Skip("it is not there")


def measured(*entries, samples=3, **options):
    return runner.measure([Column("one", "One", "ns", entries, **options)], samples, 0.1)["columns"]["one"]


# ---- the frame ----


def test_entries_take_turns_and_begin_in_turn():
    order = []

    def noting(name):
        return lambda _seconds: order.append(name) or Sample(1.0)

    measured(Entry("a", noting("a")), Entry("b", noting("b")), Entry("c", noting("c")))
    assert "".join(order) == "abcbcacab"


def test_medians_ranges_and_ratios():
    found = measured(Entry("x", constant(5.0, 1.0, 3.0), ours=True), Entry("y", constant(8.0, 6.0, 7.0)))
    assert found["entries"]["x"]["figure"] == {"median": 3.0, "low": 1.0, "high": 5.0}
    assert found["ratio"] == pytest.approx(7 / 3), "less is better"
    found = measured(Entry("x", constant(4.0), ours=True), Entry("y", constant(8.0)), samples=1, more=True)
    assert found["ratio"] == 0.5, "more is better"
    assert (found["our_best"], found["best_peer"]) == ("x", "y")


def test_a_peer_that_loses_messages_is_not_the_best_peer():
    lossy = Entry("y", constant(99.0), note="loses messages")
    found = measured(Entry("x", constant(4.0), ours=True), lossy, Entry("z", constant(2.0)), samples=1, more=True)
    assert (found["best_peer"], found["ratio"]) == ("z", 2.0)


def test_a_sample_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(runner, "LIMIT", 1)
    found = measured(Entry("x", lambda _seconds: time.sleep(60), ours=True), samples=1)
    assert found["entries"]["x"]["failures"] == ["TimeoutError: it did not end in 1 s"]


def test_what_was_measured_before_an_interrupt_is_kept():
    def interrupts(_seconds):
        raise KeyboardInterrupt

    first = Column("first", "", "ns", [Entry("x", constant(1.0), ours=True)])
    results = runner.measure([first, Column("second", "", "ns", [Entry("y", interrupts, ours=True)])], 1, 0.1)
    assert list(results["columns"]) == ["first"]
    assert any("interrupted" in note for note in results["notes"])


@pytest.mark.parametrize("end", [ValueError, KeyboardInterrupt], ids=["fails", "interrupted"])
def test_no_name_of_a_run_is_left(end):
    def leaves(_seconds):
        for place in places:
            (place / names.fresh()).write_bytes(b"")
        lockfree.Mutex(name=names.fresh())
        (Path(names.folder()) / "socket").write_bytes(b"")
        raise end("the peer takes nothing away")

    places = [place for place in names.PLACES if place.is_dir()]
    runner.measure([Column("one", "One", "ns", [Entry("x", leaves)])], 1, 0.1)
    assert [path for place in places for path in place.iterdir() if names.MARK in path.name] == []


def test_what_others_made_is_left(tmp_path):
    ours, other = tmp_path / f"sem.{names.fresh()}", tmp_path / "lfbench1x1"
    for path in (ours, other):
        path.write_bytes(b"")
    assert names.sweep([tmp_path, tmp_path / "no such place"]) == [ours.name]
    assert list(tmp_path.iterdir()) == [other]


def test_who_cannot_be_measured_is_told_with_the_reason():
    def fails(_seconds):
        raise ValueError("such | a\npity")

    entries = [Entry("gone", refused), Entry("bad", fails),
               Entry("x", constant(1.0, 1.0, 1.0), ours=True)]  # fmt: skip
    found = measured(*entries)
    assert found["entries"]["gone"]["skipped"] == "it is not there"
    assert len(found["entries"]["bad"]["failures"]) == 2, "twice, and no more"
    assert found["ratio"] is None
    table = report.table(found)
    assert "| gone | not measured: it is not there |" in table
    assert "ValueError: such / a pity" in table
    assert len({line.count("|") for line in table.splitlines() if line.startswith("|")}) == 1


def test_the_json_says_where_it_comes_from(tmp_path):
    results = runner.measure([Column("one", "One", "ns", [Entry("x", constant(1.23456789), ours=True)])], 1, 0.1)
    runner.save(results, tmp_path / "r.json")
    back = runner.load(tmp_path / "r.json")
    assert back["columns"]["one"]["entries"]["x"]["figure"]["median"] == 1.235
    check_schema(back)


def check_schema(results):
    assert results["schema"] == "lockfree-comparison/1"
    assert {"cpu", "system", "compiler", "python", "commit"} <= set(results["machine"])
    for column in results["columns"].values():
        assert {"title", "unit", "more", "compares", "entries", "our_best", "best_peer", "ratio"} == set(column)
        for record in column["entries"].values():
            assert record["figure"] is not None or record["skipped"] or record["failures"]
            if record["figure"]:
                ordered = sorted(record["samples"])
                assert (record["figure"]["low"], record["figure"]["high"]) == (ordered[0], ordered[-1])
                assert record["line_ns"] is None or record["line_ns"]["median"] > 0


def test_a_statement_and_a_stream_are_measured():
    assert alone("f()", f=int)(0.01).value > 0
    assert any(rate(stream(peers.Mpmc, 1, 1))(0.05).value > 0 for _ in range(50)), "a busy machine may need several"


# ---- the columns ----


@pytest.fixture(scope="module")
def columns():
    return {column.key: column for column in runner.columns([])}


def test_every_file_has_columns_and_ours_is_in_each_of_them(columns):
    for path in (ROOT / "benchmarks").glob("bench_*.py"):
        assert path.stem == "bench_linearize" or "\ndef columns():" in path.read_text(), path
    for column in columns.values():
        names = [entry.name for entry in column.entries]
        assert len(set(names)) == len(names), column.key
        assert any(entry.ours for entry in column.entries), column.key


def test_the_pages_show_every_column(columns):
    marks = [mark[2] for page in report.PAGES for mark in report.MARK.finditer(page.read_text())]
    for key in columns:
        assert any(key == mark or (mark.endswith("*") and key.startswith(mark[:-1])) for mark in marks), key
    assert set(report.README) <= set(columns)


def test_a_package_or_a_header_that_is_not_there_is_a_reason(monkeypatch):
    with pytest.raises(Skip, match="no_such_package cannot be imported"):
        peers.package("no_such_package")
    monkeypatch.setattr(natives, "cases", lambda _name: set())
    [boost] = [
        e for e in natives.column("rings", "alone", "", "ns", natives.ONE_TO_ONE).entries if e.name == "boost::queue"
    ]
    with pytest.raises(Skip, match="libboost-dev"):
        boost.sample(0.01)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--samples=0"], "--samples is 0: it must be 1 to 100"),
        (["quark"], "no column has quark in its key"),
        (["--slow"], "--slow"),
    ],
)
def test_the_command_refuses(words, says):
    command = [sys.executable, str(ROOT / "benchmarks/run.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=STUCK)
    assert done.returncode == 2
    assert says in done.stderr


# ---- the pages ----


def test_results_have_the_shape_that_the_frame_writes():
    check_schema(json.loads(RESULTS.read_text()))


@pytest.mark.parametrize("page", report.PAGES, ids=lambda page: page.name)
def test_every_figure_on_the_page_is_that_of_the_file(page):
    text = page.read_text()
    assert report.MARK.search(text)
    assert report.fill(text, runner.load(RESULTS)) == text, "run `python benchmarks/run.py --pages`"


def test_a_figure_that_was_changed_by_hand_is_seen():
    text = (ROOT / "docs/guides/comparison.md").read_text()
    row = re.search(r"\*\*([\d.]+)\*\* \|\n", text)
    wrong = text[: row.start(1)] + "77777" + text[row.end(1) :]
    assert report.fill(wrong, runner.load(RESULTS)) != wrong
    assert report.fill(wrong, runner.load(RESULTS)) == text


def test_every_column_that_a_peer_wins_has_a_reason():
    results, written = runner.load(RESULTS), report.read_reasons()
    assert report.unexplained(results, written) == []
    assert "No reason is known" not in report.why(results, written)
    for reason in written:
        assert len(reason["why"].split()) >= 10, reason
        for pattern in reason["columns"]:
            assert any(report.matches(pattern, column.key) for column in runner.columns([])), pattern


def test_a_lost_column_without_a_reason_is_seen():
    def found(ours, theirs):
        entries = [Entry("x", constant(*ours), ours=True), Entry("y", constant(*theirs))]
        return runner.measure([Column("one", "One", "ns", entries)], len(ours), 0.1)

    clear, close, won = found([9.0, 8.0], [7.0, 6.0]), found([9.0, 7.0], [8.0, 6.0]), found([6.0, 5.0], [8.0, 7.0])
    written = [{"columns": ["o*"], "why": "It\n does more."}, {"columns": ["one"], "why": "A later one."}]
    assert [report.unexplained(results, []) for results in (clear, close, won)] == [["one"], [], []]
    assert report.unexplained(clear, written) == []
    assert report.why(clear, []) == "- One (**0.76**). No reason is known.\n"
    assert report.why(clear, written) == "- One (**0.76**). It does more.\n", "the first reason, in one line"
    assert "overlap" in report.why(close, [])
    assert report.why(won, written) == "None in this run.\n"


def test_the_pictures_are_there():
    text = (ROOT / "docs/guides/comparison.md").read_text()
    for name in re.findall(r"pictures/(\w+)\.png", text):
        assert (report.PICTURES / f"{name}.svg").exists()
        assert (report.PICTURES / f"{name}.png").exists()
