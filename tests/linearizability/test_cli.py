"""The command line, the terminal columns, the importers, and the timeline in a real browser."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lockfree.__main__ import main as lockfree_main
from lockfree.linearizability import Operation, check
from lockfree.linearizability.cli import main
from lockfree.linearizability.report import columns, order_before_break, render
from lockfree.linearizability.timeline import html

CORPUS = Path(__file__).parents[2] / "stress" / "corpus"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["queue-ok.jsonl", "--spec", "queue"], 0),
        (["queue-bad.jsonl", "--spec", "queue"], 1),
        (["rwlock-ok.jsonl", "--spec", "rwlock", "--method", "near-linear"], 2),
        (["queue-ok.jsonl", "--spec", "quue"], 3),
        (["missing.jsonl", "--spec", "queue"], 3),
        (["expected.json", "--spec", "queue"], 3),
    ],
)
def test_exit_status(arguments, status, capsys):
    assert main(["check", str(CORPUS / arguments[0]), *arguments[1:]]) == status
    out, err = capsys.readouterr()
    assert (err if status == 3 else out).strip()


@pytest.mark.parametrize(
    ("spec", "op", "known"),
    [
        ("queue", "push", "put, get, peek"),
        ("queue", "pop", "put, get, peek"),
        ("stack", "put", "push, pop, peek"),
        ("register", "fetch_add", "write, read, cas"),
        ("mutex", "read_acquire", "acquire, release"),
        ("set", "append", "add, remove, contains"),
    ],
)
def test_an_operation_that_the_object_does_not_have_is_unusable_input(spec, op, known, tmp_path, capsys):
    path = tmp_path / "h.jsonl"
    own = known.split(", ")[0]
    lines = [Operation(0, name, 1, 1, 10 * i, 10 * i + 5).to_json() for i, name in enumerate((own, op), 1)]
    path.write_text("\n\n".join(map(json.dumps, lines)))
    assert main(["check", str(path), "--spec", spec]) == 3
    assert f"line 3: {op} is no operation of {spec}, which has {known}" in capsys.readouterr().err


def test_a_fault_of_the_program_is_no_verdict(monkeypatch, capsys):
    def fails(*_args, **_kwargs):
        raise RuntimeError("broken")

    monkeypatch.setattr("lockfree.linearizability.cli.check", fails)
    assert lockfree_main(["check", str(CORPUS / "queue-ok.jsonl"), "--spec", "queue"]) == 70
    assert "not a verdict" in capsys.readouterr().err


def test_a_client_that_goes_on_after_the_break_is_no_obstacle_to_the_page():
    rows = [Operation(0, "get", None, 1, 1, 2), Operation(0, "put", 1, True, 3, 4)]
    verdict = check(rows, "queue")
    assert not verdict
    assert "breaks here" in html(verdict, "queue")


def test_json_output(capsys):
    main(["check", str(CORPUS / "queue-bad.jsonl"), "--spec", "queue", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["status"], found["rule"], len(found["operations"])) == ("VIOLATION", "OVERTAKEN", 3)


def test_columns_name_the_operation_at_fault():
    text = render(check(CORPUS / "queue-bad.jsonl", "queue"))
    assert re.search(r"→ 2 +✗", text)
    assert text.splitlines()[3].split() == ["time", "(ns)", "client", "0", "client", "1", "client", "2"]
    assert "never returned" in columns([Operation(0, "put", 1, None, 0, None)])


def test_the_order_before_the_break_is_an_order():
    verdict = check(CORPUS / "queue-bad.jsonl", "queue")
    order = order_before_break(verdict, "queue")
    assert [verdict.operations[i].op for i in order] == ["put", "put"]


def test_the_page_needs_nothing_else_and_escapes_values():
    rows = [Operation(0, "put", "</script><b>", True, 0, 5), Operation(1, "get", None, None, 6, 9)]
    page = html(check(rows, "queue"), "queue")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert page.count("</script>") == 2
    with pytest.raises(ValueError):
        html(check(rows[:1], "queue"), "queue")


def test_the_timeline_in_a_browser(tmp_path):
    browser = next((b for b in ("chromium", "chromium-browser", "google-chrome") if shutil.which(b)), None)
    if browser is None:
        pytest.skip("no chromium: the timeline is not tried in a browser")
    page = tmp_path / "page.html"
    main(["check", str(CORPUS / "queue-bad.jsonl"), "--spec", "queue", "--html", str(page)])
    # the page's own keys, as a user would press them
    script = """<script>const press = k => dispatchEvent(new KeyboardEvent("keydown", {key: k}));
      const width = () => +chart.querySelector(".bar").getAttribute("width");
      const a = width(); press("+"); const b = width(); press("0"); const c = width(); press("d");
      const was = document.documentElement.classList.contains("dark"); press("d");
      chart.querySelector(".op").dispatchEvent(new MouseEvent("mouseenter"));
      document.documentElement.dataset.tried = JSON.stringify([a < b, Math.abs(a - c) < a / 20,
        was !== document.documentElement.classList.contains("dark"), tip.textContent.startsWith("client 0: put(1)")]);
    </script></body>"""
    page.write_text(page.read_text().replace("</body>", script))
    dom = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=60, check=False,
    ).stdout  # fmt: skip
    assert 'data-ready="3"' in dom
    assert 'data-tried="[true,true,true,true]"' in dom
    assert dom.count('class="op broken"') == 1
    assert "breaks here" in dom
