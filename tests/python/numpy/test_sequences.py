"""Variables inside lists, tuples and arrays of objects, where NumPy takes such; `X.dot(v)`."""

import sys
import threading
import warnings

import numpy as np
import pytest
from agreement import agrees

import tapegrad as tg

X = np.array([[1.0, 2.0], [3.0, 4.5]])
Y = np.array([0.5, -1.5])
POINTS = [(np.array([1.3, 1.9]),), (np.array([1.1, 2.2]),), (np.array([1.5, 1.6]),)]

LISTS = {
    "mean": lambda v: np.mean([v[0], v[1]]),
    "mean of a tuple": lambda v: np.mean((v[0], 1.0, v[1])),
    "mean of rows": lambda v: np.mean([v, Y], axis=0),
    "mean of lists": lambda v: np.mean([[v[0], 1.0], (2, v[1])], 1),
    "sum": lambda v: np.sum([v[0], 2.0]),
    "sum by name": lambda v: np.sum(a=[v, v * 2.0], axis=1),
    "std": lambda v: np.std([v[0], v[1], 3.0]),
    "median": lambda v: np.median([v[0], v[1], 3.0]),
    "percentile": lambda v: np.percentile([v[0], v[1], 3.0], 30),
    "average": lambda v: np.average([v[0], v[1]], weights=[v[1], 1.0]),
    "max": lambda v: np.max([v[0], v[1] * 3.0]),
    "cumsum": lambda v: np.cumsum([v[0], 1.0, v[1]]),
    "dot": lambda v: np.dot([v[0], 1.0], [2.0, v[1]]),
    "outer": lambda v: np.outer([v[0], 1.0], [2.0, v[1]]),
    "cross": lambda v: np.cross([v[0], v[1], 1.0], [2.0, 3.0, v[0]]),
    "norm": lambda v: np.linalg.norm([v[0], v[1]]),
    "det": lambda v: np.linalg.det([[v[0], 1.0], [0.5, v[1]]]),
    "inv": lambda v: np.linalg.inv([[v[0], 1.0], [0.5, v[1]]]),
    "solve": lambda v: np.linalg.solve([[v[0], 1.0], [0.5, v[1]]], [1, v[0]]),
    "eigvalsh": lambda v: np.linalg.eigvalsh([[v[0], 0.5], [0.5, v[1]]]),
    "where": lambda v: np.where([True, False], [v[0], 1.0], [2.0, v[1]]),
    "interp": lambda v: np.interp(1.3, [1.0, 2.0], [v[0], v[1]]),
    "polyval": lambda v: np.polyval([v[0], v[1]], 2.0),
    "polyfit": lambda v: np.polyfit([1.0, 2.0, 4.0], [v[0], v[1], 1.0], 1),
    "trapezoid": lambda v: np.trapezoid([v[0], v[1], 1.0], [0.0, 1.0, 3.0]),
    "gradient": lambda v: np.gradient([v[0], v[1], 1.0]),
    "cov": lambda v: np.cov([v[0], v[1], 1.0], [1.0, v[1], 2.0]),
    "select": lambda v: np.select([[True, False]], [[v[0], v[1]]], 0.5),
    "choose": lambda v: np.choose([0, 1], [[v[0], v[1]], [1.0, 2.0]]),
    "stack of rows": lambda v: np.stack([[v[0], 1.0], [v[1], v[0]]]),
    "concatenated lists": lambda v: np.concatenate([[v[0], v[1]], [1.0]]),
    "append": lambda v: np.append([v[0], 2.0], v[1]),
    "a function of one": lambda v: np.sqrt([v[0], 2, v[1]]),
    "a function of two": lambda v: np.hypot([v[0], 1.0], (2.0, v[1])),
    "the larger": lambda v: np.maximum([v[0], 1.0], [1.1, v[1]]),
    "elements of a flat iterator": lambda v: np.vstack([v.flat, [v[0], 1.0]]),
    "a list and an array": lambda v: [v[0], v[1]] * Y,
    "an array and a list": lambda v: X @ [v[0], v[1]],
}

