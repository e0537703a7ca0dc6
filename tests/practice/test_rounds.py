"""A timed round with parts, and the page about it."""

import json
import re
import time

import pytest

from lockfree.__main__ import main
from lockfree.practice import judge, rounds, workspace
from lockfree.practice.catalog import find, katas

KATA = find("bounded_queue")
RIGHT = (KATA.folder / "right" / "one_condition.py").read_text()
WRONG = (KATA.folder / "wrong" / "if_for_while.py").read_text()


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCKFREE_PRACTICE", str(tmp_path / "progress.json"))
    monkeypatch.chdir(tmp_path)


def practice(capsys, *arguments):
    status = main(["practice", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out + said.err


def later(folder, share):
    """Lets a share of the round be over."""
    told = workspace.marked(folder)["round"]
    workspace.mark(folder, round={**told, "began": time.time() - 60 * told["minutes"] * share})


@pytest.mark.parametrize("name", ["hit_counter", "bounded_queue"])
def test_the_title_stands_once(tmp_path, name):
    kata = find(name)
    rounds.begin(kata, tmp_path / "round", 45)
    assert (tmp_path / "round" / "statement.md").read_text().count(f"# {kata.title}") == 1


@pytest.mark.parametrize("kata", katas(), ids=lambda kata: kata.name)
def test_parts_are_in_order_and_begin_at_once(kata):
    found = rounds.parts(kata)
    assert found[0].after == 0
    assert len(found) >= 3
    assert all(part.after < 1 and len(part.text) > 20 for part in found)
    edges = kata.folder / ("check.py" if kata.language == "python" else "check/edges.c")
    for client in (client for part in found for client in part.clients):
        assert re.search(rf"(def |LF_MODEL_CLIENT\()(?=edges?_){client}", edges.read_text()), client
    examples = re.findall(r"(?:def |LF_MODEL_CLIENT\()(edges?_\w+)", edges.read_text())
    later = tuple(client for part in found for client in part.clients)
    assert any(not example.startswith(later) for example in examples)  # some belong to the first part


@pytest.mark.parametrize("kata", katas(), ids=lambda kata: kata.name)
def test_a_round_does_not_begin_with_the_whole_statement(kata):
    first = rounds.parts(kata)[0].text
    assert first.startswith("**Part 1.**")
    assert len(first) < len(kata.text("statement"))


def test_examples_behind_one_that_is_not_asked_yet_count(tmp_path):
    """The first example of the ring is about part 2 here; the wrong answer fails in another one, of part 1."""
    ring = find("bounded_queue")
    answer = tmp_path / ring.file
    answer.write_text((ring.folder / "wrong" / "last_in_first_out.py").read_text())
    said = list(judge.results(ring, answer, later=("edges_shutdown", "edges_time")))
    assert [(result.stage, result.diagnosis) for result in said[1:]] == [("edges", "Q6")]
    said = list(judge.results(ring, answer, later=("edges_order",)))
    assert "as far as it is asked by now" in said[1].message


def test_a_round_from_its_beginning_to_its_end(tmp_path, capsys):
    folder = tmp_path / "bounded_queue-round"
    status, said = practice(capsys, "round", "bounded_queue", "--minutes", "40")
    assert status == 0
    assert "Part 1" in said
    assert "Part 2" not in said
    assert (folder / KATA.file).read_text() == ""  # a blank file
    assert "40 of 40 minutes left" in said
    # before part 2 nobody asks for shutdown()
    (folder / KATA.file).write_text(WRONG.replace("            self.closed = True\n", "            pass\n"))
    status, said = practice(capsys, "check", "--in", folder)
    assert status == 0
    assert "as far as it is asked by now" in said
    assert "schedules" not in said.replace("schedules, every one", "")
    later(folder, 0.5)
    status, said = practice(capsys, "round", "--in", folder)
    assert "new: **Part 2.**" in said
    assert "2 parts so far" in said
    assert "Part 2" in (folder / "statement.md").read_text()
    status, said = practice(capsys, "check", "--in", folder)
    assert status == 1
    assert "an example fails" in said
    assert practice(capsys, "report", "--in", folder)[0] == 3  # not while it runs
    (folder / KATA.file).write_text(WRONG)
    assert practice(capsys, "check", "--in", folder)[0] == 0  # the examples see no schedule
    later(folder, 1.01)
    status, said = practice(capsys, "round", "--end", "--in", folder)
    assert status == 1
    assert "Q1  a waiting thread does not look again" in said
    kinds = [one["kind"] for one in workspace.marked(folder)["history"]]
    assert kinds == ["part", "check", "part", "check", "check", "part", "end", "check"]
    assert json.loads(workspace.progress_file().read_text())["bounded_queue"]["accepted"] is None


def test_what_is_new_is_said_before_the_verdict(tmp_path, capsys):
    folder = tmp_path / "bounded_queue-round"
    practice(capsys, "round", "bounded_queue", "--minutes", "40")
    later(folder, 0.5)
    said = practice(capsys, "check", "--in", folder)[1]
    assert said.index("new: **Part 2.**") < said.index("FAILED     screen")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["round", "bounded_queue", "--minutes", "0"], "--minutes is 0: it must be 1 to 600"),
        (["round", "--end"], "--end needs --in FOLDER"),
        (["round", "--in", "."], "was not made by `lockfree practice round`"),
        (["report", "--in", "."], "was not made by `lockfree practice start`"),
    ],
)
def test_wrong_usage_is_said(capsys, arguments, says):
    status, said = practice(capsys, *arguments)
    assert status == 3
    assert says in said


def test_the_page_holds_the_whole_debrief(tmp_path, capsys):
    pytest.importorskip("jinja2")
    folder = tmp_path / "mine"
    practice(capsys, "start", "durable_store", folder)
    kata = find("durable_store")
    (folder / kata.file).write_text((kata.folder / "wrong" / "never_compacts.py").read_text() + "# <script>\n")
    practice(capsys, "check", "--in", folder)
    status, said = practice(capsys, "report", "--in", folder)
    assert status == 1
    page = (folder / "report.html").read_text()
    assert "REJECT" in page
    assert "the disk fills up" in page
    assert "What is asked next" in page
    assert "<b>What if <code>sync</code> fails?</b>" in page
    assert page.count("<circle") == 2  # the check, and what this report found
    assert "kill" in said  # each stage is said as it comes
    assert "&lt;script&gt;" in page
    assert "# <script>" not in page
    assert str(folder / "report.html") in said


@pytest.mark.soak
def test_the_page_of_c_has_the_map_and_the_audit(tmp_path, capsys):
    pytest.importorskip("jinja2")
    kata = find("spsc_ring")
    folder = tmp_path / "mine"
    practice(capsys, "start", "spsc_ring", folder)
    (folder / kata.file).write_text((kata.folder / "right" / "seq_cst.c").read_text())
    assert practice(capsys, "report", "--in", folder)[0] == 0
    page = (folder / "report.html").read_text()
    for text in ("Cache lines", "Order audit", "Stronger than needed", "times as long as the reference", "tail* (4)"):
        assert text in page
