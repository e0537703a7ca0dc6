"""Builds a client: the user's file instrumented by the compiler, linked with the checker's runtime."""

import atexit
import contextlib
import functools
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from lockfree._include import get_include, get_model_runtime

RUNTIME_FLAGS = ("-std=gnu11", "-O2", "-g", "-fno-pie")
CLIENT_FLAGS = (
    "-std=gnu11",
    "-O1",
    "-g",
    "-fno-pie",
    "-fno-omit-frame-pointer",
    "-fsanitize=thread",
    "-Wno-tsan",
    *(f"-fno-builtin-{name}" for name in ("malloc", "calloc", "free", "realloc", "memcpy", "memmove", "memset")),
    "-fstack-reuse=none",  # one place on the stack is one variable
    "-DLF_MODEL=1",
    "-Dmain=lf_model_program",  # a client of its own if there is no other: c/model/threads.c
)
INSISTED = ("-U_FORTIFY_SOURCE", "-fno-lto")  # with either, accesses would not be seen
GCC_FLAGS = (
    "--param",
    "tsan-distinguish-volatile=0",
    # accesses whose value is not used can race as others do
    "-fno-toplevel-reorder",
    "-fno-tree-dce",
    "-fno-tree-dse",
    # gcc 12 keeps a file's own variables in registers across calls of functions that acquire (wrongly)
    "-fno-ipa-reference",
)


INTERFACE = (
    *("main", "lf_model_*", "__tsan_*", "__assert_fail", "__atomic_feraiseexcept", "syscall"),
    *("sched_yield", "sleep", "usleep", "nanosleep", "call_once"),
    *("pthread_*", "thrd_*", "mtx_*", "cnd_*", "sem_*", "tss_*", "mq_*"),
)
"""What the runtime offers to clients and the C library; its own names are not in their way."""


class BuildError(Exception):
    """The compiler refused the file; the message is what it said."""


def compiler() -> list[str]:
    """The C compiler and its first arguments: $CC, else cc. gcc and clang both have the instrumentation."""
    return shlex.split(os.environ.get("CC", "")) or ["cc"]


def _run(command: Sequence[str]) -> str:
    """What the command says besides."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError as error:
        raise BuildError(f"no C compiler: {command[0]} not found (set CC)") from error
    if done.returncode != 0:
        raise BuildError(done.stderr.strip() or f"{command[0]} exited with {done.returncode}")
    return done.stderr


def _is_gcc(cc: list[str]) -> bool:
    try:
        version = subprocess.run([*cc, "--version"], capture_output=True, text=True, check=False).stdout
    except FileNotFoundError as error:
        raise BuildError(f"no C compiler: {cc[0]} not found (set CC)") from error
    return "clang" not in version


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    directory = Path(home) / "lockfree"
    with contextlib.suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
        if os.access(directory, os.W_OK | os.X_OK):
            return directory
    return _cache_of_this_process()


@functools.cache
def _cache_of_this_process() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="lockfree-model-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


def runtime_object() -> Path:
    """The runtime as one object file, compiled once for each version of its sources and compiler."""
    cc = compiler()
    directory = Path(get_model_runtime())
    sources = sorted(directory.glob("*.c"))
    digest = hashlib.sha256(repr((cc, RUNTIME_FLAGS, INTERFACE)).encode())
    for file in sorted([*sources, *directory.glob("*.h")]):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    target = _cache() / f"model-{digest.hexdigest()[:24]}.o"
    if target.exists():
        return target
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        objects = [str(Path(scratch) / f"{source.stem}.o") for source in sources]
        for source, out in zip(sources, objects, strict=True):
            _run([*cc, *RUNTIME_FLAGS, "-c", str(source), "-o", out])
        joined = Path(scratch) / "model.o"
        _run([*cc, "-r", "-nostdlib", "-no-pie", *objects, "-o", str(joined)])
        if shutil.which("objcopy"):  # all other names are the client's
            _run(["objcopy", "--wildcard", *(f"--keep-global-symbol={name}" for name in INTERFACE), str(joined)])
        joined.replace(target)
    return target


def _explained(path: Path, said: str) -> str:
    """The linker's words, or what they mean for a file of clients."""
    if "undefined reference to `__atomic_" in said:
        return f"{path} has an atomic object that needs a lock (libatomic), more than 16 bytes wide\n{said}"
    return said


def build(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    include: Sequence[str] = (),
    define: Sequence[str] = (),
    flags: Sequence[str] = (),
    warn: Callable[[str], object] | None = None,
) -> Path:
    """Compiles `source` with its clients to the program `output`.

    `include` are directories searched before lockfree's own headers, `define` are NAME or NAME=VALUE,
    `flags` go to the compiler as they are; `warn` is called with the compiler's warnings if there are any. Raises
    `BuildError` with the compiler's words, and `FileNotFoundError` if there is no such source.
    """
    path = Path(source)
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    cc = compiler()
    runtime = get_model_runtime()
    machine = ["-mcx16"] if os.uname().machine == "x86_64" else []
    gcc = GCC_FLAGS if _is_gcc(cc) else ()
    options = [
        *CLIENT_FLAGS,
        *machine,
        *gcc,
        *(f"-I{directory}" for directory in include),
        f"-I{get_include()}",
        f"-I{runtime}",
        *(f"-D{name}" for name in define),
        *flags,
        *INSISTED,
    ]
    with tempfile.TemporaryDirectory() as scratch:
        compiled = str(Path(scratch) / "client.o")
        said = _run([*cc, *options, "-include", str(Path(runtime) / "prelude.h"), "-c", str(path), "-o", compiled])
        if said and warn is not None:
            warn(said)
        try:
            _run([*cc, "-no-pie", compiled, str(runtime_object()), *flags, "-o", str(output)])
        except BuildError as error:
            raise BuildError(_explained(path, str(error))) from error
    return Path(output)
