"""Matrix equations, and functions of matrices, that SciPy solves; the rules are equations again."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.operations.primitive import primitive
from tapegrad.scipy.functions import derives
from tapegrad.scipy.linalg.matrices import shape_of, square, turned

# a x + x b = q: for a cotangent g the adjoint of q is s with a' s + s b' = g, that of a is -s x',
# that of b is -x' s (Kao and Hennequin, Automatic differentiation of Sylvester, Lyapunov, and
# algebraic Riccati equations, 2020).


@primitive
def _sylvester(a: Any, b: Any, q: Any) -> Any:
    return scipy.linalg.solve_sylvester(a, b, q)


def _pull_sylvester(argnums: Any, x: Any, args: Any, kwargs: Any) -> Any:
    a, b, _ = args

    def pull(g: Any) -> Any:
        s = _sylvester(turned(a), turned(b), g)
        found = (lambda: -s @ turned(x), lambda: -turned(x) @ s, lambda: s)
        return [found[k]() for k in argnums]

    return pull


_sylvester.defvjp_argnums(_pull_sylvester)


@derives(scipy.linalg.solve_sylvester)
def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    a, b = square("scipy.linalg.solve_sylvester", a), square("scipy.linalg.solve_sylvester", b)
    return _sylvester(a, b, q)


@derives(scipy.linalg.solve_continuous_lyapunov)
def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    a = square("scipy.linalg.solve_continuous_lyapunov", a)
    return _sylvester(a, turned(a), square("scipy.linalg.solve_continuous_lyapunov", q))


@derives(scipy.linalg.solve_lyapunov, name="scipy.linalg.solve_lyapunov")
def solve_lyapunov(a: Any, q: Any) -> Any:
    return solve_continuous_lyapunov(a, q)


# x = a x a' + q: the adjoint of q is s = a' s a + g, that of a is s a x' + s' a x.


@primitive
def _stein(a: Any, q: Any, method: Any) -> Any:
    return scipy.linalg.solve_discrete_lyapunov(a, q, method)


def _pull_stein(argnums: Any, x: Any, args: Any, kwargs: Any) -> Any:
    a, _, method = args

    def pull(g: Any) -> Any:
        s = _stein(turned(a), g, method)
        found = (lambda: s @ a @ turned(x) + turned(s) @ a @ x, lambda: s)
        return [found[k]() for k in argnums]

    return pull


_stein.defvjp_argnums(_pull_stein)


@derives(scipy.linalg.solve_discrete_lyapunov)
def solve_discrete_lyapunov(a: Any, q: Any, method: Any = None) -> Any:
    name = "scipy.linalg.solve_discrete_lyapunov"
    return _stein(square(name, a), square(name, q), method)


# Functions of matrices. f of the block matrix [[a, e], [0, a]] has the derivative in direction e in
# its upper right corner (Mathias, 1996); the adjoint is the derivative at a' in direction g.


def _real(name: str, found: Any) -> Any:
    if np.iscomplexobj(found):
        raise ValueError(
            f"scipy.linalg.{name}: the result is complex for this matrix, and has no derivative "
            "here; call it on the plain value, tg.value(a)"
        )
    return found


@primitive
def _function(a: Any, name: Any) -> Any:
    state = np.random.get_state()  # SciPy's estimates of norms draw from it
    try:
        return _real(name, getattr(scipy.linalg, name)(a))
    finally:
        np.random.set_state(state)


def _pull_function(ans: Any, a: Any, name: Any) -> Any:
    n = shape_of(a)[0]

    def pull(g: Any) -> Any:
        whole = np.block([[turned(a), g], [np.zeros((n, n)), turned(a)]])
        return _function(whole, name)[:n, n:].astype(a.dtype)

    return pull


_function.defvjp(_pull_function, None)


@primitive
def _root(a: Any) -> Any:
    return _real("sqrtm", scipy.linalg.sqrtm(a))


_root.defvjp(lambda x, a: lambda g: _sylvester(turned(x), turned(x), g))


def _of_one(name: str, a: Any) -> Any:
    a = square(f"scipy.linalg.{name}", a)
    if len(shape_of(a)) != 2:
        raise ValueError(f"scipy.linalg.{name}: expected one matrix, got shape {shape_of(a)}")
    return a


# The power t of a: the derivative by a is that of the block matrix, by t it is a^t log(a). That of
# the block matrix is real where that of a is, but for what rounding leaves.


@primitive
def _power(a: Any, t: Any, is_block: Any = False) -> Any:
    state = np.random.get_state()
    try:
        found = scipy.linalg.fractional_matrix_power(a, float(t))
    finally:
        np.random.set_state(state)
    if is_block or np.max(np.abs(np.imag(found)), initial=0.0) <= 1e-13 * np.max(np.abs(found)):
        return np.real(found)
    return _real("fractional_matrix_power", found)


def _pull_power(argnums: Any, x: Any, args: Any, kwargs: Any) -> Any:
    a, t, *_ = args
    n = shape_of(a)[0]

    def by_matrix(g: Any) -> Any:
        whole = np.block([[turned(a), g], [np.zeros((n, n)), turned(a)]])
        return _power(whole, t, True)[:n, n:].astype(a.dtype)

    def by_exponent(g: Any) -> Any:
        return np.sum(g * (x @ _function(a, "logm")))

    return lambda g: [(by_matrix, by_exponent)[k](g) for k in argnums]


_power.defvjp_argnums(_pull_power)


@derives(scipy.linalg.fractional_matrix_power)
def fractional_matrix_power(A: Any, t: Any) -> Any:
    if np.ndim(t):
        raise ValueError(
            f"scipy.linalg.fractional_matrix_power: t is one number, and has shape {np.shape(t)}"
        )
    return _power(_of_one("fractional_matrix_power", A), t)


def _sign(a: Any) -> Any:
    """The matrix times the inverse root of its square, of which the derivative is known."""
    a = _of_one("signm", a)
    return np.linalg.solve(_root(a @ a), a)


_NO_ERROR = {"disp": "leave it out: with Variables nothing is printed and no error is estimated"}


if _OPTIONS := scipy.linalg.sqrtm.__defaults__:  # before SciPy 1.18
    _DISP, _BLOCKSIZE = _OPTIONS

    @derives(scipy.linalg.sqrtm, refused={**_NO_ERROR, "blocksize": "leave it out"})
    def sqrtm(A: Any, disp: Any = _DISP, blocksize: Any = _BLOCKSIZE) -> Any:
        return _root(_of_one("sqrtm", A))

    @derives(scipy.linalg.logm, refused=_NO_ERROR)
    def logm(A: Any, disp: Any = _DISP) -> Any:
        return _function(_of_one("logm", A), "logm")

    @derives(scipy.linalg.signm, refused=_NO_ERROR)
    def signm(A: Any, disp: Any = _DISP) -> Any:
        return _sign(A)

else:

    @derives(scipy.linalg.sqrtm)
    def sqrtm(A: Any) -> Any:
        return _root(_of_one("sqrtm", A))

    @derives(scipy.linalg.logm)
    def logm(A: Any) -> Any:
        return _function(_of_one("logm", A), "logm")

    @derives(scipy.linalg.signm)
    def signm(A: Any) -> Any:
        return _sign(A)


@derives(scipy.linalg.cosm)
def cosm(A: Any) -> Any:
    return _function(_of_one("cosm", A), "cosm")


@derives(scipy.linalg.sinm)
def sinm(A: Any) -> Any:
    return _function(_of_one("sinm", A), "sinm")


@derives(scipy.linalg.tanm)
def tanm(A: Any) -> Any:
    return _function(_of_one("tanm", A), "tanm")


@derives(scipy.linalg.coshm)
def coshm(A: Any) -> Any:
    return _function(_of_one("coshm", A), "coshm")


@derives(scipy.linalg.sinhm)
def sinhm(A: Any) -> Any:
    return _function(_of_one("sinhm", A), "sinhm")


@derives(scipy.linalg.tanhm)
def tanhm(A: Any) -> Any:
    return _function(_of_one("tanhm", A), "tanhm")
