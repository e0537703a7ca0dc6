"""A slice of the campaign on every run, and proof that it sees what is wrong. All of it: stress/test_kill_everywhere.py."""

import contextlib
import json
import os
import platform
import re
import shutil
import signal
import sys
import threading
import zlib
from pathlib import Path

import pytest

from lockfree.__main__ import main
from lockfree._compiler import compiler
from lockfree.stress import kill_everywhere
from lockfree.stress.kill_everywhere import ASLEEP, Choice, KillError, Slice

ROOT = Path(__file__).parent.parent
WRONG_RING = ROOT / "c/wrong/ring_whose_empty_lies.h"
PARTS = 160  # every so many instructions; which of them differs with the seed
SEED = int(os.environ.get("LF_TEST_SEED", zlib.crc32(b"tests/test_kill_everywhere.py")))


def can_trace():
    """Whether this machine lets one process trace another. A program that does not compile is a failure, not a reason."""
    if sys.platform != "linux" or platform.machine() != "x86_64" or not shutil.which(compiler()[0]):
        return False
    program = kill_everywhere.build("mutex")
    try:
        return bool(kill_everywhere.kill_operation("mutex", program, "recover", Choice(at=0, modes=("go-on",))).points)
    except KillError:
        return False


pytestmark = pytest.mark.skipif(not can_trace(), reason="needs Linux on x86-64, a C compiler and ptrace")


@pytest.mark.parametrize("primitive", kill_everywhere.primitives())
def test_every_contract_outlives_a_slice_of_all_kills(primitive):
    results = kill_everywhere.campaign([primitive], Choice(Slice(1 + SEED % PARTS, PARTS), SEED))
    for result in results:
        assert not result.breaches, "\n".join(map(str, result.breaches))
        assert not result.problem
        assert result.points
    print(f"{primitive}: {sum(r.points for r in results)} kills in {len(results)} operations")


def test_every_primitive_with_a_state_of_its_own_is_killed():
    headers = (ROOT / "c/include/lockfree").glob("*.h")
    kinds = {p.stem for p in headers if re.search(r"^#define LF_KIND_", p.read_text(), re.MULTILINE)}
    killed = set(kill_everywhere.primitives()) - {"named_segment"}  # the life of segments themselves
    assert kinds - {"atomic"} == killed  # atomics: one instruction, nothing in between


@pytest.mark.parametrize("primitive", sorted(set(kill_everywhere.primitives()) - {"named_segment"}))
def test_every_contract_outlives_random_kills_under_load(primitive):
    done = kill_everywhere.kill_under_load(primitive, 40, SEED)
    assert not done.wrong
    assert done.rounds == 40
    assert done.killed >= 40


@pytest.fixture(scope="module")
def wrong_ring():
    return kill_everywhere.build("mpmc_ring", WRONG_RING)


def kill_wrong(wrong_ring, operation, mode, **choice):
    choice = Choice(modes=(mode,), watchdog=0.3, **choice)
    return kill_everywhere.kill_operation("mpmc_ring", wrong_ring, operation, choice, min(os.sched_getaffinity(0)))


@pytest.mark.parametrize("operation", ["put-on-half", "get-on-half"])
def test_a_ring_that_claims_before_it_publishes_hangs_its_survivors(wrong_ring, operation):
    result = kill_wrong(wrong_ring, operation, "wait")
    assert result.breaches
    for breach in result.breaches:
        assert breach.expected == "progress"
        assert "did not come back from its call" in breach.seen


@pytest.mark.parametrize("mode", ["go-on", "new", "stopped"])
def test_a_ring_that_claims_before_it_publishes_denies_what_is_inside(wrong_ring, mode):
    result = kill_wrong(wrong_ring, "put-on-half", mode)
    assert result.breaches
    assert any("EMPTY" in breach.seen for breach in result.breaches)


@pytest.mark.parametrize("operation", ["alloc-after-dead-holder", "release"])
def test_an_arena_that_trusts_what_the_dead_left_is_found(operation):
    program = kill_everywhere.build("arena", ROOT / "c/wrong/arena_trusts_the_dead.h")
    choice = Choice(modes=("go-on",), watchdog=0.3)
    assert kill_everywhere.kill_operation("arena", program, operation, choice, min(os.sched_getaffinity(0))).breaches


def test_it_is_right_before_its_claim_and_after_its_publication(wrong_ring):
    steps = kill_wrong(wrong_ring, "put-on-half", "go-on", at=0).tallies[0].instructions
    assert not kill_wrong(wrong_ring, "put-on-half", "go-on", at=0).breaches
    assert not kill_wrong(wrong_ring, "put-on-half", "go-on", at=steps).breaches


