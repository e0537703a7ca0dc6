"""Names that this run gives to what it makes in shared memory, and their end.

A worker is killed when its sample is over, so neither it nor its package takes its names away. Every name of this run has
a mark in it, and `sweep` takes away what has the mark. Python itself takes away the segments of `multiprocessing`.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

MARK = f"lfbench{os.getpid()}x"
"""Of the process that measures; its workers are forked, and have the same."""
PLACES = (Path("/dev/shm"), Path("/dev/mqueue"), Path(tempfile.gettempdir()))
numbers = itertools.count()


def fresh() -> str:
    """A name that nothing else has."""
    return f"{MARK}{os.getpid()}x{next(numbers)}"


def folder() -> str:
    """A new folder for files of a peer."""
    return tempfile.mkdtemp(prefix=MARK)


def sweep(places: Sequence[Path] = PLACES) -> list[str]:
    """Takes away the files and folders that have this run's mark; their names. Nobody may use them any more."""
    gone = [path for place in places if place.is_dir() for path in place.iterdir() if MARK in path.name]
    for path in gone:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return sorted(path.name for path in gone)
