"""Built clients that are kept: the same program with the same compiler and flags is not compiled again.

What a client is made of is its text after the preprocessor, with the names and lines of all files that it includes. So
a header that changed, or another one that is found instead, makes another client. The text alone decides; no dates of
source files are looked at.
"""

import contextlib
import functools
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from lockfree._command import write_whole

MOST = 64
"""Clients that are kept, and answers; those used longest ago go first."""
PLAIN = re.compile(
    r"-(?:[DIU].+|std=.+|O\w*|g[\w-]*|W(?![alp],)[\w=+-]*|w|pthread|m(?!.*native)[\w=.-]+"
    r"|f(?!.*(?:profile|plugin|dump|list|module|specs))[\w=.+-]+)"
)
"""Flags that read no file but what the preprocessor reads."""
HIDDEN = re.compile(r"\.incbin|#\s*pragma\s+GCC\s+pch")
"""What brings files into a program that the preprocessor does not show."""
VARIABLES = re.compile(r"(?:GCC_|COLLECT_|LD_|CCC_|LC_|CC|CXX)\w*|\w*PATH|LANG\w*|SOURCE_DATE_EPOCH|\w+_OUTPUT")
"""Of the environment, what compilers look at."""


Identity = tuple[str, int, int, int]
"""Of a program or file that others replace whole."""


def identity(path: str | os.PathLike[str]) -> Identity:
    state = os.stat(path)
    return os.fspath(path), state.st_ino, state.st_size, state.st_mtime_ns


@functools.cache
def tools(command: tuple[str, ...]) -> list[Identity]:
    """The programs that a compiler's command names, with the assembler and the linker."""
    return [identity(found) for word in (*command, "as", "ld") if (found := shutil.which(word))]


def may_keep(options: Iterable[str], texts: Iterable[str]) -> bool:
    """Whether the texts, the flags and the tools are all that decides what is built."""
    return all(PLAIN.fullmatch(option) for option in options) and not any(HIDDEN.search(text) for text in texts)


def _name(made_with: object, texts: Sequence[str] = ()) -> str:
    digest = hashlib.blake2b(repr(made_with).encode(errors="backslashreplace"))
    for text in texts:
        digest.update(b"\0%d\0" % len(text) + text.encode(errors="surrogateescape"))
    return digest.hexdigest()[:48]


def key(texts: Sequence[str], *made_with: object) -> str:
    """The name of a client that is built from these texts with all that."""
    here = os.path.dirname(__file__)
    package = sorted(identity(entry) for entry in os.scandir(here) if entry.name.endswith(".py"))
    variables = sorted((name, value) for name, value in os.environ.items() if VARIABLES.fullmatch(name))
    return _name((made_with, package, variables, os.getcwd()), texts)


def remembered(folder: Path, made_with: object, ask: Callable[[], str]) -> str:
    """What `ask()` returns, asked once for all that it depends on: its text is kept in the folder."""
    place = folder / "answers" / _name(made_with)
    with contextlib.suppress(OSError):
        answer = place.read_text()
        os.utime(place)
        return answer
    answer = ask()
    with contextlib.suppress(OSError):
        place.parent.mkdir(exist_ok=True)
        _forget(place.parent)
        write_whole(place, answer)
    return answer


def _forget(folder: Path) -> None:
    """Makes room for one more in a folder."""
    there = sorted((entry.stat().st_mtime, entry.path, entry.is_dir()) for entry in os.scandir(folder))
    for _, path, is_folder in there[: max(0, len(there) - MOST + 1)]:
        if is_folder:
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(FileNotFoundError):  # another process was faster
                os.unlink(path)


class Kept:
    """The clients in a folder. Each is a program, and what the compiler said of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "clients"

    def take(self, name: str, output: Path) -> str | None:
        """Copies a client to `output`; returns the compiler's warnings, or None if there is no such client."""
        entry = self.folder / name
        try:
            said = (entry / "said").read_text(errors="surrogateescape")
            shutil.copy(entry / "client", output)
            os.utime(entry)
        except OSError:
            return None
        return said

    def keep(self, name: str, program: Path, said: str) -> None:
        """Keeps a client that was built. A full disk is no reason to refuse it."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(exist_ok=True)
            _forget(self.folder)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=".new-", ignore_cleanup_errors=True) as scratch:
                entry = Path(scratch) / "entry"
                entry.mkdir()
                shutil.copy(program, entry / "client")
                (entry / "said").write_text(said, errors="surrogateescape")
                entry.rename(self.folder / name)  # whole, or not at all
