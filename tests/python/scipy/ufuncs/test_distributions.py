import mpmath as m
import numpy as np
import pytest
from special_accuracy import hold

import tapegrad as tg

special = pytest.importorskip("scipy.special")


def beta(a, b, x):
    return m.betainc(a, b, 0, x, regularized=True)


def student(v, t):
    half = beta(m.mpf(1) / 2, v / 2, t * t / (v + t * t)) / 2
    return m.mpf(1) / 2 + (half if t > 0 else -half)


def mixture(mean, term):
    return m.fsum(m.exp(-mean) * mean**j / m.factorial(j) * term(j) for j in range(60))


def chi_squared(x, v, nc):
    return mixture(nc / 2, lambda j: m.gammainc(v / 2 + j, 0, x / 2, regularized=True))


def ratio(n, d, nc, f):
    return mixture(nc / 2, lambda j: beta(n / 2 + j, d / 2, n * f / (n * f + d)))


CASES = {
    "chndtr": (chi_squared, [(1.7, 2.5, 0.8), (5.0, 0.7, 3.0)]),
    "ncfdtr": (ratio, [(3.0, 5.0, 0.7, 1.2)]),
    "betainc": (beta, [(1.5, 0.7, 0.3), (3.0, 8.0, 0.6), (0.4, 0.6, 0.9), (20.0, 3.0, 0.8)]),
    "betaincc": (lambda a, b, x: 1 - beta(a, b, x), [(1.5, 0.7, 0.3), (3.0, 8.0, 0.2)]),
    "stdtr": (student, [(2.5, 0.7), (2.5, -0.7), (30.0, 1.5), (0.7, 2.0)]),
    "fdtr": (lambda n, d, x: beta(n / 2, d / 2, n * x / (n * x + d)), [(2.5, 3.5, 0.7)]),
    "chdtr": (lambda v, x: m.gammainc(v / 2, 0, x / 2, regularized=True), [(2.5, 1.7)]),
    "gdtr": (lambda a, b, x: m.gammainc(b, 0, a * x, regularized=True), [(1.5, 0.7, 0.9)]),
}


@pytest.mark.parametrize("name", CASES)
def test_against_arbitrary_precision(name):
    reference, points = CASES[name]
    hold(getattr(special, name), reference, points, 1e-11)


def test_third_derivatives_by_shapes_are_not_numbers():
    f = tg.grad(tg.grad(lambda a: special.betainc(a, 0.7, 0.3)))
    assert np.isfinite(f(1.5))
    assert np.isnan(tg.grad(f)(1.5))


INVERSES = {
    "betaincinv": ("betainc", 2, (1.5, 0.7, 0.3)),
    "btdtria": ("betainc", 0, (0.3, 0.7, 0.4)),
    "btdtrib": ("betainc", 1, (1.5, 0.3, 0.4)),
    "stdtrit": ("stdtr", 1, (2.5, 0.7)),
    "stdtridf": ("stdtr", 0, (0.7, 0.8)),
    "fdtri": ("fdtr", 2, (2.5, 3.5, 0.4)),
    "fdtridfd": ("fdtr", 1, (2.5, 0.4, 0.7)),
    "gdtria": ("gdtr", 0, (0.4, 0.7, 0.9)),
    "gdtrib": ("gdtr", 1, (1.5, 0.4, 0.9)),
    "gdtrix": ("gdtr", 2, (1.5, 0.7, 0.4)),
    "chdtriv": ("chdtr", 0, (0.3, 1.7)),
    "chndtrix": ("chndtr", 0, (0.3, 2.5, 0.8)),
    "chndtridf": ("chndtr", 1, (1.7, 0.3, 0.8)),
    "chndtrinc": ("chndtr", 2, (1.7, 2.5, 0.3)),
}


@pytest.mark.parametrize("name", INVERSES)
def test_inverses_undo_the_function(name):
    forward, at, point = INVERSES[name]
    every = tuple(range(len(point)))
    u = float(getattr(special, name)(*point))
    found = tg.grad(getattr(special, name), every)(*point)
    there = (*point[:at], u, *point[at + 1 :])
    slopes = tg.grad(getattr(special, forward), every)(*there)
    for i in every:
        wanted = 1.0 if i == at else -slopes[i]
        np.testing.assert_allclose(found[i] * slopes[at], wanted, rtol=1e-9)
