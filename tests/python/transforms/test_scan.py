"""tg.scan: the same as the plain loop, at every order, and when it must be one."""

import warnings
from typing import NamedTuple

import numpy as np
import pytest
from scan_checks import assert_close, loop, total

import tapegrad as tg
from tapegrad import _core
from tapegrad._tree import fill, leaves
from tapegrad.transforms import bodies, scan

RNG = np.random.default_rng(3)


class Cell(NamedTuple):
    hidden: np.ndarray
    decay: float


W = RNG.standard_normal((3, 3)) / 2


def network(cell, x):
    hidden = np.tanh(W @ cell.hidden + x["in"] * cell.decay)
    return Cell(hidden, cell.decay * 0.9), {"sum": hidden.sum(), "all": (hidden * x["gain"], None)}


def oscillator(state, force):
    position, speed = state
    speed = speed - 0.1 * np.sin(position) + force
    return [position + 0.1 * speed, speed], position * speed


def swap(state, _):
    return (state[1], state[0] * 0.5), state[0] + 1.0


CASES = {
    "network": (
        network,
        Cell(RNG.standard_normal(3), 0.8),
        {"in": RNG.standard_normal((6, 3)), "gain": RNG.standard_normal(6)},
        None,
    ),
    "scalars": (oscillator, [0.3, -0.2], RNG.standard_normal(5), None),
    "without xs": (swap, (np.array([1.0, 2.0]), np.array([0.5, -1.0])), None, 4),
    "matrix": (
        lambda m, x: (m @ W + np.outer(x, x), np.trace(m)),
        np.eye(3),
        RNG.standard_normal((3, 3)),
        None,
    ),
    "update": (
        lambda a, x: (a * np.array([1.0, 0.0, 1.0]) + x[0], a[1:] * x[1]),
        np.zeros(3),
        (RNG.standard_normal((4, 3)), RNG.standard_normal(4)),
        None,
    ),
    "one step": (oscillator, [0.3, -0.2], RNG.standard_normal(1), None),
}
each = pytest.mark.parametrize("name", CASES)
both = pytest.mark.parametrize("reverse", [False, True])


def pair(name, reverse=False, **options):
    """scan and loop as functions of the leaves of init and xs, and these leaves."""
    f, init, xs, length = CASES[name]

    def through(run, **more):
        def function(args):
            return run(f, *args, length=length, reverse=reverse, **more)

        return function

    return through(tg.scan, **options), through(loop), (init, xs)


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@each
@both
def test_values_are_those_of_the_loop(name, reverse):
    scanned, looped, args = pair(name, reverse)
    assert_close(scanned(args), looped(args))
    assert not any(isinstance(x, tg.Variable) for _, x in leaves(scanned(args)))


@each
@both
@pytest.mark.parametrize("checkpoints", [None, 1, 2])
def test_derivatives_of_first_and_second_order(name, reverse, checkpoints):
    scanned, looped, args = pair(name, reverse, checkpoints=checkpoints)
    ours, theirs = (lambda x: total(scanned(x))), (lambda x: total(looped(x)))
    assert_close(tg.grad(ours)(args), tg.grad(theirs)(args))
    assert_close(tg.jvp(scanned, (args,), (args,)), tg.jvp(looped, (args,), (args,)))
    assert_close(tg.hvp(ours, args, args), tg.hvp(theirs, args, args), 1e-10)
    outer, expected = (tg.grad(lambda x, f=f: total(tg.grad(f)(x))) for f in (ours, theirs))
    assert_close(outer(args), expected(args), 1e-10)


