"""CONTRIBUTING.md says what to touch for a new primitive: a toy one is added so, and the package has it."""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import compilers
import pytest
from patience import STUCK

ROOT = Path(__file__).resolve().parent.parent

HEADER = """/* latch.h: a toy: a word that is set once.
 *
 * A typical use: lf_latch_set in one process, lf_latch_is_set in another.
 *
 * Contract: is_set is 1 from the first set on. Progress: wait-free. Death: nothing to do. Layout: one word. */
#ifndef LOCKFREE_LATCH_H
#define LOCKFREE_LATCH_H

#include "blocks/blocking.h"

#define LF_KIND_LATCH 200u
#define LF_LATCH_BYTES (LF_BODY_OFFSET + LF_CACHE_LINE)

struct lf_latch {
    struct lf_handle h;
    uint32_t *word;
};

LF_INLINE int lf__latch_view(struct lf_handle *h) {
    ((struct lf_latch *)h)->word = (uint32_t *)(void *)h->body;
    return h->bytes == LF_LATCH_BYTES ? LF_OK : lf_mismatch(h, "size in bytes", h->bytes, LF_LATCH_BYTES);
}
LF_INLINE int lf__latch_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    (void)h, (void)gone, (void)cursor;
    return 1;
}
static const struct lf_kind lf_latch_kind = {LF_KIND_LATCH, lf__latch_view, lf__latch_recover, 0};

#ifndef LF_MODEL
LF_INLINE int lf_latch_create(struct lf_latch *l, const char *name) {
    const uint64_t geometry[LF_GEOMETRY] = {0};
    int status = lf_segment_create(&l->h, name, &lf_latch_kind, LF_LATCH_BYTES, geometry);
    return status == LF_OK ? lf_segment_publish(&l->h, name) : status;
}
LF_INLINE int lf_latch_attach(struct lf_latch *l, const char *name) {
    return lf_segment_attach(&l->h, name, &lf_latch_kind);
}
LF_INLINE int lf_latch_attach_fd(struct lf_latch *l, int fd) { return lf_segment_attach_fd(&l->h, fd, &lf_latch_kind); }
#endif

LF_INLINE int lf_latch_set(struct lf_latch *l) {
    int status = lf_enter(&l->h);
    if (status == LF_OK)
        lf_store_release(l->word, 1u); /* [T1] pairs with [T2] */
    return status;
}
LF_INLINE int lf_latch_is_set(struct lf_latch *l) {
    int status = lf_enter(&l->h);
    return status == LF_OK ? (int)lf_load_acquire(l->word) : status; /* [T2] */
}
LF_INLINE void lf_latch_close(struct lf_latch *l) { lf_close(&l->h, NULL, 0); }

#endif
"""

C_TEST = """/* A latch is set once, for everybody. */
#include <lockfree/latch.h>

#include "check.h"

int main(void) {
    struct lf_latch l;
    CHECK_EQ(lf_latch_create(&l, NULL), LF_OK);
    CHECK_EQ(lf_latch_is_set(&l), 0);
    CHECK_EQ(lf_latch_set(&l), LF_OK);
    CHECK_EQ(lf_latch_is_set(&l), 1);
    lf_detach(&l.h);
    return 0;
}
"""

INTERFACE = """struct lf_latch {
    struct lf_handle h;
    ...;
};
int lf_latch_create(struct lf_latch *l, const char *name);
int lf_latch_attach(struct lf_latch *l, const char *name);
int lf_latch_attach_fd(struct lf_latch *l, int fd);
int lf_latch_set(struct lf_latch *l);
int lf_latch_is_set(struct lf_latch *l);
void lf_latch_close(struct lf_latch *l);
"""

PYTHON = """\"\"\"Latch: a word that is set once.\"\"\"

from lockfree._errors import raise_status
from lockfree._native import NULL, lib
from lockfree._segment import Shared, check_name

__all__ = ["Latch"]


class Latch(Shared):
    \"\"\"A word that is set once. Progress: wait-free.\"\"\"

    _struct = "struct lf_latch"
    _attach = lib.lf_latch_attach
    _attach_fd = lib.lf_latch_attach_fd
    _close = lib.lf_latch_close

    def __init__(self, *, name: str | None = None) -> None:
        name = check_name(name)
        handle = self._begin(name)
        self._created(handle, lib.lf_latch_create(handle, NULL if name is None else name.encode()))

    def set(self) -> None:
        \"\"\"Sets it.\"\"\"
        status = lib.lf_latch_set(self._h)
        if status:
            raise_status(status, self._title(), self._h)

    def is_set(self) -> bool:
        \"\"\"Whether it is set.\"\"\"
        status = lib.lf_latch_is_set(self._h)
        if status < 0:
            raise_status(status, self._title(), self._h)
        return bool(status)
"""

