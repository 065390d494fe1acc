"""Calls of scipy.interpolate, by name: the function of data and points, and its arguments."""

import numpy as np

from tapegrad.scipy import interpolate


def draw(*shape, seed=5):
    return np.random.default_rng(seed).standard_normal(shape)


X = np.array([0.0, 0.7, 1.5, 2.1, 3.4, 4.0])
Y, YY = draw(6), draw(2, 6)
AT = np.array([0.3, 1.2, 1.9, 2.9, 3.8])
BEYOND = np.array([-0.4, 1.2, 4.6])
MONOTONE = np.array([0.1, 0.5, 2.0, 2.2, 3.5, 6.0])


def curve(name, *rest, **given):
    return lambda x, y, at: getattr(interpolate, name)(x, y, *rest, **given)(at)


CASES = {
    **{
        f"interp1d {kind}": (curve("interp1d", kind), (X, Y, AT))
        for kind in ("linear", "nearest", "nearest-up", "previous", "next", "zero", "slinear",
                     "quadratic", "cubic", 4)
    },
    **{
        f"interp1d {kind} beyond": (
            curve("interp1d", kind, 1, fill_value="extrapolate"),
            (X, YY, BEYOND),
        )
        for kind in ("linear", "nearest", "cubic")
    },
    "interp1d unsorted": (curve("interp1d"), (X[::-1].copy(), Y, AT)),
    "interp1d fill": (
        curve("interp1d", bounds_error=False, fill_value=(-1.0, 2.0)),
        (X, Y, BEYOND),
    ),
    "interp1d points of two axes": (curve("interp1d", "cubic"), (X, YY, AT[:4].reshape(2, 2))),
    **{
        f"CubicSpline {bc}": (curve("CubicSpline", 0, bc), (X, Y, AT))
        for bc in ("not-a-knot", "clamped", "natural")
    },
    "CubicSpline ends": (
        lambda x, y, at, s: interpolate.CubicSpline(x, y, bc_type=((1, s), (2, 0.4)))(at),
        (X, Y, BEYOND, np.array(0.3)),
    ),
    "CubicSpline two": (curve("CubicSpline"), (X[:2], Y[:2], AT[:1])),
    "CubicSpline three": (curve("CubicSpline"), (X[:3], Y[:3], AT[:2])),
    "CubicSpline axis": (curve("CubicSpline", 1), (X, YY, AT)),
    "CubicSpline inside": (curve("CubicSpline", extrapolate=False), (X, Y, AT)),
    "CubicSpline periodic points": (curve("CubicSpline", extrapolate="periodic"), (X, Y, BEYOND)),
    "CubicSpline slope": (lambda x, y, at: interpolate.CubicSpline(x, y)(at, 1), (X, Y, AT)),
    "CubicSpline bend": (lambda x, y, at: interpolate.CubicSpline(x, y)(at, nu=2), (X, Y, AT)),
    "PchipInterpolator": (curve("PchipInterpolator"), (X, Y, AT)),
    "PchipInterpolator monotone": (curve("PchipInterpolator"), (X, MONOTONE, BEYOND)),
    "PchipInterpolator two": (curve("PchipInterpolator"), (X[:2], Y[:2], AT[:1])),
    "Akima1DInterpolator": (curve("Akima1DInterpolator"), (X, Y, AT)),
    "Akima1DInterpolator makima": (
        curve("Akima1DInterpolator", 1, method="makima", extrapolate=True),
        (X, YY, BEYOND),
    ),
    "CubicHermiteSpline": (
        lambda x, y, s, at: interpolate.CubicHermiteSpline(x, y, s)(at),
        (X, Y, draw(6, seed=9), AT),
    ),
    "make_interp_spline": (curve("make_interp_spline"), (X, Y, AT)),
    "make_interp_spline 2": (curve("make_interp_spline", 2, axis=1), (X, YY, AT)),
    "make_interp_spline 1": (curve("make_interp_spline", 1), (X, Y, AT)),
    "BSpline": (
        lambda t, c, at: interpolate.BSpline(t, c, 2)(at),
        (np.array([0.0, 0.5, 1.0, 1.9, 2.4, 3.0, 4.1]), draw(4), np.array([1.2, 1.7, 2.2])),
    ),
}  # fmt: skip
G1, G2 = np.array([0.0, 1.0, 2.5, 3.0]), np.array([0.0, 0.5, 2.0, 2.4, 3.3])
VALUES, POINTS = draw(4, 5), np.array([[0.3, 0.2], [1.7, 2.25], [2.9, 1.1]])


def grid(method, **given):
    return lambda a, b, v, at: interpolate.RegularGridInterpolator((a, b), v, method, **given)(at)


CASES |= {
    **{
        f"RegularGridInterpolator {method}": (grid(method), (G1, G2, VALUES, POINTS))
        for method in ("linear", "nearest", "slinear", "cubic")
    },
    "RegularGridInterpolator descending": (grid("linear"), (G1[::-1].copy(), G2, VALUES, POINTS)),
    "RegularGridInterpolator beyond": (
        grid("linear", bounds_error=False, fill_value=None),
        (G1, G2, VALUES, POINTS + 0.6),
    ),
    "RegularGridInterpolator fill": (
        grid("linear", bounds_error=False, fill_value=1.5),
        (G1, G2, VALUES, POINTS + 0.6),
    ),
    "RegularGridInterpolator vectors": (grid("linear"), (G1, G2, draw(4, 5, 2), POINTS)),
    "interpn": (
        lambda a, b, v, at: interpolate.interpn((a, b), v, at),
        (G1, G2, VALUES, POINTS),
    ),
}
