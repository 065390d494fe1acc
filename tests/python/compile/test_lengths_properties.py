"""Random programs at random lengths: one program for all of them gives what plain code gives."""

import numpy as np
import pytest
from compile_checks import replays
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from length_cases import SERVED
from test_lengths import RECORDED, assert_equal, follow, outcome, points

import tapegrad as tg

# vmap adds in another order where it is recorded.
UNARY = [f for k, f in SERVED.items() if k not in ("outer", "ravel", "tril", "pairs", "vmap")]
UNARY += [RECORDED[name] for name in ("len", "steps", "split")]
UNARY += [lambda x: x[:10], lambda x: x[-10:], lambda x: x[2:12], lambda x: x[4:-4]]
UNARY += [lambda x: x[3], lambda x: x[-4:-1], lambda x: x[5:], lambda x: x[:, None] * x]
BINARY = [
    np.add,
    np.multiply,
    lambda x, y: np.concatenate([np.ravel(x), np.ravel(y)]),
    lambda x, y: np.where(x < y, x, y * y),
    lambda x, y: np.sum(x) * y,
    lambda x, y: np.outer(x, y),
]
STEP = st.one_of(
    st.tuples(st.sampled_from(range(len(UNARY))), st.integers(0, 9)),
    st.tuples(st.sampled_from(range(len(BINARY))), st.integers(0, 9), st.integers(0, 9)),
)
PROGRAM = st.lists(STEP, min_size=1, max_size=5)
SOME_LENGTHS = st.lists(st.integers(0, 14), min_size=4, max_size=9)


def function_of(program):
    def f(x):
        values = [x, np.sin(x)]
        for which, *places in program:
            operands = [values[place % len(values)] for place in places]
            step = (UNARY if len(places) == 1 else BINARY)[which]
            values.append(0.3 * step(*operands))
        return values[-1]

    return f


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(PROGRAM, SOME_LENGTHS)
def test_random_programs(program, lengths):
    f = function_of(program)

    def gradient(x):
        return tg.value_and_grad(lambda x: np.sum(np.cos(f(x))) + 0.0 * np.sum(x))(x)

    with np.errstate(all="ignore"):
        follow(gradient, lengths, passes={"batch": False, "tiles": False})  # which reorder sums


def one_apart(x, y):
    return np.sum(x[:-1] ** 2) * np.sum(y)


@pytest.mark.parametrize(
    ("f", "relation"),
    [
        (one_apart, lambda n: n - 1),
        (lambda x, y: np.sum(x[1:-2] ** 2) * np.sum(y), lambda n: n - 3),
        (lambda x, y: np.sum(np.tile(x, 2) * 0.5) + np.sum(y * y), lambda n: 2 * n),
        (lambda x, y: np.sum(np.pad(x, (1, 2), mode="edge")) * np.sum(y), lambda n: n + 3),
        (lambda x, y: np.sum(np.pad(x, 1, mode="wrap") ** 2) * np.sum(y), lambda n: n - 1),
    ],
)
def test_lengths_that_belonged_together_by_chance(f, relation):
    """Recorded with lengths that are no more related than others, then called with those."""
    gradient = tg.value_and_grad(f, argnum=(0, 1))
    compiled = tg.compile(gradient)
    lengths = [(n, relation(n)) for n in (17, 8, 12)]
    lengths += [(30, 5), (5, 30), (9, 9), (10, 20), (20, 10), (7, 6), (40, 3)]
    for n, m in lengths:
        args = points(n), points(m, 1)
        assert_equal(compiled(*args), gradient(*args))
    assert replays(compiled) >= 3


# What lengths of their own allow.
APART = [
    lambda x, y: np.concatenate([np.ravel(x), np.ravel(y)]),
    lambda x, y: np.sum(x) * y,
    lambda x, y: x * np.mean(y),
    lambda x, y: np.ravel(np.outer(x, y)) if x.ndim == y.ndim == 1 else x,
]
PAIR_STEP = st.one_of(
    st.tuples(st.sampled_from(range(len(UNARY))), st.integers(0, 9)),
    st.tuples(st.sampled_from(range(len(APART))), st.integers(0, 9), st.integers(0, 9)),
)
RELATIONS = [
    lambda n: n - 1,
    lambda n: n,
    lambda n: n + 1,
    lambda n: 2 * n,
    lambda n: 3,
    lambda n: 11 - n,
]
SOME_PAIRS = st.lists(
    st.tuples(st.integers(2, 9), st.sampled_from(range(len(RELATIONS)))),
    min_size=4,
    max_size=8,
)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PAIR_STEP, min_size=1, max_size=4), SOME_PAIRS)
def test_random_programs_of_two_lengths(program, pairs):
    def f(x, y):
        values = [x, y]
        for which, *places in program:
            operands = [values[place % len(values)] for place in places]
            values.append(0.3 * (UNARY if len(places) == 1 else APART)[which](*operands))
        return sum(np.sum(np.cos(v)) for v in values)

    gradient = tg.value_and_grad(f, argnum=(0, 1))
    options = {"batch": False, "tiles": False}  # which reorder sums
    compiled = tg.compile(gradient, passes=options)
    with np.errstate(all="ignore"):
        for n, relation in pairs:
            args = points(n), points(RELATIONS[relation](n), 1)
            assert_equal(outcome(compiled, *args), outcome(gradient, *args))
