"""Scans of random steps: the same as the plain loop, in every transform."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scan_checks import assert_close, loop, total

import tapegrad as tg
from tapegrad._tree import fill, leaves

UNARY = [np.sin, np.tanh, np.cos, lambda x: x * 0.5, lambda x: np.exp(-x * x), lambda x: x[::-1]]
BINARY = [
    np.add,
    np.multiply,
    np.subtract,
    lambda x, y: np.where(x > y, x, y * 0.5),
    lambda x, y: x * np.sum(y),
    lambda x, y: np.outer(x, y)[0],
]
INSTRUCTION = st.one_of(
    st.tuples(st.integers(0, len(UNARY) - 1), st.integers(0, 9)),
    st.tuples(st.integers(0, len(BINARY) - 1), st.integers(0, 9), st.integers(0, 9)),
)


def step_of(program, outputs):
    def step(carry, x):
        known = [*carry, x]
        for fn, *places in program:
            args = [known[p % len(known)] for p in places]
            known.append((UNARY if len(args) == 1 else BINARY)[fn](*args))
        a, b, y = (known[p % len(known)] for p in outputs)
        return (np.tanh(a), 0.5 * b), y

    return step


@settings(deadline=None, max_examples=60)
@given(
    st.lists(INSTRUCTION, min_size=1, max_size=6),
    st.tuples(*[st.integers(0, 9)] * 3),
    st.integers(1, 6),
    st.booleans(),
    st.sampled_from([None, 1, 2, 3]),
    st.integers(0, 100),
)
def test_any_step(program, outputs, n, reverse, checkpoints, seed):
    step = step_of(program, outputs)
    rng = np.random.default_rng(seed)
    args = ((rng.standard_normal(3), rng.standard_normal(3)), rng.standard_normal((n, 3)))

    def through(how, **more):
        return lambda args: how(step, *args, reverse=reverse, **more)

    scanned, looped = through(tg.scan, checkpoints=checkpoints), through(loop)
    assert_close(scanned(args), looped(args), 1e-11)
    ours, theirs = (lambda x: total(scanned(x))), (lambda x: total(looped(x)))
    assert_close(tg.grad(ours)(args), tg.grad(theirs)(args), 1e-9)
    assert_close(tg.hvp(ours, args, args), tg.hvp(theirs, args, args), 1e-7)
    lanes = fill(args, iter([np.stack([x, x * 0.5]) for _, x in leaves(args)]))
    assert_close(tg.vmap(tg.grad(ours))(lanes), tg.vmap(tg.grad(theirs))(lanes), 1e-8)
    compiled = tg.compile(tg.grad(ours))
    for _ in range(3):
        assert_close(compiled(args), tg.grad(theirs)(args), 1e-9)
