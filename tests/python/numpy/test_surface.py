"""NumPy's functions and array methods on Variables: signatures, values, derivatives, refusals."""

import functools
import inspect
import io

import numpy as np
import pytest
from surface_cases import CALLS, MASK, NUMPY, S, V, X
from surface_plain_cases import PLAIN_CALLS, WRITERS

import tapegrad as tg
from tapegrad.numpy import ufuncs
from tapegrad.numpy.families import name_of, whole_table

NEWEST = (2, 5)  # whose signatures ours are
ROWS = [(name_of(func), f, x) for func, calls in CALLS.items() for f, x in calls]


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")
@pytest.mark.parametrize(("name", "f", "x"), ROWS, ids=[name for name, _, _ in ROWS])
def test_value_and_derivatives(name, f, x):
    with np.errstate(all="ignore"):
        expected, found = f(x), tg.value(f(tg.Variable(x)))
    pairs = (
        zip(expected, found, strict=True) if isinstance(expected, tuple) else [(expected, found)]
    )
    for e, g in pairs:
        assert np.shape(g) == np.shape(e)
        np.testing.assert_allclose(g, e, rtol=1e-13, atol=1e-14)
    if np.isfinite(x).all() and name not in ("np.round", "np.around"):
        tg.testing.check_grads(f, (x,))
    else:
        assert (
            tg.elementwise_grad(lambda x: np.sum(np.stack(np.broadcast_arrays(f(x)))))(x).shape
            == x.shape
        )


def leaves_of(found):
    if isinstance(found, (tuple, list)):
        return [leaf for part in found for leaf in leaves_of(part)]
    return [found]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "f", "x"), ROWS, ids=[name for name, _, _ in ROWS])
def test_results_are_numbers_and_arrays_where_numpys_are(name, f, x):
    func = next(g for g in CALLS if name_of(g) == name)
    tried = 0
    no_axes = [(g, y) for g in (f, func) for y in (np.array(0.75), np.float64(0.75))]
    for call, argument in [(f, x), *no_axes]:
        try:
            expected = leaves_of(call(argument))
        except Exception:
            continue  # it takes no numbers
        tried += 1
        found = leaves_of(call(tg.Variable(argument)))
        for e, g in zip(expected, found, strict=True):
            assert isinstance(g, np.ndarray) == isinstance(e, np.ndarray)
    assert tried


def test_every_function_of_the_table_is_called_here():
    functions = {f for f in whole_table() if not isinstance(f, np.ufunc)}
    missing = functions - set(CALLS) - set(PLAIN_CALLS) - set(WRITERS)
    assert not missing, sorted(map(name_of, missing))


IMPLEMENTED = {
    f: registration.implementation
    for f, registration in whole_table().items()
    if not isinstance(registration.implementation, functools.partial | None)
}


@pytest.mark.parametrize("func", IMPLEMENTED, ids=name_of)
def test_signatures_are_numpys(func):
    if func in (np.shares_memory, np.may_share_memory):
        return
    if func is np.reshape and NUMPY < (2, 4):  # test_newshape
        return
    try:
        expected = inspect.signature(func).parameters
    except ValueError:  # those in C have none before NumPy 2.4
        assert NUMPY < (2, 4)
        return
    found = inspect.signature(IMPLEMENTED[func]).parameters
    if NUMPY < NEWEST:  # that NumPy does not hand on what it does not know, or has what is gone
        found = {name: p for name, p in found.items() if name in expected}
        expected = {name: p for name, p in expected.items() if name in found}
    assert [(p.name, p.kind) for p in found.values()] == [
        (p.name, p.kind) for p in expected.values()
    ]
    for name, p in expected.items():
        if p.default is p.empty and NUMPY < NEWEST:
            continue
        assert found[name].default == p.default or found[name].default is p.default


@pytest.mark.filterwarnings("ignore:`in1d` is deprecated")
@pytest.mark.parametrize("name", [name_of(f) for f in PLAIN_CALLS])
def test_plain_results(name):
    f = {name_of(f): call for f, call in PLAIN_CALLS.items()}[name]
    found, expected = f(tg.Variable(X)), f(X)
    assert not isinstance(found, tg.Variable)
    assert found == expected if isinstance(expected, list) else np.array_equal(found, expected)
    if isinstance(expected, np.ndarray | np.generic):
        assert np.asarray(found).dtype == np.asarray(expected).dtype


