"""Builds and runs the C tests: every test_*.c beside this file, as C11, as C++17 and under three sanitizers.

    python c/tests/run.py [NAME ...] [--only c11,c++17,tsan,asan] [--jobs N]

`asan` has two of them: addresses and undefined behaviour. It and C++17 are compiled without optimisation, in a third
of the time; gcc warns and optimises as users have it in c11.

One line per binary, then `N passed, M failed`; the exit status is 1 if anything failed. Binaries and their output
stay in build/c-tests; what is newer than its sources is not compiled again. LF_TEST_SCALE, in percent, makes the
workloads longer or shorter; the slower sanitizers do a tenth anyway, and C++17 a fifth.

The compilers are $CC (cc) and $CXX (c++). A variant that the compiler here cannot build (no C++ compiler, no library
of a sanitizer) is skipped, and its line says why. With LOCKFREE_STRICT=1, as CI sets it for the one compiler it
names, a warning is an error and nothing may be skipped. $LOCKFREE_RUNNER (`qemu-aarch64 -L /usr/aarch64-linux-gnu`)
goes before each program that was compiled for another machine.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STRICT = os.environ.get("LOCKFREE_STRICT", "0") != "0"
WARNINGS = ["-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unknown-pragmas", "-Wno-unknown-warning-option"]
WARNINGS += ["-Werror"] if STRICT else []


def is_clang(compiler: list[str]) -> bool:
    if shutil.which(compiler[0]) is None:
        return False
    macros = subprocess.run([*compiler, "-dM", "-E", "-"], input="", capture_output=True, text=True, check=False).stdout
    return "__clang__" in macros


CC, CXX = (shlex.split(os.environ.get(name) or usual) for name, usual in (("CC", "cc"), ("CXX", "c++")))
RUNNER = shlex.split(os.environ.get("LOCKFREE_RUNNER", ""))
# Frames that a test leaves by siglongjmp stay in a list which clang's check of stacks after return walks in each call:
# test_index_queue was not done after four minutes of CPU time, and takes 50 s without the check.
ASAN = "detect_stack_use_after_return=0"
if RUNNER:
    ASAN += ":detect_leaks=0"  # the leak check traces its own process: no emulator can
ENVIRONMENT = {"TSAN_OPTIONS": "halt_on_error=1 die_after_fork=0", "ASAN_OPTIONS": ASAN, **os.environ}
REPEATED = {"LF_TEST_SCALE": "20"}  # C++ runs the same code as C: that it compiles and starts is what matters
TIMEOUT = 900  # seconds: it ends a program that is stuck. A busy machine or an emulator is only slow.
BUILD = ROOT / "build" / ("c-tests-strict" if STRICT else "c-tests")
if "CC" in os.environ:
    BUILD = BUILD.with_name(f"{BUILD.name}-{Path(CC[-1]).name}")
C11 = [*CC, "-x", "c", "-std=c11"]
# clang's ThreadSanitizer notes each call on a stack of its own, which the fibers of steps.h would overflow.
NO_CALLS = ["-mllvm", "-tsan-instrument-func-entry-exit=0"] if is_clang(CC) else []
VARIANTS = {
    "c11": [*C11, "-O2"],
    "c++17": [*CXX, "-x", "c++", "-std=c++17", "-O0"],
    # ThreadSanitizer does not follow fences: -Wno-tsan; the model checker does.
    "tsan": [*C11, "-O1", "-g1", "-fsanitize=thread", "-Wno-tsan", *NO_CALLS],
    "asan": [*C11, "-O0", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
}


class Outcome(NamedTuple):
    name: str
    verdict: str
    seconds: float
    output: str


def newest_source() -> float:
    sources = [*(ROOT / "c").rglob("*.h"), *(ROOT / "c" / "linearize").glob("*.c"), Path(__file__)]
    return max(p.stat().st_mtime for p in sources)


def unavailable(variant: str) -> str:
    """Why this variant cannot be built and run here; the empty string if it can."""
    compiler = VARIANTS[variant][0]
    if shutil.which(compiler) is None:
        return f"no compiler {compiler}"
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch) / "program"
        command = [*VARIANTS[variant], "-", "-o", str(program), "-lpthread"]
        done = subprocess.run(
            command, input="int main(void) { return 0; }\n", capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            return f"{compiler} cannot build it: {done.stderr.strip().splitlines()[-1]}"
        try:
            done = subprocess.run([*RUNNER, str(program)], capture_output=True, text=True, check=False, env=ENVIRONMENT)
        except OSError as error:
            return f"its programs do not run here: {error}"
        said = [*done.stderr.strip().splitlines(), f"status {done.returncode}"][0]
        return "" if done.returncode == 0 else f"its programs do not run here: {said}"


def build(test: Path, variant: str, headers: float) -> str:
    """Compiles one test; the compiler's complaints, or the empty string."""
    binary = BUILD / f"{test.stem}-{variant}"
    if binary.exists() and binary.stat().st_mtime > max(headers, test.stat().st_mtime):
        return ""
    command = [*VARIANTS[variant], *WARNINGS, "-I", str(ROOT / "c" / "include"), "-I", str(ROOT / "c")]
    fresh = binary.with_suffix(f".{os.getpid()}")
    command += [str(test), "-o", str(fresh), "-lpthread", "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"{' '.join(command)}\n{done.stderr}"
    fresh.replace(binary)
    return ""


def run(test: Path, variant: str, headers: float) -> Outcome:
    name = f"{test.stem}-{variant}"
    complaint = build(test, variant, headers)
    if complaint:
        return Outcome(name, "does not compile", 0.0, complaint)
    command = [*RUNNER, str(BUILD / name)]
    start = time.monotonic()
    log = BUILD / f"{name}.log"
    with log.open("w") as out:  # no pipe: a process that a failed program leaves behind would keep it open
        environment = {**REPEATED, **ENVIRONMENT} if variant == "c++17" else ENVIRONMENT
        program = subprocess.Popen(command, stdout=out, stderr=out, env=environment, start_new_session=True)
    try:
        status = program.wait(TIMEOUT)
        verdict = "ok" if status == 0 else f"failed with status {status}"
    except subprocess.TimeoutExpired:
        verdict = f"still running after {TIMEOUT} s"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()
    return Outcome(name, verdict, time.monotonic() - start, log.read_text(errors="replace"))


def main() -> int:
    parser = argparse.ArgumentParser(description="build and run the C tests")
    parser.add_argument("names", nargs="*", help="tests to run: test_mutex, mutex or test_mutex.c (all)")
    parser.add_argument("--only", default=",".join(VARIANTS), help=f"of {', '.join(VARIANTS)}")
    parser.add_argument("--jobs", type=int, default=2, help="binaries at a time (2)")
    options = parser.parse_args()
    wanted = {"test_" + name.removeprefix("test_").removesuffix(".c") for name in options.names}
    tests = [p for p in sorted(HERE.glob("test_*.c")) if not wanted or p.stem in wanted]
    variants = options.only.split(",")
    if not tests or not set(variants) <= set(VARIANTS):
        parser.error("no such test or variant")
    BUILD.mkdir(parents=True, exist_ok=True)
    headers = newest_source()
    passed = failed = skipped = 0
    for variant in list(variants):
        if reason := unavailable(variant):
            variants.remove(variant)
            print(f"{variant + ' of all tests':<34} {'failed' if STRICT else 'skipped'}: {reason}", flush=True)
            skipped += 0 if STRICT else len(tests)
            failed += len(tests) if STRICT else 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for outcome in pool.map(lambda job: run(*job, headers), [(t, v) for v in variants for t in tests]):
            print(f"{outcome.name:<34} {outcome.verdict} ({outcome.seconds:.2f} s)", flush=True)
            if outcome.verdict == "ok":
                passed += 1
            else:
                failed += 1
                print(outcome.output.rstrip(), flush=True)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
