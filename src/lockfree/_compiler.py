"""The C compiler that some instruments need to build programs. The primitives need none."""

import os
import shlex
import shutil
from collections.abc import Sequence

from lockfree._command import UsageError


def compiler() -> list[str]:
    """The C compiler and its first arguments: $CC, else cc."""
    return shlex.split(os.environ.get("CC", "")) or ["cc"]


def no_compiler(command: Sequence[str]) -> str:
    """One line for a compiler that is not there, with the way to get one. A name with ++ is one of C++."""
    plus = "++" in os.path.basename(command[0])
    language, variable = ("C++", "CXX") if plus else ("C", "CC")
    debian, fedora = ("g++", "gcc-c++") if plus else ("gcc libc6-dev", "gcc")
    return (
        f"no {language} compiler: {command[0]} not found. Install one (Debian, Ubuntu: apt install {debian}; "
        f"Fedora: dnf install {fedora}), or name one in the environment variable {variable}"
    )


def has_compiler() -> bool:
    """Whether there is a C compiler."""
    return shutil.which(compiler()[0]) is not None


def need_compiler() -> None:
    """Raises UsageError if there is no C compiler. To be called before the work."""
    if not has_compiler():
        raise UsageError(no_compiler(compiler()))
