"""Keys, and what is drawn of them: bits, uniform and normal numbers, whole numbers, orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad import _core
from tapegrad._core import Variable
from tapegrad.compat.jax.arrays import plain, wrap
from tapegrad.compat.jax.random import threefry

Words = threefry.Words


def drawn(draw: Callable[..., Any], key: Any, *settings: Any) -> Any:
    """`draw(words, *settings)` of a key, which may be one of many or an argument of a program."""
    if isinstance(key, Variable) or any(isinstance(x, Variable) for x in settings):
        return _deferred(draw, plain(key), *settings)
    return draw(_words(plain(key)), *settings)


@tg.notrace_primitive
def _deferred(draw: Callable[..., Any], key: Any, *settings: Any) -> Any:
    return draw(_words(key), *settings)


def _words(key: Any) -> Words:
    words = np.asarray(key)
    if words.shape != (2,) or words.dtype != np.uint32:
        raise TypeError(
            f"jax.random: a key has shape (2,) and dtype uint32, and this has {words.shape} and "
            f"{words.dtype}; make keys with jax.random.PRNGKey(seed) and jax.random.split(key)"
        )
    return words


def shape_of(shape: Any) -> tuple[int, ...]:
    """A shape as a tuple."""
    return tuple(int(n) for n in shape) if np.ndim(shape) else (int(shape),)


# Keys.


def PRNGKey(seed: Any, *, impl: Any = None) -> Any:  # noqa: N802 - JAX's name
    """The key of a whole number."""
    if impl not in (None, "threefry2x32"):
        raise NotImplementedError(f"PRNGKey: impl={impl!r} is not there; 'threefry2x32' is")
    return _seeded(seed) if isinstance(seed, Variable) else wrap(threefry.seed(int(seed)))


@tg.notrace_primitive
def _seeded(seed: Any) -> Words:
    return threefry.seed(int(seed))


key = PRNGKey


def split(key: Any, num: Any = 2) -> Any:
    """That many new keys."""
    return wrap(drawn(threefry.split, key, shape_of(num)))


def fold_in(key: Any, data: Any) -> Any:
    """The key of a key and a whole number."""
    return wrap(drawn(threefry.fold_in, key, plain(data)))


def key_data(keys: Any) -> Any:
    """The words of keys."""
    return wrap(keys)


def wrap_key_data(key_bits_array: Any, *, impl: Any = None) -> Any:
    """Keys of words."""
    return wrap(plain(key_bits_array))


def clone(key: Any) -> Any:
    """The key itself."""
    return key


# Numbers.


def bits(key: Any, shape: Any = (), dtype: Any = np.uint64) -> Any:
    """Unsigned integers, each as likely as any."""
    return wrap(drawn(threefry.bits, key, np.dtype(dtype).itemsize * 8, shape_of(shape)))


def _uniform(words: Words, shape: tuple[int, ...], dtype: Any, low: Any, high: Any) -> Any:
    """The bits of a mantissa, in [1, 2), brought between the bounds."""
    dtype = np.dtype(dtype)
    info = np.finfo(dtype)
    whole = np.dtype(f"u{dtype.itemsize}")
    drawn = threefry.bits(words, info.bits, shape) >> whole.type(info.bits - info.nmant)
    one = np.ones((), dtype).view(whole)
    between = (drawn | one).view(dtype) - dtype.type(1)
    low, high = np.asarray(low, dtype), np.asarray(high, dtype)
    return np.maximum(low, between * (high - low) + low)


def float_of(name: str, dtype: Any) -> Any:
    """The type of floats of a dtype."""
    if np.dtype(dtype) not in (np.float64, np.float32):
        raise TypeError(f"jax.random.{name}: dtype is float64 or float32, not {np.dtype(dtype)}")
    return np.dtype(dtype).type


def uniform(
    key: Any, shape: Any = (), dtype: Any = float, minval: Any = 0.0, maxval: Any = 1.0, **s: Any
) -> Any:
    """Uniform between two bounds, the first of which is one of them."""
    kind, shape = float_of("uniform", dtype), shape_of(shape)
    minval, maxval = plain(minval), plain(maxval)
    if not (isinstance(minval, Variable) or isinstance(maxval, Variable)):
        return wrap(drawn(_uniform, key, shape, kind, minval, maxval))
    between = drawn(_uniform, key, shape, kind, 0.0, 1.0)
    return wrap(np.maximum(_core.value(minval), between * (maxval - minval) + minval))


def normal(key: Any, shape: Any = (), dtype: Any = float, **settings: Any) -> Any:
    """Normal of mean 0 and variance 1."""
    if np.dtype(dtype).kind == "c":
        part = np.float64 if np.dtype(dtype) == np.complex128 else np.float32
        one, two = split(key)
        re, im = normal(one, shape, part), normal(two, shape, part)
        return wrap((re + 1j * im) / np.sqrt(part(2)))
    return wrap(drawn(_normal, key, shape_of(shape), float_of("normal", dtype)))


def _normal(words: Words, shape: tuple[int, ...], kind: Any) -> Any:
    return of_erf(words, shape, kind, np.nextafter(kind(-1), kind(0)), kind(1))


def of_erf(words: Words, shape: tuple[int, ...], kind: Any, low: Any, high: Any) -> Any:
    """Normal numbers, uniform in their error function."""
    return kind(np.sqrt(2)) * erfinv(_uniform(words, shape, kind, low, high))


def erfinv(x: Any) -> Any:
    """The inverse of the error function, in the precision of `x`.

    A first guess (Winitzki 2008) and steps of Halley's on erf, or on erfc beside the ends.
    """
    given = np.asarray(x)
    y = given.astype(float)
    size = np.abs(y)
    rest = 1.0 - size
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.log(rest * (1.0 + size))
        a = 0.147
        half = 2 / (np.pi * a) + logarithm / 2
        z = np.sqrt(np.sqrt(half * half - logarithm / a) - half)
        for _ in range(3):
            gap = np.where(
                size < 0.5,
                np.asarray(_core.apply("erf", (z,))) - size,
                rest - np.asarray(_core.apply("erfc", (z,))),
            )
            step = gap / (2 / np.sqrt(np.pi) * np.exp(-z * z))
            z = z - step / (1 + z * step)
    z = np.where(size == 0, 0.0, np.where(size == 1, np.inf, z))
    return np.copysign(z, y).astype(given.dtype)[()]


def randint(
    key: Any, shape: Any, minval: Any, maxval: Any, dtype: Any = int, **settings: Any
) -> Any:
    """Whole numbers from `minval` on, below `maxval`."""
    bounds = plain(minval), plain(maxval)
    return wrap(drawn(_integers, key, shape_of(shape), np.dtype(dtype), *bounds))


def _integers(words: Words, shape: tuple[int, ...], dtype: Any, minval: Any, maxval: Any) -> Any:
    whole, width = np.dtype(f"u{dtype.itemsize}"), dtype.itemsize * 8
    info = np.iinfo(dtype)
    low = np.clip(np.asarray(minval), info.min, info.max).astype(dtype)
    high = np.clip(np.asarray(maxval), info.min, info.max).astype(dtype)
    beyond = np.asarray(maxval) > info.max
    upper, lower = (threefry.bits(k, width, shape) for k in threefry.split(words, (2,)))
    with np.errstate(over="ignore", divide="ignore"):
        span = np.where(high <= low, 1, (high - low).astype(whole)).astype(whole)
        span = np.where(beyond & (high > low), span + whole.type(1), span).astype(whole)
        # Twice as many bits as a word has, by the remainder of 2**width.
        part = _remainder(whole.type(2 ** (width // 2)), span)
        part = _remainder(part * part, span)
        found = _remainder(upper, span) * part + _remainder(lower, span)
        return (low + _remainder(found, span).astype(dtype)).astype(dtype)


def _remainder(x: Any, span: Any) -> Any:
    """X modulo `span`, of which 0 stands for one more than fits."""
    return np.where(span == 0, x, x % np.where(span == 0, 1, span)).astype(span.dtype)


def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False, **s: Any) -> Any:
    """A permuted array, or a permuted range."""
    x = plain(x)
    if np.ndim(x) == 0:
        return wrap(drawn(_shuffled, key, (int(x),), 0))
    if independent:
        return wrap(np.take_along_axis(x, drawn(_shuffled, key, np.shape(x), axis), axis))
    return wrap(np.take(x, drawn(_shuffled, key, (np.shape(x)[axis],), 0), axis))


def _shuffled(words: Words, shape: tuple[int, ...], axis: int) -> Any:
    """Places along an axis in random order.

    Sorted by random keys, as often as makes equal keys unlikely to decide.
    """
    x = np.indices(shape)[axis]
    rounds = int(np.ceil(3 * np.log(max(1, x.size)) / np.log(2**32 - 1)))
    for _ in range(rounds):
        words, own = threefry.split(words, (2,))
        order = np.argsort(threefry.bits(own, 32, x.shape), axis=axis, kind="stable")
        x = np.take_along_axis(x, order, axis)
    return x
