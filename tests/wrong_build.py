"""Builds of the package with a wrong primitive (c/wrong) in the place of the right one, under build/wrong/.

Everything else is the same: Python code, extensions, stress harness. A build is made again when a source is newer.
"""

import fcntl
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import compilers
import mutants
from patience import STUCK

ROOT = Path(__file__).resolve().parent.parent
NATIVE = ROOT / "src" / "lockfree" / "_native"
REBUILT = ("core", "blocking", "stress")
ONLY = {"third": ("stress",)}
"""Builds that are wrong in the loops in C alone; the other extensions are those of the package."""

# "first" has the mutants for stress, too; a space is to be caught with locks that are right
BUILDS = {
    "first": (
        "ring_whose_empty_lies",
        "semaphore_below_zero",
        "priority_queue_that_scans",
        "lock_without_exclusion",
        "stack_claims_in_two_steps",
    ),
    "second": ("ring_that_duplicates", "pool_claims_in_two_steps", "arena_frees_with_the_first"),
    "third": ("bundle_left_to_its_keeper",),
}


def _sources():
    for folder, pattern in ((ROOT / "c", "*.h"), (ROOT / "src" / "lockfree", "*")):
        yield from (p for p in folder.rglob(pattern) if p.is_file() and "__pycache__" not in p.parts)
    yield from (Path(__file__), Path(mutants.__file__))


def all_of_them():
    """{name: where the package is}. One process builds at a time, and the next one finds what that has built."""
    folder = ROOT / "build" / "wrong"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        begun = [start(name) for name in BUILDS]
        return {target.name: finish(target, steps) for target, steps in begun}


def start(name):
    """Begins a build: (where the package will be, processes to wait for)."""
    target = ROOT / "build" / "wrong" / name
    stamp = target / "stamp"
    if stamp.exists() and stamp.stat().st_mtime > max(p.stat().st_mtime for p in _sources()):
        return target, []
    shutil.rmtree(target, ignore_errors=True)
    package = target / "lockfree"
    shutil.copytree(
        ROOT / "src" / "lockfree", package, ignore=shutil.ignore_patterns("__pycache__", "*.cdef.h", "*.glue.c")
    )
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    from lockfree._native import _blocking, _core, _linearize, _machine, _stress

    rebuilt = ONLY.get(name, REBUILT)
    for extension in (_blocking, _core, _linearize, _machine, _stress):
        if extension.__name__.rpartition("._")[2] not in rebuilt:
            shutil.copy(extension.__file__, package / "_native")
    headers = [ROOT / "c" / "wrong" / f"{header}.h" for header in BUILDS[name]]
    of_this = [m for primitive, m in mutants.STRESS.items() if name == ("second" if primitive == "space" else "first")]
    spoiled = mutants.apply(target / "include", of_this)
    headers += [spoiled / "lockfree" / mutant.place for mutant in of_this]
    steps = []
    for extension in rebuilt:
        generated = target / f"_{extension}.c"
        includes = [f"-I{p}" for p in (NATIVE, ROOT / "c", ROOT / "c" / "include", sysconfig.get_path("include"))]
        wrong = [arg for header in headers for arg in ("-include", str(header))]
        compiler = [
            *compilers.needed("c"),
            "-O0",
            "-w",
            "-D_CFFI_NO_LIMITED_API",
            "-shared",
            "-fPIC",
            "-pthread",
            *includes,
            *wrong,
        ]
        output = package / "_native" / f"_{extension}{suffix}"
        emit = [sys.executable, str(NATIVE / "build.py"), extension, str(generated)]
        compile_ = [*compiler, "-o", str(output), str(generated)]
        steps.append(
            subprocess.Popen(["sh", "-c", '"$0" "$1" "$2" "$3" >/dev/null && shift 3 && exec "$@"', *emit, *compile_])
        )
    return target, steps


def finish(target, steps):
    for step in steps:
        assert step.wait() == 0, f"the build of {target.name} failed"
    (target / "stamp").touch()
    return target


def lockfree(target, *args, **options):
    """Runs `lockfree ARGS` of such a build, with this interpreter's other packages."""
    code = (
        "import sys; sys.meta_path = [m for m in sys.meta_path if 'editable' not in type(m).__module__];"
        f"sys.path.insert(0, {str(target)!r}); import lockfree; assert lockfree.__file__.startswith({str(target)!r});"
        "from lockfree.__main__ import main; sys.exit(main())"
    )
    return subprocess.run([sys.executable, "-c", code, *args], text=True, capture_output=True, timeout=STUCK, **options)
