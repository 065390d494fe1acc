"""reduce, accumulate, reduceat and at of universal functions, and the keywords of their calls."""

import numpy as np
import pytest

import tapegrad as tg

X = np.random.default_rng(0).uniform(0.3, 1.7, (3, 4))
MASK = X > 0.7
PAIRS = [
    np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.fmax, np.fmin,
    np.hypot, np.logaddexp, np.logaddexp2, np.copysign, np.float_power,
]  # fmt: skip
SEVERAL = [
    np.add, np.multiply, np.maximum, np.minimum, np.fmax, np.fmin, np.hypot, np.logaddexp,
    np.logaddexp2,
]  # fmt: skip
CALLS = {
    "reduce": lambda f: lambda x: f.reduce(x),
    "reduce over 1": lambda f: lambda x: f.reduce(x, axis=-1, keepdims=True),
    "reduce from": lambda f: lambda x: f.reduce(x, 1, initial=x[0, 0]),
    "reduce a part": lambda f: lambda x: f.reduce(x, 0, initial=1.5, where=MASK),
    "reduce one": lambda f: lambda x: f.reduce(x[:1]),
    "accumulate": lambda f: lambda x: f.accumulate(x),
    "accumulate over 1": lambda f: lambda x: f.accumulate(x, -1),
    "accumulate nothing": lambda f: lambda x: f.accumulate(x[:0]),
    "reduceat": lambda f: lambda x: f.reduceat(x, [0, 2, 1, 1], axis=1),
    "reduceat nothing": lambda f: lambda x: f.reduceat(x, np.array([], int)),
    "outer": lambda f: lambda x: f.outer(x[0], x),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("ufunc", PAIRS, ids=lambda f: f.__name__)
def test_methods_are_numpys(ufunc, name):
    f = CALLS[name](ufunc)
    expected = f(X)
    found = tg.value(f(tg.Variable(X)))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    single = f(tg.Variable(X.astype(np.float32)))
    assert single.dtype == f(X.astype(np.float32)).dtype
    tg.testing.check_grads(f, (X,))


@pytest.mark.parametrize("ufunc", PAIRS, ids=lambda f: f.__name__)
def test_methods_in_compiled_functions_and_lanes(ufunc):
    def f(x):
        y = x * 1.0
        ufunc.at(y, ([0, 0, 2, 0], [1, 1, 3, 0]), x[0])
        total = ufunc.reduce(x) + ufunc.accumulate(y) + ufunc.reduceat(x, [0, 2, 1, 1], axis=1)
        return total + y

    compiled = tg.compile(f)
    for scale in (1.0, 0.75, 1.25, 0.5):
        np.testing.assert_allclose(compiled(X * scale), f(X * scale), rtol=1e-14)
    assert compiled.inspect().signatures[0].replays == 2
    stack = np.stack([X, X * 0.75])
    np.testing.assert_allclose(tg.vmap(f)(stack), [f(x) for x in stack], rtol=1e-14)
    tg.testing.check_grads(f, (X,))


@pytest.mark.parametrize("ufunc", [np.power, np.arctan2, np.remainder, np.fmod, np.nextafter])
def test_folds_go_from_the_left(ufunc):
    """Held against NumPy's accumulate: its reduce of np.power skips parts on some processors."""
    found = ufunc.reduce(tg.Variable(X), axis=1)
    np.testing.assert_allclose(tg.value(found), ufunc.accumulate(X, axis=1)[:, -1], rtol=1e-13)
    found = ufunc.accumulate(tg.Variable(X))
    np.testing.assert_allclose(tg.value(found), ufunc.accumulate(X), rtol=1e-13)
    if ufunc in (np.power, np.arctan2):
        tg.testing.check_grads(ufunc.reduce, (X,))
        tg.testing.check_grads(lambda x: ufunc.reduceat(x, [0, 2], axis=1), (X,))


@pytest.mark.parametrize("ufunc", SEVERAL, ids=lambda f: f.__name__)
def test_several_axes(ufunc):
    for axis in (None, (0, 1), (1, 0), ()):

        def f(x, axis=axis):
            return ufunc.reduce(x, axis=axis, keepdims=True)

        np.testing.assert_allclose(tg.value(f(tg.Variable(X))), f(X), rtol=1e-14)
        tg.testing.check_grads(f, (X,))
    v = tg.Variable(2.5)
    assert tg.value(ufunc.reduce(v)) == ufunc.reduce(2.5)


def test_a_result_is_no_view():
    y = tg.Variable(X) * 1.0
    for f in (np.subtract.reduce, np.subtract.accumulate, lambda y: np.hypot.reduce(y, axis=())):
        found = f(y[:1])
        found[...] = 9.0
        np.testing.assert_array_equal(tg.value(y), X)


@pytest.mark.parametrize(
    "ufunc", [np.multiply, np.divide, np.maximum, np.power, np.negative, np.sqrt, np.square]
)
@pytest.mark.parametrize(
    "index", [([0, 0, 2], [1, 1, 3]), 1, (slice(None), [0, 0, 2]), ..., X > 0.9, [0, 0]]
)
def test_at_changes_again_what_is_named_again(ufunc, index):
    operand = () if ufunc.nin == 1 else (1.25,)

    def f(x):
        y = x * 1.0
        ufunc.at(y.T.T, index, *(x[0, 0] * k for k in operand))
        return y

    np.testing.assert_allclose(tg.value(f(tg.Variable(X))), f(X), rtol=1e-14)
    tg.testing.check_grads(f, (X,))


def test_sums_at_recorded_positions():
    def f(x, i, j):
        y, z = x * 1.0, x[0] * 2.0
        np.add.at(y, (i, j), x[0, :3])
        np.subtract.at(y, i, 2.0 * x[1])
        np.add.at(z, j, x[2, 1])
        np.multiply.at(z, j % 2, 1.5)
        return y, z

    compiled = tg.compile(f)
    gradient = tg.compile(tg.grad(lambda x, i, j: sum(np.sum(y**3) for y in f(x, i, j))))
    for k in range(4):
        i, j = np.array([k % 3, 0, -1]), np.array([1, k % 4, 1])
        for found, expected in zip(compiled(X, i, j), f(X, i, j), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-14)
        expected = tg.numerical.grad(lambda x, i=i, j=j: sum(np.sum(y**3) for y in f(x, i, j)))(X)
        np.testing.assert_allclose(gradient(X, i, j), expected, rtol=1e-6)


def test_a_program_adds_at_recorded_positions():
    def f(x, i):
        y = x * 1.0
        np.add.at(y, i, x[0])
        return y

    compiled = tg.compile(f)
    for k in range(4):
        i = np.array([k % 3, 0, -1, k % 3])[:, None] * np.ones(4, int)
        np.testing.assert_allclose(compiled(X, i[:, 0]), f(X, i[:, 0]), rtol=1e-14)
    (signature,) = compiled.inspect().signatures
    assert signature.replays == 2


def test_out_and_where_and_order():
    def f(x):
        y, z, frac = x * 2.0, np.zeros_like(x) + x[0, 0], x * 0.5
        np.add(x, x, where=MASK, out=y)
        np.exp(x[0], out=z, where=MASK)
        np.modf(x * 3, out=(frac, y), where=~MASK)
        np.hypot.reduce(x, out=z[0])
        np.subtract.accumulate(x[1], out=z[1], dtype=float)
        np.add.reduceat(x[2], [0, 1], out=z[2, :2])
        np.multiply.outer(x[0, :3], x[1], out=y)
        return y + z + frac

    np.testing.assert_allclose(tg.value(f(tg.Variable(X))), f(X), rtol=1e-14)
    tg.testing.check_grads(f, (X,))
    compiled = tg.compile(f)
    for scale in (1.0, 0.75, 1.25):
        np.testing.assert_allclose(compiled(X * scale), f(X * scale), rtol=1e-14)
    v = tg.Variable(X)
    for call in (
        lambda x, out: np.greater(x, 0.7, where=MASK, out=out),
        lambda x, out: np.logical_and.accumulate(x > 0.7, out=out),
        lambda x, out: np.less.outer(x[0, :3], x[0], out=out),
    ):
        expected, found = np.ones(X.shape, bool), np.ones(X.shape, bool)
        call(X, expected)
        assert call(v, found) is found
        np.testing.assert_array_equal(found, expected)
    truth = np.zeros(4, bool)
    assert np.logical_or.reduce(v > 1.0, out=truth) is truth
    np.testing.assert_array_equal(truth, (X > 1.0).any(0))
    for order in "CFK":
        y, plain = tg.Variable(X) * 1.0, X.copy()
        found, expected = np.add(y.T, 1.0, order=order), np.add(plain.T, 1.0, order=order)
        found.ravel()[0], expected.ravel()[0] = 9.0, 9.0
        np.testing.assert_array_equal(tg.value(found), expected)


def test_axes_of_products():
    rng = np.random.default_rng(1)
    a, b, c = rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 3, 2)), rng.normal(size=(3,))
    calls = [
        lambda x: np.matmul(x, b, axes=[(0, 2), (0, 2), (0, 1)]),
        lambda x: np.matmul(x, c, axes=[(0, 1), (0,), (0,)]),
        lambda x: np.vecdot(x, x, axis=1),
        lambda x: np.vecdot(x, x, axis=0),
        lambda x: np.vecdot(x, x, axis=1, keepdims=True),
        lambda x: np.vecdot(x, x, keepdims=True),
        lambda x: np.vecdot(x, x * 2, axes=[1, 1]),
        lambda x: np.vecdot(x, x * 2, axes=[0, 0, 0], keepdims=True),
    ]
    if hasattr(np, "matvec"):  # from NumPy 2.2 on
        calls.append(lambda x: np.matvec(x, c, axes=[(2, 1), (0,), (0,)]))
        calls.append(lambda x: np.vecmat(c, x, axes=[(0,), (1, 2), (0,)]))
    for f in calls:
        expected = f(a)
        np.testing.assert_allclose(tg.value(f(tg.Variable(a))), expected, rtol=1e-13)
        tg.testing.check_grads(f, (a,))
    assert np.matmul(tg.Variable(X), X.T, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: np.subtract.reduce(x, axis=None), ValueError, "not reorderable"),
        (lambda x: np.subtract.reduce(x, where=MASK), ValueError, "specify 'initial'"),
        (lambda x: np.divide.reduce(x[:0]), ValueError, "no identity"),
        (lambda x: np.maximum.accumulate(x[0, 0, ...]), TypeError, "on a scalar"),
        (lambda x: np.add.reduceat(x[0, 0, ...], [0]), TypeError, "on a scalar"),
        (lambda x: np.add.reduceat(x, [3]), IndexError, "index 3 out-of-bounds"),
        (lambda x: np.add.reduceat(x, [-1]), IndexError, "index -1 out-of-bounds"),
        (lambda x: np.sin.reduce(x), ValueError, "binary"),
        (lambda x: np.divmod.reduce(x), ValueError, "single value"),
        (lambda x: np.sin.at(x, 0, 1.0), ValueError, "second operand"),
        (lambda x: np.multiply.at(x, 0), ValueError, "second operand"),
        (lambda x: np.multiply.at(x, 9, 2.0), IndexError, "out of bounds"),
        (lambda x: np.add(x, np.ones(4, np.float32), casting="no"), TypeError, "'no'"),
        (lambda x: np.matmul(x, x.T, axes=[(0, 1)]), ValueError, "axes"),
        (lambda x: np.matmul(x, x.T, axis=0), TypeError, "axis"),
    ],
)
def test_what_numpy_refuses_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call(X.copy())
    with pytest.raises(error, match=text):
        call(tg.Variable(X) * 1.0)


