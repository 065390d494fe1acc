"""Series: Taylor polynomials, and where there are none."""

import numpy as np
import pytest
import sympy

from tapegrad.symbolic import Series

x, y = sympy.symbols("x y")


def test_series():
    assert Series(np.exp, ("x", 0, 3)) == sympy.series(sympy.exp(x), x, 0, 4)
    assert Series(np.tan, (x, 0, 7)) == sympy.series(sympy.tan(x), x, 0, 8)
    found = Series(np.log, (x, 1, 3)) - sympy.series(sympy.log(x), x, 1, 4)
    assert sympy.expand(found.removeO()) == 0
    assert Series(lambda x, y: x * np.exp(y * x), (x, 0, 2)).removeO() == x + x**2 * y
    assert Series(np.abs, (x, 1, 2)).removeO() == x
    assert Series(sympy.cos(x), (x, 0, 2)) == sympy.series(sympy.cos(x), x, 0, 3)
    half = Series(np.sin, (x, 0.5, 1)).removeO()
    assert float(half.subs(x, 0.5)) == pytest.approx(np.sin(0.5))
    assert Series(np.sin, (x, 0, 1), form="text") == "x + O(x**2)"


@pytest.mark.parametrize(
    "f",
    [
        np.abs,
        np.sign,
        np.floor,
        np.sinc,
        lambda x: np.maximum(x, 0),
        lambda x: np.where(x > 0, x, 2 * x),
        lambda x: x if x > 0 else -x,
        lambda x: np.mod(x, 2),
    ],
)
def test_kinks_and_jumps_have_none(f):
    with pytest.raises(ValueError, match="expand about another point"):
        Series(f, (x, 0, 2))


def test_refusals():
    with pytest.raises(ValueError, match="no finite value at x = 0"):
        Series(np.sqrt, (x, 0, 2))
    with pytest.raises(TypeError, match=r"Series\(f, \('x', 0, 3\)\)"):
        Series(np.sin, x)
    with pytest.raises(ValueError, match="whole number"):
        Series(np.sin, (x, 0, -1))
    with pytest.raises(ValueError, match="name one element"):
        Series(np.sum, ("a", 0, 2), args=np.ones(2))
    with pytest.raises(TypeError, match="expand one element"):
        Series(lambda v: (v, v), (x, 0, 2))
