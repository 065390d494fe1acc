"""Every elementwise function: value, derivatives, shapes, dtypes, special values."""

import warnings

import numpy as np
import pytest
from ufunc_cases import PREDICATES_1, PREDICATES_2, SMOOTH

import tapegrad as tg
from tapegrad import _core

SPECIAL = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, 0.1, 700.0, -745.0, 1e-320, 1e-300, 1e300, -1e300,
     1e15 + 0.5, 4e22, np.inf, -np.inf, np.nan]
)  # fmt: skip


def label(case):
    return "-".join([case.name, *(f"{low:g}" for low, _ in case.ranges)])


each = pytest.mark.parametrize("case", SMOOTH, ids=[label(c) for c in SMOOTH])


def record(args):
    return [tg.Variable(x) for x in args]


def same_as_numpy(found, expected, rtol):
    expected = np.asarray(expected)
    plain = np.asarray(tg.value(found))
    assert plain.dtype == expected.dtype
    assert plain.shape == expected.shape
    np.testing.assert_allclose(plain, expected, rtol=rtol, atol=0)


@each
def test_value_and_derivatives(case):
    rng = np.random.default_rng(1)
    for shapes in [((2, 3),), ((),)] + [((2, 1), (3,)), ((), (4,)), ((3,), ())] * (
        len(case.ranges) > 1
    ):
        args = case.draw(rng, *shapes)
        same_as_numpy(case.f(*record(args)), case.f(*args), 2e-15)
        if case.name not in ("spacing", "nextafter"):  # no differences of the smallest steps
            tg.testing.check_grads(case.f, args, order=2 if shapes == ((2, 3),) else 1)


@each
def test_each_argument_alone(case):
    if len(case.ranges) == 1:
        return
    x, y = case.draw(np.random.default_rng(2), (3,))
    for i, f in enumerate([lambda v: case.f(v, y), lambda v: case.f(x, v)]):
        alone = tg.elementwise_grad(f)((x, y)[i])
        both = tg.elementwise_grad(case.f, argnum=i)(x, y)
        np.testing.assert_array_equal(alone, both)


@each
def test_empty_one_and_strided(case):
    rng = np.random.default_rng(3)
    for shape in [(0,), (2, 0, 3), (1,), (1, 1)]:
        args = case.draw(rng, shape)
        same_as_numpy(case.f(*record(args)), case.f(*args), 2e-15)
        gradients = tg.elementwise_grad(case.f, argnum=tuple(range(len(args))))(*args)
        assert all(g.shape == shape for g in gradients)
    wide = case.draw(rng, (6, 8))
    packed = [np.ascontiguousarray(x[::-2, 1::3]) for x in wide]
    strided = [x[::-2, 1::3] for x in wide]
    fortran = [np.asfortranarray(x) for x in packed]
    results = [tg.vjp(case.f, *args) for args in (packed, strided, fortran)]
    for value, pullback in results:
        np.testing.assert_array_equal(value, results[0][0])
        found, expected = pullback(np.ones((3, 3))), results[0][1](np.ones((3, 3)))
        np.testing.assert_array_equal(found, expected)


@each
def test_float32(case):
    args = [x.astype(np.float32) for x in case.draw(np.random.default_rng(4), (7,))]
    single = np.float32
    if case.name != "float_power":
        same_as_numpy(case.f(*record(args)), case.f(*args), 4e-7)
        found = case.f(record(args)[0], 1.5) if len(args) == 2 else case.f(*record(args))
        assert found.dtype == single  # Python's own numbers take the dtype of what they meet
    argnum = tuple(range(len(args)))
    gradients = tg.elementwise_grad(case.f, argnum)(*args)
    if case.name == "spacing":
        return
    exact = tg.elementwise_grad(case.f, argnum)(*(x.astype(float) for x in args))
    for g, e in zip(gradients, exact, strict=True):
        assert g.dtype == single
        np.testing.assert_allclose(g, e, rtol=3e-6, atol=1e-6)


@each
def test_repeated_argument(case):
    if len(case.ranges) == 1 or case.name in ("nextafter", "copysign"):
        return
    low = max(r[0] for r in case.ranges)
    high = min(r[1] for r in case.ranges)
    if low >= high or case.name in (
        "maximum",
        "minimum",
        "fmax",
        "fmin",
        "floor_divide",
        "remainder",
        "fmod",
    ):
        return
    x = np.linspace(low, high, 5)[1:-1] + 0.01
    tg.testing.check_grads(lambda v: case.f(v, v), (x,))


@each
def test_any_number_of_threads_gives_the_same_bits(case, threads):
    args = case.draw(np.random.default_rng(5), (5003,))
    seed = np.random.default_rng(6).standard_normal(5003)
    results = []
    for n in (1, 2, 3, 8):
        threads(n)
        before = _core.parallel_regions_run()
        value, pullback = tg.vjp(case.f, *args)
        tangent = tg.jvp(case.f, args, tuple(seed for _ in args))[1]
        results.append([value, tangent, *pullback(seed)])
        assert n == 1 or _core.parallel_regions_run() > before
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


