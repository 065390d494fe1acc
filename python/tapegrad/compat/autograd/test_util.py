"""Checks of derivatives against differences, with Autograd's names and tolerances."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from tapegrad.compat.autograd.core import make_jvp, make_vjp
from tapegrad.compat.autograd.vspaces import vspace
from tapegrad.compat.autograd.wrap_util import get_name, unary_to_nary

__all__ = [
    "check_equivalent",
    "check_grads",
    "check_jvp",
    "check_vjp",
    "combo_check",
    "make_numerical_jvp",
    "scalar_close",
]

TOL = 1e-6
RTOL = 1e-6
EPS = 1e-6

Function = Callable[..., Any]


def scalar_close(a: Any, b: Any) -> bool:
    """Whether two numbers are the same to 1e-6, absolutely or relatively."""
    return bool(abs(a - b) < TOL or abs(a - b) / abs(a + b) < RTOL)


def make_numerical_jvp(f: Function, x: Any) -> Function:
    """A function of directions: the central difference of `f` at `x`."""
    xs, ys = vspace(x), vspace(f(x))

    def slope(v: Any) -> Any:
        above = f(xs.add(x, xs.scalar_mul(v, EPS / 2)))
        below = f(xs.add(x, xs.scalar_mul(v, -EPS / 2)))
        return ys.scalar_mul(ys.add(above, ys.scalar_mul(below, -1.0)), 1.0 / EPS)

    return slope


def check_vjp(f: Function, x: Any) -> None:
    """Raises AssertionError unless the pullback of `f` at `x` agrees with differences."""
    pullback, y = make_vjp(f, x)
    xs, ys = vspace(x), vspace(y)
    u, v = xs.randn(), ys.randn()
    found = xs.covector(pullback(ys.covector(v)))
    assert vspace(found) == xs, (
        f"check_vjp({get_name(f)}): a derivative in {vspace(found)}, at a point in {xs}"
    )
    exact = xs.inner_prod(u, found)
    numeric = ys.inner_prod(v, make_numerical_jvp(f, x)(u))
    assert scalar_close(numeric, exact), (
        f"the pullback (VJP) check of {get_name(f)} failed at {x}: the derivative is {exact}, and "
        f"differences say {numeric}"
    )


def check_jvp(f: Function, x: Any) -> None:
    """Raises AssertionError unless the derivative in a direction agrees with differences."""
    v = vspace(x).randn()
    check_equivalent(make_jvp(f, x)(v)[1], make_numerical_jvp(f, x)(v))


def check_equivalent(x: Any, y: Any) -> None:
    """Raises AssertionError unless two values are alike in kind and along a random direction."""
    xs, ys = vspace(x), vspace(y)
    assert xs == ys, f"check_equivalent: {x} is in {xs}, and {y} in {ys}"
    v = xs.randn()
    close = scalar_close(xs.inner_prod(x, v), xs.inner_prod(y, v))
    assert close, f"check_equivalent: {x} and {y} differ"


@unary_to_nary
def check_grads(f: Function, x: Any, modes: Sequence[str] | None = None, order: int = 2) -> None:
    """Raises AssertionError unless derivatives agree with differences, up to `order`.

    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd.test_util import check_grads
    >>> check_grads(np.sin)(0.5)
    """
    chosen = ["fwd", "rev"] if modes is None else list(modes)
    if not set(chosen) <= {"fwd", "rev"}:
        raise ValueError(f"check_grads: modes={modes!r}; the modes are 'fwd' and 'rev'")
    with warnings.catch_warnings():
        # The derivative of a linear function is constant, and rightly so.
        warnings.filterwarnings("ignore", ".* the result does not depend on", UserWarning)
        for mode in chosen:
            check, derivative, space = _of_mode(mode, f, x)
            check(f, x)
            if order > 1:
                check_grads(derivative, (0, 1), chosen, order=order - 1)(x, space.randn())


def _of_mode(mode: str, f: Function, x: Any) -> tuple[Function, Function, Any]:
    """The check of a mode, what it checks as a function of point and direction, and of which."""
    if mode == "fwd":

        def jvp(x: Any, v: Any) -> Any:
            return make_jvp(f, x)(v)[1]

        jvp.__name__ = f"jvp_{get_name(f)}"
        return check_jvp, jvp, vspace(x)

    def vjp(x: Any, v: Any) -> Any:
        return make_vjp(f, x)[0](v)

    vjp.__name__ = f"vjp_{get_name(f)}"
    return check_vjp, vjp, vspace(f(x))


def combo_check(fun: Function, *args: Any, **kwargs: Any) -> Function:
    """A function that checks `fun` for every combination of the arguments that it is given."""

    def check(*positional: Any, **named: Any) -> None:
        choices = [[(key, x) for x in xs] for key, xs in named.items()]
        for chosen in product(*positional):
            for pairs in product(*choices):
                check_grads(fun, *args, **kwargs)(*chosen, **dict(pairs))

    return check
