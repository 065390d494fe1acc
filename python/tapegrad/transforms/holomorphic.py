"""The derivative of a holomorphic function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapegrad import _tree
from tapegrad.transforms.gradients import elementwise_grad
from tapegrad.transforms.trace import (
    Argnum,
    check_callable,
    name_of,
    one_argnum,
    positions,
    through_compile,
)
from tapegrad.transforms.transformed import Transformed


def holomorphic_grad(
    f: Callable[..., Any], argnum: Argnum | None = None, *, argnums: Argnum | None = None
) -> Callable[..., Any]:
    """The complex derivative df/dz of a holomorphic `f`, at complex arguments.

    For an array, that of the sum of all outputs, so that it is elementwise for a function that
    works on each element by itself. That `f` is holomorphic is taken on trust: of any other
    function it is the gradient of the real part, d(Re f)/dx - i d(Re f)/dy.

    Raises:
        TypeError: An argument is not complex, or the result is real.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> tg.holomorphic_grad(lambda z: z**3)(1 + 1j)
    6j
    >>> tg.holomorphic_grad(np.exp)(np.array([0j, 1j * np.pi / 2])).round(12)
    array([1.+0.j, 0.+1.j])
    """
    check_callable("holomorphic_grad", f, "tg.holomorphic_grad(f)(z)")
    argnum = one_argnum("holomorphic_grad", argnum, argnums)
    settings = {"argnum": argnum}
    compiled = through_compile(f, holomorphic_grad, settings)
    if compiled is not None:
        return compiled  # type: ignore[no-any-return]  # has the same signature
    label = f"holomorphic_grad({name_of(f)})"

    def checked(*args: Any, **kwargs: Any) -> Any:
        found = f(*args, **kwargs)
        if not _tree.has_complex(found):
            raise TypeError(
                f"{label}: the result is {_tree.describe(found)}, which is not complex; for a real "
                "function call tg.grad"
            )
        return found

    derivative = elementwise_grad(checked, argnum)

    def derivatives(*args: Any, **kwargs: Any) -> Any:
        for i in positions(label, argnum, args)[0]:
            if not _tree.has_complex(args[i]):
                raise TypeError(
                    f"{label}: argument {i} is {_tree.describe(args[i])}, which is not complex; "
                    "pass complex(x) or x.astype(complex), or call tg.grad for a real function"
                )
        return derivative(*args, **kwargs)

    return Transformed(holomorphic_grad, f, settings, derivatives)
