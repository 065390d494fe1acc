"""Shapes: views of the same elements, joining, repeating, moving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.compat.torch.core import call as calls
from tapegrad.compat.torch.core import dtypes
from tapegrad.compat.torch.core.call import call, is_tensor, view
from tapegrad.compat.torch.core.functions.reductions import check_dim
from tapegrad.compat.torch.core.graph import NOTHING
from tapegrad.compat.torch.core.registry import public, register


def lengths(given: Sequence[Any]) -> tuple[int, ...]:
    """Lengths given one by one or as one sequence."""
    if (
        len(given) == 1
        and not isinstance(given[0], int)
        and not (is_tensor(given[0]) and given[0].ndim == 0)
    ):
        given = tuple(given[0])
    return tuple(int(n) for n in given)


@public()
def reshape(input: Any, *shape: Any) -> Any:
    """The same elements in another shape; -1 stands for what is left."""
    wanted = lengths(shape)
    try:
        return view("View", input, lambda x: np.reshape(x, wanted), may_copy=True)
    except ValueError:
        raise RuntimeError(
            f"reshape: {input.numel()} elements of shape {list(input.shape)} do not fill shape "
            f"{list(wanted)}"
        ) from None


@public("view", function=False)
def view_as_shape(input: Any, *shape: Any) -> Any:
    """`reshape`; with a dtype, the tensor in that dtype is refused."""
    if len(shape) == 1 and isinstance(shape[0], dtypes.dtype):
        raise NotImplementedError(
            f"view({shape[0]}): memory is not read under another dtype; write x.to({shape[0]})"
        )
    content = input._v
    made = reshape(input, *shape)
    if type(content) is np.ndarray and content.size and not np.may_share_memory(made._v, content):
        raise RuntimeError(
            f"view: shape {list(input.shape)} with the strides {tuple(input.stride())} is not "
            f"shown as {list(made.shape)} without a copy; write x.reshape(...)"
        )
    return made


register("view_as", lambda input, other: view_as_shape(input, *other.shape), function=False)
register("reshape_as", lambda input, other: reshape(input, *other.shape), function=False)


@public()
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The axes from `start_dim` to `end_dim` as one."""
    n = input.ndim
    if n == 0:
        return reshape(input, 1)
    first, last = start_dim % n, end_dim % n
    if first > last:
        raise RuntimeError(
            f"flatten: start_dim={start_dim} is behind end_dim={end_dim}; x.flatten(0, 1) joins "
            "the first two axes"
        )
    shape = input.shape
    joined = int(np.prod(shape[first : last + 1], dtype=int))
    return reshape(input, *shape[:first], joined, *shape[last + 1 :])


@public()
def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """One axis as several."""
    dim %= input.ndim
    return reshape(input, *input.shape[:dim], *sizes, *input.shape[dim + 1 :])


@public(in_place=False)
def squeeze(input: Any, dim: Any = None) -> Any:
    """Without axes of length 1."""
    if dim is None:
        return view("Squeeze", input, np.squeeze)
    check_dim("squeeze", dim, input.ndim)
    given = dim if isinstance(dim, (tuple, list)) else (dim,)
    found = tuple(d for d in given if input.ndim and input.shape[d] == 1)
    return view("Squeeze", input, lambda x: np.squeeze(x, found) if found else x[...])


@public()
def unsqueeze(input: Any, dim: int) -> Any:
    """With a new axis of length 1 at `dim`."""
    n = input.ndim + 1
    if not -n <= dim < n:
        raise IndexError(
            f"unsqueeze: dim={dim} is outside {-n} to {n - 1}, the places in shape "
            f"{list(input.shape)}"
        )
    return view("Unsqueeze", input, lambda x: np.expand_dims(x, dim))


@public("transpose", "swapaxes", "swapdims")
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """With two axes exchanged."""
    check_dim("transpose", (dim0, dim1), input.ndim)
    if not input.ndim:
        return view("Transpose", input, lambda x: x[...])
    return view("Transpose", input, lambda x: np.swapaxes(x, dim0, dim1))


