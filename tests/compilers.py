"""The compilers of the tests: $CC and $CXX, else cc and c++. A test that needs one that is not here is skipped."""

import os
import shlex
import shutil

import pytest

STRICT = os.environ.get("LOCKFREE_STRICT", "0") != "0"
"""CI sets it for the one compiler it names: warnings are errors there, and nothing is skipped for want of a compiler."""
WARNINGS = ["-Wall", "-Wextra", *(["-Werror"] if STRICT else [])]


def warned(text):
    """What a compiler says of a program of ours: for `warn` of the model checker's build."""
    if STRICT:
        pytest.fail(text)


_USUAL = {"c": ("CC", "cc"), "cpp": ("CXX", "c++")}


def command(language):
    """The compiler for "c" or "cpp" and its first arguments."""
    variable, usual = _USUAL[language]
    return shlex.split(os.environ.get(variable) or usual)


def _missing(language):
    return shutil.which(command(language)[0]) is None and not STRICT


def _reason(language):
    return f"no compiler {command(language)[0]}; ${_USUAL[language][0]} may name another one"


NEEDS_C = pytest.mark.skipif(_missing("c"), reason=_reason("c"))
NEEDS_CXX = pytest.mark.skipif(_missing("cpp"), reason=_reason("cpp"))


def needed(language):
    """The compiler; skips the test if it is not here."""
    if _missing(language):
        pytest.skip(_reason(language))
    return command(language)


def path_with_usual_names(folder):
    """A PATH on which cc and c++ are the compilers of the tests: for commands that are written out, as in the docs."""
    for language, (_, usual) in _USUAL.items():
        if shutil.which(command(language)[0]) is not None:
            program = folder / usual
            program.write_text(
                f'#!/bin/sh\nexec {shlex.join([shutil.which(command(language)[0]), *command(language)[1:]])} "$@"\n'
            )
            program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"
