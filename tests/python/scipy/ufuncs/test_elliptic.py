import mpmath as m
import pytest
from special_accuracy import hold

special = pytest.importorskip("scipy.special")

CASES = {
    "ellipk": (m.ellipk, [(0.3,), (0.8,), (-2.0,)]),
    "ellipe": (m.ellipe, [(0.3,), (0.8,), (-2.0,)]),
    "ellipkm1": (lambda p: m.ellipk(1 - p), [(0.3,), (0.02,)]),
    "ellipkinc": (m.ellipf, [(0.7, 0.3), (1.2, 0.6), (-0.9, 0.6)]),
    "ellipeinc": (m.ellipe, [(0.7, 0.3), (1.2, 0.6), (-0.9, 0.6)]),
    "agm": (m.agm, [(1.5, 0.7), (0.3, 4.0)]),
    "elliprc": (m.elliprc, [(0.7, 1.3), (1.3, 0.7)]),
    "elliprf": (m.elliprf, [(0.7, 1.3, 2.2)]),
    "elliprd": (m.elliprd, [(0.7, 1.3, 2.2)]),
    "elliprg": (m.elliprg, [(0.7, 1.3, 2.2)]),
}


@pytest.mark.parametrize("name", CASES)
def test_against_arbitrary_precision(name):
    reference, points = CASES[name]
    hold(getattr(special, name), reference, points, 1e-10)
