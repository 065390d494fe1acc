"""Calls that the core answers itself agree with the package's functions, also in their errors."""

import inspect

import numpy as np
import pytest
from numpy.lib.mixins import NDArrayOperatorsMixin

import tapegrad as tg
from tapegrad import numerical
from tapegrad.numpy.families import whole_table

A = np.array([0.5, 1.5, 2.5, 3.5])
B = np.array([2.0, -1.0, 0.5, 4.0])
M = A.reshape(2, 2)
COLUMN = A.reshape(1, 4, 1)
SHAPE = list(inspect.signature(np.reshape).parameters)[1]  # newshape, in NumPy 2.0
MASK = np.array([True, False, True, False])

CALLS = [
    (np.sum, (A,), {}),
    (np.sum, (M,), {"axis": 0}),
    (np.sum, (M, (0, 1)), {}),
    (np.sum, (M,), {"axis": -1, "keepdims": True}),
    (np.sum, (A,), {"axis": np.int64(0)}),
    (np.sum, (A,), {"initial": 2.0}),
    (np.sum, (A,), {"where": MASK}),
    (np.sum, (A, None, np.float32), {}),
    (np.sum, (A,), {"axis": 1}),
    (np.sum, (M, (0, 0)), {}),
    (np.prod, (M, 1), {}),
    (np.max, (M,), {"axis": 1}),
    (np.max, (A,), {"initial": 9.0}),
    (np.min, (A,), {}),
    (np.amax, (A,), {}),
    (np.mean, (M,), {"axis": (1,)}),
    (np.mean, (M,), {"where": M > 1}),
    (np.cumsum, (M,), {}),
    (np.cumsum, (M, 1), {}),
    (np.cumprod, (A,), {}),
    (np.reshape, (A, (2, -1)), {}),
    (np.reshape, (A, -1), {}),
    (np.reshape, (A,), {SHAPE: (4, 1), "order": "F"}),
    (np.reshape, (A, [2, 2]), {}),
    (np.reshape, (A, (3, 2)), {}),
    (np.reshape, (A, (-1, -1)), {}),
    (np.reshape, (A, (2, 2.0)), {}),
    (np.ravel, (M,), {}),
    (np.ravel, (M,), {"order": "F"}),
    (np.transpose, (M,), {}),
    (np.transpose, (M, (1, 0)), {}),
    (np.transpose, (M, [0, 1]), {}),
    (np.transpose, (M, (0, 0)), {}),
    (np.swapaxes, (M, 0, -1), {}),
    (np.swapaxes, (M, 0, 2), {}),
    (np.moveaxis, (COLUMN, 0, 2), {}),
    (np.moveaxis, (COLUMN, (0, 1), (1, 0)), {}),
    (np.expand_dims, (A, 1), {}),
    (np.expand_dims, (A, (0, -1)), {}),
    (np.squeeze, (COLUMN,), {}),
    (np.squeeze, (COLUMN, 0), {}),
    (np.squeeze, (COLUMN, 1), {}),
    (np.broadcast_to, (A, (3, 4)), {}),
    (np.broadcast_to, (A, (3, 3)), {}),
    (np.flip, (M,), {}),
    (np.flip, (M, 1), {}),
    (np.concatenate, ([A, B],), {}),
    (np.concatenate, ((M, M),), {"axis": -1}),
    (np.concatenate, ((M, M),), {"axis": None}),
    (np.concatenate, ([A, B],), {"dtype": np.float32}),
    (np.concatenate, ([A, M],), {}),
    (np.concatenate, ([M, M], 2), {}),
    (np.stack, ([A, B],), {}),
    (np.stack, ([A, B],), {"axis": -1}),
    (np.stack, ([A, M],), {}),
    (np.where, (MASK, A, B), {}),
    (np.where, (MASK, A, 0.0), {}),
    (np.where, (MASK.astype(int), A, B), {}),
    (np.where, (MASK, A, M), {}),
    (np.clip, (A, 1.0, 2), {}),
    (np.clip, (A, None, 2.0), {}),
    (np.clip, (A,), {"a_min": 1.0, "a_max": 3.0}),
    (np.dot, (A, B), {}),
    (np.dot, (M, M), {}),
    (np.dot, (A, np.ones(3)), {}),
    (np.vdot, (A, B), {}),
    (np.inner, (A, B), {}),
    (np.outer, (A, B), {}),
    (np.trace, (M,), {}),
    (np.trace, (M, 1), {}),
    (np.trace, (M,), {"dtype": np.float32}),
    (np.trace, (A,), {}),
    (np.diagonal, (M,), {}),
    (np.diagonal, (M,), {"offset": -1}),
    (np.repeat, (A, 2), {}),
    (np.repeat, (M, (1, 2), 1), {}),
    (np.repeat, (M, 2), {"axis": 0}),
    (np.repeat, (A, -1), {}),
    (np.copy, (M,), {}),
    (np.copy, (M.T,), {}),
    (np.copy, (M,), {"order": "F"}),
    (np.hstack, ([A, B],), {}),
    (np.hstack, ([M, M],), {}),
    (np.vstack, ((A, B),), {}),
    (np.einsum, ("i,i->", A, B), {}),
    (np.einsum, ("ij,j", M, np.ones(2)), {}),
    (np.einsum, ("ij,j", M, np.ones(3)), {}),
    (np.take, (A, np.array([2, 0])), {}),
    (np.round, (A, 0), {}),
    (np.round, (A,), {"decimals": 1.5}),
]


