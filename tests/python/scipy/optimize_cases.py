"""Calls of scipy.optimize whose solutions are known as formulas, by name."""

from functools import partial

import numpy as np
from agreement import assert_equal_parts, parts
from scipy_checks import moved

import tapegrad as tg
from tapegrad.scipy import optimize

A, C = np.array(2.0), np.array([1.7, 1.9])
MATRIX = np.array([[2.0, 0.5], [0.1, 1.5]])
TIMES = np.linspace(0.0, 2.0, 9)


def cubic(x, a):
    return x**3 + a * x - 3.0


def cubic_slope(x, a):
    return 3.0 * x**2 + a


def system(x, a, c):
    return np.stack([x[0] ** 2 + a * x[1] - c[0], MATRIX[1, 1] * x[1] - c[1] + np.sin(x[0]) * a])


def system_slopes(x, a, c):
    return np.array([[2 * x[0], a], [np.cos(x[0]) * a, MATRIX[1, 1]]])


def quartic(x, a, c):
    return np.sum((x - c) ** 4) + a * np.sum(x**2) + x[0] * x[1]


def scalar(x, a, c):
    return (x - c[0]) ** 4 + a * (x - c[1]) ** 2


def curve(t, a, k):
    return a * np.exp(-k * t)


BRACKETED = {
    name: (lambda a, name=name: getattr(optimize, name)(cubic, 0.0, 2.0, (a,)), (A,))
    for name in ("brentq", "brenth", "bisect", "ridder", "toms748")
}
START = np.array([0.6, 0.4])

ROOTS = {
    **BRACKETED,
    "brentq closure": (lambda a: optimize.brentq(lambda x: cubic(x, a), 0.0, 2.0), (A,)),
    "root_scalar": (lambda a: optimize.root_scalar(cubic, (a,), bracket=(0.0, 2.0)).root, (A,)),
    "root_scalar newton": (
        lambda a: optimize.root_scalar(cubic, (a,), "newton", x0=1.0, fprime=cubic_slope).root,
        (A,),
    ),
    "root_scalar secant": (
        lambda a: optimize.root_scalar(cubic, (a,), x0=1.0, x1=1.2, xtol=1e-13).root,
        (A,),
    ),
    "newton": (lambda a: optimize.newton(cubic, 1.0, args=(a,), tol=1e-13), (A,)),
    "newton slopes": (
        lambda a: optimize.newton(cubic, 1.0, cubic_slope, (a,), 1e-13),
        (A,),
    ),
    "newton several": (
        lambda c: optimize.newton(cubic, np.ones(2), args=(c,), tol=1e-13, maxiter=80),
        (C,),
    ),
    "fixed_point": (
        lambda c: optimize.fixed_point(lambda x: np.sqrt(c + x), np.ones(2), xtol=1e-12),
        (C,),
    ),
    "fsolve": (lambda a, c: optimize.fsolve(system, START, (a, c), xtol=1e-13), (A, C)),
    "fsolve slopes": (
        lambda a, c: optimize.fsolve(system, START, (a, c), system_slopes, xtol=1e-13),
        (A, C),
    ),
    "root": (lambda a, c: optimize.root(system, START, (a, c), tol=1e-13).x, (A, C)),
    "root lm": (
        lambda a, c: optimize.root(system, START, (a, c), "lm", system_slopes, tol=1e-13).x,
        (A, C),
    ),
    "root closure": (
        lambda a, c: optimize.root(lambda x: [*system(x, a, c)], START, tol=1e-13).x,
        (A, C),
    ),
    "root value": (lambda a, c: optimize.root(system, START, (a, c), tol=1e-11).fun + a, (A, C)),
}


def near(x, equations, *args):
    """The solution of the equations near x, by Newton's steps that are recorded."""
    x = tg.value(x)
    for _ in range(4):
        slopes = tg.jacobian(equations)(x, *args)
        x = x - np.linalg.solve(np.atleast_2d(slopes), np.reshape(equations(x, *args), (-1,)))
    return x


def minimum(f, x, *args):
    return near(x, tg.grad(f), *args)


def residuals(x, a, c):
    return np.concatenate([system(x, a, c), a * x - c])


def half_squares(f):
    return lambda x, *args: 0.5 * np.sum(f(x, *args) ** 2)


