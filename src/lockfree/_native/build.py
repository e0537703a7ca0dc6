"""Emits the C source of one cffi extension: `build.py NAME OUTPUT`.

An extension is made of fragments: every `*.NAME.cdef.h` in this folder (and `NAME.cdef.h`) is its interface,
every `*.NAME.glue.c` (and `NAME.glue.c`, first) the C behind it. The cdef text also stands below the real headers
in the generated C, so that a drifting signature is a compile error.
"""

import re
import sys
from pathlib import Path

from cffi import FFI

INCLUDES = {"blocking": "core", "stress": "core"}
"""An extension that speaks of another one's types: it shares them instead of declaring them again."""


def fragments(name: str, suffix: str) -> str:
    here = Path(__file__).parent
    own = [here / f"{name}.{suffix}"]
    return "\n".join(p.read_text() for p in [*own, *sorted(here.glob(f"*.{name}.{suffix}"))] if p.exists())


def builder(name: str) -> FFI:
    ffi = FFI()
    cdef = fragments(name, "cdef.h") or ";"
    if name in INCLUDES:
        ffi.include(builder(INCLUDES[name]))
    ffi.cdef(cdef)
    prototypes = re.sub(r"(struct \w+) \{[^}]*\};", r"\1;", cdef)
    no_prototypes = r"^(#define .*|enum \w* ?\{[^}]*\};|extern \"Python\"[^;]*;)$"
    prototypes = re.sub(no_prototypes, "", prototypes, flags=re.MULTILINE)
    glue = f"{fragments(name, 'glue.c')}\n/* the interface again: drift does not compile */\n{prototypes}"
    ffi.set_source(f"lockfree._native._{name}", glue)
    return ffi


if __name__ == "__main__":
    builder(sys.argv[1]).emit_c_code(sys.argv[2])
