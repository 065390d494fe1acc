"""`RandomStreams`: expressions that are drawn anew at each call."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.theano.tensor.shaping import _list
from tapegrad.compat.theano.variables import config, graph, operand, store
from tapegrad.graph.operations import Draw


class RandomStreams:
    """Draws by a seed: each expression has a stream of its own.

    A function that is made with `no_default_updates=True` draws the same numbers at each call.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._seed = seed
        self._made: list[Any] = []

    def seed(self, seed: int | None = None) -> None:
        """Every stream starts again."""
        self._seed = seed
        for k, node in enumerate(self._made):
            store.drawing(node).rng = np.random.default_rng(self._start(k))

    def _start(self, k: int) -> Any:
        return None if self._seed is None else [self._seed, k]

    def _draw(self, function: Any, *args: Any) -> Any:
        given = tuple(operand(_list(x)) for x in args)
        start = self._start(len(self._made))
        node = graph.node(Draw(function, given, start, function.__name__.strip("_")))
        self._made.append(node)
        return node

    def uniform(
        self, size: Any = (), low: Any = 0.0, high: Any = 1.0, ndim: Any = None, dtype: Any = None
    ) -> Any:
        """Numbers between two bounds."""
        return self._draw(_uniform, size, low, high, dtype or config.floatX)

    def normal(
        self, size: Any = (), avg: Any = 0.0, std: Any = 1.0, ndim: Any = None, dtype: Any = None
    ) -> Any:
        """Normal numbers."""
        return self._draw(_normal, size, avg, std, dtype or config.floatX)

    def binomial(
        self, size: Any = (), n: Any = 1, p: Any = 0.5, ndim: Any = None, dtype: Any = "int64",
        prob: Any = None,
    ) -> Any:  # fmt: skip
        """Numbers of successes in n trials."""
        return self._draw(_binomial, size, n, p if prob is None else prob, dtype)

    def random_integers(
        self, size: Any = (), low: Any = 0, high: Any = 1, ndim: Any = None, dtype: Any = "int64"
    ) -> Any:
        """Integers from `low` to `high`, both of them included."""
        return self._draw(_integers, size, low, high, dtype)

    def multinomial(
        self, size: Any = (), n: int = 1, pvals: Any = (0.5, 0.5), ndim: Any = None,
        dtype: Any = "int64",
    ) -> Any:  # fmt: skip
        """How often each class is drawn in n trials, for each row of probabilities."""
        _of_rows("multinomial", size)
        return self._draw(_multinomial, n, pvals, dtype)

    def permutation(
        self, size: Any = (), n: Any = 1, ndim: Any = None, dtype: Any = "int64"
    ) -> Any:
        """The numbers below n in another order."""
        _of_rows("permutation", size)
        return self._draw(_permutation, n, dtype)

    def choice(
        self, size: Any = (), a: Any = 2, replace: bool = True, p: Any = None, **_: Any
    ) -> Any:
        """Numbers below `a`, by their probabilities."""
        return self._draw(_choice, size, a, replace, p)


MRG_RandomStreams = RandomStreams


def _of_rows(name: str, size: Any) -> None:
    if size is not None and np.ndim(size) + np.size(size) and tuple(np.ravel(size)):
        raise NotImplementedError(
            f"RandomStreams.{name}: size={size!r} is not there; draw as often, and stack "
            "the results"
        )


def _size(size: Any) -> Any:
    return tuple([int(n) for n in size]) if np.ndim(size) else (int(size),)


def _uniform(rng: Any, size: Any, low: Any, high: Any, dtype: str) -> Any:
    return np.asarray(low + rng.random(_size(size)) * (high - low)).astype(dtype)[()]


def _normal(rng: Any, size: Any, avg: Any, std: Any, dtype: str) -> Any:
    return np.asarray(rng.normal(size=_size(size)) * std + avg).astype(dtype)[()]


def _binomial(rng: Any, size: Any, n: Any, p: Any, dtype: str) -> Any:
    lengths = _size(size) if np.ndim(p) == 0 or np.size(size) else np.shape(p)
    return np.asarray(rng.binomial(n, np.asarray(p), lengths)).astype(dtype)[()]


def _integers(rng: Any, size: Any, low: Any, high: Any, dtype: str) -> Any:
    return np.asarray(rng.integers(low, high, _size(size), endpoint=True)).astype(dtype)[()]


def _multinomial(rng: Any, n: int, p: Any, dtype: str) -> Any:
    return rng.multinomial(n, np.asarray(p)).astype(dtype)


def _permutation(rng: Any, n: Any, dtype: str) -> Any:
    return rng.permutation(int(n)).astype(dtype)


def _choice(rng: Any, size: Any, a: Any, replace: bool, p: Any) -> Any:
    return rng.choice(int(a), _size(size), replace, None if p is None else np.asarray(p))
