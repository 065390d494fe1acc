"""odeint and solve_ivp of Variables, by the variational equations.

SciPy's own solver computes the solution. Where a derivative is asked for, it solves the equations
of y and of its derivatives s in the initial values and the arguments together, s' = (df/dy) s +
df/dp, to the same tolerances: nothing is integrated backwards, and stiff equations stay what they
are. That is such a problem again, so that further derivatives follow.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.integrate
from scipy.optimize import OptimizeResult

from tapegrad import _core
from tapegrad.operations.primitive import Primitive
from tapegrad.scipy.arrays import array, floats, shape_of
from tapegrad.scipy.closures import Called, plain_result
from tapegrad.scipy.functions import derives, refuse
from tapegrad.scipy.integrate.solutions import Events, Solution
from tapegrad.transforms.jacobians import jacobian
from tapegrad.transforms.trace import value

Solve = Callable[[Callable[[float, Any], Any], Any, Any], Any]


class _Trajectory:
    """y at given times, of y' = f(t, y, *args), y(times[0]) = y0."""

    def __init__(self, name: str, f: Callable[..., Any], solve: Solve) -> None:
        self.name, self.f, self.solve = name, f, solve
        self.call: Any = Primitive(self._value)
        self.call.name = name
        self.call.defvjp_argnums(self._pull)
        self.moving: dict[tuple[int, ...], _Trajectory] = {}

    def _value(self, y0: Any, times: Any, *args: Any) -> Any:
        def f(t: float, y: Any) -> Any:
            return plain_result(self.name, self.f(t, y, *args))

        return self.solve(f, np.asarray(y0, np.float64), np.asarray(times, np.float64))

    def _with_slopes(self, wanted: tuple[int, ...]) -> _Trajectory:
        """The same of y and its derivatives in y0 and the wanted arguments, one after the other."""
        if wanted not in self.moving:

            def f(t: Any, z: Any, *args: Any) -> Any:
                sizes = [_size(args[k]) for k in wanted]
                n = _side(shape_of(z)[0], sum(sizes))
                y, s = z[:n], np.reshape(z[n:], (n, n + sum(sizes)))
                places = (0, *(k + 1 for k in wanted))
                found = jacobian(lambda y, *args: self._flat(t, y, args), places)(y, *args)
                blocks = [np.zeros((n, n))] + [
                    np.reshape(x, (n, size)) for x, size in zip(found[1:], sizes, strict=True)
                ]
                moved = found[0] @ s + np.concatenate(blocks, 1)
                return np.concatenate([self._flat(t, y, args), np.reshape(moved, (-1,))])

            self.moving[wanted] = _Trajectory(self.name, f, self.solve)
        return self.moving[wanted]

    def _flat(self, t: Any, y: Any, args: tuple[Any, ...]) -> Any:
        found = self.f(t, y, *args)
        return np.stack([*found]) if isinstance(found, (list, tuple)) else np.reshape(found, (-1,))

    def _pull(self, argnums: Any, ys: Any, args: Any, kwargs: Any) -> Any:
        y0, times, *rest = args
        n, m = shape_of(y0)[0], shape_of(times)[0]
        wanted = tuple(k - 2 for k in argnums if k >= 2)
        sizes = [_size(rest[k]) for k in wanted]
        width = n + sum(sizes)

        def pull(g: Any) -> Any:
            found: dict[int, Any] = {}
            first = np.concatenate([np.eye(n), np.zeros((n, width - n))], 1)
            start = np.concatenate([y0, np.reshape(first, (-1,))])
            whole = self._with_slopes(wanted).call(start, times, *rest)
            slopes = np.reshape(whole[:, n:], (m, n, width))
            adjoint = np.sum(g[:, :, None] * slopes, axis=(0, 1))
            found[0] = adjoint[:n]
            if 1 in argnums:
                rows = [
                    np.sum(g[i] * self._flat(times[i], ys[i], tuple(rest))) for i in range(1, m)
                ]
                # The first row is y0 itself, whenever it is.
                begin = -np.sum((adjoint[:n] - g[0]) * self._flat(times[0], y0, tuple(rest)))
                found[1] = np.stack([begin, *rows])
            at = n
            for k, size in zip(wanted, sizes, strict=True):
                found[k + 2] = np.reshape(adjoint[at : at + size], shape_of(rest[k]))
                at += size
            return [found[k] for k in argnums]

        return pull


def _size(x: Any) -> int:
    return int(np.prod(shape_of(x)))


def _side(total: int, more: int) -> int:
    """The n for which n + n (n + more) is the total."""
    n = round((float(np.sqrt((more + 1.0) ** 2 + 4.0 * total)) - (more + 1.0)) / 2.0)
    assert n * (n + more + 1) == total
    return n


_KNOWN: dict[Any, _Trajectory] = {}


def _trajectory(
    called: Called, time_first: bool, options: tuple[Any, ...], make: Callable[[], Solve]
) -> Any:
    """The one of this function and these options, so that programs know it again."""
    called = called.forgetful()

    def f(t: Any, y: Any, *operands: Any) -> Any:
        return called(operands, *((t, y) if time_first else (y, t)))

    key = called.name, called.key, time_first, options
    if key not in _KNOWN:
        if len(_KNOWN) >= 64:
            _KNOWN.clear()
        _KNOWN[key] = _Trajectory(called.name, f, make())
    return _KNOWN[key]


def _vector(name: str, y0: Any) -> Any:
    y0 = floats(y0)
    if len(shape_of(y0)) > 1:
        raise ValueError(f"{name}: y0 must be 1-dimensional, got shape {shape_of(y0)}")
    return np.reshape(y0, (-1,)).astype(np.float64)


