"""Matrix products in C, over tensors of any strides: as the formula says, by rows, and in tiles for the cache."""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensor import Tensor

WAYS = ("by_formula", "by_rows", "in_tiles")


class _Matrix(ctypes.Structure):
    _fields_ = (("at", ctypes.c_void_p), ("row", ctypes.c_ssize_t), ("column", ctypes.c_ssize_t))


@cache
def _library() -> Any:
    """matmul.c, compiled when it is first needed."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "matmul.so"
        source = str(Path(__file__).with_name("matmul.c"))
        compiler = os.environ.get("CC", "cc").split()
        options = ["-O3", "-march=native", "-std=c11", "-shared", "-fPIC"]  # for this very machine
        subprocess.run([*compiler, *options, source, "-o", str(out)], check=True)
        return ctypes.CDLL(str(out))


def _matrix(tensor: Tensor) -> _Matrix:
    start = ctypes.addressof(ctypes.c_char.from_buffer(tensor.memory))
    return _Matrix(start + 4 * tensor.offset, *tensor.strides)


def multiply(a: Tensor, b: Tensor, out: Tensor, way: str = "in_tiles") -> None:
    """out = a @ b for matrices of floats. `a` and `b` may be any views; `out` has no gaps, and is none of them."""
    if way not in WAYS:
        raise ValueError(f"way is {way}: it must be one of {', '.join(WAYS)}")
    if any(t.memory.format != "f" or len(t.shape) != 2 for t in (a, b, out)):
        raise TypeError("a, b and out must be matrices of format f")
    if a.shape[1] != b.shape[0] or out.shape != (a.shape[0], b.shape[1]) or not out.is_contiguous:
        raise ValueError(f"{a.shape} times {b.shape} does not give {out}")
    size = ctypes.c_size_t
    getattr(_library(), f"multiply_{way}")(
        size(a.shape[0]), size(b.shape[1]), size(a.shape[1]), _matrix(a), _matrix(b), ctypes.c_void_p(_matrix(out).at)
    )
