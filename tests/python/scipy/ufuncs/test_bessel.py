import mpmath as m
import pytest
from special_accuracy import hold

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


TWO = {"jv": m.besselj, "yv": m.bessely, "iv": m.besseli}


@pytest.mark.parametrize("name", TWO)
def test_by_the_argument(name):
    points = [(0.0, 0.7), (1.5, 3.0), (2.0, 20.0), (-0.4, 2.0)]
    hold(getattr(special, name), TWO[name], points, 1e-11, places=(1,))


def test_by_order_and_argument():
    points = [(0.0, 0.7), (1.5, 3.0), (2.0, 20.0), (-0.4, 0.05), (12.0, 2.0)]
    hold(special.kv, m.besselk, points, 2e-12)
