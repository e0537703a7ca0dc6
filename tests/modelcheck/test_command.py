"""The command line of the model checker where the client, the options or the surroundings are odd."""

import contextlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

import pytest
from patience import STUCK

from lockfree._compiler import compiler
from lockfree.modelcheck import Settings, runner

HEAD = """
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "lockfree_model.h"
"""
RACE = HEAD + "static int x;\nstatic void add(void) { x++; }\nLF_MODEL_CLIENT(race, .threads = {add, add});\n"
FINE = HEAD + "static atomic_int x;\nstatic void add(void) { x++; }\nLF_MODEL_CLIENT(fine, .threads = {add, add});\n"


@pytest.fixture
def model(tmp_path):
    def run(text, *arguments, name="client.c", **variables):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        command = [sys.executable, "-m", "lockfree", "model", str(path), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, **variables}, timeout=STUCK, check=False
        )
        return done.returncode, done.stdout, done.stderr

    return run


def test_the_command_that_replays_can_be_pasted(model, tmp_path):
    text = RACE.replace("static int x", '#include "my header.h"\nstatic TYPE x')
    model("", name="some dir/my header.h")
    options = [f"-I{tmp_path / 'some dir'}", "-DTYPE=long int", "--cflag=-Wextra"]
    status, out, _ = model(text, *options, name="some dir/my client.c")
    assert status == 1
    assert "my client.c:" in out, "a path with a space has positions, too"
    [line] = [line for line in out.splitlines() if line.startswith("  again: ")]
    words = shlex.split(line.removeprefix("  again: "))
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "data race" in done.stdout


def test_a_replay_without_a_violation_says_so(model):
    _, out, _ = model(RACE)
    token = out.split("--replay race:")[1].strip()
    status, out, _ = model(FINE, "--replay", f"fine:{token}")
    assert status == 0
    assert "shows no violation" in out
    assert "x 0 -> 1 rmw" in out


NOISY = RACE.replace("x++;", r'puts("here\tI am"); fwrite("\xff\xfe\n", 1, 3, stdout); fflush(stdout); x++;')


def test_what_a_client_prints_is_not_mixed_into_the_report(model):
    status, out, err = model(NOISY)
    assert status == 1
    assert "I am" not in out + err
    token = out.split("--replay ")[1].strip()
    status, out, err = model(NOISY, "--replay", token)
    assert status == 1
    assert "here\tI am" in err
    assert "I am" not in out


@pytest.mark.parametrize("call", ["exit(4)", "_exit(4)", "_Exit(4)", "quick_exit(4)"])
def test_a_client_that_exits_with_a_failure_is_a_violation(call, model):
    status, out, _ = model(FINE.replace("x++", f"{call}; x++"))
    assert status == 1
    assert "exit status: T1 calls exit(4)" in out
    assert "client.c:" in out


def test_a_client_that_aborts_has_crashed(model):
    status, out, _ = model(FINE.replace("x++", "abort()"))
    assert status == 1
    assert "crash" in out


@pytest.mark.parametrize(
    "token",
    [
        "",
        "fine",
        "fine:",
        ":g1.0.0.1000--",
        "other:g1.0.0.1000--",
        "fine:x1.0.0.1000--",
        "fine:g3.0.0.1000--",
        "fine:g1.8.0.1000--",
        "fine:g1.-1.0.1000--",
        "fine:g1.0.0.0--",
        "fine:g1.0.0.1000001--",
        "fine:g1.0.0.99999999999999999999--",
        "fine:g1.0.0.1000-",
        "fine:g1.0.0.1000-!-",
        "fine:g1.0.0.1000-z00g0-",
        "fine:g1.0.0.1000-z12",
        "fine:g1.0.0.1000--junk",
        "fine:g1.0.0.1000--.10:99",
        "fine:g1.0.0.1000--.:4",
        "fine:g1.0.0.1000-" + 80_000 * "Z" + "-",
    ],
)
def test_what_is_no_token_is_refused(token, model):
    status, out, err = model(FINE, "--replay", token)
    assert status == 3
    assert "not a token" in out + err or "no client" in out + err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("seconds", "nan"),
        ("seconds", "inf"),
        ("seconds", "0"),
        ("seconds", "-1"),
        ("executions", "-1"),
        ("preemptions", "-1"),
        ("depth", "0"),
        ("depth", "9"),
        ("steps", "0"),
        ("steps", "1000001"),
        ("spins", "-1"),
        ("seed", "-1"),
        ("seed", str(2**64)),
    ],
)
def test_numbers_out_of_bounds_are_refused(option, value, model):
    status, _, err = model(FINE, f"--{option}", value)
    assert status == 3
    assert f"{option} is {value}" in err or f"{option} is {float(value)}" in err
    with pytest.raises(ValueError, match=option):
        Settings(**{option: float(value) if option == "seconds" else int(value)})


@pytest.mark.parametrize("arguments", [["--mode", "some"], ["--steps", "many"], ["--unknown"], ["--seed"]])
def test_wrong_usage_is_status_3(arguments, model):
    status, _, err = model(FINE, *arguments)
    assert status == 3
    assert "error:" in err


