"""Builds and runs the C tests: every test_*.c beside this file, as C11, as C++17 and under the three sanitizers.

    python c/tests/run.py [NAME ...] [--only c11,c++17,tsan,asan,ubsan] [--jobs N]

One line per binary, then `N passed, M failed`; the exit status is 1 if anything failed. Binaries and their output
stay in build/c-tests; what is newer than its sources is not compiled again. LF_TEST_SCALE, in percent, makes the
workloads longer or shorter; the slower sanitizers do a tenth anyway.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "c-tests"
TIMEOUT = 120
WARNINGS = ["-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unknown-pragmas", "-Werror"]


CC, CXX = os.environ.get("CC", "gcc"), os.environ.get("CXX", "g++")
C11 = [CC, "-x", "c", "-std=c11"]
VARIANTS = {
    "c11": [*C11, "-O2"],
    "c++17": [CXX, "-x", "c++", "-std=c++17", "-O2"],
    # ThreadSanitizer does not follow fences: -Wno-tsan; the model checker does.
    "tsan": [*C11, "-O1", "-g", "-fsanitize=thread", "-Wno-tsan"],
    "asan": [*C11, "-O1", "-g", "-fsanitize=address"],
    "ubsan": [*C11, "-O1", "-g", "-fsanitize=undefined", "-fno-sanitize-recover=all"],
}


class Outcome(NamedTuple):
    name: str
    verdict: str
    seconds: float
    output: str


def newest_source() -> float:
    sources = [*(ROOT / "c").rglob("*.h"), *(ROOT / "c" / "linearize").glob("*.c"), Path(__file__)]
    return max(p.stat().st_mtime for p in sources)


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
    environment = {"TSAN_OPTIONS": "halt_on_error=1 die_after_fork=0", **os.environ}
    command = [str(BUILD / name)]
    start = time.monotonic()
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, timeout=TIMEOUT, env=environment
        )
    except subprocess.TimeoutExpired as late:
        return Outcome(name, f"still running after {TIMEOUT} s", float(TIMEOUT), str(late.stderr or ""))
    seconds = time.monotonic() - start
    output = done.stdout + done.stderr
    (BUILD / f"{name}.log").write_text(output)
    verdict = "ok" if done.returncode == 0 else f"failed with status {done.returncode}"
    return Outcome(name, verdict, seconds, output)


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
    passed = failed = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for outcome in pool.map(lambda job: run(*job, headers), [(t, v) for v in variants for t in tests]):
            print(f"{outcome.name:<34} {outcome.verdict} ({outcome.seconds:.2f} s)", flush=True)
            if outcome.verdict == "ok":
                passed += 1
            else:
                failed += 1
                print(outcome.output.rstrip(), flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
