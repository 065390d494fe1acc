"""`Function`: an operation with a derivative of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.compat.torch.core import call
from tapegrad.compat.torch.core.graph import INPUTS
from tapegrad.compat.torch.core.modes import MODES, no_grad
from tapegrad.operations.custom import custom_vjp


class Context:
    """`ctx`: what `forward` keeps for `backward`."""

    def __init__(self, needs: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs
        self.saved_tensors: tuple[Any, ...] = ()
        self._constant: set[int] = set()
        self._recorded = False

    def save_for_backward(self, *tensors: Any) -> None:
        """Keeps tensors, which `saved_tensors` gives back."""
        self.saved_tensors = tensors

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Says that outputs have no gradient."""
        self._constant |= set(map(id, outputs))

    def mark_dirty(self, *inputs: Any) -> None:
        """Raises: a function gives new tensors."""
        raise NotImplementedError("ctx.mark_dirty: forward gets copies here; return a new tensor")

    def set_materialize_grads(self, value: bool) -> None:
        """Gradients of outputs that were not used are zeros, and no others are there."""
        if not value:
            raise NotImplementedError(
                "ctx.set_materialize_grads(False): backward gets zeros here, never None; leave it "
                "out"
            )


class Function:
    """The base of operations with `forward(ctx, ...)` and `backward(ctx, *gradients)`.

    >>> import tapegrad.compat.torch as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return 3 * x**2 * g
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    forward: Any
    backward: Any

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """The function of the arguments, with its own derivative."""
        return _apply(cls, args)


def _apply(cls: Any, args: tuple[Any, ...]) -> Any:
    places = [k for k, x in enumerate(args) if call.is_tensor(x)]
    needs = tuple(call.is_tensor(x) and call.recorded(x) and MODES.recording for x in args)
    shape: dict[str, Any] = {}

    def run(values: tuple[Any, ...]) -> tuple[Context, Any]:
        given = list(args)
        for k, v in zip(places, values, strict=True):
            given[k] = call.new(v if type(v) is Variable else np.array(v))
        ctx = Context(needs)
        if "setup_context" in dir(cls):
            out = cls.forward(*given)
            cls.setup_context(ctx, tuple(given), out)
        else:
            out = cls.forward(ctx, *given)
        shape["several"] = isinstance(out, tuple)
        outs = out if isinstance(out, tuple) else (out,)
        shape["constant"] = [id(o) in ctx._constant for o in outs]
        shape["kinds"] = [(tuple(o.shape), o._v.dtype) for o in outs]
        raws = tuple(call.raw(o) for o in outs)
        return ctx, raws if len(raws) > 1 else raws[0]

    def value(*values: Any) -> Any:
        with no_grad():
            return run(values)[1]

    def fwd(*values: Any) -> tuple[Any, Context]:
        if any(type(v) is Variable for v in values):  # for a derivative of the derivative
            ctx, out = run(values)
            ctx._recorded = True
        else:
            with no_grad():
                ctx, out = run(values)
        return out, ctx

    def bwd(ctx: Context, cotangents: Any) -> tuple[Any, ...]:
        parts = cotangents if len(shape["kinds"]) > 1 else (cotangents,)
        recorded = ctx._recorded or any(type(g) is Variable for g in parts)
        given = [call.new(g if type(g) is Variable else np.array(g)) for g in parts]
        if recorded:
            found = cls.backward(ctx, *given)
        else:
            with no_grad():
                found = cls.backward(ctx, *given)
        gradients = found if isinstance(found, tuple) else (found,)
        if len(gradients) < len(args) or any(g is not None for g in gradients[len(args) :]):
            raise RuntimeError(
                f"{cls.__name__}.backward: forward took {len(args)} arguments and backward gave "
                f"{len(gradients)} gradients; there is one for each, None for what has none"
            )
        return tuple(_adjoint(cls, gradients[k], args[k], k) for k in places)

    f = custom_vjp(value)
    f.defvjp(fwd, bwd)
    if not any(needs):
        given = call.call(cls.__name__, value, *[args[k] for k in places], saves=INPUTS)
    else:
        given = call.call(cls.__name__, f, *[args[k] for k in places], saves=INPUTS)
    outs = given if isinstance(given, tuple) else (given,)
    outs = tuple(
        o.detach() if constant else o for o, constant in zip(outs, shape["constant"], strict=True)
    )
    return outs if shape["several"] else outs[0]


def _adjoint(cls: Any, g: Any, x: Any, k: int) -> Any:
    if g is None:
        return np.zeros(tuple(x.shape), x._v.dtype)
    v = call.raw(g)
    if tuple(v.shape) != tuple(x.shape):
        raise RuntimeError(
            f"{cls.__name__}.backward: gradient {k} has shape {list(v.shape)}, and argument {k} "
            f"{list(x.shape)}"
        )
    if type(v) is Variable or v.dtype == x._v.dtype:
        return v
    return v.astype(x._v.dtype)


def once_differentiable(f: Any) -> Any:
    """A `backward` that is not differentiated further."""

    def once(ctx: Any, *gradients: Any) -> Any:
        if any(call.recorded(g) for g in gradients):
            raise RuntimeError(
                "backward: a second derivative is asked of a function whose backward is "
                "@once_differentiable, which keeps it from being recorded"
            )
        return f(ctx, *gradients)

    return once
