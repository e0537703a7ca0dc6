"""`lockfree machine`: tiny runs, the shape of what it writes, what it refuses, and its table of litmus tests.

No figure is a verdict here. The table is: its C11 column is held to the model checker, its x86-TSO column to an
exploration of machines with store buffers.
"""

import itertools
import json
import os
import re
from pathlib import Path

import compilers
import pytest

from lockfree.__main__ import main
from lockfree._native.machine import ffi, lib
from lockfree.machine import describe, litmus, measure, page
from lockfree.machine.cli import cpu_list

ROOT = Path(__file__).parent.parent
BY_NAME = {test.name: test for test in litmus.TESTS}


def refused(capsys, *words):
    try:
        status = main(["machine", *words])
    except SystemExit as end:
        status = end.code
    assert status == 3
    return capsys.readouterr().err


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """What one tiny run of everything writes."""
    folder = tmp_path_factory.mktemp("machine")
    files = {"json": folder / "m.json", "html": folder / "m.html"}
    words = [f"--{kind}={path}" for kind, path in files.items()]
    cpus = ",".join(map(str, sorted(os.sched_getaffinity(0))[:2]))
    assert main(["machine", "--seconds=0.3", f"--cpus={cpus}", *words]) == 0
    return json.loads(files["json"].read_text()), files["html"].read_text()


# ---- a tiny run ----


def test_every_section_is_measured_or_says_why_not(tiny):
    results, _ = tiny
    assert results["schema"] == "lockfree-machine/1"
    assert set(results) == {
        "schema", "when", "command", "seconds", "machine", "cpus", "pinned", "notes", "sections",
    }  # fmt: skip
    assert {"cpu", "system", "compiler", "lockfree", "commit", "topology"} <= set(results["machine"])
    sections = results["sections"]
    assert list(sections) == list(measure.SECTIONS)
    one = len(results["cpus"]) == 1
    for name in ("transfer", "sharing"):
        assert bool(sections[name]["problem"]) == (one or (name == "transfer" and not results["pinned"]))
    assert {row["name"] for row in sections["operations"]["rows"]} == set(measure.OPERATIONS)
    for row in sections["operations"]["rows"]:
        assert row["problem"] or 0 < row["ns"]["low"] <= row["ns"]["median"] <= row["ns"]["high"], row
    assert {row["traffic"] for row in sections["memory"]["bandwidth"]} == set(measure.TRAFFIC)
    assert len(sections["memory"]["latency"]) == len(sections["memory"]["sizes"])
    assert sections["wake"]["rows"]
    for test in sections["litmus"]["tests"]:
        assert test["problem"] or test["runs"] == sum(test["outcomes"].values()) > 0
        assert not test["forbidden_but_seen"]


def test_the_page_needs_no_network_and_runs_without_its_script(tiny):
    results, text = tiny
    assert not re.search(r"(src|href)\s*=|@import|url\(", text), "everything is in the one file"
    assert "http" not in text
    shown = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    for test in results["sections"]["litmus"]["tests"]:
        assert f"<h3>{test['name']}" in shown
    for row in results["sections"]["operations"]["rows"]:
        assert row["what"] in shown


def test_the_page_of_a_big_machine_and_of_a_violation(tiny):
    results = json.loads(json.dumps(tiny[0]))
    pairs = [{"a": a, "b": b, "median": 40.0 + abs(a - b), "low": 40.0, "high": 200.0, "samples": 9}
             for a, b in itertools.combinations(range(40), 2)]  # fmt: skip
    results["sections"]["transfer"] = {"problem": None, "unit": "", "cpus": list(range(40)), "pairs": pairs}
    results["sections"]["wake"] = {"problem": "it slept <too> long"}
    results["sections"]["litmus"]["tests"] = [litmus.judged(BY_NAME["MP"], {"r0=1 r1=0": 3, "r0=1 r1=1": 9}, "x86_64")]
    text = page.page(results)
    assert text.count('title="0 and 39: 79 ns') == 1
    assert text.count('title="39 and 0: 79 ns') == 1
    assert "it slept &lt;too&gt; long" in text
    assert "forbidden, but seen" in text


def test_a_run_of_some_sections(capsys):
    assert main(["machine", "--seconds=0.1", "--only=operations,wake", f"--cpus={min(os.sched_getaffinity(0))}"]) == 0
    out = capsys.readouterr().out
    assert "fetch_add" in out
    assert "on the same processor" in out
    assert "on another processor" not in out
    assert "Litmus" not in out


