import mpmath as m
import numpy as np
import pytest
from special_accuracy import hold

import tapegrad as tg

special = pytest.importorskip("scipy.special")

CASES = {
    "hyp0f1": (m.hyp0f1, (1.3,)),
    "hyp1f1": (m.hyp1f1, (0.7, 1.3)),
    "hyp2f1": (m.hyp2f1, (0.7, 1.3, 2.2)),
    "hyperu": (m.hyperu, (0.7, 1.3)),
}


@pytest.mark.parametrize("name", CASES)
def test_by_the_argument(name):
    reference, parameters = CASES[name]
    f = getattr(special, name)
    hold(lambda x: f(*parameters, x), lambda x: reference(*parameters, x), [(0.3,), (0.8,)], 1e-10)


POINTS = {
    "hyp0f1": [(0.5, -9.0), (1.5, 0.3), (7.0, 60.0), (-0.3, 2.0)],
    "hyp1f1": [(0.7, 1.5, 0.4), (3.0, 6.0, -3.0), (-1.3, 1.5, 9.0), (0.7, 6.0, -30.0)],
    "hyp2f1": [
        (0.7, 1.2, 1.9, 0.3), (2.0, -1.3, 0.6, -0.4), (0.7, 1.2, 1.9, -20.0), (2.0, 1.3, 0.6, 0.9),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", POINTS)
def test_by_the_parameters(name):
    places = range(len(POINTS[name][0]) - 1)
    hold(getattr(special, name), CASES[name][0], POINTS[name], 2e-12, places=places)


def test_mixed_derivatives():
    mixed = tg.grad(lambda z: tg.grad(lambda a: special.hyp2f1(a, 1.2, 1.9, z))(0.7))
    wanted = m.diff(lambda a, z: m.hyp2f1(a, 1.2, 1.9, z), (0.7, 0.3), (1, 1))
    np.testing.assert_allclose(mixed(0.3), float(wanted), rtol=1e-12)


def test_where_digits_are_lost_it_is_nan_and_not_wrong():
    by_parameter = tg.grad(special.hyp0f1)
    for z in (-200.0, -1e4):  # alternating sums of large terms
        assert np.isnan(by_parameter(1.5, z))
    assert np.isnan(tg.grad(special.hyp2f1)(0.7, 1.2, 1.9, 1.0))
    assert np.isnan(tg.grad(special.hyp1f1, 1)(0.7, -2.0, 0.3))
    third = tg.grad(tg.grad(tg.grad(lambda a: special.hyp1f1(a, 1.5, 0.4))))
    assert np.isnan(third(0.7))