NAMES = sorted({c.name for c in SMOOTH})


@pytest.mark.parametrize("name", [*NAMES, *PREDICATES_1, *PREDICATES_2])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_special_values(name, dtype):
    f = getattr(np, name)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        special = SPECIAL.astype(dtype)
        args = (special,) if f.nin == 1 else (special[:, None], special[None, :])
        expected = f(*args)
        found = f(*record(args))
    if expected.dtype == bool:
        assert type(found) is np.ndarray
        np.testing.assert_array_equal(found, expected)
    else:
        limit = np.finfo(dtype)
        found = tg.value(found)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
        np.testing.assert_allclose(
            found, expected, rtol=8 * limit.eps, atol=limit.tiny * 8 * limit.eps
        )
        if name in ("maximum", "minimum", "fmax", "fmin"):
            return  # NumPy's choice between 0.0 and -0.0 depends on the length
        zero = expected == 0
        np.testing.assert_array_equal(np.signbit(found)[zero], np.signbit(expected)[zero])


@pytest.mark.parametrize("name", NAMES)
def test_integers_and_python_numbers_as_the_other_argument(name):
    f = getattr(np, name)
    if f.nin == 1:
        return
    x = tg.Variable([1.25, 2.5])
    for other in (
        2,
        2.0,
        np.int64(2),
        np.float32(2),
        np.array([1, 3]),
        np.array([True, True]),
        [1, 3],
    ):
        with np.errstate(all="ignore"):
            same_as_numpy(f(x, other), f(x.value, other), 2e-15)
            same_as_numpy(f(other, x), f(other, x.value), 2e-15)


@pytest.mark.parametrize("name", ["add", "multiply", "arctan2", "maximum", "less"])
def test_shapes_that_do_not_broadcast(name):
    with pytest.raises(ValueError, match=r"(?s)\(2,\).*\(3,\)|\(3,\).*\(2,\)") as error:
        getattr(np, name)(tg.Variable([1.0, 2.0]), np.ones(3))
    if name != "less":
        assert name in str(error.value)


def test_modf_frexp_divmod_ldexp():
    x = np.array([1.25, -2.75, 0.5])
    v = tg.Variable(x)
    for found, expected in zip(np.modf(v), np.modf(x), strict=True):
        same_as_numpy(found, expected, 0)
    mantissa, exponent = np.frexp(v)
    same_as_numpy(mantissa, np.frexp(x)[0], 0)
    assert type(exponent) is np.ndarray
    np.testing.assert_array_equal(exponent, np.frexp(x)[1])
    np.testing.assert_array_equal(_core.apply("frexp_exponent", (x,)), np.frexp(x)[1])
    for found, expected in zip(np.divmod(v, 0.75), np.divmod(x, 0.75), strict=True):
        same_as_numpy(found, expected, 0)
    for found, expected in zip(divmod(v, 0.75), divmod(x, 0.75), strict=True):
        same_as_numpy(found, expected, 0)
    same_as_numpy(np.ldexp(v, np.array([1, 2, -3])), np.ldexp(x, np.array([1, 2, -3])), 0)
    tg.testing.check_grads(lambda x: (*np.modf(x), np.frexp(x)[0]), (np.array([1.3, -2.7]),))
    tg.testing.check_grads(lambda x: np.ldexp(x, 3), (x,))
    tg.testing.check_grads(lambda x, y: divmod(x, y), (np.array([2.4, -2.6]), 1.05))


def test_where_and_clip():
    rng = np.random.default_rng(7)
    x, y = rng.standard_normal((2, 2, 3))
    mask = x > 0
    tg.testing.check_grads(lambda x, y: np.where(mask, x * y, y**2), (x, y))
    tg.testing.check_grads(lambda x: np.where(x > 0, x**2, 1.0), (x,))
    tg.testing.check_grads(lambda y: np.where([[True], [False]], 2.0, y), (y,))
    tg.testing.check_grads(lambda x: np.clip(x, -0.5, 0.5), (x,))
    tg.testing.check_grads(lambda x: np.clip(x, None, 0.5), (x,))
    tg.testing.check_grads(lambda x: x.clip(min=-0.25), (x,))
    low = np.array([-0.3, 0.1, -2.0])
    tg.testing.check_grads(lambda x, low: np.clip(x, low, low + 0.6), (x, low))
    same_as_numpy(np.clip(tg.Variable(x), -0.5, 0.5), np.clip(x, -0.5, 0.5), 0)


def test_no_nan_comes_back_from_the_branch_not_taken():
    x = np.array([4.0, 0.0, -1.0])
    with np.errstate(all="ignore"):
        g = tg.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)))(x)
    np.testing.assert_array_equal(g, [0.25, 0, 0])