def test_creation_like_a_variable_makes_something_to_write_into():
    def f(x):
        y = np.zeros_like(x)
        for i in range(len(x)):
            y[i] = x[i] ** 2
        return np.sum(y)

    np.testing.assert_array_equal(tg.grad(f)(np.array([1.0, 2.0])), [2, 4])
    assert np.zeros_like(tg.Variable([1.0]), dtype=int).dtype == int
    assert type(np.ones_like(tg.Variable([1.0]), dtype=bool)) is np.ndarray


def test_writers():
    def f(x):
        y = x * 2
        np.copyto(y, x * x, where=MASK)
        return np.sum(y)

    np.testing.assert_allclose(tg.grad(f)(X), np.where(MASK, 2 * X, 2))

    def g(s, v):
        s = s * 1.0
        np.fill_diagonal(s, v)
        return np.linalg.det(s)

    tg.testing.check_grads(g, (S, V[:3]))
    y = tg.Variable(np.zeros(3))
    w = tg.Variable(np.ones((2, 3)))
    assert np.sum(w, axis=0, out=y) is y
    np.testing.assert_array_equal(y.value, 2)
    assert np.multiply(y, 2.0, out=y) is y
    np.testing.assert_array_equal(y.value, 4)
    np.sum(y).backward()
    np.testing.assert_array_equal(w.grad, 2)
    v = tg.Variable([3.0, 1.0, 2.0])
    v.sort()
    np.testing.assert_array_equal(v.value, [1, 2, 3])
    v.fill(4.0)
    np.testing.assert_array_equal(v.value, 4)


def test_a_copy_that_is_asked_for_is_one():
    v = tg.Variable(X)
    copies = [v.reshape(3, 2, copy=True), v.reshape(3, 2, order="F", copy=True)]
    if NUMPY >= (2, 1):
        copies.append(np.reshape(v, (3, 2), copy=True))
    for copy in copies:
        copy[...] = 9.0
    np.testing.assert_array_equal(v.value, X)


@pytest.mark.skipif(NUMPY >= (2, 4), reason="the name is gone")
@pytest.mark.filterwarnings("ignore:`newshape` keyword")
def test_newshape():
    tg.testing.check_grads(lambda x: np.reshape(x, newshape=(3, 2), order="F") * V[:2], (X,))
    v = tg.Variable(X)
    np.reshape(v, newshape=-1)[0] = 9.0
    assert v.value[0, 0] == 9.0


@pytest.mark.skipif(NUMPY < (2, 5), reason="descending= is younger")
def test_descending():
    rows = np.array([[2.0, np.nan, 3.0, 2.0], [-0.0, 0.0, 1.0, -1.0]])
    v = tg.Variable(rows)
    np.testing.assert_array_equal(np.argsort(v, descending=True), np.argsort(rows, descending=True))
    for f in (np.sort, np.argsort):
        compiled = tg.compile(lambda x, f=f: x * f(x, descending=True, stable=True))
        for x in (X, X * X, -X, X[:, ::-1]):
            np.testing.assert_array_equal(compiled(x), x * f(x, descending=True, stable=True))
        assert compiled.inspect().signatures[0].replays == 2
        compiled = tg.compile(lambda x, f=f: f(x > 0.4, descending=True, stable=True))
        for x in (X, X, X, -X):
            expected = f(x > 0.4, descending=True, stable=True)
            np.testing.assert_array_equal(compiled(x), expected)
    v.sort(descending=True)
    rows.sort(descending=True)
    np.testing.assert_array_equal(v.value, rows)
    for options in ({"kind": "stable"}, {"order": "a"}):
        for f in (np.sort, np.argsort, tg.Variable.sort, tg.Variable.argsort):
            with pytest.raises(ValueError, match=r"kind|order"):
                f(v, **options, descending=True)