def test_a_breach_names_its_place_and_is_seen_again_by_its_command(wrong_ring):
    first = kill_wrong(wrong_ring, "put-on-half", "go-on").breaches[0]
    assert re.search(r"0x[0-9a-f]+ in lf_mpmc_ring_reserve at cells\.h:\d+", first.place)
    assert f"--operation put-on-half --mode go-on --at {first.k} --seed 0" in first.command
    again = kill_wrong(wrong_ring, "put-on-half", "go-on", at=first.k)
    assert [b.seen for b in again.breaches] == [first.seen]
    assert again.points == 1
    assert not kill_wrong(wrong_ring, "put-on-half", "go-on", at=first.k - 1).breaches


def test_slices_share_out_all_kill_points():
    program = kill_everywhere.build("mutex")

    def points(part):
        result = kill_everywhere.kill_operation("mutex", program, "release", Choice(part, 7, ("go-on",)))
        return result.tallies[0].points, result.tallies[0].instructions

    whole, steps = points(Slice())
    assert whole == steps + 1  # before the first instruction, and after each
    parts = [points(Slice(n, 5))[0] for n in range(1, 6)]
    assert sum(parts) == whole + 4  # the completed call is in every one


def test_a_sleeper_is_killed_in_its_sleep_too():
    program = kill_everywhere.build("mpmc_ring")
    result = kill_everywhere.kill_operation("mpmc_ring", program, "get-waiting-on-empty", Choice(at=ASLEEP))
    assert result.points == len(kill_everywhere.MODES)
    assert not result.breaches


def test_the_command_prints_a_table_and_writes_its_results(tmp_path, capsys):
    words = ["stress", "mutex", "--kill-everywhere", "--operation", "recover", "--operation", "release"]
    assert main([*words, "--slice", "1/9", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^mutex +recover +\d+ +\d+ +\d+ +\d+ +0$", printed, re.MULTILINE)
    assert re.search(r"processes killed in 2 operations, 0 breaches", printed)
    written = json.loads((tmp_path / "kill-everywhere.json").read_text())
    assert [r["operation"] for r in written["results"]] == ["release", "recover"]


def test_the_command_refuses_what_there_is_not(capsys):
    assert main(["stress", "no_such_thing", "--kill-everywhere"]) == 3
    assert "mpmc_ring" in capsys.readouterr().err
    assert main(["stress", "mutex", "--kill-everywhere", "--operation", "no-such-thing"]) == 3
    with pytest.raises(SystemExit):
        main(["stress", "--kill-everywhere", "--slice", "3/2"])


def test_the_table_of_the_docs_is_made_from_a_whole_run(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "stress")
    import kill_table

    report = {
        "seed": 0, "slice": {"nth": 1, "of": 1}, "seconds": 12.3,
        "results": [{"primitive": "mutex", "operation": "recover", "problem": "", "breaches": [], "tallies": [
            {"mode": "go-on", "instructions": 39, "distinct": 30, "points": 40},
            {"mode": "stopped", "instructions": 41, "distinct": 31, "points": 1042},
        ]}],
    }  # fmt: skip
    text = kill_table.page(report, "a machine")
    assert "| mutex | recover | 41 | 31 | 40 | 1,042 |" in text
    assert "1,082 processes killed in 1 operations, 0 breaches, 12 s" in text
    assert text.startswith((ROOT / "docs/guides/kill-table.md").read_text().split("Measured on:")[0])
    with pytest.raises(ValueError, match="slice 1/3 is not the whole campaign"):
        kill_table.page(report | {"slice": {"nth": 1, "of": 3}}, "a machine")


def test_signals_of_job_control_are_no_breach():
    """A victim that is stopped or continued from outside, by a debugger or a batch system, goes on where it was."""
    ended = threading.Event()
    sent = []

    def disturb():
        while not ended.is_set():
            for tracer in children_of(os.getpid()):
                for victim in children_of(tracer):
                    status = Path(f"/proc/{victim}/status")
                    with contextlib.suppress(OSError):
                        if f"TracerPid:\t{tracer}\n" in status.read_text():
                            os.kill(victim, signal.SIGSTOP)
                            os.kill(victim, signal.SIGCONT)
                            sent.append(victim)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        choice = Choice(Slice(1, 3), SEED, modes=("go-on",))
        result = kill_everywhere.kill_operation("mpmc_ring", kill_everywhere.build("mpmc_ring"), "put-on-half", choice)
    finally:
        ended.set()
        thread.join()
    assert not result.breaches, "\n".join(map(str, result.breaches))
    assert not result.problem
    assert sent


def children_of(process):
    with contextlib.suppress(OSError):
        threads = Path(f"/proc/{process}/task").iterdir()
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    return []
