"""np.emath: the real functions where they are real; elsewhere the real part is told."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numerical
from tapegrad.numpy.domains import REAL_PARTS

OUTSIDE = np.array([-1.7, -0.4, 0.3, 2.5])
BESIDE = {"logn": {"n": 2.0}, "power": {"p": 1.5}}


@pytest.mark.parametrize("name", REAL_PARTS)
def test_the_real_part_is_told_where_it_is_complex(name):
    function, beside = getattr(np.emath, name), BESIDE.get(name, {})
    first = (2.0,) if name == "logn" else ()
    last = (1.5,) if name == "power" else ()
    with pytest.raises(TypeError, match=f"np.emath.{name}") as caught:
        function(*first, tg.Variable(OUTSIDE), *last)
    code = REAL_PARTS[name]
    assert f"write {code} for the real part" in str(caught.value)

    def told(v):
        return eval(code, {"np": np, "v": v, **beside})

    def wanted(v):
        return np.sum(np.cos(np.arange(v.size)) * function(*first, v, *last).real)

    np.testing.assert_allclose(told(OUTSIDE), function(*first, OUTSIDE, *last).real, atol=1e-15)
    found = tg.grad(lambda v: np.sum(np.cos(np.arange(v.size)) * told(v)))(OUTSIDE)
    np.testing.assert_allclose(found, numerical.grad(wanted)(OUTSIDE), rtol=1e-6, atol=1e-8)


def test_compiled_functions_see_the_domain_of_later_arguments():
    compiled = tg.compile(lambda x: np.emath.sqrt(x) * 2.0)
    for x in (4.0, 9.0, 16.0, 25.0):
        assert compiled(x) == 2 * np.sqrt(x)
    with pytest.warns(UserWarning, match="plain Python"):
        assert compiled(-4.0) == 4j
