"""What a function returned, as derivatives need it, and the cotangents that belong to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad._core import Variable
from tapegrad.transforms.trace import Trace


def scalar_output(transform: str, name: str, out: Any) -> Any:
    """`out` if it is one number, which is all that a gradient is made from."""
    if type(out) is Variable and out.ndim == 0:
        return out
    if _tree.is_complex(out):
        raise TypeError(
            f"{transform}: {name} returned a complex result, {_tree.describe(out)}, and a gradient "
            "is made from a real number: return np.abs(z)**2, z.real or another real function of "
            f"it; the derivative of a holomorphic function is tg.holomorphic_grad({name}), and "
            f"tg.jvp and tg.vjp take complex results"
        )
    if isinstance(out, Variable):
        if out.ndim == 0 or out.size == 1:
            return out
        shape = tuple(out.shape)
    elif isinstance(out, (int, float, np.number)) and not isinstance(out, bool):
        return out
    elif isinstance(out, np.ndarray) and out.dtype.kind in "fiu":
        if out.size == 1:
            return out
        shape = out.shape
    else:
        hint = "is the return missing?" if out is None else "return one number"
        if isinstance(out, (bool, np.bool_)):
            hint = "a flag has no derivative: " + hint
        raise TypeError(f"{transform}: {name} returned {_tree.describe(out)}; {hint}")
    raise TypeError(
        f"{transform}: {name} returned shape {shape}, and a gradient needs a single number: "
        f"return np.sum(...) of it, or call tg.jacobian({name}) for every derivative, "
        f"tg.elementwise_grad({name}) for the derivative of its sum"
    )


def differentiable_outputs(trace: Trace) -> list[Variable]:
    """The Variables in the result; raises TypeError for a result that is no number at all."""
    if type(trace.out) is Variable:
        return [trace.out]
    found = _tree.leaves(trace.out, "the result")
    if not found:
        raise TypeError(
            f"{trace.label}: the function returned {_tree.describe(trace.out)}; "
            "is the return missing?"
        )
    for path, x in found:
        if not isinstance(x, (Variable, np.ndarray, np.generic, int, float)) or (
            isinstance(x, np.ndarray) and x.dtype.kind not in "fiub"
        ):
            raise TypeError(
                f"{trace.label}: {path} is {_tree.describe(x)}; return numbers and arrays, in "
                "dicts, lists, tuples or dataclasses"
            )
    return [x for _, x in found if isinstance(x, Variable)]


def ones_for(out: Variable) -> Any:
    """The seed that sums all elements of `out`."""
    return np.ones(out.shape, out.dtype) if out.ndim else 1.0


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a Variable, an array or a number."""
    return tuple(x.shape) if isinstance(x, Variable) else np.shape(x)


def check_seeds(label: str, like: list[Any], matched: list[tuple[str, Any]]) -> list[Any]:
    """Each of `matched` as a float or float array, with the shape of its counterpart."""
    return [
        check_seed(f"{label}: {path}", seed, x.shape)
        for (path, seed), x in zip(matched, like, strict=True)
    ]


def check_seed(label: str, seed: Any, shape: tuple[int, ...]) -> Any:
    """`seed` as a float or an array of floats of this shape; raises TypeError or ValueError."""
    if isinstance(seed, int) and not isinstance(seed, bool):
        seed = float(seed)
    if isinstance(seed, np.ndarray) and seed.dtype.kind in "iu":
        seed = seed.astype(float)
    if isinstance(seed, (np.ndarray, np.floating, float, Variable)) and (
        not isinstance(seed, np.ndarray) or seed.dtype.kind == "f"
    ):
        given = tuple(seed.shape) if isinstance(seed, (np.ndarray, Variable)) else ()
        if given == tuple(shape):
            return seed
        raise ValueError(
            f"{label} has shape {given}, and must have the shape {tuple(shape)} of what it belongs "
            "to; np.broadcast_to makes it so"
        )
    raise TypeError(f"{label} is {_tree.describe(seed)}; pass a float or an array of floats")
