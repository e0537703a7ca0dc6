"""examples/tensor: views say where NumPy says, products are NumPy's, gradients are those of finite differences."""

import itertools
import subprocess
import sys
from array import array
from pathlib import Path
from types import SimpleNamespace

import compilers
import numpy as np
import pytest
from patience import STUCK

HERE = Path(__file__).parent.parent / "examples" / "tensor"
NAMES = ("tensor", "matmul", "autograd", "picture")


@pytest.fixture(scope="module")
def example():
    """The modules of the example, imported as its main.py imports them."""
    sys.path.insert(0, str(HERE))
    try:
        yield SimpleNamespace(**{name: __import__(name) for name in NAMES})
    finally:
        sys.path.remove(str(HERE))
        for name in NAMES:
            sys.modules.pop(name, None)


def counted(example, *shape):
    """A tensor whose elements are their places in the memory, and NumPy's array of them."""
    memory = array("f", range(int(np.prod(shape))))
    return example.tensor.Tensor(memory, shape), np.arange(len(memory), dtype=np.float32).reshape(shape)


def some_view(rng, x, a):
    """The same random view of a tensor and of an array."""
    match rng.integers(3):
        case 0:
            axes = tuple(map(int, rng.permutation(a.ndim)))
            return x.transpose(*axes), a.transpose(axes)
        case 1:
            ends = [sorted(rng.integers(-n - 1, n + 2, 2)) for n in a.shape]
            steps = rng.choice([1, 1, 2, 3, -1, -2], a.ndim)
            key = tuple(slice(*(map(int, e if s > 0 else e[::-1])), int(s)) for e, s in zip(ends, steps, strict=True))
            return x[key], a[key]
        case _:
            shape = tuple(int(rng.integers(1, 4)) if n == 1 else n for n in a.shape)
            shape = (int(rng.integers(1, 3)), *shape) if a.ndim < 4 else shape
            return x.broadcast_to(*shape), np.broadcast_to(a, shape)


def some_shape(rng, size):
    """Of so many elements, with axes of length 1 here and there."""
    shape = [] if size else [0]
    while size != 1 or rng.integers(2):
        if size == 0:
            return tuple(shape)
        divisors = [d for d in range(1, size + 1) if size % d == 0]
        shape.append(int(rng.choice(divisors)))
        size //= shape[-1]
    return tuple(shape)


def test_views_of_views_are_numpys_and_reshape_copies_nothing(example):
    refused = seen = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        x, a = counted(example, *map(int, rng.integers(1, 5, rng.integers(1, 4))))
        for _ in range(rng.integers(1, 5)):
            x, a = some_view(rng, x, a)
        assert x.shape == a.shape
        np.testing.assert_array_equal(x.numpy(), a)
        for index in itertools.islice(np.ndindex(a.shape), 5):
            assert x[index] == a[index] == x.where(*index)
        shape = some_shape(rng, x.size)
        strides = example.tensor.reshaped_strides(x.shape, x.strides, shape)
        if strides is None:
            assert not np.shares_memory(a, a.reshape(shape))
            with pytest.raises(ValueError, match="without a copy"):
                x.reshape(*shape)
            refused += 1
        else:
            np.testing.assert_array_equal(x.reshape(*shape).numpy(), a.reshape(shape))
            seen += 1
    assert refused > 20
    assert seen > 100


def test_a_view_is_the_same_memory(example):
    x, _ = counted(example, 3, 4)
    x.transpose()[2:, 1:].numpy()[...] = -1
    assert x.memory.tolist() == [0, 1, 2, 3, 4, 5, -1, -1, 8, 9, -1, -1]
    copy = x.transpose().copy_to(array("f", bytes(48)))
    assert copy.is_contiguous
    copy.numpy()[...] = 7
    assert x[0, 1] == 1


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (((3, 5),), ValueError, "elements 0 to 14 do not lie within 0 to 11"),
        (((3, 4), (-4, 1), 7), ValueError, "elements -1 to 10 do not lie"),
        (((2, 2), (1,)), ValueError, "do not fit together"),
        (((-1,),), ValueError, "do not fit together"),
    ],
)
def test_a_view_cannot_leave_its_memory(example, words, error, says):
    with pytest.raises(error, match=says):
        example.tensor.Tensor(array("f", range(12)), *words)


def test_bad_arguments_are_refused(example):
    x, _ = counted(example, 3, 4)
    for call, error, says in [
        (lambda: x[3], IndexError, "index 3 on axis 0: it must be between -3 and 2"),
        (lambda: x[0, 0, 0], IndexError, "3 indices: the tensor has 2 axes"),
        (lambda: x.transpose(0, 0), ValueError, "must be there once"),
        (lambda: x.broadcast_to(3, 8), ValueError, r"\(3, 4\) cannot be broadcast to \(3, 8\)"),
        (lambda: x.broadcast_to(4), ValueError, "cannot be broadcast"),
        (lambda: x.reshape(5), ValueError, "has 5 elements: the tensor has 12"),
        (lambda: example.tensor.Tensor(bytes(8), (1,)), TypeError, "the memory is of format B"),
    ]:
        with pytest.raises(error, match=says):
            call()


