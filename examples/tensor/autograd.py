"""Gradients, and where they live: reverse-mode differentiation over tensors in one block of memory.

A value that was computed has memory for its elements, and as much for its gradient. A view has neither: its elements
lie in the value that it is a view of, and *its gradient lies in that one's gradient, with the same strides*. So a view
costs nothing on the way back, either: what flows into its gradient has already arrived.

Broadcasting is a view with stride 0: many elements in one place. So the gradient of a broadcast value is a sum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable


class Block:
    """Hands out pieces of a memory, one after the other."""

    def __init__(self, memory: Any) -> None:
        self.memory, self.used = memoryview(memory), 0

    def take(self, shape: tuple[int, ...]) -> Tensor:
        tensor = Tensor(self.memory, shape, offset=self.used)
        self.used += tensor.size
        return tensor


def accumulate(gradient: Tensor, more: Any) -> None:
    """gradient += more. Along an axis of stride 0 all elements are one: what comes for them is added up."""
    for axis, stride in enumerate(gradient.strides):
        if stride == 0 and gradient.shape[axis] > 1:
            more = more.sum(axis=axis, keepdims=True)
            gradient = gradient[tuple([slice(None)] * axis + [slice(0, 1)])]
    target = gradient.numpy()
    target += more


class Value:
    """A tensor, its gradient, and how it came about."""

    def __init__(self, block: Block, data: Tensor, grad: Tensor, name: str, sources: tuple[Value, ...] = ()) -> None:
        self.block, self.data, self.grad, self.name, self.sources = block, data, grad, name, sources
        self.pull: Callable[[], None] = lambda: None
        """Adds to the gradients of the sources what this one's gradient means for them."""
        self.is_view = False

    @classmethod
    def of(cls, block: Block, array: Any, name: str) -> Value:
        array = np.asarray(array)
        value = cls(block, block.take(array.shape), block.take(array.shape), name)
        value.data.numpy()[...] = array
        value.grad.numpy()[...] = 0
        return value

    # ---- views: no memory, nothing to do on the way back ----

    def _view(self, name: str, see: Callable[[Tensor], Tensor]) -> Value:
        view = Value(self.block, see(self.data), see(self.grad), name, (self,))
        view.is_view = True
        return view

    def __getitem__(self, key: Any) -> Value:
        return self._view("slice", lambda tensor: tensor[key])

    def transpose(self) -> Value:
        return self._view("transpose", Tensor.transpose)

    def reshape(self, *shape: int) -> Value:
        return self._view("reshape", lambda tensor: tensor.reshape(*shape))

    def broadcast_to(self, *shape: int) -> Value:
        return self._view("broadcast", lambda tensor: tensor.broadcast_to(*shape))

    # ---- operations: new memory, and a rule for the way back ----

    def _new(self, name: str, array: Any, *sources: Value) -> Value:
        value = Value.of(self.block, array, name)
        value.sources = sources
        return value

    def __add__(self, other: Value) -> Value:
        a, b = fitted(self, other)
        out = self._new("+", a.data.numpy() + b.data.numpy(), a, b)

        def pull() -> None:
            for source in (a, b):
                accumulate(source.grad, out.grad.numpy())

        out.pull = pull
        return out

    def __mul__(self, other: Value) -> Value:
        a, b = fitted(self, other)
        out = self._new("*", a.data.numpy() * b.data.numpy(), a, b)

        def pull() -> None:
            accumulate(a.grad, out.grad.numpy() * b.data.numpy())
            accumulate(b.grad, out.grad.numpy() * a.data.numpy())

        out.pull = pull
        return out

    def __matmul__(self, other: Value) -> Value:
        out = self._new("@", self.data.numpy() @ other.data.numpy(), self, other)

        def pull() -> None:
            accumulate(self.grad, out.grad.numpy() @ other.data.transpose().numpy())
            accumulate(other.grad, self.data.transpose().numpy() @ out.grad.numpy())

        out.pull = pull
        return out

    def tanh(self) -> Value:
        out = self._new("tanh", np.tanh(self.data.numpy()), self)
        out.pull = lambda: accumulate(self.grad, out.grad.numpy() * (1 - out.data.numpy() ** 2))
        return out

    def sum(self) -> Value:
        out = self._new("sum", self.data.numpy().sum(keepdims=True), self)
        out.pull = lambda: accumulate(self.grad, np.broadcast_to(out.grad.numpy(), self.grad.shape))
        return out

    # ---- the way back ----

    def graph(self) -> list[Value]:
        """This value and all that it came from, sources first."""
        found: list[Value] = []

        def visit(value: Value) -> None:
            if value not in found:
                for source in value.sources:
                    visit(source)
                found.append(value)

        visit(self)
        return found

    def backward(self) -> None:
        """Adds to every gradient in the graph what the sum of this value's elements owes to it."""
        self.grad.numpy()[...] += 1
        for value in reversed(self.graph()):
            value.pull()


def fitted(a: Value, b: Value) -> tuple[Value, Value]:
    """Two values of the same shape: broadcast where they were not."""
    shape = np.broadcast_shapes(a.data.shape, b.data.shape)
    first, second = (v if v.data.shape == shape else v.broadcast_to(*shape) for v in (a, b))
    return first, second


def memory_map(value: Value) -> str:
    """Where the elements and the gradients of a graph lie: a line for each value."""
    lines = [f"{'value':>12}  {'shape':>8}  {'strides':>8}  elements at  gradient at"]
    for one in value.graph():
        places = []
        for tensor in (one.data, one.grad):
            corners = [tensor.where(*(0 if low else n - 1 for n in tensor.shape)) for low in (True, False)]
            places.append(f"{min(corners)}..{max(corners)}")
        whose = f"  (a view of {one.sources[0].name})" if one.is_view else ""
        shape, strides = (",".join(map(str, numbers)) for numbers in (one.data.shape, one.data.strides))
        lines.append(f"{one.name:>12}  {shape:>8}  {strides:>8}  {places[0]:>11}  {places[1]:>11}{whose}")
    return "\n".join(lines)