def test_a_client_that_blocks_in_the_kernel(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "STILL", 2.0)
    path = tmp_path / "client.c"
    body = "#include <poll.h>\nstatic void t(void) { poll(NULL, 0, -1); }\n"
    path.write_text(HEAD + body + "LF_MODEL_CLIENT(blocked, .threads = {t});")
    [report] = runner.check(path)
    assert report.verdict is runner.Verdict.UNUSABLE
    assert "blocks in the kernel" in report.message


def test_a_file_without_a_client(model):
    status, _, err = model("int x;")
    assert status == 3
    assert err.strip().endswith("client.c has no LF_MODEL_CLIENT and no main")


def test_an_atomic_object_that_needs_a_lock(model):
    text = FINE.replace("atomic_int x", "_Atomic(struct { int n[5]; }) x").replace("x++", "atomic_load(&x)")
    status, _, err = model(text)
    assert status == 3
    assert "needs a lock" in err


def test_warnings_of_the_compiler_are_shown(model):
    status, out, err = model(FINE.replace("x++", 'x++;\n#warning "look here"\n'), "--json")
    assert status == 0
    assert "warning:" in err
    assert "look here" in err
    assert json.loads(out)["verdict"] == "OK"


@pytest.mark.parametrize("words", ["{cc} -g", "env {cc}"])
def test_compilers_with_arguments(words, model):
    status, _, err = model(FINE, CC=words.format(cc=shlex.join(compiler())))
    assert status == 0, err


def test_no_such_compiler(model):
    status, _, err = model(FINE, CC="no-such-compiler -x")
    assert status == 3
    assert "no C compiler: no-such-compiler not found" in err


def test_outcomes(model):
    text = HEAD + (
        "static atomic_int x;\nstatic void store(void) { x = 1; }\n"
        'static void load(void) { lf_model_observe("x", (unsigned)x); }\n'
        "LF_MODEL_CLIENT(both, .threads = {store, load});"
    )
    status, out, _ = model(text, "--outcomes")
    assert status == 0
    assert out.splitlines()[1:] == ["  x=0", "  x=1"]
    _, out, _ = model(text, "--outcomes", "--json")
    assert json.loads(out)["outcomes"] == ["x=0", "x=1"]


def test_atomic_floating_point(model):
    text = HEAD + (
        "static _Atomic double sum;\nstatic void add(void) { sum += 1.0; }\n"
        "static void both(void) { lf_model_assert(sum == 2.0); }\n"
        "LF_MODEL_CLIENT(sums, .threads = {add, add}, .final = both);"
    )
    status, out, err = model(text)
    assert status == 0, out + err


def test_a_client_ends_with_a_checker_that_was_killed(tmp_path):
    path = tmp_path / "client.c"
    adds = "static void add(void) { for (int i = 0; i < 9; i++) x++; }"
    path.write_text(
        f"{HEAD}static atomic_int x;\n{adds}\nLF_MODEL_CLIENT(long_one, .threads = {{add, add, add, add}});\n"
    )
    command = [sys.executable, "-m", "lockfree", "model", str(path), "--mode", "random", "--seconds", "100000"]
    checker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + STUCK

    def clients():
        running = []
        for comm in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = comm.read_bytes().split(b"\0")
                if b"long_one" in words and b"100000.0" in words:
                    running.append(comm.parent.name)
        return running

    while not clients():
        assert checker.poll() is None
        assert time.monotonic() < until
        time.sleep(0.01)
    checker.kill()
    checker.wait()
    while clients():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("more", [[], ["--json"], ["--replay", "race:-"]])
def test_nobody_reads_what_is_printed(tmp_path, more, unbuffered):
    """As in `lockfree model ... | head -0`: no verdict was told, and no fault is claimed."""
    path = tmp_path / "client.c"
    path.write_text(RACE)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "lockfree", "model", str(path), *more],
            stdout=writer, stderr=subprocess.PIPE, text=True, timeout=STUCK, check=False,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip
    finally:
        os.close(writer)
    assert done.returncode == 141
    assert done.stderr == ""


def test_samples_are_skipped_if_the_end_of_the_search_is_near(monkeypatch):
    """The break of an exhaustive search has samples only if the end is far."""
    modes = []

    def run(program, client, settings, tick, enclose, *, pause=None):
        modes.append(settings.mode)
        if pause is not None:
            for part in (1.0, runner.NEARLY + 0.01):
                assert not pause.work(runner.Progress(executions=100, part=part))
            assert modes == ["exhaustive"]
            assert not pause.work(runner.Progress(executions=100, part=runner.NEARLY))
            assert modes == ["exhaustive", "random", "pct"]
        if settings.mode == "exhaustive":
            return runner.Report(client, settings.mode, runner.Verdict.OK, executions=7, complete=True)
        return runner.Report(client, settings.mode, runner.Verdict.UNKNOWN, executions=3)

    monkeypatch.setattr(runner, "run", run)
    report = runner.run_auto("program", "main", Settings(seconds=8))
    assert modes == ["exhaustive", "random", "pct"]
    assert (report.verdict, report.executions, report.sampled) == (runner.Verdict.OK, 7, False)
