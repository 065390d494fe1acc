"""Functions of scipy.special: their formulas give SciPy's values and our derivatives."""

import numpy as np
import pytest
import sympy
from scipy import special
from special_points import POINTS

import tapegrad as tg
from tapegrad.symbolic import D, to_sympy
from tapegrad.symbolic.arguments import Arguments
from tapegrad.symbolic.branches import formula_of
from tapegrad.symbolic.operations.special import SEVERAL, SPECIAL

# Points at which the formula loses its digits by cancellation, or has a limit.
LIMITS = {("boxcox", (2.0, 1e-9)), ("exprel", (0.0,)), ("log_ndtr", (-60.0,))}
CASES = [
    (name, point)
    for name in sorted({*SPECIAL, *SEVERAL} & POINTS.keys())
    if not name.startswith("_")
    for point in POINTS[name]
    if (name, point) not in LIMITS
]


def number(expr, arguments):
    given = dict(zip(arguments.formulas, arguments.values, strict=True))
    return complex(sympy.sympify(expr).subs(given).evalf()).real


@pytest.mark.parametrize(("name", "point"), CASES, ids=str)
def test_values_and_derivatives(name, point):
    f = getattr(special, name)
    if not any(isinstance(x, float) for x in point):
        point = tuple(map(float, point))
    if name in ("eval_gegenbauer", "eval_genlaguerre", "eval_jacobi"):
        point = (3, *point[1:])  # of whole degrees alone
    arguments = Arguments("test", f, point, [])
    tree = formula_of("test", arguments, arguments.call)
    parts = tree if isinstance(tree, tuple) else (tree,)
    found = [number(x[()], arguments) for x in parts]
    np.testing.assert_allclose(found, np.ravel(f(*point)), rtol=1e-9, atol=1e-12)

    def scalar(v):
        y = arguments.call(v)
        return sum(y) if isinstance(y, tuple) else y

    reasons = []
    for k in range(len(arguments.formulas)):
        direction = np.eye(len(arguments.formulas))[k]
        try:
            expected = tg.jvp(scalar, (np.array(arguments.values),), (direction,))[1]
            slope = formula_of(
                "test", arguments, lambda v, d=direction: tg.jvp(scalar, (v,), (d,))[1]
            )
        except (TypeError, NotImplementedError) as error:
            reasons.append(str(error))
            continue
        np.testing.assert_allclose(number(slope[()], arguments), expected, rtol=1e-8, atol=1e-10)
    for reason in reasons:
        assert "there is no derivative by its argument" in reason or "SymPy" in reason


def test_they_read_as_in_a_book():
    x = sympy.Symbol("x")
    assert D(special.j0, x) == -sympy.besselj(1, x)
    assert D(special.erf, x) == 2 * sympy.exp(-(x**2)) / sympy.sqrt(sympy.pi)
    assert D(special.gamma, x) == sympy.gamma(x) * sympy.digamma(x)
    assert D(special.gammaln, x) == sympy.digamma(x)
    assert to_sympy(lambda x: special.jv(2, x)) == sympy.besselj(2, x)


def test_what_sympy_has_not_is_refused_by_name():
    with pytest.raises(NotImplementedError, match=r"scipy\.special\.struve.*has no formula"):
        to_sympy(lambda x: special.struve(1, x))
    with pytest.raises(NotImplementedError, match=r"kv_by_order .*hold it constant"):
        D(lambda v: special.kv(v, 2.0), "v")
