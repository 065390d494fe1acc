"""What is told of SciPy's functions is run, and gives what they give."""

import importlib
import re
import sys

import numpy as np
import pytest
import scipy_cases

import tapegrad as tg
from tapegrad import numerical
from tapegrad.numpy.remedies import LIBRARIES
from tapegrad.scipy.functions import remedy_of

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


def found_at(path):
    """What a path of names leads to: a function of a module, or a method of what is in one."""
    parts = path.split(".")
    for n in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ImportError:
            continue
        for name in parts[n:]:
            found = getattr(found, name)
        return found
    raise AssertionError(path)


@pytest.mark.parametrize("name", scipy_cases.CALLS)
def test_functions(name):
    call, names_of, ours = scipy_cases.CALLS[name]
    f = found_at(scipy_cases.MODULES.get(name, name))

    def plain(x):
        return run(f"function{call}", {**names_of(x), "function": f})

    with pytest.raises(TypeError) as caught:
        plain(tg.Variable(X) * 1.0)
    told = str(caught.value)
    assert told.startswith(name)
    if ours:
        assert f"; {remedy_of(name)}, or" in told
        assert "tapegrad.scipy" in remedy_of(name)
        own = found_at(f"tapegrad.{ours}")
        hold(lambda x: run(f"function{call}", {**names_of(x), "function": own}), plain)
        return
    remedy = told.split("; ")[1].partition(", or call")[0]
    assert remedy == LIBRARIES.get(name, remedy)
    code = remedy.removeprefix("write ")
    hold(lambda x: run(code, names_of(x)), plain)


@pytest.mark.parametrize(
    "call",
    ["norm.logpdf(x)", "norm.cdf(1.0, loc=x)", "gamma.ppf(0.3, x)", "norm(x).pdf(0.3)"],
)
def test_distributions_of_numbers(call):
    """Whose own code makes arrays of arrays of what is no number."""
    stats = importlib.import_module("scipy.stats")
    own = importlib.import_module("tapegrad.scipy.stats")
    method = call.split("(")[-2].split(".")[-1]
    with pytest.raises(
        TypeError, match=f"scipy.stats.{method}: .* call .{method} of what tapegrad"
    ):
        eval(call, {**vars(stats), "x": tg.Variable(1.5) * 1.0})
    hold(
        lambda x: eval(call, {**vars(own), "x": x[1]}),
        lambda x: eval(call, {**vars(stats), "x": x[1]}),
    )


def test_solvers_of_functions_that_read_variables():
    optimize = importlib.import_module("scipy.optimize")
    own = importlib.import_module("tapegrad.scipy.optimize")
    v = tg.Variable(X)

    def f(q):
        return np.sum((q - v) ** 2)

    def g(q):
        return q - v

    for name, function in (("minimize", f), ("least_squares", g)):
        told = (
            f"scipy.optimize.{name}: .* call tapegrad.scipy.optimize.{name}, which takes the same"
        )
        with pytest.raises(TypeError, match=told):
            getattr(optimize, name)(function, np.ones(3))
        found = getattr(own, name)(function, np.ones(3))
        np.testing.assert_allclose(tg.value(found.x), X, atol=1e-6)
    found = optimize.minimize(
        lambda q: tg.value(f(q)), np.ones(3), jac=lambda q: tg.value(tg.grad(f)(q))
    )
    np.testing.assert_allclose(found.x, X, atol=1e-6)


def test_other_functions_are_told_to_be_written_in_numpy():
    linalg = importlib.import_module("scipy.linalg")
    with pytest.raises(TypeError, match=r"scipy\.linalg\.hessenberg: .*write it with NumPy f"):
        linalg.hessenberg(np.eye(3) * tg.Variable(X))


@pytest.mark.parametrize("name", ["brentq", "brenth", "bisect", "ridder"])
def test_bisections_whose_code_passes_over_the_error(name):
    optimize = importlib.import_module("scipy.optimize")
    own = importlib.import_module("tapegrad.scipy.optimize")

    def f(x, a):
        return x**3 - a

    told = f"scipy.optimize.{name}: .* call tapegrad.scipy.optimize.{name}, which takes the same"
    # Python 3.10 sees at the next call of f that one is pending, and raises an error of its own.
    is_wrapped = sys.version_info < (3, 11)
    with pytest.raises(SystemError if is_wrapped else TypeError) as caught:
        tg.grad(lambda a: getattr(optimize, name)(f, 0.0, 9.0, args=(a,)))(1.5)
    error = caught.value.__cause__ if is_wrapped else caught.value
    assert type(error) is TypeError
    assert re.search(told, str(error))
    slope = tg.grad(lambda a: getattr(own, name)(f, 0.0, 9.0, args=(a,)))(1.5)
    assert slope == pytest.approx(1.5 ** (-2 / 3) / 3, rel=1e-8)
