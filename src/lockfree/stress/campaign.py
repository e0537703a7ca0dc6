"""A run: rounds of every scenario in turn, within the time given, and a verdict on each primitive."""

import contextlib
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from lockfree.stress.checking import Check, Checked
from lockfree.stress.figures import Figures
from lockfree.stress.load import LoadSampler
from lockfree.stress.rounds import HUNT, Limits, make_round
from lockfree.stress.runner import RoundRunner
from lockfree.stress.scenario import Scenario

CHECKS_AT_ONCE = 3
HUNT_SECONDS = 3.0
SHORT_ENOUGH = 6
"""A counterexample with so many calls is short enough."""
STRETCH = {"fork": 1.0, "forkserver": 1.5, "spawn": 4.0}
"""Factors on the length of a round: starting a process takes longer with some methods."""


@dataclass
class Tally:
    """What is known about one primitive."""

    name: str
    procs: int
    rounds: int = 0
    operations: int = 0
    running: float = 0.0
    """Seconds."""
    checking: float = 0.0
    killed: int = 0
    weaker: int = 0
    """Rounds in which only a weaker claim was decided."""
    failures: list[Checked] = field(default_factory=list)
    unknown: list[Checked] = field(default_factory=list)
    figures: Figures = field(default_factory=Figures)
    next_round: int = 0
    hunt_until: float = 0.0
    """Until this monotonic time, the run looks for a shorter history of the failure."""

    def fail(self, checked: Checked) -> None:
        if not self.failures and checked.window:
            self.hunt_until = time.monotonic() + HUNT_SECONDS
            self.next_round = HUNT
        self.failures.append(checked)
        self.failures.sort(key=lambda c: (not c.window, len(c.window)))  # the shortest first

    @property
    def hunting(self) -> bool:
        return len(self.failures[0].window) > SHORT_ENOUGH and time.monotonic() < self.hunt_until

    @property
    def verdict(self) -> str:
        if self.failures:
            return "VIOLATION"
        return "UNKNOWN" if self.unknown or not self.operations else "OK"

    @property
    def rate(self) -> float:
        """Operations per second."""
        return self.operations / self.running if self.running else 0.0


@dataclass
class Campaign:
    """`run` fills the tallies; `watch(campaign)` is called many times a second."""

    scenarios: list[Scenario]
    limits: Limits
    seconds: float
    method: str
    out: Path
    only_round: int | None = None
    wanted: int = 0
    """If not 0, the run goes on until so many operations of each primitive are checked, however long it takes."""
    watch: Callable[["Campaign"], None] = lambda _campaign: None
    tallies: dict[str, Tally] = field(default_factory=dict)
    now: str = ""
    """What runs now, in words."""
    began: int = 0
    elapsed: float = 0.0
    interrupted: bool = False
    load: LoadSampler = field(default_factory=LoadSampler)
    """How busy the processors were."""
    _signalled: bool = False

    def run(self) -> None:
        self.began = time.monotonic_ns()
        self.load.sample(now=True)
        self.tallies = {s.name: Tally(s.name, self.limits.procs) for s in self.scenarios}
        context: Any = multiprocessing.get_context(self.method)
        if self.method == "forkserver":
            context.set_forkserver_preload(["lockfree.stress.worker"])
        checks: list[Check] = []
        with self._ended_by_ctrl_c(checks):
            while (scenario := self._next()) is not None:
                self._round(scenario, context, checks)
                while len(checks) >= CHECKS_AT_ONCE or any(c.receiver.poll() for c in checks):
                    self._collect(checks)
            while checks:
                self.now = "checking the last rounds"
                self._collect(checks)

    @contextlib.contextmanager
    def _ended_by_ctrl_c(self, checks: list[Check]) -> Iterator[None]:
        """A signal is only noted, and answered later: an exception raised at a random place could be lost there."""
        before = signal.signal(signal.SIGINT, self._note_signal)
        try:
            yield
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            signal.signal(signal.SIGINT, before)
            for check in checks:
                check.cancel()
            self.load.sample(now=True)
            self.elapsed = (time.monotonic_ns() - self.began) / 1e9

    def _note_signal(self, _number: int, _frame: object) -> None:
        self._signalled = True

    def _look(self) -> None:
        if self._signalled:
            raise KeyboardInterrupt
        self.load.sample()
        self.watch(self)

    @property
    def operations(self) -> int:
        return sum(t.operations for t in self.tallies.values())

    @property
    def verdict(self) -> str:
        verdicts = {t.verdict for t in self.tallies.values()}
        return next((v for v in ("VIOLATION", "UNKNOWN") if v in verdicts), "OK")

    def progress(self) -> float:
        """The share of the time that has passed, or of the operations that are wanted: 0 to 1."""
        if self.wanted:
            return sum(min(1.0, t.operations / self.wanted) for t in self.tallies.values()) / len(self.tallies)
        return min(1.0, (time.monotonic_ns() - self.began) / 1e9 / self.seconds)

    def _next(self) -> Scenario | None:
        """The scenario that has used the least of its time, or has the fewest operations of those that are wanted; None
        when the time is over or nothing is left to try.
        """
        hunted = [s for s in self.scenarios if self.tallies[s.name].failures and self.tallies[s.name].hunting]
        if hunted and self.only_round is None:
            return hunted[0]
        untried = [s for s in self.scenarios if not self.tallies[s.name].rounds]
        if untried:
            return untried[0]
        if self.wanted:
            short = [t for t in self.tallies.values() if t.operations < self.wanted and not t.failures]
            fewest = min(short, key=lambda t: t.operations, default=None)
            return None if fewest is None else next(s for s in self.scenarios if s.name == fewest.name)
        if time.monotonic_ns() - self.began >= self.seconds * 1e9:
            return None
        left = [s for s in self.scenarios if not self.tallies[s.name].failures]
        return min(left, key=lambda s: self.tallies[s.name].running / s.weight, default=None)

    def _round(self, scenario: Scenario, context: Any, checks: list[Check]) -> None:
        tally = self.tallies[scenario.name]
        number = tally.next_round if self.only_round is None else self.only_round
        about = make_round(scenario, number, self.limits)
        self.now = f"{scenario.name} {about}"
        outcome = RoundRunner(scenario, about, context, self._look).run()
        tally.next_round += 1
        tally.rounds += 1
        tally.running += outcome.seconds
        tally.killed += outcome.killed
        so_far = (time.monotonic_ns() - self.began) / 1e9
        checks.append(Check(scenario, about, outcome, began=self.began, seconds=so_far, out=self.out))

    def _collect(self, checks: list[Check]) -> None:
        """Waits for one verdict and adds it to the tally."""
        while not (done := wait([c.receiver for c in checks], timeout=0.05)):
            self._look()
        check = next(c for c in checks if c.receiver is done[0])
        checked = check.result()
        checks.remove(check)
        tally = self.tallies[checked.about.scenario]
        tally.operations += checked.operations
        tally.checking += checked.seconds
        tally.weaker += checked.weaker
        tally.figures.add(checked.figures)
        if checked.status == "VIOLATION":
            tally.fail(checked)
            for other in [c for c in checks if c.about.scenario == tally.name and c.about.number < HUNT]:
                other.cancel()
                checks.remove(other)
        elif checked.status == "UNKNOWN":
            tally.unknown.append(checked)
        self._look()
