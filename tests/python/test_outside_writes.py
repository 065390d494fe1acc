"""Writes to Variables from outside, in functions that are recorded once: refused, or done right."""

import numpy as np
import pytest

import tapegrad as tg

X = np.array([0.5, 1.5, -2.0])


def _write(y, x):
    y[0] = y[0] + x


def _update(y, x):
    y += x


def _write_a_view(y, x):
    y[:][0] = x


def _write_out(y, x):
    np.add(y, x, out=y)


WRITES = [_write, _update, _write_a_view, _write_out]
MADE = {
    "leaf": lambda x: tg.Variable(np.array([1.0, 2.0])),
    "recorded": lambda x: 2.0 * x[:2],
    "recorded and written": lambda x: _written(2.0 * x[:2]),
}


def _written(y):
    y[1] = 5.0
    return y


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("made", MADE)
def test_writes_to_variables_from_outside_are_refused(made, write):
    make = MADE[made]

    def in_lanes(x):
        y = make(x)

        def f(v):
            write(y, v)
            return np.sum(y) * v

        return np.sum(tg.vmap(f)(x)) + np.sum(y**2)

    def in_shared_argument(x):
        def f(v, y):
            write(y, v)
            return np.sum(y) * v

        y = make(x)
        return np.sum(tg.vmap(f, in_axes=(0, None))(x, y)) + np.sum(y**2)

    def in_steps(x):
        y = make(x)

        def step(c, v):
            write(y, c)
            return c * v, c

        return tg.scan(step, x[0], x)[0] + np.sum(y**2)

    def in_checkpoint(x):
        y = make(x)

        def f(v):
            write(y, v)
            return v * v

        return tg.checkpoint(f)(x[0]) + np.sum(y**2)

    for program in (in_lanes, in_shared_argument, in_steps, in_checkpoint):
        with pytest.raises(RuntimeError, match="it writes to a Variable that was made outside"):
            tg.grad(program)(X)


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("made", MADE)
def test_what_a_refused_call_leaves_is_as_after_its_first_lane(made, write):
    """The exception may be caught; then plain Python would see the writes that were done."""
    make = MADE[made]

    def refused(x):
        y = make(x)

        def f(v):
            write(y, v)
            return v

        with pytest.raises(RuntimeError, match="made outside"):
            tg.vmap(f)(x)
        return np.sum(y**2)

    def written(x):
        y = make(x)
        write(y, x[0])
        return np.sum(y**2)

    value, slope = tg.value_and_grad(refused)(X)
    expected = tg.value_and_grad(written)(X)
    assert value == pytest.approx(expected[0], rel=1e-15)
    np.testing.assert_allclose(slope, expected[1], rtol=1e-15)


COPIES = {
    "copy": lambda y: y.copy(),
    "np.copy": np.copy,
    "np.array": lambda y: np.array(y),
    "astype": lambda y: y.astype(float),
    "+": lambda y: +y,
    "flatten": lambda y: y.flatten(),
    "fancy": lambda y: y[[0, 1]],
    "reversed": lambda y: np.ascontiguousarray(y[::-1]),
    "concatenate": lambda y: np.concatenate([y]),
    "where": lambda y: np.where(True, y, 0.0),
    "take": lambda y: np.take(y, [0, 1]),
}


@pytest.mark.parametrize("copy", COPIES)
def test_writes_to_copies_of_them_are_not(copy):
    make = COPIES[copy]

    def body(y, v):
        z = make(y)
        z[0] = z[0] + v
        z *= v
        return np.sum(z**2)

    def lanes(x):
        y = 2.0 * x[:2]
        return np.sum(tg.vmap(lambda v: body(y, v))(x)) + np.sum(y)

    def steps(x):
        y = 2.0 * x[:2]
        return tg.scan(lambda c, v: (c + body(y, v), None), 0.0, x)[0] + np.sum(y)

    def loop(x):
        y = 2.0 * x[:2]
        return sum(body(y, v) for v in x) + np.sum(y)

    value, slope = tg.value_and_grad(loop)(X)
    for program in (lanes, steps, tg.checkpoint(loop)):
        compiled = tg.compile(tg.value_and_grad(program))
        for found in (tg.value_and_grad(program)(X), *(compiled(X) for _ in range(4))):
            assert found[0] == pytest.approx(value, rel=1e-13)
            np.testing.assert_allclose(found[1], slope, rtol=1e-13)
