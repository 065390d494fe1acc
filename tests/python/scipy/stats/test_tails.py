import numpy as np
import pytest
import scipy.stats

import tapegrad as tg
from tapegrad.scipy import stats


@pytest.mark.parametrize("name", ["genextreme", "genpareto"])
def test_the_shape_passes_through_zero(name):
    ours, scipys = getattr(stats, name), getattr(scipy.stats, name)
    x = np.array([0.2, 1.3, 2.8])
    for method in ("logpdf", "logcdf", "sf"):
        f, plain = getattr(ours, method), getattr(scipys, method)
        np.testing.assert_allclose(tg.value(f(tg.Variable(x), 0.0)), plain(x, 0.0), rtol=1e-13)
        slope = tg.jacobian(lambda c, f=f: f(x, c))(0.0)
        bend = tg.jacobian(tg.jacobian(lambda c, f=f: f(x, c)))(0.0)
        h = 1e-3  # larger than where SciPy's own formula loses digits
        np.testing.assert_allclose(slope, (plain(x, h) - plain(x, -h)) / (2 * h), rtol=1e-4)
        curve = (plain(x, h) - 2 * plain(x, 0.0) + plain(x, -h)) / h**2
        np.testing.assert_allclose(bend, curve, rtol=1e-3, atol=1e-5)
    for method in ("ppf", "isf"):
        f, plain = getattr(ours, method), getattr(scipys, method)
        slope = tg.jacobian(lambda c, f=f: f(np.array([0.2, 0.7]), c))(0.0)
        q, h = np.array([0.2, 0.7]), 1e-3
        np.testing.assert_allclose(slope, (plain(q, h) - plain(q, -h)) / (2 * h), rtol=1e-4)


def test_ends_of_the_support_that_the_shape_decides():
    c = np.array([0.5, -0.5])
    x = np.array([2.5, -2.5])  # beyond 1 / c
    found = stats.genextreme.logpdf(x, tg.Variable(c))
    np.testing.assert_array_equal(tg.value(found), scipy.stats.genextreme.logpdf(x, c))
    assert tg.value(stats.genpareto.sf(3.0, tg.Variable(-0.5))) == 0.0
