"""Shapes, joining, picking, casting, and tensors that are filled."""

from __future__ import annotations

from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad.compat.tensorflow.dispatch import Mode, apply, op
from tapegrad.compat.tensorflow.dtypes import numpy_dtype
from tapegrad.graph import casts
from tapegrad.graph.nodes import Node

# Their stubs know fewer arguments than they take.
_arange: Any = np.arange
_pad: Any = np.pad
_grid: Any = np.meshgrid


def _lengths(shape: Any) -> Any:
    """A shape as NumPy takes it, of plain numbers."""
    if isinstance(shape, int | np.integer):
        return (int(shape),)
    if isinstance(shape, np.ndarray) and shape.ndim == 0:
        return (int(shape),)
    return tuple([int(n) for n in shape])


def _plain(shape: Any) -> Any:
    """A shape among the arguments of a node, without what only a graph has."""
    from tapegrad.compat.tensorflow.lengths import TensorShape

    if isinstance(shape, TensorShape):
        return shape.as_list()
    if isinstance(shape, list | tuple):
        return [getattr(n, "value", n) if not isinstance(n, Node) else n for n in shape]
    return shape


@op("Identity")
def identity(input: Any) -> Any:
    """The tensor, after the control dependencies that are open."""
    return input


@op("StopGradient", cuts=True)
def stop_gradient(input: Any) -> Any:
    """The tensor, as a constant to derivatives."""
    return tg.stop_gradient(input)


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """The tensor with another dtype; towards integers it is cut off."""
    kind = numpy_dtype(dtype)
    return apply(casts.cast, (x, kind.name), label="Cast", name=name, cuts=kind.kind != "f")


def to_float(x: Any, name: str = "ToFloat") -> Any:
    """The tensor as float32."""
    return cast(x, "float32", name)


def to_double(x: Any, name: str = "ToDouble") -> Any:
    """The tensor as float64."""
    return cast(x, "float64", name)


def to_int32(x: Any, name: str = "ToInt32") -> Any:
    """The tensor as int32."""
    return cast(x, "int32", name)


def to_int64(x: Any, name: str = "ToInt64") -> Any:
    """The tensor as int64."""
    return cast(x, "int64", name)


@op("Shape", cuts=True)
def shape(input: Any, out_type: Any = None) -> Any:
    """The lengths of the axes, when the graph is run."""
    return np.array(np.shape(input), np.int32 if out_type is None else np.dtype(out_type))


@op("Size", cuts=True)
def size(input: Any) -> Any:
    """The number of elements."""
    return np.int32(np.size(input))


@op("Rank", cuts=True)
def rank(input: Any) -> Any:
    """The number of axes."""
    return np.int32(np.ndim(input))


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Any:
    """The same elements in another shape; one length may be -1."""
    return apply(_reshape, (tensor, _plain(shape)), label="Reshape", name=name)


def _reshape(x: Any, shape: Any) -> Any:
    return np.reshape(x, _lengths(shape))


@op("Transpose")
def transpose(a: Any, perm: Any = None) -> Any:
    """The axes in another order, by default the reverse."""
    return np.transpose(a, None if perm is None else _lengths(perm))


matrix_transpose = op("MatrixTranspose")(lambda a: np.swapaxes(a, -1, -2))


@op("ExpandDims")
def expand_dims(input: Any, axis: Any = None, dim: Any = None) -> Any:
    """One more axis, of length 1."""
    return np.expand_dims(input, int(dim if axis is None else axis))


@op("Squeeze")
def squeeze(input: Any, axis: Any = None, squeeze_dims: Any = None) -> Any:
    """Without axes of length 1."""
    over = squeeze_dims if axis is None else axis
    return np.squeeze(input, axis=None if over is None else _lengths(over))


def concat(values: Any, axis: Any, name: str = "concat") -> Any:
    """Tensors one after the other along an axis."""
    if isinstance(values, int):
        raise TypeError("concat: values come first, then the axis: tf.concat([a, b], 0)")
    return apply(_concat, (list(values), axis), label="ConcatV2", name=name, tensors=0)


def _concat(values: Any, axis: Any) -> Any:
    return np.concatenate([np.asarray(v) if isinstance(v, list) else v for v in values], int(axis))


def stack(values: Any, axis: int = 0, name: str = "stack") -> Any:
    """Tensors along a new axis."""
    return apply(_stack, (list(values), axis), label="Pack", name=name, tensors=0)


def _stack(values: Any, axis: int) -> Any:
    return np.stack(values, axis=axis)


