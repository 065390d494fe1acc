"""scipy.integrate on Variables; the arguments of odeint's function may be any nesting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapegrad.compat.autograd.misc.flatten import flatten
from tapegrad.compat.autograd.scipy.forwarding import forwarding

_look_up, __dir__ = forwarding("integrate")


def __getattr__(name: str) -> Any:
    return _look_up(name)


def odeint(func: Callable[..., Any], y0: Any, t: Any, args: Any = (), **options: Any) -> Any:
    """scipy.integrate.odeint, whose `args` may hold lists, tuples and dicts of arrays."""
    solve = _look_up("odeint")
    given = args if isinstance(args, tuple) else (args,)
    if not any(isinstance(x, (list, tuple, dict)) for x in given):
        return solve(func, y0, t, args=args, **options)
    flat, unflatten = flatten(given)
    return solve(lambda y, t, x: func(y, t, *unflatten(x)), y0, t, args=(flat,), **options)