# Methods are NumPy's own, of objects.
OBJECTS = {
    "exp": lambda v: np.exp(np.array([v[0], 1.0])),
    "sin": lambda v: np.sin(np.array([v[0], v[1]])),
    "a test": lambda v: np.where(np.isnan(np.array([v[0], 1.0])), 0.0, v),
    "of two": lambda v: np.arctan2(np.array([v[0], 1.0]), v),
    "times": lambda v: np.array([v[0], v[1]]) * 2.0 - Y,
    "negative": lambda v: -np.array([v[0], v[1]]),
    "power": lambda v: np.array([v[0], 2.0]) ** 2,
    "product": lambda v: np.array([v[0], v[1]]) @ X,
    "inv": lambda v: np.linalg.inv(np.array([[2 + v[0], 0.1], [0.2, v[1]]])),
    "solve": lambda v: np.linalg.solve(np.array([[2 + v[0], 0.1], [0.2, v[1]]]), Y),
    "sum": lambda v: np.sum(np.array([v[0], 1.0])),
    "reversed": lambda v: np.cumsum(np.array([[v[0], 1.0], [v[1], 2.0]])[:, ::-1]),
    "transposed": lambda v: np.exp(np.array([[v[0], 1.0], [v[1], 2.0]]).T),
    "mean": lambda v: np.mean(np.array([v[0], 1.0])),
    "method mean": lambda v: np.array([v[0], 1.0]).mean() * 1.0,
    "method var": lambda v: np.array([v[0], 1.0]).var() * 1.0,
    "method std": lambda v: np.array([v[0], 1.0]).std() * 1.0,
    "method std of columns": lambda v: np.array([[v[0], 1.0], [v[1], 3.0]]).std(axis=0) * 1.0,
    "method sum": lambda v: np.array([v[0], 1.0]).sum() * 1.0,
    "method dot": lambda v: np.array([v[0], 1.0]).dot([v[1], 2.0]) * 1.0,
    "built-in sum": lambda v: sum(np.array([v[0], 1.0])) * 1.0,
}

BRACKETS = {
    "arrays": lambda v: np.r_[Y, v],
    "numbers": lambda v: np.r_[v[0], 1, Y, v[1]],
    "lists": lambda v: np.r_[[v[0], 1.0], 3.0],
    "columns": lambda v: np.c_[v, Y],
    "a column and a matrix": lambda v: np.c_[v, X, [3.0, 4.0]],
    "two axes": lambda v: np.c_[v[:, None], X],
    "last axis": lambda v: np.r_["-1", X, v[:, None]],
    "rows": lambda v: np.r_["0,2", v, Y],
    "columns by text": lambda v: np.r_["1,2,0", v, Y],
    "three axes": lambda v: np.r_["0,3,1", v, Y],
    "three axes from the end": lambda v: np.r_["0,3,-2", v, Y],
    "so many": lambda v: np.r_[v[0] : v[1] : 4j],
    "columns of so many": lambda v: np.c_[v[0] : v[1] : 4j, v[1] : 3 : 4j],
    "by a step": lambda v: np.r_[v[0] : v[0] + 1.0 : 0.3, v],
    "plain steps": lambda v: np.r_[1:3, v, 0:1:3j],
    "a line": lambda v: np.mgrid[v[0] : v[1] : 3j] * 1.0,
    "a line by steps": lambda v: np.ogrid[v[0] : v[0] + 1.0 : 0.3] * 1.0,
    "a grid": lambda v: np.mgrid[0:2, v[0] : v[1] : 3j],
    "a grid of three": lambda v: np.mgrid[v[0] : 5 : 2j, 0:3, v[1] : v[1] + 1 : 0.4],
}


def test_open_grids():
    def f(v):
        return np.ogrid[0:2, v[0] : v[1] : 3j]

    for found, expected in zip(f(tg.Variable(POINTS[0][0])), f(POINTS[0][0]), strict=True):
        assert np.shape(found) == expected.shape
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(tg.value(found), expected)
    tg.testing.check_grads(lambda v: f(v)[1], POINTS[0])


