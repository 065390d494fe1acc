"""What single functions of NumPy do with complex Variables."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import Variable, value
from tapegrad.complex.functions import by_parts, on_complex, register_linear
from tapegrad.complex.parts import (
    as_pair,
    is_complex,
    is_pair,
    join,
    join_any,
    operand_of,
    operands,
    real_dtype,
    split,
)
from tapegrad.complex.ufuncs import call

register_linear(
    np.sum, np.mean, np.cumsum, np.trace, np.linalg.trace, np.ediff1d, np.gradient, np.tril,
    np.triu, np.diag, np.diagflat, np.pad, np.nan_to_num, np.round, np.around, np.trapezoid,
)  # fmt: skip
register_linear(np.choose, np.compress, np.extract, places=(1,))
register_linear(np.insert, places=(0, 2))
register_linear(np.linspace, places=(0, 1))


@on_complex(np.real)
def real(val: Any) -> Any:
    """The real part, a view."""
    return as_pair(val).real


@on_complex(np.imag)
def imag(val: Any) -> Any:
    """The imaginary part, a view."""
    return as_pair(val).imag


@on_complex(np.angle)
def angle(z: Any, deg: Any = False) -> Any:
    """The argument, in (-pi, pi]."""
    re, im = split(z)
    found = np.arctan2(im, re)
    return found * (180.0 / np.pi) if deg else found


@on_complex(np.iscomplexobj)
def iscomplexobj(x: Any) -> bool:
    """True."""
    return True


@on_complex(np.isrealobj)
def isrealobj(x: Any) -> bool:
    """False."""
    return False


@on_complex(np.ndim)
def ndim(a: Any) -> int:
    """The number of axes."""
    return int(a.ndim) if is_complex(a) else np.ndim(value(a))


@on_complex(np.shape)
def shape(a: Any) -> tuple[int, ...]:
    """Lengths of the axes."""
    return tuple(operand_of(a).shape)


@on_complex(np.size)
def size(a: Any, axis: Any = None) -> int:
    """The number of elements."""
    lengths = shape(a)
    return int(np.prod(lengths)) if axis is None else lengths[axis]


@on_complex(np.iscomplex)
def iscomplex(x: Any) -> Any:
    """Where the imaginary part is not zero; plain."""
    return np.iscomplex(plain(x))


@on_complex(np.isreal)
def isreal(x: Any) -> Any:
    """Where the imaginary part is zero; plain."""
    return np.isreal(plain(x))


def plain(x: Any) -> Any:
    """The plain value of what may be complex."""
    if isinstance(x, (list, tuple)):
        return type(x)(map(plain, x))
    return x.value if is_pair(x) else value(x)


def _on_plain(function: Any) -> None:
    def of(*args: Any, **kwargs: Any) -> Any:
        return function(*map(plain, args), **{name: plain(x) for name, x in kwargs.items()})

    on_complex(function)(of)


_PLAIN: tuple[Any, ...] = (
    np.array_equal, np.array_equiv, np.isclose, np.allclose, np.argwhere, np.flatnonzero,
    np.nonzero, np.count_nonzero, np.any, np.all, np.argsort, np.argmax, np.argmin, np.lexsort,
    np.isin, np.searchsorted, np.argpartition, np.array_repr, np.array_str, np.array2string,
    np.linalg.matrix_rank,
)  # fmt: skip
for _function in _PLAIN:
    _on_plain(_function)


@on_complex(np.result_type)
def result_type(*args: Any) -> Any:
    """NumPy's."""
    return np.result_type(*(x.dtype if isinstance(x, Variable) or is_pair(x) else x for x in args))


