"""Reading and writing by index: brackets, gather, scatter, masks, and functions of positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.compat.torch.core.call import call, cell, is_tensor, new, operand, raw, source, view
from tapegrad.compat.torch.core.graph import CHOICE, Node
from tapegrad.compat.torch.core.operands import cast, table
from tapegrad.compat.torch.core.registry import public, register
from tapegrad.compat.torch.core.writes import check_writable, put


def _number(k: Any) -> Any:
    if not is_tensor(k) or k.ndim or k._v.dtype.kind not in "iu" or type(k._v) is Variable:
        return k
    return int(k)


def _plain_key(k: Any) -> tuple[Any, bool]:
    """A part of an index as NumPy takes it, and whether it picks elements (and so copies)."""
    k = _number(k)
    if is_tensor(k):
        a = raw(k)
        if a.dtype.kind == "f":
            raise IndexError(
                f"index: a tensor of {k.dtype} is no index, one of integers or bool is; write "
                "x.long()"
            )
        return (a.astype(bool) if a.dtype == np.uint8 else a), True
    if isinstance(k, slice):
        if any(is_tensor(p) for p in (k.start, k.stop, k.step)):
            k = slice(*(None if p is None else int(p) for p in (k.start, k.stop, k.step)))
        if k.step is not None and k.step < 0:
            raise ValueError(
                f"index: a slice of tensors goes forward, and this one has step {k.step}; write "
                "x.flip(dim)"
            )
        return k, False
    if isinstance(k, (list, range)):
        return np.asarray([int(i) if is_tensor(i) else i for i in k] or np.empty(0, int)), True
    if isinstance(k, np.ndarray):
        return k, True
    if isinstance(k, (bool, np.bool_)):
        return bool(k), True
    if k is None or k is Ellipsis or isinstance(k, (int, np.integer)):
        return k, False
    raise IndexError(f"an index is an integer, a slice, None, ..., a list or a tensor, not {k!r}")


def key_of(index: Any) -> tuple[tuple[Any, ...], bool]:
    """NumPy's key, and whether reading it copies."""
    given = index if isinstance(index, tuple) else (index,)
    parts = [_plain_key(k) for k in given]
    return tuple(k for k, _ in parts), any(picks for _, picks in parts)


def _complain(t: Any, key: tuple[Any, ...]) -> None:
    axis = 0
    for k in key:
        if k is Ellipsis or isinstance(k, (np.ndarray, bool)):
            return
        if k is None:
            continue
        if axis >= t.ndim:
            raise IndexError(
                f"index: a tensor of shape {list(t.shape)} has {t.ndim} dimensions, and the "
                "indices are for more"
            )
        n = t.shape[axis]
        if isinstance(k, (int, np.integer)) and not -n <= k < n:
            raise IndexError(
                f"index: {k} is outside dimension {axis}, whose length is {n}, in shape "
                f"{list(t.shape)}"
            )
        axis += 1


@public("__getitem__", function=False)
def getitem(input: Any, index: Any) -> Any:
    """`input[index]`: a view, or a copy of picked elements."""
    key, picks = key_of(index)
    try:
        if picks:
            return call("Index", lambda x: table(x, *key)[key], input, saves=CHOICE)
        if not any(k is Ellipsis for k in key):
            key = (*key, ...)
        return view("Slice", input, lambda x: x[key])
    except IndexError:
        _complain(input, key)
        raise


@public("__setitem__", function=False)
def setitem(input: Any, index: Any, value: Any) -> None:
    """`input[index] = value`."""
    check_writable(input, "assignment")
    key, _ = key_of(index)
    given = operand(value)
    node = None
    if type(given) is Variable:
        inputs = [source(value)] if is_tensor(value) else []
        if type(cell(input)) is Variable and not input._cut:
            inputs.append(source(input))
        node = Node("CopySlices", tuple(inputs))
    content = cell(input)
    if hasattr(given, "dtype") and given.dtype != content.dtype:
        given = cast(given, content.dtype)
    try:
        put(input, key if len(key) != 1 else key[0], given, "CopySlices", node)
    except IndexError:
        _complain(input, key)
        raise
    except ValueError as error:
        shown = list(np.shape(given))
        raise RuntimeError(
            f"index: a value of shape {shown} does not fit what is chosen from a tensor of shape "
            f"{list(input.shape)}"
        ) from error


@public(in_place=True)
def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """With `value` where the mask holds."""

    def compute(x: Any, m: Any, *v: Any) -> Any:
        filler = cast(v[0], x.dtype) if v else np.asarray(value, x.dtype)
        return np.where(m, filler, x)

    more = [value] if is_tensor(value) else []
    return call("MaskedFill", compute, input, mask, *more, saves=CHOICE)


@public()
def masked_select(input: Any, mask: Any) -> Any:
    """The elements where the mask holds, in one axis."""
    m = mask.plain()
    return call(
        "MaskedSelect",
        lambda x: np.broadcast_to(x, np.broadcast_shapes(x.shape, m.shape))[
            np.broadcast_to(m, np.broadcast_shapes(x.shape, m.shape))
        ],
        input,
        saves=CHOICE,
    )


@public(in_place=True)
def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """With the elements of `source`, one after the other, where the mask holds."""
    m = np.broadcast_to(mask.plain(), input.shape)
    places = np.where(m, np.cumsum(m.ravel()).reshape(m.shape) - 1, 0)
    return call(
        "MaskedScatter",
        lambda x, s: np.where(m, np.reshape(s, (-1,))[places], x),
        input,
        source,
        saves=CHOICE,
    )