METHOD = {
    "alone": lambda v: X.dot(v) * 1.0,
    "sum": lambda v: X.dot(v).sum() * 1.0,
    "mean": lambda v: X.dot(v).mean() * 1.0,
    "transposed": lambda v: X.T.dot(v) + Y,
    "squared": lambda v: X.dot(v) ** 2,
    "of vectors": lambda v: Y.dot(v) * 1.0,
    "twice": lambda v: np.tanh(X.dot(X.dot(v)) + 1.0),
    "of a matrix": lambda v: X.dot(np.outer(v, v)) @ Y,
    "index": lambda v: X.dot(v)[0] * X.dot(v)[-1],
    "norm": lambda v: np.linalg.norm(X.dot(v)),
    "another Variable": lambda v: X.dot(v).dot(v) * v.dot(X.dot(v)),
    "of a list": lambda v: X.dot([v, v * 2.0]) * 1.0,
    "shape": lambda v: X.dot(v).reshape(2, 1).T * 1.0,
    "deviation": lambda v: X.dot(v).std() + X.dot(v).max(),
    "by name": lambda v: X.dot(b=v) * 1.0,
}


@pytest.mark.parametrize("name", LISTS)
def test_lists(name):
    agrees(LISTS[name], POINTS)


@pytest.mark.parametrize("name", OBJECTS)
def test_arrays_of_objects(name):
    agrees(OBJECTS[name], POINTS)


@pytest.mark.parametrize("name", BRACKETS)
def test_brackets(name):
    agrees(BRACKETS[name], POINTS)


