"""What the commands of `lockfree` share: refusing options, trying and writing the output, escaping names."""

import argparse
import contextlib
import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


class UsageError(Exception):
    """The command line asks for something that cannot be done. The commands end with status 3."""


def complete(action: Any, names: Callable[[], Iterable[str]]) -> None:
    """A shell completes the words of this argument to `names()`: argcomplete looks at this attribute."""
    action.completer = lambda **_: list(names())


def given(args: Any, options: Iterable[str]) -> list[str]:
    """Those of the options (such as `--start-method`) that the command line names. Their default must be empty."""
    values = {option: getattr(args, option.lstrip("-").replace("-", "_")) for option in options}
    return [o for o, value in values.items() if not (value is None or value is False or value == [])]


def refuse(args: Any, options: Iterable[str], why: str) -> None:
    """UsageError if the command line names one of the options. `why`: such as "without --kill-everywhere"."""
    if found := given(args, options):
        have = "has" if len(found) == 1 else "have"
        raise UsageError(f"{', '.join(found)} {have} no effect {why}")


def need_page(what: str) -> None:
    """UsageError if pages of HTML cannot be made. `what`: the option or command that makes one. For before the work."""
    import importlib.util  # longer to load than all the rest

    if importlib.util.find_spec("jinja2") is None:
        raise UsageError(f"{what} needs jinja2 for its page: pip install 'lockfree[tools]'")


def named_path(text: str) -> Path:
    """The `type` of an argument that names a file or a folder."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty: it must name a file or a folder")
    return Path(text)


@contextlib.contextmanager
def _blaming(option: str) -> Iterator[None]:
    """Says of which option an OSError comes."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{option}: {error.filename}: {error.strerror}") from None


def try_directory(option: str, path: Path) -> None:
    """Makes the directory, unless it is there, and writes a file into it: UsageError now, no OSError after the work."""
    with _blaming(option):
        _try_directory(path)


def _try_directory(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    import tempfile

    path.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"\0")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def try_file(option: str, path: Path) -> None:
    """Finds out whether the file could be written, without touching what it holds: UsageError now."""
    with _blaming(option):
        path = _followed(path)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if _is_special(path):
            if not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return
        if not path.parent.exists():
            raise FileNotFoundError(errno.ENOENT, "No such directory", str(path.parent))
        _try_directory(path.parent)
        with contextlib.suppress(FileNotFoundError):
            os.lstat(path)  # a name may be too long


def _followed(path: Path) -> Path:
    """Where a symbolic link leads: the link stays."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _is_special(path: Path) -> bool:
    """A device, a pipe: written as it is. To replace it would remove it."""
    return path.exists() and not path.is_file()


def try_files(outputs: Mapping[str, Path | None], inputs: Iterable[Path]) -> None:
    """`try_file` for each option and its path. UsageError if two of them are one file, or if one is an input."""
    seen: dict[Path, str] = {path.resolve(): "is read, and would be replaced" for path in inputs}
    for option, path in outputs.items():
        if path is None:
            continue
        if why := seen.get(path.resolve()):
            raise UsageError(f"{option} {path}: this file {why}")
        seen[path.resolve()] = f"is written by {option} already"
        try_file(option, path)


def write_whole(path: Path, text: str) -> None:
    """Writes the file whole or not at all; a device or a pipe as it is."""
    path = _followed(path)
    if _is_special(path):
        path.write_text(text, encoding="utf-8")
        return
    part = path.with_name(f"{path.name[:32]}.part{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def printable(text: str) -> str:
    """The text with everything escaped that a terminal would obey instead of showing: control characters, line ends."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def quoted(name: str) -> str:
    """A name as it stands, or in quotes and escaped if it could be mistaken for something else."""
    plain = name.isprintable() and not any(c in " '\"\\" for c in name)
    return name if plain and name else repr(name)