pack = stack


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str = "unstack") -> list[Any]:
    """A list of the elements along an axis."""
    if num is None:
        known = hasattr(value, "get_shape")
        lengths = value.get_shape().as_list() if known else list(np.shape(value))
        num = lengths[axis]
        if num is None:
            raise ValueError(
                f"unstack: axis {axis} of shape {value.get_shape()} is open, and a list has a "
                "length; tf.unstack(x, num=...) says it"
            )
    return [apply(_taken, (value, k, axis), label="Unpack", name=name) for k in range(num)]


unpack = unstack


def _taken(x: Any, k: int, axis: int) -> Any:
    where: list[Any] = [slice(None)] * np.ndim(x)
    where[axis] = k
    return x[tuple(where)]


def split(
    value: Any, num_or_size_splits: Any, axis: int = 0, num: Any = None, name: str = "split"
) -> list[Any]:
    """Parts along an axis: so many, or of these lengths."""
    if isinstance(num_or_size_splits, int):
        n = num_or_size_splits
        return [apply(_part, (value, k, n, axis), label="Split", name=name) for k in range(n)]
    ends = np.cumsum(num_or_size_splits).tolist()
    pairs = zip([0, *ends[:-1]], ends, strict=True)
    return [apply(_between, (value, a, b, axis), label="SplitV", name=name) for a, b in pairs]


def _part(x: Any, k: int, n: int, axis: int) -> Any:
    length, rest = divmod(np.shape(x)[axis], n)
    if rest:
        raise ValueError(f"split: axis {axis} of shape {np.shape(x)} has no {n} equal parts")
    return _between(x, k * length, (k + 1) * length, axis)


def _between(x: Any, a: int, b: int, axis: int) -> Any:
    where: list[Any] = [slice(None)] * np.ndim(x)
    where[axis] = slice(a, b)
    return x[tuple(where)]


def slice_(input_: Any, begin: Any, size: Any, name: str | None = None) -> Any:
    """A block: from `begin`, with lengths `size` (-1: all that is left)."""
    return apply(_slice, (input_, begin, size), label="Slice", name=name)


def _slice(x: Any, begin: Any, size: Any) -> Any:
    pairs = zip(_lengths(begin), _lengths(size), strict=True)
    return x[tuple([slice(b, None if n == -1 else b + n) for b, n in pairs])]


@op("Tile")
def tile(input: Any, multiples: Any) -> Any:
    """Copies beside one another along each axis."""
    return np.tile(input, _lengths(multiples))


@op("Pad")
def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Any:
    """Elements around: (before, after) for each axis."""
    pairs = [tuple(_lengths(p)) for p in paddings]
    if mode.upper() == "CONSTANT":
        return np.pad(tensor, pairs, constant_values=constant_values)
    return _pad(tensor, pairs, mode=mode.lower())


@op("Reverse")
def reverse(tensor: Any, axis: Any) -> Any:
    """In the other direction along axes."""
    return np.flip(tensor, _lengths(axis))


@op("BroadcastTo")
def broadcast_to(input: Any, shape: Any) -> Any:
    """In a larger shape."""
    return np.broadcast_to(input, _lengths(shape))


@op("GatherV2", tensors=2)
def gather(params: Any, indices: Any, validate_indices: Any = None, axis: int = 0) -> Any:
    """The elements at these positions along an axis."""
    return np.take(params, indices, axis=axis)


@op("GatherNd", tensors=2)
def gather_nd(params: Any, indices: Any) -> Any:
    """The elements at these positions, each a row of `indices`."""
    return params[tuple(np.moveaxis(indices, -1, 0))]


@op("BooleanMask", tensors=2)
def boolean_mask(tensor: Any, mask: Any) -> Any:
    """The elements where the mask is true."""
    return tensor[mask]


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """Elements of `x` where the condition is true, of `y` elsewhere; alone, the positions."""
    if x is None and y is None:
        return apply(_positions, (condition,), label="Where", name=name, cuts=True)
    return apply(_where, (condition, x, y), label="Select", name=name, tensors=3)


def _positions(condition: Any) -> Any:
    return np.argwhere(condition)


def _where(condition: Any, x: Any, y: Any) -> Any:
    if np.ndim(condition) == 1 and np.ndim(x) > 1:  # picks rows
        condition = np.reshape(condition, (-1,) + (1,) * (np.ndim(x) - 1))
    return np.where(condition, x, y)


