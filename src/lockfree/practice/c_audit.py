"""The order audit: each memory order of an answer made weaker in turn, and judged by the model checker again."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lockfree.modelcheck import BuildError, Settings, Verdict, check
from lockfree.practice.c_orders import Order, changed, orders
from lockfree.practice.catalog import Kata
from lockfree.practice.limits import enclosing

STAGES = {"model": False, "stop": True, "kill": True}
"""The stages that say something of orders, and whether threads stop in them."""
MOST = 30.0
"""Seconds for a whole audit: a full verdict comes within a minute."""
Tell = Callable[[str], object]


@dataclass(frozen=True)
class Audited:
    """One order and one that is weaker. failed: a counterexample was found; found: which, or within which bounds.

    left: there was no time for it.
    """

    order: Order
    to: str
    failed: bool
    found: str
    token: str = ""
    left: bool = False

    def __str__(self) -> str:
        what = f"with {self.to}"
        if self.left:
            return f"{self.order.place}: {what}: not audited, the time was up"
        if self.failed:
            return f"{self.order.place}: {what}: {self.found}"
        return f"{self.order.place}: {what}: nothing found within bounds ({self.found})"


def audit(kata: Kata, answer: Path, tell: Tell, seconds: float = 2.0, most: float = MOST) -> Iterator[Audited]:
    """Every order one step weaker, and on from there until a counterexample is found. seconds: for each client.

    Those that `most` seconds do not reach are not audited, and said to be so.
    """
    until = time.monotonic() + most
    text = answer.read_text(encoding="utf-8", errors="replace")
    with TemporaryDirectory(prefix="lockfree-practice-") as scratch:
        other = Path(scratch) / answer.name
        for order in orders(text):
            waiting = list(order.weaker())
            tried = set()
            while waiting:
                to = waiting.pop(0)
                tried.add(to)
                if time.monotonic() > until:
                    yield Audited(order, to, failed=False, found="", left=True)
                    continue
                tell(f"order audit: {order.place}: {to}")
                other.write_text(changed(text, order, to), encoding="utf-8")
                audited = _judged(kata, other, order, to, seconds)
                yield audited
                if not audited.failed:
                    weaker = Order(**{**vars(order), "order": to}).weaker()
                    waiting += [name for name in weaker if name not in tried and name not in waiting]


def _judged(kata: Kata, other: Path, order: Order, to: str, seconds: float) -> Audited:
    """What the clients of the kata say of the changed answer."""
    executions, whole = 0, True
    for stage, stop in STAGES.items():
        client = kata.folder / "check" / f"{stage}.c"
        if not client.is_file():
            continue
        settings = Settings(**{**kata.settings, "seconds": seconds, "threads_stop": stop})
        try:
            reports = check(
                [client, other], settings=settings, include=[str(kata.folder / "include")], enclose=enclosing(seconds)
            )
        except BuildError as error:
            return Audited(order, to, failed=False, found=f"it does not build: {str(error)[:80]}")
        for report in reports:
            executions += report.executions
            whole = whole and report.complete
            if report.verdict is Verdict.VIOLATION:
                return Audited(order, to, failed=True, found=f"{report.client}: {report.kind}", token=report.token)
    seen = f"{executions:,} executions" if whole else f"a sample of {executions:,} executions"
    return Audited(order, to, failed=False, found=seen)


def stronger_than_needed(audited: list[Audited]) -> list[str]:
    """The orders for which a weaker one showed no failure; one line each, with the weakest."""
    found: dict[tuple[int, int], Audited] = {}
    for one in audited:
        if not one.failed and not one.left:
            found[one.order.start, one.order.end] = one
    return [f"{one.order.place}: {one.to} may be enough ({one.found})" for one in found.values()]
