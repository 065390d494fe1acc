"""Functions that read Variables from outside, against the same with the Variables as arguments."""

import gc
import threading
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from agreement import agrees

import tapegrad as tg
from tapegrad.scipy import integrate, optimize

TIMES = np.array([0.0, 0.4, 1.1])
Y0 = np.array([1.0, 0.4])
K, C = np.array(1.3), np.array([0.7, 0.2])
TIGHT = {"rtol": 1e-10, "atol": 1e-10}
MATRIX = np.array([[0.1, -0.2], [0.3, 0.05]])
SPEED = 0.25

here = {"k": None}


def pendulum(y, t, k, c):
    turned = MATRIX @ y
    return np.stack([y[1] + turned[0], -k * np.sin(y[0]) - c[0] * y[1] + c[1] * t + SPEED])


def solved(f, y0, *args):
    return integrate.odeint(f, y0, TIMES, args, **TIGHT)[-1]


def by_cell(k, c):
    return solved(lambda y, t: pendulum(y, t, k, c), Y0)


def by_default(k, c):
    def f(y, t, k=k, *, c=c):
        return pendulum(y, t, k, c)

    return solved(f, Y0)


def by_partial(k, c):
    return solved(partial(pendulum, k=k, c=c), Y0)


def by_containers(k, c):
    parameters = {"springs": [k, (c, "name")], "none": None}

    def f(y, t):
        return pendulum(y, t, parameters["springs"][0], parameters["springs"][1][0])

    return solved(f, Y0)


class Model:
    def __init__(self, k, c):
        self.k, self.c, self.inner = k, {"c": c}, self

    def slope(self, y, t):
        return pendulum(y, t, self.k, self.c["c"])

    def __call__(self, y, t):
        return self.slope(y, t)


@dataclass(frozen=True)
class Springs:
    k: object
    c: object


def by_method(k, c):
    return solved(Model(k, c).slope, Y0)


def by_callable_object(k, c):
    return solved(Model(k, c), Y0)


def by_dataclass(k, c):
    springs = Springs(k, c)
    return solved(lambda y, t: pendulum(y, t, springs.k, springs.c), Y0)


def by_helper(k, c):
    def stiffness():
        return k

    def force(y, t, depth=2):
        return force(y, t, depth - 1) if depth else pendulum(y, t, stiffness(), c)

    return solved(lambda y, t: force(y, t), Y0)


def by_derivative(k, c):
    def potential(x):
        return k * np.cos(x)

    def f(y, t):
        rest = pendulum(y, t, 0.0, c)
        return rest + np.stack([0.0 * t, tg.grad(potential)(y[0])])

    return solved(f, Y0)


def by_tree_in_args(k, c):
    def f(y, t, parameters, name):
        assert name == "springs"
        return pendulum(y, t, parameters["k"], parameters["c"][0])

    return integrate.odeint(f, Y0, TIMES, ({"k": k, "c": [c]}, "springs"), **TIGHT)[-1]


def read_globals(y, t):
    return pendulum(y, t, here["k"], outer_c)


outer_c = C


def by_globals(k, c):
    global outer_c
    here["k"], outer_c = k, c
    try:
        return solved(read_globals, Y0)
    finally:
        here["k"], outer_c = None, C


WAYS = [
    by_cell, by_default, by_partial, by_containers, by_method, by_callable_object, by_dataclass,
    by_helper, by_derivative, by_tree_in_args,
]  # fmt: skip


def by_args(k, c):
    return solved(pendulum, Y0, k, c)


