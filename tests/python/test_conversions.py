"""Arrays made of Variables and new ones lie in memory, and share it, as NumPy's do."""

import numpy as np
import pytest

import tapegrad as tg

CONVERSIONS = {
    "ascontiguousarray": lambda a: np.ascontiguousarray(a),
    "asfortranarray": lambda a: np.asfortranarray(a),
    "asarray": lambda a: np.asarray(a),
    "asarray, C": lambda a: np.asarray(a, order="C"),
    "asarray, F": lambda a: np.asarray(a, None, "F"),
    "asarray, A": lambda a: np.asarray(a, order="A"),
    "asarray, single": lambda a: np.asarray(a, np.float32 if a.dtype.kind == "f" else np.complex64),
    "asanyarray": lambda a: np.asanyarray(a),
    "array": lambda a: np.array(a),
    "array, F": lambda a: np.array(a, order="F"),
    "array, as needed": lambda a: np.array(a, copy=None),
    "array, of three axes": lambda a: np.array(a, ndmin=3),
}
VIEWS = {
    "vector": (4, lambda a: a),
    "reversed": (4, lambda a: a[::-1]),
    "every second": (4, lambda a: a[::2]),
    "tail": (4, lambda a: a[1:]),
    "matrix": ((2, 3), lambda a: a),
    "transposed": ((2, 3), lambda a: a.T),
    "columns": ((2, 3), lambda a: a[:, 1:]),
    "rows": ((2, 3), lambda a: a[1:]),
    "one column": ((2, 3), lambda a: a[:, :1]),
    "one row": ((2, 3), lambda a: a[:1]),
    "axes exchanged": ((2, 3, 2), lambda a: a.transpose(1, 0, 2)),
    "one element": ((1, 1), lambda a: a.T),
    "nothing": ((0, 3), lambda a: a.T),
}


@pytest.mark.parametrize("factor", [2.0, 2.0 + 1.0j])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("convert", CONVERSIONS)
def test_conversions_copy_where_numpy_does(convert, view, factor):
    """Written afterwards, the result shows in the array that it was made of, or it doesn't."""
    shape, part = VIEWS[view]
    converted = CONVERSIONS[convert]
    x = np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape)

    def f(x):
        y = x * factor
        z = converted(part(y))
        z[...] = z * 3 + 1
        parts = np.concatenate((np.ravel(y), np.ravel(z), np.ravel(z, order="K")))
        return np.concatenate((parts.real, parts.imag))

    expected = f(x)
    compiled = tg.compile(f)
    found = [tg.vjp(f, x)[0], tg.vmap(f)(x[None])[0], *(compiled(x) for _ in range(3))]
    for values in found:
        np.testing.assert_array_equal(values, expected)
    if convert != "asarray, single":  # too coarse for differences
        tg.testing.check_grads(f, x)


def test_conversions_that_may_not_copy():
    def f(x, order):
        return np.sum(np.array((2.0 * x)[::2], copy=False, order=order))

    assert tg.grad(f)(np.ones(3), None).tolist() == [2.0, 0.0, 2.0]
    with pytest.raises(ValueError, match="Unable to avoid copy"):
        tg.grad(f)(np.ones(3), "C")
    with pytest.raises(ValueError, match="Unable to avoid copy"):
        tg.grad(lambda x: np.sum(np.asarray(2.0 * x, np.float32, copy=False)))(np.ones(3))


INTEGERS = ["int64", "int32", "int16", "int8", "uint8", "uint64", "bool", int, bool]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("of", [np.float64, np.float32])
def test_integers_and_masks_are_constant(dtype, of):
    """What NumPy makes of floats, and a derivative of zero."""
    x = np.array([[0.0, 0.7, 1.5], [2.9, 3.0, 100.25]]).astype(of)

    def f(x):
        part = (x * 1.0).T[1:]
        whole = part.astype(dtype)
        number = x[1, 0].astype(dtype)
        as_array = np.asarray(x, dtype)
        assert whole.dtype == as_array.dtype == number.dtype == np.dtype(dtype)
        assert (whole.shape, number.shape) == ((2, 2), ())
        return np.concatenate(
            (whole * np.sin(part), as_array[:, :2], np.reshape(x[0, :2] * number, (1, 2)))
        )

    def plain(x):
        return f(np.asarray(x))

    expected = plain(x)
    compiled, slopes = tg.compile(f), tg.compile(tg.grad(lambda x: np.sum(f(x))))
    for scale in (1.0, 1.1, 0.9):
        np.testing.assert_allclose(compiled(x * of(scale)), plain(x * of(scale)), rtol=1e-6)
        np.testing.assert_allclose(
            slopes(x * of(scale)), tg.grad(lambda x: np.sum(f(x)))(x * of(scale)), rtol=1e-6
        )
    np.testing.assert_allclose(tg.vjp(f, x)[0], expected, rtol=1e-6)
    if dtype != "uint64":  # which plain code learns
        np.testing.assert_allclose(
            tg.vmap(f)(np.stack([x, x + of(0.5)])), [expected, plain(x + of(0.5))], rtol=1e-6
        )
    if of is np.float64:
        tg.testing.check_grads(f, x + 0.2)


