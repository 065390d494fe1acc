"""How far to move, and the slopes that come of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np

from tapegrad.numerical.extrapolation import extrapolated
from tapegrad.numerical.problem import Problem, Vector

Method: TypeAlias = Literal["central", "forward", "backward", "complex", "richardson"]
METHODS = ("central", "forward", "backward", "complex", "richardson")
_FIRST = 0.12  # the largest step of an extrapolation, as a part of the scale
_TINY = 1e-20  # the step into the complex plane, where nothing is subtracted


def check(transform: str, method: str, step: float | None) -> None:
    """Raises ValueError unless there is such a method, and the step is a length."""
    if method not in METHODS:
        raise ValueError(
            f"numerical.{transform}: there is no method {method!r}; methods are "
            + ", ".join(map(repr, METHODS))
        )
    if step is not None and not (np.isfinite(step) and step > 0):
        raise ValueError(
            f"numerical.{transform}: step={step!r} is no length; give a positive number, or None "
            "for one that suits the method"
        )


def scales(problem: Problem, directions: Vector) -> Vector:
    """The length along each direction in which a function may be expected to change.

    That is the largest number that moves, and 1 at least, in units of the direction.
    """
    moved = np.where(directions != 0, np.abs(problem.x), 0.0)
    sizes = np.max(np.abs(directions), axis=1, initial=0.0)
    reach = np.maximum(np.max(moved, axis=1, initial=0.0), 1.0)
    return np.asarray(reach / np.where(sizes > 0, sizes, 1.0))


def lengths(
    problem: Problem, directions: Vector, method: str, step: float | None, order: int = 1
) -> Vector:
    """The step along each direction.

    Where none is given it balances the error of truncation, which grows with the step, against
    rounding, which grows as it shrinks (Press et al., Numerical Recipes, section 5.7).
    """
    if step is not None:
        return np.full(len(directions), float(step))
    if method == "complex":
        part = _TINY
    elif method == "richardson":
        part = _FIRST
    else:
        part = problem.eps ** (1 / (order + (1 if method in ("forward", "backward") else 2)))
    return part * scales(problem, directions)


def slopes(
    problem: Problem, directions: Vector, method: str, step: float | None
) -> tuple[Vector, Vector]:
    """For each direction the slope of each number of the result, and how far off it may be."""
    h = lengths(problem, directions, method, step)
    if not len(directions):
        empty = np.zeros((0, len(problem.value)))
        return empty, empty
    if method == "complex":
        found = _complex_step(problem, directions, h)
        return found, problem.eps * np.abs(found)
    reach = scales(problem, directions)[:, None]

    def rounding(scale: float, found: Vector) -> Vector:
        # Of the size that the function has nearby, where it may be zero at the point itself: as far
        # as the points of an extrapolation lie, or as it is expected to change.
        nearby = scale * h[:, None] if method == "richardson" else reach
        size = np.abs(problem.value) + nearby * np.abs(found)
        return np.asarray(2 * problem.eps * size / (scale * h[:, None]))

    if method == "richardson":
        return _extrapolated(
            problem, lambda s: _difference(problem, directions, s * h, "central"), rounding
        )
    found = _difference(problem, directions, h, method)
    return found, rounding(1.0, found)


def truncation(
    problem: Problem, directions: Vector, method: str, step: float | None, found: Vector
) -> Vector:
    """What twice the step tells of the error of a difference."""
    if method in ("complex", "richardson"):
        return np.zeros_like(found)
    h = lengths(problem, directions, method, step)
    wider = _difference(problem, directions, 2 * h, method)
    return np.asarray(np.abs(wider - found) / (3.0 if method == "central" else 1.0))


def _extrapolated(
    problem: Problem,
    difference: Callable[[float], Vector],
    rounding: Callable[[float, Vector], Vector],
) -> tuple[Vector, Vector]:
    last: list[Exception] = []

    def defined(scale: float) -> Vector | None:
        try:
            with np.errstate(all="ignore"):
                return difference(scale)
        except (ArithmeticError, ValueError) as error:  # outside of the domain
            last[:] = [error]
            return None

    try:
        return extrapolated(defined, rounding)
    except ArithmeticError:
        if last:
            raise last[0] from None
        raise ValueError(
            f"{problem.label}: the function is not finite beside the point, at any step; give a "
            "first step=, or another method"
        ) from None


def _difference(problem: Problem, directions: Vector, h: Vector, method: str) -> Vector:
    moves = h[:, None] * directions
    above = problem.x + (0.0 if method == "backward" else moves)
    below = problem.x - (0.0 if method == "forward" else moves)
    # The points as rounded, not as meant: their distance is exact.
    norms = np.sum(directions**2, axis=1)
    apart = np.sum((above - below) * directions, axis=1) / np.where(norms > 0, norms, 1.0)
    here = problem.value[None]
    ups = here if method == "backward" else problem.at(above)
    downs = here if method == "forward" else problem.at(below)
    return np.asarray((ups - downs) / np.where(apart != 0, apart, 1.0)[:, None])


def _complex_step(problem: Problem, directions: Vector, h: Vector) -> Vector:
    """Im f(x + ih) / h: exact to rounding where f is analytic (Squire and Trapp 1998)."""
    if problem.has_complex:
        raise TypeError(
            f"{problem.label}: method='complex' is for functions of real numbers with real "
            "results; call it with method='central'"
        )
    found = problem.at(problem.x + 1j * h[:, None] * directions)
    if not np.iscomplexobj(found):
        raise TypeError(
            f"{problem.label}: at complex points the function gives real results, so it is not "
            "analytic as written (np.abs, np.real, np.linalg.norm and comparisons drop imaginary "
            "parts); call it with method='central' or 'richardson'"
        )
    return np.asarray(found.imag / h[:, None])


def seconds(
    problem: Problem, method: str, step: float | None, wider: float = 1.0
) -> tuple[Vector, Vector]:
    """All second derivatives, as an array (outputs, inputs, inputs), and how far off they may be.

    The steps are `wider` times as long as they would be.
    """
    n = len(problem.x)
    units = np.eye(n)
    if method == "complex":
        return _of_complex_slopes(problem, units, step, wider)
    h = wider * lengths(problem, units, method, step, order=2)
    reach = scales(problem, units)

    def rounding(scale: float, found: Vector) -> Vector:
        nearby = scale * h if method == "richardson" else reach
        size = np.abs(problem.value)[:, None, None] + np.outer(nearby, nearby) * np.abs(found)
        return np.asarray(4 * problem.eps * size / np.outer(scale * h, scale * h))

    if method == "richardson":
        return _extrapolated(problem, lambda s: _second(problem, s * h, "central"), rounding)
    found = _second(problem, h, method)
    return found, rounding(1.0, found)


def _second(problem: Problem, h: Vector, method: str) -> Vector:
    n, m = len(problem.x), len(problem.value)
    found = np.zeros((m, n, n), problem.value.dtype)
    if not n:
        return found
    if method != "central":
        h = -h if method == "backward" else h
        single = problem.at(problem.x + np.diag(h))
        for i in range(n):
            rows = problem.x + h[i] * np.eye(n)[i] + np.diag(h)[i:]
            both = problem.at(rows)
            rises = both - single[i] - single[i:] + problem.value
            found[:, i, i:] = (rises / (h[i] * h[i:])[:, None]).T
    else:
        for i in range(n):
            step, others = h[i] * np.eye(n)[i], np.diag(h)[i:]
            corners = [problem.at(problem.x + a * step + b * others) for a, b in _CORNERS]
            rises = corners[0] - corners[1] - corners[2] + corners[3]
            found[:, i, i:] = (rises / (4 * h[i] * h[i:])[:, None]).T
    for i in range(n):
        found[:, i:, i] = found[:, i, i:]
    return found


_CORNERS = ((1, 1), (1, -1), (-1, 1), (-1, -1))


def _of_complex_slopes(
    problem: Problem, units: Vector, step: float | None, wider: float
) -> tuple[Vector, Vector]:
    """Central differences of slopes that the complex plane gives exactly."""
    h = wider * lengths(problem, units, "central", step)
    tiny = lengths(problem, units, "complex", None)
    reach = scales(problem, units)
    n, m = len(problem.x), len(problem.value)
    found, error = np.zeros((m, n, n)), np.zeros((m, n, n))
    for i in range(n):
        rise = []
        for sign in (1.0, -1.0):
            x = problem.x
            problem.x = x + sign * h[i] * units[i]
            try:
                rise.append(_complex_step(problem, units, tiny))
            finally:
                problem.x = x
        rises = (rise[0] - rise[1]) / (2 * h[i])
        found[:, i, :] = rises.T
        size = np.abs(rise[0]) + reach[i] * np.abs(rises)
        error[:, i, :] = (4 * problem.eps * size / h[i]).T
    symmetric = (found + np.swapaxes(found, 1, 2)) / 2
    return symmetric, error + np.abs(found - symmetric)
