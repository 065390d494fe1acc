"""Taylor polynomials of recorded functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tapegrad.symbolic.arguments import Arguments
from tapegrad.symbolic.branches import formula_of
from tapegrad.symbolic.derivatives import along
from tapegrad.symbolic.formulas import FORMS
from tapegrad.symbolic.lazy_sympy import sympy
from tapegrad.symbolic.simplification import readable
from tapegrad.transforms.trace import check_callable


def Series(
    f: Callable[..., Any],
    point: tuple[Any, Any, int],
    *,
    args: Any = None,
    simplify: bool | Callable[[Any], Any] = True,
    form: str = "sympy",
) -> Any:
    """The Taylor polynomial `(x, x0, n)` of `f` in `x` at `x0`, with the O-term of order n + 1.

    The coefficients are recorded derivatives at the point.

    Raises:
        ValueError: there is no Taylor series: a derivative has no finite value at the point, or the
            function has a kink or a jump there, or chooses another formula.

    >>> import numpy as np
    >>> from tapegrad.symbolic import Series
    >>> Series(np.exp, ("x", 0, 3))
    1 + x + x**2/2 + x**3/6 + O(x**4)
    """
    label = "Series"
    if not (isinstance(point, tuple) and len(point) == 3):
        raise TypeError(f"Series: wants (x, x0, n), not {point!r}; call Series(f, ('x', 0, 3))")
    name, at, n = point
    if not isinstance(n, int) or n < 0:
        raise ValueError(f"Series: the order is a whole number from 0 on, not {n!r}")
    if isinstance(f, sympy.Basic):
        return FORMS[form](sympy.series(f, sympy.sympify(name), at, n + 1))
    check_callable(label, f, "tg.symbolic.Series(f, ('x', 0, 3))")
    arguments = Arguments(label, f, args, [name])
    groups = arguments.groups(name)
    if arguments.shape(name) is not None:
        raise ValueError(f"Series: {name} is an array; name one element, as in ({name}0, 0, 3)")
    x = arguments.formulas[groups[0][0]]
    at = sympy.nsimplify(at, rational=True) if isinstance(at, int) else sympy.sympify(at)
    _check_smooth(_one(label, formula_of(label, arguments, arguments.call)), x, at)
    total: Any = sympy.S.Zero
    for k in range(n + 1):
        slope = formula_of(label, arguments, along(arguments, [groups[0]] * k))
        coefficient = readable(_one(label, slope).subs(x, at), simplify)
        if coefficient.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
            raise ValueError(
                f"Series: derivative {k} of the function has no finite value at {x} = {at}; expand "
                "about another point, or use sympy.series(to_sympy(f), ...)"
            )
        total += coefficient / sympy.factorial(k) * (x - at) ** k
    return FORMS[form](total + sympy.O((x - at) ** (n + 1), (x, at)))


def _check_smooth(formula: Any, x: Any, at: Any) -> None:
    for part, gap in _gaps(formula):
        if gap.has(x) and sympy.simplify(gap.subs(x, at)).is_zero:
            raise ValueError(
                f"Series: the function has {part}, which has a kink or a jump at {x} = {at}, or "
                "chooses between formulas there; expand about another point"
            )


def _gaps(formula: Any) -> Iterator[tuple[Any, Any]]:
    """The parts that are not smooth everywhere, each with what is zero where it is not."""
    for part in formula.atoms(sympy.Abs, sympy.sign, sympy.Heaviside):
        yield part, part.args[0]
    for part in formula.atoms(sympy.floor, sympy.ceiling):
        yield part, sympy.sin(sympy.pi * part.args[0])
    for part in formula.atoms(sympy.Mod):
        yield part, sympy.sin(sympy.pi * part.args[0] / part.args[1])
    for part in formula.atoms(sympy.Max, sympy.Min):
        for k, a in enumerate(part.args):
            yield from ((part, a - b) for b in part.args[k + 1 :])
    for part in formula.atoms(sympy.Piecewise):
        for relation in part.atoms(sympy.core.relational.Relational):
            yield part, relation.lhs - relation.rhs


def _one(label: str, tree: Any) -> Any:
    if isinstance(tree, np.ndarray) and tree.ndim == 0:
        return tree[()]
    raise TypeError(f"{label}: the function is not scalar; expand one element")
