"""SymPy expressions as functions of NumPy arrays and Variables."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad.symbolic.lazy_sympy import sympy
from tapegrad.symbolic.printer import Printer


def from_sympy(expr: Any, symbols: Any) -> Callable[..., Any]:
    """A function that computes `expr`; its arguments are `symbols`, in this order.

    `expr` is an expression, a SymPy matrix or array, or a list of expressions: the results of
    these are arrays of their shape. A list or tuple of symbols among the `symbols` is an argument
    that is a vector. What occurs several times is computed once. Arrays as arguments are computed
    element by element; the function is differentiated and compiled like any other.

    Raises:
        ValueError: the expression has symbols that are no arguments.
        NotImplementedError: NumPy and SciPy have no function for a part of it.

    >>> import sympy
    >>> import tapegrad as tg
    >>> from tapegrad.symbolic import from_sympy
    >>> x, y = sympy.symbols("x y")
    >>> f = from_sympy(sympy.sin(x) * y, [x, y])
    >>> tg.grad(f)(0.0, 3.0)
    3.0
    """
    from sympy.core.function import AppliedUndef

    from tapegrad.scipy.integrate import quad
    from tapegrad.scipy.special import polygamma

    given = [symbols] if isinstance(symbols, sympy.Symbol) else list(symbols)
    items, shape = _items(expr)
    _check_symbols(items, given)
    words = [_word(s, k) for k, s in enumerate(given)]
    unknown = {str(x.func) for item in items for x in item.atoms(AppliedUndef)}
    if unknown:
        raise _no_function(unknown)
    own = {"polygamma": polygamma, "quad": quad}
    try:
        compute = sympy.lambdify(
            words, items, [own, "scipy", "numpy"], printer=Printer(), cse=True, dummify=False
        )
    except NotImplementedError:  # the printer's, whose first line names its own class
        raise _no_function({x.func.__name__ for item in items for x in _formal(item)}) from None
    names = set(compute.__code__.co_names) - set(compute.__globals__) - set(dir(builtins))
    if names:
        raise _no_function(names)
    if shape is None:
        return _named(lambda *args: compute(*_checked(args, len(given)))[0], expr)

    def array(*args: Any) -> Any:
        return _stacked(compute(*_checked(args, len(given))), shape)

    return _named(array, expr)


def _formal(item: Any) -> Any:
    """Derivatives, integrals and sums that are not carried out."""
    return item.atoms(sympy.Derivative, sympy.Integral, sympy.Sum, sympy.Product, sympy.Limit)


def _no_function(names: set[str]) -> NotImplementedError:
    return NotImplementedError(
        f"from_sympy: neither NumPy nor SciPy has a function for {', '.join(sorted(names))}; "
        "carry it out with .doit(), or write it otherwise with .rewrite()"
    )


def _items(expr: Any) -> tuple[list[Any], tuple[int, ...] | None]:
    """The expressions and the shape that they stand in; None of one alone."""
    if isinstance(expr, (list, tuple)):
        array = np.array([sympy.sympify(x) for x in expr], dtype=object)
        return list(array.ravel()), array.shape
    if isinstance(expr, (sympy.MatrixBase, sympy.NDimArray)):
        shape = tuple(int(n) for n in expr.shape)
        return [expr[place] for place in np.ndindex(shape)], shape
    return [sympy.sympify(expr)], None


def _word(symbol: Any, k: int) -> Any:
    if isinstance(symbol, (sympy.Symbol, str)):
        return sympy.sympify(symbol)
    if isinstance(symbol, (list, tuple, sympy.MatrixBase, sympy.NDimArray)):
        return tuple(sympy.sympify(x) for x in symbol)
    raise TypeError(
        f"from_sympy: argument {k} is {symbol!r}; arguments are symbols, or lists of symbols"
    )


def _check_symbols(items: Sequence[Any], given: Sequence[Any]) -> None:
    known = {s for k, x in enumerate(given) for s in _flat(_word(x, k))}
    unknown = {s for x in items for s in x.free_symbols} - known
    if unknown:
        names = ", ".join(sorted(str(s) for s in unknown))
        raise ValueError(
            f"from_sympy: the expression has {names}, and the arguments are "
            f"{', '.join(sorted(str(s) for s in known)) or 'none'}; symbols of one name are "
            "different where their assumptions are"
        )


def _flat(word: Any) -> tuple[Any, ...]:
    return word if isinstance(word, tuple) else (word,)


def _checked(args: tuple[Any, ...], n: int) -> tuple[Any, ...]:
    if len(args) != n:
        raise TypeError(f"the function takes {n} arguments, got {len(args)}")
    return args


def _stacked(items: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """The results as one array, the axes of `shape` in front."""
    if not items:
        return np.empty(shape)
    common = np.broadcast_shapes(*(np.shape(x) for x in items))
    whole = [x if np.shape(x) == common else np.broadcast_to(x, common) for x in items]
    return np.reshape(np.stack([x + 0.0 for x in whole]), (*shape, *common))


def _named(f: Callable[..., Any], expr: Any) -> Callable[..., Any]:
    f.__name__ = "from_sympy"
    f.__doc__ = f"Computes {expr}."
    return f
