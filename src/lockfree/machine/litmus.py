"""The litmus tests: what each thread does, which outcome no interleaving explains, and which machines allow it.

Each test has exactly one outcome that sequential consistency forbids. `c11` says whether the C11 model allows it;
`tests/test_machine.py` holds this to the model checker. The models of machines are x86-TSO (Owens, Sarkar, Sewell 2009)
and Armv8 (Pulte et al. 2018); RISC-V's (RVWMO) agrees with Armv8 on these tests.
"""

import platform
from dataclasses import dataclass
from typing import Any

from lockfree._native.machine import ffi, lib

MODELS = {"x86_64": "x86-TSO", "aarch64": "Armv8", "riscv64": "RVWMO"}


@dataclass(frozen=True)
class Litmus:
    """One test. `weak`: the results of the outcome that no interleaving of the threads explains."""

    name: str
    title: str
    threads: tuple[str, ...]
    weak: tuple[int, ...]
    c11: bool
    tso: bool
    weakly_ordered: bool
    """Whether Armv8 and RVWMO allow it."""

    def allowed(self, machine: str) -> bool | None:
        """Whether the machine's own model allows the weak outcome; None: nobody told this program."""
        if machine not in MODELS:
            return None
        return self.tso if machine == "x86_64" else self.weakly_ordered


TESTS = (
    Litmus("SB", "store buffering", ("x=1; r0=y", "y=1; r1=x"), (0, 0), True, True, True),
    Litmus("SB+fences", "store buffering, fences between", ("x=1; fence; r0=y", "y=1; fence; r1=x"), (0, 0),
           False, False, False),
    Litmus("SB+seq_cst", "store buffering, all seq_cst", ("x=1; r0=y", "y=1; r1=x"), (0, 0), False, False, False),
    Litmus("MP", "message passing", ("x=1; y=1", "r0=y; r1=x"), (1, 0), True, False, True),
    Litmus("MP+acq_rel", "message passing, release and acquire", ("x=1; y=1 rel", "r0=y acq; r1=x"), (1, 0),
           False, False, False),
    Litmus("LB", "load buffering", ("r0=x; y=1", "r1=y; x=1"), (1, 1), True, False, True),
    Litmus("2+2W", "two writes each, in opposite order", ("x=1; y=2", "y=1; x=2"), (1, 1), True, False, True),
    Litmus("CoRR", "coherence: two reads of one word", ("x=1", "r0=x; r1=x"), (1, 0), False, False, False),
    Litmus("WRC", "write to read causality", ("x=1", "r0=x; y=1", "r1=y; r2=x"), (1, 1, 0), True, False, True),
    Litmus("WRC+acq_rel", "write to read causality, release and acquire",
           ("x=1", "r0=x acq; y=1 rel", "r1=y acq; r2=x"), (1, 1, 0), False, False, False),
    Litmus("IRIW", "independent reads of independent writes", ("x=1", "y=1", "r0=x; r1=y", "r2=y; r3=x"),
           (1, 0, 1, 0), True, False, True),
    Litmus("IRIW+acquire", "the same, release and acquire",
           ("x=1 rel", "y=1 rel", "r0=x; r1=y acq", "r2=y; r3=x acq"), (1, 0, 1, 0), True, False, False),
    Litmus("IRIW+seq_cst", "the same, all seq_cst", ("x=1", "y=1", "r0=x; r1=y", "r2=y; r3=x"), (1, 0, 1, 0),
           False, False, False),
)  # fmt: skip


def run(number: int, cpus: list[int], ns: int) -> dict[str, int]:
    """Outcomes such as "r0=1 r1=0" (of 2+2W "x=1 y=2") and how often each was seen. OSError: it cannot be run."""
    counts = ffi.new("uint64_t[256]")
    error = lib.lf_litmus_run(number, cpus, ns, counts)
    if error < 0:
        raise OSError(-error, "the threads of a litmus test cannot be run")
    results = lib.lf_litmus_results(number)
    names = ("x", "y") if TESTS[number].name == "2+2W" else ("r0", "r1", "r2", "r3")
    return {
        " ".join(f"{names[i]}={outcome >> 2 * i & 3}" for i in range(results)): int(count)
        for outcome, count in enumerate(ffi.unpack(counts, 256))
        if count
    }


def weak_outcome(test: Litmus) -> str:
    names = ("x", "y") if test.name == "2+2W" else ("r0", "r1", "r2", "r3")
    return " ".join(f"{name}={value}" for name, value in zip(names, test.weak, strict=False))


def judged(test: Litmus, outcomes: dict[str, int], machine: str = "") -> dict[str, Any]:
    """What the page says of a test that ran."""
    machine = machine or platform.machine()
    weak = outcomes.get(weak_outcome(test), 0)
    allowed = test.allowed(machine)
    return {
        "name": test.name,
        "title": test.title,
        "threads": list(test.threads),
        "outcomes": dict(sorted(outcomes.items())),
        "runs": sum(outcomes.values()),
        "weak": weak_outcome(test),
        "seen": weak,
        "c11": test.c11,
        "machine": allowed,
        "forbidden_but_seen": weak > 0 and (not test.c11 or allowed is False),
        "problem": None,
    }
