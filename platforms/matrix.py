"""Runs `make test` on every compiler, Python and system that docs/platforms.md names, and says what ran.

    python platforms/matrix.py [CELL ...]          all cells, or those named
    python platforms/matrix.py --list

A cell that cannot be had here is skipped with its reason. What a cell printed stays in build/platforms/CELL.log. The
exit status is 1 if a cell failed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "build" / "platforms"
SKIPPED = 77
"""The exit status of chroot.sh and nogil.sh where they cannot do what they are for."""
NOGIL = "gcc libc6-dev libffi-dev libssl-dev zlib1g-dev libbz2-dev liblzma-dev libsqlite3-dev xz-utils"


class Cell(NamedTuple):
    name: str
    about: str
    suite: str
    """The Debian suite it runs on, or the empty string for this very machine."""
    packages: str
    command: tuple[str, ...]
    shm: str = "50%"


def debian(name: str, about: str, suite: str, packages: str, *variables: str, shm: str = "50%") -> Cell:
    """`make -k test` in a system of that suite, with these variables of make: all parts, also after one has failed."""
    return Cell(name, about, suite, packages, ("make", "-k", "test", "VENV=/venv", *variables), shm)


def verdicts(name: str, suite: str, *compilers: str) -> Cell:
    """The model checker's verdicts with each of these compilers."""
    packages = " ".join((*compilers, "gcc", "python3-dev"))
    command = ("make", "test-verdicts", "VENV=/venv", f"COMPILERS={' '.join(compilers)}")
    return Cell(name, f"the model checker's verdicts with {', '.join(compilers)}", suite, packages, command)


CELLS = (
    debian(
        "gcc-12", "gcc 12, Python 3.11, as CI: a warning is an error", "bookworm", "gcc-12 g++-12 python3-dev",
        "CC=gcc-12", "CXX=g++-12", "LOCKFREE_STRICT=1",
    ),
    debian(
        "clang-14", "clang 14, Python 3.11", "bookworm", "clang-14 libclang-rt-14-dev python3-dev",
        "CC=clang-14", "CXX=clang++-14",
    ),
    debian("gcc-14", "gcc 14, Python 3.13", "trixie", "gcc-14 g++-14 python3-dev", "CC=gcc-14", "CXX=g++-14"),
    debian("no-cxx", "gcc 14 and no C++ compiler, Python 3.13", "trixie", "gcc python3-dev"),
    debian("small-shm", "16 MiB of /dev/shm, gcc 14, Python 3.13", "trixie", "gcc g++ python3-dev", shm="16m"),
    debian(
        "gcc-16", "gcc 16, Python 3.14", "sid", "gcc-16 g++-16 python3.14-dev python3.14-venv",
        "CC=gcc-16", "CXX=g++-16", "PYTHON=python3.14",
    ),
    debian(
        "clang-21", "clang 21, Python 3.14", "sid", "clang-21 libclang-rt-21-dev python3.14-dev python3.14-venv",
        "CC=clang-21", "CXX=clang++-21", "PYTHON=python3.14",
    ),
    Cell("python-3.12", "Python 3.12 and the compiler of this machine", "", "", ("make", "-k", "test")),
    Cell(
        "aarch64", "the C tests for aarch64, emulated", "trixie",
        "gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user", ("make", "test-aarch64"),
    ),
    verdicts("verdicts-bookworm", "bookworm", "gcc-12", "clang-14", "clang-15", "clang-16"),
    verdicts("verdicts-trixie", "trixie", "gcc-13", "clang-17", "clang-18"),
    verdicts("verdicts-sid", "sid", "gcc-14", "gcc-15", "gcc-16", "clang-19", "clang-21"),
    Cell("nogil-3.13", "Python 3.13, the GIL off", "trixie", NOGIL, ("platforms/nogil.sh", "3.13", "trixie")),
    Cell("nogil-3.14", "Python 3.14, the GIL off", "sid", NOGIL, ("platforms/nogil.sh", "3.14", "sid")),
)  # fmt: skip


class Outcome(NamedTuple):
    cell: Cell
    verdict: str
    seconds: float
    summary: str


def python_3_12() -> str | None:
    """The interpreter, from PATH or from pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    of_pyenv = sorted(pyenv.glob("versions/3.12.*/bin/python3.12"))
    return str(of_pyenv[-1]) if of_pyenv else shutil.which("python3.12")


def command(cell: Cell) -> list[str] | str:
    """What to run for this cell, or why it cannot be run."""
    if cell.suite:
        return [str(ROOT / "platforms" / "chroot.sh"), cell.suite, cell.name, cell.packages, *cell.command]
    python = python_3_12()
    if python is None:
        return "no python3.12 on PATH or in pyenv"
    return [*cell.command, f"PYTHON={python}", f"VENV={LOGS / cell.name}"]


def summary(log: str) -> str:
    """The closing lines of the test runners, in one."""
    last = (log.strip().splitlines() or [""])[-1]
    counts = re.findall(r"^=* ?(\d+ (?:passed|failed)[^=\n]*?)(?: in [\d.:() s]*)?=*$", log, flags=re.MULTILINE)
    return "; ".join(part.strip() for part in counts) or last.removeprefix("skipped: ")


def run(cell: Cell) -> Outcome:
    start = time.monotonic()
    wanted = command(cell)
    if isinstance(wanted, str):
        return Outcome(cell, "skipped", 0.0, wanted)
    log = LOGS / f"{cell.name}.log"
    with log.open("w") as out:
        environment = {**os.environ, "SHM": cell.shm}
        done = subprocess.run(wanted, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env=environment, check=False)
    verdict = {0: "passed", SKIPPED: "skipped"}.get(done.returncode, "failed")
    return Outcome(cell, verdict, time.monotonic() - start, summary(log.read_text(errors="replace")))


def main() -> int:
    parser = argparse.ArgumentParser(description="run the tests on every platform that can be had here")
    parser.add_argument("cells", nargs="*", metavar="CELL", help="only these (all)")
    parser.add_argument("--list", action="store_true", help="print the cells and what each is")
    options = parser.parse_args()
    names = [cell.name for cell in CELLS]
    if unknown := [name for name in options.cells if name not in names]:
        parser.error(f"no cell is called {unknown[0]!r}; there are {', '.join(names)}")
    if options.list:
        for cell in CELLS:
            print(f"{cell.name:<17} {cell.about}")
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    outcomes = []
    for cell in CELLS:
        if not options.cells or cell.name in options.cells:
            print(f"{cell.name}: {cell.about} ...", flush=True)
            outcomes.append(run(cell))
    print(f"\n{'cell':<17} {'verdict':<8} {'seconds':>7}  what ran, or why not")
    for cell, verdict, seconds, said in outcomes:
        print(f"{cell.name:<17} {verdict:<8} {seconds:>7.0f}  {said}")
    return int(any(outcome.verdict == "failed" for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
