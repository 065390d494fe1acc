"""What is told of SciPy's functions is run, and gives what they give."""

import importlib

import numpy as np
import pytest
import scipy_cases

import tapegrad as tg
from tapegrad import numerical
from tapegrad.numpy.remedies import LIBRARIES

X = np.array([0.7, 1.9, 2.6])
pytest.importorskip("scipy")


def run(code, names):
    space = {"np": np, "tg": tg, "tapegrad": tg, **names}
    *first, last = code.split("; ")
    for statement in first:
        exec(statement, space)
    return eval(last, space)


def parts(found):
    found = found if isinstance(found, tuple) else (found,)
    return [part for x in found for part in ((x.real, x.imag) if np.iscomplexobj(x) else (x,))]


def total(found):
    return sum(np.sum(np.cos(np.arange(np.size(x))).reshape(np.shape(x)) * x) for x in parts(found))


def hold(remedy, plain):
    for found, expected in zip(parts(remedy(tg.Variable(X))), parts(plain(X)), strict=True):
        np.testing.assert_allclose(tg.value(found), expected, rtol=1e-9, atol=1e-12)
    found = tg.grad(lambda x: total(remedy(x)))(X)
    wanted = numerical.grad(lambda x: float(total(plain(x))))(X)
    np.testing.assert_allclose(tg.value(found), wanted, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", scipy_cases.CALLS)
def test_functions(name):
    call, names_of = scipy_cases.CALLS[name]
    module, _, function = scipy_cases.MODULES.get(name, name).rpartition(".")
    f = getattr(importlib.import_module(module), function)

    def plain(x):
        return run(f"function{call}", {**names_of(x), "function": f})

    with pytest.raises(TypeError) as caught:
        plain(tg.Variable(X) * 1.0)
    told = str(caught.value)
    assert told.startswith(name)
    assert LIBRARIES[name] in told
    code = LIBRARIES[name].removeprefix("write ")
    hold(lambda x: run(code, names_of(x)), plain)


def test_products_with_sparse_arrays():
    sparse = pytest.importorskip("scipy.sparse")
    s = sparse.csr_array(np.outer(X, X))
    with pytest.raises(TypeError, match=r"write s\.toarray\(\) @ v"):
        s @ tg.Variable(X)
    hold(lambda x: s.toarray() @ x, lambda x: s @ x)


def test_solvers_of_functions_that_read_variables():
    optimize = importlib.import_module("scipy.optimize")
    v = tg.Variable(X)

    def f(q):
        return np.sum((q - v) ** 2)

    def g(q):
        return q**2 - v**2

    with pytest.raises(TypeError, match=r"lambda q: tg\.value\(f\(q\)\)"):
        optimize.minimize(f, np.ones(3))
    found = optimize.minimize(
        lambda q: tg.value(f(q)), np.ones(3), jac=lambda q: tg.value(tg.grad(f)(q))
    )
    np.testing.assert_allclose(found.x, X, atol=1e-6)
    with pytest.raises(TypeError, match=r"lambda q: tg\.value\(tg\.jacobian\(f\)\(q\)\)"):
        optimize.least_squares(g, np.ones(3))
    for solve in (optimize.root, optimize.least_squares):
        found = solve(
            lambda q: tg.value(g(q)), np.ones(3), jac=lambda q: tg.value(tg.jacobian(g)(q))
        )
        np.testing.assert_allclose(found.x, X, atol=1e-6)


def test_other_functions_are_told_to_be_written_in_numpy():
    linalg = importlib.import_module("scipy.linalg")
    with pytest.raises(TypeError, match=r"scipy\.linalg\.expm: .*write it with NumPy functions"):
        linalg.expm(np.eye(3) * tg.Variable(X))
