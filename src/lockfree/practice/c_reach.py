"""Whether the judge's clients reach all of an answer that touches memory.

An answer that counts its calls, and does otherwise after the first thousand, shows the model checker nothing of it: its
clients make a few calls. So an access in a branch that no execution with several threads reached is no pass. The
program says which these are, not the source: an access can come from a macro, a cast or a function that was inlined.

A fence that runs in the first calls only is reached. So it also counts which way each condition went, where the other
way leaves out a fence or an atomic access, and other accesses follow. The calls of one thread alone do not count: a
loop that initialises a ring always has slots.
"""

from pathlib import Path

from lockfree.modelcheck import Report
from lockfree.practice.c_orders import orders


class Reach:
    """Collects what the reports say of branches that no execution reached."""

    def __init__(self, answer: Path) -> None:
        self.answer = answer
        self._missed: set[tuple[str, str]] | None = None
        self._untaken: set[tuple[str, str, str]] | None = None
        self._turned: set[str] = set()

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
        mine = [way for way in report.coverage.one_way if Path(way.jump.rpartition(":")[0]).name == self.answer.name]
        self._turned |= {way.edge for way in mine if way.other_taken}
        untaken = {(way.edge, way.jump, way.skipped) for way in mine}
        self._untaken = untaken if self._untaken is None else self._untaken & untaken

    def one_way(self) -> list[str]:
        """The conditions that were always the same, where the other way leaves out what orders others, in words."""
        there = {(jump, skipped) for edge, jump, skipped in self._untaken or () if edge in self._turned}
        return [
            f"{self._line(jump)}; the other way leaves out {self._line(skipped)}"
            for jump, skipped in sorted(there, key=_by_lines)
        ]

    def _line(self, place: str) -> str:
        number = int(place.rpartition(":")[2])
        lines = self.answer.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"line {number}: {lines[number - 1].strip()}" if 0 < number <= len(lines) else place

    def unreached(self) -> list[str]:
        """The accesses in branches that no client reached, in words."""
        text = self.answer.read_text(encoding="utf-8", errors="replace")
        atomic = {order.line: order.place for order in orders(text)}
        lines = text.splitlines()
        found = sorted({int(access.rpartition(":")[2]) for _, access in self._missed or ()})
        return [atomic.get(line, f"line {line}: {lines[line - 1].strip()}") for line in found if 0 < line <= len(lines)]


def _by_lines(places: tuple[str, str]) -> list[int]:
    return [int(place.rpartition(":")[2]) for place in places]