def variables(x):
    """`x` with each float array in it a Variable, and these Variables."""
    if isinstance(x, (list, tuple)):
        made = [variables(item) for item in x]
        return type(x)(v for v, _ in made), [leaf for _, found in made for leaf in found]
    if isinstance(x, np.ndarray) and x.dtype == float:
        leaf = tg.Variable(x)
        return leaf, [leaf]
    return x, []


def outcome(f, args, kwargs):
    """Value, class and gradients of a call, or its error."""
    args, leaves = variables(args)
    try:
        found = f(*args, **kwargs)
    except Exception as error:
        return type(error), str(error)
    value = np.asarray(tg.value(found))
    np.sum(found * np.arange(1.0, value.size + 1).reshape(value.shape)).backward()
    gradients = [leaf.grad.tolist() for leaf in leaves]
    return value.shape, value.dtype, value.tolist(), type(found), gradients


@pytest.mark.parametrize(("f", "args", "kwargs"), CALLS)
def test_functions_agree_with_the_packages(f, args, kwargs):
    assert outcome(f, args, kwargs) == outcome(whole_table()[f], args, kwargs)


@pytest.mark.parametrize("name", ["sum", "max", "mean", "cumsum", "ravel", "squeeze", "swapaxes"])
def test_methods_agree_with_the_functions(name):
    args = (0, 1) if name == "swapaxes" else ()
    method = getattr(tg.Variable, name)
    assert outcome(method, (M, *args), {}) == outcome(getattr(np, name), (M, *args), {})
    assert method.__name__ == name
    assert method.__doc__ == f"Like numpy.ndarray.{name}."
    bound = getattr(tg.Variable(M), name)
    assert np.array_equal(tg.value(bound(*args)), getattr(M, name)(*args))
    with pytest.raises(TypeError):
        bound(*args, nonsense=1)


def test_shapes_as_several_numbers():
    v = tg.Variable(np.arange(6.0))
    for shape in [(2, 3), (3, -1), (6, 1, 1)]:
        assert v.reshape(*shape).shape == v.reshape(shape).shape == np.zeros(6).reshape(shape).shape
    assert v.reshape(2, 3, order="F").value.tolist() == [[0, 2, 4], [1, 3, 5]]
    m = v.reshape(1, 2, 3)
    assert m.transpose(2, 0, 1).shape == m.transpose((2, 0, 1)).shape == (3, 1, 2)
    assert m.transpose().shape == m.T.shape == m.transpose(None).shape == (3, 2, 1)
    with pytest.raises(ValueError, match="cannot reshape array of size 6"):
        v.reshape(4, 2)
    assert "shape" in inspect.signature(tg.Variable.reshape).parameters


PLAIN = [
    (np.argmax, (A,), {}, "argmax"),
    (np.argmax, (M, 1), {}, "argmax"),
    (np.argmin, (M,), {"axis": 0, "keepdims": True}, "argmin"),
    (np.argsort, (B,), {}, "argsort"),
    (np.any, (M,), {"axis": (0, 1)}, "any"),
    (np.all, (M, 0), {}, "all"),
    (np.nonzero, (B,), {}, "nonzero"),
    (np.count_nonzero, (M,), {"axis": 0}, ""),
    (np.searchsorted, (A, B), {}, "searchsorted"),
    (np.searchsorted, (A, 2.0), {"side": "right"}, "searchsorted"),
    (np.isclose, (A, B), {}, ""),
    (np.array_equal, (A, A), {}, ""),
    (np.shape, (M,), {}, ""),
    (np.size, (M, 1), {}, ""),
    (np.ndim, (M,), {}, ""),
    (np.iscomplexobj, (M,), {}, ""),
    (np.argmax, (A, 1), {}, "argmax"),
    (np.argmax, (A,), {"nonsense": 1}, "argmax"),
]


def same(f, args, kwargs):
    try:
        found = f(*args, **kwargs)
    except Exception as error:
        return type(error), str(error)
    return type(found), np.asarray(found).tolist()