@pytest.mark.parametrize("name", METHOD)
def test_the_method_dot_of_plain_arrays(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        agrees(METHOD[name], POINTS)


SERIES = {
    "polynomial": np.polynomial.polynomial, "chebyshev": np.polynomial.chebyshev,
    "legendre": np.polynomial.legendre, "hermite": np.polynomial.hermite,
    "hermite_e": np.polynomial.hermite_e, "laguerre": np.polynomial.laguerre,
}  # fmt: skip
CLASSES = {
    "value": lambda P, v: P(v)(0.3) * 1.0,
    "values": lambda P, v: P([1.0, 2.0, 0.5])(v) * 1.0,
    "product": lambda P, v: (P(v) * P([1.0, 2.0]) + 1.0).coef * 1.0,
    "quotient": lambda P, v: (P([1.0, 2.0, 0.5]) // P(v)).coef * 1.0,
    "derivative": lambda P, v: (P(v) ** 2).deriv()(v) * 1.0,
    "integral": lambda P, v: P(v).integ(k=1.0)(0.5) * 1.0,
    "domain": lambda P, v: P([1.0, 2.0], domain=[v[0], 3.0])(0.5) * 1.0,
    "fit": lambda P, v: P.fit(np.array([0.5, 2.0]), v, 1)(0.3) * 1.0,
}


@pytest.mark.parametrize("name", SERIES)
def test_series_of_numpy_polynomial(name):
    module = SERIES[name]
    short = {"polynomial": "poly", "laguerre": "lag"}.get(name, name.replace("mite", "m"))
    short = short.replace("_", "")[:5].replace("cheby", "cheb").replace("legen", "leg")

    def called(kind):
        return getattr(module, short + kind)

    for f in (
        lambda v: called("val")(np.array([0.1, 0.7]), v) * 1.0,
        lambda v: called("mul")(v, [1.0, 2.0]) * 1.0,
        lambda v: called("add")(v, [1.0, 2.0, 3.0]) * 1.0,
        lambda v: called("der")(v, 1) * 1.0,
        lambda v: called("int")(v) * 1.0,
        lambda v: called("fromroots")(v) * 1.0,
        lambda v: called("fit")(np.array([0.1, 0.7]), v, 1) * 1.0,
    ):
        agrees(f, POINTS, lanes=False, rtol=1e-12)


@pytest.mark.parametrize("cls", [np.polynomial.Polynomial, np.polynomial.Chebyshev])
@pytest.mark.parametrize("name", CLASSES)
def test_classes_of_numpy_polynomial(name, cls):
    agrees(lambda v: CLASSES[name](cls, v), POINTS, lanes=False, rtol=1e-11)


def test_what_is_found_is_a_variable():
    v = tg.Variable([1.3, 1.9])
    for f in (*LISTS.values(), *BRACKETS.values()):
        assert isinstance(f(v), tg.Variable)


def test_single_precision_stays():
    v = tg.Variable(np.array([1.5, 2.5], np.float32))
    plain = np.array([1.5, 2.5], np.float32)
    for f in (
        lambda v: np.mean([v[0], v[1]]),
        lambda v: np.mean([v, v]),
        lambda v: np.exp([v[0], v[1]]),
        lambda v: np.r_[v, v[0]],
        lambda v: np.r_[v, 1.0],
        lambda v: np.c_[v, v],
        lambda v: np.r_[v, np.ones(2)],
        lambda v: np.r_[v[0] : v[1] : 4j],
        lambda v: np.r_[v[0] : v[1] : 0.25],
        lambda v: np.mgrid[v[0] : v[1] : 4j],
        lambda v: np.mgrid[0:2, v[0] : v[1] : 4j],
    ):
        assert f(v).dtype == f(plain).dtype
        np.testing.assert_allclose(tg.value(f(v)), f(plain), rtol=1e-6)


def filled(v):
    found = np.empty(2, object)
    found[0], found[1] = v[0], 1.0
    return found


def readers(table, numbers):
    """Functions that read what they capture, some of it element by element."""
    return [
        lambda v: np.sum(table.dot(v) ** 2),
        lambda v: np.sum(table.T.dot(v) ** 2),
        lambda v: np.sum(np.array([v[0], 1.0]).dot(table)),
        lambda v: np.sum(filled(v).dot(table)),
        lambda v: np.sum(np.frompyfunc(lambda k: v[k] * 1.0, 1, 1)([0, 1]).dot(table)),
        lambda v: np.sum(np.r_[v, table[0]] ** 3),
        lambda v: np.dot([v[0], table[0, 0]], table[1]),
        lambda v: np.mean([v[0], numbers[0]]) ** 2,
        lambda v: np.sum(np.exp(np.array([v[0], table[0, 1]]))),
    ]


def test_the_precision_is_that_of_both():
    single, double, whole = np.ones((2, 2), np.float32), np.ones((2, 2)), np.ones((2, 2), int)
    v, w = tg.Variable(np.ones(2, np.float32)), np.ones(2, np.float32)
    assert single.dot(v)[0].dtype == single.dot(w).dtype == np.float32
    assert double.dot(v)[0].dtype == double.dot(w).dtype == np.float64
    assert whole.dot(v)[0].dtype == whole.dot(w).dtype == np.float64
    assert double.T.dot(v)[0].dtype == np.float64
    # Where the array has no name, nobody knows its precision.
    with pytest.raises(TypeError, match=r"write \(single \+ single\) @ v"):
        (single + single).dot(v)
    assert (single + single).dot(tg.Variable(np.ones(2)))[0].dtype == np.float64


def test_products_of_nothing_are_refused():
    v = tg.Variable(np.zeros((0, 2)))
    empty = np.ones((3, 0))
    with pytest.raises(TypeError, match="write empty @ v"):
        empty.dot(v)
    assert (empty @ v).shape == (3, 2)


def test_methods_are_known_after_many_calls():
    space = {"np": np, "X": X}
    exec("def f(v):\n    return X.dot(v) * 1.0\n", space)  # without source, and made faster
    for _ in range(50):
        found = space["f"](tg.Variable(Y))
    np.testing.assert_allclose(tg.value(found), X.dot(Y))
    found = eval("X.dot(np.outer(v, v)).dot(v) * 1.0", {"np": np, "X": X, "v": tg.Variable(Y)})
    np.testing.assert_allclose(tg.value(found), X.dot(np.outer(Y, Y)).dot(Y))


def test_captured_arrays_are_read_anew():
    table, numbers = X.copy(), [1.0, 2.0]
    for f in readers(table, numbers):
        compiled = tg.compile(tg.value_and_grad(f))
        for k in range(8):
            if k in (3, 6):
                table *= 1.5
                numbers[0] += 1.0
            v = np.array([1.3, 1.9]) + 0.1 * k
            found, expected = compiled(v), tg.value_and_grad(f)(v)
            np.testing.assert_allclose(found[0], expected[0])
            np.testing.assert_allclose(found[1], expected[1])


def test_a_long_product_of_elements_warns_at_its_line():
    table, v = np.ones((100, 60)), tg.Variable(np.ones(60))
    with pytest.warns(UserWarning, match=r"table\.dot\(v\): .*6000 recorded.*write table @ v") as w:
        found = table.dot(v)
    assert w[0].filename == __file__
    np.testing.assert_array_equal([tg.value(x) for x in found], 60.0)
    wide, v = np.ones((2, 1001)), tg.Variable(np.ones(1001))
    with pytest.warns(UserWarning, match=r"1001 .*write \(wide \+ wide\) @ \(v \* 2\.0\)"):
        (wide + wide).dot(v * 2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table[:10].dot(tg.Variable(np.ones(60)))


def test_functions_stay_what_they_are():
    import copy
    import inspect
    import pickle

    assert isinstance(np.exp, np.ufunc)
    assert pickle.loads(pickle.dumps(np.mean)) is np.mean
    assert copy.deepcopy(np.exp) is np.exp
    assert "axis" in inspect.signature(np.mean).parameters
    assert np.mean([1.0, 2.0]) == 1.5
    assert np.add([1], [2]).dtype == int
    with pytest.raises(TypeError):
        np.mean()
    with pytest.raises(TypeError):
        np.mean([1.0], nothing=2)


def test_what_is_no_number_is_left_to_numpy():
    v, w = tg.Variable(1.5), tg.Variable([1.0, 2.0])
    mixed = np.array([v, None, "text"], dtype=object)
    assert np.copy(mixed).dtype == object
    assert list(np.flip(mixed)) == ["text", None, v]
    arrays = np.empty(2, object)
    arrays[0], arrays[1] = w, tg.Variable([1.0, 2.0, 3.0])
    assert np.copy(arrays)[1] is arrays[1]
    assert np.equal(np.array([1, None], dtype=object), None).tolist() == [False, True]
    endless = []
    endless.append(endless)
    with pytest.raises(ValueError, match=r"depth|dimension|nested"):
        np.mean(endless)


def test_objects_are_written_to_in_place():
    v = tg.Variable(1.5)
    held = np.array([v, 2.0])
    held += 1.0
    assert held.dtype == object
    assert tg.value(held[0]) == 2.5
    np.exp(held, out=held)
    assert held.dtype == object
    np.testing.assert_allclose([tg.value(x) for x in held], np.exp([2.5, 3.0]))
    (slope,) = [tg.grad(held[0], v)]
    np.testing.assert_allclose(slope, np.exp(2.5))
    with pytest.raises(ValueError, match="non-broadcastable"):
        np.exp(held, out=np.empty(3, object))


def test_the_dtype_is_hidden_from_numpys_mean_alone():
    v = tg.Variable(1.5)
    np.array([v, 1.0]).mean()

    def _mean():
        return v.dtype

    assert _mean() == np.float64
    assert v.dtype == np.float64


def test_other_threads():
    found = []

    def work():
        found.append(tg.grad(lambda x: np.mean([x, x * x]))(3.0))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == [3.5] * 4


def test_references_are_given_back():
    v = tg.Variable(1.5)
    items = [v, 1.0]
    before = sys.getrefcount(v), sys.getrefcount(items)
    for _ in range(10):
        np.mean(items)
        np.exp(items)
        np.shape(items)
    assert (sys.getrefcount(v), sys.getrefcount(items)) == before


def test_lengths_of_lists_that_hold_arrays():
    v, s = tg.Variable([1.0, 2.0, 3.0]), tg.Variable(2.0)
    assert np.shape([v, 2.0 * v]) == (2, 3)
    assert np.ndim([[v], [v]]) == 3
    assert np.size([v, v]) == 6
    assert np.size((v, v), 1) == 3
    assert np.shape([[s, 1.0], [0.0, s]]) == (2, 2)
    with pytest.raises(ValueError, match="inhomogeneous"):
        np.shape([v, v[:2]])