def test_plain_targets_and_numbers_of_inputs_are_refused():
    v = tg.Variable(X)
    with pytest.raises(TypeError, match=r"np\.multiply\.at: .*y = tg\.Variable\(y\)"):
        np.multiply.at(np.ones(4), [0, 0], v[0, :2])
    with pytest.raises(TypeError, match=r"np\.multiply\.at: the index .*tg\.value"):
        np.multiply.at(v * 1.0, v[0], 2.0)
    with pytest.raises(TypeError, match=r"np\.add: .*np\.where"):
        np.add(v, 1.0, where=MASK)
    with pytest.raises(TypeError, match=r"np\.gcd has no derivative"):
        np.gcd.reduce(v)
    with pytest.raises(TypeError, match=r"np\.bitwise_and has no derivative"):
        np.bitwise_and.reduce(v)


def test_plain_parts_of_results_are_written_to_plain_arrays():
    v, exponents, mantissa = tg.Variable(X), np.zeros(X.shape, np.int32), tg.Variable(X) * 0.0
    found = np.frexp(v, out=(mantissa, exponents))
    assert found[1] is exponents
    np.testing.assert_array_equal(exponents, np.frexp(X)[1])
    np.testing.assert_array_equal(tg.value(mantissa), np.frexp(X)[0])


