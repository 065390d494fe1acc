"""checkpoint: a function of which a derivative keeps the arguments only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from tapegrad import _core, _tree
from tapegrad._core import Variable
from tapegrad.compile.call import Arguments
from tapegrad.transforms.bodies import body_of, record_operation
from tapegrad.transforms.trace import check_callable, name_of, pack
from tapegrad.transforms.transformed import Transformed

F = TypeVar("F", bound=Callable[..., Any])


def checkpoint(f: F) -> F:
    """`f`, whose intermediate results are not kept for its derivative.

    Values and derivatives are those of `f`. A reverse sweep computes the inside of `f` again when
    it gets there: memory for time. What `f` reads besides its arguments (Variables, arrays) counts
    as an argument. Works as a decorator, and inside `tg.compile`.

    Raises:
        RuntimeError: `f` writes to its arguments, or does what can't be done again (`backward()`).

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> layer = tg.checkpoint(lambda x, w: np.tanh(w @ x))
    >>> w = np.array([[0.5, -1.0], [1.0, 0.5]])
    >>> tg.grad(lambda x: np.sum(layer(layer(x, w), w)))(np.array([0.0, 0.0]))
    array([ 0.25, -1.75])
    """
    check_callable("checkpoint", f, "tg.checkpoint(f)(x)")
    label = f"checkpoint({name_of(f)})"

    def again(*args: Any, **kwargs: Any) -> Any:
        if not _core.recording() or _core.watching():
            return f(*args, **kwargs)
        structure = pack((args, kwargs))
        leaves = [x for _, x in _tree.leaves(structure)]
        places = [k for k, x in enumerate(leaves) if isinstance(x, Variable)]
        arguments = Arguments(structure, leaves, places)
        done = record_operation(label, f, arguments, _is_variable, as_they_lie=True)
        if done.shares:  # an argument, or a view of one: writes to either must show in both
            return f(*args, **kwargs)
        body = body_of(f, done.recording)
        inputs = arguments.input_leaves()
        return done.result(_core.call(body, done.recording, inputs, done.values))

    return cast(F, Transformed(checkpoint, f, {}, again))


def _is_variable(_: str, x: Any) -> bool:
    return isinstance(x, Variable)
