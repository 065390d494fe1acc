"""jax.nn.initializers: functions (key, shape, dtype) that draw first weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tapegrad.compat.jax import random
from tapegrad.compat.jax.arrays import wrap

Initializer = Callable[..., Any]


def zeros(key: Any, shape: Any, dtype: Any = float) -> Any:
    """Zeros."""
    return wrap(np.zeros(shape, dtype))


def ones(key: Any, shape: Any, dtype: Any = float) -> Any:
    """Ones."""
    return wrap(np.ones(shape, dtype))


def constant(value: Any, dtype: Any = float) -> Initializer:
    """One number."""
    return lambda key, shape, dtype=dtype: wrap(np.full(shape, value, dtype))


def uniform(scale: Any = 1e-2, dtype: Any = float) -> Initializer:
    """Uniform between 0 and `scale`."""
    return lambda key, shape, dtype=dtype: random.uniform(key, shape, dtype) * scale


def normal(stddev: Any = 1e-2, dtype: Any = float) -> Initializer:
    """Normal of mean 0."""
    return lambda key, shape, dtype=dtype: random.normal(key, shape, dtype) * stddev


def truncated_normal(
    stddev: Any = 1e-2, dtype: Any = float, lower: Any = -2.0, upper: Any = 2.0
) -> Initializer:
    """Normal of mean 0, cut off."""

    def draw(key: Any, shape: Any, dtype: Any = dtype) -> Any:
        return random.truncated_normal(key, lower, upper, shape, dtype) * stddev

    return draw


def orthogonal(scale: Any = 1.0, column_axis: int = -1, dtype: Any = float) -> Initializer:
    """Orthogonal rows or columns."""

    def draw(key: Any, shape: Any, dtype: Any = dtype) -> Any:
        columns = shape[column_axis]
        rows = int(np.prod(shape)) // columns
        wide = rows < columns
        a = random.normal(key, (columns, rows) if wide else (rows, columns), dtype)
        q, r = np.linalg.qr(np.asarray(a))
        q = q * np.sign(np.diagonal(r))
        q = q.T if wide else q
        q = q.reshape((*np.delete(shape, column_axis), columns))
        return wrap(scale * np.moveaxis(q, -1, column_axis))

    return draw


def variance_scaling(
    scale: Any, mode: str, distribution: str, in_axis: Any = -2, out_axis: Any = -1,
    dtype: Any = float,
) -> Initializer:  # fmt: skip
    """Of a variance of `scale` over the number of inputs, outputs or their mean."""

    def draw(key: Any, shape: Any, dtype: Any = dtype) -> Any:
        if len(shape) < 2:
            raise ValueError(f"variance_scaling: shape {tuple(shape)} has no axes for in and out")
        inputs, outputs = (_size(shape, axis) for axis in (in_axis, out_axis))
        field = int(np.prod(shape)) // (inputs * outputs)
        fans: dict[str, float] = {"fan_in": inputs * field, "fan_out": outputs * field}
        fans["fan_avg"] = (fans["fan_in"] + fans["fan_out"]) / 2
        if mode not in fans:
            raise ValueError(f"variance_scaling: mode is {', '.join(fans)}, not {mode!r}")
        variance = scale / fans[mode]
        if distribution == "normal":
            return random.normal(key, shape, dtype) * np.sqrt(variance)
        if distribution == "uniform":
            return random.uniform(key, shape, dtype, -1) * np.sqrt(3 * variance)
        if distribution == "truncated_normal":
            # The standard deviation of the normal cut off at -2 and 2.
            stddev = np.sqrt(variance) / 0.87962566103423978
            return random.truncated_normal(key, -2, 2, shape, dtype) * stddev
        raise ValueError(
            "variance_scaling: distribution is normal, uniform or truncated_normal, not "
            f"{distribution!r}"
        )

    return draw


def _size(shape: Any, axis: Any) -> int:
    return int(np.prod([shape[i] for i in np.atleast_1d(axis)]))


def _scaling(scale: float, mode: str, distribution: str) -> Callable[..., Initializer]:
    return partial(variance_scaling, scale, mode, distribution)


glorot_uniform = xavier_uniform = _scaling(1.0, "fan_avg", "uniform")
glorot_normal = xavier_normal = _scaling(1.0, "fan_avg", "truncated_normal")
lecun_uniform = _scaling(1.0, "fan_in", "uniform")
lecun_normal = _scaling(1.0, "fan_in", "truncated_normal")
he_uniform = kaiming_uniform = _scaling(2.0, "fan_in", "uniform")
he_normal = kaiming_normal = _scaling(2.0, "fan_in", "truncated_normal")
