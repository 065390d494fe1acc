"""Distributions of scipy.stats by name: parameters, and points inside of the support."""

import numpy as np

LOC, SCALE = 0.3, 1.7
# In standard form.
CONTINUOUS = {
    "norm": ((), (-1.2, 0.4, 2.5)),
    "lognorm": ((0.8,), (0.3, 1.2, 2.6)),
    "uniform": ((), (0.1, 0.5, 0.8)),
    "expon": ((), (0.2, 1.1, 3.0)),
    "cauchy": ((), (-1.5, 0.4, 2.0)),
    "laplace": ((), (-1.2, 0.4, 2.5)),
    "logistic": ((), (-1.2, 0.4, 2.5)),
    "weibull_min": ((1.6,), (0.3, 1.2, 2.1)),
    "weibull_max": ((1.6,), (-2.0, -1.1, -0.3)),
    "pareto": ((2.2,), (1.2, 1.9, 3.3)),
    "gumbel_r": ((), (-1.2, 0.4, 2.5)),
    "gumbel_l": ((), (-2.5, 0.4, 1.1)),
    "halfnorm": ((), (0.2, 1.1, 2.0)),
    "halfcauchy": ((), (0.2, 1.1, 2.0)),
    "rayleigh": ((), (0.2, 1.1, 2.0)),
    "truncnorm": ((-1.4, 2.2), (-1.2, 0.4, 1.9)),
    "gamma": ((2.3,), (0.4, 1.6, 4.0)),
    "invgamma": ((2.3,), (0.2, 0.6, 1.7)),
    "chi2": ((3.4,), (0.6, 2.6, 6.0)),
    "chi": ((3.4,), (0.6, 1.6, 2.8)),
    "maxwell": ((), (0.6, 1.6, 2.8)),
    "beta": ((2.1, 1.3), (0.2, 0.5, 0.8)),
    "t": ((4.2,), (-1.6, 0.3, 2.2)),
    "f": ((3.1, 5.2), (0.3, 1.1, 2.7)),
    "genextreme": ((-0.2,), (-1.2, 0.4, 2.5)),
    "genpareto": ((0.3,), (0.2, 1.1, 3.0)),
    "lomax": ((2.2,), (0.2, 1.1, 3.0)),
    "fisk": ((2.2,), (0.2, 1.1, 3.0)),
    "burr12": ((2.2, 1.4), (0.2, 1.1, 3.0)),
    "betaprime": ((2.2, 3.4), (0.2, 0.6, 1.5)),
    "gompertz": ((0.8,), (0.2, 0.6, 1.5)),
    "exponweib": ((1.7, 1.3), (0.2, 0.9, 2.0)),
    "nakagami": ((1.3,), (0.3, 0.9, 1.7)),
    "invgauss": ((0.9,), (0.3, 0.9, 2.1)),
    "levy": ((), (0.3, 1.9, 7.0)),
    "skewnorm": ((0.8,), (-0.7, 0.4, 1.9)),
    "exponnorm": ((1.4,), (-0.7, 0.9, 3.0)),
    "gennorm": ((1.4,), (-1.2, 0.4, 2.0)),
    "johnsonsu": ((0.4, 1.3), (-1.2, 0.4, 2.0)),
    "hypsecant": ((), (-1.2, 0.4, 2.0)),
    "moyal": ((), (-1.2, 0.4, 3.0)),
    "halflogistic": ((), (0.2, 1.1, 3.0)),
    "genlogistic": ((1.6,), (-1.2, 0.4, 3.0)),
    "loggamma": ((1.6,), (-1.2, 0.4, 1.3)),
    "rice": ((0.8,), (0.4, 1.1, 2.4)),
    "powerlaw": ((1.7,), (0.2, 0.5, 0.9)),
    "triang": ((0.4,), (0.2, 0.55, 0.9)),
    "arcsine": ((), (0.2, 0.5, 0.9)),
    "loguniform": ((0.5, 4.0), (0.6, 1.5, 3.3)),
}
WITHOUT_INVERSE = ("skewnorm", "exponnorm", "invgauss")
DISCRETE = {
    "poisson": ((2.4,), (0, 2, 5)),
    "binom": ((6, 0.35), (0, 2, 5)),
    "bernoulli": ((0.35,), (0, 1, 1)),
    "geom": ((0.35,), (1, 2, 5)),
    "nbinom": ((3.5, 0.45), (0, 2, 5)),
}
# Those whose parameters are counts, of which the derivative is not asked.
COUNTS = {"binom": 1}


def continuous(name):
    """Points in the support for location LOC and scale SCALE, and the shapes."""
    shapes, points = CONTINUOUS[name]
    return np.array(points) * SCALE + LOC, shapes
