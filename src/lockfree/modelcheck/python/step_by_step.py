"""One execution under a chooser of somebody else, with its trace."""

from collections.abc import Callable
from typing import Protocol

from lockfree.modelcheck.python.accesses import Places
from lockfree.modelcheck.python.explore import PythonReport, PythonSettings, _Explorer, _run
from lockfree.modelcheck.python.scheduler import Chooser, Row
from lockfree.modelcheck.runner import Verdict


class Recording(Chooser, Protocol):
    """A chooser that sees the rows of the trace while they come."""

    recorded: list[Row] | None


def once(
    make: Callable[[], Callable[[], object]], client: str, settings: PythonSettings, places: Places, chooser: Recording
) -> tuple[list[Row], str]:
    """The rows of the trace, and the failure in words (empty: none). places: from a token (`read_token`)."""
    explorer = _Explorer(make, client, settings, places)
    explorer.recorded = lambda rows: setattr(chooser, "recorded", rows)

    def run() -> PythonReport:
        result = explorer.run(chooser, learn=False, record=True)
        report = explorer.report(Verdict.OK if result.failure is None else Verdict.VIOLATION)
        report.rows = result.rows
        if result.failure is not None:
            report.kind, report.message = result.failure.kind, result.failure.message
        return report

    report = _run(explorer, run)
    return report.rows, f"{report.kind}: {report.message}" if report.kind else ""
