"""Shapes, joining, picking and filling of `theano.tensor`, and writes into parts."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tapegrad.compat.theano.tensor.elementwise import _listed
from tapegrad.compat.theano.variables import TensorVariable, apply, config
from tapegrad.graph.casts import dtype_of
from tapegrad.graph.nodes import Node
from tapegrad.graph.operations import Call


def _lengths(shape: Any) -> tuple[int, ...]:
    if np.ndim(shape) == 0:
        return (int(shape),)
    return tuple([int(n) for n in shape])


def _shape(x: Any) -> Any:
    return np.array(np.shape(x), np.int64)


def shape(x: Any) -> Any:
    """The lengths of the axes, as a vector of integers."""
    return apply(_shape, x, cuts=True, label="Shape")


def shape_padleft(x: Any, n_ones: int = 1) -> Any:
    """More axes of length 1 at the left."""
    return apply(_padded, x, n_ones, True)


def shape_padright(x: Any, n_ones: int = 1) -> Any:
    """More axes of length 1 at the right."""
    return apply(_padded, x, n_ones, False)


def _padded(x: Any, n: int, left: bool) -> Any:
    ones = (1,) * n
    return np.reshape(x, (*ones, *np.shape(x)) if left else (*np.shape(x), *ones))


def shape_padaxis(x: Any, axis: int) -> Any:
    """One more axis of length 1."""
    return apply(np.expand_dims, x, axis)


def reshape(x: Any, newshape: Any, ndim: int | None = None) -> Any:
    """The same elements in another shape; one length may be -1."""
    return apply(_reshape, x, _list(newshape), label="Reshape")


def _list(x: Any) -> Any:
    return list(x) if isinstance(x, tuple) else x


def _reshape(x: Any, lengths: Any) -> Any:
    return np.reshape(x, _lengths(lengths))


def flatten(x: Any, ndim: int = 1, outdim: int | None = None) -> Any:
    """The last axes in one, so that `ndim` remain."""
    return apply(_flatten, x, outdim or ndim, label="Flatten")


def _flatten(x: Any, ndim: int) -> Any:
    return np.reshape(x, (*np.shape(x)[: ndim - 1], -1))


def transpose(x: Any, axes: Any = None) -> Any:
    """The axes in another order, by default the reverse."""
    return apply(np.transpose, x, axes)


def dimshuffle(x: Any, *pattern: Any) -> Any:
    """The axes in this order; 'x' is a new one of length 1, and one that is left out has that."""
    order = pattern[0] if len(pattern) == 1 and isinstance(pattern[0], list | tuple) else pattern
    return apply(_dimshuffle, x, tuple(order), label="DimShuffle")


def _dimshuffle(x: Any, pattern: tuple[Any, ...]) -> Any:
    kept = [p for p in pattern if p != "x"]
    dropped = [k for k in range(np.ndim(x)) if k not in kept]
    for k in dropped:
        if np.shape(x)[k] != 1:
            raise ValueError(
                f"dimshuffle{pattern}: axis {k} of shape {np.shape(x)} is left out and not of "
                "length 1"
            )
    found = np.transpose(x, [*kept, *dropped])
    lengths = iter(np.shape(found))
    return np.reshape(found, tuple([1 if p == "x" else next(lengths) for p in pattern]))


def addbroadcast(x: Any, *axes: int) -> Any:
    """The expression itself: whatever is of length 1 is broadcast."""
    return x


patternbroadcast = unbroadcast = addbroadcast


def concatenate(tensor_list: Any, axis: int = 0) -> Any:
    """Expressions one after the other along an axis."""
    return apply(_concatenate, [_listed(x) for x in tensor_list], axis, label="Join")


def _concatenate(items: Any, axis: int) -> Any:
    return np.concatenate(items, axis)


def join(axis: int, *tensors: Any) -> Any:
    """The same, with the axis first."""
    return concatenate(tensors, axis)


def stack(*tensors: Any, axis: int = 0) -> Any:
    """Expressions along a new axis."""
    items = tensors[0] if isinstance(tensors[0], list | tuple) else tensors
    if len(tensors) == 2 and isinstance(tensors[1], int) and isinstance(tensors[0], list | tuple):
        axis = tensors[1]
    return apply(_stack, list(items), axis, label="Stack")


stacklists = stack


def _stack(items: Any, axis: int) -> Any:
    return np.stack(items, axis)


def horizontal_stack(*args: Any) -> Any:
    """Matrices beside one another."""
    return concatenate(args, 1)


def vertical_stack(*args: Any) -> Any:
    """Matrices above one another."""
    return concatenate(args, 0)


def tile(x: Any, reps: Any, ndim: int | None = None) -> Any:
    """Copies beside one another along each axis."""
    return apply(_tile, x, _list(reps))


def _tile(x: Any, reps: Any) -> Any:
    return np.tile(x, _lengths(reps))


def repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    """Each element so many times."""
    return apply(np.repeat, x, repeats, axis)


def take(a: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Any:
    """The elements at these positions."""
    return apply(_taken, a, indices, axis, mode)


def _taken(a: Any, indices: Any, axis: Any, mode: Any) -> Any:
    return np.take(a, indices, axis, mode=mode)


def diag(v: Any, k: int = 0) -> Any:
    """The diagonal of a matrix, or the matrix of a diagonal."""
    return apply(np.diag, v, k)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal."""
    return apply(np.diagonal, a, offset, axis1, axis2)


