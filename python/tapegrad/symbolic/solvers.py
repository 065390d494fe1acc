"""Roots, minima and differential equations, with exact derivatives found on the way.

The names are Mathematica's. Newton's method is written here, the others are SciPy's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tapegrad.transforms.gradients import grad, value_and_grad
from tapegrad.transforms.jacobians import hessian, jacobian
from tapegrad.transforms.trace import check_callable

_METHODS = {"BFGS": "BFGS", "Newton": "trust-exact"}


def FindRoot(
    f: Any,
    start: Any,
    *,
    tolerance: float = 1e-12,
    max_iterations: int = 100,
) -> Any:
    """A root of `f` near `start`, by Newton's method with the exact Jacobian.

    `f` takes and gives a float, or a vector of one length each. A step that does not lessen the
    residual is halved. For a SymPy expression or equation, or a list of these, `start` is a dict
    of symbols and numbers, or a pair (x, x0) or a list of pairs; the result is a dict. Iteration
    ends where the residual, or the step relative to x, is below `tolerance`.

    Raises:
        RuntimeError: it does not converge; the message says where it stopped.

    >>> import numpy as np
    >>> from tapegrad.symbolic import FindRoot
    >>> round(FindRoot(lambda x: np.cos(x) - x, 1.0), 12)
    0.739085133215
    """
    start = _named_start(start)
    if isinstance(start, dict):
        equations = f if isinstance(f, (list, tuple)) else [f]
        g, point = _of_formulas([_residual(e) for e in equations], start)
        return dict(zip(start, FindRoot(g, point).tolist(), strict=True))
    check_callable("FindRoot", f, "FindRoot(f, x0)")
    x = _start("FindRoot", start)
    scalar = x.ndim == 0
    derivative = grad(f) if scalar else jacobian(f)

    def residual(at: Any) -> Any:
        found = np.asarray(f(at[()] if at.ndim else float(at)), dtype=float)
        if found.shape != x.shape:
            raise ValueError(
                f"FindRoot: the function gives shape {found.shape} for an argument of shape "
                f"{x.shape}; there are to be as many equations as unknowns"
            )
        return found

    r = residual(x)
    for _ in range(max_iterations):
        if _size(r) <= tolerance:
            return _result(x)
        slope = np.asarray(derivative(float(x) if scalar else x))
        try:
            with np.errstate(divide="ignore", invalid="ignore"):
                step = r / slope if scalar else np.linalg.solve(slope, r)
        except np.linalg.LinAlgError:
            raise _no_root(x, r, "the Jacobian is singular there") from None
        if not np.all(np.isfinite(step)):
            raise _no_root(x, r, f"the derivative is {slope} there")
        x, r, moved = _damped(residual, x, r, step)
        if moved <= tolerance * (1.0 + _size(x)) and _size(r) <= np.sqrt(tolerance):
            return _result(x)
        if moved == 0.0:
            raise _no_root(x, r, "no step lessens the residual")
    raise _no_root(x, r, f"{max_iterations} iterations were made")


def _damped(residual: Callable[[Any], Any], x: Any, r: Any, step: Any) -> tuple[Any, Any, float]:
    """The longest of the steps that lessens the residual, halved as often as it takes."""
    share = 1.0
    for _ in range(40):
        there = x - share * step
        found = residual(there)
        if np.all(np.isfinite(found)) and _size(found) < _size(r):
            return there, found, share * _size(step)
        share /= 2
    return x, r, 0.0


def _no_root(x: Any, r: Any, why: str) -> RuntimeError:
    return RuntimeError(
        f"FindRoot: no root found: at {_result(x)} the function is {_result(r)}, and {why}; start "
        "nearer to a root"
    )


def FindMinimum(
    f: Any, start: Any, *, method: str = "BFGS", tolerance: float = 1e-8
) -> tuple[float, Any]:
    """The value and the place of a local minimum of `f` near `start`, by SciPy's `minimize`.

    `method` is "BFGS", with the exact gradient, or "Newton", a trust-region method with the exact
    Hessian too. `start` is a float or a vector; for a SymPy expression it is a dict of symbols and
    numbers, or a pair (x, x0) or a list of pairs; the place is a dict.
    `tolerance` is that of the gradient.

    Raises:
        RuntimeError: SciPy's method did not converge.

    >>> import numpy as np
    >>> from tapegrad.symbolic import FindMinimum
    >>> value, x = FindMinimum(lambda x: (x - 2.0) ** 2 + 1.0, 0.0)
    >>> round(value, 9), round(x, 9)
    (1.0, 2.0)
    """
    if method not in _METHODS:
        raise ValueError(f"FindMinimum: method is 'BFGS' or 'Newton', not {method!r}")
    start = _named_start(start)
    if isinstance(start, dict):
        g, point = _of_formulas(f, start)
        value, place = FindMinimum(g, point, method=method, tolerance=tolerance)
        return value, dict(zip(start, place.tolist(), strict=True))
    x = _start("FindMinimum", start)
    minimize = _scipy("FindMinimum", "optimize").minimize
    shape = x.shape

    def scalar(v: Any) -> Any:
        return f(v[0] if not shape else v.reshape(shape))

    def both(v: Any) -> tuple[Any, Any]:
        value, slope = value_and_grad(scalar)(v)
        return float(value), slope

    options: dict[str, Any] = {"gtol": tolerance}
    second = {"hess": hessian(scalar)} if method == "Newton" else {}
    found = minimize(both, x.ravel(), jac=True, method=_METHODS[method], options=options, **second)
    if not found.success and not _size(found.jac) <= np.sqrt(tolerance):
        raise RuntimeError(
            f"FindMinimum: {found.message} At {found.x} the function is {found.fun} and its "
            f"gradient {found.jac}; start elsewhere, or raise tolerance={tolerance}"
        )
    return float(found.fun), _result(found.x.reshape(shape))


@dataclass(frozen=True)
class InterpolatingFunction:
    """The solution of a differential equation: call it with a time or an array of times.

    `t` are the steps that the solver took, `y` the values there, a column each.
    """

    t: Any
    y: Any
    domain: tuple[float, float]
    _interpolant: Callable[[Any], Any]
    _scalar: bool

    def __call__(self, t: Any) -> Any:
        """The solution at time `t`; for an array of times a column each."""
        low, high = sorted(self.domain)
        if np.any(np.asarray(t) < low) or np.any(np.asarray(t) > high):
            raise ValueError(f"NDSolve: solved from {low} to {high}, asked for {t}")
        found = self._interpolant(t)
        return found[0] if self._scalar else found


def NDSolve(
    f: Callable[[Any, Any], Any],
    start: Any,
    domain: tuple[float, float],
    *,
    method: str = "LSODA",
    tolerance: float = 1e-8,
) -> InterpolatingFunction:
    """The solution of y'(t) = f(t, y) with y(domain[0]) = `start`, by SciPy's `solve_ivp`.

    The implicit methods ("LSODA", "Radau", "BDF") get the exact Jacobian; the explicit ones
    ("RK45", "DOP853", ...) need none. `tolerance` is relative, and absolute where y is below one.

    Raises:
        RuntimeError: the solver did not reach the end.

    >>> from tapegrad.symbolic import NDSolve
    >>> y = NDSolve(lambda t, y: -2.0 * y, 1.0, (0.0, 1.0))
    >>> round(float(y(1.0)), 6)
    0.135335
    """
    y = _start("NDSolve", start)
    solve_ivp = _scipy("NDSolve", "integrate").solve_ivp
    scalar = y.ndim == 0
    if y.ndim > 1:
        raise ValueError(f"NDSolve: start has shape {y.shape}; the unknowns are to be a vector")

    def rates(t: Any, v: Any) -> Any:
        found = f(t, v[0] if scalar else v)
        if scalar or isinstance(found, (list, tuple)):
            items = [found] if scalar else list(found)
            return np.stack([x + 0.0 * v[0] for x in items])
        return found

    def slopes(t: Any, v: Any) -> Any:
        return jacobian(lambda w: rates(t, w))(v)

    if np.shape(domain) != (2,):
        raise ValueError(f"NDSolve: the domain is the pair (t0, t1), not {domain!r}")
    implicit = {"jac": slopes} if method in ("LSODA", "Radau", "BDF") else {}
    size = np.shape(rates(domain[0], np.atleast_1d(y)))
    if size != np.atleast_1d(y).shape:
        raise ValueError(
            f"NDSolve: f gives {size} rates for unknowns of shape {np.atleast_1d(y).shape}"
        )
    found = solve_ivp(
        rates,
        domain,
        np.atleast_1d(y),
        method=method,
        dense_output=True,
        rtol=tolerance,
        atol=tolerance,
        **implicit,
    )
    if not found.success:
        raise RuntimeError(f"NDSolve: {found.message} It came to t = {found.t[-1]}")
    return InterpolatingFunction(
        found.t, found.y, (float(domain[0]), float(domain[1])), found.sol, scalar
    )


def _named_start(start: Any) -> Any:
    """A pair of a symbol and a number, or a list of pairs, as a dict."""
    pairs = [start] if isinstance(start, tuple) else start
    if isinstance(pairs, list) and pairs and all(_is_pair(p) for p in pairs):
        return dict(pairs)
    return start


def _is_pair(x: Any) -> bool:
    return isinstance(x, tuple) and len(x) == 2 and hasattr(x[0], "free_symbols")


def _start(label: str, start: Any) -> Any:
    x = np.asarray(start)
    if x.dtype.kind not in "fiu":
        raise TypeError(f"{label}: start is {start!r}, not a number or an array of numbers")
    return x.astype(float)


def _result(x: Any) -> Any:
    return float(x) if np.ndim(x) == 0 else x


def _size(x: Any) -> float:
    return float(np.max(np.abs(x))) if np.size(x) else 0.0


def _scipy(label: str, module: str) -> Any:
    from importlib import import_module

    try:
        return import_module(f"scipy.{module}")
    except ImportError:
        raise ImportError(
            f"{label} runs on SciPy, which is not installed; pip install tapegrad[scipy]"
        ) from None


def _residual(equation: Any) -> Any:
    """The left side of an equation less the right one."""
    return equation.lhs - equation.rhs if hasattr(equation, "lhs") else equation


def _of_formulas(expr: Any, start: dict[Any, Any]) -> tuple[Callable[[Any], Any], Any]:
    """Formulas as a function of the vector of their unknowns, and the point to start at."""
    from tapegrad.symbolic.functions import from_sympy

    symbols: Sequence[Any] = list(start)
    compute = from_sympy(expr, [tuple(symbols)])
    return compute, np.array([float(x) for x in start.values()])
