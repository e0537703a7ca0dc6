"""Builds a client: the user's files instrumented by the compiler, linked with the checker's runtime."""

import atexit
import contextlib
import fcntl
import functools
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lockfree._compiler import compiler, no_compiler
from lockfree._include import get_include, get_model_runtime
from lockfree.modelcheck.kept import Kept, identity, key, may_keep, remembered, tools
from lockfree.modelcheck.symbols import binary_tool, lead, symbols

RUNTIME_FLAGS = ("-std=gnu11", "-O2", "-fno-pie")
LEAVES_NOTHING = "-fzero-call-used-regs=all-gpr"
"""For the runtime, where the compiler has it: its functions leave nothing in registers. A loop in inline assembly is
known by all registers, and would not be known again by what a call happened to leave there."""
ROOMS = {"gr": 8, "hs": 16, "GR": 32}
"""Places for threads in the runtimes, one of them for setup and final, by the letters that their tokens begin with. The
smaller is the faster."""
THREADS = min(ROOMS.values())
NOT_BUILT_IN = (
    *(
        "malloc",
        "calloc",
        "free",
        "realloc",
        "strdup",
        "strndup",
        "memcpy",
        "memmove",
        "memset",
        "memcmp",
        "bcmp",
        "memchr",
    ),
    *("strlen", "strnlen", "strcmp", "strncmp", "strchr", "strrchr", "strstr", "strcpy", "stpcpy", "strncpy", "strcat"),
    *("strncat", "sprintf", "snprintf", "vsprintf", "vsnprintf", "mempcpy", "strspn", "strcspn", "strpbrk"),
    *("strcasecmp", "strncasecmp"),
)
"""Functions whose accesses to memory would not be seen if the compiler put its own code in their place."""
NOT_DECLARED = re.compile(rf"implicit declaration of function .(?:{'|'.join(NOT_BUILT_IN)})\b")
"""The compiler takes such a function to return an int, since it is no builtin. Otherwise it would know its type."""
CLIENT_FLAGS = (
    "-gdwarf-4",  # binutils 2.40 takes the file of included code from version 5 wrongly
    "-fno-pie",
    "-fno-omit-frame-pointer",
    "-fsanitize=thread",
    *(f"-fno-builtin-{name}" for name in NOT_BUILT_IN),
    "-DLF_MODEL=1",
    *(f"-D__tsan_vptr_{name}=lf_own_vptr_{name}" for name in ("update", "read")),  # of programs that bring stubs
)
INSISTED = ("-U_FORTIFY_SOURCE", "-fno-lto")  # with either, accesses would not be seen
GCC_FLAGS = (
    "-O1",
    "-Wno-tsan",
    "-fstack-reuse=none",  # one place on the stack is one variable
    "-fno-tree-sra",  # the copy of a structure is one access, and no look at members that nobody has written
    # accesses whose value is not used can race as others do
    "-fno-toplevel-reorder",
    "-fno-tree-dce",
    "-fno-tree-dse",
    "-fno-tree-sink",  # it also removes what is not used
    "-fno-dce",  # calls of pure functions whose value is not used, which read
    "-fno-ipa-pure-const",
    # gcc 12 keeps a file's own variables in registers across calls of functions that acquire (wrongly)
    "-fno-ipa-reference",
)
MACHINE_FLAGS = {"x86_64": ("-mcx16", "-mno-red-zone")}
CLANG_FLAGS = ("-O0", "-mllvm", "-tsan-instrument-read-before-write=1")
"""clang instruments what its optimizer leaves, without the read of `n++`. Like this every access is seen."""
COVERAGE = "-fsanitize-coverage"
WATCHED = (f"{COVERAGE}=trace-pc", "-ffunction-sections", "-Wl,--gc-sections")
"""For coverage. gcc leaves a copy of a static function that it has put into all callers. Nothing calls that copy."""
STRINGS = "strings.hpp"
"""What C++ files include before anything else."""
VOLATILE = ("race", "relaxed")
"""What accesses of volatile objects are: plain ones, or relaxed atomic ones."""
CXX_SUFFIXES = {".cc", ".cpp", ".cxx", ".c++", ".C"}
SUFFIXES = (".c", *sorted(CXX_SUFFIXES))

INTERFACE = (
    *(
        "main",
        "lf_model_*",
        "lf_libc_*",
        "__tsan_*",
        "__assert_fail",
        "__sanitizer_cov_trace_pc",
        "__atomic_feraiseexcept",
        "syscall",
    ),
    *("sched_yield", "sleep", "usleep", "nanosleep", "call_once"),
    *("pthread_*", "thrd_*", "mtx_*", "cnd_*", "sem_*", "tss_*", "mq_*", "clock_nanosleep"),
    *("__VERIFIER_*", "reach_error"),
    *("_Zn*", "_Zd*", "_ZNSt*", "_ZSt*", "__cxa_*"),
)
"""What the runtime offers to clients and the C library; its own names are not in their way."""


