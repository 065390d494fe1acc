"""The functions of `scipy.special` that are no universal functions, on Variables.

Universal functions take Variables under their own names; they stand here too.

>>> import numpy as np
>>> import tapegrad as tg
>>> from tapegrad.scipy import special
>>> tg.grad(special.logsumexp)(np.array([0.0, 0.0]))
array([0.5, 0.5])
>>> tg.grad(lambda x: special.jv(1.0, x))(0.0)
0.5
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as _special

from tapegrad._core import Variable, apply, holds_complex, to_number
from tapegrad.numpy.operands import as_array, lift, plain, shape_of

__all__ = [
    "comb",
    "factorial",
    "log_softmax",
    "logsumexp",
    "multigammaln",
    "perm",
    "polygamma",
    "softmax",
]


def __getattr__(name: str) -> Any:
    return getattr(_special, name)


def __dir__() -> list[str]:
    return sorted({*dir(_special), *__all__})


def _is_ours(name: str, *arguments: Any) -> bool:
    """Whether there are Variables among the arguments; of real numbers, or TypeError."""
    if not holds_complex(list(arguments)):
        return any(isinstance(lift(x), Variable) for x in arguments)
    from tapegrad.complex import ComplexVariable

    if any(isinstance(x, (Variable, ComplexVariable)) for x in arguments):
        raise TypeError(
            f"tapegrad.scipy.special.{name}: takes real numbers and Variables; of complex ones "
            "write it with np.exp, np.log and np.sum"
        )
    return False


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    return tuple(axis) if isinstance(axis, tuple) else (axis,)


def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """Returns log(sum(b * exp(a))) as `scipy.special.logsumexp` does.

    With `return_sign`, the logarithm of the sum's absolute value and its sign. Elements of `a`
    that are -inf have the derivative 0, and so has the sign; elements of `b` that are 0 have one
    like all others.

    >>> import tapegrad as tg
    >>> tg.grad(lambda b: logsumexp([0.0, 0.0], b=b))([1.0, 3.0])
    [0.25, 0.25]
    """
    if not _is_ours("logsumexp", a, b):
        return _special.logsumexp(plain(a), axis, plain(b), keepdims, return_sign)
    x = np.atleast_1d(as_array(a))
    w: Any = None
    if b is not None:
        w = as_array(b)
        x, w = np.broadcast_arrays(x, np.atleast_1d(w))
    axes = _axes(axis, x.ndim)
    if w is None and not return_sign and 0 not in shape_of(x):
        return apply("logsumexp", (x,), (axes, bool(keepdims)))
    seen = plain(x) if w is None else np.where(plain(w) == 0, -np.inf, plain(x))
    top = np.max(seen, axis=axes, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0.0)
    e = np.exp(x - top)
    total = np.sum(e if w is None else apply("zmul", (w, e)), axis=axes, keepdims=True)
    sign = np.sign(plain(total))
    found = np.log(np.abs(total) if return_sign else total) + top
    if not keepdims:
        found, sign = to_number(np.squeeze(found, axes)), np.squeeze(sign, axes)
    return (found, sign[()]) if return_sign else found


def softmax(x: Any, axis: Any = None) -> Any:
    """Returns exp(x) / sum(exp(x)) as `scipy.special.softmax` does.

    >>> import tapegrad as tg
    >>> tg.grad(lambda x: softmax(x)[0])([0.0, 0.0])
    [0.25, -0.25]
    """
    if not _is_ours("softmax", x):
        return _special.softmax(plain(x), axis)
    v = as_array(x)
    e = np.exp(v - np.max(plain(v), axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def log_softmax(x: Any, axis: Any = None) -> Any:
    """Returns the logarithm of softmax as `scipy.special.log_softmax` does.

    >>> import tapegrad as tg
    >>> tg.grad(lambda x: log_softmax(x)[0])([0.0, 0.0])
    [0.5, -0.5]
    """
    if not _is_ours("log_softmax", x):
        return _special.log_softmax(plain(x), axis)
    v = as_array(x)
    axes = _axes(axis, v.ndim)
    return v - apply("logsumexp", (v,), (axes, True)) if axes else v - v


def polygamma(n: Any, x: Any) -> Any:
    """Returns the n-th derivative of digamma as `scipy.special.polygamma` does.

    >>> import tapegrad as tg
    >>> round(tg.grad(lambda x: polygamma(1, x))(2.0), 6)
    -0.404114
    """
    if _is_ours("polygamma", n):
        raise TypeError(
            "tapegrad.scipy.special.polygamma: there is no derivative by the order n, a whole "
            "number; write polygamma(tg.value(n), x)"
        )
    if not _is_ours("polygamma", x):
        return _special.polygamma(n, plain(x))
    return apply("polygamma", (np.asarray(n), as_array(x)))


def multigammaln(a: Any, d: Any) -> Any:
    """Returns the logarithm of the multivariate gamma function, `scipy.special.multigammaln`.

    >>> import tapegrad as tg
    >>> round(tg.grad(lambda a: multigammaln(a, 2))(2.0), 6)
    0.459274
    """
    if not _is_ours("multigammaln", a, d):
        return _special.multigammaln(plain(a), d)
    if isinstance(d, Variable) or np.ndim(d) or np.floor(d) != d:
        raise ValueError(
            "tapegrad.scipy.special.multigammaln: d should be a positive integer (dimension)"
        )
    v = as_array(a)
    if np.any(plain(v) <= 0.5 * (d - 1)):
        raise ValueError(
            f"tapegrad.scipy.special.multigammaln: a must be above 0.5 * (d - 1) = "
            f"{0.5 * (d - 1)}, got {plain(v)}"
        )
    constant = float(d * (d - 1) * 0.25 * np.log(np.pi))
    return sum((_special.gammaln(v - 0.5 * j) for j in range(int(d))), start=constant)


def _refuse_exact(name: str, exact: bool) -> None:
    if exact:
        raise TypeError(
            f"tapegrad.scipy.special.{name}: exact=True is arithmetic of integers, without a "
            "derivative; leave it out, or call it on plain integers, int(tg.value(v))"
        )


def comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    """Returns the number of combinations as `scipy.special.comb` does, of any real numbers.

    >>> import tapegrad as tg
    >>> round(tg.grad(lambda n: comb(n, 2))(5.0), 6)
    4.5
    """
    if not _is_ours("comb", N, k):
        return _special.comb(plain(N), plain(k), exact=exact, repetition=repetition)
    _refuse_exact("comb", exact)
    n, m = lift(N), lift(k)
    if repetition:
        inside = (plain(m) == 0) & (plain(n) >= 0)
        return np.where(inside, 1.0, comb(n + m - 1, m)) if np.any(inside) else comb(n + m - 1, m)
    inside = (plain(m) <= plain(n)) & (plain(n) >= 0) & (plain(m) >= 0)
    found = _special.binom(n, m)
    return found if np.all(inside) else np.where(inside, found, 0.0)


def perm(N: Any, k: Any, exact: bool = False) -> Any:
    """Returns the number of permutations as `scipy.special.perm` does, of any real numbers.

    >>> import tapegrad as tg
    >>> round(tg.grad(lambda n: perm(n, 2))(5.0), 6)
    9.0
    """
    if not _is_ours("perm", N, k):
        return _special.perm(plain(N), plain(k), exact)
    _refuse_exact("perm", exact)
    n, m = lift(N), lift(k)
    inside = (plain(m) <= plain(n)) & (plain(n) >= 0) & (plain(m) >= 0)
    found = _special.poch(n - m + 1, m)
    return found if np.all(inside) else np.where(inside, found, 0.0)


def factorial(n: Any, exact: bool = False, extend: str = "zero") -> Any:
    """Returns gamma(n + 1) as `scipy.special.factorial` does: 0 below 0.

    >>> import tapegrad as tg
    >>> round(tg.grad(factorial)(3.0), 6)
    7.536706
    """
    if not _is_ours("factorial", n):
        return _special.factorial(plain(n), exact, extend)
    _refuse_exact("factorial", exact)
    if extend != "zero":
        raise ValueError(
            f"tapegrad.scipy.special.factorial: extend={extend!r} is not supported for Variables; "
            "write scipy.special.gamma(n + 1)"
        )
    v = lift(n)
    below = plain(v) < 0
    found = _special.gamma(v + 1)
    return np.where(below, 0.0, found) if np.any(below) else found