def test_one_processor_says_what_it_cannot_measure(capsys):
    assert main(["machine", "--seconds=0.1", "--only=transfer,sharing", f"--cpus={min(os.sched_getaffinity(0))}"]) == 0
    assert capsys.readouterr().out.count("not measured: it needs 2 processors") == 2


def test_without_pinning_it_says_so(monkeypatch):
    class Refusing:
        def __getattr__(self, name):
            return (lambda _cpu: -1) if name == "lf_machine_can_pin" else getattr(lib, name)

    monkeypatch.setattr(measure, "lib", Refusing())
    place = measure.place([0, 1], 0.1)
    assert not place.pinned
    assert any("cannot be pinned" in note for note in place.notes)
    assert place.seats(2) == [-1, -1]
    section = measure.Transfer(place)
    assert section.jobs() == []
    assert "cannot be pinned" in section.result["problem"]
    assert [label for label, _ in measure.Wake(place).jobs()] == [
        "on another processor, 20 µs",
        "on another processor, 2000 µs",
    ]


def test_a_processor_that_is_not_there_is_an_error_and_no_figure():
    share = ffi.new("struct lf_machine_share *")
    assert lib.lf_machine_operate(0, 0, [100_000], 1, 1000, share) < 0
    assert share.done == 0
    assert lib.lf_machine_operate(99, 0, [-1], 1, 1000, share) < 0
    assert lib.lf_machine_stream(0, 100, [-1], 1, 1000, share) < 0
    assert lib.lf_litmus_run(99, [-1] * 4, 1000, ffi.new("uint64_t[256]")) < 0


def test_the_matrix_of_many_processors_is_capped():
    place = measure.Place(list(range(200)), pinned=True, seconds=1.0)
    assert len(measure.Transfer(place).jobs()) == 64 * 63 // 2
    assert any("64 of 200 processors" in note for note in place.notes)


def test_the_description_of_the_machine():
    assert {"cpu", "compiler", "clock_ns", "commit"} <= set(describe.describe())


# ---- what is refused ----


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--seconds=0"], "--seconds is 0: it must be 0.1 to 3600"),
        (["--seconds=nan"], "--seconds is nan"),
        (["--only=litmus,quark"], "there is no 'quark'"),
        (["--cpus=0-"], "--cpus is '0-': it must be numbers and ranges"),
        (["--cpus=99999"], "this process may not use 99999"),
        (["--json=/nowhere/m.json"], "/nowhere"),
        (["--json=/tmp/m", "--html=/tmp/m"], "--json already"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "",
)
def test_machine_refuses(words, says, capsys):
    said = refused(capsys, *words)
    assert says in said or says.replace("--json", "--html") in said


def test_lists_of_processors():
    assert cpu_list("3,0-1", {0, 1, 2, 3}) == [0, 1, 3]


# ---- the table of litmus tests ----


def client(number):
    test = litmus.TESTS[number]
    threads, results = len(test.threads), lib.lf_litmus_results(number)
    final = test.name == "2+2W"
    body = f"static void setup_{number}(void) {{ x = y = 0; for (int i = 0; i < 4; i++) r[i] = 0; }}\n"
    for t in range(threads):
        body += f"static void t{number}_{t}(void) {{ lf_litmus_list[{number}].bodies[{t}](&x, &y, r); }}\n"
    names = ("x", "y") if final else ("r0", "r1", "r2", "r3")
    values = ("x", "y") if final else ("r[0]", "r[1]", "r[2]", "r[3]")
    said = "".join(f'lf_model_observe("{names[i]}", {values[i]}); ' for i in range(results))
    body += f"static void final_{number}(void) {{ {said}}}\n"
    all_ = ", ".join(f"t{number}_{t}" for t in range(threads))
    final_ = f".threads = {{{all_}}}, .final = final_{number}"
    return body + f"LF_MODEL_CLIENT(test_{number}, .setup = setup_{number}, {final_});\n"


def test_c11_allows_what_the_table_says(tmp_path):
    """The same bodies as on the hardware, in every execution of the model checker."""
    from lockfree.modelcheck import Settings, Verdict, check

    compilers.needed("c")
    text = '#include "machine/litmus_tests.h"\n#include "lockfree_model.h"\nstatic uint32_t x, y, r[4];\n'
    (tmp_path / "litmus.c").write_text(text + "".join(map(client, range(len(litmus.TESTS)))))
    include = [str(ROOT / "c"), str(ROOT / "c/include")]
    settings = Settings(mode="exhaustive", outcomes=True)
    reports = check(tmp_path / "litmus.c", settings=settings, include=include)
    assert len(reports) == lib.lf_litmus_tests() == len(litmus.TESTS)
    for number, report in enumerate(reports):
        test = litmus.TESTS[number]
        assert ffi.string(lib.lf_litmus_name(number)).decode() == test.name
        assert report.verdict is Verdict.OK, report
        seen = litmus.weak_outcome(test) in {outcome.replace(", ", " ") for outcome in report.outcomes}
        # RC11 forbids load buffering, C11 as it is written allows it
        assert seen == (test.c11 and test.name != "LB"), (test.name, report.outcomes)


