import mpmath as m
import pytest
from special_accuracy import hold

special = pytest.importorskip("scipy.special")

# Of an integer degree, by the argument.
CASES = {
    "eval_legendre": (m.legendre, ()),
    "eval_chebyt": (m.chebyt, ()),
    "eval_chebyu": (m.chebyu, ()),
    "eval_hermite": (m.hermite, ()),
    "eval_laguerre": (lambda n, x: m.laguerre(n, 0, x), ()),
    "eval_genlaguerre": (m.laguerre, (0.7,)),
    "eval_gegenbauer": (m.gegenbauer, (0.7,)),
    "eval_jacobi": (m.jacobi, (0.7, 0.4)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("degree", [0, 1, 5])
def test_against_arbitrary_precision(name, degree):
    reference, shape = CASES[name]
    f = getattr(special, name)
    hold(
        lambda x: f(degree, *shape, x),
        lambda x: reference(degree, *shape, x),
        [(0.3,), (-0.7,)],
        1e-11,
    )