@pytest.mark.parametrize("f", [*WAYS, by_globals])
def test_derivatives(f):
    def loss(way):
        return lambda k, c: np.sum(way(k, c) ** 2)

    args = float(K), C
    found = tg.value_and_grad(loss(f), (0, 1))(*args)
    expected = tg.value_and_grad(loss(by_args), (0, 1))(*args)
    for x, e in zip((found[0], *found[1]), (expected[0], *expected[1]), strict=True):
        np.testing.assert_allclose(x, e, rtol=1e-6, atol=1e-8)
    second = tg.hessian(loss(f), (0, 1))(*args)
    wanted = tg.hessian(loss(by_args), (0, 1))(*args)
    for row, expected_row in zip(second, wanted, strict=True):
        for x, e in zip(row, expected_row, strict=True):
            np.testing.assert_allclose(x, e, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("f", [by_cell, by_default, by_method, by_containers, by_derivative])
def test_programs_and_lanes(f):
    moved = np.array(1.1), np.array([0.6, 0.3])
    calls = [(K, C), moved]
    agrees(f, calls, smooth=False, rtol=1e-6)
    program = tg.compile(tg.grad(lambda k, c: np.sum(f(k, c))))
    for k in (1.0, 1.2, 1.4, 1.6):
        expected = tg.grad(lambda k: np.sum(by_args(k, C)))(k)
        np.testing.assert_allclose(program(k, C), expected, rtol=1e-6)
    assert program.inspect().signatures[0].programs


def test_integrals():
    def f(a, k, c):
        return integrate.quad(lambda t: np.exp(-k * t) * c[0] + c[1], a, 1.5, epsabs=1e-12)[0]

    def known(a, k, c):
        return c[0] * (np.exp(-k * a) - np.exp(-1.5 * k)) / k + c[1] * (1.5 - a)

    args = np.array(0.2), K, C
    calls = [args, (np.array(0.1), np.array(0.8), C + 0.1)]
    agrees(f, calls, rtol=1e-9)
    for x, e in zip(tg.grad(f, (0, 1, 2))(*args), tg.grad(known, (0, 1, 2))(*args), strict=True):
        np.testing.assert_allclose(x, e, rtol=1e-9)
    # Plain limits: the function alone holds what is differentiated by.
    assert tg.grad(lambda k: integrate.quad(lambda t: k * t, 0.0, 2.0)[0])(3.0) == pytest.approx(2)
    assert tg.grad(lambda k: integrate.fixed_quad(lambda t: k * t, 0.0, 2.0)[0])(3.0) == (
        pytest.approx(2)
    )


def test_arrays_that_are_filled():
    def f(k, c):
        def slopes(y, t):
            out = np.zeros(2)
            out[0] = y[1]
            out[1] = -k * y[0] + c[0]
            return out

        return solved(slopes, Y0)[0]

    def written(k, c):
        return solved(lambda y, t: np.stack([y[1], -k * y[0] + c[0]]), Y0)[0]

    found, expected = tg.grad(f, (0, 1))(K, C), tg.grad(written, (0, 1))(K, C)
    for x, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(x, e, rtol=1e-7)


def test_numbers_are_those_of_the_call():
    # Each solution was computed with the n of its turn, and so is its derivative.
    def loss(k):
        total = 0.0
        for n in (1.0, 2.0, 3.0):
            total = total + integrate.odeint(lambda y, t: n * k * y, np.ones(1), [0.0, 0.5])[-1, 0]  # noqa: B023 - read late
        return total

    k = -0.4
    expected = sum(0.5 * n * np.exp(0.5 * n * k) for n in (1.0, 2.0, 3.0))
    assert tg.grad(loss)(k) == pytest.approx(expected, rel=1e-6)


def decay(y, t):
    return -rate * scale[0] * y


rate, scale = 0.5, np.array([1.0])


def test_compiled_functions_see_globals_that_change():
    global rate
    program = tg.compile(tg.grad(lambda y0: integrate.odeint(decay, y0, [0.0, 1.0])[-1, 0]))
    y0 = np.array([2.0])
    try:
        for rate in (0.5, 0.5, 0.5, 0.8, 0.8, 0.8):
            np.testing.assert_allclose(program(y0), [np.exp(-rate)], rtol=1e-6)
        scale[0] = 0.25
        np.testing.assert_allclose(program(y0), [np.exp(-0.2)], rtol=1e-6)
    finally:
        rate, scale[0] = 0.5, 1.0


def test_counters_and_logs_work():
    calls, count = [], 0

    def f(y, t):
        nonlocal count
        count += 1
        calls.append(float(t))
        return -k * y

    k = tg.Variable(0.5)
    found = integrate.odeint(f, np.ones(1), [0.0, 1.0])
    assert tg.value(found[-1, 0]) == pytest.approx(np.exp(-0.5))
    assert count == len(calls) > 3
    before = count
    assert tg.grad(lambda s: integrate.odeint(f, s * np.ones(1), [0.0, 1.0])[-1, 0])(1.0) > 0
    assert count > before


global_count, global_rate = 0, tg.Variable(0.5)


def count_globally(y, t):
    global global_count
    global_count += 1
    return -rate * y


def count_and_read(y, t):
    global global_count
    global_count += 1
    return -global_rate * y


def test_assignments_to_globals():
    before = global_count
    found = tg.grad(lambda y0: integrate.odeint(count_globally, y0, [0.0, 1.0])[-1, 0])(np.ones(1))
    np.testing.assert_allclose(found, [np.exp(-0.5)], rtol=1e-6)
    assert global_count > before + 3
    with pytest.raises(TypeError, match=r"assigns to 'global_count', .* 'global_rate' is"):
        integrate.odeint(count_and_read, np.ones(1), [0.0, 1.0])


class Config:
    k = tg.Variable(0.5)


class Counting:
    def __init__(self, k):
        self.k, self.calls = k, 0

    def __call__(self, y, t):
        self.calls += 1
        return -self.k * y


def test_what_is_refused():
    k, y0 = tg.Variable(0.5), np.ones(1)
    with pytest.raises(TypeError, match=r"scipy\.integrate\.odeint: .* pass them in args="):
        integrate.odeint(lambda y, t: -Config.k * y, tg.Variable(y0), TIMES)
    with pytest.raises(TypeError, match=r"odeint: .* writes to a Counting that holds"):
        integrate.odeint(Counting(k), y0, TIMES)
    moving = tg.Variable(0.1)

    def assigns(y, t):
        nonlocal moving
        moving = moving * 1.0
        return moving * y

    with pytest.raises(TypeError, match=r"odeint: assigns assigns to 'moving'"):
        integrate.odeint(assigns, y0, TIMES)
    held = [k]

    def notes(y, t):
        held.append(t)
        return held[0] * y

    with pytest.raises(TypeError, match=r"odeint: .* writes to a list that holds"):
        integrate.odeint(notes, y0, TIMES)
    z = k * 1j
    with pytest.raises(TypeError, match=r"odeint: "):
        integrate.odeint(lambda y, t: z.imag * y, tg.Variable(y0), TIMES)


def optimum(k, c):
    def slope(x):
        return 2.0 * (x - k) - c[0] * np.ones(1)

    found = optimize.minimize(lambda x: np.sum((x - k) ** 2) - c[0] * x[0], [0.0], jac=slope)
    return found.x


def by_all(k, c):
    y = sum(way(k, c)[0] for way in (by_method, by_default, by_dataclass, by_helper))
    return y + by_tree_in_args(k, c)[0] + integrate.quad(lambda t: k * t, 0.0, k)[0]


@pytest.mark.parametrize("f", [*WAYS, by_all, optimum])
def test_nothing_recorded_is_kept(f):
    gradient = tg.grad(lambda k, c: np.sum(f(k, c)), (0, 1))
    gradient(1.3, C)
    gc.collect()
    before = tg._core.live_nodes()
    for k in (1.1, 1.2):
        gradient(k, C)
    gc.collect()
    assert tg._core.live_nodes() == before
    f(tg.Variable(1.3) * 1.0, tg.Variable(C) * 1.0)
    gc.collect()
    assert tg._core.live_nodes() == before


def test_threads():
    def f(k):
        return solved(lambda y, t: pendulum(y, t, k, C), Y0)[0]

    expected = [tg.grad(f)(k) for k in (1.0, 1.5)]
    found = {}

    def work(k):
        found[k] = tg.grad(f)(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in (1.0, 1.5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[1.0], found[1.5]] == expected
