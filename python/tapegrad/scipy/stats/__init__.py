"""scipy.stats with derivatives; what has none here is SciPy's own."""

from tapegrad.scipy.functions import others_of
from tapegrad.scipy.stats.continuous import (
    cauchy,
    expon,
    gumbel_l,
    gumbel_r,
    halfcauchy,
    halfnorm,
    laplace,
    logistic,
    lognorm,
    norm,
    pareto,
    rayleigh,
    truncnorm,
    uniform,
    weibull_max,
    weibull_min,
)
from tapegrad.scipy.stats.discrete import bernoulli, binom, geom, nbinom, poisson
from tapegrad.scipy.stats.gamma_family import beta, chi, chi2, f, gamma, invgamma, maxwell, t
from tapegrad.scipy.stats.multivariate import (
    dirichlet,
    gaussian_kde,
    multivariate_normal,
    multivariate_t,
)

__all__ = [
    "bernoulli", "beta", "binom", "cauchy", "chi", "chi2", "dirichlet", "expon", "f", "gamma",
    "gaussian_kde", "geom", "gumbel_l", "gumbel_r", "halfcauchy", "halfnorm", "invgamma",
    "laplace", "logistic", "lognorm", "maxwell", "multivariate_normal", "multivariate_t", "nbinom",
    "norm", "pareto", "poisson", "rayleigh", "t", "truncnorm", "uniform", "weibull_max",
    "weibull_min",
]  # fmt: skip

__getattr__ = others_of("scipy.stats")
