"""Distributions of Variables against SciPy's: values, derivatives, edges of the support."""

import copy
import pickle

import numpy as np
import pytest
import scipy.stats
import stats_cases
from agreement import assert_same_kinds
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import stats

DENSITIES = ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf")


@pytest.mark.parametrize("method", [*DENSITIES, "ppf", "isf"])
@pytest.mark.parametrize("name", stats_cases.CONTINUOUS)
def test_continuous(name, method):
    x, shapes = stats_cases.continuous(name)
    f = getattr(getattr(stats, name), method)
    if method in ("ppf", "isf"):
        if name in stats_cases.WITHOUT_INVERSE:
            with pytest.raises(TypeError, match=r"the inverse has no derivative; solve cdf\(x\)"):
                f(tg.Variable(0.4), *shapes)
            return
        x = np.array([0.1, 0.45, 0.8])
    args = x, *map(np.float64, (*shapes, stats_cases.LOC, stats_cases.SCALE))
    holds(lambda x, *rest: f(x, *rest), args, single=False, rtol=1e-9)


@pytest.mark.parametrize("method", ["pmf", "logpmf", "cdf", "logcdf", "sf", "logsf"])
@pytest.mark.parametrize("name", stats_cases.DISCRETE)
def test_discrete(name, method):
    shapes, k = stats_cases.DISCRETE[name]
    if name == "bernoulli" and "f" in method:
        k = k if method.endswith("pmf") else (0, 0, 0)
    f = getattr(getattr(stats, name), method)
    counts = shapes[: stats_cases.COUNTS.get(name, 0)]
    rest = tuple(map(np.float64, shapes[len(counts) :]))
    holds(lambda *rest: f(np.array(k) + 2, *counts, *rest, loc=2), rest, single=False, rtol=1e-9)


EDGES = np.array([-np.inf, -3.0, -1.0, 0.0, 0.5, 1.0, 3.0, np.inf, np.nan])


@pytest.mark.parametrize("name", stats_cases.CONTINUOUS)
def test_edges_and_parameters_out_of_range(name):
    shapes, _ = stats_cases.CONTINUOUS[name]
    ours, scipys = getattr(stats, name), getattr(scipy.stats, name)
    for method in DENSITIES:
        with np.errstate(all="ignore"):
            for scale in (1.0, 0.0, -1.0):
                expected = getattr(scipys, method)(EDGES, *shapes, 0.0, scale)
                found = getattr(ours, method)(tg.Variable(EDGES), *shapes, 0.0, scale)
                np.testing.assert_allclose(tg.value(found), expected, rtol=1e-9, atol=1e-15)
            for i in range(len(shapes)):
                wrong = [-x if i == j else x for j, x in enumerate(shapes)]
                expected = getattr(scipys, method)(EDGES, *wrong)
                found = getattr(ours, method)(tg.Variable(EDGES), *wrong)
                np.testing.assert_allclose(tg.value(found), expected, rtol=1e-9, atol=1e-15)
    q = np.array([-0.1, 0.0, 0.3, 1.0, 1.1, np.nan])
    for method in ("ppf", "isf") if name not in stats_cases.WITHOUT_INVERSE else ():
        expected = getattr(scipys, method)(q, *shapes)
        found = getattr(ours, method)(tg.Variable(q), *shapes)
        np.testing.assert_allclose(tg.value(found), expected, rtol=1e-9, atol=1e-15)


def test_outside_of_the_support_the_derivative_is_zero():
    slope = tg.grad(lambda x: np.sum(stats.expon.pdf(x)))(np.array([-1.0, 1.0]))
    np.testing.assert_allclose(slope, [0.0, -np.exp(-1.0)])


def test_exponents_of_zero_keep_their_derivative():
    # (c - 1) log x is zero for c = 1, and its derivative is not.
    for f, x, c in (
        (stats.weibull_min.logpdf, 0.4, 1.0),
        (stats.gamma.logpdf, 0.4, 1.0),
        (stats.chi2.logpdf, 0.4, 2.0),
        (stats.poisson.logpmf, 0, 1.3),
    ):
        tg.testing.check_grads(lambda c, f=f, x=x: f(x, c), (c,), order=1)


