import numpy as np
import pytest
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import stats


def test_vonmises():
    for method in ("pdf", "logpdf"):
        f = getattr(stats.vonmises, method)
        args = np.array([-2.0, 0.3, 4.0]), np.float64(1.7), np.float64(0.2)
        holds(lambda x, kappa, loc, f=f: f(x, kappa, loc), args, single=False)
    with pytest.raises(TypeError, match=r"vonmises\.cdf: the distribution function has no deriv"):
        stats.vonmises.cdf(tg.Variable(0.3), 1.7)


def test_corners_of_a_triangle():
    c = np.array([0.0, 1.0])
    for method in ("pdf", "cdf", "ppf"):
        f = getattr(stats.triang, method)
        np.testing.assert_allclose(tg.value(f(tg.Variable(0.3), c)), f(0.3, c), rtol=1e-14)
        slope = tg.grad(lambda x, f=f: np.sum(f(x, c)))(0.3)
        wanted = (np.sum(f(0.3001, c)) - np.sum(f(0.2999, c))) / 2e-4
        np.testing.assert_allclose(slope, wanted, atol=1e-6)