@pytest.mark.parametrize(("f", "args", "kwargs", "method"), PLAIN)
def test_plain_results_are_numpys(f, args, kwargs, method):
    given, _ = variables(args)
    for _ in range(2):  # the first call loads the family
        assert same(f, given, kwargs) == same(f, args, kwargs)
    if method:
        first, *rest = args
        wanted = same(getattr(first, method), rest, kwargs)
        found = same(getattr(given[0], method), given[1:], kwargs)
        assert found == wanted if not issubclass(wanted[0], TypeError) else found[0] is TypeError


def test_plain_results_go_where_they_are_asked_to():
    v, at = tg.Variable(M), np.zeros(2, int)
    assert np.argmax(v, 1, at) is at
    assert at.tolist() == [1, 1]
    assert np.argmax(v, axis=0, out=at) is at
    assert v.argmax(1, at) is at
    target = tg.Variable(np.zeros(2))
    assert np.any(v, 0, target) is target
    assert target.value.tolist() == [1.0, 1.0]


def test_classes_of_their_own_are_asked():
    class Weight(tg.Variable):
        def __array_function__(self, *args):
            return "weight"

        def __array_ufunc__(self, *args):
            return "weight"

    class Units:
        def __array_function__(self, *args):
            return "units"

        def __array_ufunc__(self, *args):
            return "units"

    v, w = tg.Variable(A), Weight(A)
    assert np.sum(w) == np.dot(v, w) == np.concatenate([v, w]) == np.where(MASK, v, w) == "weight"
    assert np.sin(w) == np.add(v, w) == np.less(v, w) == "weight"
    assert np.dot(Units(), v) == np.concatenate([Units(), v]) == np.add(Units(), v) == "units"


def test_functions_in_blocks_without_a_record():
    v = tg.Variable(A)
    with tg.no_grad():
        found = np.sin(v), np.sum(v), np.hstack([v, v]), np.trace(tg.Variable(M))
    assert all(isinstance(x, tg.Variable) for x in found)
    assert tg.grad(sum(np.sum(x) for x in found), v).tolist() == [0.0] * 4


def test_views_write_through():
    v = tg.Variable(np.zeros(4))
    v.reshape(2, 2)[0, 1] = 5.0
    np.transpose(v.reshape(2, 2))[0, 1] = 7.0
    np.flip(v)[0] = 9.0
    assert v.value.tolist() == [0.0, 5.0, 7.0, 9.0]


def test_subclasses_and_keyword_spellings():
    class Weight(tg.Variable):
        pass

    w = Weight(A)
    assert np.sum(w).value == A.sum()
    keyword = "".join(["ax", "is"])  # not the interned object
    assert np.sum(tg.Variable(M), **{keyword: 0}).value.tolist() == M.sum(0).tolist()
    assert np.sum(tg.Variable(M), 0, keepdims=True).shape == (1, 2)
    for axis in (0, 1, 0, None):  # the attributes of the last call are kept
        assert np.array_equal(tg.value(np.sum(tg.Variable(M), axis=axis)), M.sum(axis))


C = np.array([1.0, 2.0, 4.0])
HOLES = np.array([1.0, np.nan, np.inf])
# Of a number, which stands where NumPy asks no argument what to do.
UNASKED = {
    "pad": lambda v: np.pad(C, 1, constant_values=v),
    "pad, both ends": lambda v: np.pad(C, 1, constant_values=(v, 1.0)),
    "pad, ramp": lambda v: np.pad(C, 2, "linear_ramp", end_values=v),
    "interp, left": lambda v: np.interp(0.0, C, C, left=v),
    "interp, right": lambda v: np.interp(9.0, C, C, None, v),
    "nan_to_num": lambda v: np.nan_to_num(HOLES, nan=v),
    "nan_to_num, infinite": lambda v: np.nan_to_num(HOLES, True, 0.0, v * v),
    "nan_to_num of a Variable": lambda v: np.nan_to_num(v * HOLES, nan=v, posinf=3 * v),
    "nan_to_num by arrays": lambda v: np.nan_to_num(HOLES, nan=C * v),
    "sum": lambda v: np.sum(C, initial=v),
    "prod": lambda v: np.prod(C, initial=v),
    "max": lambda v: np.max(C, initial=9.0 * v),
    "min": lambda v: np.min(C, initial=0.1 * v),
    "select": lambda v: np.select([C > 1], [0.0], v),
    "select of arrays": lambda v: np.select([C > 3, C > 1], [0.0, C], default=v * C),
    "full_like": lambda v: np.full_like(C, v),
    "unwrap": lambda v: np.unwrap(C, period=v),
    "apply_along_axis": lambda v: np.apply_along_axis(lambda r, s: r * s, 0, C, v),
    "norm": lambda v: np.linalg.norm(C, v + 1),
    "frompyfunc": lambda v: np.frompyfunc(lambda a, b: a * b, 2, 1)(C, v),
    "by keywords": lambda v: np.pad(array=C, pad_width=1, constant_values=v),
}


