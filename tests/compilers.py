"""The compilers of the tests: $CC and $CXX, else cc and c++. A test that needs one that is not here is skipped."""

import os
import shlex
import shutil

import pytest

STRICT = os.environ.get("LOCKFREE_STRICT", "0") != "0"
"""CI sets it for the one compiler it names: warnings are errors there, and nothing is skipped for want of a compiler."""
WARNINGS = ["-Wall", "-Wextra", *(["-Werror"] if STRICT else [])]

_USUAL = {"c": ("CC", "cc"), "cpp": ("CXX", "c++")}


def needed(language):
    """The command of the compiler for "c" or "cpp", as a list."""
    variable, usual = _USUAL[language]
    command = shlex.split(os.environ.get(variable) or usual)
    if shutil.which(command[0]) is None and not STRICT:
        pytest.skip(f"no compiler {command[0]}; ${variable} may name another one")
    return command
