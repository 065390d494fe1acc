"""Library functions beside what people write instead of them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.model import Model, Spelling
from benchmarks.problems import convolution, decompositions, fourier

# The power of a series, of a length without large prime factors: others cost more by nature.


def _smooth(n: int) -> int:
    """The least number from n on that has no prime factor above 5."""
    rest = n
    for prime in (2, 3, 5):
        while rest % prime == 0:
            rest //= prime
    return n if rest == 1 else _smooth(n + 1)


def _series_data(n: int) -> tuple[Any, ...]:
    return (np.random.default_rng(0).normal(size=_smooth(n)),)


def _spectrum_absolute(x: Any) -> Any:
    return np.sum(np.abs(np.fft.rfft(x)) ** 2)


def _spectrum_conjugate(x: Any) -> Any:
    z = np.fft.rfft(x)
    return np.sum((z * np.conj(z)).real)


# A convolution.


def _convolution_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    return rng.normal(size=n), rng.normal(size=9)


def _convolution_shifts(x: Any, k: Any) -> Any:
    """The kernel's elements one after another, added to slices."""
    y = np.zeros(len(x) + len(k) - 1)
    for j in range(len(k)):
        y[j : j + len(x)] += k[j] * x
    return np.sum(y**2)


def _convolution_windows(x: Any, k: Any) -> Any:
    padded = np.pad(x, len(k) - 1)
    return np.sum((np.lib.stride_tricks.sliding_window_view(padded, len(k)) @ k[::-1]) ** 2)


def _convolution_elements(x: Any, k: Any) -> Any:
    """A product of a reversed slice for each output."""
    n, m = len(x), len(k)
    found = []
    for i in range(n + m - 1):
        low, high = max(0, i - m + 1), min(i + 1, n)
        found.append(x[low:high] @ k[i - high + 1 : i - low + 1][::-1])
    return np.sum(np.stack(found) ** 2)


# A logistic likelihood, through special functions and without.


def _logistic_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(1)
    return 0.3 * rng.normal(size=6), rng.normal(size=(n, 6)), rng.integers(0, 2, n)


def _logistic_special(w: Any, x: Any, y: Any) -> Any:
    from scipy.special import expit, xlogy

    p = expit(x @ w)
    return -np.mean(xlogy(y, p) + xlogy(1 - y, 1 - p))


def _logistic_logaddexp(w: Any, x: Any, y: Any) -> Any:
    z = x @ w
    return np.mean(np.logaddexp(0.0, z) - y * z)


def _logistic_where(w: Any, x: Any, y: Any) -> Any:
    p = 1.0 / (1.0 + np.exp(-(x @ w)))
    return np.mean(np.where(y == 1, -np.log(p), -np.log1p(-p)))


def _logistic_samples(w: Any, x: Any, y: Any) -> Any:
    total = 0.0
    for row, wanted in zip(x, y, strict=True):
        z = np.sum(row * w)
        total += np.log(1 + np.exp(z)) - wanted * z
    return total / len(x)


def _logistic_jax(jax: Any, w: Any, x: Any, y: Any) -> Any:
    z = x @ w
    return jax.numpy.mean(jax.numpy.logaddexp(0.0, z) - y * z)


# The sum of cubed eigenvalues of a symmetric matrix.


def _values_data(n: int) -> tuple[Any, ...]:
    return (decompositions._data((n, n)),)


def _values_both(a: Any) -> Any:
    w, _ = np.linalg.eigh(a + a.T)
    return np.sum(w * w * w)


def _values_library(a: Any) -> Any:
    w = np.linalg.eigvalsh(a + np.transpose(a))
    return sum(w[i] ** 3 for i in range(len(w)))


MODELS = [
    Model("spectrum", _series_data, (
        Spelling("real and imaginary", functools.partial(fourier._rfft, np)),
        Spelling("absolute", _spectrum_absolute),
        Spelling("conjugate", _spectrum_conjugate),
    ), sizes=(4, 10_000), usual=1000, work=_smooth,
        jax=lambda jax, x: fourier._rfft(jax.numpy, x)),
    Model("convolution", _convolution_data, (
        Spelling("library", functools.partial(convolution._sum, np)),
        Spelling("shifts added", _convolution_shifts),
        Spelling("windows", _convolution_windows),
        Spelling("a product for each output", _convolution_elements),
    ), sizes=(10, 3000), usual=300, wrt=(0, 1),
        jax=lambda jax, x, k: convolution._sum(jax.numpy, x, k)),
    Model("logistic", _logistic_data, (
        Spelling("special functions", _logistic_special),
        Spelling("logaddexp", _logistic_logaddexp),
        Spelling("where", _logistic_where),
        Spelling("a sample at a time", _logistic_samples),
    ), sizes=(5, 10_000), usual=300, jax=_logistic_jax),
    Model("eigenvalues", _values_data, (
        Spelling("eigvalsh", functools.partial(decompositions._eigvalsh, np)),
        Spelling("eigh", _values_both),
        Spelling("a sum of numbers", _values_library),
    ), sizes=(3, 100), usual=20, work=lambda n: n**3,
        jax=lambda jax, a: decompositions._eigvalsh(jax.numpy, a)),
]  # fmt: skip
