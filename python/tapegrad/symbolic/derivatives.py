"""Derivatives of recorded functions as formulas: D, Grad, Hessian, Jacobian.

What is shown is the recorded derivative: the function is recorded as the library differentiates it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad.symbolic.arguments import Arguments
from tapegrad.symbolic.branches import formula_of
from tapegrad.symbolic.formulas import FORMS, finished, map_leaves
from tapegrad.symbolic.lazy_sympy import sympy
from tapegrad.symbolic.simplification import readable
from tapegrad.transforms.gradients import grad
from tapegrad.transforms.jacobians import hessian, jacobian, jvp
from tapegrad.transforms.trace import check_callable

Variable = Any  # a SymPy symbol, a name, or a pair of one with the order


def D(
    f: Callable[..., Any],
    *variables: Variable,
    args: Any = None,
    simplify: bool | Callable[[Any], Any] = True,
    form: str = "sympy",
) -> Any:
    """The derivative of `f` by `variables`, one after the other, as a formula.

    A variable is a SymPy symbol or a name: that of a parameter, or of an element (x0, x1 of an
    array x). A pair `(x, n)` asks for the n-th derivative. `args` and `form` are as for
    `to_sympy`. By the name of an array the result is the array of derivatives by its elements.
    SymPy expressions instead of a function are differentiated by SymPy.

    >>> import numpy as np
    >>> from tapegrad.symbolic import D
    >>> D(lambda x, y: np.sin(x) * y**2, "x", ("y", 2))
    2*cos(x)
    """
    label = "D"
    orders = _orders(label, variables)
    if isinstance(f, sympy.Basic):
        return FORMS[form](sympy.diff(f, *(s for v, n in orders for s in [v] * n)))
    check_callable(label, f, "tg.symbolic.D(f, 'x')")
    arguments = Arguments(label, f, args, [v for v, _ in orders])
    groups = [arguments.groups(v) for v, n in orders for _ in range(n)]
    shapes = [arguments.shape(v) for v, n in orders for _ in range(n)]
    return finished(label, _nested(label, arguments, groups, shapes, []), simplify, form)


def _nested(
    label: str,
    arguments: Arguments,
    groups: list[list[list[int]]],
    shapes: list[tuple[int, ...] | None],
    chosen: list[list[int]],
) -> Any:
    """Derivatives by one element of each group, stacked where a group is that of an array."""
    if not groups:
        return formula_of(label, arguments, along(arguments, chosen))
    found = [
        _nested(label, arguments, groups[1:], shapes[1:], [*chosen, slots]) for slots in groups[0]
    ]
    return found[0] if shapes[0] is None else _stacked(label, found, shapes[0], shapes[1:])


def _stacked(
    label: str, found: list[Any], shape: tuple[int, ...], later: list[tuple[int, ...] | None]
) -> Any:
    """Derivatives by the elements of an array, its axes behind those of the result."""
    if not all(isinstance(x, np.ndarray) for x in found):
        raise TypeError(
            f"{label}: the function gives several results, and the variable is an array; name one "
            "element of it, or return one array"
        )
    behind = sum(len(s) for s in later if s is not None)
    first = found[0].shape[: found[0].ndim - behind]
    whole = np.stack(found, axis=len(first))
    return whole.reshape(*first, *shape, *found[0].shape[len(first) :])


def along(arguments: Arguments, chosen: list[list[int]]) -> Callable[[Any], Any]:
    """The derivative of the function along each group of slots, in turn."""
    g: Callable[[Any], Any] = arguments.call
    for slots in chosen:
        g = _once(g, slots)
    return g


def _once(g: Callable[[Any], Any], slots: list[int]) -> Callable[[Any], Any]:
    def derivative(v: Any) -> Any:
        direction = np.zeros(v.shape)
        direction[slots] = 1.0
        return jvp(g, (v,), (direction,))[1]

    return derivative


def Grad(
    f: Callable[..., Any],
    variables: Sequence[Variable] | None = None,
    *,
    args: Any = None,
    simplify: bool | Callable[[Any], Any] = True,
    form: str = "sympy",
) -> Any:
    """The gradient of a scalar function as an array of formulas: the reverse sweep, recorded.

    It is by all unknowns, or by `variables` in their order; these and `args` are as for `D`.

    >>> from tapegrad.symbolic import Grad
    >>> Grad(lambda x, y: x**2 * y)
    [2*x*y, x**2]
    """
    arguments, columns = _chosen("Grad", f, variables, args)
    found = _scalar(
        "Grad", formula_of("Grad", arguments, grad(_one_number("Grad", arguments.call))), 1
    )
    picked = np.array([_summed(found, slots) for slots in columns] + [None], dtype=object)[:-1]
    return finished("Grad", picked, simplify, form)


def Hessian(
    f: Callable[..., Any],
    variables: Sequence[Variable] | None = None,
    *,
    args: Any = None,
    simplify: bool | Callable[[Any], Any] = True,
    form: str = "sympy",
) -> Any:
    """The matrix of second derivatives of a scalar function: forward over reverse, recorded.

    >>> from tapegrad.symbolic import Hessian
    >>> Hessian(lambda x, y: x**2 * y)
    Matrix([
    [2*y, 2*x],
    [2*x,   0]])
    """
    arguments, columns = _chosen("Hessian", f, variables, args)
    found = _scalar("Hessian", formula_of("Hessian", arguments, hessian(arguments.call)), 2)
    rows = [[_summed(found[:, a].sum(axis=1), b) for a in columns] for b in columns]
    return _matrix("Hessian", rows, simplify, form)


def Jacobian(
    f: Callable[..., Any],
    variables: Sequence[Variable] | None = None,
    *,
    args: Any = None,
    simplify: bool | Callable[[Any], Any] = True,
    form: str = "sympy",
) -> Any:
    """The matrix of first derivatives of a function with a vector, list or tuple as result.

    >>> import numpy as np
    >>> from tapegrad.symbolic import Jacobian
    >>> Jacobian(lambda r, t: (r * np.cos(t), r * np.sin(t)))
    Matrix([
    [cos(t), -r*sin(t)],
    [sin(t),  r*cos(t)]])
    """
    arguments, columns = _chosen("Jacobian", f, variables, args)
    tree = formula_of("Jacobian", arguments, jacobian(_results(arguments.call)))
    rows = []
    for part in tree:
        table = np.asarray(part, dtype=object).reshape(-1, len(arguments.formulas))
        rows += [[_summed(row, slots) for slots in columns] for row in table]
    return _matrix("Jacobian", rows, simplify, form)


def _orders(label: str, variables: Sequence[Variable]) -> list[tuple[Any, int]]:
    """Each variable with its order."""
    found = []
    for v in variables:
        name, n = v if isinstance(v, tuple) and len(v) == 2 and isinstance(v[1], int) else (v, 1)
        if not isinstance(name, (str, sympy.Symbol)) or n < 0:
            raise TypeError(
                f"{label}: a variable is a SymPy symbol, a name or a pair (x, n), not {v!r}"
            )
        found.append((name, n))
    if not found:
        raise TypeError(f"{label}: by which variable? Call {label}(f, 'x')")
    return found


def _chosen(
    label: str, f: Callable[..., Any], variables: Sequence[Variable] | None, args: Any
) -> tuple[Arguments, list[list[int]]]:
    """The arguments, and for each variable the slots that move together."""
    check_callable(label, f, f"tg.symbolic.{label}(f)")
    if variables is not None and isinstance(variables, (str, sympy.Symbol)):
        variables = [variables]
    arguments = Arguments(label, f, args, list(variables or ()))
    if variables is None:
        variables = [s for s in dict.fromkeys(arguments.formulas) if isinstance(s, sympy.Symbol)]
    return arguments, [slots for v in variables for slots in arguments.groups(v)]


def _summed(row: Any, slots: list[int]) -> Any:
    return sympy.Add(*(row[k] for k in slots))


def _scalar(label: str, tree: Any, ndim: int) -> Any:
    if isinstance(tree, np.ndarray) and tree.ndim == ndim:
        return tree
    is_array = isinstance(tree, np.ndarray)
    raise _not_scalar(label, f"of shape {tree.shape[:-ndim]}" if is_array else "of several parts")


def _one_number(label: str, g: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function, held to a single number as its result."""

    def checked(v: Any) -> Any:
        found = g(v)
        if isinstance(found, (tuple, list, dict)):
            raise _not_scalar(label, f"gives {len(found)} results")
        if np.size(found) != 1:
            raise _not_scalar(label, f"has the shape {np.shape(found)}")
        return found

    return checked


def _not_scalar(label: str, what: str) -> TypeError:
    return TypeError(f"{label}: the function is not scalar but {what}; call Jacobian(f)")


def _results(g: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function with all its results in a tuple."""

    def all_of(v: Any) -> Any:
        found: list[Any] = []
        map_leaves(found.append, g(v))
        return tuple(found)

    return all_of


def _matrix(label: str, rows: list[list[Any]], simplify: Any, form: str) -> Any:
    if form not in FORMS:
        raise ValueError(f"{label}: form is 'sympy', 'text' or 'latex', not {form!r}")
    return FORMS[form](sympy.Matrix([[readable(x, simplify) for x in row] for row in rows]))
