"""`torch.distributions`: densities, entropies and draws of the common distributions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapegrad.compat.torch.core.call import is_tensor, new
from tapegrad.compat.torch.core.functions import FUNCTIONS
from tapegrad.compat.torch.core.modes import no_grad
from tapegrad.compat.torch.core.size import Size
from tapegrad.compat.torch.nn import functional as F  # noqa: N812 - PyTorch's habit
from tapegrad.compat.torch.random import made, numpy_generator
from tapegrad.compat.torch.refusals import refusing

__all__ = [
    "Bernoulli",
    "Beta",
    "Categorical",
    "Distribution",
    "Exponential",
    "Gamma",
    "Laplace",
    "Normal",
    "Poisson",
    "Uniform",
    "kl_divergence",
]

__getattr__ = refusing(
    __name__,
    {
        "MultivariateNormal": "write its density with torch.linalg.cholesky and "
        "torch.linalg.solve, and draw mean + L @ torch.randn(n)",
        "Independent": "write d.log_prob(x).sum(-1)",
    },
)


def _tensors(*values: Any) -> list[Any]:
    """Parameters as tensors of one shape."""
    given = [v if is_tensor(v) else FUNCTIONS["tensor"](float(v)) for v in values]
    return list(FUNCTIONS["broadcast_tensors"](*given))


class Distribution:
    """The base: `sample`, `log_prob`, `entropy`, `mean`, `variance`."""

    mean: Any
    variance: Any
    batch_shape: Size

    def _draw(self, generator: Any, shape: tuple[int, ...]) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no draws")

    def sample(self, sample_shape: Any = ()) -> Any:
        """Draws, through which no gradient flows."""
        with no_grad():
            a = self._draw(numpy_generator(None), (*sample_shape, *self.batch_shape))
            return made(a, self._dtype)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Draws that are a function of the parameters, so that gradients flow through them."""
        raise NotImplementedError(f"{type(self).__name__}.rsample: draw with sample()")

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density, or of the probability."""
        raise NotImplementedError(f"{type(self).__name__} has no density")

    @property
    def stddev(self) -> Any:
        """The standard deviation."""
        return self.variance.sqrt()

    def _take(self, *parameters: Any) -> list[Any]:
        found = _tensors(*parameters)
        self.batch_shape, self._dtype = found[0].shape, found[0].dtype
        return found


class _Shifted(Distribution):
    """A location and a scale."""

    def __init__(self, loc: Any, scale: Any, validate_args: Any = None) -> None:
        self.loc, self.scale = self._take(loc, scale)
        if not (self.scale.plain() > 0).all():
            raise ValueError(f"{type(self).__name__}: scale must be positive, not {self.scale}")
        self.mean = self.loc

    def _standard(self, generator: Any, shape: tuple[int, ...]) -> Any:
        raise NotImplementedError

    def _draw(self, generator: Any, shape: tuple[int, ...]) -> Any:
        return self.loc.plain() + self.scale.plain() * self._standard(generator, shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Location plus scale times draws of the standard distribution."""
        shape = (*sample_shape, *self.batch_shape)
        noise = self._standard(numpy_generator(None), shape)
        return self.loc + self.scale * made(noise, self._dtype)


class Normal(_Shifted):
    """The normal distribution."""

    def _standard(self, generator: Any, shape: tuple[int, ...]) -> Any:
        return generator.standard_normal(shape)

    @property
    def variance(self) -> Any:
        """The square of the scale."""
        return self.scale**2

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density."""
        z = (value - self.loc) / self.scale
        return -0.5 * z * z - self.scale.log() - 0.5 * math.log(2 * math.pi)

    def entropy(self) -> Any:
        """How uncertain a draw is."""
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log()

    def cdf(self, value: Any) -> Any:
        """The distribution function."""
        return 0.5 * (1 + FUNCTIONS["erf"]((value - self.loc) / (self.scale * math.sqrt(2))))


class Laplace(_Shifted):
    """The two-sided exponential distribution."""

    def _standard(self, generator: Any, shape: tuple[int, ...]) -> Any:
        return generator.laplace(size=shape)

    @property
    def variance(self) -> Any:
        """Twice the square of the scale."""
        return 2 * self.scale**2

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density."""
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def entropy(self) -> Any:
        """How uncertain a draw is."""
        return 1 + (2 * self.scale).log()


