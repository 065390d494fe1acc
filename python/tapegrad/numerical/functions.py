"""The transforms of `tapegrad.numerical`, with the signatures of the exact ones."""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad.numerical.extrapolation import extrapolated
from tapegrad.numerical.problem import Problem, Vector
from tapegrad.numerical.steps import Method, check, lengths, seconds, slopes, truncation
from tapegrad.transforms.trace import Argnum, check_callable, one_argnum

Function = Callable[..., Any]


def grad(
    f: Function,
    argnum: Argnum | None = None,
    step: float | None = None,
    *,
    argnums: Argnum | None = None,
    has_aux: bool = False,
    method: Method = "central",
    batch: bool = False,
    with_error: bool = False,
) -> Function:
    """The gradient of `f` in argument `argnum` by differences.

    As `tg.grad`: `f` returns a single number, arguments may be any nesting of containers of floats
    and float arrays, the gradient is built like the argument. Methods:

    - `"central"`: (f(x+h) - f(x-h)) / 2h, two calls for each element, about ten digits;
    - `"forward"`, `"backward"`: (f(x+h) - f(x)) / h, one call for each, about eight digits;
    - `"complex"`: Im f(x+ih) / h, one call for each, exact to rounding, of analytic functions;
    - `"richardson"`: central differences of shrinking steps, extrapolated: some twenty calls for
      each, about thirteen digits, and the best estimate of the error.

    `step` is h, for `"richardson"` the first one; by default it suits the method and the element.
    With `batch=True`, `f` takes many points at once, along a new first axis of what is moved.
    With `with_error=True` the result is the pair of gradient and an estimate of its error.

    Raises:
        TypeError: The result is no single number, or an argument can't be moved.
        ValueError: There is no such method, or the step is no length.

    >>> from tapegrad import numerical
    >>> slope = numerical.grad(lambda x: x**2)(3.0)
    >>> abs(slope - 6.0) < 1e-8
    True
    >>> numerical.grad(lambda x: x**2, method="complex")(3.0)
    6.0
    """

    def checked(problem: Problem) -> None:
        shape = problem.out_shapes[0] if len(problem.out_shapes) == 1 else None
        if shape is None or len(problem.value) != 1:
            what = _tree.describe(problem.out) if shape is None else f"shape {shape}"
            if _tree.is_complex(problem.out) and np.ndim(problem.out) == 0:
                raise TypeError(
                    f"{problem.label}: the function returned {what}, and a gradient is of a real "
                    "number: return a real number of it, as np.real(...) or np.abs(...)"
                )
            raise TypeError(
                f"{problem.label}: the function returned {what}; it must return a single number, "
                "for example np.sum(...) of it, or call numerical.jacobian"
            )

    def made(problem: Problem, numbers: Vector) -> Any:
        return problem.gradient(numbers[:, 0])

    return _of_slopes(
        "grad", f, one_argnum("numerical.grad", argnum, argnums), step, has_aux, method, batch,
        with_error, checked, made,
    )  # fmt: skip


def jacobian(
    f: Function,
    argnum: Argnum | None = None,
    *,
    argnums: Argnum | None = None,
    has_aux: bool = False,
    method: Method = "central",
    step: float | None = None,
    batch: bool = False,
    with_error: bool = False,
) -> Function:
    """All first derivatives of `f` in argument `argnum` by differences, as `tg.jacobian`.

    >>> import numpy as np
    >>> from tapegrad import numerical
    >>> numerical.jacobian(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 5.0])).round(9)
    array([[5., 0., 1.],
           [0., 5., 2.]])
    """
    return _of_slopes(
        "jacobian", f, one_argnum("numerical.jacobian", argnum, argnums), step, has_aux, method,
        batch, with_error, _one_kind, lambda problem, numbers: problem.jacobian(numbers.T),
    )  # fmt: skip


def hessian(
    f: Function,
    argnum: Argnum | None = None,
    *,
    argnums: Argnum | None = None,
    has_aux: bool = False,
    method: Method = "central",
    step: float | None = None,
    batch: bool = False,
    with_error: bool = False,
) -> Function:
    """All second derivatives of `f` in argument `argnum` by differences, as `tg.hessian`.

    With `method="complex"`, differences of exact slopes: the most accurate of analytic functions.

    >>> import numpy as np
    >>> from tapegrad import numerical
    >>> numerical.hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0])).round(4)
    array([[10.,  6.],
           [ 6.,  0.]])
    """
    check_callable("numerical.hessian", f, "numerical.hessian(f)(x)")
    check("hessian", method, step)
    argnum = one_argnum("numerical.hessian", argnum, argnums)

    def second_derivatives(*args: Any, **kwargs: Any) -> Any:
        problem = Problem("hessian", f, args, kwargs, argnum, has_aux, batch)
        if problem.has_complex:
            raise TypeError(
                f"{problem.label}: arguments or results are complex; differentiate the real part "
                "by real and imaginary parts, numerical.hessian(lambda x, y: np.real(f(x + 1j * "
                "y)), (0, 1)), and the same of np.imag"
            )
        found, error = seconds(problem, method, step)
        if with_error and method != "richardson":
            error = error + np.abs(seconds(problem, method, step, 2.0)[0] - found)
        return _result(problem, problem.hessian, found, error, with_error)

    return second_derivatives