INTO = {
    "sum": lambda x, out: np.sum(x, axis=0, out=out),
    "sum of all": lambda x, out: np.sum(x, out=out),
    "keepdims": lambda x, out: np.sum(x, axis=0, keepdims=True, out=out),
    "mean": lambda x, out: x.mean(axis=0, out=out),
    "max": lambda x, out: np.max(x, axis=0, out=out),
    "std": lambda x, out: np.std(x, axis=0, out=out),
    "median": lambda x, out: np.median(x, axis=0, out=out),
    "nanmean": lambda x, out: np.nanmean(x, axis=0, out=out),
    "cumsum": lambda x, out: np.cumsum(x[0], out=out),
    "cumprod": lambda x, out: x[0].cumprod(out=out),
    "add.accumulate": lambda x, out: np.add.accumulate(x[0], out=out),
    "multiply.reduce": lambda x, out: np.multiply.reduce(x, 0, out=out),
    "take": lambda x, out: np.take(x[0], [0, 1, 2], out=out),
    "dot": lambda x, out: np.dot(x[0], np.eye(3), out=out),
    "matmul": lambda x, out: np.matmul(x[0], np.eye(3), out=out),
    "outer": lambda x, out: np.outer(x[0, :1], x[0], out=out),
    "concatenate": lambda x, out: np.concatenate([x[0, :1], x[0, 1:]], out=out),
    "einsum": lambda x, out: np.einsum("ij->j", x, out=out),
    "exp": lambda x, out: np.exp(x[0], out=out),
    "clip": lambda x, out: np.clip(x[0], 0.5, 1.0, out=out),
}
CRASH_NUMPY = {"cumsum", "cumprod", "add.accumulate"}  # where out has no axes


