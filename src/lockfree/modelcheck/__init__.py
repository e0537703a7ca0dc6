"""Model checking of C code: every interleaving of a small client, with every outcome that C11 allows.

`check` compiles a file of clients (see `lockfree_model.h` in `lockfree.get_model_runtime()`) against the
checker's runtime and explores their executions. `lockfree model FILE.c` does the same from a shell.
"""

from lockfree.modelcheck.build import BuildError, build
from lockfree.modelcheck.runner import Report, Settings, Verdict, check, clients_of, replay

__all__ = ["BuildError", "Report", "Settings", "Verdict", "build", "check", "clients_of", "replay"]