TOY = {
    "c/include/lockfree/X.h": HEADER,
    "c/tests/test_X.c": C_TEST,
    "src/lockfree/_native/X/": {"core.cdef.h": INTERFACE},
    "src/lockfree/X.py": PYTHON,
    "tests/test_X.py": "def test_latch(): ...\n",
    "stress/test_X.py": "def test_latch(): ...\n",
    "benchmarks/bench_X.py": "def columns():\n    return []\n",
    "docs/primitives/X.md": "# Latch\n",
}


def listed():
    """The first column of CONTRIBUTING's table."""
    text = (ROOT / "CONTRIBUTING.md").read_text().split("Touch exactly these")[1].split("\n\n")[1]
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


def run(*command, cwd, **options):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=STUCK, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the sources with the toy in it: each file of the table, and no other."""
    tree = tmp_path_factory.mktemp("tree") / "lockfree"
    leave = shutil.ignore_patterns("__pycache__", "build", ".venv", "*.so", "corpus")
    for folder in ("c", "src", "tests", "stress", "docs", "benchmarks"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=leave)
    shutil.copy(ROOT / "ARCHITECTURE.md", tree)
    assert set(listed()) == {*TOY, "c/include/lockfree/lockfree.h"}
    for place, content in TOY.items():
        target = tree / place.replace("X", "latch")
        if isinstance(content, dict):
            target.mkdir()
            for name, text in content.items():
                (target / name).write_text(text)
        else:
            target.write_text(content)
    umbrella = tree / "c/include/lockfree/lockfree.h"
    umbrella.write_text(umbrella.read_text().replace('#include "mutex.h"', '#include "latch.h"\n#include "mutex.h"'))
    package = {"PYTHONPATH": str(tree / "src"), "PATH": "/usr/bin:/bin"}
    names = "import runpy; runpy.run_module('lockfree._names', run_name='__main__')"
    run(sys.executable, "-S", "-c", names, cwd=tree, env=package)
    return tree


def test_the_house_finds_nothing_missing(tree):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_architecture.py"]
    said = run(*command, "-k", "not circle", cwd=tree)  # of c/model and the like, which compile for long
    assert " passed" in said
    assert "Latch as Latch" in (tree / "src/lockfree/__init__.pyi").read_text()


def test_the_house_misses_what_is_missing(tree):
    places = [place.replace("X", "latch") for place in sorted(set(TOY) - {"c/include/lockfree/X.h"})]
    for number, place in enumerate(places):
        (tree / place).rename(tree / f"aside{number}")
    house = ["-p", "no:cacheprovider", "-vv", "tests/test_architecture.py", "-k", "latch"]
    try:
        done = subprocess.run([sys.executable, "-m", "pytest", *house], cwd=tree, capture_output=True, text=True)
    finally:
        for number, place in enumerate(places):
            (tree / f"aside{number}").rename(tree / place)
    assert done.returncode == 1
    assert "test_a_primitive_is_complete[latch]" in done.stdout
    for place in places:
        assert (place + "core.cdef.h" if place.endswith("/") else place) in done.stdout


def test_the_package_has_it(tree, shm_name):
    native = tree / "src/lockfree/_native"
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    includes = [f"-I{p}" for p in (native, tree / "c", tree / "c/include", sysconfig.get_path("include"))]
    steps = []
    for extension in ("core", "blocking"):
        generated, output = tree / f"_{extension}.c", native / f"_{extension}{suffix}"
        run(sys.executable, str(native / "build.py"), extension, str(generated), cwd=tree)
        command = [*compilers.needed("c"), "-O0", "-w", "-D_CFFI_NO_LIMITED_API", "-shared", "-fPIC", "-pthread"]
        steps.append(subprocess.Popen([*command, *includes, "-o", str(output), str(generated)]))
    assert [step.wait() for step in steps] == [0, 0]
    code = (
        "import sys; sys.meta_path = [m for m in sys.meta_path if 'editable' not in type(m).__module__];"
        f"sys.path.insert(0, {str(tree / 'src')!r}); import lockfree; from lockfree._sweep import segments;"
        f"l = lockfree.Latch(name={shm_name!r}); k = lockfree.Latch.attach({shm_name!r}); l.set();"
        f"print(k.is_set(), [s.kind for s in segments() if s.name == {shm_name!r}]); l.unlink()"
    )
    said = run(sys.executable, "-c", code, cwd=tree)
    assert said == "True ['Latch']\n"


def test_the_c_test_is_found(tree):
    assert "1 passed, 0 failed" in run(sys.executable, "c/tests/run.py", "test_latch", "--only", "c11", cwd=tree)
