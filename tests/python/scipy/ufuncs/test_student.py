import mpmath as m
import numpy as np
import pytest
from special_accuracy import hold

import tapegrad as tg

special = pytest.importorskip("scipy.special")


def student(v, t):
    c = m.gamma((v + 1) / 2) / (m.sqrt(v * m.pi) * m.gamma(v / 2))
    return 0.5 + t * c * m.hyp2f1(0.5, (v + 1) / 2, 1.5, -t * t / v)


def test_against_arbitrary_precision():
    points = [(4.2, 0.0), (4.2, 1e-4), (4.2, 2e-3), (4.2, -0.7), (0.6, 3.0), (30.0, 1e-3)]
    hold(special.stdtr, student, points, 1e-11, places=(1,))
    hold(special.stdtr, student, [p for p in points if p[1] != 0], 1e-10, places=(0,))


@pytest.mark.parametrize("t", [0.0, 1e-4, -2e-3, 0.3])
def test_mixed_derivatives_in_both_orders(t):
    first = tg.grad(lambda t: tg.grad(lambda v: special.stdtr(v, t))(4.2))
    second = tg.grad(lambda v: tg.grad(lambda t: special.stdtr(v, t))(t))
    wanted = float(m.diff(student, (m.mpf(4.2), m.mpf(t)), (1, 1)))
    np.testing.assert_allclose([first(t), second(4.2)], wanted, rtol=1e-11)


def test_quantiles_at_the_median():
    mixed = tg.grad(lambda q: tg.grad(lambda v: special.stdtrit(v, q))(4.2))
    h = 1e-5
    slopes = [1 / tg.grad(lambda t, v=v: special.stdtr(v, t))(0.0) for v in (4.2 + h, 4.2 - h)]
    np.testing.assert_allclose(mixed(0.5), (slopes[0] - slopes[1]) / (2 * h), rtol=1e-8)
