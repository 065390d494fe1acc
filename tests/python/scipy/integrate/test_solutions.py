"""Events of solve_ivp and its solutions as functions, against what is known of falling bodies."""

import numpy as np
import pytest
import scipy.integrate

import tapegrad as tg
from tapegrad.scipy import integrate

TIGHT = {"rtol": 1e-10, "atol": 1e-10}


def fall(t, y, g):
    return np.stack([y[1], -g + 0.0 * t])


def ground(t, y, g):
    return y[0]


ground.terminal = True
ground.direction = -1


def top(t, y, g):
    return y[1]


def solved(height, speed, g, t0=0.0, **options):
    y0 = np.stack([height, speed])
    return integrate.solve_ivp(
        fall, (t0, t0 + 20.0), y0, events=[ground, top], args=(g,), **TIGHT, **options
    )


ARGS = 2.0, 3.0, 9.81


def landing(height, speed, g, t0=0.0):
    return t0 + (speed + np.sqrt(speed**2 + 2.0 * g * height)) / g


def highest(height, speed, g, t0=0.0):
    return height + speed**2 / (2.0 * g)


def test_times_and_states():
    def found(*args):
        result = solved(*args)
        return result.t_events[0][0] + 10.0 * result.y_events[1][0, 0]

    def known(*args):
        return landing(*args) + 10.0 * highest(*args)

    everything = (0, 1, 2, 3)
    args = (*ARGS, 0.5)
    np.testing.assert_allclose(found(*args), known(*args), rtol=1e-7)
    np.testing.assert_allclose(
        tg.grad(found, everything)(*args), tg.grad(known, everything)(*args), rtol=1e-6, atol=1e-7
    )
    np.testing.assert_allclose(
        tg.hessian(found, everything)(*args),
        tg.hessian(known, everything)(*args),
        rtol=1e-5,
        atol=1e-6,
    )
    third = tg.grad(tg.grad(tg.grad(lambda h: solved(h, 3.0, 9.81).t_events[0][0])))(2.0)
    wanted = tg.grad(tg.grad(tg.grad(lambda h: landing(h, 3.0, 9.81))))(2.0)
    assert third == pytest.approx(wanted, rel=1e-4)


def test_the_end_is_the_event():
    assert tg.grad(lambda h: solved(h, 3.0, 9.81).t[-1])(2.0) == pytest.approx(
        tg.grad(landing)(*ARGS), rel=1e-6
    )
    assert tg.grad(lambda h: solved(h, 3.0, 9.81).y[0, -1])(2.0) == pytest.approx(0.0, abs=1e-8)


def test_results_are_scipys():
    times = np.array([0.0, 0.25, 0.5, 4.0])
    y0 = np.array([2.0, 3.0])
    for t_eval in (None, times):
        given = {"events": [ground, top], "t_eval": t_eval, "dense_output": True, **TIGHT}
        found = integrate.solve_ivp(fall, (0.0, 20.0), tg.Variable(y0), args=(9.81,), **given)
        expected = scipy.integrate.solve_ivp(fall, (0.0, 20.0), y0, args=(9.81,), **given)
        assert (
            (found.status, found.message)
            == (expected.status, expected.message)
            == (
                1,
                expected.message,
            )
        )
        np.testing.assert_allclose(tg.value(found.t), expected.t, rtol=1e-12)
        np.testing.assert_allclose(tg.value(found.y), expected.y, rtol=1e-8, atol=1e-8)
        for name in ("t_events", "y_events"):
            for x, e in zip(found[name], expected[name], strict=True):
                np.testing.assert_allclose(tg.value(x), e, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(tg.value(found.sol(0.3)), expected.sol(0.3), rtol=1e-9)
    none = integrate.solve_ivp(
        fall, (0.0, 0.1), tg.Variable(y0), events=ground, args=(9.81,), **TIGHT
    )
    assert none.status == 0
    assert [x.shape for x in (*none.t_events, *none.y_events)] == [(0,), (0,)]


def test_solutions_as_functions():
    def f(y0, times):
        sol = integrate.solve_ivp(
            fall, (1.0, 0.0), y0, args=(9.81,), dense_output=True, **TIGHT
        ).sol
        assert (sol.t_min, sol.t_max) == (0.0, 1.0)
        return np.sum(sol(times)[0])

    times = np.array([[0.2, 0.9], [0.2, 1.0]])
    y0 = np.array([2.0, 3.0])
    slopes, rates = tg.grad(f, (0, 1))(y0, times)
    np.testing.assert_allclose(slopes, [4.0, np.sum(times - 1.0)], rtol=1e-7)
    np.testing.assert_allclose(rates, 3.0 - 9.81 * (times - 1.0), rtol=1e-7)
    with pytest.raises(ValueError, match=r"sol\(1\.5\) lies outside"):
        integrate.solve_ivp(fall, (0, 1), tg.Variable(y0), args=(9.81,), dense_output=True).sol(1.5)


def test_events_of_closures_in_programs():
    def f(level, g):
        def reaches(t, y):
            return y[0] - level

        found = integrate.solve_ivp(
            lambda t, y: np.stack([y[1], -g + 0.0 * t]), (0.0, 5.0), [0.0, 3.0], events=reaches,
            **TIGHT,
        )  # fmt: skip
        return found.t_events[0][0]

    def known(level, g):
        return (3.0 - np.sqrt(9.0 - 2.0 * g * level)) / g

    args = 0.3, 9.81
    expected = tg.grad(known, (0, 1))(*args)
    program = tg.compile(tg.grad(f, (0, 1)))
    for _ in range(4):
        np.testing.assert_allclose(program(*args), expected, rtol=1e-6)


def test_events_without_a_slope():
    def jumping(t, y, g):
        return np.where(y[0] > 1.7, 1.0, -1.0)

    with pytest.raises(
        TypeError,
        match=r"the time of event 0, t=0.*, .* has no derivative",
    ):
        integrate.solve_ivp(
            fall, (-0.5, 1.0), tg.Variable([1.0, 1.0]), events=jumping, args=(0.0,), **TIGHT
        )
