"""The formula of a recorded function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad.symbolic.arguments import Arguments
from tapegrad.symbolic.branches import formula_of
from tapegrad.symbolic.lazy_sympy import sympy
from tapegrad.symbolic.simplification import readable
from tapegrad.transforms.trace import check_callable

FORMS: dict[str, Callable[[Any], Any]] = {
    "sympy": lambda expr: expr,
    "text": str,
    "latex": sympy.latex,
}


def to_sympy(
    f: Callable[..., Any],
    *args: Any,
    simplify: bool | Callable[[Any], Any] = False,
    form: str = "sympy",
) -> Any:
    """The formula of `f`, as a SymPy expression.

    Without `args` the parameters of `f` are scalars and give their names to the symbols. Else
    `args` are what `f` is called with: SymPy symbols or expressions, lists and arrays of these, or
    numbers and arrays of floats, whose elements become symbols (x0, x1 for an array x). Whole
    numbers stay what they are. Loops appear unrolled. A plain `if` is followed along each path, as
    np.where it becomes Piecewise.

    Arrays in the result are SymPy arrays. `simplify` is True for the shortest of a few equivalent
    forms, or a function; `form` is "sympy", "text" or "latex".

    Raises:
        NotImplementedError: an operation has no formula; the message says which, where, and what
            to write instead.

    >>> import numpy as np
    >>> from tapegrad.symbolic import to_sympy
    >>> to_sympy(lambda x, y: np.hypot(x, 2 * y) / 3)
    sqrt(x**2 + 4*y**2)/3
    """
    check_callable("to_sympy", f, "tg.symbolic.to_sympy(f)")
    arguments = Arguments("to_sympy", f, args or None, [])
    return finished("to_sympy", formula_of("to_sympy", arguments, arguments.call), simplify, form)


def finished(label: str, tree: Any, simplify: Any, form: str) -> Any:
    """The leaves of a result: simplified, arrays as SymPy's, in the form asked for."""
    if form not in FORMS:
        raise ValueError(f"{label}: form is 'sympy', 'text' or 'latex', not {form!r}")

    def leaf(x: Any) -> Any:
        if not isinstance(x, np.ndarray):
            return x
        items = [readable(sympy.sympify(item), simplify) for item in x.ravel()]
        return FORMS[form](items[0] if x.ndim == 0 else sympy.Array(items, x.shape))

    return map_leaves(leaf, tree)


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with each leaf replaced."""
    return _tree.fill(tree, iter([function(x) for _, x in _tree.leaves(tree)]))
