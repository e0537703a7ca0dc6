"""Tensors over a block of shared memory: views, a matrix product for the cache, gradients. Prints what it does."""

from __future__ import annotations

import argparse
import multiprocessing
import time
from pathlib import Path
from typing import Any

import numpy as np
import picture
from autograd import Block, Value, memory_map
from matmul import WAYS, multiply
from tensor import Tensor

import lockfree


def floats(arena: lockfree.Arena, count: int) -> memoryview:
    """A block of shared memory. It is free again when the last tensor over it is gone."""
    block = arena.alloc(4 * count, block=True)
    return memoryview(block.array("f4"))


def doubles_a_column(arena: lockfree.Arena, handle: bytes) -> None:
    """Another process: the same memory, a view of its own."""
    Tensor(memoryview(arena.open_block(handle).array("f4")), (3, 4))[:, 1].numpy()[...] *= 2


def show_views(arena: lockfree.Arena) -> None:
    for name, tensor in picture.views():
        print(f"  {name:<26} shape {tensor.shape}, strides {tensor.strides}, offset {tensor.offset}")
    block = arena.alloc(48, block=True)
    x = Tensor(memoryview(block.array("f4")), (3, 4))
    x.numpy()[...] = np.arange(12).reshape(3, 4)
    try:
        x.transpose().reshape(12)
    except ValueError as refused:
        print(f"  x.transpose().reshape(12)  {refused}")
    process = multiprocessing.get_context("spawn").Process(target=doubles_a_column, args=(arena, block.handle()))
    process.start()
    process.join()
    print(f"  another process doubles column 1 of x: {[x[i, 1] for i in range(3)]}")


def best_of(call: Any, rounds: int = 3) -> float:
    spans = []
    for _ in range(rounds):
        begin = time.perf_counter()
        call()
        spans.append(time.perf_counter() - begin)
    return min(spans)


def speeds(a: Tensor, b: Tensor, c: Tensor) -> tuple[bool, list[float]]:
    """Whether all products are right, and the GFLOP/s of each way and of NumPy."""
    expected, right, seconds = a.numpy() @ b.numpy(), True, list[float]()
    for way in WAYS:
        seconds.append(best_of(lambda way=way: multiply(a, b, c, way)))
        right &= np.allclose(c.numpy(), expected, rtol=1e-3, atol=1e-3)
    seconds.append(best_of(lambda: np.matmul(a.numpy(), b.numpy(), out=c.numpy())))
    return right, [2 * a.size * b.shape[1] / s / 1e9 for s in seconds]


def show_products(arena: lockfree.Arena, sizes: list[int]) -> bool:
    print(f"  {'n':>5}  {'GFLOP/s':<11}" + "".join(f"{way:>12}" for way in (*WAYS, "NumPy")))
    all_right = True
    for n in sizes:
        memory, rng = floats(arena, 3 * n * n), np.random.default_rng(n)
        a, b, c = (Tensor(memory, (n, n), offset=i * n * n) for i in range(3))
        a.numpy()[...], b.numpy()[...] = rng.standard_normal((2, n, n), np.float32)
        for name, factor in (("A @ B", b), ("A @ B.T", b.transpose())):
            right, found = speeds(a, factor, c)
            all_right &= right
            print(f"  {n:>5}  {name:<11}" + "".join(f"{speed:>12.2f}" for speed in found))
    return all_right


def show_gradients(arena: lockfree.Arena) -> None:
    block, rng = Block(floats(arena, 200)), np.random.default_rng(0)
    x = Value.of(block, rng.standard_normal((2, 3)), "x")
    w = Value.of(block, rng.standard_normal((4, 3)), "w")
    bias = Value.of(block, rng.standard_normal(4), "bias")
    loss = (x @ w.transpose() + bias).tanh().sum()
    loss.backward()
    print("\n".join(f"  {line}" for line in memory_map(loss).splitlines()))
    at = bias.grad.offset
    print(f"  the gradient of bias, floats {at} to {at + 3} of the memory: {bias.grad.numpy().round(3)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[64, 256, 512], help="of matrices (default: 64 256 512)"
    )
    parser.add_argument("--picture", type=Path, help="only write the picture of strides to this file")
    args = parser.parse_args()
    if min(args.sizes) < 1:
        parser.error(f"--sizes has {min(args.sizes)}: it must be at least 1")
    if args.picture:
        args.picture.write_text(picture.svg())
        return 0
    arena = lockfree.Arena(12 * max(args.sizes) ** 2 + (1 << 20))
    print("Views of 12 floats in shared memory")
    show_views(arena)
    print("\nMatrix products")
    right = show_products(arena, args.sizes)
    print("\nGradients: loss = sum(tanh(x @ w.T + bias))")
    show_gradients(arena)
    if not right:
        print("WRONG: a product differs from NumPy's")
    return int(not right)


if __name__ == "__main__":
    raise SystemExit(main())