def test_frozen_distributions():
    x = np.array([0.3, 0.9])
    frozen = stats.gamma(2.0, scale=tg.Variable(1.5))
    np.testing.assert_allclose(tg.value(frozen.logpdf(x)), scipy.stats.gamma(2.0, 0, 1.5).logpdf(x))
    plain = stats.gamma(2.0, scale=1.5)
    assert plain.mean() == 3.0
    slope = tg.grad(lambda x: np.sum(plain.cdf(x)))(x)
    np.testing.assert_allclose(slope, plain.pdf(x))
    with pytest.raises(AttributeError, match="no_such"):
        plain.no_such()


def test_plain_arguments_are_scipys():
    assert type(stats.norm.pdf(0.5)) is np.float64
    assert stats.norm.fit([1.0, 2.0, 3.0]) == scipy.stats.norm.fit([1.0, 2.0, 3.0])
    assert stats.norm.interval(0.9) == scipy.stats.norm.interval(0.9)
    for again in (pickle.loads(pickle.dumps(stats.beta)), copy.deepcopy(stats.beta)):
        assert again is stats.beta


def test_names_of_parameters():
    v = tg.Variable(0.7)
    found = stats.gamma.logpdf(1.2, a=v, scale=2.0, loc=0.1)
    assert tg.value(found) == pytest.approx(scipy.stats.gamma.logpdf(1.2, a=0.7, scale=2, loc=0.1))
    with pytest.raises(TypeError, match="nonsense"):
        stats.gamma.logpdf(1.2, v, nonsense=1)


def test_whole_numbers_have_no_derivative():
    with pytest.raises(TypeError, match=r"scipy\.stats\.poisson\.pmf: k, .*tg\.value\(k\)"):
        stats.poisson.pmf(tg.Variable([1.0, 2.0]), 2.0)
    with pytest.raises(TypeError, match=r"scipy\.stats\.binom\.pmf: n, "):
        stats.binom.pmf(1, tg.Variable(2.0), 0.4)


def test_quantiles_of_counts_are_plain():
    mu = tg.Variable([2.0, 7.0])
    found = stats.poisson.ppf(0.3, mu)
    np.testing.assert_array_equal(found, scipy.stats.poisson.ppf(0.3, [2.0, 7.0]))
    assert type(found) is np.ndarray
    assert stats.binom(5, tg.Variable(0.3)).isf(0.2) == scipy.stats.binom.isf(0.2, 5, 0.3)
    assert tg.grad(lambda p: p * stats.geom.ppf(0.5, p))(0.3) == scipy.stats.geom.ppf(0.5, 0.3)
    program = tg.compile(lambda mu: mu * stats.poisson.ppf(0.3, mu))
    for k in (2.0, 7.0, 2.0, 9.0):
        assert program(k) == k * scipy.stats.poisson.ppf(0.3, k)


def test_hypergeometric_counts():
    assert stats.hypergeom.pmf(2, 20, 7, 12) == scipy.stats.hypergeom.pmf(2, 20, 7, 12)
    whole = np.array([2, 3])
    np.testing.assert_array_equal(
        stats.hypergeom(20, 7, 12).sf(whole), scipy.stats.hypergeom.sf(whole, 20, 7, 12)
    )
    for name, args in (("k", (2.0, 20, 7, 12)), ("N", (2, 20, 7, 12.0))):
        given = [tg.Variable(x) if isinstance(x, float) else x for x in args]
        told = rf"scipy\.stats\.hypergeom\.logpmf: {name}, which counts .*pass tg\.value\({name}\)"
        with pytest.raises(TypeError, match=told):
            stats.hypergeom.logpmf(*given)


@pytest.mark.parametrize("method", ["pdf", "logpdf", "cdf", "sf", "logcdf", "logsf", "ppf", "isf"])
def test_of_numbers_they_give_numbers(method):
    """So that `y += 1` leaves another name of a density alone."""
    f = getattr(stats.norm, method)
    for x in (0.3, np.array(0.3)):
        assert_same_kinds(f(tg.Variable(x)), f(x))
    count = getattr(stats.poisson, method.replace("pdf", "pmf"))
    if method not in ("ppf", "isf"):
        assert_same_kinds(count(2, tg.Variable(1.5)), count(2, 1.5))

    def shifted(x):
        y = first = f(x)
        y += 2.0
        return first * y

    expected = [float(shifted(x)) for x in (0.3, 0.4)]
    found = [tg.value(shifted(tg.Variable(x))) for x in (0.3, 0.4)]
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    np.testing.assert_allclose(tg.vmap(shifted)(np.array([0.3, 0.4])), expected, rtol=1e-14)