@pytest.mark.parametrize("name", UNASKED)
def test_arguments_that_numpy_does_not_ask(name):
    f, v = UNASKED[name], 1.5

    def flat(x):
        return np.array([float(item) for item in np.ravel(f(x))])

    slope = (flat(v + 1e-6) - flat(v - 1e-6)) / 2e-6
    compiled = tg.compile(lambda v: tg.jvp(f, (v,), (1.0,)))
    for found, tangent in (
        tg.jvp(f, (v,), (1.0,)),
        *(compiled(x) for x in (1.4, 1.45, 1.5)),
        [x[0] for x in tg.vmap(lambda v: tg.jvp(f, (v,), (1.0,)))(np.array([v, 1.6]))],
    ):
        last = np.ravel(found), np.ravel(tangent)
    np.testing.assert_allclose(last[0], flat(v), rtol=1e-12)
    np.testing.assert_allclose(last[1], slope, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(np.ravel(tg.jacobian(f)(v)), slope, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(np.ravel(compiled(v)[1]), slope, rtol=1e-6, atol=1e-6)


PLACES = [1, [1], -1, [0, 2], [2, 0], [1, -2], [0, 0], slice(1, 2), slice(0, 3, 2), MASK[:2]]


@pytest.mark.filterwarnings("ignore:in the future insert:FutureWarning")  # before NumPy 2.2
@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize("values", [C[:1], C[:2], 5.0])
def test_insert(places, values):
    def f(x):
        return np.insert(x * 1.0, places, values * x[0])

    try:
        expected = f(B[:2])
    except (ValueError, IndexError) as error:
        with pytest.raises(type(error)):
            f(tg.Variable(B[:2]))
        return
    np.testing.assert_array_equal(tg.value(f(tg.Variable(B[:2]))), expected)
    tg.testing.check_grads(f, B[:2])
    compiled = tg.compile(f)
    for k in (1.0, 2.0, 3.0, 4.0):
        np.testing.assert_array_equal(compiled(B[:2] * k), f(B[:2] * k))


class Quantity(NDArrayOperatorsMixin):
    """Numbers with a unit, as libraries of units have them: NumPy asks it what functions do."""

    def __init__(self, a, unit="m"):
        self.a, self.unit = np.asarray(a), unit

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        given = [x.a if isinstance(x, Quantity) else x for x in inputs]
        return Quantity(getattr(ufunc, method)(*given, **kwargs), self.unit)

    def __array_function__(self, function, types, args, kwargs):
        def bare(x):
            if isinstance(x, (list, tuple)):
                return [*map(bare, x)]
            return x.a if isinstance(x, Quantity) else x

        return Quantity(function(*map(bare, args), **kwargs), self.unit)


LENGTHS = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sqrt(Quantity(x) * 2.0) + Quantity(x),
        lambda x: x * Quantity(LENGTHS) + x,
        lambda x: x[0] * Quantity(LENGTHS) - Quantity(LENGTHS) / x,
        lambda x: np.add(x, Quantity(LENGTHS)),
        lambda x: np.multiply.outer(x, Quantity(LENGTHS)),
        lambda x: x @ Quantity(LENGTHS) * x,
        lambda x: np.concatenate([x, Quantity(LENGTHS)]) * 2.0,
        lambda x: np.where(LENGTHS > 1.5, x, Quantity(LENGTHS)),
        lambda x: np.abs(1j * x * Quantity(LENGTHS)),
        lambda x: np.abs(np.stack([x * 1j, Quantity(LENGTHS)])),
    ],
)
def test_objects_that_numpy_asks_answer_beside_variables(f):
    x = np.array([0.7, 1.9, 2.6])
    compiled = tg.compile(lambda x: f(x).a)
    for scale in (1.0, 1.1, 0.9, 1.05):
        np.testing.assert_allclose(compiled(x * scale), f(x * scale).a, rtol=1e-13)
    found = tg.grad(lambda x: np.sum(np.sin(f(x).a)))(x)
    wanted = numerical.grad(lambda x: float(np.sum(np.sin(f(x).a))))(x)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    lanes = np.stack([x, 1.1 * x])
    expected = [f(row).a for row in lanes]
    np.testing.assert_allclose(tg.vmap(lambda x: f(x).a)(lanes), expected, rtol=1e-13)


def test_objects_that_do_not_answer_are_named():
    class Silent:
        def __array_ufunc__(self, *args, **kwargs):
            return NotImplemented

    with pytest.raises(TypeError, match=r"all returned NotImplemented"):
        np.add(tg.Variable(LENGTHS), Silent())
