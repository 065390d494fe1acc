"""The form of formulas, and that simplifying changes no value."""

import numpy as np
import pytest
import sympy

from tapegrad.symbolic import D, to_sympy
from tapegrad.symbolic.simplification import readable

x, y = sympy.symbols("x y")


@pytest.mark.parametrize("base", ["x", "x + 1", "2 * x", "np.sin(x)", "x * y"])
def test_the_rule_of_powers_reads_without_its_limit(base):
    f = eval(f"lambda x, y: ({base}) ** y")
    slope = D(f, y)
    assert not slope.has(sympy.Piecewise)
    at = {x: 0.7, y: 1.3}
    expected = sympy.diff(to_sympy(f), y).subs(at)
    assert float(slope.subs(at)) == pytest.approx(float(expected), rel=1e-12)


def test_cases_of_the_user_stay():
    def entropy(x):
        return np.where(x == 0, 0.0, x * np.log(x))

    def both(x, y):
        return np.where((x == 0) & (y > 0), 7.0, x**y * np.log(x) * y)

    assert to_sympy(entropy).subs(x, 0) == 0
    assert D(entropy, x).subs(x, 0) == 0
    assert D(both, y).subs({x: 0, y: 1}) == 0
    assert to_sympy(both, simplify=True).subs({x: 0, y: 1}) == 7


def test_functions_of_ones_own_and_no_simplification():
    expr = x * (x + 1) + x * (x - 1)
    assert readable(expr) == 2 * x**2
    assert readable(expr, False) == expr
    assert readable(expr, lambda e: e + 1) == expr + 1
    assert readable(sympy.true) is sympy.true


def test_values_are_real():
    assert readable(sympy.sqrt(x**2)) == sympy.Abs(x)
    assert readable(sympy.cosh(sympy.Abs(x) / 2)) == sympy.cosh(x / 2)
    assert readable(sympy.sqrt(x**2)).free_symbols == {x}


def test_long_formulas_are_left_alone():
    expr = sympy.Add(*(sympy.sin(k * x + y) ** k for k in range(1, 90)))
    assert readable(expr) == expr