def factors(example, n, depth, m):
    """Factors that are views: a transposed one, and one that runs backwards and leaves gaps."""
    rng = np.random.default_rng(n)
    memory = array("f", bytes(4 * (n * depth + 2 * depth * m)))
    a = example.tensor.Tensor(memory, (depth, n)).transpose()
    b = example.tensor.Tensor(memory, (depth, 2 * m), offset=n * depth)[::-1, ::2]
    np.frombuffer(memory, np.float32)[:] = rng.standard_normal(len(memory))
    return a, b


@pytest.mark.parametrize("way", ["by_formula", "by_rows", "in_tiles"])
def test_products_of_views_are_numpys(example, way, monkeypatch):
    monkeypatch.setenv("CC", " ".join(compilers.needed("c")))
    for n, depth, m in [(1, 1, 1), (3, 5, 7), (4, 64, 256), (66, 65, 259)]:
        a, b = factors(example, n, depth, m)
        out = example.tensor.Tensor(array("f", bytes(4 * n * m)), (n, m))
        example.matmul.multiply(a, b, out, way)
        np.testing.assert_allclose(out.numpy(), a.numpy() @ b.numpy(), rtol=1e-3, atol=1e-3)
    with monkeypatch.context() as broken:  # strides that are ignored give another product
        real, plain = example.matmul._matrix, example.tensor.Tensor
        broken.setattr(example.matmul, "_matrix", lambda t: real(plain(t.memory, t.shape)))
        other = example.tensor.Tensor(array("f", bytes(4 * n * m)), (n, m))
        example.matmul.multiply(a, b, other, way)
        assert not np.allclose(other.numpy(), out.numpy(), atol=1e-3)
    with pytest.raises(ValueError, match=r"\(66, 65\) times \(66, 65\)"):
        example.matmul.multiply(a, a, out, way)


def loss_of(example, arrays):
    block = example.autograd.Block(array("d", bytes(8 * 1000)))
    x, w, bias, scale = (
        example.autograd.Value.of(block, a, name) for a, name in zip(arrays, ("x", "w", "bias", "scale"), strict=True)
    )
    hidden = (x @ w.transpose() + bias).tanh() * scale
    loss = (hidden[:, ::-1] * hidden + hidden.reshape(4, 2)[0:2].reshape(1, 4)).sum()
    return loss, (x, w, bias, scale)


def gradients(example):
    """Ours, and those of finite differences."""
    rng = np.random.default_rng(3)
    arrays = [rng.standard_normal(shape) for shape in ((2, 3), (4, 3), (4,), (2, 1))]
    loss, values = loss_of(example, arrays)
    loss.backward()
    for array_, value in zip(arrays, values, strict=True):
        slopes = np.empty_like(array_)
        for index in np.ndindex(array_.shape):
            ends = []
            for step in (1e-6, -1e-6):
                array_[index] += step
                ends.append(loss_of(example, arrays)[0].data.numpy().item())
                array_[index] -= step
            slopes[index] = (ends[0] - ends[1]) / 2e-6
        yield value.grad.numpy(), slopes


def test_gradients_are_those_of_finite_differences(example):
    for ours, slopes in gradients(example):
        np.testing.assert_allclose(ours, slopes, rtol=1e-5, atol=1e-7)


def test_a_gradient_that_forgets_the_sum_of_a_broadcast_is_wrong(example, monkeypatch):
    def forgetful(gradient, more):
        target = gradient.numpy()
        target += more  # through stride 0 the last one wins

    monkeypatch.setattr(example.autograd, "accumulate", forgetful)
    assert not all(np.allclose(ours, slopes, rtol=1e-5, atol=1e-7) for ours, slopes in gradients(example))


def test_the_gradient_of_a_view_lies_in_that_of_its_source(example):
    block = example.autograd.Block(array("d", bytes(800)))
    w = example.autograd.Value.of(block, np.ones((4, 3)), "w")
    used, view = block.used, w.transpose()[1:]
    assert block.used == used, "a view takes no memory"
    assert view.grad.where(0, 0) - w.grad.offset == view.data.where(0, 0) - w.data.offset == 1
    view.sum().backward()
    assert w.grad.numpy().tolist() == [[0, 1, 1]] * 4
    said = example.autograd.memory_map(view.sum())
    assert "13..23  (a view of transpose)" in said


def test_the_picture_is_that_of_the_code(example):
    assert (HERE / "strides.svg").read_text() == example.picture.svg()


def test_it_runs_as_the_readme_says():
    compilers.needed("c")
    words = [sys.executable, str(HERE / "main.py"), "--sizes", "33"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=STUCK)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "x[::-1]                    shape (3, 4), strides (-4, 1), offset 8" in done.stdout
    assert "another process doubles column 1 of x: [2.0, 10.0, 18.0]" in done.stdout
    memory = done.stdout.partition("Gradients")[2].splitlines()[1:-1]
    assert len(memory) == 10
    assert "\n".join(memory) in (HERE / "README.md").read_text()