class Uniform(Distribution):
    """Equal density between two bounds."""

    def __init__(self, low: Any, high: Any, validate_args: Any = None) -> None:
        self.low, self.high = self._take(low, high)
        self.mean, self.variance = (self.low + self.high) / 2, (self.high - self.low) ** 2 / 12

    def _draw(self, generator: Any, shape: tuple[int, ...]) -> Any:
        return generator.uniform(self.low.plain(), self.high.plain(), shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """The lower bound plus a share of the length."""
        noise = numpy_generator(None).random((*sample_shape, *self.batch_shape))
        return self.low + (self.high - self.low) * made(noise, self._dtype)

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density: minus infinity outside."""
        inside = (value >= self.low).logical_and(value < self.high)
        return inside.to(self._dtype).log() - (self.high - self.low).log()

    def entropy(self) -> Any:
        """How uncertain a draw is."""
        return (self.high - self.low).log()


class Exponential(Distribution):
    """Waiting times of a rate."""

    def __init__(self, rate: Any, validate_args: Any = None) -> None:
        (self.rate,) = self._take(rate)
        self.mean, self.variance = self.rate.reciprocal(), self.rate**-2

    def _draw(self, generator: Any, shape: tuple[int, ...]) -> Any:
        return generator.exponential(size=shape) / self.rate.plain()

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Draws of rate 1, divided by the rate."""
        shape = (*sample_shape, *self.batch_shape)
        return made(numpy_generator(None).exponential(size=shape), self._dtype) / self.rate

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density."""
        return self.rate.log() - self.rate * value

    def entropy(self) -> Any:
        """How uncertain a draw is."""
        return 1 - self.rate.log()


class Gamma(Distribution):
    """Sums of waiting times."""

    def __init__(self, concentration: Any, rate: Any, validate_args: Any = None) -> None:
        self.concentration, self.rate = self._take(concentration, rate)
        self.mean = self.concentration / self.rate
        self.variance = self.mean / self.rate

    def _draw(self, generator: Any, shape: tuple[int, ...]) -> Any:
        return generator.gamma(self.concentration.plain(), 1 / self.rate.plain(), shape)

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density."""
        x = value if is_tensor(value) else FUNCTIONS["tensor"](float(value))
        a, b = self.concentration, self.rate
        return FUNCTIONS["xlogy"](a, b) + FUNCTIONS["xlogy"](a - 1, x) - b * x - a.lgamma()


class Beta(Distribution):
    """Shares between 0 and 1."""

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: Any = None) -> None:
        self.concentration1, self.concentration0 = self._take(concentration1, concentration0)
        total = self.concentration1 + self.concentration0
        self.mean = self.concentration1 / total
        self.variance = self.mean * (1 - self.mean) / (total + 1)

    def _draw(self, generator: Any, shape: tuple[int, ...]) -> Any:
        return generator.beta(self.concentration1.plain(), self.concentration0.plain(), shape)

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density."""
        a, b = self.concentration1, self.concentration0
        inside = FUNCTIONS["xlogy"](a - 1, value) + FUNCTIONS["xlogy"](b - 1, 1 - value)
        return inside + (a + b).lgamma() - a.lgamma() - b.lgamma()


class Poisson(Distribution):
    """Counts of a rate."""

    def __init__(self, rate: Any, validate_args: Any = None) -> None:
        (self.rate,) = self._take(rate)
        self.mean = self.variance = self.rate

    def _draw(self, generator: Any, shape: tuple[int, ...]) -> Any:
        return generator.poisson(self.rate.plain(), shape)

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the probability."""
        return FUNCTIONS["xlogy"](value, self.rate) - self.rate - (value + 1).lgamma()


class Bernoulli(Distribution):
    """One with a probability, else zero."""

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: Any = None) -> None:
        if (probs is None) == (logits is None):
            raise ValueError(
                f"{type(self).__name__}: probs or logits, one of the two, and here it is "
                f"{'neither' if probs is None else 'both'}"
            )
        if logits is None:
            (self.probs,) = self._take(probs)
            tiny = float(np.finfo(self.probs.dtype.numpy).eps)
            inside = self.probs.clamp(tiny, 1 - tiny)
            self.logits = inside.log() - (-inside).log1p()
        else:
            (self.logits,) = self._take(logits)
            self.probs = self.logits.sigmoid()
        self.mean, self.variance = self.probs, self.probs * (1 - self.probs)

    def _draw(self, generator: Any, shape: tuple[int, ...]) -> Any:
        return generator.random(shape) < self.probs.plain()

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the probability."""
        logits, value = FUNCTIONS["broadcast_tensors"](self.logits, value)
        return -F.binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Any:
        """How uncertain a draw is."""
        return F.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")


class Categorical(Distribution):
    """One of several classes, along the last axis of the probabilities."""

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: Any = None) -> None:
        if (probs is None) == (logits is None):
            raise ValueError(
                f"{type(self).__name__}: probs or logits, one of the two, and here it is "
                f"{'neither' if probs is None else 'both'}"
            )
        if logits is None:
            self.probs = probs / probs.sum(-1, keepdim=True)
            tiny = float(np.finfo(probs.dtype.numpy).eps)
            self.logits = self.probs.clamp(tiny, 1 - tiny).log()
        else:
            self.logits = logits - logits.logsumexp(-1, keepdim=True)
            self.probs = self.logits.softmax(-1)
        self.batch_shape = self.logits.shape[:-1]

    def sample(self, sample_shape: Any = ()) -> Any:
        """Indices of classes."""
        ends = np.cumsum(self.probs.plain(), -1)
        shape = (*sample_shape, *self.batch_shape, 1)
        drawn = numpy_generator(None).random(shape) * ends[..., -1:]
        return new(np.asarray((drawn >= ends).sum(-1), np.int64))

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the probability."""
        shape = np.broadcast_shapes(tuple(value.shape), tuple(self.batch_shape))
        index = value.long().expand(*shape).unsqueeze(-1)
        logits = self.logits.expand(*shape, self.logits.shape[-1])
        return logits.gather(-1, index).squeeze(-1)

    def entropy(self) -> Any:
        """How uncertain a draw is."""
        return -(self.logits * self.probs).sum(-1)


def kl_divergence(p: Distribution, q: Distribution) -> Any:
    """How much p differs from q: of two normal, categorical or Bernoulli distributions."""
    if isinstance(p, Normal) and isinstance(q, Normal):
        ratio = (p.scale / q.scale) ** 2
        return 0.5 * (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - ratio.log())
    if isinstance(p, Categorical) and isinstance(q, Categorical):
        return (p.probs * (p.logits - q.logits)).sum(-1)
    if isinstance(p, Bernoulli) and isinstance(q, Bernoulli):
        return p.probs * (p.logits - q.logits) + F.softplus(q.logits) - F.softplus(p.logits)
    raise NotImplementedError(
        f"kl_divergence of {type(p).__name__} and {type(q).__name__}: there is that of two Normal, "
        "Categorical or Bernoulli; write the mean of p.log_prob(x) - q.log_prob(x) over draws x"
    )
