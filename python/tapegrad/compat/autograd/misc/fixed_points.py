"""Fixed points of iterations, differentiated by the equation that they solve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapegrad.compat.autograd.core import make_vjp
from tapegrad.compat.autograd.primitives import defvjp, primitive
from tapegrad.compat.autograd.vspaces import vspace

__all__ = ["fixed_point"]

Step = Callable[[Any], Any]


@primitive
def fixed_point(
    f: Callable[[Any], Step], a: Any, x0: Any, distance: Callable[[Any, Any], Any], tol: float
) -> Any:
    """The x with x = f(a)(x), iterated from `x0` until two steps are within `tol`.

    It is differentiated with respect to `a`. With x = F(a, x), dx = F_a da + F_x dx: the cotangent
    of F_a da is the w with w = g + F_x^T w, itself the fixed point of an iteration (Christianson,
    Reverse accumulation and attractive fixed points, 1994).

    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.misc.fixed_points import fixed_point
    >>> newton = lambda a: lambda x: 0.5 * (x + a / x)
    >>> root = lambda a: fixed_point(newton, a, 1.0, lambda x, y: abs(x - y), 1e-12)
    >>> round(root(4.0), 6), round(grad(root)(4.0), 6)
    (2.0, np.float64(0.25))
    """
    step = f(a)
    x, before = step(x0), x0
    while distance(x, before) > tol:
        x, before = step(x), x
    return x


def _adjoint_step(params: tuple[Any, Callable[[Any], Step], Any, Any]) -> Step:
    """W -> g + F_x^T w."""
    a, f, x, g = params
    pull_x, _ = make_vjp(f(a), x)
    return lambda w: vspace(g).add(g, pull_x(w))


def _fixed_point_vjp(
    x: Any, f: Any, a: Any, x0: Any, distance: Any, tol: float
) -> Callable[[Any], Any]:
    def pull(g: Any) -> Any:
        adjoint = lambda params: _adjoint_step((params[0], f, *params[1:]))  # noqa: E731 - a value
        w = fixed_point(adjoint, (a, x, g), vspace(g).zeros(), distance, tol)
        pull_a, _ = make_vjp(lambda a: f(a)(x), a)
        return pull_a(w)

    return pull


defvjp(fixed_point, _fixed_point_vjp, argnums=[1])
