"""Which branches of a program the explored executions have reached."""

import os
import re
import subprocess
from dataclasses import dataclass

from lockfree.modelcheck.symbols import binary_tool
from lockfree.modelcheck.trace import Trace

CALL = re.compile(r"^\s*([0-9a-f]+):\s.*<__sanitizer_cov_trace_pc>\s*$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s")


@dataclass(frozen=True)
class Coverage:
    """Of the branches that the compiler left: how many were reached, how many there are, and where the others are."""

    reached: int
    branches: int
    missed: list[str]

    def __str__(self) -> str:
        text = f"{self.reached} of {self.branches} branches reached"
        return text + (f"; never: {', '.join(self.missed)}" if self.missed else "")


def _branches(program: str | os.PathLike[str]) -> set[int]:
    """The places behind the calls that mark the beginnings of branches."""
    command = [binary_tool("objdump"), "-d", "--no-show-raw-insn", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found, after_call = set(), False
    for line in done.stdout.splitlines():
        instruction = INSTRUCTION.match(line)
        if instruction and after_call:
            found.add(int(instruction[1], 16))
        if instruction:
            after_call = CALL.match(line) is not None and "call" in line + (" call" if " bl" in line else "")
    return found


def coverage_of(program: str | os.PathLike[str], reached: set[int]) -> Coverage:
    """What a search that reached these places has seen of the program."""
    branches = _branches(program)
    trace = Trace(str(program))
    missed: set[tuple[str, int]] = set()
    for pc in trace.look_up(branches - reached):
        place, _, _ = trace.position(pc).partition(" ")
        file, _, line = place.rpartition(":")
        missed.add((file, int(line) if line.isdigit() else 0))
    return Coverage(len(branches & reached), len(branches), [f"{file}:{line}" for file, line in sorted(missed)])
