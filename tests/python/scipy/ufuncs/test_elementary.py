import mpmath as m
import pytest
from special_accuracy import hold

special = pytest.importorskip("scipy.special")

CASES = {
    "exp10": (lambda x: m.mpf(10) ** x, [(0.3,), (-2.0,), (30.0,)]),
    "exp2": (lambda x: m.mpf(2) ** x, [(0.3,), (-2.0,), (30.0,)]),
    "cbrt": (m.cbrt, [(0.7,), (40.0,)]),
    "cosm1": (lambda x: m.cos(x) - 1, [(1e-5,), (0.3,), (-4.0,)]),
    "powm1": (lambda x, p: x**p - 1, [(1.3, 0.7), (0.4, -2.5), (1.001, 1e-3)]),
    "sindg": (lambda x: m.sin(x * m.pi / 180), [(31.0,), (-200.0,)]),
    "cosdg": (lambda x: m.cos(x * m.pi / 180), [(31.0,), (-200.0,)]),
    "tandg": (lambda x: m.tan(x * m.pi / 180), [(31.0,), (-200.0,)]),
    "cotdg": (lambda x: m.cot(x * m.pi / 180), [(31.0,), (-200.0,)]),
    "wrightomega": (lambda x: m.lambertw(m.exp(x)).real, [(0.3,), (-3.0,), (20.0,)]),
    "pseudo_huber": (
        lambda d, r: d * d * (m.sqrt(1 + (r / d) ** 2) - 1), [(1.3, 0.7), (0.4, -3.0)]
    ),
    "boxcox": (lambda x, p: (x**p - 1) / p, [(1.5, 0.7), (0.6, -2.0)]),
    "boxcox1p": (lambda x, p: ((1 + x) ** p - 1) / p, [(0.5, 0.7), (2.0, -1.5)]),
    "inv_boxcox": (lambda y, p: (p * y + 1) ** (1 / p), [(0.5, 0.7), (0.3, -1.5)]),
    "inv_boxcox1p": (lambda y, p: (p * y + 1) ** (1 / p) - 1, [(0.5, 0.7), (0.3, -1.5)]),
    "xlogy": (lambda x, y: x * m.log(y), [(1.5, 0.7), (0.3, 40.0)]),
    "xlog1py": (lambda x, y: x * m.log1p(y), [(1.5, 0.7), (0.3, 1e-6)]),
    "rel_entr": (lambda x, y: x * m.log(x / y), [(1.5, 0.7), (0.3, 0.31)]),
    "kl_div": (lambda x, y: x * m.log(x / y) - x + y, [(1.5, 0.7), (0.3, 2.0)]),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:grad.g.. the result does not depend")  # linear ones, twice
@pytest.mark.parametrize("name", CASES)
def test_against_arbitrary_precision(name):
    reference, points = CASES[name]
    rtol = 1e-10 if "boxcox" in name or name in ("powm1", "wrightomega") else 4e-12
    hold(getattr(special, name), reference, points, rtol)
