import mpmath as m
import numpy as np
import pytest
from special_accuracy import hold

import tapegrad as tg

special = pytest.importorskip("scipy.special")


def dawson(x):
    return m.sqrt(m.pi) / 2 * m.exp(-x * x) * m.erfi(x)


def voigt(x, sigma, gamma):
    z = (x + 1j * gamma) / (sigma * m.sqrt(2))
    return (m.exp(-z * z) * m.erfc(-1j * z)).real / (sigma * m.sqrt(2 * m.pi))


def test_voigt_profile():
    # Near, each derivative by sigma takes two digits for a tenfold |x + 1j gamma| / sigma.
    near = [(0.7, 1.2, 0.4), (-2.0, 0.3, 0.5), (0.3, 2.0, 1e-3), (3.0, 0.5, 2.0)]
    hold(special.voigt_profile, voigt, near[:3], 1e-10)
    hold(special.voigt_profile, voigt, near[3:], 1e-9)
    far = [(3.0, 0.35, 2.0), (-9.0, 0.8, 0.01), (30.0, 0.01, 2.0), (0.2, 0.02, 3.0)]
    hold(special.voigt_profile, voigt, far, 1e-12)
    by_all = tg.grad(special.voigt_profile, (0, 1, 2))
    cauchy = tg.grad(lambda x, gamma: gamma / (np.pi * (x * x + gamma * gamma)), (0, 1))
    np.testing.assert_allclose(by_all(0.7, 0.0, 0.4)[::2], cauchy(0.7, 0.4), rtol=1e-14)
    assert by_all(0.7, 0.0, 0.4)[1] == 0.0


CASES = {
    "expit": (lambda x: 1 / (1 + m.exp(-x)), (-30.0, -1.0, 0.0, 0.4, 20.0)),
    "log_expit": (lambda x: -m.log1p(m.exp(-x)), (-30.0, -1.0, 0.0, 0.4, 20.0)),
    "logit": (lambda x: m.log(x / (1 - x)), (1e-5, 0.29, 0.31, 0.49, 0.6, 0.7, 0.999)),
    "erf": (m.erf, (1e-9, 0.3, 1.7, -4.0)),
    "erfc": (m.erfc, (-4.0, 0.3, 1.7, 12.0)),
    "erfcx": (lambda x: m.exp(x * x) * m.erfc(x), (-2.0, 0.3, 3.0, 7.9, 8.1, 40.0, 300.0)),
    "erfi": (m.erfi, (0.3, 3.0)),
    "dawsn": (dawson, (0.3, 3.0, 7.9, 8.1, -40.0, 300.0)),
    "ndtr": (m.ncdf, (-30.0, -3.0, 0.4, 5.0)),
    "log_ndtr": (lambda x: m.log(m.ncdf(x)), (-300.0, -30.0, -3.0, -1.0, 0.4, 3.0)),
    "erfinv": (m.erfinv, (-0.7, 0.3, 0.95)),
    "ndtri": (lambda p: m.sqrt(2) * m.erfinv(2 * p - 1), (0.1, 0.3, 0.95)),
    "erfcinv": (lambda x: m.erfinv(1 - x), (0.05, 0.7, 1.3)),
    "exp1": (m.e1, (0.3, 3.0)),
    "expi": (m.ei, (0.9, 3.0)),
    "spence": (
        lambda z: m.polylog(2, 1 - z).real,
        (0.2, 0.6, 0.74, 0.76, 1.2, 1.24, 1.26, 1.6, 4.0),
    ),
    "exprel": (lambda x: m.expm1(x) / x, (1e-5, 0.4, 0.999, 1.001, -1.001, 1.9, 2.1, -6.0)),
    "entr": (lambda x: -x * m.log(x), (0.1, 3.0)),
}


@pytest.mark.parametrize("name", CASES)
def test_against_arbitrary_precision(name):
    reference, points = CASES[name]
    rtol = {"dawsn": 1e-10, "exprel": 1e-11}.get(name, 1e-12)
    hold(getattr(special, name), reference, [(x,) for x in points], rtol)
