"""Calls of np.einsum that the core answers: NumPy's value, layout and errors, each time."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import _core

RNG = np.random.default_rng(5)


def axes_in_memory(strides):
    return sorted(range(len(strides)), key=lambda i: (-abs(strides[i]), i))


def lies_as(found, expected):
    lying = _core.memory_strides(found)
    shape = expected.shape
    if lying is None:
        lying = np.empty(shape).strides
    ours = [i for i in axes_in_memory(lying) if shape[i] != 1]
    return ours == [i for i in axes_in_memory(expected.strides) if shape[i] != 1]


CALLS = [
    ("i,i->", (4,), (4,)), ("i,i", (4,), (4,)), ("i,j->ij", (3,), (4,)), ("i,j->ji", (3,), (4,)),
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk->ki", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)),
    ("ij,kj->ik", (2, 3), (4, 3)), ("ij,ij->ij", (2, 3), (2, 3)), ("ij,ij->ji", (2, 3), (2, 3)),
    ("ij,j->i", (2, 3), (3,)), ("bij,bjk->bik", (5, 2, 3), (5, 3, 4)), ("ij,->ij", (2, 3), ()),
    ("bij,bjk->ikb", (5, 2, 3), (5, 3, 4)), ("...j,jk->...k", (2, 5, 3), (3, 4)),
    ("i...,i...->...i", (2, 3), (2, 3)), ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("ij,jk->ik", (2, 1), (1, 4)), ("ij,jk->ik", (1, 3), (3, 4)), ("ij,jk->ik", (2, 0), (0, 4)),
    ("ii,i->i", (3, 3), (3,)), ("ij,ij->", (2, 3), (2, 3)),
]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_values_and_layout(call, dtype):
    subscripts, *shapes = call
    arrays = [RNG.standard_normal(shape).astype(dtype) for shape in shapes]
    expected = np.einsum(subscripts, *arrays)
    for k in range(len(arrays)):
        for text in (subscripts, subscripts, " ".join(subscripts.split(" "))):
            mixed = [tg.Variable(a) if i == k else a for i, a in enumerate(arrays)]
            if not shapes[k]:
                mixed[k] = np.exp(tg.Variable(np.log(np.abs(arrays[k]))))
                expected = np.einsum(subscripts, *map(tg.value, mixed))
            found = np.einsum(text, *mixed)
            assert isinstance(found, type(expected))
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(tg.value(found), expected, rtol=1e-5)
            assert lies_as(found, expected)


@pytest.mark.parametrize("n", [1, 4])
def test_operands_in_other_orders(n):
    a, b = RNG.standard_normal((3, n)), RNG.standard_normal((3, 4))
    v = tg.Variable(a)
    for _ in range(3):
        for given, plain in ((v.T, a.T), (v, a), (v[::-1], a[::-1]), (v.T.copy(), a.T.copy())):
            fits = "ij,jk->ik" if plain.shape[1] == 3 and plain.shape != (3, 3) else "ji,jk->ik"
            for text in (fits, fits.replace("ik", "ki")):
                expected = np.einsum(text, plain, b)
                found = np.einsum(text, given, b)
                np.testing.assert_allclose(tg.value(found), expected)
                assert lies_as(found, expected)


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ij,jk->ik", ((2, 3), (4, 5))), ("i,i->", ((3,), (4,))), ("ij,jk->iz", ((2, 3), (3, 4))),
        ("ij->i", ((2, 3), (3,))), ("i,j-ij", ((2,), (3,))), ("i,i->ii", ((3,), (3,))),
        ("ijk,jk->i", ((2, 3), (3, 4))), ("i?,i->i", ((2, 3), (2,))),
    ],
)  # fmt: skip
def test_complaints_come_each_time(subscripts, shapes):
    a, b = (np.ones(shape) for shape in shapes)
    for _ in range(3):
        with pytest.raises(ValueError, match="einsum"):
            np.einsum(subscripts, tg.Variable(a), b)


def test_lengths_that_fit_do_not_let_others_pass():
    v, w = tg.Variable(np.ones((2, 3))), np.ones((3, 2))
    for _ in range(3):
        assert np.einsum("ij,jk->ik", v, w).shape == (2, 2)
        with pytest.raises(ValueError, match="length 3 in operand 0"):
            np.einsum("ij,jk->ik", v, np.ones((4, 2)))


def test_what_else_may_stand_there():
    v, m = tg.Variable(np.arange(3.0)), np.arange(9.0).reshape(3, 3)
    calls = [
        lambda x: np.einsum("i,i->", x, [1.0, 2.0, 3.0]),
        lambda x: np.einsum("i,i->", x, np.arange(3)),
        lambda x: np.einsum("i,i->", x, x, optimize=True),
        lambda x: np.einsum("i,ij->j", x, m, dtype=float),
        lambda x: np.einsum(x, [0], m, [0, 1], [1]),
        lambda x: np.einsum("i,ij,j->", x, m, x),
        lambda x: np.einsum("i,i,i,i,i->", x, x, x, x, x),
        lambda x: np.einsum("i,i->i", x, np.arange(3.0)[::-1]),
    ]
    for call in calls:
        expected = call(np.arange(3.0))
        for _ in range(2):
            found = call(v)
            np.testing.assert_allclose(tg.value(found), expected)
            assert isinstance(found, type(expected))


@pytest.mark.parametrize("compiled", [False, True])
def test_derivatives(compiled):
    a, b = RNG.standard_normal((2, 3)), RNG.standard_normal((3, 2))

    def f(x):
        return np.einsum("ij,ji->", np.einsum("ij,jk->ik", x, b), x @ b)

    gradient = tg.grad(f)
    g = tg.compile(gradient) if compiled else gradient
    for _ in range(3):
        found = g(a)
        np.testing.assert_allclose(found, 2 * (b @ a @ b).T)


def test_blanks_stay_plain():
    with tg.patch_numpy():
        blank = np.zeros((2, 3))
        found = np.einsum("ij,kj->ik", blank, blank)
        assert isinstance(tg.value(found), np.ndarray)
        found[0, 0] = tg.Variable(2.0)
        assert found[0, 0] * 3.0 == 6.0