def _long(index: Any, what: str) -> Any:
    a = raw(index) if is_tensor(index) else np.asarray(index)
    if a.dtype.kind not in "iu":
        raise RuntimeError(
            f"{what}(): index has to be of integers, and is {a.dtype}; write index.long()"
        )
    return a


@public()
def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices at the given positions along `dim`."""
    a = _long(index, "index_select")
    return call("IndexSelect", lambda x: np.take(table(x, a), a, axis=dim), input, saves=CHOICE)


@public()
def take(input: Any, index: Any) -> Any:
    """Elements by their position in the flattened tensor."""
    a = _long(index, "take")
    return call("Take", lambda x: np.reshape(x, (-1,))[a], input, saves=CHOICE)


def places_of(index: Any, dim: int, shape: Any) -> tuple[Any, ...]:
    """Index arrays that address `x[..., index, ...]`; the index may be shorter elsewhere."""
    grids = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grids[dim] = index
    return tuple(grids)


def checked(name: str, index: Any, shape: Any, dim: int) -> Any:
    """Indices along an axis, none of which lies outside."""
    a = _long(index, name)
    n = shape[dim]
    if a.size and not (a.min() >= 0 and a.max() < n):
        bad = a.max() if a.max() >= n else a.min()
        raise RuntimeError(
            f"index: {bad} is outside dimension {dim}, whose length is {n}: 0 to {n - 1} are inside"
        )
    return a


@public()
def gather(input: Any, dim: int, index: Any) -> Any:
    """For each position of `index`, the element at that index along `dim`."""
    if not input.ndim:
        return reshaped(gather(input.reshape(1), 0, index.reshape(-1)), index.shape)
    dim %= input.ndim
    a = checked("gather", index, input.shape, dim)
    return call("Gather", lambda x: table(x, a)[places_of(a, dim, x.shape)], input, saves=CHOICE)


def reshaped(t: Any, shape: Any) -> Any:
    """`t.reshape(shape)`."""
    return t.reshape(*shape) if len(shape) else t.reshape(())


@public("take_along_dim")
def take_along_dim(input: Any, indices: Any, dim: int) -> Any:
    """NumPy's take_along_axis."""
    a = _long(indices, "take_along_dim")
    return call("Gather", lambda x: np.take_along_axis(table(x, a), a, dim), input, saves=CHOICE)


@public()
def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """The indices of what is not zero, a row each or an array for each axis."""
    found = np.nonzero(np.atleast_1d(input.plain()))
    if as_tuple:
        return tuple(new(k) for k in found)
    return new(np.stack(found, 1) if input.ndim else np.zeros((len(found[0]), 0), np.int64))


register("argwhere", nonzero)


@public(in_place=False)
def unique(
    input: Any,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: Any = None,
) -> Any:
    """Each value once, in order; with its places and counts where they are asked for."""
    values, inverse, counts = np.unique(
        input.plain(), return_inverse=True, return_counts=True, axis=dim
    )
    parts = [values, *([inverse] if return_inverse else []), *([counts] if return_counts else [])]
    return tuple(map(new, parts)) if len(parts) > 1 else new(values)


@public()
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each integer occurs."""
    w = weights.plain() if weights is not None else None
    return new(np.bincount(input.plain(), w, minlength))


@public()
def searchsorted(sorted_sequence: Any, values: Any, *, right: bool = False) -> Any:
    """Where values would be put in."""
    side: Any = "right" if right else "left"
    at = values.plain() if is_tensor(values) else values
    return new(np.asarray(np.searchsorted(sorted_sequence.plain(), at, side), np.int64))


@public()
def bucketize(input: Any, boundaries: Any, *, right: bool = False) -> Any:
    """Which interval each element lies in."""
    return searchsorted(boundaries, input, right=right)


@public()
def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """Counts in intervals of one length."""
    a = input.plain()
    span = (min, max) if min != max else (a.min(), a.max())
    return new(np.histogram(a, bins, span)[0].astype(a.dtype))


@public()
def isin(elements: Any, test_elements: Any) -> Any:
    """Whether each element is among others."""
    others = test_elements.plain() if is_tensor(test_elements) else test_elements
    return new(np.isin(elements.plain(), others))


@public()
def isclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether elements differ by little."""
    return new(np.isclose(input.plain(), other.plain(), rtol, atol, equal_nan))


@public()
def allclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether all elements differ by little."""
    return bool(np.allclose(input.plain(), other.plain(), rtol, atol, equal_nan))


@public()
def equal(input: Any, other: Any) -> bool:
    """Whether shapes and elements are the same."""
    return np.array_equal(input.plain(), other.plain())


@public("one_hot", function=False, method=False)
def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """A one at each class, zeros elsewhere."""
    a = _long(tensor, "one_hot")
    n = int(a.max()) + 1 if num_classes < 0 else num_classes
    if a.size and (a.max() >= n or a.min() < 0):
        raise RuntimeError(
            f"one_hot: classes go from 0 to num_classes - 1, which is {n - 1}, and the tensor "
            f"has {a.min()} to {a.max()}"
        )
    return new((a[..., None] == np.arange(n)).astype(np.int64))
