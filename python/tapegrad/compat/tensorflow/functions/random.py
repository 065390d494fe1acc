"""Random tensors: other numbers at each run, the same ones for a seed in each session."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.tensorflow.dispatch import Mode, is_eager
from tapegrad.compat.tensorflow.dtypes import numpy_dtype
from tapegrad.compat.tensorflow.functions.arrays import _lengths, _plain
from tapegrad.compat.tensorflow.refusals import refusing
from tapegrad.compat.tensorflow.tensors import get_default_graph
from tapegrad.graph.operations import Draw


def set_random_seed(seed: int | None) -> None:
    """Draws that are made from here on start the same in each session."""
    get_default_graph().seed = seed
    _Eager.rng = np.random.default_rng(seed)


class _Eager:
    rng = np.random.default_rng()


def _node(draw: Any, args: tuple[Any, ...], seed: Any, label: str, name: str | None) -> Any:
    if Mode.eager or is_eager(args):
        rng = _Eager.rng if seed is None else np.random.default_rng(seed)
        return Mode.wrap(draw(rng, *[Mode.unwrap(x) for x in args]))
    graph = get_default_graph()
    if seed is None and graph.seed is None:
        start = None
    else:
        start = [graph.seed or 0, len(graph.nodes) if seed is None else int(seed)]
    return graph.node(Draw(draw, args, start, label), name)


def random_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = np.float64,
    seed: Any = None,
    name: str | None = None,
) -> Any:
    """Normal numbers."""
    args = (_plain(shape), mean, stddev, numpy_dtype(dtype).name)
    return _node(_normal, args, seed, "random_normal", name)


def _normal(rng: Any, shape: Any, mean: Any, stddev: Any, dtype: str) -> Any:
    return (rng.normal(size=_lengths(shape)) * stddev + mean).astype(dtype)


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = np.float64,
    seed: Any = None,
    name: str | None = None,
) -> Any:
    """Normal numbers of which those beyond two standard deviations are drawn again."""
    args = (_plain(shape), mean, stddev, numpy_dtype(dtype).name)
    return _node(_truncated, args, seed, "truncated_normal", name)


def _truncated(rng: Any, shape: Any, mean: Any, stddev: Any, dtype: str) -> Any:
    found = rng.normal(size=_lengths(shape))
    while True:
        far = np.abs(found) > 2.0
        if not far.any():
            return (found * stddev + mean).astype(dtype)
        found[far] = rng.normal(size=int(far.sum()))


def random_uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = np.float64,
    seed: Any = None,
    name: str | None = None,
) -> Any:
    """Numbers between two bounds, 0 and 1 by default; integers where the dtype is of such."""
    kind = numpy_dtype(dtype)
    if maxval is None:
        if kind.kind != "f":
            raise ValueError(
                f"random_uniform: integers of {kind.name} have no upper bound by default; "
                "tf.random_uniform(shape, 0, 10, tf.int32) has 10"
            )
        maxval = 1.0
    args = (_plain(shape), minval, maxval, kind.name)
    return _node(_uniform, args, seed, "random_uniform", name)


def _uniform(rng: Any, shape: Any, low: Any, high: Any, dtype: str) -> Any:
    lengths = _lengths(shape)
    if np.dtype(dtype).kind == "f":
        return (low + rng.random(lengths) * (high - low)).astype(dtype)
    return rng.integers(low, high, lengths).astype(dtype)


def random_shuffle(value: Any, seed: Any = None, name: str | None = None) -> Any:
    """The rows in another order."""
    return _node(_shuffled, (value,), seed, "random_shuffle", name)


def _shuffled(rng: Any, x: Any) -> Any:
    return np.take(x, rng.permutation(len(x)), axis=0)


def multinomial(logits: Any, num_samples: int, seed: Any = None, name: str | None = None) -> Any:
    """Classes, drawn for each row of logits."""
    return _node(_drawn_classes, (logits, num_samples), seed, "multinomial", name)


categorical = multinomial


def _drawn_classes(rng: Any, logits: Any, n: int) -> Any:
    noise = rng.gumbel(size=(np.shape(logits)[0], n, np.shape(logits)[1]))
    return np.argmax(np.asarray(logits)[:, None, :] + noise, axis=-1)


normal, uniform, shuffle = random_normal, random_uniform, random_shuffle
set_seed = set_random_seed


__getattr__ = refusing("random", globals())
