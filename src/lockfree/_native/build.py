"""Emits the C source of one cffi extension: `build.py NAME OUTPUT`.

An extension is made of fragments. `common/` holds what primitives share, and each primitive has a folder of its own:

    common/NAME.cdef.h   common/*.NAME.cdef.h   PRIMITIVE/NAME.cdef.h     the interface that cffi reads
    common/NAME.glue.c   common/*.NAME.glue.c   PRIMITIVE/NAME.glue.c     the C behind it

So a new primitive is a new folder, and no common file changes. The cdef text stands below the real headers once more in
the generated C: a signature that has drifted is a compile error. A line `LF_PY_TYPE(prefix)` in the glue says that
`lf_py_PREFIX_spec` makes a Python type, which `lockfree._native.base("prefix")` hands out. A line `LF_SOURCES(FOLDER)`
stands for the C files of c/FOLDER: all of them, so that a new file cannot be forgotten.
"""

import re
import sys
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).parent
INCLUDES = {"blocking": "core", "stress": "core"}
"""An extension that speaks of another one's types: it shares them instead of declaring them again."""

TYPE = re.compile(r"^LF_PY_TYPE\((\w+)\)$", re.MULTILINE)
SOURCES = re.compile(r"^LF_SOURCES\((\w+)\)$", re.MULTILINE)


def fragments(name: str, suffix: str) -> str:
    common = [HERE / "common" / f"{name}.{suffix}", *sorted(HERE.glob(f"common/*.{name}.{suffix}"))]
    own = sorted(p for p in HERE.glob(f"*/{name}.{suffix}") if p.parent.name != "common")
    return "\n".join(p.read_text() for p in [*common, *own] if p.exists())


def status_codes() -> str:
    """`enum lf_status` as it stands in the header: written once."""
    header = next(p for p in _include_folders() if p.exists()) / "lockfree" / "blocks" / "base.h"
    found = re.search(r"enum lf_status \{.*?\};", header.read_text(), re.DOTALL)
    if found is None:
        raise SystemExit(f"build.py: {header} has no enum lf_status")
    return re.sub(r"/\*.*?\*/", "", found[0], flags=re.DOTALL)


def _include_folders() -> list[Path]:
    return [parent / "c" / "include" for parent in HERE.parents]


def sources(folder: str) -> str:
    """Includes the C files of a folder beside the headers."""
    found = next(p for p in _include_folders() if p.exists()).parent / folder
    return "\n".join(f'#include "{folder}/{p.name}"' for p in sorted(found.glob("*.c")))


def interface(name: str) -> str:
    cdef = fragments(name, "cdef.h")
    return f"{status_codes()}\n{cdef}" if name == "core" else cdef


def types(glue: str) -> str:
    """The table of everything that the fragments make a Python type of."""
    rows = "".join(f'    {{"{name}", &lf_py_{name}_spec, &lf_py_{name}_type}},\n' for name in TYPE.findall(glue))
    entry = "struct lf_py_type_entry { const char *prefix; PyType_Spec *spec; PyTypeObject **type; };"
    return f"{entry}\nstatic const struct lf_py_type_entry lf_py_types[] = {{\n{rows}    {{NULL, NULL, NULL}},\n}};\n"


def kinds() -> str:
    """The table of the kinds of segments: the LF_KIND_ numbers of the headers beside the umbrella."""
    folder = next(p for p in _include_folders() if p.exists()) / "lockfree"
    found = [(p.stem, re.search(r"^#define (LF_KIND_\w+)", p.read_text(), re.MULTILINE)) for p in folder.glob("*.h")]
    rows = "".join(f'    {{{kind[1]}, "{stem}"}},\n' for stem, kind in sorted(found, key=lambda row: row[0]) if kind)
    entry = "struct lf_py_kind_entry { uint32_t number; const char *primitive; };"
    return f"{entry}\nstatic const struct lf_py_kind_entry lf_py_kinds[] = {{\n{rows}    {{0, NULL}},\n}};\n"


def builder(name: str) -> FFI:
    ffi = FFI()
    cdef = interface(name)
    if name in INCLUDES:
        ffi.include(builder(INCLUDES[name]))
    ffi.cdef(cdef or ";")
    prototypes = re.sub(r"(struct \w+) \{[^}]*\};", r"\1;", cdef)
    no_prototypes = r"^(#define .*|enum \w* ?\{[^}]*\};|extern \"Python\"[^;]*;)$"
    prototypes = re.sub(no_prototypes, "", prototypes, flags=re.MULTILINE)
    glue = SOURCES.sub(lambda line: sources(line[1]), fragments(name, "glue.c"))
    if name == "core":
        glue = f"{TYPE.sub('', glue)}\n{types(glue)}\n{kinds()}\n{(HERE / 'common' / 'types.c').read_text()}"
    source = f"{glue}\n/* the interface again: drift does not compile */\n{prototypes}"
    ffi.set_source(f"lockfree._native._{name}", source)
    return ffi


if __name__ == "__main__":
    builder(sys.argv[1]).emit_c_code(sys.argv[2])