def test_views_follow_and_write_through():
    views = [
        lambda v: v.T,
        lambda v: v.reshape(-1),
        lambda v: v.transpose(1, 0),
        lambda v: v[::-1],
        lambda v: np.swapaxes(v, 0, 1),
        lambda v: np.squeeze(v[None]),
        lambda v: np.expand_dims(v, 0),
        lambda v: np.moveaxis(v, 0, 1),
        lambda v: v.ravel(),
        lambda v: np.flip(v),
    ]
    for view in views:
        v, a = tg.Variable(X), X.copy()
        shown, expected = view(v), view(a)
        shown[0] = 9.0
        expected[0] = 9.0
        np.testing.assert_array_equal(v.value, a)
        v[1, 1] = -5.0
        a[1, 1] = -5.0
        np.testing.assert_array_equal(shown.value, expected)

        def f(x, view=view):
            y = x * 1.0
            view(y)[0] *= 2.0
            return np.sum(y * y)

        tg.testing.check_grads(f, (X,))
    v = tg.Variable(X)
    for copy in (v.copy(), v.flatten(), v[[0, 1]], v[v > -9], v + 0.0):
        copy[...] = 0.0
    np.testing.assert_array_equal(v.value, X)


def test_properties_and_methods():
    v = tg.Variable(X)
    assert v.nbytes == X.nbytes
    assert v.itemsize == 8
    assert v.real is v
    np.testing.assert_array_equal(v.imag, 0)
    assert tg.value(v.conj()) is not None
    for name in ("sum", "mean", "prod", "max", "min", "var", "std", "cumsum", "cumprod", "round"):
        np.testing.assert_allclose(tg.value(getattr(v, name)()), getattr(X, name)(), rtol=1e-14)
        if name != "round":
            found = tg.value(getattr(v, name)(axis=0))
            np.testing.assert_allclose(found, getattr(X, name)(axis=0), rtol=1e-14)
    assert v.any()
    assert v.all(axis=0).shape == (3,)
    np.testing.assert_array_equal(v.argmax(1), X.argmax(1))


@pytest.mark.parametrize("name", ufuncs.unary_names())
def test_methods_that_numpy_calls_on_object_arrays(name):
    f = getattr(np, name)
    x = np.array([1.25, 1.5]) if name == "arccosh" else np.array([0.25, 0.5])
    if name == "spacing":
        return  # NumPy has no object loop
    with np.errstate(all="ignore"):
        items = np.array([tg.Variable(x[0]), tg.Variable(x[1])])
        assert items.dtype == object
        found = [tg.value(item) for item in f(items)]
        np.testing.assert_allclose(found, f(x), rtol=1e-14)


def test_ufunc_methods():
    tg.testing.check_grads(np.add.reduce, (X,))
    tg.testing.check_grads(lambda x: np.multiply.reduce(x, axis=1, initial=2.0), (X,))
    tg.testing.check_grads(lambda x: np.maximum.reduce(x, axis=None, keepdims=True), (X,))
    tg.testing.check_grads(lambda x: np.minimum.reduce(x, axis=1, initial=0.0, where=MASK), (X,))
    tg.testing.check_grads(np.logaddexp.reduce, (X,))
    tg.testing.check_grads(np.add.accumulate, (X,))
    tg.testing.check_grads(lambda x: np.multiply.accumulate(x, axis=1), (X,))
    tg.testing.check_grads(lambda x, y: np.arctan2.outer(x, y), (X, V))
    tg.testing.check_grads(lambda x: np.subtract.outer([1.0, 2.0], x), (V,))
    v = tg.Variable(X)
    for f in (np.add.reduce, np.multiply.reduce, np.maximum.reduce, np.add.accumulate):
        np.testing.assert_allclose(tg.value(f(v)), f(X), rtol=1e-14)
        np.testing.assert_allclose(tg.value(f(v, axis=1)), f(X, axis=1), rtol=1e-14)
    np.testing.assert_array_equal(np.logical_and.reduce(v), np.logical_and.reduce(X))
    np.testing.assert_array_equal(np.less.outer(v, V), np.less.outer(X, V))


def test_ufunc_keywords():
    v = tg.Variable(X)
    assert np.sin(v, dtype=np.float64).dtype == np.float64
    assert np.add(v, 1, dtype=np.float32).dtype == np.float32
    np.testing.assert_array_equal(tg.value(np.add(v, 1.0, casting="same_kind")), X + 1)
    with pytest.raises(TypeError, match=r"np\.sin: signature="):
        np.sin(v, signature="d->d")
    mask = np.empty(X.shape, bool)
    assert np.greater(v, 0.0, out=mask) is mask
    np.testing.assert_array_equal(mask, MASK)


