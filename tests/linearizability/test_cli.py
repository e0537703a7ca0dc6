"""The command line and the columns of the terminal."""

import json
import re
from pathlib import Path

import pytest

from lockfree.__main__ import main as lockfree_main
from lockfree.linearizability import Operation, check
from lockfree.linearizability.cli import main
from lockfree.linearizability.report import columns, render

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
    answers = dict.fromkeys((own, op), True if spec in ("mutex", "set") else 1)
    lines = [Operation(0, name, 1, answers[name], 10 * i, 10 * i + 5).to_json() for i, name in enumerate(answers, 1)]
    path.write_text("\n\n".join(map(json.dumps, lines)))
    assert main(["check", str(path), "--spec", spec]) == 3
    assert f"line 3: {op} is no operation of {spec}, which has {known}" in capsys.readouterr().err


def test_a_fault_of_the_program_is_no_verdict(monkeypatch, capsys):
    def fails(*_args, **_kwargs):
        raise RuntimeError("broken")

    monkeypatch.setattr("lockfree.linearizability.cli.check", fails)
    assert lockfree_main(["check", str(CORPUS / "queue-ok.jsonl"), "--spec", "queue"]) == 70
    assert "not a verdict" in capsys.readouterr().err


def test_json_output(capsys):
    main(["check", str(CORPUS / "queue-bad.jsonl"), "--spec", "queue", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["status"], found["rule"], len(found["operations"])) == ("VIOLATION", "OVERTAKEN", 3)


def test_columns_name_the_operation_at_fault():
    text = render(check(CORPUS / "queue-bad.jsonl", "queue"))
    assert re.search(r"→ 2 +✗", text)
    assert text.splitlines()[3].split() == ["time", "(ns)", "client", "0", "client", "1", "client", "2"]
    assert "+0.300" in columns([Operation(0, "put", 1, True, 0, 300), Operation(0, "put", 1, True, 400, 2_000_000)])
    assert "never returned" in columns([Operation(0, "put", 1, None, 0, None)])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("h.jsonl", ""),
        ("h.jsonl", "\n\n"),
        ("h.edn", "[]"),
        ("h.edn", "{:process :nemesis, :type :info, :f :start, :value nil, :time 1}"),
        (
            "h.edn",
            (
                "{:process 0, :type :invoke, :f :write, :value 1, :time 1}\n"
                "{:process 0, :type :fail, :f :write, :value 1, :time 2}"
            ),
        ),
    ],
)
def test_no_operation_is_unusable(tmp_path, capsys, name, text):
    path = tmp_path / name
    path.write_text(text)
    assert main(["check", str(path), "--spec", "register"]) == 3
    assert "nothing was checked" in capsys.readouterr().err
