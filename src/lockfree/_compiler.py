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
    """One line that says that the compiler is missing and how to get one."""
    return (
        f"no C compiler: {command[0]} not found. Install one (Debian, Ubuntu: apt install gcc libc6-dev; "
        "Fedora: dnf install gcc), or name one in the environment variable CC"
    )


def need_compiler() -> None:
    """Raises UsageError if there is no C compiler. To be called before the work."""
    if shutil.which(compiler()[0]) is None:
        raise UsageError(no_compiler(compiler()))