def steps_of(thread):
    """("W", word, value), ("R", register, word) or ("F",) of each step of a thread, from what the page shows."""
    for step in thread.replace(" acq", "").replace(" rel", "").split("; "):
        target, _, value = step.partition("=")
        if step == "fence":
            yield ("F",)
        else:
            yield ("R", target, value) if target.startswith("r") else ("W", target, int(value))


def outcomes_with_store_buffers(threads, buffered, flush_after_store=False):
    """Every final state (registers and words) of the program: in-order processors, with FIFO store buffers or none."""
    found, seen, open_ = set(), set(), [((0,) * len(threads), ((),) * len(threads), (("x", 0), ("y", 0)), ())]
    while open_:
        state = open_.pop()
        if state in seen:
            continue
        seen.add(state)
        at, buffers, memory, registers = state
        moved = False
        for t, steps in enumerate(threads):

            def put(values, new, t=t):
                return values[:t] + (new,) + values[t + 1 :]

            if buffers[t]:
                (word, value), *rest = buffers[t]
                moved = True
                changed = tuple((w, value if w == word else v) for w, v in memory)
                open_.append((at, put(buffers, tuple(rest)), changed, registers))
            if at[t] == len(steps):
                continue
            step, next_ = steps[at[t]], put(at, at[t] + 1)
            if step[0] == "W":
                if buffered and not (flush_after_store and buffers[t]):
                    open_.append((next_, put(buffers, (*buffers[t], step[1:])), memory, registers))
                elif not buffered:
                    changed = tuple((w, step[2] if w == step[1] else v) for w, v in memory)
                    open_.append((next_, buffers, changed, registers))
                moved = True
            elif step[0] == "R":
                if flush_after_store and buffers[t]:
                    continue
                own = [value for word, value in buffers[t] if word == step[2]]
                value = own[-1] if own else dict(memory)[step[2]]
                open_.append((next_, buffers, memory, tuple(sorted((*registers, (step[1], value))))))
                moved = True
            elif not buffers[t]:
                open_.append((next_, buffers, memory, registers))
                moved = True
        if not moved:
            found.add((registers, memory))
    return found


@pytest.mark.parametrize("test", litmus.TESTS, ids=lambda t: t.name)
def test_interleavings_and_store_buffers_allow_what_the_table_says(test):
    threads = [list(steps_of(thread)) for thread in test.threads]

    def weak_is_among(states):
        wanted = dict(part.split("=") for part in litmus.weak_outcome(test).split())
        return any(all(str(dict([*regs, *mem])[k]) == v for k, v in wanted.items()) for regs, mem in states)

    assert not weak_is_among(outcomes_with_store_buffers(threads, buffered=False)), "an interleaving explains it"
    seq_cst = "seq_cst" in test.name
    assert weak_is_among(outcomes_with_store_buffers(threads, buffered=True, flush_after_store=seq_cst)) == test.tso


@pytest.mark.parametrize("test", litmus.TESTS, ids=lambda t: t.name)
def test_a_model_of_a_machine_allows_no_more_than_c11_and_a_weaker_one_no_less(test):
    assert test.c11 >= test.weakly_ordered >= test.tso


def test_a_forbidden_outcome_that_was_seen_is_told():
    seen = {"r0=1 r1=0": 1, "r0=0 r1=0": 99}
    assert litmus.judged(BY_NAME["MP"], seen, "x86_64")["forbidden_but_seen"]
    assert not litmus.judged(BY_NAME["MP"], seen, "aarch64")["forbidden_but_seen"]
    assert litmus.judged(BY_NAME["MP+acq_rel"], seen, "aarch64")["forbidden_but_seen"]
    assert not litmus.judged(BY_NAME["MP"], seen, "z80")["forbidden_but_seen"], "no model, no verdict"


def test_an_operation_that_did_not_end_once_is_a_problem_and_no_empty_figure(monkeypatch):
    monkeypatch.setattr(measure, "operate", lambda *_: [measure.Share(0, 1000, 1000, 0)])
    section = measure.Operations(measure.place(sorted(os.sched_getaffinity(0)), 1))
    section.jobs()[0][1](2_000_000)
    (row,) = section.result["rows"]
    assert (row["ns"], row["problem"]) == (None, "nothing was done in 2 ms: give more --seconds")
