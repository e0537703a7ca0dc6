"""Turns histories into verdicts. Each round is checked in a separate process, which inherits the arena."""

import multiprocessing
import os
import signal
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lockfree.linearizability import Operation, Verdict, check
from lockfree.stress.figures import Figures, summarise
from lockfree.stress.runner import Outcome
from lockfree.stress.scenario import Claim, Round, Scenario
from lockfree.stress.worker import die_with_parent

TIME_LIMIT, MEMORY_LIMIT = 15.0, 1 << 29
FIRST_LIMIT, FIRST_MEMORY = 3.0, 1 << 28
"""Limits for a claim that has a weaker form."""
BINARY_FROM = 50_000
"""Histories with at least so many operations are written in the binary form."""


@dataclass
class Checked:
    """The verdict on one round."""

    about: Round
    status: str = "OK"
    reason: str = ""
    operations: int = 0
    seconds: float = 0.0
    weaker: int = 0
    """Claims for which only the weaker form was decided."""
    window: list[Operation] = field(default_factory=list)
    """The counterexample."""
    history_file: str = ""
    figures: Figures = field(default_factory=Figures)


@dataclass(frozen=True)
class _Job:
    scenario: Scenario
    about: Round
    outcome: Outcome
    began: int
    seconds: float
    out: Path


class Check:
    """A check that is running."""

    def __init__(
        self, scenario: Scenario, about: Round, outcome: Outcome, *, began: int, seconds: float, out: Path
    ) -> None:
        self.about, self.outcome = about, outcome
        job = _Job(scenario, about, outcome, began, seconds, out)
        receiver, sender = multiprocessing.Pipe(duplex=False)
        context = multiprocessing.get_context("fork")
        self._process: Any = context.Process(target=_check_main, args=(sender, job), daemon=True)
        self._process.start()
        sender.close()
        self.receiver = receiver

    def result(self) -> Checked:
        """Waits for the verdict."""
        try:
            checked: Checked = self.receiver.recv()
        except EOFError:
            checked = Checked(self.about, "UNKNOWN", "the checking process died")
        self.cancel()
        return checked

    def cancel(self) -> None:
        self._process.kill()
        self._process.join()
        self.receiver.close()
        self.outcome.arena.close()


def _check_main(sender: Any, job: _Job) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    os.nice(5)
    started = time.monotonic()
    checked = Checked(job.about)
    try:
        checked.figures = summarise(job.outcome.arena, job.began, job.seconds)
        checked.operations = job.outcome.arena.recorded()
        if job.outcome.failure:
            checked.status, checked.reason = "VIOLATION", job.outcome.failure
        elif wrong := job.scenario.contradiction(job.about, job.outcome.arena):
            checked.status, checked.reason = "VIOLATION", wrong
        for claim in job.scenario.claims(job.about, job.outcome.arena):
            _settle(checked, claim, job.out)
    except Exception:  # noqa: BLE001 - the runner must know about it
        checked.status, checked.reason = "UNKNOWN", f"the check failed:\n{traceback.format_exc()}"
    checked.seconds = time.monotonic() - started
    sender.send(checked)


def _settle(checked: Checked, claim: Claim, out: Path) -> None:
    limit = TIME_LIMIT if claim.weaker is None else FIRST_LIMIT
    memory = MEMORY_LIMIT if claim.weaker is None else FIRST_MEMORY
    verdict = check(claim.history, claim.spec, timeout=limit, memory=memory)
    for other in claim.others:
        if verdict.ok:
            break
        again = check(other(), claim.spec, timeout=limit, memory=memory)
        if again.ok or verdict.status == "VIOLATION":
            verdict = again if again.status != "VIOLATION" else verdict
    if verdict.status == "UNKNOWN" and claim.weaker is not None:
        checked.weaker += 1
        _settle(checked, claim.weaker(), out)
    else:
        _take(checked, claim, verdict, out)


def _take(checked: Checked, claim: Claim, verdict: Verdict, out: Path) -> None:
    order = ("OK", "UNKNOWN", "VIOLATION")
    if order.index(verdict.status) <= order.index(checked.status):
        return
    checked.status = verdict.status
    checked.reason = f"{claim.what}: {verdict.reason}" if claim.what else verdict.reason
    checked.window = verdict.operations
    suffix = "lfhist" if len(claim.history) >= BINARY_FROM else "jsonl"
    about = checked.about
    path = out / f"{about.scenario}-round{about.number}-seed{about.seed}.{suffix}"
    out.mkdir(parents=True, exist_ok=True)
    claim.history.save(path, binary=suffix == "lfhist")
    checked.history_file = str(path)
    checked.reason += f"\nspecification: {claim.spec}"