Sources = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""One file, or the files of one program."""


class BuildError(Exception):
    """The compiler refused a file; the message is what it said."""


class ThreadBeforeMainError(BuildError):
    """A constructor begins a thread: see `constructors.py`."""


def cxx_compiler() -> list[str]:
    """The C++ compiler and its first arguments: $CXX, else the sibling of the C compiler."""
    if named := shlex.split(os.environ.get("CXX", "")):
        return named
    *before, program = compiler()[: _program_at(compiler()) + 1]
    directory, slash, name = program.rpartition("/")
    for c, cxx in (("clang", "clang++"), ("gcc", "g++"), ("cc", "c++")):
        if c in name:
            return [*before, directory + slash + name.replace(c, cxx, 1), *compiler()[len(before) + 1 :]]
    return ["c++"]


def _program_at(command: Sequence[str]) -> int:
    """Which word of a command like `env X=1 ccache gcc -m64` is the compiler: the last that is no option."""
    return max((at for at, word in enumerate(command) if not word.startswith("-")), default=0)


def sources_of(source: Sources) -> list[Path]:
    """The files of a program. Raises `FileNotFoundError` for one that is not there."""
    names = [source] if isinstance(source, str | os.PathLike) else list(source)
    for name in names:
        if Path(name).is_dir():
            raise IsADirectoryError(f"{name} is a directory: name the files of one program")
        if not Path(name).is_file():
            raise FileNotFoundError(f"no such file: {name}")
        if Path(name).suffix not in SUFFIXES:
            raise ValueError(f"{name} is no program: its name must end in {', '.join(SUFFIXES)}, or .py for Python")
    return [Path(name) for name in names]


def _execute(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError as error:
        raise BuildError(no_compiler(command)) from error
    if done.returncode != 0:
        raise BuildError(done.stderr.strip() or f"{command[0]} exited with {done.returncode}")
    return done


def _run(command: Sequence[str]) -> str:
    """What the command says besides."""
    return _execute(command).stderr


def _answer(command: Sequence[str]) -> str:
    """What the command is asked for."""
    return _execute(command).stdout


@functools.cache
def _is_gcc(cc: tuple[str, ...]) -> bool:
    def version() -> str:
        try:
            return subprocess.run([*cc, "--version"], capture_output=True, text=True, check=False).stdout
        except FileNotFoundError as error:
            raise BuildError(no_compiler(cc)) from error

    return "clang" not in remembered(_cache(), ("version", cc, tools(cc)), version)


@functools.cache
def _leaves_nothing(cc: tuple[str, ...]) -> tuple[str, ...]:
    """LEAVES_NOTHING, if the compiler has it. Clang 15 has it, but returns 0 for true (llvm/llvm-project#57692)."""
    broken = b"#if defined __clang__ && __clang_major__ < 16\n#error\n#endif\n"
    command = [*cc, LEAVES_NOTHING, "-E", "-x", "c", "-"]
    try:
        done = subprocess.run(command, input=broken, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise BuildError(no_compiler(cc)) from error
    return (LEAVES_NOTHING,) if done.returncode == 0 else ()


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


def runtime_object(threads: int = THREADS) -> Path:
    """The runtime as one object file: the package's, or compiled once for each version of its sources and compiler."""
    cc = compiler()
    states = [identity(path) for path in [*_sources_of_runtime(".c", ".h"), Path(__file__)]]
    made_with = ("runtime", cc, tools(tuple(cc)), threads, states)
    known = Path(remembered(_cache(), made_with, lambda: str(_runtime_object(threads))))
    return known if known.exists() else _runtime_object(threads)


def _runtime_object(threads: int) -> Path:
    cc = compiler()
    flags = _runtime_flags(cc, threads)
    if len(cc) == 1 and (given := _shipped() / _shipped_name(cc, flags)).exists():
        return given
    target = _cache() / f"model-{_digest(cc, *flags)}.o"
    if target.exists():
        return target
    with _alone(target.with_suffix(".lock")):
        if not target.exists():
            _compile_runtime([*cc, *flags], _sources_of_runtime(".c"), target)
    return target


def build_object(folder: Path) -> Path:
    """Compiles the object that travels with the package."""
    cc = compiler()
    if not _is_gcc(tuple(cc)):
        raise BuildError(f"{cc[0]} is not gcc")
    flags = _runtime_flags(cc, THREADS)
    target = folder / _shipped_name(cc, flags)
    _compile_runtime([*cc, *flags], _sources_of_runtime(".c"), target)
    return target


def _shipped() -> Path:
    """Where the package has its object."""
    return Path(get_model_runtime()).parent / "model_object"


def _shipped_name(cc: Sequence[str], flags: Sequence[str]) -> str:
    """Says what the object is made of: any gcc for this machine makes the same of these sources with these flags."""
    machine = _answer([*cc, "-dumpmachine"]).partition("-")[0]
    kind = "gcc" if _is_gcc(tuple(cc)) else "other"
    return f"model-{kind}-{machine}-{_digest(*flags)}.o"


def _runtime_flags(cc: Sequence[str], threads: int) -> tuple[str, ...]:
    return (*RUNTIME_FLAGS, f"-DLF_MODEL_THREADS={threads}", *_leaves_nothing(tuple(cc)))


def _sources_of_runtime(*suffixes: str) -> list[Path]:
    return sorted(path for path in Path(get_model_runtime()).rglob("*") if path.suffix in suffixes)


def _digest(*made_with: object) -> str:
    """Of the runtime's sources, of this file, and of what they are compiled with."""
    directory = Path(get_model_runtime())
    digest = hashlib.sha256(repr(made_with).encode() + Path(__file__).read_bytes())
    for file in _sources_of_runtime(".c", ".h"):
        digest.update(str(file.relative_to(directory)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:24]


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Lets one process at a time build what they all need."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _compile_runtime(cc: list[str], sources: list[Path], target: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor  # seldom needed, and long to load

    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        objects = [str(Path(scratch) / f"{number}-{source.stem}.o") for number, source in enumerate(sources)]
        commands = [[*cc, "-c", str(source), "-o", out] for source, out in zip(sources, objects, strict=True)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(_run, commands))
        joined = Path(scratch) / "model.o"
        _run([*cc, "-r", "-nostdlib", "-no-pie", *objects, "-o", str(joined)])
        kept = [f"--keep-global-symbol={name}" for name in INTERFACE]  # all other names are the client's,
        _run([binary_tool("objcopy"), "--wildcard", *kept, str(joined)])
        offered = Path(scratch) / "offered"
        offered.write_text("\n".join(symbols(joined)[0]))  # and these if it wants them
        _run([binary_tool("objcopy"), f"--weaken-symbols={offered}", str(joined)])
        joined.replace(target)


NOT_MODELLED = {
    r"lkmm\.h: No such file|'lkmm\.h' file not found": "includes lkmm.h: the Linux kernel has its own memory model",
    r"__VERIFIER_h(az)?p(tr)?_\w+": "uses GenMC's hazard pointers ({}), which are not modelled",
    r"__VERIFIER_(pbarrier|palloc|persistent_storage)": "uses GenMC's persistent memory ({}), which is not modelled",
    r"__VERIFIER_CAS_help\w+": "uses {}, whose rules GenMC alone knows: make it an atomic_compare_exchange",
    r"__sync_fetch_and_u?(max|min)\b": "uses {}, which is a builtin of clang only and has no counterpart in C11",
}
"""What compiler and linker say of clients that cannot be run, and what it means."""


def _explained(path: Path, said: str) -> str:
    """The words of compiler or linker, or what they mean for a file of clients."""
    for pattern, what in NOT_MODELLED.items():
        if found := re.search(pattern, said):
            return f"{path} {what.format(found[0])}"
    return said


def client_flags(cc: Sequence[str], *, cxx: bool = False) -> list[str]:
    """What a client is compiled with, whatever it is and asks for."""
    return [
        "-std=gnu++20" if cxx else "-std=gnu11",
        *CLIENT_FLAGS,
        *MACHINE_FLAGS.get(os.uname().machine, ()),
        *(GCC_FLAGS if _is_gcc(tuple(cc)) else CLANG_FLAGS),
    ]


def _command(path: Path, options: Sequence[str], *, relaxed: bool) -> list[str]:
    """The compiler for a file, with all its flags."""
    cxx = path.suffix in CXX_SUFFIXES
    cc = cxx_compiler() if cxx else compiler()
    gcc = _is_gcc(tuple(cc))
    return [
        *cc,
        *client_flags(cc, cxx=cxx),
        *(["-include", str(Path(get_model_runtime()) / STRINGS)] if cxx else ()),
        *("--param" if gcc else "-mllvm", f"{'' if gcc else '-'}tsan-distinguish-volatile={int(relaxed)}"),
        *options,
        *INSISTED,
    ]


def build(
    source: Sources,
    output: str | os.PathLike[str],
    *,
    include: Sequence[str] = (),
    define: Sequence[str] = (),
    flags: Sequence[str] = (),
    warn: Callable[[str], object] | None = None,
    threads: int = THREADS,
    volatile: str = "race",
    late: bool = False,
    keep: bool = False,
) -> Path:
    """Compiles `source` (one file, or the files of one program) with its clients to the program `output`.

    `include` are directories searched before lockfree's own headers, `define` are NAME or NAME=VALUE,
    `flags` go to the compiler as they are; `warn` is called with the compiler's warnings if there are any. `threads` is
    one of `ROOMS`. With `volatile="relaxed"` accesses of volatile objects are relaxed atomic ones. late: constructors
    run in the first thread. keep: a client that was built from the same is taken from the user's cache, and a new one
    goes there (see `kept.py`). Raises `BuildError` with the compiler's words, and `FileNotFoundError` if there is no
    such source.
    """
    if volatile not in VOLATILE:
        raise ValueError(f"volatile is {volatile!r}: it must be {' or '.join(VOLATILE)}")
    paths = sources_of(source)
    options = [
        *(f"-I{directory}" for directory in include),
        f"-I{get_include()}",
        f"-I{get_model_runtime()}",
        *(f"-D{name}" for name in define),
        *flags,
    ]
    runtime = runtime_object(threads)
    # the state of a C++ library that is a part of the program is put back as the program's own
    with_cxx = any(path.suffix in CXX_SUFFIXES for path in paths)
    linker = [*cxx_compiler(), "-static-libstdc++"] if with_cxx else compiler()
    relaxed = volatile == "relaxed"
    name, store = "", Kept(_cache())
    if keep and may_keep([*flags, *(f"-D{macro}" for macro in define)], ()):
        commands = [_command(path, options, relaxed=relaxed) for path in paths]
        used = (compiler(), linker)
        try:
            texts = [_answer([*command, "-E", str(path)]) for command, path in zip(commands, paths, strict=True)]
        except BuildError:
            texts = []  # the compiler says more
        if texts and may_keep((), texts):
            name = key(texts, commands, linker, [tools(tuple(cc)) for cc in used], identity(runtime), late)
            said = store.take(name, Path(output))
            if said is not None:
                if said and warn is not None:
                    warn(said)
                return Path(output)
    said = _link(
        paths, options, flags, runtime, linker=linker, output=Path(output), relaxed=relaxed, late=late, warn=warn
    )
    if name:
        store.keep(name, Path(output), said)
    return Path(output)


def _compile(path: Path, out: Path, options: Sequence[str], *, relaxed: bool, late: bool) -> str:
    """Compiles one file to an object; returns the compiler's warnings. relaxed: so is `volatile`. late: see `build`."""
    from lockfree.modelcheck.listing import Listing, prepared

    cxx = path.suffix in CXX_SUFFIXES
    cc = cxx_compiler() if cxx else compiler()
    gcc = _is_gcc(tuple(cc))
    command = _command(path, options, relaxed=relaxed)
    listing = out.with_suffix(".s")

    compiled = [*command, "-S", str(path), "-o", str(listing)]
    said = _run(compiled)
    if not cxx and NOT_DECLARED.search(said):
        compiled += ["-include", "stdlib.h", "-include", "string.h"]
        _run(compiled)

    def not_inlined() -> str:
        _run([*compiled, "-fno-inline"])
        return listing.read_text(errors="surrogateescape")

    of = Listing(
        file=str(path),
        cxx=cxx,
        gcc=gcc,
        x86=os.uname().machine in MACHINE_FLAGS,
        whole=not any(re.match("-O", option) for option in options if gcc or option != "-O0"),
        late=late,
        relaxed=relaxed,
        watched=WATCHED[0] in options,
    )
    made = prepared(
        listing.read_text(errors="surrogateescape"),
        of,
        not_inlined,
        lambda: _answer([*command, "-E", str(path)]),
        get_model_runtime(),
    )
    listing.write_text(made, errors="surrogateescape")
    _run([*cc, "-c", str(listing), "-o", str(out)])
    return said


def _link(
    paths: Sequence[Path],
    options: Sequence[str],
    flags: Sequence[str],
    runtime: Path,
    *,
    linker: Sequence[str],
    output: Path,
    relaxed: bool,
    late: bool,
    warn: Callable[[str], object] | None,
) -> str:
    """Compiles the files and links them; returns the compiler's warnings, of which `warn` was told."""
    warnings = ""
    with tempfile.TemporaryDirectory() as scratch:
        objects = [Path(scratch) / f"{number}-{path.stem}.o" for number, path in enumerate(paths)]
        for path, compiled in zip(paths, objects, strict=True):
            try:
                said = _compile(path, compiled, options, relaxed=relaxed, late=late)
            except BuildError as error:
                raise BuildError(_explained(path, str(error))) from error
            warnings += said
            if said and warn is not None:
                warn(said)
        lead(paths, objects, runtime, _answer)
        try:
            at_link = [flag for flag in flags if not flag.startswith(COVERAGE)]  # clang would link a runtime of its own
            _run([*linker, "-no-pie", *map(str, objects), str(runtime), *at_link, "-o", str(output)])
        except BuildError as error:
            raise BuildError(_explained(paths[0], str(error))) from error
    return warnings
