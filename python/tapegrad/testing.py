"""Checking derivatives, for those who write functions or rules of their own.

Every check compares sweeps with central differences of plain values and with each other.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad.transforms.gradients import vjp
from tapegrad.transforms.jacobians import jvp
from tapegrad.transforms.trace import check_callable, check_leaf, conjugated, name_of, value

__all__ = ["check_grads"]

Vector = np.ndarray[Any, np.dtype[np.float64]]


def check_grads(
    f: Callable[..., Any],
    args: Any,
    order: int = 2,
    modes: Sequence[str] = ("fwd", "rev"),
    rtol: float = 1e-5,
    atol: float = 1e-6,
    eps: float = 1e-5,
    rng: np.random.Generator | None = None,
) -> None:
    """Checks the derivatives of `f` at `args`.

    In random directions: the tangent sweep and the reverse sweep against central differences of
    step `eps`, one against the other (<v, J u> = <J^T v, u>, to rounding), and for `order` 2 the
    derivatives of those sweeps in every chosen mode (all four pairs). Arguments and results may
    be any nesting of containers of floats and float arrays; `f` must be smooth at `args`. What is
    no tuple or list is the one argument.

    Raises:
        AssertionError: Two ways disagree; the message names both, the leaf and the figures.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> tg.testing.check_grads(lambda x, y: np.sin(x) * y, (np.array([0.5, 1.0]), 2.0))
    """
    check_callable("check_grads", f, "tg.testing.check_grads(f, (x,))")
    rng = np.random.default_rng(0) if rng is None else rng
    unknown = [mode for mode in modes if mode not in ("fwd", "rev")]
    if unknown or not modes or not isinstance(order, int) or order < 1:
        raise ValueError(
            f"check_grads: modes={tuple(modes)!r}, order={order!r}; modes are 'fwd' and 'rev', "
            "orders start at 1"
        )
    with warnings.catch_warnings():
        # The derivative of a linear function is constant, and rightly so.
        warnings.filterwarnings("ignore", ".* the result does not depend on", UserWarning)
        given = tuple(args) if isinstance(args, (tuple, list)) else (args,)
        _check(f, given, order, tuple(modes), rtol, atol, eps, rng, name_of(f))


def _check(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    order: int,
    modes: tuple[str, ...],
    rtol: float,
    atol: float,
    eps: float,
    rng: np.random.Generator,
    name: str,
) -> None:
    args = _floats(name, args)
    result = value(f(*args))
    u = _random_like(args, rng)
    v = _random_like(_floats(name, (result,), "the result"), rng)[0]
    differences = _differences(f, args, u, eps)
    rounding = 1e-5 if _single(args) else 1e-12

    if "fwd" in modes:
        out, tangent = jvp(f, args, u)
        _agree(f"the value of {name} in a tangent sweep", out, result, rounding, rounding)
        _agree(f"the jvp of {name}, against differences", tangent, differences, rtol, atol)
    if "rev" in modes:
        out, pullback = vjp(f, *args)
        _agree(f"the value of {name} in a reverse sweep", out, result, rounding, rounding)
        cotangent = pullback(v)
        _agree(
            f"the vjp of {name}, against differences (inner products)",
            _inner(cotangent, u), _inner(v, differences), rtol, atol,
        )  # fmt: skip
    if "fwd" in modes and "rev" in modes:
        scale = _norm(v) * _norm(tangent) + _norm(cotangent) * _norm(u)
        scale += 1e-3 * _norm(v) * _norm(u)  # what is left where everything cancels
        tolerance = 1e-4 if _single(args) else 1e-10
        _agree(
            f"<v, J u> and <J^T v, u> of {name}",
            _inner(v, tangent), _inner(cotangent, u), 0.0, tolerance * scale,
        )  # fmt: skip
    if order > 1:
        rest = order - 1, modes, rtol, atol, eps, rng
        if "fwd" in modes:
            _check(lambda *x: jvp(f, x, u)[1], args, *rest, f"jvp({name})")
        if "rev" in modes:
            _check(lambda *x: vjp(f, *x)[1](v), args, *rest, f"vjp({name})")


def _floats(name: str, tree: Any, root: str = "argument ") -> Any:
    """`tree` with checked floats and float arrays as leaves."""
    found = _tree.leaves(tree, root)
    checked = [check_leaf(f"check_grads({name})", x, path) for path, x in found]
    return _tree.fill(tree, iter(checked))


def _random_like(tree: Any, rng: np.random.Generator) -> Any:
    def like(x: Any) -> Any:
        if isinstance(x, float):
            return float(rng.standard_normal())
        return rng.standard_normal(np.shape(x)).astype(x.dtype)[()]

    return _tree.fill(tree, iter([like(x) for _, x in _tree.leaves(tree)]))


def _differences(f: Callable[..., Any], args: Any, u: Any, eps: float) -> Any:
    """(f(args + h u) - f(args - h u)) / 2h, in float64."""

    def moved(step: float) -> Any:
        pairs = zip(_tree.leaves(args), _tree.leaves(u), strict=True)
        points = [np.asarray(x + step * np.asarray(d, np.float64)) for (_, x), (_, d) in pairs]
        return value(f(*_tree.fill(args, iter([x if x.ndim else float(x) for x in points]))))

    above, below = moved(eps), moved(-eps)
    pairs = zip(_tree.leaves(above), _tree.leaves(below), strict=True)
    slopes = [(np.asarray(a) - np.asarray(b)) / (2 * eps) for (_, a), (_, b) in pairs]
    return _tree.fill(above, iter(slopes))


def _vectors(tree: Any) -> list[Vector]:
    return [np.asarray(x, np.float64).ravel() for _, x in _tree.leaves(tree)]


def _inner(a: Any, b: Any) -> float:
    """A cotangent on a tangent: of complex ones, the real part of the product."""
    a = _tree.map_complex(conjugated, a)
    return float(sum(x @ y for x, y in zip(_vectors(a), _vectors(b), strict=True)))


def _norm(a: Any) -> float:
    return float(np.sqrt(sum(x @ x for x in _vectors(a))))


def _single(tree: Any) -> bool:
    return any(getattr(x, "dtype", None) == np.float32 for _, x in _tree.leaves(tree))


def _agree(what: str, found: Any, expected: Any, rtol: float, atol: float) -> None:
    pairs = zip(_tree.leaves(found, "result"), _tree.leaves(expected), strict=True)
    for (path, x), (_, y) in pairs:
        if np.shape(x) != np.shape(y):
            raise AssertionError(f"{what}: {path} has shape {np.shape(x)}, expected {np.shape(y)}")
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        wrong = ~np.isclose(x, y, rtol=rtol, atol=atol, equal_nan=True)
        if wrong.any():
            index = tuple(int(i) for i in np.argwhere(wrong)[0])
            where = path + (f"[{', '.join(map(str, index))}]" if index else "")
            raise AssertionError(
                f"{what}: {where} is {x[index]!r}, expected {y[index]!r} (relative tolerance "
                f"{rtol:g}, absolute {atol:g}; {int(wrong.sum())} of {wrong.size} elements differ)"
            )