def test_integers_of_new_arrays_lie_as_they_do():
    def f(x):
        made = np.ones((3, 2)).T.astype(int), (x * np.ones((3, 2))).T.astype(int)
        assert all(a.flags.f_contiguous and a.dtype == int for a in made)
        return x

    assert tg.grad(f)(1.5) == 1.0


# Arrays in an order of their own; ravel("K") and what is written to them show it.
ORDERED = {
    "asfortranarray": lambda v: np.asfortranarray(v).ravel("K"),
    "ascontiguousarray": lambda v: np.ascontiguousarray(v.T).ravel("K"),
    "array": lambda v: np.array(v, order="F").ravel("K"),
    "array, C": lambda v: np.array(v.T, order="C").ravel("K"),
    "array, A": lambda v: np.array(v.T, order="A").ravel("K"),
    "array of rows": lambda v: np.array([v[0], v[1]], order="F").ravel("K"),
    "array, precision": lambda v: np.array(v, np.float32, order="F").ravel("K"),
    "array, axes": lambda v: np.array(v, ndmin=3, order="F").ravel("K"),
    "asarray": lambda v: np.asarray(v, float, "F").reshape(-1, order="A"),
    "asanyarray": lambda v: np.asanyarray(v, order="F").ravel("A"),
    "complex": lambda v: np.asfortranarray(v + 1j * v).ravel("K").imag,
    "of a number": lambda v: np.ascontiguousarray(v[0, 0]),
}
SHARED = {
    "C is C": lambda v: np.ascontiguousarray(v),
    "C of a transpose": lambda v: np.ascontiguousarray(v.T),
    "F of a transpose": lambda v: np.asfortranarray(v.T),
    "F": lambda v: np.asfortranarray(v),
    "F of a row": lambda v: np.asfortranarray(v[:1]),
    "F of a column": lambda v: np.asfortranarray(v[:, 0]),
    "C of reversed rows": lambda v: np.asarray(v[:, ::-1], order="C"),
    "A": lambda v: np.asarray(v.T, order="A"),
}


@pytest.mark.parametrize("name", [*ORDERED, *SHARED])
def test_arrays_of_variables_lie_in_the_order_that_is_asked_for(name):
    def f(x):
        v = x * 1.0
        if name in ORDERED:
            return ORDERED[name](v)
        SHARED[name](v)[...] = 7.0  # shows in v where NumPy makes no copy
        return v

    x = np.arange(6.0).reshape(2, 3)
    assert isinstance(f(x), np.ndarray)
    value, pullback = tg.vjp(f, x)
    np.testing.assert_array_equal(value, f(x))
    assert value.dtype == f(x).dtype
    weights = np.cos(np.arange(value.size)).reshape(value.shape).astype(value.dtype)
    (slope,) = pullback(weights)
    for i in np.ndindex(2, 3):  # each is linear in x
        step = np.zeros((2, 3))
        step[i] = 1.0
        np.testing.assert_allclose(slope[i], np.sum(weights * (f(x + step) - f(x))), rtol=1e-6)
    compiled = tg.compile(f)
    for k in range(4):
        np.testing.assert_array_equal(compiled(x + k), f(x + k))


TABLE = np.arange(6.0).reshape(3, 2)
# New arrays lie as NumPy's do, before and after a Variable is written to them.
NEW_IN_AN_ORDER = {
    "full": lambda: np.full((2, 3), np.arange(3.0), order="F"),
    "eye": lambda: np.eye(2, 3, order="F"),
    "array": lambda: np.array(np.arange(6.0).reshape(2, 3), order="F"),
    "of a transpose": lambda: np.copy(TABLE.T),
    "like a transpose": lambda: np.ones_like(TABLE.T),
    "transposed": lambda: np.zeros((3, 2)).T,
    "complex": lambda: np.full((2, 3), np.arange(3.0) * 1j, order="F"),
}


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("name", NEW_IN_AN_ORDER)
def test_new_arrays_lie_in_the_order_that_is_asked_for(name, writes):
    def f(x):
        y = NEW_IN_AN_ORDER[name]()
        row = y.ravel()  # a view, or a copy
        if writes:
            y[0, 1] = x[0]
            row[-1] = x[1]
        found = np.concatenate([y.ravel("K"), y.reshape(-1, order="A"), row])
        return (found + found.imag if name == "complex" else found).real + 0.0 * x[0]

    x = np.array([0.5, 2.0])
    np.testing.assert_array_equal(tg.vjp(f, x)[0], f(x))
    expected = np.stack([f(np.array([1.5, 2.0])) - f(x), f(np.array([0.5, 3.0])) - f(x)], axis=-1)
    np.testing.assert_array_equal(tg.jacobian(f)(x), expected)
    compiled = tg.compile(f)
    for k in range(4):
        np.testing.assert_array_equal(compiled(x + k), f(x + k))
