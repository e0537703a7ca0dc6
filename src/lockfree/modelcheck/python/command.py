"""`lockfree model FILE.py`: what the command line does for Python."""

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict

from lockfree._command import UsageError, given, refuse
from lockfree._running import ready, used
from lockfree.modelcheck.python.explore import PythonReport, PythonSettings
from lockfree.modelcheck.python.listening import Silent, lines
from lockfree.modelcheck.runner import Verdict

ONLY_C = (
    "--mode", "--preemptions", "--spins", "--threads-stop", "--outcomes", "--c20", "--weak-failures", "--coverage",
    "--include", "--define", "--flags", "--volatile", "--html", "--dot",
)  # fmt: skip
SEARCH = ("--client", "--deviations", "--executions", "--seconds", "--steps", "--seed", "--depth", "--early")
NAMES = {"--include": "-I", "--define": "-D", "--flags": "--cflag"}
SILENT = 30.0
"""Seconds of CPU time without a report after which a child is in an endless loop. It says something every 10 s else."""
Tick = Callable[[str, int, float, str], object]


def settings_of(args: argparse.Namespace) -> PythonSettings:
    """The settings that the command line names. UsageError for an option that would have no effect."""
    if found := given(args, ONLY_C):
        raise UsageError(
            f"{', '.join(NAMES.get(o, o) for o in found)}: for C and C++ only, and {args.files[0]} is Python"
        )
    if args.replay is not None:
        refuse(args, SEARCH, "with --replay, whose token says it all")
    for file in args.follow:
        if not os.path.isfile(file):
            raise UsageError(f"--follow {file}: there is no such file")
    named = {name.removeprefix("--") for name in given(args, SEARCH)} - {"client"}
    return PythonSettings(**{name: getattr(args, name) for name in named}, follow=tuple(args.follow))


def reports(
    file: str, clients: list[str], settings: PythonSettings, replay: str | None = None, tick: Tick | None = None
) -> Iterator[PythonReport]:
    """Explores a file in a process of its own; one report for each client as they come.

    Raises ValueError if the file cannot be explored. A client that ends the process, or that makes no progress where
    the scheduler cannot reach it, is a report with `UNUSABLE`.
    """
    reading, writing = os.pipe()
    request = {"file": file, "clients": clients, "settings": asdict(settings), "replay": replay, "descriptor": writing}
    command = [sys.executable, "-m", "lockfree.modelcheck.python.child", json.dumps(request)]
    said = sys.stderr if replay is not None else subprocess.DEVNULL
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.PIPE, pass_fds=[writing], env=environment,
        text=True, errors="replace",
    )  # fmt: skip
    os.close(writing)
    begun, ended, last_words = "", False, ""
    try:
        said_so_far = lines(
            reading, lambda: used(process.pid), lambda: not ready(process.pid), SILENT,
            "in a call of code in C, or in the file before a client begins",
        )  # fmt: skip
        try:
            for line in said_so_far:
                what, value = json.loads(line)
                if what == "unusable":
                    raise ValueError(value)
                if what == "begins":
                    begun = value
                elif what == "tick" and tick is not None:
                    tick(*value)
                elif what == "report":
                    yield PythonReport.from_dict(value)
                    begun, ended = "", replay is not None
                elif what == "end":
                    ended = True
        except Silent as silent:
            yield PythonReport(begun or os.path.basename(file), Verdict.UNUSABLE, message=str(silent))
            return
        else:
            assert process.stderr is not None
            last_words = "".join(deque(process.stderr, 3)).strip()
        if not ended:
            yield PythonReport(begun, Verdict.UNUSABLE, message=_ended(process.wait(), last_words))
    finally:
        process.kill()
        process.wait()


def _ended(status: int, last_words: str) -> str:
    how = f"with status {status}" if status >= 0 else f"by signal {-status}"
    return f"it ended the process {how} in the middle{': ' + last_words if last_words else ''}"


def again(args: argparse.Namespace, token: str) -> str:
    """The command that runs the failing execution."""
    follow = [f"--follow={file}" for file in args.follow]
    return shlex.join(["lockfree", "model", *args.files, *follow, "--replay", token])
