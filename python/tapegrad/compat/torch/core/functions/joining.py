"""Joining, taking apart, repeating and moving of elements."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.compat.torch.core.call import call, is_tensor, view
from tapegrad.compat.torch.core.functions.shapes import flatten, lengths, reshape
from tapegrad.compat.torch.core.graph import NOTHING
from tapegrad.compat.torch.core.operands import meet
from tapegrad.compat.torch.core.registry import public, register


def _joined(name: str, tensors: Any, f: Any) -> Any:
    return call(name, lambda *parts: f(meet(builtins.list(parts))), *tensors, saves=NOTHING)


@public("cat", "concat", "concatenate", method=False)
def cat(tensors: Sequence[Any], dim: int = 0, **given: Any) -> Any:
    """The tensors, one after the other along `dim`."""
    dim = given.get("axis", dim)
    parts = [x for x in tensors if x.ndim != 1 or x.numel() or builtins.all(
        y.ndim == 1 for y in tensors)]  # fmt: skip
    if not parts:
        raise RuntimeError("cat: no tensors are given, as in torch.cat([a, b])")
    try:
        return _joined("Cat", parts, lambda p: np.concatenate(p, axis=dim))
    except ValueError:
        shapes = ", ".join(str(builtins.list(x.shape)) for x in parts)
        raise RuntimeError(
            f"cat: the lengths differ in another dimension than {dim}, along which tensors are "
            f"joined: the shapes are {shapes}"
        ) from None


@public(method=False)
def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """The tensors along a new axis."""
    parts = builtins.list(tensors)
    if not parts:
        raise RuntimeError("stack: no tensors are given, as in torch.stack([a, b])")
    for k, x in enumerate(parts):
        if x.shape != parts[0].shape:
            raise RuntimeError(
                "stack: tensors of one shape are stacked, and tensor 0 has "
                f"{builtins.list(parts[0].shape)}, tensor {k} {builtins.list(x.shape)}; "
                "torch.cat joins along an axis that is there"
            )
    return _joined("Stack", parts, lambda p: np.stack(p, axis=dim))


def at_least(x: Any, n: int) -> Any:
    """With n axes or more, new ones in front."""
    return x if x.ndim >= n else reshape(x, *((1,) * (n - x.ndim)), *x.shape)


@public("vstack", "row_stack", method=False)
def vstack(tensors: Any) -> Any:
    """Rows under each other."""
    return cat([at_least(x, 2) for x in tensors], 0)


@public(method=False)
def hstack(tensors: Any) -> Any:
    """Columns beside each other."""
    parts = [at_least(x, 1) for x in tensors]
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
                f"split: the parts {sizes} have {builtins.sum(sizes)} elements together, and "
                f"dimension {dim} has {n}"
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
    return call(
        "Flip",
        lambda x: np.array(np.flip(x, axes)) if type(x) is not Variable else np.flip(x, axes) + 0,
        input,
        saves=NOTHING,
    )


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


@public()
def meshgrid(*tensors: Any, indexing: Any = "ij") -> Any:
    """Grids of coordinates."""
    parts = tensors[0] if len(tensors) == 1 and not is_tensor(tensors[0]) else tensors
    return call(
        "Meshgrid",
        lambda *x: tuple(+g for g in np.meshgrid(*x, indexing=indexing)),
        *parts,
        saves=NOTHING,
    )


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
    return at_least(input, 1)


@public()
def atleast_2d(input: Any) -> Any:
    """With two axes or more."""
    return at_least(input, 2)
