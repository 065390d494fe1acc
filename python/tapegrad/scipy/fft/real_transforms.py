"""Cosine and sine transforms, types 1 to 4, by Fourier transforms of extended signals.

A sine transform of type 2, 3 or 4 is a cosine transform of the same type with one side's order
reversed and the other side's signs alternating.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.fft

from tapegrad.scipy.arrays import array, floats, ndim_of, normal_axis, shape_of
from tapegrad.scipy.functions import derives

_NORMS = (None, "backward", "ortho", "forward")
_ROOT2 = float(np.sqrt(2.0))


def _turns(n: int, m: int, shift: float, dtype: Any) -> Any:
    """exp(-i pi (k + shift) / m) for n numbers k."""
    turns = np.exp(-1j * np.pi * (np.arange(n) + shift) / m)
    return turns.astype(np.result_type(dtype, np.complex64))


def _cosine(x: Any, kind: int) -> Any:
    """The transform along the last axis, without any norm."""
    n = shape_of(x)[-1]
    if kind == 1:
        return np.real(np.fft.rfft(np.concatenate([x, x[..., -2:0:-1]], -1)))
    if kind == 2:
        whole = np.fft.rfft(np.concatenate([x, x[..., ::-1]], -1))
        return np.real(whole[..., :n] * _turns(n, 2 * n, 0.0, x.dtype))
    if kind == 3:
        half = x * np.conj(_turns(n, 2 * n, 0.0, x.dtype))
        return np.fft.irfft(half, 2 * n, norm="forward")[..., :n]
    whole = np.fft.fft(x * _turns(n, 2 * n, 0.0, x.dtype), 2 * n)[..., :n]
    return 2.0 * np.real(whole * _turns(n, 2 * n, 0.5, x.dtype))


def _sine(x: Any, kind: int) -> Any:
    n = shape_of(x)[-1]
    if kind == 1:
        none = np.zeros_like(x[..., :1])
        odd = np.concatenate([none, x, none, -x[..., ::-1]], -1)
        return -np.imag(np.fft.rfft(odd))[..., 1 : n + 1]
    signs = (1.0 - 2.0 * (np.arange(n) % 2)).astype(x.dtype)
    if kind == 2:
        return _cosine(x * signs, 2)[..., ::-1]
    return signs * _cosine(x[..., ::-1], kind)


def _weighted(x: Any, at: tuple[int, ...], factor: float) -> Any:
    """`x` with some elements of the last axis multiplied by a factor."""
    weights = np.ones(shape_of(x)[-1], x.dtype)
    weights[list(at)] = factor
    return x * weights


def _along(name: str, x: Any, kind: int, norm: Any, orthogonal: Any, is_inverse: bool) -> Any:
    """One transform along the last axis."""
    is_cosine = "c" in name
    n = shape_of(x)[-1]
    if n < 1:
        raise ValueError(f"scipy.fft.{name}: invalid number of data points ({n}) specified")
    if kind == 1 and is_cosine and n < 2:
        raise ValueError(f"scipy.fft.{name}: type 1 needs at least 2 points, and there is {n}")
    if is_inverse:
        kind = {2: 3, 3: 2}.get(kind, kind)
    first, last = (0,), (n - 1,)
    before = {(True, 1): (0, n - 1), (True, 3): first, (False, 3): last}.get((is_cosine, kind), ())
    after = {(True, 1): (0, n - 1), (True, 2): first, (False, 2): last}.get((is_cosine, kind), ())
    orthogonal = norm == "ortho" if orthogonal is None else orthogonal
    if orthogonal and before:
        x = _weighted(x, before, _ROOT2)
    found = (_cosine if is_cosine else _sine)(x, kind)
    if orthogonal and after:
        found = _weighted(found, after, 1.0 / _ROOT2)
    length = 2 * (n + (0 if kind > 1 else -1 if is_cosine else 1))
    if norm == "ortho":
        return found * (1.0 / np.sqrt(length)).astype(x.dtype)
    return found / length if (norm == "forward") != is_inverse else found


def _transformed(
    name: str, x: Any, type: Any, lengths: Any, axes: Any, norm: Any, orthogonal: Any
) -> Any:
    """The transform along some axes, each cut or filled with zeros to its length."""
    if type not in (1, 2, 3, 4):
        raise ValueError(f"scipy.fft.{name}: type={type!r} is not known; type= is 1, 2, 3 or 4")
    if norm not in _NORMS:
        raise ValueError(f"Invalid norm value {norm!r}, should be 'backward', 'ortho' or 'forward'")
    x = floats(x)
    if np.iscomplexobj(x):
        parts = (
            _transformed(name, part, type, lengths, axes, norm, orthogonal)
            for part in (np.real(x), np.imag(x))
        )
        re, im = parts
        return re + 1j * im
    for n, axis in zip(lengths, axes, strict=True):
        x = np.moveaxis(x, axis, -1)
        if n is not None and n < 1:
            raise ValueError(f"scipy.fft.{name}: invalid number of data points ({n}) specified")
        missing = 0 if n is None else n - shape_of(x)[-1]
        if missing < 0:
            x = x[..., :n]
        elif missing:
            fill = np.zeros((*shape_of(x)[:-1], missing), x.dtype)
            x = np.concatenate([x, fill], -1)
        x = _along(name, x, type, norm, orthogonal, name.startswith("i"))
        x = np.moveaxis(x, -1, axis)
    return x


def _one(name: str, x: Any, type: Any, n: Any, axis: Any, norm: Any, orthogonal: Any) -> Any:
    x = array(x)
    axis = normal_axis(axis, ndim_of(x))
    return _transformed(name, x, type, [n], [axis], norm, orthogonal)


def _many(name: str, x: Any, type: Any, s: Any, axes: Any, norm: Any, orthogonal: Any) -> Any:
    x = array(x)
    n = ndim_of(x)
    lengths: Any = None if s is None else [int(m) for m in np.atleast_1d(s)]
    if axes is None:
        places = list(range(n if lengths is None else len(lengths)))
        places = [n - len(places) + i for i in places]
    else:
        places = [normal_axis(int(axis), n) for axis in np.atleast_1d(axes)]
    if len(set(places)) != len(places):
        raise ValueError("all axes must be unique")
    lengths = [None] * len(places) if lengths is None else lengths
    if len(lengths) > n or len(lengths) != len(places) or min(places, default=0) < 0:
        raise ValueError(
            f"scipy.fft.{name}: s={s!r} and axes={axes!r} do not fit an array of shape "
            f"{shape_of(x)}; when given, axes and shape arguments have to be of the same length"
        )
    lengths = [None if m == -1 else m for m in lengths]
    return _transformed(name, x, type, lengths, places, norm, orthogonal)


@derives(scipy.fft.dct, name="scipy.fft.dct", complex_too=True)
def dct(
    x: Any, type: Any = 2, n: Any = None, axis: Any = -1, norm: Any = None,
    overwrite_x: Any = False, workers: Any = None, orthogonalize: Any = None,
) -> Any:  # fmt: skip
    return _one("dct", x, type, n, axis, norm, orthogonalize)


@derives(scipy.fft.idct, name="scipy.fft.idct", complex_too=True)
def idct(
    x: Any, type: Any = 2, n: Any = None, axis: Any = -1, norm: Any = None,
    overwrite_x: Any = False, workers: Any = None, orthogonalize: Any = None,
) -> Any:  # fmt: skip
    return _one("idct", x, type, n, axis, norm, orthogonalize)


@derives(scipy.fft.dst, name="scipy.fft.dst", complex_too=True)
def dst(
    x: Any, type: Any = 2, n: Any = None, axis: Any = -1, norm: Any = None,
    overwrite_x: Any = False, workers: Any = None, orthogonalize: Any = None,
) -> Any:  # fmt: skip
    return _one("dst", x, type, n, axis, norm, orthogonalize)


@derives(scipy.fft.idst, name="scipy.fft.idst", complex_too=True)
def idst(
    x: Any, type: Any = 2, n: Any = None, axis: Any = -1, norm: Any = None,
    overwrite_x: Any = False, workers: Any = None, orthogonalize: Any = None,
) -> Any:  # fmt: skip
    return _one("idst", x, type, n, axis, norm, orthogonalize)


@derives(scipy.fft.dctn, name="scipy.fft.dctn", complex_too=True)
def dctn(
    x: Any, type: Any = 2, s: Any = None, axes: Any = None, norm: Any = None,
    overwrite_x: Any = False, workers: Any = None, *, orthogonalize: Any = None,
) -> Any:  # fmt: skip
    return _many("dctn", x, type, s, axes, norm, orthogonalize)


@derives(scipy.fft.idctn, name="scipy.fft.idctn", complex_too=True)
def idctn(
    x: Any, type: Any = 2, s: Any = None, axes: Any = None, norm: Any = None,
    overwrite_x: Any = False, workers: Any = None, orthogonalize: Any = None,
) -> Any:  # fmt: skip
    return _many("idctn", x, type, s, axes, norm, orthogonalize)


@derives(scipy.fft.dstn, name="scipy.fft.dstn", complex_too=True)
def dstn(
    x: Any, type: Any = 2, s: Any = None, axes: Any = None, norm: Any = None,
    overwrite_x: Any = False, workers: Any = None, orthogonalize: Any = None,
) -> Any:  # fmt: skip
    return _many("dstn", x, type, s, axes, norm, orthogonalize)


@derives(scipy.fft.idstn, name="scipy.fft.idstn", complex_too=True)
def idstn(
    x: Any, type: Any = 2, s: Any = None, axes: Any = None, norm: Any = None,
    overwrite_x: Any = False, workers: Any = None, orthogonalize: Any = None,
) -> Any:  # fmt: skip
    return _many("idstn", x, type, s, axes, norm, orthogonalize)
