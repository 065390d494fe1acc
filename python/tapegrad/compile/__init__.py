"""`tg.compile`: functions that are recorded, and replayed as programs where that means the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

if TYPE_CHECKING:
    from tapegrad.compile.compiled import Compiled

P = ParamSpec("P")
R = TypeVar("R")


@overload
def compile(f: Callable[P, R], *, passes: Mapping[str, bool] | None = None) -> Compiled[P, R]: ...
@overload
def compile(
    f: None = None, *, passes: Mapping[str, bool] | None = None
) -> Callable[[Callable[P, R]], Compiled[P, R]]: ...
def compile(
    f: Callable[..., Any] | None = None, *, passes: Mapping[str, bool] | None = None
) -> Any:
    """A function that does what `f` does, recorded once and then replayed without Python.

    The first two calls with arguments of given shapes and dtypes run `f` and record it (the second
    and third, where derivatives take long to record); from then on a program runs, as long as the
    recorded path is the right one. Branches, captured arrays and captured settings may change: the
    result is always the one that `f` gives, in memory of its own. What can't be replayed runs as
    plain Python, with a warning that says why. Arrays and floats are inputs of the program;
    integers, flags and texts are fixed, each with a program of its own. Once it was recorded at two
    lengths of an axis, programs for other lengths need no recording, unless plain code reads a
    length.

    Works as a decorator, with and without options, and together with every transform:
    `tg.compile(tg.grad(f))` and `tg.grad(tg.compile(f))` are the same. `passes` switches single
    passes of the optimiser off or on, as in `passes={"fuse": False}`. `.inspect()` of the result
    shows what was recorded.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> @tg.compile
    ... def loss(w):
    ...     return np.sum((w - 1.0) ** 2)
    >>> gradient = tg.grad(loss)
    >>> for _ in range(3):
    ...     print(gradient(np.array([1.0, 2.0])))
    [0. 2.]
    [0. 2.]
    [0. 2.]
    """
    from tapegrad.compile.compiled import Compiled  # most programs that import tapegrad do without

    if f is None:
        return lambda f: Compiled(f, passes)
    return Compiled(f, passes)