def tril(m: Any, k: int = 0) -> Any:
    """The lower triangle."""
    return apply(np.tril, m, k)


def triu(m: Any, k: int = 0) -> Any:
    """The upper triangle."""
    return apply(np.triu, m, k)


def sort(x: Any, axis: int = -1, **_: Any) -> Any:
    """In ascending order."""
    return apply(np.sort, x, axis)


def argsort(x: Any, axis: int = -1, **_: Any) -> Any:
    """The positions in ascending order of the elements."""
    return apply(np.argsort, x, axis, cuts=True)


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sums of products over axes of both."""
    return apply(np.tensordot, a, b, axes)


def batched_dot(a: Any, b: Any) -> Any:
    """np.dot of the parts of both, one for each position of the first axis."""
    return apply(_batched_dot, a, b)


def _batched_dot(a: Any, b: Any) -> Any:
    m, n = np.ndim(a), np.ndim(b)
    if not m or not n:
        raise TypeError(
            f"batched_dot: both need an axis that counts the batch, and the shapes are "
            f"{np.shape(a)} and {np.shape(b)}"
        )
    if m == 1 or n == 1:
        longer = (1,) * abs(m - n)
        a, b = (np.reshape(x, (*np.shape(x), *(longer if np.ndim(x) == 1 else ()))) for x in (a, b))
        return a * b
    left = "zabcdefgh"[: m - 1]
    right = "zijlmnopq"[: max(n - 2, 1)]
    last = "r" if n > 2 else ""
    return np.einsum(f"{left}k,{right}k{last}->{left}{right[1:]}{last}", a, b)


def nonzero(a: Any, return_matrix: bool = False) -> Any:
    """Where the elements are not zero: a vector of positions for each axis."""
    found = apply(np.nonzero, a, cuts=True)
    if return_matrix:
        return stack([found[k] for k in range(a.ndim)])
    return tuple(found[k] for k in range(a.ndim))


# Filled expressions.


def _kind(dtype: Any) -> str:
    return config.floatX if dtype is None else str(np.dtype(dtype))


def zeros(shape: Any, dtype: Any = None) -> Any:
    """Zeros."""
    return apply(_full, _list(shape), 0, _kind(dtype), label="zeros")


def ones(shape: Any, dtype: Any = None) -> Any:
    """Ones."""
    return apply(_full, _list(shape), 1, _kind(dtype), label="ones")


def alloc(value: Any, *shape: Any) -> Any:
    """The value, broadcast to a shape."""
    return apply(_alloc, value, list(shape))


def _alloc(value: Any, shape: Any) -> Any:
    return value + np.zeros(_lengths(shape), dtype_of(value))


def _full(shape: Any, value: Any, dtype: str) -> Any:
    lengths = () if isinstance(shape, list) and not shape else _lengths(shape)
    return np.full(lengths, value, dtype)[()]


def zeros_like(x: Any, dtype: Any = None, opt: bool = False) -> Any:
    """Zeros in the shape of `x`."""
    return apply(_like, x, 0, dtype, cuts=True, label="zeros_like")


def ones_like(x: Any, dtype: Any = None, opt: bool = False) -> Any:
    """Ones in the shape of `x`."""
    return apply(_like, x, 1, dtype, cuts=True, label="ones_like")


def fill(a: Any, b: Any) -> Any:
    """`b` in the shape of `a`."""
    return apply(_filled, a, b)


def _filled(a: Any, b: Any) -> Any:
    return b + np.zeros(np.shape(a), dtype_of(b))


def _like(x: Any, value: int, dtype: Any) -> Any:
    kind = dtype or dtype_of(x)
    return np.full(np.shape(x), value, kind)[()]


def eye(n: Any, m: Any = None, k: int = 0, dtype: Any = None) -> Any:
    """The identity matrix."""
    return apply(_eye, n, m, k, _kind(dtype))


identity_like = eye


def _eye(n: Any, m: Any, k: int, dtype: str) -> Any:
    return np.eye(int(n), None if m is None else int(m), k, dtype)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    """Numbers from `start` to before `stop`; with one argument, from 0."""
    first, last = (0, start) if stop is None else (start, stop)
    return apply(_arange, first, last, step, dtype, cuts=True, label="ARange")


def _arange(first: Any, last: Any, step: Any, dtype: Any) -> Any:
    make: Any = np.arange  # its stub knows fewer arguments than it takes
    return make(first, last, step, dtype)


# Writes into parts: x with a part that is other.


def set_subtensor(x: Any, y: Any, inplace: bool = False, **_: Any) -> Any:
    """`x` is `a[i]`; gives `a` with `y` in that place."""
    return _with_part(x, y, False, "set_subtensor")


def inc_subtensor(x: Any, y: Any, inplace: bool = False, **_: Any) -> Any:
    """`x` is `a[i]`; gives `a` with `y` added in that place."""
    return _with_part(x, y, True, "inc_subtensor")


def _with_part(x: Any, y: Any, adds: bool, name: str) -> Any:
    operation = x.operation if isinstance(x, Node) else None
    if not isinstance(operation, Call) or operation.function is not operator.getitem:
        raise TypeError(f"{name}: the first argument must be a part, as in T.{name}(a[i], y)")
    whole, where = operation.args
    return apply(_added if adds else _set, whole, where, _listed(y), label=name)


def _set(x: Any, where: Any, y: Any) -> Any:
    found = np.copy(x)
    found[where] = y
    return found


def _added(x: Any, where: Any, y: Any) -> Any:
    found = np.copy(x)
    np.add.at(found, where, y)
    return found


def _methods() -> None:
    names = {
        "reshape": _reshaped, "flatten": flatten, "transpose": _transposed, "repeat": repeat,
        "dimshuffle": dimshuffle, "take": take, "diagonal": diagonal, "sort": sort,
        "argsort": argsort, "zeros_like": zeros_like, "ones_like": ones_like, "ravel": flatten,
        "copy": _copy, "nonzero": nonzero, "fill": fill, "swapaxes": _swapaxes,
        "squeeze": _squeeze,
    }  # fmt: skip
    for name, function in names.items():
        setattr(TensorVariable, name, function)
    for name, function in (("T", transpose), ("shape", shape), ("size", _size)):
        setattr(TensorVariable, name, property(function))


def _reshaped(x: Any, *newshape: Any, ndim: int | None = None) -> Any:
    whole = len(newshape) == 1 and not isinstance(newshape[0], int)
    return reshape(x, newshape[0] if whole else list(newshape))


def _transposed(x: Any, *axes: Any) -> Any:
    return transpose(x, (axes[0] if len(axes) == 1 else axes) or None)


def _copy(x: Any, name: str | None = None) -> Any:
    return apply(np.copy, x)


def _swapaxes(x: Any, a: int, b: int) -> Any:
    return apply(np.swapaxes, x, a, b)


def _squeeze(x: Any) -> Any:
    return apply(np.squeeze, x)


def _size(x: Any) -> Any:
    return apply(_count, x, cuts=True)


def _count(x: Any) -> Any:
    return np.int64(np.size(x))


_methods()
