"""Products, moments and covariances of complex Variables. Sums act on both parts alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.complex.functions import on_complex
from tapegrad.complex.parts import as_pair, is_complex, join, operand_of, split
from tapegrad.numpy.operands import NO_VALUE, given


def _expanded(z: Any, axis: Any) -> tuple[Any, Any]:
    """With the axes to reduce as one, first; and where the kept ones are."""
    ndim = z.ndim
    axes = tuple(range(ndim)) if axis is None else np.atleast_1d(axis).tolist()
    axes = [a % ndim for a in axes]
    moved = np.moveaxis(z, axes, range(len(axes)))
    if len(axes) == 1:
        return moved, axes
    lengths = moved.shape
    joined = -1 if all(lengths) else int(np.prod(lengths[: len(axes)]))
    return np.reshape(moved, (joined, *lengths[len(axes) :])), axes


@on_complex(np.prod)
def prod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = NO_VALUE,
    initial: Any = NO_VALUE, where: Any = NO_VALUE,
) -> Any:  # fmt: skip
    """The product, multiplied in a tree."""
    z = as_pair(operand_of(a))
    if given(dtype):
        z = np.astype(z, dtype)
    if given(where) and where is not True:
        z = np.where(where, z, 1.0)
    lengths = z.shape
    row, axes = _expanded(z, axis) if z.ndim else (z[None], [])
    while len(row) > 1:
        half, odd = divmod(len(row), 2)
        paired = row[:half] * row[half : 2 * half]
        row = np.concatenate((paired, row[-1:])) if odd else paired
    found = row[0] if len(row) else as_pair(np.ones(row.shape[1:], row.dtype))
    if given(initial):
        found = np.astype(found * initial, row.dtype)
    if keepdims is not NO_VALUE and keepdims:
        kept = tuple(1 if i in axes else n for i, n in enumerate(lengths))
        found = np.reshape(found, kept)
    return found


@on_complex(np.cumprod)
def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """Products of the first elements, in about log2(n) steps."""
    z = as_pair(operand_of(a))
    if given(dtype):
        z = np.astype(z, dtype)
    if axis is None:
        z, axis = np.ravel(z), 0
    found = np.moveaxis(z, axis, 0)
    step = 1
    while step < len(found):
        found = np.concatenate((found[:step], found[step:] * found[:-step]))
        step *= 2
    return np.moveaxis(found, 0, axis)


def _deviations(
    name: str, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: Any = NO_VALUE, *, where: Any = NO_VALUE, mean: Any = NO_VALUE,
    correction: Any = NO_VALUE,
) -> tuple[Any, float, dict[str, Any]]:  # fmt: skip
    """Real and imaginary parts of z - mean, what sums are divided by, and how to sum."""
    if given(where) or given(dtype):
        raise TypeError(f"np.{name} of complex Variables: where= and dtype= are not supported")
    a = as_pair(operand_of(a))
    ddof = correction if given(correction) else ddof
    center = mean if given(mean) else np.mean(a, axis=axis, keepdims=True)
    axes = range(a.ndim) if axis is None else [i % a.ndim for i in np.atleast_1d(axis).tolist()]
    n = int(np.prod([a.shape[i] for i in axes]))
    options = {} if keepdims is NO_VALUE else {"keepdims": keepdims}
    parts = np.stack(split(a - center), axis=-1)
    return parts, n - ddof, {"axis": (*axes, a.ndim), **options}


def _without_parts(found: Any, options: dict[str, Any]) -> Any:
    return found[..., 0] if options.get("keepdims") else found


@on_complex(np.var)
def var(*args: Any, **kwargs: Any) -> Any:
    """The mean of |z - mean|^2."""
    parts, n, options = _deviations("var", *args, **kwargs)
    return _without_parts(np.sum(parts * parts, **options), options) / n


@on_complex(np.std)
def std(*args: Any, **kwargs: Any) -> Any:
    """The root of the variance: a norm, whose tip has the derivatives of one."""
    parts, n, options = _deviations("std", *args, **kwargs)
    return _without_parts(np.linalg.vector_norm(parts, **options), options) / float(np.sqrt(n))


@on_complex(np.average)
def average(
    a: Any, axis: Any = None, weights: Any = None, returned: Any = False, *,
    keepdims: Any = NO_VALUE,
) -> Any:  # fmt: skip
    """The mean, weighted."""
    z = operand_of(a)
    options = {} if keepdims is NO_VALUE else {"keepdims": keepdims}
    if weights is None:
        found = np.mean(z, axis, **options)
        total: Any = np.prod(np.shape(z)) / np.prod(np.shape(found))
    else:
        w = operand_of(weights)
        if np.shape(w) != np.shape(z):
            if axis is None or np.ndim(w) != 1 or np.size(axis) != 1:
                raise TypeError(
                    "np.average: the weights of complex numbers have another shape; "
                    "write np.broadcast_to(weights, z.shape)"
                )
            lengths = [1] * np.ndim(z)
            lengths[axis] = np.size(w)
            w = np.broadcast_to(np.reshape(w, lengths), np.shape(z))
        total = np.sum(w, axis, **options)
        found = np.sum(z * w, axis, **options) / total
    return (found, total + 0.0 * found) if returned else found


if hasattr(np, "cumulative_sum"):

    def _cumulative(name: str, function: Any, start: Any) -> None:
        def of(
            x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None,
            include_initial: Any = False,
        ) -> Any:  # fmt: skip
            z = as_pair(operand_of(x))
            if axis is None:
                if z.ndim != 1:
                    raise ValueError(f"np.{name}: an array of several axes needs axis=")
                axis = 0
            found = function(z, axis, dtype=dtype)
            if not include_initial:
                return found
            first = np.take(z, [0], axis) * 0.0 + start
            return np.concatenate((np.astype(first, found.dtype), found), axis=axis)

        on_complex(getattr(np, name))(of)

    _cumulative("cumulative_sum", np.cumsum, 0.0)
    _cumulative("cumulative_prod", np.cumprod, 1.0)


@on_complex(np.cov)
def cov(m: Any, y: Any = None, rowvar: Any = True, *args: Any, **kwargs: Any) -> Any:
    """E[z z^H] - E[z] E[z]^H, from the covariance of all real and imaginary parts."""
    x = _variables_first(m, rowvar)
    if y is not None:
        x = np.concatenate((x, _variables_first(y, rowvar)), axis=0)
    x = as_pair(x)
    n = len(x)
    whole = np.cov(x.real, x.imag, True, *args, **kwargs)
    found = join(whole[:n, :n] + whole[n:, n:], whole[n:, :n] - whole[:n, n:])
    return found[0, 0, ...] if n == 1 else found  # an array, of no axes


def _variables_first(m: Any, rowvar: Any) -> Any:
    z = operand_of(m)
    return z[None] if np.ndim(z) < 2 else z if rowvar else z.T


@on_complex(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: Any = True, *args: Any, **kwargs: Any) -> Any:
    """The covariance, divided by the standard deviations."""
    c = cov(x, y, rowvar, *args, **kwargs)
    if not c.ndim:
        return c / c
    deviations = np.sqrt(np.diagonal(c).real)
    return c / deviations[:, None] / deviations[None, :]


@on_complex(np.interp)
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """Between complex values at real places."""
    for name, places in (("x", x), ("xp", xp)):
        if is_complex(operand_of(places)):
            raise TypeError(f"np.interp: {name} is complex, and places are real; write {name}.real")
    re, im = (
        np.interp(x, xp, part(fp), part(left), part(right), period) for part in (_real, _imag)
    )
    return join(re, im)


def _real(x: Any) -> Any:
    return None if x is None else split(operand_of(x))[0]


def _imag(x: Any) -> Any:
    return None if x is None else np.imag(operand_of(x))
