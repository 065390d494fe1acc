"""Shapes: views of the same elements, joining, repeating, moving."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.compat.torch.core import call as calls
from tapegrad.compat.torch.core import dtypes
from tapegrad.compat.torch.core.call import NOTHING, call, is_tensor, meet, new, view
from tapegrad.compat.torch.core.reductions import check_dim
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
            f"shape '{list(wanted)}' is invalid for input of size {input.numel()}, which has "
            f"shape {list(input.shape)}"
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
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension spans across two contiguous subspaces). Use .reshape(...) instead."
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
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
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
    check_dim(dim, input.ndim)
    given = dim if isinstance(dim, (tuple, list)) else (dim,)
    found = tuple(d for d in given if input.ndim and input.shape[d] == 1)
    return view("Squeeze", input, lambda x: np.squeeze(x, found) if found else x[...])


@public()
def unsqueeze(input: Any, dim: int) -> Any:
    """With a new axis of length 1 at `dim`."""
    n = input.ndim + 1
    if not -n <= dim < n:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})"
        )
    return view("Unsqueeze", input, lambda x: np.expand_dims(x, dim))


@public("transpose", "swapaxes", "swapdims")
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """With two axes exchanged."""
    check_dim((dim0, dim1), input.ndim)
    if not input.ndim:
        return view("Transpose", input, lambda x: x[...])
    return view("Transpose", input, lambda x: np.swapaxes(x, dim0, dim1))


@public()
def t(input: Any) -> Any:
    """The transpose of a matrix."""
    if input.ndim > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D; write x.mT"
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
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions i.e. input.dim() = {input.ndim} is not "
            f"equal to len(dims) = {len(order)}".replace("(sparse_coo)", "")
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
            f"expand: a tensor of shape {list(shape)} can't be expanded to {wanted}; lengths must "
            "be equal, or 1 in the tensor"
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


def _joined(name: str, tensors: Any, f: Any) -> Any:
    return call(name, lambda *parts: f(meet(builtins.list(parts))), *tensors, saves=NOTHING)


@public("cat", "concat", "concatenate", method=False)
def cat(tensors: Sequence[Any], dim: int = 0, **given: Any) -> Any:
    """The tensors, one after the other along `dim`."""
    dim = given.get("axis", dim)
    parts = [x for x in tensors if x.ndim != 1 or x.numel() or builtins.all(
        y.ndim == 1 for y in tensors)]  # fmt: skip
    if not parts:
        raise RuntimeError("torch.cat(): expected a non-empty list of Tensors")
    try:
        return _joined("Cat", parts, lambda p: np.concatenate(p, axis=dim))
    except ValueError:
        shapes = ", ".join(str(builtins.list(x.shape)) for x in parts)
        raise RuntimeError(
            f"Sizes of tensors must match except in dimension {dim}: the shapes are {shapes}"
        ) from None


@public(method=False)
def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """The tensors along a new axis."""
    parts = builtins.list(tensors)
    if not parts:
        raise RuntimeError("stack expects a non-empty TensorList")
    for k, x in enumerate(parts):
        if x.shape != parts[0].shape:
            raise RuntimeError(
                "stack expects each tensor to be equal size, but got "
                f"{builtins.list(parts[0].shape)} at entry 0 and {builtins.list(x.shape)} at "
                f"entry {k}"
            )
    return _joined("Stack", parts, lambda p: np.stack(p, axis=dim))


def _at_least(x: Any, n: int) -> Any:
    return x if x.ndim >= n else reshape(x, *((1,) * (n - x.ndim)), *x.shape)


@public("vstack", "row_stack", method=False)
def vstack(tensors: Any) -> Any:
    """Rows under each other."""
    return cat([_at_least(x, 2) for x in tensors], 0)


@public(method=False)
def hstack(tensors: Any) -> Any:
    """Columns beside each other."""
    parts = [_at_least(x, 1) for x in tensors]
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


@public(method=False)
def column_stack(tensors: Any) -> Any:
    """Vectors as columns."""
    return cat([x if x.ndim > 1 else reshape(x, -1, 1) for x in tensors], 1)


@public()
def narrow(input: Any, dim: int, start: int, length: int) -> Any:
    """`length` elements along `dim`, from `start` on."""
    key = [slice(None)] * (dim % input.ndim) + [slice(int(start), int(start) + length)]
    return view("Slice", input, lambda x: x[tuple(key)])


@public()
def select(input: Any, dim: int, index: int) -> Any:
    """The slice at `index` along `dim`."""
    key = (*[slice(None)] * (dim % input.ndim), int(index), ...)
    return view("Select", input, lambda x: x[key])


@public()
def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces of one length along `dim`, the last one maybe shorter, or of the given lengths."""
    n = tensor.shape[dim]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        sizes = [builtins.min(size, n - k) for k in range(0, n, size)] or [0]
    else:
        sizes = builtins.list(split_size_or_sections)
        if builtins.sum(sizes) != n:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size "
                f"at dimension {dim}), but got split_sizes={sizes}"
            )
    ends = np.cumsum([0, *sizes])
    return tuple(narrow(tensor, dim, ends[k], size) for k, size in enumerate(sizes))


