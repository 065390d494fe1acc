"""jax.random: numbers that a key determines, the same bits as JAX's.

A key is a pair of 32-bit words, in an array; typed keys (`jax.random.key`) are the same. Draws
take keys inside of transforms too: a program draws anew at each call, a lane by its own key.

>>> from tapegrad.compat import jax
>>> key, subkey = jax.random.split(jax.random.PRNGKey(0))
>>> jax.random.uniform(subkey, (2,)).shape
(2,)
"""

from __future__ import annotations

from tapegrad.compat.jax.random.distributions import (
    bernoulli,
    categorical,
    cauchy,
    choice,
    exponential,
    geometric,
    gumbel,
    laplace,
    logistic,
    lognormal,
    maxwell,
    multivariate_normal,
    orthogonal,
    pareto,
    rademacher,
    rayleigh,
    triangular,
    truncated_normal,
    weibull_min,
)
from tapegrad.compat.jax.random.draws import (
    PRNGKey,
    bits,
    clone,
    fold_in,
    key,
    key_data,
    normal,
    permutation,
    randint,
    split,
    uniform,
    wrap_key_data,
)
from tapegrad.compat.jax.refusals import refusing

__getattr__ = refusing(__name__, "random.")

__all__ = [
    "PRNGKey",
    "bernoulli",
    "bits",
    "categorical",
    "cauchy",
    "choice",
    "clone",
    "exponential",
    "fold_in",
    "geometric",
    "gumbel",
    "key",
    "key_data",
    "laplace",
    "logistic",
    "lognormal",
    "maxwell",
    "multivariate_normal",
    "normal",
    "orthogonal",
    "pareto",
    "permutation",
    "rademacher",
    "randint",
    "rayleigh",
    "split",
    "triangular",
    "truncated_normal",
    "uniform",
    "weibull_min",
    "wrap_key_data",
]