def test_keyword_refusals_name_the_argument():
    v = tg.Variable(X)
    for f, what in [
        (lambda: np.pad(v, 1, mode="edges"), "edges"),
        (lambda: np.pad(v, 1, mode="mean", end_values=1.0), "end_values"),
        (lambda: np.pad(v, 1, mode="maximum", stat_length=0), "stat_length"),
        (lambda: np.pad(v, 1, mode="mean", stat_length=-1), "negative"),
        (lambda: np.pad(v[:0], 1, mode="linear_ramp"), "empty axis 0"),
        (lambda: np.einsum("ij", v, scale=2), "scale"),
        (lambda: np.reshape(v, 6, order="X"), "order='X'"),
        (lambda: np.max(v, where=MASK), "initial="),
        (lambda: np.var(v, ddof=1, correction=1), "correction="),
        (lambda: np.sum(v, dtype=int), "int64"),
        *([(lambda: np.cumulative_sum(v), "axis=")] if NUMPY >= (2, 1) else []),
    ]:
        with pytest.raises((TypeError, ValueError), match=what):
            f()


def test_printing_and_files():
    v = tg.Variable(X)
    assert "2." in str(v)
    with pytest.raises(TypeError, match=r"np\.save.*tg\.value"):
        np.save(io.BytesIO(), v)


def test_in_place_operator_and_call_by_name_are_told_apart():
    v = tg.Variable(V)
    y = np.ones(4)
    with pytest.raises(TypeError, match=r"np\.add: out="):
        np.add(y, v, out=y)
    with pytest.raises(TypeError, match=r"np\.multiply: out="):
        y = np.multiply(y, v, y)
    for _ in range(3):
        y += v
        y -= v * 1.0
        y /= v
        y **= 2
    assert isinstance(y, tg.Variable)
    matrix = np.eye(4)
    matrix @= tg.Variable(np.eye(4))
    assert isinstance(matrix, tg.Variable)


NUMBERS_REFUSE = {
    "mean": lambda x: np.mean(x, 0),
    "mean of axes": lambda x: x.mean((0,)),
    "var": lambda x: np.var(x, -1, keepdims=True),
    "std": lambda x: x.std(0),
    "average": lambda x: np.average(x, 0),
    "sum of axes": lambda x: np.sum(x, (0,)),
    "max of axes": lambda x: x.max((0, -1)),
    "flip": lambda x: np.flip(x, 0),
    "accumulate": lambda x: np.add.accumulate(x),
    "all of axes": lambda x: np.all(x, (0,)),
    "mean of a comparison": lambda x: (x > 0).mean(0),
}


@pytest.mark.parametrize("name", NUMBERS_REFUSE)
def test_numbers_have_no_axes(name):
    f = NUMBERS_REFUSE[name]
    for x in (np.float64(0.5), np.array(0.5)):
        with pytest.raises((ValueError, TypeError)):
            f(x)
        with pytest.raises((ValueError, TypeError)):
            f(tg.Variable(x))
        with pytest.raises((ValueError, TypeError)):
            tg.compile(f)(x)


def test_a_single_axis_of_a_number_is_let_through():
    calls = [
        lambda x: np.sum(x, 0) + x.prod(-1) + np.max(x, axis=0, keepdims=True),
        lambda x: np.all(x, axis=-1, keepdims=True),
        lambda x: np.any(x, 0),
    ]
    for f in calls:
        compiled = tg.compile(f)
        for _ in range(3):
            assert np.shape(compiled(np.float64(0.5))) == np.shape(f(np.float64(0.5))) == ()
            assert compiled(np.float64(0.5)) == f(np.float64(0.5)) == f(tg.Variable(0.5))


def test_vander_needs_a_vector():
    with pytest.raises(ValueError, match=r"one-dimensional, got shape \(2, 3\)"):
        np.vander(tg.Variable(X))


@pytest.mark.skipif(NUMPY < (2, 1), reason="copy= is younger")
@pytest.mark.parametrize("of", ["a", "a.T", "a[:, ::2]", "a * 2.0", "(a * 2.0).T", "a[::-1]"])
@pytest.mark.parametrize("shape", [(-1,), (3, -1), (2, -1), (-1, 1)])
def test_reshape_without_a_copy(of, shape):
    def outcome(a):
        try:
            return np.shape(np.reshape(eval(of, {"a": a}), shape, copy=False))
        except ValueError as error:
            return "copy" in str(error)

    plain = np.arange(12.0).reshape(2, 6)
    assert outcome(tg.Variable(plain)) == outcome(plain)
