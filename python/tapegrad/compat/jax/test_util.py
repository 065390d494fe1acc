"""jax.test_util: derivatives against differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tapegrad import testing
from tapegrad.compat.jax.arrays import plain, shown
from tapegrad.compat.jax.functions.transforms import named
from tapegrad.compat.jax.variables import call

__all__ = ["check_grads"]


def check_grads(
    f: Callable[..., Any],
    args: Any,
    order: int,
    modes: Sequence[str] = ("fwd", "rev"),
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
) -> None:
    """Checks tangent and reverse sweeps of `f` at `args`: `tg.testing.check_grads`.

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> from tapegrad.compat.jax.test_util import check_grads
    >>> check_grads(lambda x: jnp.sin(x) * x, (0.5,), order=2)
    """

    def inside(*given: Any) -> Any:
        return plain(call(f, shown(given), {}))

    testing.check_grads(
        named(inside, f),
        tuple(plain(tuple(args))),
        order=order,
        modes=(modes,) if isinstance(modes, str) else modes,
        rtol=1e-5 if rtol is None else rtol,
        atol=1e-6 if atol is None else atol,
        eps=1e-5 if eps is None else eps,
    )