def test_where_the_derivative_jumps_it_is_one_of_the_sides_or_their_mean():
    # Ties share: the gradient of max(x, x) with respect to both together is 1.
    for f in (np.maximum, np.minimum, np.fmax, np.fmin):
        a, b = tg.grad(f, argnum=(0, 1))(2.0, 2.0)
        assert a + b == 1
    assert -1 <= tg.grad(np.abs)(0.0) <= 1


@pytest.mark.parametrize("name", ["bitwise_and", "left_shift", "gcd", "invert", "isnat"])
def test_whole_number_functions_refuse(name):
    f = getattr(np, name)
    with pytest.raises(TypeError, match=rf"{name}.*(tg\.value|np\.isnan)"):
        f(*[tg.Variable([1.0, 2.0])] * f.nin)


@pytest.mark.parametrize("name", ["add", "multiply", "maximum", "minimum"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"axis": 1},
        {"axis": None},
        {"axis": (0, 1)},
        {"keepdims": True},
        {"axis": -1, "keepdims": True},
    ],
)
def test_reductions_of_universal_functions(name, options):
    x, ufunc = np.array([[0.5, -1.5, 2.0], [3.0, 0.25, -2.0]]), getattr(np, name)
    v = tg.Variable(x)
    found = ufunc.reduce(v, **options)
    wanted = ufunc.reduce(x, **options)
    assert np.array_equal(tg.value(found), wanted)
    assert found.shape == np.shape(wanted)
    same = {"add": np.sum, "multiply": np.prod, "maximum": np.max, "minimum": np.min}[name]
    w = tg.Variable(x)
    np.sum(found).backward()
    np.sum(same(w, **{"axis": 0, **options})).backward()
    assert np.array_equal(v.grad, w.grad)


def test_reductions_with_more_than_axes():
    v = tg.Variable([1.0, 2.0, 4.0])
    assert np.add.reduce(v, initial=1.0).value == 8.0
    assert np.add.reduce(v, where=[True, False, True]).value == 5.0
    assert np.add.accumulate(v).value.tolist() == [1.0, 3.0, 7.0]
    assert np.multiply.accumulate(v, axis=0).value.tolist() == [1.0, 2.0, 8.0]
    with pytest.raises(np.exceptions.AxisError):
        np.add.reduce(v, axis=1)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.power, np.arctan2])
def test_outer_of_any_shapes(ufunc):
    x, y = np.array([0.5, 2.0]), np.array([[1.0, 3.0, 0.25]])
    for a, b in [(x, y), (y, x), (x, np.array(2.0)), (np.array(2.0), x), (x, 2.0), (2.0, y)]:
        wanted = ufunc.outer(a, b)
        for first, second in [(tg.Variable(a), b), (a, tg.Variable(b))]:
            found = ufunc.outer(first, second)
            assert found.shape == wanted.shape
            np.testing.assert_allclose(tg.value(found), wanted, rtol=1e-15)
    v, w = tg.Variable(x), tg.Variable(y)
    np.sum(np.multiply.outer(v, w)).backward()
    assert v.grad.tolist() == [y.sum()] * 2
    assert w.grad.tolist() == [[x.sum()] * 3]


X, Y = np.array([0.5, np.nan, np.inf, -0.0]), np.array([0.5, 1.0, np.inf, 0.0])


@pytest.mark.parametrize(
    "name",
    [
        "less",
        "less_equal",
        "equal",
        "not_equal",
        "greater",
        "greater_equal",
        "logical_and",
        "logical_or",
        "logical_xor",
    ],
)
@pytest.mark.parametrize(
    "second",
    [
        Y,
        Y.astype(np.float32),
        np.arange(4),
        0.5,
        2,
        True,
        10**15,
        Y > 0,
        np.float64(0.5),
        np.float32(0.5),
    ],
)
def test_tests_of_two_are_numpys(name, second):
    ufunc = getattr(np, name)
    for dtype in (float, np.float32):
        x = X.astype(dtype)
        v = tg.Variable(x)
        for found, wanted in [
            (ufunc(v, second), ufunc(x, second)),
            (ufunc(second, v), ufunc(second, x)),
            (ufunc(v[0], second), ufunc(x[0], second)),
            (ufunc(v, tg.Variable(Y)), ufunc(x, Y)),
        ]:
            assert type(found) is type(wanted)
            assert np.array_equal(found, wanted)


@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite", "signbit", "logical_not"])
def test_tests_of_one_are_numpys(name):
    ufunc = getattr(np, name)
    for x in (X, X.astype(np.float32), X[:0], X.reshape(2, 2)[:, ::-1]):
        found = ufunc(tg.Variable(x))
        assert type(found) is np.ndarray
        assert found.flags.writeable
        assert np.array_equal(found, ufunc(x))
    assert type(ufunc(tg.Variable(0.5))) is np.bool_
