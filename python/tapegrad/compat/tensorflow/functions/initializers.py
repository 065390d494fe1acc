"""Initialisers of variables: functions of a shape that give a tensor."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from tapegrad.compat.tensorflow.functions import arrays
from tapegrad.compat.tensorflow.functions.random import (
    random_normal,
    random_uniform,
    truncated_normal,
)
from tapegrad.compat.tensorflow.refusals import refusing
from tapegrad.compat.tensorflow.tensors import constant


class Initializer:
    """A function of a shape, with settings."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        names = self.settings
        self.held = {**names, **dict(zip(names, args, strict=False)), **kwargs}

    settings: ClassVar[dict[str, Any]] = {}

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        return self.make(shape, dtype or self.held.get("dtype") or np.float64)

    def make(self, shape: Any, dtype: Any) -> Any:
        """The tensor."""
        raise NotImplementedError(f"{type(self).__name__} has no make(shape, dtype), the tensor")


class zeros_initializer(Initializer):  # noqa: N801 - TensorFlow's name
    """Zeros."""

    settings: ClassVar[dict[str, Any]] = {"dtype": None}

    def make(self, shape: Any, dtype: Any) -> Any:
        return arrays.zeros(shape, dtype)


class ones_initializer(Initializer):  # noqa: N801 - TensorFlow's name
    """Ones."""

    settings: ClassVar[dict[str, Any]] = {"dtype": None}

    def make(self, shape: Any, dtype: Any) -> Any:
        return arrays.ones(shape, dtype)


class constant_initializer(Initializer):  # noqa: N801 - TensorFlow's name
    """A value, or an array, everywhere."""

    settings: ClassVar[dict[str, Any]] = {"value": 0, "dtype": None}

    def make(self, shape: Any, dtype: Any) -> Any:
        return constant(self.held["value"], dtype, shape)


class random_normal_initializer(Initializer):  # noqa: N801 - TensorFlow's name
    """Normal numbers."""

    settings: ClassVar[dict[str, Any]] = {"mean": 0.0, "stddev": 1.0, "seed": None, "dtype": None}

    def make(self, shape: Any, dtype: Any) -> Any:
        h = self.held
        return random_normal(shape, h["mean"], h["stddev"], dtype, h["seed"])


class truncated_normal_initializer(Initializer):  # noqa: N801 - TensorFlow's name
    """Normal numbers within two standard deviations."""

    settings: ClassVar[dict[str, Any]] = {"mean": 0.0, "stddev": 1.0, "seed": None, "dtype": None}

    def make(self, shape: Any, dtype: Any) -> Any:
        h = self.held
        return truncated_normal(shape, h["mean"], h["stddev"], dtype, h["seed"])


class random_uniform_initializer(Initializer):  # noqa: N801 - TensorFlow's name
    """Numbers between two bounds."""

    settings: ClassVar[dict[str, Any]] = {"minval": 0.0, "maxval": 1.0, "seed": None, "dtype": None}

    def make(self, shape: Any, dtype: Any) -> Any:
        h = self.held
        return random_uniform(shape, h["minval"], h["maxval"], dtype, h["seed"])


class orthogonal_initializer(Initializer):  # noqa: N801 - TensorFlow's name
    """A matrix with orthonormal rows or columns."""

    settings: ClassVar[dict[str, Any]] = {"gain": 1.0, "seed": None, "dtype": None}

    def make(self, shape: Any, dtype: Any) -> Any:
        rows, columns = int(np.prod(shape[:-1])), int(shape[-1])
        h = self.held
        rng = np.random.default_rng(h["seed"])
        q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))
        return constant(h["gain"] * (q if rows >= columns else q.T).reshape(shape), dtype)


class variance_scaling_initializer(Initializer):  # noqa: N801 - TensorFlow's name
    """Numbers whose variance is `scale` over the number of inputs, outputs, or their mean."""

    settings: ClassVar[dict[str, Any]] = {
        "scale": 1.0,
        "mode": "fan_in",
        "distribution": "truncated_normal",
        "seed": None,
        "dtype": None,
    }

    def make(self, shape: Any, dtype: Any) -> Any:
        h = self.held
        fan_in, fan_out = _fans([int(n) for n in shape])
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        scale = h["scale"] / max(1.0, fan[h["mode"]])
        if h["distribution"] == "uniform":
            limit = math.sqrt(3.0 * scale)
            return random_uniform(shape, -limit, limit, dtype, h["seed"])
        if h["distribution"] == "untruncated_normal":
            return random_normal(shape, 0.0, math.sqrt(scale), dtype, h["seed"])
        # The standard deviation of a normal number within two of them.
        return truncated_normal(
            shape, 0.0, math.sqrt(scale) / 0.87962566103423978, dtype, h["seed"]
        )


def _fans(shape: list[int]) -> tuple[float, float]:
    if len(shape) < 2:
        n = shape[0] if shape else 1
        return n, n
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


def glorot_uniform_initializer(seed: Any = None, dtype: Any = None) -> Initializer:
    """Glorot and Bengio, 2010: uniform, by the mean of inputs and outputs."""
    return variance_scaling_initializer(1.0, "fan_avg", "uniform", seed, dtype)


def glorot_normal_initializer(seed: Any = None, dtype: Any = None) -> Initializer:
    """Glorot and Bengio, 2010: normal, by the mean of inputs and outputs."""
    return variance_scaling_initializer(1.0, "fan_avg", "truncated_normal", seed, dtype)


def he_normal(seed: Any = None, dtype: Any = None) -> Initializer:
    """He et al., 2015: normal, by twice the number of inputs."""
    return variance_scaling_initializer(2.0, "fan_in", "truncated_normal", seed, dtype)


def he_uniform(seed: Any = None, dtype: Any = None) -> Initializer:
    """He et al., 2015: uniform, by twice the number of inputs."""
    return variance_scaling_initializer(2.0, "fan_in", "uniform", seed, dtype)


__getattr__ = refusing("initializers", globals())
