"""Every pair of the corpus gives its verdict, and every bad one its reason."""

import json
import runpy
from pathlib import Path

import pytest

from linearizability.brute import linearizable, model_of
from lockfree.linearizability import History, check, parse_spec

CORPUS = Path(__file__).parents[2] / "stress" / "corpus"
EXPECTED = json.loads((CORPUS / "expected.json").read_text())


def test_the_files_are_those_that_the_script_writes(tmp_path):
    script = tmp_path / "make.py"
    script.write_text((CORPUS / "make.py").read_text())
    runpy.run_path(str(script), run_name="__main__")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in CORPUS.iterdir() if p.is_file())
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (CORPUS / path.name).read_bytes(), path.name


def test_every_specification_has_a_pair():
    known = {"queue", "stack", "priority-queue", "register", "counter", "semaphore", "mutex", "rwlock"}
    known |= {"set", "map", "block-pool", "log"}
    assert {parse_spec(e["spec"]).name for e in EXPECTED.values()} == known


@pytest.mark.parametrize("name", EXPECTED)
def test_the_ok_history_is_ok(name):
    assert check(CORPUS / f"{name}-ok.jsonl", EXPECTED[name]["spec"]).status == "OK"


@pytest.mark.parametrize("name", EXPECTED)
def test_the_bad_history_is_a_violation_with_its_reason(name):
    expected = EXPECTED[name]
    verdict = check(CORPUS / f"{name}-bad.jsonl", expected["spec"])
    assert verdict.status == "VIOLATION"
    assert verdict.rule in expected["rules"]
    assert expected["words"] in verdict.reason
    assert 1 <= len(verdict.operations) <= 8


@pytest.mark.parametrize("name", [n for n in EXPECTED if not n.startswith("large")])
def test_small_pairs_have_the_verdict_of_the_enumeration(name):
    spec = parse_spec(EXPECTED[name]["spec"])
    for kind in ("ok", "bad"):
        ops = list(History.load(CORPUS / f"{name}-{kind}.jsonl"))
        truth = linearizable(ops, model_of(EXPECTED[name]["spec"]), full=spec.full, empty=spec.empty)
        assert truth == (kind == "ok")
