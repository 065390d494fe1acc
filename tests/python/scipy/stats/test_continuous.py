import numpy as np

import tapegrad as tg
from tapegrad.scipy import stats


def test_derivatives_at_the_location():
    # where formulas in |x| would have none
    for f, first, second in (
        (stats.laplace.cdf, 0.5, None),
        (stats.laplace.sf, -0.5, None),
        (stats.logistic.logpdf, 0.0, -0.5),
        (stats.cauchy.logpdf, 0.0, -2.0),
        (lambda x: stats.t.cdf(x, 4.2), stats.t.pdf(0.0, 4.2), 0.0),
        (lambda x: stats.t.logpdf(x, 4.2), 0.0, -5.2 / 4.2),
    ):
        np.testing.assert_allclose(tg.grad(f)(0.0), first, rtol=1e-14)
        if second is not None:
            np.testing.assert_allclose(tg.grad(tg.grad(f))(0.0), second, rtol=1e-14)
    by_shape = tg.grad(lambda v: tg.grad(lambda x: stats.t.cdf(x, v))(0.0))(4.2)
    h = 1e-5
    wanted = (stats.t.pdf(0.0, 4.2 + h) - stats.t.pdf(0.0, 4.2 - h)) / (2 * h)
    np.testing.assert_allclose(by_shape, wanted, rtol=1e-8)
    x = np.array([-1e200, -1e9, 1e9, 1e200])
    wanted = -np.log(np.pi) - 2.0 * np.log(np.abs(x))
    np.testing.assert_allclose(tg.value(stats.cauchy.logpdf(tg.Variable(x))), wanted, rtol=1e-14)