@each
@pytest.mark.parametrize("checkpoints", [None, 2])
def test_inside_and_outside_of_vmap_and_compile(name, checkpoints):
    scanned, looped, args = pair(name, checkpoints=checkpoints)
    ours, theirs = (lambda x: total(scanned(x))), (lambda x: total(looped(x)))
    lanes = fill(args, iter([np.stack([x, x * 0.5, x + 0.1]) for _, x in leaves(args)]))
    assert_close(tg.vmap(scanned)(lanes), tg.vmap(looped)(lanes), 1e-11)
    assert_close(tg.vmap(tg.grad(ours))(lanes), tg.vmap(tg.grad(theirs))(lanes), 1e-11)
    mean = [tg.grad(lambda x, f=f: np.mean(tg.vmap(f)(x))) for f in (ours, theirs)]
    assert_close(mean[0](lanes), mean[1](lanes), 1e-11)
    compiled = tg.compile(tg.grad(ours))
    for factor in (1.0, 0.5, 0.25):
        point = fill(args, iter([x * factor for _, x in leaves(args)]))
        assert_close(compiled(point), tg.grad(theirs)(point), 1e-11)
    assert compiled.inspect().signatures[0].replays == 1


def test_a_jacobian_with_seeds_as_lanes():
    scanned, looped, args = pair("scalars", checkpoints=2)
    ours = tg.compile(tg.jacobian(lambda x: scanned((args[0], x))[1]))
    theirs = tg.jacobian(lambda x: looped((args[0], x))[1])
    for _ in range(3):
        assert_close(ours(args[1]), theirs(args[1]))


def test_single_precision_stays_single():
    def step(c, x):
        return np.tanh(c * x), c + x

    xs = RNG.standard_normal((4, 2)).astype(np.float32)
    init = np.ones(2, np.float32)
    assert_close(tg.scan(step, init, xs), loop(step, init, xs), 1e-6)
    ours, theirs = (tg.grad(lambda c, r=r: total(r(step, c, xs)))(init) for r in (tg.scan, loop))
    assert ours.dtype == np.float32
    assert_close(ours, theirs, 1e-5)


def test_what_the_step_reads_from_outside_has_derivatives_too():
    w = tg.Variable(W)
    data = RNG.standard_normal(3)

    def run(how):
        return total(how(lambda c, x: (np.tanh(w @ c + x * data), c), np.ones(3), np.arange(4.0)))

    run(tg.scan).backward()
    found = w.grad.copy()
    w.grad = None
    run(loop).backward()
    np.testing.assert_allclose(found, w.grad, rtol=1e-12)

    def outer(how):
        return tg.grad(lambda a: total(how(lambda c, x: (c * a + x, c * x), 0.5, np.ones(3))))(0.7)

    np.testing.assert_allclose(outer(tg.scan), outer(loop), rtol=1e-13)


def test_a_scan_in_a_scan():
    def inner(c, x):
        return np.sin(c + x), c * x

    def outer(how):
        def step(c, row):
            last, ys = how(inner, c, row)
            return last * 0.5, ys

        return lambda rows: total(how(step, 0.2, rows))

    rows = RNG.standard_normal((3, 4))
    assert_close(tg.grad(outer(tg.scan))(rows), tg.grad(outer(loop))(rows))
    assert_close(tg.hessian(outer(tg.scan))(rows), tg.hessian(outer(loop))(rows), 1e-10)


def test_derivatives_inside_the_step():
    def newton(how):
        g = tg.grad(lambda x, a: (x**3 - a) ** 2)
        return lambda a: how(lambda x, _: (x - 0.01 * g(x, a), x), 1.0, None, length=5)[0]

    ours, theirs = newton(tg.scan), newton(loop)
    assert_close([ours(2.0), tg.grad(ours)(2.0)], [theirs(2.0), tg.grad(theirs)(2.0)])


def test_no_step():
    carry, (y, z) = tg.scan(lambda c, x: (c + x, (c, x * np.ones(2))), 1.5, np.zeros(0))
    assert (carry, y.shape, z.shape) == (1.5, (0,), (0, 2))
    assert tg.grad(lambda c: tg.scan(lambda c, x: (c, c), c, np.zeros(0))[0] * 2)(1.0) == 2.0


