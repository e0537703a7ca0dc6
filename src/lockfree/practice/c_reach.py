"""Whether the judge's clients reach all of an answer that touches memory.

An answer that counts its calls, and does otherwise after the first thousand, shows the model checker nothing of it: its
clients make a few calls. So an access in a branch that no execution with several threads reached is no pass. The
program says which these are, not the source: an access can come from a macro, a cast or a function that was inlined.
"""

from pathlib import Path

from lockfree.modelcheck import Report
from lockfree.practice.c_orders import orders


class Reach:
    """Collects what the reports say of branches that no execution reached."""

    def __init__(self, answer: Path) -> None:
        self.answer = answer
        self._missed: set[tuple[str, str]] | None = None

    def add(self, report: Report) -> None:
        """The branches of a client; what another client reached is reached."""
        if report.coverage is None:
            return
        missed = {
            (branch, access)
            for branch, access in report.coverage.untouched
            if Path(access.rpartition(":")[0]).name == self.answer.name
        }
        self._missed = missed if self._missed is None else self._missed & missed

    def unreached(self) -> list[str]:
        """The accesses in branches that no client reached, in words."""
        text = self.answer.read_text(encoding="utf-8", errors="replace")
        atomic = {order.line: order.place for order in orders(text)}
        lines = text.splitlines()
        found = sorted({int(access.rpartition(":")[2]) for _, access in self._missed or ()})
        return [atomic.get(line, f"line {line}: {lines[line - 1].strip()}") for line in found if 0 < line <= len(lines)]