@public()
def t(input: Any) -> Any:
    """The transpose of a matrix."""
    if input.ndim > 2:
        raise RuntimeError(
            f"t(): a tensor of two axes at most is turned over, and this one has {input.ndim}; "
            "write x.mT"
        )
    return view("T", input, lambda x: np.transpose(x))


register("T", property(lambda self: view("T", self, lambda x: np.transpose(x))), function=False)
register("mT", property(lambda self: transpose(self, -2, -1)), function=False)
register("H", property(lambda self: transpose(self, -2, -1)), function=False)
register("adjoint", lambda input: transpose(input, -2, -1))


@public()
def permute(input: Any, *dims: Any) -> Any:
    """With its axes in another order."""
    order = lengths(dims)
    if len(order) != input.ndim:
        raise RuntimeError(
            f"permute: {len(order)} axes are named, {order}, and shape {list(input.shape)} has "
            f"{input.ndim}; each is named once, as in x.permute(1, 0)"
        )
    return view("Permute", input, lambda x: np.transpose(x, order))


@public("movedim", "moveaxis")
def movedim(input: Any, source: Any, destination: Any) -> Any:
    """With axes at other places."""
    return view("Permute", input, lambda x: np.moveaxis(x, source, destination))


@public(function=False)
def expand(input: Any, *sizes: Any) -> Any:
    """Axes of length 1 repeated without a copy; -1 keeps a length."""
    wanted = list(lengths(sizes))
    shape = input.shape
    for k in range(1, len(wanted) + 1):
        if wanted[-k] == -1:
            wanted[-k] = shape[-k]
    try:
        return view("Expand", input, lambda x: np.broadcast_to(x, tuple(wanted)))
    except ValueError:
        raise RuntimeError(
            f"expand: shape {list(shape)} does not stretch to {wanted}; lengths must be equal, "
            "or 1 in the tensor"
        ) from None


register("expand_as", lambda input, other: expand(input, *other.shape), function=False)


@public()
def broadcast_to(input: Any, shape: Any) -> Any:
    """The tensor repeated to `shape`."""
    return expand(input, *shape)


@public(method=False)
def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """All tensors in their common shape."""
    shape = np.broadcast_shapes(*(tuple(x.shape) for x in tensors))
    return tuple(expand(x, *shape) for x in tensors)


@public(function=False)
def repeat(input: Any, *repeats: Any) -> Any:
    """The whole tensor, `repeats` times along each axis."""
    times = lengths(repeats)
    return call("Repeat", lambda x: np.tile(x, times), input, saves=NOTHING)


@public()
def tile(input: Any, *dims: Any) -> Any:
    """The same as `repeat`, where `dims` may be shorter."""
    times = lengths(dims)
    return call("Repeat", lambda x: np.tile(x, times), input, saves=NOTHING)


@public()
def repeat_interleave(input: Any, repeats: Any, dim: Any = None) -> Any:
    """Each element several times in a row."""
    times = repeats.plain() if is_tensor(repeats) else repeats
    return call("Index", lambda x: np.repeat(x, times, axis=dim), input)


@public("clone")
def clone(input: Any, *, memory_format: Any = None) -> Any:
    """A copy, through which the gradient flows."""
    return call("Clone", lambda x: x.copy(), input, saves=NOTHING)


register(
    "contiguous",
    lambda input, **given: input if _lies_in_order(input) else clone(input),
    function=False,
)
register("is_contiguous", lambda input, **given: _lies_in_order(input), function=False)


def _lies_in_order(t: Any) -> bool:
    content = calls.cell(t)
    return type(content) is Variable or bool(content.flags.c_contiguous)


def _shape_in_place(name: str, f: Any) -> None:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        former = object.__new__(type(self))  # the view needs a base that is not itself
        former.__dict__.update(self.__dict__)
        made = f(former, *args, **kwargs)
        self._v, self._link, self._node = made._v, made._link, made._node
        return self

    method.__name__ = name
    method.__doc__ = f"`{name[:-1]}` of the tensor itself."
    register(name, method, function=False)


_shape_in_place("squeeze_", squeeze)
_shape_in_place("unsqueeze_", unsqueeze)
_shape_in_place("transpose_", transpose)
_shape_in_place("t_", t)
