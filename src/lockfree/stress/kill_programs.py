"""The programs of c/kill: which there are, and how they are compiled."""

import hashlib
import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from lockfree._compiler import compiler, no_compiler
from lockfree._include import get_include, get_kill_sources

COMMON = ("main", "survivors", "doomed", "stepping", "attach", "clock", "breach")
QUEUES = "queues"
LOAD = ("load", "load_subjects", "load_books")
FLAGS = (
    *("-std=c11", "-O2", "-fno-pie", "-no-pie", "-Wl,-z,now", "-Wall", "-Wno-missing-field-initializers"),
    "-gdwarf-4",  # binutils 2.40 does not find what clang inlines in version 5
)
# a loop over all participants or all cells has the same instructions with few of them as with many
SMALL = ("-DLF_PARTICIPANTS=16u", "-DLF_LEAST_CELLS=4u", "-DLF__SLICE_NS=5000000u")


class KillError(Exception):
    """The campaign cannot run: there is no compiler, no ptrace, or another kind of processor."""


def primitives() -> list[str]:
    """The primitives that have a program."""
    return sorted(p.stem for p in Path(get_kill_sources()).glob("*.c") if p.stem not in (*COMMON, QUEUES, *LOAD))


def _cache(sources: Path) -> Path:
    if (sources.parent.parent / "pyproject.toml").exists():  # a checkout has a folder for everything it builds
        directory = sources.parent.parent / "build" / "kill"
    else:
        directory = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "lockfree"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="lockfree-kill-"))
    return directory


def build(primitive: str, instead: Path | None = None) -> Path:
    """The program for a primitive, or LOAD[0]; compiled if necessary. `instead`: a header that replaces another."""
    sources, include = Path(get_kill_sources()), Path(get_include())
    under_load = primitive == LOAD[0]
    names = [*LOAD] if under_load else [primitive, *COMMON]
    if f'"{QUEUES}.h"' in (sources / f"{primitive}.c").read_text():
        names.append(QUEUES)
    parts = [sources / f"{name}.c" for name in names]
    cc = compiler()
    options = [*FLAGS, *(() if under_load else SMALL), f"-I{include}"]
    options += ["-include", str(instead)] if instead else []
    digest = hashlib.sha256(repr((cc, options, primitive)).encode())
    headers = [*sources.glob("*.[ch]"), *(include / "lockfree").rglob("*.h"), *([instead] if instead else [])]
    for file in sorted(headers):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    target = _cache(sources) / f"{primitive}-{digest.hexdigest()[:20]}"
    if target.exists():
        return target
    fresh = target.with_suffix(f".{os.getpid()}")
    command = [*cc, *options, *map(str, parts), "-o", str(fresh), "-ldl", "-lpthread"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise KillError(no_compiler(cc)) from error
    if done.returncode != 0:
        raise KillError(f"{shlex.join(command)}\n{done.stderr.strip()}")
    fresh.replace(target)
    return target


def operations(program: Path) -> list[str]:
    """The operations of a program, as it lists them."""
    return subprocess.run([str(program), "list"], capture_output=True, text=True, check=True).stdout.split()
