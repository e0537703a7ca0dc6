"""Emits the C source of one cffi extension: `build.py NAME OUTPUT`.

`NAME.cdef.h` is the interface, `NAME.glue.c` the C that includes the real headers. The glue also
includes the cdef text below the headers, so that a drifting signature is a compile error.
"""

import sys
from pathlib import Path

from cffi import FFI


def main(name: str, output: str) -> None:
    here = Path(__file__).parent
    ffi = FFI()
    ffi.cdef((here / f"{name}.cdef.h").read_text())
    ffi.set_source(f"lockfree._native._{name}", (here / f"{name}.glue.c").read_text())
    ffi.emit_c_code(output)


if __name__ == "__main__":
    main(*sys.argv[1:])
