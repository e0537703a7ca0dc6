"""Tensors as views: a piece of memory, and three things that say where in it an element lies.

    element [i, j, ...] is memory[offset + i * strides[0] + j * strides[1] + ...]

Strides count elements here (NumPy's count bytes). Reshape, slice, broadcast and transpose compute new strides, and
touch no element. The memory can be shared with other processes: a `memoryview` of any buffer will do.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Shape = tuple[int, ...]


def rows_after_rows(shape: Shape) -> Shape:
    """The strides of a tensor without gaps whose last axis is the fastest: what C calls an array."""
    strides, step = [0] * len(shape), 1
    for axis in reversed(range(len(shape))):
        strides[axis] = step
        step *= shape[axis]
    return tuple(strides)


class Tensor:
    """A view of `memory`, one-dimensional and of format "f" or "d". It owns nothing and copies nothing."""

    def __init__(
        self, memory: Any, shape: Sequence[int], strides: Sequence[int] | None = None, offset: int = 0
    ) -> None:
        self.memory = memoryview(memory)
        self.shape: Shape = tuple(shape)
        self.strides: Shape = rows_after_rows(self.shape) if strides is None else tuple(strides)
        self.offset = offset
        if self.memory.ndim != 1 or self.memory.format not in {"f", "d"}:
            raise TypeError(f"the memory is of format {self.memory.format}: cast it to f or d")
        if min(self.shape, default=0) < 0 or len(self.shape) != len(self.strides):
            raise ValueError(f"shape {self.shape} and strides {self.strides} do not fit together")
        if self.size:  # no element may lie outside, whatever the strides
            steps = [(n - 1) * stride for n, stride in zip(self.shape, self.strides, strict=True)]
            least, most = offset + sum(s for s in steps if s < 0), offset + sum(s for s in steps if s > 0)
            if least < 0 or most >= len(self.memory):
                raise ValueError(f"elements {least} to {most} do not lie within 0 to {len(self.memory) - 1}")

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def is_contiguous(self) -> bool:
        """Whether the elements follow each other in memory in the order of their indices."""
        wanted = rows_after_rows(self.shape)
        return all(n == 1 or s == w for n, s, w in zip(self.shape, self.strides, wanted, strict=True))

    def where(self, *index: int) -> int:
        """The place of an element in the memory."""
        return self.offset + sum(i * stride for i, stride in zip(index, self.strides, strict=True))

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(self.shape[0]))

    # ---- views ----

    def __getitem__(self, key: Any) -> Any:
        """A view; a number if every axis has got an integer. Axes take integers and slices."""
        keys = key if isinstance(key, tuple) else (key,)
        if len(keys) > len(self.shape):
            raise IndexError(f"{len(keys)} indices: the tensor has {len(self.shape)} axes")
        offset, shape, strides = self.offset, list[int](), list[int]()
        for axis, (n, stride) in enumerate(zip(self.shape, self.strides, strict=True)):
            at = keys[axis] if axis < len(keys) else slice(None)
            if isinstance(at, slice):
                begin, end, step = at.indices(n)
                shape.append(len(range(begin, end, step)))
                strides.append(stride * step)  # every second element: twice the stride; backwards: a negative one
                offset += begin * stride if shape[-1] else 0
            elif -n <= at < n:
                offset += (at + n if at < 0 else at) * stride  # the axis is gone: only the offset remembers it
            else:
                raise IndexError(f"index {at} on axis {axis}: it must be between {-n} and {n - 1}")
        if not shape:
            return self.memory[offset]
        return Tensor(self.memory, shape, strides, offset)

    def transpose(self, *axes: int) -> Tensor:
        """The same elements with their axes in another order (none given: reversed)."""
        axes = axes or tuple(reversed(range(len(self.shape))))
        if sorted(axes) != list(range(len(self.shape))):
            raise ValueError(f"axes are {axes}: each of 0 to {len(self.shape) - 1} must be there once")
        return Tensor(self.memory, [self.shape[a] for a in axes], [self.strides[a] for a in axes], self.offset)

    def broadcast_to(self, *shape: int) -> Tensor:
        """Axes of length 1, and new ones in front, get any length. Their stride is 0: all elements are the same one."""
        new = len(shape) - len(self.shape)
        if new < 0 or any(n not in {1, wanted} for n, wanted in zip(self.shape, shape[new:], strict=True)):
            raise ValueError(f"shape {self.shape} cannot be broadcast to {shape}")
        kept = zip(self.shape, shape[new:], self.strides, strict=True)
        strides = [0] * new + [0 if n != wanted else stride for n, wanted, stride in kept]
        return Tensor(self.memory, shape, strides, self.offset)

    def reshape(self, *shape: int) -> Tensor:
        """The elements in the same order in another shape. ValueError where that needs a copy: say `copy_to` first."""
        if math.prod(shape) != self.size:
            raise ValueError(f"shape {shape} has {math.prod(shape)} elements: the tensor has {self.size}")
        strides = reshaped_strides(self.shape, self.strides, shape)
        if strides is None:
            raise ValueError(f"shape {self.shape} with strides {self.strides} cannot be seen as {shape} without a copy")
        return Tensor(self.memory, shape, strides, self.offset)

    # ---- elements ----

    def numpy(self) -> Any:
        """A NumPy array over the same memory."""
        flat = np.frombuffer(self.memory, np.dtype(self.memory.format))
        strides = [s * flat.itemsize for s in self.strides]
        return np.lib.stride_tricks.as_strided(flat[self.offset :], self.shape, strides)

    def copy_to(self, memory: Any) -> Tensor:
        """A tensor without gaps at the beginning of `memory`. The only method that copies elements."""
        copy = Tensor(memory, self.shape)
        copy.numpy()[...] = self.numpy()
        return copy

    def __repr__(self) -> str:
        return f"Tensor(shape={self.shape}, strides={self.strides}, offset={self.offset})"


def reshaped_strides(old: Shape, strides: Shape, new: Shape) -> Shape | None:
    """Strides that give the same elements in the same order, or None.

    Axes that are cut up or joined together must lie without a gap, so it is done group by group: the smallest groups of
    old and new axes with as many elements.
    """
    if 0 in new:
        return rows_after_rows(new)
    axes = [(n, s) for n, s in zip(old, strides, strict=True) if n != 1]  # an axis of length 1 has no say
    found, i, j = [1] * len(new), 0, 0
    while i < len(axes):
        first, begin, many, wanted = i, j, axes[i][0], new[j]
        while many != wanted:
            if wanted < many:
                j += 1
                wanted *= new[j]
            else:
                i += 1
                many *= axes[i][0]
        joined = axes[first : i + 1]
        if any(s != after[0] * after[1] for (_, s), after in itertools.pairwise(joined)):
            return None
        step = joined[-1][1]
        for axis in reversed(range(begin, j + 1)):
            found[axis], step = step, step * new[axis]
        i, j = i + 1, j + 1
    return tuple(found)