@pytest.mark.parametrize("name", INTO)
@pytest.mark.parametrize("shape", [(3,), (1, 3), (2, 3), (3, 1), (1,), (4,), ()])
def test_shapes_of_out_are_those_that_numpy_takes(name, shape):
    x, expected = np.arange(6.0).reshape(2, 3) + 0.5, np.zeros(shape)
    out = tg.Variable(np.zeros(shape))
    try:
        if shape == () and name in CRASH_NUMPY:
            raise ValueError
        INTO[name](x, expected)
    except ValueError:
        with pytest.raises(ValueError, match=r"out=|could not broadcast|does not fit"):
            INTO[name](tg.Variable(x), out)
        return
    INTO[name](tg.Variable(x), out)
    np.testing.assert_allclose(tg.value(out), expected, rtol=1e-14)


@pytest.mark.parametrize("function", [np.max, np.min, np.sum, np.prod])
@pytest.mark.parametrize("where", [True, False, np.zeros((2, 0), bool)])
def test_reductions_of_nothing_are_numbers(function, where):
    found = function(tg.Variable(np.zeros((2, 0))), initial=0.5, where=where)
    assert not hasattr(found, "__len__")
    assert tg.value(found) == 0.5
    kept = function(tg.Variable(np.zeros((2, 0))), axis=1, initial=0.5, where=where)
    np.testing.assert_array_equal(tg.value(kept), [0.5, 0.5])
