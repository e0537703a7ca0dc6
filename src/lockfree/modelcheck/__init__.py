"""Model checking of C code: every interleaving of a small client, with every outcome that C11 allows.

`check` compiles a file of clients (see `lockfree_model.h` in `lockfree.get_model_runtime()`) against the
checker's runtime and explores their executions. `lockfree model FILE.c` does the same from a shell.

`explore` does it for Python: every schedule of the threads and asyncio tasks of a function; `lockfree model FILE.py`.
"""

from typing import TYPE_CHECKING

from lockfree.modelcheck.build import BuildError, build
from lockfree.modelcheck.runner import Report, Settings, Verdict, check, clients_of, replay

__all__ = [
    "BuildError", "PythonReport", "PythonSettings", "Report", "Settings", "Verdict", "build", "check", "clients_of",
    "explore", "replay",
]  # fmt: skip

if TYPE_CHECKING:
    from lockfree.modelcheck.python import PythonReport, PythonSettings, explore


def __getattr__(name: str) -> object:
    """The explorer of Python loads asyncio: when it is first used."""
    if name not in {"PythonReport", "PythonSettings", "explore"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lockfree.modelcheck import python

    return getattr(python, name)
