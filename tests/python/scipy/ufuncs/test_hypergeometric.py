import mpmath as m
import pytest
from special_accuracy import hold

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