_OF_JACOBIAN = "leave it out: the derivatives are those of the function itself"


@derives(
    scipy.integrate.odeint,
    refused={
        "full_output": "call it on plain values too, which tell of the steps",
        "Dfun": _OF_JACOBIAN,
        "ml": _OF_JACOBIAN,
        "mu": _OF_JACOBIAN,
    },
    functions=("func",),
)
def odeint(
    func: Any,
    y0: Any,
    t: Any,
    args: Any = (),
    Dfun: Any = None,
    col_deriv: Any = 0,
    full_output: Any = 0,
    ml: Any = None,
    mu: Any = None,
    rtol: Any = None,
    atol: Any = None,
    tcrit: Any = None,
    h0: Any = 0.0,
    hmax: Any = 0.0,
    hmin: Any = 0.0,
    ixpr: Any = 0,
    mxstep: Any = 0,
    mxhnil: Any = 0,
    mxordn: Any = 12,
    mxords: Any = 5,
    printmessg: Any = 0,
    tfirst: Any = False,
) -> Any:
    name = "scipy.integrate.odeint"
    if np.ndim(atol) or np.ndim(rtol):
        refuse(name, "a tolerance for each component", "give one number for all of them")
    options = rtol, atol, h0, hmax, hmin, mxstep, mxordn, mxords
    names = ("rtol", "atol", "h0", "hmax", "hmin", "mxstep", "mxordn", "mxords")
    critical = None if tcrit is None else tuple(np.ravel(tcrit))

    def make() -> Solve:
        given = {**dict(zip(names, options, strict=True)), "tcrit": critical}
        return lambda f, y0, times: scipy.integrate.odeint(f, y0, times, tfirst=True, **given)

    called = Called(name, func, args)
    found = _trajectory(called, bool(tfirst), (*options, critical), make)
    return found.call(_vector(name, y0), floats(t), *called.operands)


@derives(
    scipy.integrate.solve_ivp,
    name="scipy.integrate.solve_ivp",
    refused={
        "vectorized": "leave it out: the function is called for one state",
    },
    functions=("fun", "events"),
)
def solve_ivp(
    fun: Any,
    t_span: Any,
    y0: Any,
    method: Any = "RK45",
    t_eval: Any = None,
    dense_output: Any = False,
    events: Any = None,
    vectorized: Any = False,
    args: Any = None,
    **options: Any,
) -> Any:
    name = "scipy.integrate.solve_ivp"
    for option in options:
        if option in ("jac", "jac_sparsity", "lband", "uband"):
            refuse(name, f"{option}=", _OF_JACOBIAN)
        if np.ndim(options[option]):
            refuse(name, f"{option}= for each component", "give one number for all of them")
    y0 = _vector(name, y0)
    called = Called(name, fun, () if args is None else args)
    if np.shape(t_span) != (2,):
        raise ValueError(f"{name}: t_span is the pair (t0, t1), not {t_span!r}")
    t0, t1 = (floats(t) for t in t_span)
    happens = None if events is None else Events(name, events, () if args is None else args)
    result = OptimizeResult(success=True, status=0, sol=None, t_events=None, y_events=None)
    if t_eval is None or happens or not _core.tracing():
        plain = [value(x) for x in called.operands]
        result = scipy.integrate.solve_ivp(
            lambda t, y: plain_result(name, called(plain, t, y)),
            (value(t0), value(t1)),
            value(y0),
            method,
            None if t_eval is None else value(array(t_eval)),
            events=happens and happens.functions,
            **options,
        )
        if not result.success:
            raise RuntimeError(f"{name}: {result.message}")

    def at(times: Any, end: float | None = None) -> Any:
        def make() -> Solve:
            return partial(_rows, name, method, end, options)

        key = method, end, *sorted(options.items())
        return _trajectory(called, True, key, make).call(y0, times, *called.operands)

    if happens:

        def slope(t: Any, y: Any) -> Any:
            return np.reshape(called(called.operands, t, y), (-1,))

        found, reached = (
            enumerate(result.t_events),
            max(
                (t[-1] for t in result.t_events if len(t)),
                key=lambda t: abs(t - value(t0)),
                default=0.0,
            ),
        )
        result.t_events = [happens.times(k, t, t0, at, slope) for k, t in found]
        result.y_events = [
            at(np.concatenate([np.reshape(t0, (1,)), t]))[1:] if len(t) else old
            for t, old in zip(result.t_events, result.y_events, strict=True)
        ]
        if result.status == 1:
            t1 = happens.last(result.t_events, reached)
            t_eval = None if t_eval is None else array(t_eval)[: len(result.t)]
    if t_eval is None:
        steps = array(result.t[1:-1])
        times = np.concatenate([np.reshape(t0, (1,)), steps, np.reshape(t1, (1,))])
        ys = at(times)
    else:
        times = floats(t_eval)
        ys = at(np.concatenate([np.reshape(t0, (1,)), times]), float(value(t1)))[1:]
    if dense_output:
        result.sol = Solution(name, t0, t1, shape_of(y0)[0], partial(at, end=float(value(t1))))
    result.update(t=times, y=np.transpose(ys))
    return result


def _rows(
    name: str, method: Any, end: float | None, options: dict[str, Any], f: Any, y0: Any, times: Any
) -> Any:
    """The states at the times, the first of which is where it begins; to `end`, or the last."""
    if len(times) == 1:
        return y0[None]
    span = times[0], times[-1] if end is None else end
    found = scipy.integrate.solve_ivp(f, span, y0, method, times[1:], **options)
    if not found.success:
        raise RuntimeError(f"{name}: {found.message}")
    return np.concatenate([y0[None], found.y.T])
