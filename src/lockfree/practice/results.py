"""What the judge says: of each stage, and in the end."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lockfree._command import printable

STAGES = {
    "screen": "it compiles, and uses what this kata allows",
    "edges": "one thread: empty, full, counters near their wrap",
    "model": "every interleaving, with every outcome of C11's memory model",
    "stop": "each thread stopped for ever before each of its steps: the others go on",
    "threads": "real threads or processes on this machine",
    "sanitizers": "advisory: the compiler's sanitizers on the same program",
    "kill": "killed before each step, and restarted: nothing is lost, nobody waits for the dead",
    "reach": "the clients reach every atomic access of the answer",
    "speed": "advisory: the ratio to the reference and to a mutex",
    "layout": "advisory: cache lines, and read-modify-writes in a call",
    "questions": "advisory: what breaks if an order of yours is weaker",
    "orders": "advisory: each memory order made weaker in turn",
    "schedules": "every schedule of threads and tasks, in virtual time",
}


NOT_YET = ", as far as it is asked by now"
"""What a stage adds while parts of a round have not arrived."""


class Verdict(enum.Enum):
    """The value is the exit status of `lockfree practice check`."""

    ACCEPT = 0
    REJECT = 1
    UNDECIDED = 2


class Outcome(enum.Enum):
    """What a stage found. NOTED: of an advisory stage, which decides nothing."""

    PASSED = "passed"
    FAILED = "FAILED"
    UNDECIDED = "undecided"
    NOTED = "noted"


@dataclass(frozen=True)
class Result:
    """One line of the judge. diagnosis: why it failed; detail: the failing execution; token: replays it.

    looked_at: the bounds of each client or scenario.
    """

    stage: str
    outcome: Outcome
    message: str
    diagnosis: str = ""
    detail: str = ""
    token: str = ""
    client: str = ""
    seconds: float = 0.0
    looked_at: tuple[str, ...] = ()


@dataclass
class Judgement:
    """All lines, in order. The first failure ends it."""

    kata: str
    results: list[Result] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        outcomes = {result.outcome for result in self.results}
        if Outcome.FAILED in outcomes:
            return Verdict.REJECT
        return Verdict.UNDECIDED if Outcome.UNDECIDED in outcomes or not outcomes else Verdict.ACCEPT

    @property
    def failure(self) -> Result | None:
        return next((result for result in self.results if result.outcome is Outcome.FAILED), None)

    def bounds(self) -> list[str]:
        """What was looked at, of an ACCEPT; what was not, of an UNDECIDED. One line each."""
        wanted = Outcome.UNDECIDED if self.verdict is Verdict.UNDECIDED else Outcome.PASSED
        lines = []
        for result in self.results:
            if result.outcome is wanted:
                lines += [f"{result.stage:<10} {line}" for line in result.looked_at or (result.message,)]
        return lines


def as_text(said: str) -> str:
    """What an answer said, escaped line by line: no terminal obeys it, and no mark turns letters round."""
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in said.split("\n"))


def shown(result: Result) -> Result:
    """The same, as a terminal may get it."""
    return replace(
        result, message=as_text(result.message), detail=as_text(result.detail), client=as_text(result.client),
        looked_at=tuple(map(as_text, result.looked_at)),
    )  # fmt: skip


def worst(results: Sequence[Result]) -> Result:
    """The one that decides: the first that failed, else the first that is undecided, else the last."""
    for outcome in (Outcome.FAILED, Outcome.UNDECIDED):
        for result in results:
            if result.outcome is outcome:
                return result
    return results[-1]
