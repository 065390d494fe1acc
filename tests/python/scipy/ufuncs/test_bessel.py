import mpmath as m
import numpy as np
import pytest
from special_accuracy import hold

import tapegrad as tg

special = pytest.importorskip("scipy.special")

ONE = {
    "j0": (lambda x: m.besselj(0, x), (0.7, 3.0, 20.0)),
    "j1": (lambda x: m.besselj(1, x), (0.0, 0.7, 0.999, 1.001, -3.0, 20.0)),
    "y0": (lambda x: m.bessely(0, x), (0.7, 3.0, 20.0)),
    "y1": (lambda x: m.bessely(1, x), (0.7, 3.0, 20.0)),
    "i0": (lambda x: m.besseli(0, x), (0.7, 3.0, 20.0)),
    "i1": (lambda x: m.besseli(1, x), (0.0, 0.7, 0.999, 1.001, -3.0, 20.0)),
    "i0e": (lambda x: m.besseli(0, x) * m.exp(-x), (0.7, 3.0, 20.0)),
    "i1e": (lambda x: m.besseli(1, x) * m.exp(-x), (0.7, 0.999, 1.001, 3.0, 20.0)),
    "k0": (lambda x: m.besselk(0, x), (0.7, 3.0, 20.0)),
    "k1": (lambda x: m.besselk(1, x), (0.7, 3.0, 20.0)),
    "k0e": (lambda x: m.besselk(0, x) * m.exp(x), (0.7, 3.0, 20.0)),
    "k1e": (lambda x: m.besselk(1, x) * m.exp(x), (0.7, 3.0, 20.0)),
}
ROUGH = {"i0e", "i1e", "k0e", "k1e"}  # differences of near numbers


@pytest.mark.parametrize("name", ONE)
def test_of_the_argument_alone(name):
    reference, points = ONE[name]
    rtol = 2e-11 if name in ROUGH else 2e-12
    hold(getattr(special, name), reference, [(x,) for x in points], rtol)


KELVIN = {"ber": m.ber, "bei": m.bei, "ker": m.ker, "kei": m.kei}


@pytest.mark.parametrize("name", KELVIN)
def test_of_kelvin(name):
    hold(getattr(special, name), lambda x: KELVIN[name](0, x), [(0.7,), (3.0,), (8.0,)], 1e-10)


STRUVE = {"struve": m.struveh, "modstruve": m.struvel}


@pytest.mark.parametrize("name", STRUVE)
def test_of_struve_by_the_argument(name):
    hold(getattr(special, name), STRUVE[name], [(0.0, 0.7), (1.5, 3.0)], 1e-10, places=(1,))


SCALED = {
    "ive": lambda v, x: m.besseli(v, x) * m.exp(-x),
    "kve": lambda v, x: m.besselk(v, x) * m.exp(x),
}


@pytest.mark.parametrize("name", SCALED)
def test_of_scaled_ones_by_the_argument(name):
    hold(getattr(special, name), SCALED[name], [(0.5, 0.7), (1.5, 3.0)], 1e-10, places=(1,))


BY_ORDER = {"jv": m.besselj, "yv": m.bessely, "iv": m.besseli}


@pytest.mark.parametrize("name", BY_ORDER)
def test_by_order(name):
    points = [
        (0.0, 0.7), (1.5, 3.0), (0.7, 20.0), (1.2, 31.0), (7.2, 4.0), (-0.4, 2.0), (-3.7, 9.0),
        (12.0, 200.0),
    ]  # fmt: skip
    points = points[1:4] if name == "yv" else points  # mpmath takes seconds
    hold(getattr(special, name), BY_ORDER[name], points, 2e-12, places=(0,))


def test_of_large_orders_by_order():
    hold(special.jv, m.besselj, [(40.0, 29.0), (40.0, 31.0), (40.0, 9.0)], 1e-10, places=(0,))
    hold(special.yv, m.bessely, [(40.1, 29.0)], 1e-12, places=(0,))


def test_scaled_ones_by_order():
    points = [(0.5, 0.7), (1.5, 3.0), (2.0, 40.0)]
    hold(special.ive, lambda v, x: m.besseli(v, x) * m.exp(-x), points, 2e-12, places=(0,))
    assert np.isfinite(tg.grad(lambda v: special.ive(v, 1e4))(1.5))


def test_mixed_derivatives_by_order_and_argument():
    for name, reference in BY_ORDER.items():
        f = getattr(special, name)
        mixed = tg.grad(lambda x, f=f: tg.grad(lambda v: f(v, x))(1.3))
        with m.workdps(25):
            wanted = m.diff(reference, (m.mpf(1.3), m.mpf(2.2)), (1, 1))
        np.testing.assert_allclose(mixed(2.2), float(wanted), rtol=1e-12)


def test_orders_without_a_derivative_are_nan_not_wrong():
    for f in (special.jv, special.yv, special.iv):
        for point in ((1.5, -2.0), (1.5, np.nan), (np.nan, 1.5), (1e7, 3.0)):
            assert np.isnan(tg.grad(lambda v, x, f=f: f(v, x))(*point))


def test_slopes_of_j_at_the_edges():
    slope = tg.grad(special.jv, 1)
    for v, wanted in ((0.0, 0.0), (1.0, 0.5), (-1.0, -0.5), (2.5, 0.0), (0.5, np.inf)):
        assert slope(v, 0.0) == wanted
    for v in (0.0, 1.0, 2.0, -3.0):
        for x in (-0.3, -7.0, -40.0):
            np.testing.assert_allclose(slope(v, x), special.jvp(v, x), rtol=1e-12)
    for v, x in ((120.0, 150.0), (99.0, 90.0), (3.0, 1e5), (250.0, 30.0)):
        with m.workdps(40):
            wanted = float(m.besselj(v, x, 1))
        np.testing.assert_allclose(slope(v, x), wanted, rtol=1e-11)
    assert np.isnan(slope(0.5, -1.0))
    assert np.isnan(slope(0.5, np.nan))


TWO = {"jv": m.besselj, "yv": m.bessely, "iv": m.besseli}


@pytest.mark.parametrize("name", TWO)
def test_by_the_argument(name):
    points = [(0.0, 0.7), (1.5, 3.0), (2.0, 20.0), (-0.4, 2.0)]
    hold(getattr(special, name), TWO[name], points, 1e-11, places=(1,))


def test_by_order_and_argument():
    points = [(0.0, 0.7), (1.5, 3.0), (2.0, 20.0), (-0.4, 0.05), (12.0, 2.0)]
    hold(special.kv, m.besselk, points, 2e-12)