def jvp(
    f: Function,
    primals: Any,
    tangents: Any,
    *,
    has_aux: bool = False,
    method: Method = "central",
    step: float | None = None,
    batch: bool = False,
    with_error: bool = False,
) -> Any:
    """The value of `f(*primals)` and its derivative in the direction `tangents`, as `tg.jvp`.

    It costs two calls, however many elements there are. `step` counts in units of the tangent.

    >>> import numpy as np
    >>> from tapegrad import numerical
    >>> value, slope = numerical.jvp(np.sin, (0.0,), (2.0,), method="complex")
    >>> slope
    2.0
    """
    check_callable("numerical.jvp", f, "numerical.jvp(f, (x,), (t,))")
    check("jvp", method, step)
    if not (isinstance(primals, (tuple, list)) and isinstance(tangents, (tuple, list))):
        raise TypeError(
            "numerical.jvp: primals and tangents are tuples of arguments; call "
            "numerical.jvp(f, (x,), (t,))"
        )
    problem = Problem("jvp", f, tuple(primals), {}, tuple(range(len(primals))), has_aux, batch)
    matched = _tree.match(tuple(primals), tuple(tangents), "tangents", "primals", problem.label)
    for (path, t), shape in zip(matched, problem.shapes, strict=True):
        if np.shape(t) != shape:
            raise ValueError(
                f"{problem.label}: {path} has shape {np.shape(t)}, and must have the shape {shape} "
                "of what it belongs to"
            )
    flat = [np.asarray(t, np.float64).ravel() for _, t in matched]
    direction = np.concatenate(flat)[None] if flat else np.zeros((1, 0))
    found, error = _slopes(problem, direction, method, step, with_error)
    pair: tuple[Any, ...] = problem.out, problem.like_result(found[0])
    if with_error:
        pair = (*pair, problem.like_result(error[0]))
    return (*pair, problem.aux) if has_aux else pair


def directional(
    f: Function,
    x: Any,
    v: Any,
    *,
    method: Method = "central",
    step: float | None = None,
    with_error: bool = False,
) -> Any:
    """The slope of `f` at `x` along `v`: per unit of length, so only the direction of `v` counts.

    >>> import numpy as np
    >>> from tapegrad import numerical
    >>> round(numerical.directional(lambda x: x[0] * x[1], np.array([1.0, 2.0]), [3.0, 4.0]), 9)
    2.0
    """
    check_callable("numerical.directional", f, "numerical.directional(f, x, v)")
    v = np.asarray(v, float) if isinstance(x, np.ndarray) and not _tree.is_array(v) else v
    numbers = [np.asarray(t, float).ravel() for _, t in _tree.leaves(v)]
    length = float(np.linalg.norm(np.concatenate(numbers))) if numbers else 0.0
    if not np.isfinite(length) or length == 0.0:
        raise ValueError(
            f"numerical.directional: v has the length {length}, and no direction; give another, or "
            "call numerical.jvp, which takes any tangent"
        )
    unit = _tree.fill(v, iter([np.asarray(t) / length for _, t in _tree.leaves(v)]))
    found = jvp(f, (x,), (unit,), method=method, step=step, with_error=with_error)
    return found[1:] if with_error else found[1]


