"""Kernels that read their inputs through index arrays: the bits and errors of the steps apart."""

import numpy as np
import pytest
from compile_checks import replays

import tapegrad as tg

RNG = np.random.default_rng(11)
NODES = 40
ARRAYS = {
    "vector": RNG.normal(size=NODES),
    "rows": RNG.normal(size=(NODES, 3)),
    "long rows": RNG.normal(size=(NODES, 17)),
    "float32": RNG.normal(size=(NODES, 5)).astype(np.float32),
    "a view": RNG.normal(size=(4, NODES, 2)).T[1],
}


def indices(count, dtype=np.int64, rng=RNG):
    return rng.integers(-NODES, NODES, size=count).astype(dtype)


def edge_loss(x, i, j):
    return np.sum((x[i] - x[j]) ** 2)


def corners(x, i, j):
    middle = 0.25 * x[i] + 0.5 * x[j] + 0.25 * x[i[::-1]]
    return np.tanh(middle) - 1.0


def row_sums(x, i, j):
    return np.sum(np.exp(x[i]) * x[j], axis=-1)


def columns(x, i, j):
    y = np.multiply.outer(np.array([1.0, 2.0], x.dtype), x)
    return np.sin(y[:, i] * y[:, j]), y


def table(x, i, j):
    """Wider than the array, and read again after a sum."""
    weights = np.exp(-(np.take(x, i, axis=0) ** 2))
    return weights / (1.0 + np.sum(weights)) * np.take(x, j, axis=0)


FUNCTIONS = [edge_loss, corners, row_sums, columns, table]


def same(found, expected):
    if isinstance(expected, tuple):
        for a, b in zip(found, expected, strict=True):
            same(a, b)
    else:
        assert np.asarray(found).dtype == np.asarray(expected).dtype
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])
def test_bits_of_the_steps_apart(name, f, dtype):
    x = ARRAYS[name]
    one, apart = tg.compile(f), tg.compile(f, passes={"fuse": False})
    for _ in range(5):
        i, j = (indices(57, np.int64) for _ in range(2))
        if dtype is np.uint8:
            i, j = np.abs(i) % NODES, np.abs(j) % NODES
        i, j = i.astype(dtype), j.astype(dtype)
        same(one(x, i, j), apart(x, i, j))
    assert replays(one) >= 2


@pytest.mark.parametrize("f", [edge_loss, corners, table], ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", ARRAYS)
def test_gradients(name, f):
    x = ARRAYS[name]

    def loss(x, i, j):
        return np.sum(f(x, i, j))

    gradient = tg.value_and_grad(loss)
    one, apart = tg.compile(gradient), tg.compile(gradient, passes={"fuse": False})
    for _ in range(5):
        i, j = indices(90), indices(90)
        same(one(x, i, j), apart(x, i, j))
    expected = gradient(x, i, j)[1]
    np.testing.assert_allclose(one(x, i, j)[1], expected, rtol=1e-5 if x.dtype == "f4" else 1e-12)
    assert replays(one) >= 2


@pytest.mark.parametrize("count", [7, 200])
def test_jacobians(count):
    i = np.abs(indices(count)) % 5

    def points(x):
        rows = np.outer(np.arange(1.0, 6.0), x[:3]) ** 2 * x[3]
        return (2.0 - rows[i]).reshape(-1)

    plain = tg.jacobian(points)
    one = tg.compile(plain)
    for k in range(4):
        x = np.array([0.5, -1.0, 2.0, 3.0]) + k
        np.testing.assert_allclose(one(x), plain(x), rtol=1e-14)
    assert replays(one) >= 2


def test_captured_and_strided_indices():
    edges = indices((70, 2))

    def f(x):
        return np.sum((x[edges[:, 0]] - x[edges[:, 1]]) ** 2, axis=0)

    one, apart = tg.compile(f), tg.compile(f, passes={"fuse": False})
    for k in range(4):
        x = ARRAYS["rows"] * (k + 1.0)
        same(one(x), apart(x))
    edges[:] = indices((70, 2))
    same(one(x), apart(x))
    np.testing.assert_allclose(one(x), f(x), rtol=1e-13)


def test_a_kernel_reads_through_the_indices():
    x, i, j = ARRAYS["vector"], indices(100), indices(100)
    one, apart = tg.compile(edge_loss), tg.compile(edge_loss, passes={"fuse": False})
    for compiled in (one, apart):
        for _ in range(3):
            compiled(x, i, j)
    assert "program: 1 step" in str(one.inspect())
    assert "program: 5 steps" in str(apart.inspect())


@pytest.mark.parametrize("at", [0, 50, 4999])
def test_indices_out_of_range(at):
    x = ARRAYS["rows"]
    compiled = tg.compile(corners)
    good = indices(5000)
    for _ in range(3):
        compiled(x, good, good)
    for wrong in (NODES, -NODES - 1, 10**15, -(2**63)):
        i = good.copy()
        i[at:] = wrong
        with pytest.raises(IndexError) as plain:
            corners(tg.Variable(x), i, good)
        with pytest.raises(IndexError) as replayed:
            compiled(x, i, good)
        assert str(replayed.value) == str(plain.value)
        assert f"index {wrong} is out of bounds for axis 0 with size {NODES}" in str(plain.value)
    j = good.copy()
    i[at], j[0] = NODES + 1, NODES + 2
    i[:at] = 0
    i[at + 1 :] = 0
    with pytest.raises(IndexError, match=f"index {NODES + 1} "):  # plain code takes x[i] first
        compiled(x, i, j)
    same(compiled(x, good, good), tg.compile(corners, passes={"fuse": False})(x, good, good))


def test_no_indices_and_lengths():
    compiled = tg.compile(tg.value_and_grad(edge_loss))
    x = ARRAYS["rows"]
    for n in (6, 6, 11, 11, 30, 0, 1, 7, 0):
        i, j = indices(n), indices(n)
        value, slope = compiled(x, i, j)
        expected = tg.value_and_grad(edge_loss)(x, i, j)
        np.testing.assert_allclose(value, expected[0], rtol=1e-13)
        np.testing.assert_allclose(slope, expected[1], rtol=1e-13, atol=1e-14)


def test_masks_are_left_alone():
    def f(x, mask):
        return np.exp(x[mask]) - x[~mask][0]

    compiled = tg.compile(f)
    for k in range(4):
        mask = np.arange(NODES) % 3 != k % 2
        np.testing.assert_allclose(compiled(ARRAYS["vector"], mask), f(ARRAYS["vector"], mask))


@pytest.mark.parametrize("axes", [(0, None, None), (None, 0, 0), (0, 0, None)])
def test_vmap(axes):
    xs, rows, more = RNG.normal(size=(6, NODES)), indices((6, 25)), indices((6, 25))
    args = [xs if axes[0] == 0 else xs[0]]
    args += [rows if axes[1] == 0 else rows[0], more if axes[2] == 0 else more[0]]
    mapped = tg.vmap(corners, in_axes=axes)
    compiled = tg.compile(mapped)
    for _ in range(3):
        found = compiled(*args)
    for k in range(6):
        one = [a[k] if axis == 0 else a for a, axis in zip(args, axes, strict=True)]
        np.testing.assert_allclose(found[k], corners(*one), rtol=1e-13)