@public()
def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most `chunks` pieces of one length."""
    return split(input, -(-input.shape[dim] // chunks) or 1, dim)


@public()
def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces whose lengths differ by one at most, or that end at the given indices."""
    n = input.shape[dim]
    if isinstance(indices_or_sections, int):
        parts = np.array_split(np.arange(n), indices_or_sections)
    else:
        parts = np.split(np.arange(n), builtins.list(indices_or_sections))
    return split(input, [len(p) for p in parts], dim)


@public()
def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices along `dim`."""
    return tuple(select(input, dim, k) for k in range(input.shape[dim]))


@public()
def flip(input: Any, *dims: Any) -> Any:
    """With the order of axes turned round."""
    axes = lengths(dims)
    return call("Flip", lambda x: np.array(np.flip(x, axes)) if type(x) is not Variable else np.flip(x, axes) + 0, input, saves=NOTHING)  # fmt: skip


register("fliplr", lambda input: flip(input, 1))
register("flipud", lambda input: flip(input, 0))


@public()
def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """Elements moved on, those at the end to the front."""
    return call("Roll", lambda x: np.roll(x, shifts, dims), input, saves=NOTHING)


@public()
def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """Turned by 90 degrees, k times."""
    return call("Rot90", lambda x: np.rot90(x, k, dims) + 0, input, saves=NOTHING)


@public()
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal."""
    return view("Diagonal", input, lambda x: np.diagonal(x, offset, dim1, dim2))


@public()
def diag(input: Any, diagonal: int = 0) -> Any:
    """The matrix of a diagonal, or the diagonal of a matrix."""
    return call("Diag", lambda x: +np.diag(x, diagonal), input, saves=NOTHING)


@public()
def diag_embed(input: Any, offset: int = 0) -> Any:
    """Matrices with the last axis as their diagonals."""
    n = input.shape[-1] + builtins.abs(offset)
    mask = np.eye(n, k=offset, dtype=bool)

    def compute(x: Any) -> Any:
        wide = np.repeat(np.expand_dims(x, -1), n, axis=-1)
        side = (0, builtins.abs(offset)) if offset >= 0 else (builtins.abs(offset), 0)
        pads = [(0, 0)] * (np.ndim(x) - 1) + [side, (0, 0)]
        return np.where(mask, np.pad(wide, pads), np.zeros((), x.dtype))

    return call("DiagEmbed", compute, input, saves=NOTHING)


@public(in_place=True)
def tril(input: Any, diagonal: int = 0) -> Any:
    """The lower triangle, zeros above."""
    return call("Tril", lambda x: np.tril(x, diagonal), input, saves=NOTHING)


@public(in_place=True)
def triu(input: Any, diagonal: int = 0) -> Any:
    """The upper triangle, zeros below."""
    return call("Triu", lambda x: np.triu(x, diagonal), input, saves=NOTHING)


@public()
def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """Windows along an axis, as a new last axis."""
    dimension %= input.ndim

    def windows(x: Any) -> Any:
        found = np.lib.stride_tricks.sliding_window_view(x, size, axis=dimension)
        return found[(*[slice(None)] * dimension, slice(None, None, step))]

    return view("Unfold", input, windows)


@public("clone")
def clone(input: Any, *, memory_format: Any = None) -> Any:
    """A copy, through which the gradient flows."""
    return call("Clone", lambda x: x.copy(), input, saves=NOTHING)


register("contiguous", lambda input, **given: input if _lies_in_order(input) else clone(input), function=False)  # fmt: skip
register("is_contiguous", lambda input, **given: _lies_in_order(input), function=False)


def _lies_in_order(t: Any) -> bool:
    content = calls.cell(t)
    return type(content) is Variable or bool(content.flags.c_contiguous)


@public()
def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """Grids of coordinates."""
    parts = tensors[0] if len(tensors) == 1 and not is_tensor(tensors[0]) else tensors
    return call("Meshgrid", lambda *x: tuple(+g for g in np.meshgrid(*x, indexing=indexing)), *parts, saves=NOTHING)  # fmt: skip


@public(method=False)
def cartesian_prod(*tensors: Any) -> Any:
    """All combinations of elements, a row each."""
    grids = meshgrid(*tensors)
    return stack([flatten(g) for g in grids], 1) if len(tensors) > 1 else tensors[0]


@public()
def ravel(input: Any) -> Any:
    """All elements in one axis."""
    return reshape(input, -1)


@public()
def atleast_1d(input: Any) -> Any:
    """With one axis or more."""
    return _at_least(input, 1)


@public()
def atleast_2d(input: Any) -> Any:
    """With two axes or more."""
    return _at_least(input, 2)


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

__all__ = ["lengths", "new"]