def test_the_function_runs_twice_and_is_optimised_once():
    calls = []

    def loss(c):
        def step(c, x):
            calls.append(0) if count else None
            return np.cos(c) * x, c

        return total(tg.scan(step, c, np.ones(50))), step

    count = False
    _, step = loss(0.1)
    for c in (0.2, 0.3):
        tg.grad(lambda c: loss(c)[0])(c)
    assert len(bodies._bodies[step.__code__]) == 1


def test_a_program_holds_the_step_once():
    def gradient(n):
        compiled = tg.compile(tg.grad(lambda c: total(tg.scan(oscillator, [c, c], np.ones(n)))))
        for _ in range(3):
            compiled(0.3)
        return compiled.inspect().signatures[0].programs[0].n_steps

    assert gradient(100) == gradient(500) < 30


# Loops that stay Python.


def runs_plainly(f, match, n=5):
    with pytest.warns(UserWarning, match=match) as caught:
        found = tg.scan(f, 0.5, np.linspace(0.1, 1, n))
    assert caught[0].filename == __file__
    return found


def test_a_branch_on_values():
    def step(c, x):
        if c > 0.6:
            c = c * 0.5
        return c + x, c

    line = step.__code__.co_firstlineno + 1
    with pytest.warns(UserWarning, match=f"test_scan.py:{line}; write the choice with np.where"):
        found = tg.scan(step, 0.5, np.linspace(0.1, 1, 5))
    assert_close(found, loop(step, 0.5, np.linspace(0.1, 1, 5)))
    with pytest.warns(UserWarning, match="plain Python loop"):
        ours = tg.grad(lambda c: total(tg.scan(step, c, np.ones(4))))(0.5)
    assert_close(ours, tg.grad(lambda c: total(loop(step, c, np.ones(4))))(0.5))


def test_a_random_draw_is_drawn_at_each_step():
    def drawn(how, seed):
        rng = np.random.default_rng(seed)
        return tg.grad(lambda c: total(how(lambda c, x: (c * rng.normal(), c), c, np.ones(4))))(0.5)

    with pytest.warns(UserWarning, match="random numbers; draw them before"):
        ours = drawn(tg.scan, 1)
    assert_close(ours, drawn(loop, 1))


def test_a_counter_counts_every_step_once():
    seen = []

    def step(c, x):
        seen.append(len(seen))
        return c + x * len(seen), c

    found = runs_plainly(step, "it changes seen")
    assert seen == [0, 1, 2, 3, 4]
    seen.clear()
    assert_close(found, loop(step, 0.5, np.linspace(0.1, 1, 5)))


def test_whole_numbers_that_are_counted():
    def step(state, x):
        n, c = state
        return (n + 1, c + x * n), c

    init, xs = (0, 0.5), np.linspace(0.1, 1, 4)
    found = tg.scan(step, init, xs)
    assert_close(found, loop(step, init, xs))
    assert type(found[0][0]) is int
    slope = tg.grad(lambda xs: tg.scan(step, init, xs)[0][1])(xs)
    np.testing.assert_array_equal(slope, [0.0, 1.0, 2.0, 3.0])


def test_whole_numbers_do_not_wrap_around():
    def step(n, x):
        return n * 3, x * n

    xs = np.ones(50)
    with pytest.raises(ValueError, match="64 bits"):
        tg.scan(step, 1, xs)
    assert tg.scan(step, 1, xs[:30])[0] == 3**30


def test_a_step_that_can_not_be_recorded():
    table = [1.0, 2.0, 4.0, 8.0]
    with pytest.warns(UserWarning, match="plain Python loop"):
        carry, _ = tg.scan(lambda c, i: (c + table[i], None), 0.0, np.arange(4))
    assert carry == 15.0


# What is refused.