SLOPES = {"Newton-CG": tg.grad(quartic)}
# Each with the same by Newton's steps, from what the first gives.
MINIMA = {
    **{
        f"minimize {method}": (
            lambda a, c, method=method, given=given: (
                optimize.minimize(
                    quartic, START, (a, c), method, SLOPES.get(method),
                    options=given,
                ).x
            ),
            lambda x, a, c: minimum(quartic, x, a, c),
        )
        for method, given in {
            "BFGS": {"gtol": 1e-9},
            "L-BFGS-B": {"gtol": 1e-9, "ftol": 1e-17},
            "CG": {"gtol": 1e-8},
            "Newton-CG": {"xtol": 1e-12},
            "Nelder-Mead": {"xatol": 1e-8, "fatol": 1e-13},
        }.items()
    },
    "minimize value": (
        lambda a, c: optimize.minimize(quartic, START, (a, c)).fun,
        lambda x, a, c: quartic(minimum(quartic, START, a, c), a, c),
    ),
    "minimize closure": (
        lambda a, c: optimize.minimize(lambda x: quartic(x, a, c), START, tol=1e-9).x,
        lambda x, a, c: minimum(quartic, x, a, c),
    ),
    "minimize bounds": (
        lambda a, c: (
            optimize.minimize(
                quartic, START, (a, c), bounds=[(0.01, None), (None, 9.0)],
                options={"gtol": 1e-9, "ftol": 1e-17},
            ).x
        ),
        lambda x, a, c: minimum(quartic, x, a, c),
    ),
    "minimize_scalar": (
        lambda a, c: optimize.minimize_scalar(scalar, args=(a, c), tol=1e-12).x,
        lambda x, a, c: minimum(lambda x, a, c: scalar(x[0], a, c), np.reshape(x, 1), a, c)[0],
    ),
    "minimize_scalar bounded": (
        lambda a, c: (
            optimize.minimize_scalar(
                partial(scalar, a=a, c=c), bounds=(0.0, 5.0), options={"xatol": 1e-9}
            ).x
        ),
        lambda x, a, c: minimum(lambda x, a, c: scalar(x[0], a, c), np.reshape(x, 1), a, c)[0],
    ),
    "least_squares": (
        lambda a, c: (
            optimize.least_squares(
                lambda x: residuals(x, a, c), START, ftol=1e-15, xtol=1e-15, gtol=1e-12
            ).x
        ),
        lambda x, a, c: minimum(half_squares(residuals), x, a, c),
    ),
    "least_squares cost": (
        lambda a, c: (
            optimize.least_squares(residuals, START, "3-point", args=(a,), kwargs={"c": c}).cost
        ),
        lambda x, a, c: half_squares(residuals)(
            minimum(half_squares(residuals), START, a, c), a, c
        ),
    ),
}  # fmt: skip


def errors(t, c):
    return c[0] + 0.1 * t


def measured(t):
    return 2.0 * np.exp(-t) + 0.1 * np.cos(9 * t)


def fitted(f):
    """Parameters and their covariance from residuals f(p, *args), beside those of curve_fit."""

    def both(found, *args):
        p = minimum(half_squares(f), found[0], *args)
        slopes, rest = tg.jacobian(f)(p, *args), f(p, *args)
        covariance = np.linalg.inv(np.transpose(slopes) @ slopes)
        return p, covariance * np.sum(rest**2) / (np.shape(rest)[0] - 2), covariance

    return both


def apart(p, a, c):
    return curve(TIMES, *p) - curve(TIMES, a, c[0]) - 0.1 * np.sin(9 * c[1] * TIMES)


def apart_in_errors(p, a, c):
    return (curve(a * TIMES, *p) - measured(TIMES)) / errors(TIMES, c)


def apart_with_covariance(p, a, c):
    whole = np.diag(errors(TIMES, c)) + 0.01 * c[1] + a
    return np.linalg.solve(np.linalg.cholesky(whole), curve(TIMES, *p) - measured(TIMES))


TIGHT = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15}
FITS = {
    "values": (
        lambda a, c: optimize.curve_fit(
            curve, TIMES, curve(TIMES, a, c[0]) + 0.1 * np.sin(9 * c[1] * TIMES), **TIGHT
        ),
        lambda found, a, c: fitted(apart)(found, a, c)[:2],
    ),
    "errors": (
        lambda a, c: optimize.curve_fit(
            curve, a * TIMES, measured(TIMES), [1.0, 1.0], errors(TIMES, c), True, **TIGHT
        ),
        lambda found, a, c: fitted(apart_in_errors)(found, a, c)[::2],
    ),
    "covariance": (
        lambda a, c: optimize.curve_fit(
            curve, TIMES, measured(TIMES), None, np.diag(errors(TIMES, c)) + 0.01 * c[1] + a,
            bounds=(0.0, [9.0, np.inf]), method="trf", ftol=1e-15, xtol=1e-15, gtol=1e-12,
        ),
        lambda found, a, c: fitted(apart_with_covariance)(found, a, c)[:2],
    ),
}  # fmt: skip


def matches(case, args, rtol):
    """Derivatives to second order, a program and lanes of a case of two functions."""
    f, known = case

    def flat(f):
        return lambda *args: np.concatenate([np.reshape(p, (-1,)) for p in parts(f(*args))])

    def reference(*args):
        return known(tg.value(f(*args)), *args)

    def loss(f):
        return lambda *args: np.sum(np.cos(flat(f)(*args)))

    for transform in (tg.jacobian, lambda f, places: tg.hessian(loss(f), places)):
        found, expected = (transform(flat(g), (0, 1))(*args) for g in (f, reference))
        for x, e in zip(parts(found), parts(expected), strict=True):
            np.testing.assert_allclose(x, e, rtol=rtol, atol=rtol)
    gradient = tg.grad(loss(f), (0, 1))
    program = tg.compile(gradient)
    calls = [args, moved(args)] * 2
    for given in calls:
        assert_equal_parts(program(*given), gradient(*given), rtol)
    rows = tg.vmap(gradient)(*map(np.stack, zip(*calls, strict=True)))
    wanted = [np.stack(x) for x in zip(*(gradient(*given) for given in calls), strict=True)]
    assert_equal_parts(list(rows), wanted, rtol)
