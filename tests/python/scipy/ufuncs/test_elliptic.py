import mpmath as m
import pytest
from special_accuracy import hold

special = pytest.importorskip("scipy.special")

EDGES = [(x,) for x in (0.3, 0.29, -0.29, 0.31, -0.31, 1e-9, 0.0, 0.8, 0.999, -2.0, -50.0)]
CASES = {
    "ellipk": (m.ellipk, EDGES),
    "ellipe": (m.ellipe, EDGES),
    "ellipkm1": (
        lambda p: m.ellipk(1 - p),
        [(0.3,), (0.02,), (1e-9,), (0.6,), (0.71,), (1.2,), (1.31,), (5.0,)],
    ),
    "ellipkinc": (m.ellipf, [(0.7, 0.3), (1.2, 0.6), (-0.9, 0.6)]),
    "ellipeinc": (m.ellipe, [(0.7, 0.3), (1.2, 0.6), (-0.9, 0.6)]),
    "agm": (m.agm, [(1.5, 0.7), (0.3, 4.0)]),
    "elliprc": (
        m.elliprc,
        [(0.7, 1.3), (1.3, 0.7), (1.0, 1.001), (1.0, 1.0), (0.76, 1.0), (1.3, 1.0)],
    ),
    "elliprf": (m.elliprf, [(0.7, 1.3, 2.2)]),
    "elliprd": (m.elliprd, [(0.7, 1.3, 2.2)]),
    "elliprg": (m.elliprg, [(0.7, 1.3, 2.2)]),
}


@pytest.mark.parametrize("name", CASES)
def test_against_arbitrary_precision(name):
    reference, points = CASES[name]
    hold(getattr(special, name), reference, points, 2e-12 if points == EDGES else 1e-10)
