"""Arrays of objects that are Variables: what NumPy makes of them with the elements' methods."""

import numpy as np
import pytest

import tapegrad as tg

X = np.array([0.5, 0.25, 0.75])
Y = np.array([0.25, 0.75, 0.5])
MATRIX = np.array([[0.5, -0.25], [0.75, 2.0]])

# Each is called on arrays of objects, and on plain arrays.
CALLS = {
    "np.arctan2": lambda x, y: np.arctan2(x, y),
    "np.arctan2, a number": lambda x, y: np.arctan2(x, 2.0),
    "np.hypot": lambda x, y: np.hypot(x, y),
    "np.fmod": lambda x, y: np.fmod(x, y + 0.5),
    "np.logical_xor": lambda x, y: np.logical_xor(x, y) * x,
    "np.maximum": lambda x, y: np.maximum(x, y),
    "np.exp": lambda x, y: np.exp(x),
    "np.power": lambda x, y: np.power(x, y),
    "np.sum": lambda x, y: np.sum(x * y),
    "np.prod": lambda x, y: np.prod(x),
    "np.max": lambda x, y: np.max(x),
    "np.sort": lambda x, y: np.sort(x) * y,
    "np.cumsum": lambda x, y: np.cumsum(x),
    "np.dot": lambda x, y: np.dot(x, y),
    "np.dot of lists": lambda x, y: np.dot(list(x), list(y)),
    "np.sum of a list": lambda x, y: np.sum([x[0], y[1]]),
    "np.max of a list": lambda x, y: np.max([x[0], y[1]]),
    "np.linalg.norm of a list": lambda x, y: np.linalg.norm([x[0], y[1]]),
    "np.outer": lambda x, y: np.outer(x, y),
    "np.convolve": lambda x, y: np.convolve(x, y),
    "np.trapezoid": lambda x, y: np.trapezoid(x, y),
    "np.average": lambda x, y: np.average(x, weights=y),
    "np.ptp": lambda x, y: np.ptp(x),
    "np.clip": lambda x, y: np.clip(x, 0.3, 0.6),
    "np.polyval": lambda x, y: np.polyval(x, 2.0),
}


def objects(x):
    return np.array([x[0], x[1], x[2]])


@pytest.mark.parametrize("name", CALLS)
def test_arrays_of_variables_go_through_numpys_own_code(name):
    if name == "np.trapezoid" and not hasattr(np, "trapezoid"):
        return

    def f(x, y):
        if not isinstance(x, tg.Variable):
            return CALLS[name](x, y)
        with tg.patch_numpy(False):
            assert objects(x).dtype == object
            found = CALLS[name](objects(x), objects(y))
            items = np.ravel(np.array(found, object))
        return np.reshape(np.stack([z * 1.0 for z in items]), np.shape(found))

    np.testing.assert_allclose(tg.value(f(tg.Variable(X), tg.Variable(Y))), f(X, Y), rtol=1e-14)
    tg.testing.check_grads(f, (X, Y))
    compiled = tg.compile(f)
    for scale in (1.0, 0.9, 0.8):
        expected = f(X * scale, Y)
        np.testing.assert_allclose(compiled(X * scale, Y), expected, rtol=1e-14)


@np.vectorize
def leaky(e, slope=0.1):
    return e if e > 0 else 0.0 if slope is None else slope * e


doubled = np.vectorize(lambda e: e * 2.0, otypes=[np.float64])
VECTORIZED = {
    "a function": lambda x: np.vectorize(lambda e: e * e if e > 0 else 3.0 * e)(x),
    "two arguments": lambda x: np.vectorize(lambda e, k=1.0: e * e * k)(x, x[0]),
    "by name": lambda x: np.vectorize(lambda e, k: e * k)(x, k=2.0),
    "otypes": lambda x: np.vectorize(lambda e: np.sin(e), otypes=[object])(x),
    "cache": lambda x: np.vectorize(lambda e: e**3, cache=True)(x),
    "excluded": lambda x: np.vectorize(lambda e, p: p[0] * e, excluded=[1])(x, [2.0]),
    "signature": lambda x: np.vectorize(lambda r: np.sum(r * r), signature="(n)->()")(x),
    "two results": lambda x: np.sum(np.vectorize(lambda e: (e, e * e))(x), axis=0),
    "of floats": lambda x: np.vectorize(lambda e: np.sin(e) * e, otypes=[float])(x),
    "a letter": lambda x: np.vectorize(lambda e, k: e * k, otypes="d")(x, 2.0),
    "several dtypes": lambda x: np.prod(
        np.vectorize(lambda e: (e * e, 3), otypes=[float, int])(x)[:1], axis=0
    ),
    "excluded by name": lambda x: np.vectorize(
        lambda e, p: p[0] * e, otypes=[float], excluded=["p"]
    )(x, p=x[1]),
    "of plain arrays": lambda x: np.vectorize(lambda e: e * x[0, 1], otypes=[float])(np.eye(2)),
    "the first is plain": lambda x: np.vectorize(lambda e: 1.0 if e < x[0, 1] else e)(x),
    "a decorator": lambda x: leaky(x) + leaky(-x) + leaky(-x, None),
    "of a module": lambda x: doubled(x) + doubled(1.0),
    "signature and dtype": lambda x: np.vectorize(np.cumsum, signature="(n)->(n)", otypes=[float])(
        x
    ),
    "frompyfunc": lambda x: np.frompyfunc(lambda e: e * e, 1, 1)(np.asarray(x, object)),
}


@pytest.mark.parametrize("name", VECTORIZED)
def test_functions_of_numbers_are_applied_to_each_element(name):
    f = VECTORIZED[name]

    def loss(x):
        return np.sum(f(x) * np.cos(x if name != "signature" else x[0]))

    expected = np.asarray(f(MATRIX), float)
    found = f(tg.Variable(MATRIX))
    np.testing.assert_allclose(
        np.asarray(tg.value(np.stack(list(np.ravel(found)))), float), expected.ravel(), rtol=1e-14
    )
    tg.testing.check_grads(loss, (MATRIX,))
    compiled = tg.compile(tg.grad(loss))
    for scale in (1.0, 1.5, 0.5):
        np.testing.assert_allclose(
            compiled(MATRIX * scale), tg.grad(loss)(MATRIX * scale), rtol=1e-12
        )
    np.testing.assert_allclose(
        tg.vmap(loss)(np.stack([MATRIX, MATRIX * 2])), [loss(MATRIX), loss(MATRIX * 2)], rtol=1e-13
    )


def test_only_who_asks_for_objects_gets_them():
    v = tg.Variable(MATRIX)
    for array in (np.array(v, dtype=object), np.asarray(v, object)):
        assert array.shape == MATRIX.shape
        assert array.dtype == object
        np.testing.assert_array_equal(tg.grad(lambda x: np.sum(np.array(x, object)))(MATRIX), 1.0)
    for call in (
        lambda: np.array(v),
        lambda: np.asarray(v, float),
    ):
        with pytest.raises(TypeError, match=r"tg\.value"):
            call()


def test_vectorize_takes_the_dtype_of_its_first_call():
    def f(x):
        kinds = [np.vectorize(np.sin)(a).dtype for a in (np.ones(2, np.float32), np.ones(2))]
        assert kinds == [np.float32, np.float64]
        return x

    assert tg.grad(f)(1.5) == 1.0