def refused(kind, match, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(kind, match=match):
            tg.scan(*args, **kwargs)


def test_errors_name_the_leaf_and_both_types():
    ones = np.ones(3)
    where = r"carry\['h'\] is .*shape \(2,\).* init has an array of shape \(3,\)"
    refused(TypeError, where, lambda c, x: ({"h": c["h"][1:]}, None), {"h": ones}, ones)
    refused(TypeError, "float64.*init has .*float32", lambda c, x: (c * x, None),
            np.ones(2, np.float32), ones)  # fmt: skip
    refused(TypeError, "the returned carry is .* where init has", lambda c, x: ((c, c), x), 1.0,
            ones)  # fmt: skip
    refused(TypeError, r"return a pair \(carry, y\)", lambda c, x: c, 1.0, ones)
    refused(TypeError, "y is str", lambda c, x: (c, "text"), 1.0, ones)
    refused(TypeError, r"init\[0\] is str", lambda c, x: (c, x), ["a"], ones)
    refused(TypeError, "float16; pass numbers", lambda c, x: (c, x), 1.0, ones.astype(np.float16))


def test_errors_of_lengths():
    ones = np.ones(3)
    refused(ValueError, r"xs\[1\] has 2 elements .* xs\[0\] says 3", oscillator, 0.0,
            (ones, ones[:2]))  # fmt: skip
    refused(ValueError, "length says 4", oscillator, 0.0, ones, length=4)
    refused(ValueError, "length=n", oscillator, 0.0)
    refused(TypeError, "2.5 is no integer", oscillator, 0.0, length=2.5)
    refused(ValueError, "length=-1 is negative", oscillator, 0.0, length=-1)
    refused(ValueError, "single number", oscillator, 0.0, 1.0)
    refused(ValueError, "checkpoints=0", oscillator, 0.0, ones, checkpoints=0)


def test_a_step_that_writes_to_what_it_gets():
    def step(state, x):
        state[1:] = state[:-1] * x[0]
        x[:] = 0.0
        state[0] += 1.0
        return state, state

    def functional(state, x):
        state = np.concatenate([state[:1] + 1.0, state[:-1] * x[0]])
        return state, state

    def branching(state, x):
        found = step(state, x)
        return found if x.sum() == 0.0 else None

    init, xs = np.array([0.1, 0.2, 0.3]), RNG.standard_normal((5, 2))
    kept = init.copy(), xs.copy()
    expected = loop(functional, init, xs)
    assert_close(tg.scan(step, init, xs), expected)
    gradients = [
        tg.grad(lambda c, r=r, f=f: total(r(f, c, xs)))(init)
        for r, f in ((tg.scan, step), (loop, functional))
    ]
    assert_close(*gradients)
    with pytest.warns(UserWarning, match="plain Python loop"):
        assert_close(tg.scan(branching, init, xs), expected)
    np.testing.assert_array_equal(init, kept[0])
    np.testing.assert_array_equal(xs, kept[1])


def test_a_value_that_the_step_keeps_for_itself():
    def loss(how, c):
        kept = []

        def step(c, x):
            kept.append(c * x)
            return np.sin(c + x), None

        last, _ = how(step, c, np.ones(4))
        return last * sum(kept)

    with pytest.warns(UserWarning, match="it changes kept"):
        found = tg.grad(lambda c: loss(tg.scan, c))(0.3)
    assert_close(found, tg.grad(lambda c: loss(plain_loop, c))(0.3))


def plain_loop(f, carry, xs):
    for x in xs:
        carry, _ = f(carry, x)
    return carry, None


# Memory.


def held_after(checkpoints):
    xs = np.random.default_rng(9).standard_normal((400, 500)) / 20
    _core.trim_pool()
    before = _core.pool_bytes()[0]
    _, pullback = tg.vjp(
        lambda c: tg.scan(lambda c, x: (np.tanh(c + x), None), c, xs, checkpoints=checkpoints)[0],
        np.zeros(500),
    )
    held = _core.pool_bytes()[0] - before
    return held, pullback(np.ones(500))[0]


def test_checkpoints_bound_what_is_held(monkeypatch):
    every, expected = held_after(None)
    few, found = held_after(10)
    assert every > 400 * 500 * 8
    assert few < every / 20
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    monkeypatch.setattr(scan, "MOST_CARRIED", 50 * 500 * 8)
    bounded, found = held_after(None)
    assert bounded < every / 20
    np.testing.assert_allclose(found, expected, rtol=1e-12)
