"""A part of the stage kill for C: a real process is killed before each of its instructions (`check/steps.c`)."""

import re
import subprocess
from pathlib import Path

from lockfree._compiler import compiler
from lockfree.practice.c_machine import RUNTIME, asserted, atomics, run, scratch
from lockfree.practice.c_text import STANDARD
from lockfree.practice.catalog import Kata
from lockfree.practice.limits import ended
from lockfree.practice.results import Outcome, Result
from lockfree.practice.screen import relative


def steps(kata: Kata, answer: Path, seconds: float) -> Result:
    """Kills the victim of each case before each of its instructions. UNDECIDED where ptrace is not allowed."""
    sources = [str(kata.folder / "check" / "steps.c"), str(RUNTIME / "steps.c"), str(answer)]
    options = [STANDARD, "-O1", "-g", "-fno-pie", "-no-pie", f"-I{RUNTIME}", f"-I{kata.folder / 'include'}"]
    options += ["-include", str(RUNTIME / "uncombined.h")]
    with scratch() as folder:
        program = folder / "steps"
        done = subprocess.run(
            [*compiler(), *options, *sources, *atomics(), "-o", str(program)],
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        if done.returncode:
            said = relative(done.stderr, kata, answer)[:300]
            return Result("kill", Outcome.FAILED, f"it does not build with the kata's clients: {said}")
        ran = run(program, 4 * seconds)
        said = relative(ran.said, kata, answer)
        found = re.search(r"^(failed|impossible)\t(.*)$", said, re.MULTILINE)
        if found is None and ran.status == 0:
            passed = re.findall(r"^passed\t(\w+)\t(\d+)$", said, re.MULTILINE)
            lines = tuple(f"{name}: killed before each of {number} instructions" for name, number in passed)
            return Result(
                "kill", Outcome.PASSED, f"{len(passed)} calls killed before each instruction", looked_at=lines
            )
        if found is None:
            return Result("kill", Outcome.FAILED, said.strip() or ended(ran.status), "ENDS")
        if found[1] == "impossible":
            return Result("kill", Outcome.UNDECIDED, f"not killed before each instruction: {found[2]}")
        name, number, address, how = found[2].split("\t")
        where = relative(_line(program, address), kata, answer)
    at = f"{name}: killed before its instruction {int(number) + 1} ({where})"
    if how == "endless":
        message = f"{name}: no progress: the call makes 20,000 instructions and does not return"
        return Result("kill", Outcome.FAILED, message, kata.diagnose("kill", name, "no progress", message), client=name)
    if how.startswith("no progress"):
        message = f"{at}: no progress: another process never comes to its end"
        return Result("kill", Outcome.FAILED, message, kata.diagnose("kill", name, "no progress", message), client=name)
    message = f"{at}: {asserted(said) or f'the next process ends with {how}'}"
    return Result("kill", Outcome.FAILED, message, kata.diagnose("kill", name, "killed", message), client=name)


def _line(program: Path, address: str) -> str:
    try:
        done = subprocess.run(
            ["addr2line", "-e", str(program), f"0x{address}"], capture_output=True, text=True, check=False
        )  # fmt: skip
    except FileNotFoundError:
        return f"0x{address}"
    return done.stdout.strip().partition(" ")[0]