def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = 1.0,
    off_value: Any = 0.0,
    axis: int = -1,
    dtype: Any = None,
    name: str | None = None,
) -> Any:
    """A vector for each index, with `on_value` at its place."""
    kind = "float64" if dtype is None else numpy_dtype(dtype).name
    args = (indices, depth, on_value, off_value, axis, kind)
    return apply(_one_hot, args, label="OneHot", name=name, cuts=True)


def _one_hot(indices: Any, depth: Any, on: Any, off: Any, axis: int, dtype: str) -> Any:
    places = np.arange(int(depth))
    at = np.expand_dims(indices, axis)
    shape = [1] * np.ndim(at)
    shape[axis] = -1
    return np.where(at == places.reshape(shape), on, off).astype(dtype)


def sequence_mask(lengths: Any, maxlen: int, dtype: Any = bool, name: str | None = None) -> Any:
    """For each length a row that is true so far."""
    args = (lengths, int(maxlen), numpy_dtype(dtype).name)
    return apply(_sequence_mask, args, label="SequenceMask", name=name, cuts=True)


def _sequence_mask(lengths: Any, maxlen: int, dtype: str) -> Any:
    return (np.arange(maxlen) < np.expand_dims(lengths, -1)).astype(dtype)


@op("TopKV2")
def _top_k(input: Any, k: int) -> Any:
    order = np.argsort(-input, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(input, order, axis=-1), order


# Filled tensors.


def _filled(value: float, label: str) -> Any:
    def fill(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
        kind = "float64" if dtype is None else numpy_dtype(dtype).name
        if Mode.eager:
            return Mode.wrap(_full(Mode.unwrap(shape), value, kind))
        return apply(_full, (_plain(shape), value, kind), label=label, name=name, tensors=0)

    fill.__doc__ = f"A tensor of {label.lower()}; float64 where no dtype is said."
    return fill


def _full(shape: Any, value: Any, dtype: str) -> Any:
    return np.full(_lengths(shape), value, dtype)[()]


zeros, ones = _filled(0, "Zeros"), _filled(1, "Ones")


def fill(dims: Any, value: Any, name: str | None = None) -> Any:
    """A tensor with this value everywhere."""
    return apply(_fill, (_plain(dims), value), label="Fill", name=name, tensors=0)


def _fill(dims: Any, value: Any) -> Any:
    return value * np.ones(_lengths(dims), casts.dtype_of(value))


def zeros_like(tensor: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Zeros in the shape of a tensor."""
    return apply(_like, (tensor, 0, _name(dtype)), label="ZerosLike", name=name, cuts=True)


def ones_like(tensor: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Ones in the shape of a tensor."""
    return apply(_like, (tensor, 1, _name(dtype)), label="OnesLike", name=name, cuts=True)


def _name(dtype: Any) -> str | None:
    return None if dtype is None else numpy_dtype(dtype).name


def _like(x: Any, value: int, dtype: str | None) -> Any:
    kind = dtype or casts.dtype_of(x)
    return np.full(np.shape(x), value, kind)[()]


def eye(num_rows: int, num_columns: int | None = None, dtype: Any = None, name: Any = None) -> Any:
    """The identity matrix."""
    args = (num_rows, num_columns, "float64" if dtype is None else numpy_dtype(dtype).name)
    return apply(_eye, args, label="Eye", name=name, tensors=0)


def _eye(n: Any, m: Any, dtype: str) -> Any:
    return np.eye(int(n), None if m is None else int(m), dtype=dtype)


def range_(
    start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: Any = None
) -> Any:
    """Numbers from `start` to before `limit`; with one argument, from 0."""
    first, last = (0, start) if limit is None else (start, limit)
    args = (first, last, delta, _name(dtype))
    return apply(_range, args, label="Range", name=name, tensors=0, cuts=True)


def _range(first: Any, last: Any, delta: Any, dtype: str | None) -> Any:
    found: Any = _arange(first, last, delta, dtype)
    return found.astype(np.int32) if dtype is None and found.dtype == np.int64 else found


def linspace(start: Any, stop: Any, num: Any, name: str | None = None) -> Any:
    """So many numbers from `start` to `stop`, at equal distances."""
    return apply(_linspace, (start, stop, num), label="LinSpace", name=name, tensors=0)


def _linspace(start: Any, stop: Any, num: Any) -> Any:
    return np.linspace(start, stop, int(num))


lin_space = linspace


@op("Meshgrid", tensors=9, cuts=True)
def _meshgrid(*args: Any, indexing: str = "xy") -> Any:
    return tuple(_grid(*args, indexing=indexing))
