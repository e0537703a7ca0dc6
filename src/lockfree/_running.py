"""Whether processes get on: the processor time that they have used, and whether they wait for some.

On a busy machine a process may get none for seconds. Then it is not at fault: its threads are ready to run.
"""

import os
from collections.abc import Iterator
from pathlib import Path

READY = frozenset("RD")
"""States of threads that run, wait for a processor, or wait for the disk."""
TICKS = os.sysconf("SC_CLK_TCK")


def _fields(stat: Path) -> list[str]:
    """Of a process or a thread, what follows its name; empty if it is gone."""
    try:
        return stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def session(leader: int) -> Iterator[int]:
    """The processes of a session."""
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and (fields := _fields(Path(entry.path) / "stat")) and int(fields[3]) == leader:
            yield int(entry.name)


def used(process: int) -> float:
    """Seconds of processor time that a process has used, with its children that have ended; 0 if it is gone."""
    fields = _fields(Path(f"/proc/{process}/stat"))
    return sum(map(int, fields[11:15])) / TICKS


def ready(process: int, but: int = 0) -> bool:
    """Whether a thread of a process, other than `but`, runs or would if it got a processor."""
    threads = Path(f"/proc/{process}/task").glob("*/stat")
    there = (_fields(thread) for thread in threads if thread.parent.name != str(but))
    return any(fields[0] in READY for fields in there if fields)