def derivative(
    f: Function,
    argnum: int = 0,
    *,
    order: int = 1,
    method: Method = "central",
    step: float | None = None,
    with_error: bool = False,
) -> Function:
    """The derivative of `f`, a function of one number, or of an array element by element.

    All elements move at once, so it costs as many calls for an array as for a number. `order`
    counts how often it is differentiated; higher orders take `"central"` or `"richardson"`.

    >>> import numpy as np
    >>> from tapegrad import numerical
    >>> numerical.derivative(np.sin, method="richardson")(np.array([0.0, 1.0])).round(12)
    array([1.        , 0.54030231])
    >>> round(numerical.derivative(np.exp, order=4, method="richardson")(0.0), 8)
    1.0
    """
    check_callable("numerical.derivative", f, "numerical.derivative(f)(x)")
    check("derivative", method, step)
    if order < 1 or order != int(order):
        raise ValueError(f"numerical.derivative: order={order!r}; give an integer from 1 on")
    if order > 1 and method not in ("central", "richardson"):
        raise ValueError(
            f"numerical.derivative: order={order} takes method='central' or 'richardson', not "
            f"{method!r}"
        )

    def at(*args: Any, **kwargs: Any) -> Any:
        problem = Problem("derivative", f, args, kwargs, argnum)
        x = problem.chosen[0]
        if not _tree.is_leaf(x) or problem.out_shapes != [np.shape(x)]:
            raise TypeError(
                f"{problem.label}: of an argument of shape {np.shape(x)} the function returned "
                f"{_tree.describe(problem.out)}; a derivative is of a function of one number, or "
                "of an array element by element: call numerical.jacobian for any other"
            )
        found, error = _elementwise(problem, order, method, step)
        if with_error and method not in ("complex", "richardson"):
            wider = _elementwise(problem, order, method, step, 2.0)[0]
            error = error + np.abs(wider - found) / (3.0 if method == "central" else 1.0)
        made = (problem.arguments(numbers)[0] for numbers in (found, error))
        return tuple(made) if with_error else next(made)

    return at


def _elementwise(
    problem: Problem, order: int, method: str, step: float | None, wider: float = 1.0
) -> tuple[Vector, Vector]:
    """Derivatives of each element by itself, and how far off they may be."""
    each = lengths(problem, np.eye(len(problem.x)), method, step, order) * wider
    reach = np.maximum(np.abs(problem.x), 1.0)
    if method == "complex":
        moved = problem.at((problem.x + 1j * each)[None])[0]
        if not np.iscomplexobj(moved):
            slopes(problem, np.ones((1, len(problem.x))), method, step)  # raises, and says why
        found = moved.imag / each
        return found, problem.eps * np.abs(found)

    def difference(scale: float) -> Vector:
        h = scale * each
        if method in ("forward", "backward"):
            h = h if method == "forward" else -h
            return np.asarray((problem.at((problem.x + h)[None])[0] - problem.value) / h)
        # The central difference of this order: binomial weights, half steps where it is odd.
        total = np.zeros_like(problem.value)
        for k in range(order + 1):
            place = (order / 2 - k) * (2.0 if order % 2 else 1.0)
            weight = (-1) ** k * comb(order, k)
            total = total + weight * problem.at((problem.x + place * h)[None])[0]
        return np.asarray(total / (h * (2.0 if order % 2 else 1.0)) ** order)

    def rounding(scale: float, found: Vector) -> Vector:
        nearby = scale * each if method == "richardson" else reach
        size = np.abs(problem.value) + nearby**order * np.abs(found)
        return np.asarray(2.0**order * problem.eps * size / (scale * each) ** order)

    if method != "richardson":
        found = difference(1.0)
        return found, rounding(1.0, found)
    with np.errstate(all="ignore"):
        return extrapolated(difference, rounding)


def _one_kind(problem: Problem) -> None:
    if problem.is_complex and _tree.has_complex(problem.out):
        raise TypeError(
            f"{problem.label}: arguments and results are complex; differentiate by real and "
            "imaginary parts, numerical.jacobian(lambda x, y: f(x + 1j * y), (0, 1))"
        )


def _of_slopes(
    transform: str,
    f: Function,
    argnum: Argnum,
    step: float | None,
    has_aux: bool,
    method: Method,
    batch: bool,
    with_error: bool,
    checked: Callable[[Problem], None],
    made: Callable[[Problem, Vector], Any],
) -> Function:
    """A transform that is made of the slope in each number of the arguments."""
    check_callable(f"numerical.{transform}", f, f"numerical.{transform}(f)(x)")
    check(transform, method, step)

    def derivatives(*args: Any, **kwargs: Any) -> Any:
        problem = Problem(transform, f, args, kwargs, argnum, has_aux, batch)
        checked(problem)
        found, error = _slopes(problem, np.eye(len(problem.x)), method, step, with_error)
        return _result(problem, lambda x: made(problem, x), found, error, with_error)

    return derivatives


def _slopes(
    problem: Problem, directions: Vector, method: str, step: float | None, with_error: bool
) -> tuple[Vector, Vector]:
    found, error = slopes(problem, directions, method, step)
    if with_error:
        error = error + truncation(problem, directions, method, step, found)
    return found, error


def _result(
    problem: Problem, made: Callable[[Vector], Any], found: Vector, error: Vector, with_error: bool
) -> Any:
    result = (made(found), made(np.abs(error))) if with_error else made(found)
    return (result, problem.aux) if problem.has_aux else result