@on_complex(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Elements of x or y."""
    if x is None and y is None:
        return np.nonzero(condition)
    if is_complex(condition):
        condition = condition != 0
    (a, b), (c, d) = operands(operand_of(x), operand_of(y))
    return join(np.where(condition, a, c), np.where(condition, b, d))


@on_complex(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """The choice of the first condition that holds."""
    *pairs, otherwise = operands(*map(operand_of, choicelist), operand_of(default))
    parts = [np.select(condlist, [p[i] for p in pairs], otherwise[i]) for i in (0, 1)]
    return join(*parts)


@on_complex(np.astype)
def astype(x: Any, dtype: Any, /, *, copy: Any = True, device: Any = None) -> Any:
    """To complex128 or complex64; TypeError for a real dtype, which would drop a part."""
    wanted = np.dtype(dtype)
    if wanted.kind != "c":
        raise TypeError(
            f"astype({wanted}) would drop the imaginary part; write z.real.astype('{wanted}')"
        )
    if is_pair(x) and x.dtype == wanted and not copy:
        return x
    return call("positive", (x,), wanted)


@on_complex(np.copy)
def copy(a: Any, order: Any = "K", subok: Any = False) -> Any:
    """A copy of both parts."""
    return by_parts(np.copy, (0,), (a, order), {})


def _like(name: str) -> None:
    function = getattr(np, name)

    def made(a: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        wanted = np.dtype(dtype or a.dtype)
        first = split(a)[0]
        if wanted.kind != "c":
            return function(first, wanted, *args, **kwargs)
        part = real_dtype(wanted)
        im = np.empty_like if name == "empty_like" else np.zeros_like
        return join_any(function(first, part, *args, **kwargs), im(first, part, *args, **kwargs))

    on_complex(function)(made)


for _name in ("zeros_like", "ones_like", "empty_like"):
    _like(_name)


@on_complex(np.full_like)
def full_like(a: Any, fill_value: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
    """Full of one value; its imaginary part is lost where `a` is real, as in NumPy."""
    wanted = np.dtype(dtype or a.dtype)
    first, (re, im) = split(a)[0], split(fill_value)
    if wanted.kind != "c":
        return np.full_like(first, re, wanted, *args, **kwargs)
    part = real_dtype(wanted)
    return join_any(*(np.full_like(first, x, part, *args, **kwargs) for x in (re, im)))


@on_complex(np.real_if_close)
def real_if_close(a: Any, tol: Any = 100) -> Any:
    """The real part, where the plain imaginary part is as good as zero."""
    return a.real if np.isrealobj(np.real_if_close(plain(a), tol)) else a


@on_complex(np.sinc)
def sinc(x: Any) -> Any:
    """sin(pi z) / (pi z), and 1 at 0."""
    turned = np.pi * np.where(x == 0, 1e-20, x)
    return np.sin(turned) / turned


def _of_shape(name: str) -> None:
    function = getattr(np, name)

    def of(a: Any, *args: Any, **kwargs: Any) -> Any:
        return function(a.real, *args, **kwargs)

    on_complex(function)(of)


for _name in ("tril_indices_from", "triu_indices_from", "diag_indices_from"):
    _of_shape(_name)


@on_complex(np.shares_memory, np.may_share_memory)
def shares_memory(a: Any, b: Any, /, max_work: Any = None) -> bool:
    """Whether a write to one may show in the other."""
    return any(
        np.may_share_memory(x, y)
        for x in split(a) for y in split(b) if isinstance(x, Variable) and isinstance(y, Variable)
    )  # fmt: skip


@on_complex(np.apply_along_axis)
def apply_along_axis(func1d: Any, axis: Any, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """A function of every row along the axis."""
    rows = np.moveaxis(arr, axis, -1)
    lead = rows.shape[:-1]
    found = [func1d(row, *args, **kwargs) for row in np.reshape(rows, (-1, rows.shape[-1]))]
    whole = np.stack(found)
    whole = np.reshape(whole, (*lead, *whole.shape[1:]))
    extra = whole.ndim - len(lead)
    places = tuple(range(axis % rows.ndim, axis % rows.ndim + extra))
    return np.moveaxis(whole, tuple(range(len(lead), whole.ndim)), places)


@on_complex(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kwargs: Any) -> Any:
    """Of each element what the function of its condition gives; complex where `x` is."""
    x = operand_of(x)
    conditions = np.asarray(plain(condlist), bool)
    if conditions.ndim == np.ndim(x) and (np.ndim(x) or not conditions.ndim):
        conditions = conditions[None]
    chosen = list(conditions)
    if len(chosen) == len(funclist) - 1:
        chosen.append(~np.any(chosen, axis=0))
    if len(chosen) != len(funclist):
        n = len(chosen)
        raise ValueError(f"with {n} condition(s), either {n} or {n + 1} functions are expected")
    shape = np.shape(x)
    x = np.atleast_1d(x)
    found = np.where(False, x, 0)
    for mask, function in zip(chosen, funclist, strict=True):
        at = np.reshape(mask, np.shape(x))
        if not callable(function):
            found[at] = function
        elif np.any(at):
            found[at] = function(x[at], *args, **kwargs)
    return found if shape else found[0]


@on_complex(np.apply_over_axes)
def apply_over_axes(func: Any, a: Any, axes: Any) -> Any:
    """A function over one axis after the other."""
    found, ndim = a, np.ndim(a)
    for axis in np.atleast_1d(axes).tolist():
        axis = axis % ndim
        reduced = func(found, axis)
        found = reduced if reduced.ndim == ndim else np.expand_dims(reduced, axis)
    return found


# np.emath gives complex results where real ones end: of complex numbers it is the same.
def _of_scimath(name: str) -> None:
    function = getattr(np, name)

    def of(*args: Any) -> Any:
        return function(*args)

    on_complex(getattr(np.emath, name))(of)


for _name in ("sqrt", "log", "log2", "log10", "arccos", "arcsin", "arctanh", "power"):
    _of_scimath(_name)


@on_complex(np.emath.logn)
def logn(n: Any, x: Any) -> Any:
    """The logarithm to the base n."""
    return np.log(x) / np.emath.log(n)


@on_complex(np.logspace)
def logspace(
    start: Any, stop: Any, num: Any = 50, endpoint: Any = True, base: Any = 10.0, dtype: Any = None,
    axis: Any = 0,
) -> Any:  # fmt: skip
    """Powers of the base."""
    found = np.power(base, np.linspace(start, stop, num, endpoint, axis=axis))
    return found if dtype is None else np.astype(found, dtype)
