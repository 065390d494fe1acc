"""Distributions of vectors, and kernel density estimates, against SciPy's."""

import numpy as np
import pytest
import scipy.stats
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import stats

RNG = np.random.default_rng(3)
X, MEAN, ROOT = RNG.standard_normal((4, 3)), RNG.standard_normal(3), RNG.standard_normal((3, 3))


def covariance(a):
    return a @ a.T + np.eye(3)


@pytest.mark.parametrize("method", ["pdf", "logpdf"])
def test_normal(method):
    f = getattr(stats.multivariate_normal, method)
    holds(lambda x, m, a: f(x, m, covariance(a)), (X, MEAN, ROOT), single=False)
    holds(lambda x, m, v: f(x, m, v), (X, MEAN, np.array([1.0, 2.0, 0.5])), single=False)
    holds(lambda x, v: f(x, None, v), (X[:, 0], np.array(1.7)), single=False)
    holds(lambda x, m: f(x, m), (X[0], MEAN), single=False)


@pytest.mark.parametrize("method", ["pdf", "logpdf"])
def test_student(method):
    f = getattr(stats.multivariate_t, method)
    holds(
        lambda x, m, a, df: f(x, m, covariance(a), df),
        (X, MEAN, ROOT, np.array(3.5)),
        single=False,
    )


@pytest.mark.parametrize("method", ["pdf", "logpdf"])
def test_dirichlet(method):
    f = getattr(stats.dirichlet, method)
    alpha = np.array([0.7, 1.9, 2.6])
    holds(lambda a: f(np.array([0.2, 0.3, 0.5]), a), (alpha,), single=False)
    holds(lambda x, a: f(x, a), (np.array([0.2, 0.3]), alpha), single=False)
    with pytest.raises(ValueError, match="simplex"):
        f(np.array([0.2, 0.2, 0.2]), tg.Variable(alpha))


def test_frozen():
    frozen = stats.multivariate_normal(MEAN, np.eye(3))
    holds(lambda x: frozen.logpdf(x), (X,), single=False)
    np.testing.assert_array_equal(frozen.mean, MEAN)
    with pytest.raises(AttributeError, match="parameters that are Variables"):
        stats.multivariate_normal(tg.Variable(MEAN)).rvs()
    with pytest.raises(TypeError, match="allow_singular"):
        stats.multivariate_normal.pdf(tg.Variable(X), MEAN, np.eye(3), allow_singular=True)


@pytest.mark.parametrize("bandwidth", [None, "silverman", 0.4])
def test_kernel_density(bandwidth):
    data, points, weights = RNG.standard_normal(7), X[:, 0], np.arange(1.0, 8.0)
    holds(
        lambda d, x, w: stats.gaussian_kde(d, bandwidth, w)(x),
        (data, points, weights),
        single=False,
    )
    holds(
        lambda d, x: stats.gaussian_kde(d, bandwidth).logpdf(x),
        (RNG.standard_normal((2, 9)), X[:2]),
        single=False,
    )


def test_kernel_density_of_plain_data():
    kde = stats.gaussian_kde(X[:, 0])
    assert kde.factor == scipy.stats.gaussian_kde(X[:, 0]).factor
    holds(lambda x: kde.pdf(x), (X[:, 1],), single=False)


@pytest.mark.parametrize("method", ["logpdf", "pdf"])
def test_wishart(method):
    f = getattr(stats.wishart, method)
    a = np.random.default_rng(3).standard_normal((3, 3))
    x, scale, df = a @ a.T + np.eye(3), np.diag([1.0, 2.0, 0.5]) + 0.1 * (a + a.T), np.array(4.5)

    def of_symmetric(x, df, scale):
        df = df if isinstance(df, tg.Variable) else float(df)  # SciPy takes numbers alone
        return f((x + x.T) / 2.0, df, (scale + scale.T) / 2.0)

    holds(of_symmetric, (x, df, scale), single=False)
    many = np.stack([x, 2.0 * x], -1)
    found = f(tg.Variable(many), df, scale)
    np.testing.assert_allclose(tg.value(found), f(many, 4.5, scale), rtol=1e-12)
    number = f(tg.Variable(1.3), 4.0, 2.0)
    np.testing.assert_allclose(tg.value(number), f(1.3, 4.0, 2.0), rtol=1e-12)
    with pytest.raises(ValueError, match="do not fit"):
        stats.wishart.logpdf(tg.Variable(np.eye(2)), 4.0, np.eye(3))
    with pytest.raises(ValueError, match="Degrees of freedom"):
        stats.wishart.logpdf(tg.Variable(np.eye(3)), 1.5, np.eye(3))
