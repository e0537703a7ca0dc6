"""Whether the judge's clients reach every atomic access of an answer.

An answer that counts its calls, and does otherwise after the first thousand, shows the model checker nothing of it: its
clients make a few calls. So an atomic access in a branch that no execution with several threads reached is no pass.
"""

import re
from pathlib import Path

from lockfree.modelcheck import Report
from lockfree.practice.c_orders import blanked, orders

CONDITION = re.compile(r"\b(?:if|while|for)\s*\(.*\)\s*$|\belse\s*$")


class Reach:
    """Collects what the reports say of branches that no execution reached."""

    def __init__(self, answer: Path) -> None:
        self.answer = answer
        self._missed: set[int] | None = None

    def add(self, report: Report) -> None:
        """The branches of a client; what another client reached is reached."""
        if report.coverage is None:
            return
        missed = set()
        for place in report.coverage.missed:
            file, _, line = place.rpartition(":")
            if Path(file).name == self.answer.name:
                missed.add(int(line))
        self._missed = missed if self._missed is None else self._missed & missed

    def unreached(self) -> list[str]:
        """The atomic accesses in branches that no client reached, in words."""
        if not self._missed:
            return []
        text = self.answer.read_text(encoding="utf-8", errors="replace")
        plain = blanked(text).splitlines()
        lines = {line for missed in self._missed for line in _branch(plain, missed)}
        return [order.place for order in orders(text) if order.line in lines]


def _branch(plain: list[str], line: int) -> range:
    """The lines of the branch that begins at `line`: up to the end of its block, or itself."""
    if line < 2 or CONDITION.search(plain[line - 2].rstrip()) or CONDITION.search(plain[line - 1].rstrip()):
        return range(line, line + 1)
    if plain[line - 2].rfind("{") <= plain[line - 2].rfind("}"):  # no block is open there, as in a function of one line
        return range(line, line + 1)
    depth = 0
    for number in range(line, len(plain) + 1):
        depth += plain[number - 1].count("{") - plain[number - 1].count("}")
        if depth < 0:
            return range(line, number)
    return range(line, len(plain) + 1)
