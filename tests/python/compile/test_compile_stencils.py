"""Slices of one array beside each other, differentiated: kernels that read the array shifted."""

import warnings

import compile_checks
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tapegrad as tg

TERMS = {
    "product": lambda p, q: p * q,
    "square": lambda p, q: (p - q) ** 2,
    "rosenbrock": lambda p, q: 100 * (p - q**2) ** 2 + (1 - q) ** 2,
    "bell": lambda p, q: np.exp(-p * p) * q,
    "choice": lambda p, q: np.where(p < q, p, q * q),
    "quotient": lambda p, q: p / (1 + q * q),
    "largest": lambda p, q: np.maximum(p, q) * p,
    "root": lambda p, q: np.sqrt(p) * q,
    "one": lambda p, q: p * q[:1],
    "joined": lambda p, q: np.concatenate([p[:1], p[1:] * q[:-1]]) if len(p) > 1 else p * q,
    "padded": lambda p, q: p * np.pad(q * p, [(1, 0)] + [(0, 0)] * (p.ndim - 1))[: len(p)],
}
KEEPS_BITS = {"batch": False, "tiles": False}  # which reorder sums
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0]
MODES = {
    "grad": lambda f: tg.grad(f),
    "both": lambda f: tg.value_and_grad(f),
    "hvp": lambda f: lambda x: tg.hvp(f, x, np.cos(x)),
    "twice": lambda f: tg.grad(lambda x: np.sum(tg.grad(f)(x) ** 2)),
    "descent": lambda f: lambda x: x - x.dtype.type(0.1) * tg.grad(f)(x),
    "many": lambda f: lambda x: tg.vmap(tg.grad(f))(np.stack([x, 2 * x])),
}


@st.composite
def stencils(draw):
    """The shape and axis, and terms of pairs of slices of one length each."""
    shape = list(draw(st.sampled_from([(), (3,), (2, 5)])))
    axis = draw(st.integers(0, len(shape)))
    n = draw(st.one_of(st.integers(1, 9), st.sampled_from([63, 64, 65, 300])))
    shape.insert(axis, n)
    terms = []
    for _ in range(draw(st.integers(1, 3))):
        length = draw(st.one_of(st.integers(max(1, n - 3), n), st.integers(1, n)))
        starts = [draw(st.integers(0, n - length)) for _ in range(2)]
        terms.append((draw(st.sampled_from(sorted(TERMS))), length, starts))
    return tuple(shape), axis, terms


def function_of(axis, terms):
    def f(x):
        total = 0.0
        for name, length, starts in terms:
            cuts = [(slice(None),) * axis + (slice(s, s + length),) for s in starts]
            p, q = (x[cut] for cut in cuts)
            total = total + np.sum(TERMS[name](p, q))
        return total

    return f


def assert_same_bits(found, expected):
    for a, b in zip(found, expected, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.dtype == b.dtype
        assert np.array_equal(a, b, equal_nan=True)
        numbers = ~np.isnan(b)
        assert np.array_equal(np.signbit(a)[numbers], np.signbit(b)[numbers])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    stencils(),
    st.sampled_from(sorted(MODES)),
    st.sampled_from([np.float64, np.float32]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_kernels_keep_the_bits(stencil, mode, dtype, special, seed):
    shape, axis, terms = stencil
    derivative = MODES[mode](function_of(axis, terms))
    rng = np.random.default_rng(seed)
    compiled = tg.compile(derivative, passes=KEEPS_BITS)
    op_by_op = tg.compile(derivative, passes={"fuse": False})
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        for _ in range(4):
            x = rng.normal(size=shape).astype(dtype)
            if special:
                odd = rng.random(shape) < 0.3
                x[odd] = rng.choice(SPECIAL, int(odd.sum()))
            parts = [r if isinstance(r, tuple) else (r,) for r in (compiled(x), op_by_op(x))]
            assert_same_bits(*parts)
            if special:
                continue
            plain = derivative(x)
            for a, b in zip(parts[0], plain if isinstance(plain, tuple) else (plain,), strict=True):
                scale = np.max(np.abs(b), initial=1, where=np.isfinite(b))
                tolerance = (1e-12 if dtype is np.float64 else 1e-4) * scale
                np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    assert compile_checks.replays(compiled) == 2


def text_of(compiled, *args):
    for _ in range(3):
        compiled(*args)
    return compiled.inspect().signatures[0].programs[0].text


def steps_of(compiled, *args):
    return text_of(compiled, *args).strip().count("\n") - 1


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def heat(u):
    for _ in range(5):
        u = np.concatenate([u[:1], u[1:-1] + 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2]), u[-1:]])
    return np.sum(u**2)


def heat_in_place(u):
    u = u.copy()
    for _ in range(5):
        u[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])
    return np.sum(u**2)


def heat_padded(u):
    for _ in range(5):
        u = u + 0.1 * np.pad(u[2:] - 2 * u[1:-1] + u[:-2], 1)
    return np.sum(u**2)


def five_points(u):
    middle = u[1:-1, 1:-1]
    return np.sum((u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * middle) ** 2)


@pytest.mark.parametrize(
    ("f", "shape", "most"),
    [
        (rosenbrock, (100,), 1),
        (lambda x: np.sum(np.diff(x) ** 2), (100,), 1),
        (lambda x: np.sum(np.diff(x, 2) ** 2), (100,), 4),  # one for each difference
        (lambda x: np.sum((x[2:] - 2 * x[1:-1] + x[:-2]) ** 2), (100,), 1),
        (lambda x: np.sum(x[:-1] * x[1:]), (100,), 1),
        (lambda x: np.sum(np.diff(x, axis=0) ** 2) + np.sum(np.diff(x, axis=1) ** 2), (8, 9), 1),
        (lambda x: np.sum(np.exp(x[1:] - x[:-1])), (100,), 4),  # two slices, the exponentials
        (five_points, (8, 9), 7),  # five slices, what is squared, its sums
        (heat, (100,), 10),
        (heat_in_place, (100,), 10),
        (heat_padded, (100,), 10),
    ],
)
def test_a_gradient_is_a_kernel_a_step(f, shape, most):
    x = np.random.default_rng(0).normal(size=shape)
    gradient = tg.compile(tg.grad(f))
    assert steps_of(gradient, x) <= most
    np.testing.assert_allclose(gradient(x), tg.grad(f)(x), rtol=1e-13)


def test_the_value_beside_its_gradient():
    x = np.random.default_rng(0).normal(size=200)
    both = tg.compile(tg.value_and_grad(rosenbrock))
    assert steps_of(both, x) <= 4  # two slices, the sum, the gradient
    value, gradient = both(x)
    assert value == rosenbrock(x)
    assert np.array_equal(gradient, tg.grad(rosenbrock)(x))


def test_other_lengths():
    gradient = tg.compile(tg.grad(lambda x: np.sum(np.tanh(x[1:]) * x[:-1])))
    plain = tg.grad(lambda x: np.sum(np.tanh(x[1:]) * x[:-1]))
    for n in (17, 8, 5, 100, 1000, 3, 2, 1):
        x = np.random.default_rng(n).normal(size=n)
        np.testing.assert_allclose(gradient(x), plain(x), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_keep_the_bits(threads):
    x = np.random.default_rng(0).normal(size=200_001)
    gradient = tg.compile(tg.grad(rosenbrock))
    expected = tg.grad(rosenbrock)(x)
    before = tg.get_num_threads()
    try:
        tg.set_num_threads(threads)
        for _ in range(3):
            assert np.array_equal(gradient(x), expected)
    finally:
        tg.set_num_threads(before)


def test_inputs_of_any_layout():
    gradient = tg.compile(tg.grad(rosenbrock))
    wide = np.random.default_rng(0).normal(size=(2, 300)).T
    for x in (wide[:, 0], wide[::-1, 1], np.broadcast_to(0.5, (300,)), wide[:, 1].copy()):
        assert np.array_equal(gradient(x), tg.grad(rosenbrock)(x))


def test_single_elements_beside_slices():
    def f(x):
        return np.sum(x[1:] * x[:-1]) + (x[0] - 1) ** 2 * x[-1] + x[3] * x[3]

    gradient = tg.compile(tg.grad(f))
    for seed in range(4):
        x = np.random.default_rng(seed).normal(size=50)
        np.testing.assert_allclose(gradient(x), tg.grad(f)(x), rtol=1e-14, atol=1e-15)


def test_what_an_index_array_picks():
    rng = np.random.default_rng(0)
    picks = rng.integers(0, 80, size=200)
    x = rng.normal(size=80)

    def f(x):
        y = x[picks]
        return np.sum(y[1:] * y[:-1]) + np.sum((y[2:] - x[picks[2:]] * y[:-2]) ** 2)

    for derivative in (tg.grad(f), lambda x: tg.hvp(f, x, x)):
        compiled = tg.compile(derivative)
        op_by_op = tg.compile(derivative, passes={"fuse": False})
        for _ in range(4):
            found = compiled(x)
            assert np.array_equal(found, op_by_op(x))
        np.testing.assert_allclose(found, derivative(x), rtol=1e-12)


def test_a_product_with_a_hessian_of_slices_is_one_kernel():
    def rosenbrock(x):
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    x, v = np.linspace(-1.0, 1.0, 500), np.ones(500)
    compiled = tg.compile(lambda x, v: tg.hvp(rosenbrock, x, v))
    for _ in range(4):
        found = compiled(x, v)
    np.testing.assert_allclose(found, tg.hvp(rosenbrock, x, v), rtol=1e-12)
    assert str(compiled.inspect().signatures[0].programs[0].text).count("kernel of") == 1


def test_steps_that_write_the_ends_by_themselves():
    """What sweeps put at single positions is put at the same ones in each step."""

    def energy(u):
        for _ in range(40):
            after = np.zeros_like(u)
            after[0] = 0.7 * u[0] + 0.3 * (u[1] - u[-1])
            after[-1] = 0.7 * u[-1] - 0.2 * (u[0] + u[-2])
            after[1:-1] = u[1:-1] - 0.4 * (u[2:] - u[:-2])
            u = after
        return np.sum(np.cos(u))

    u = np.random.default_rng(8).normal(size=90)
    compiled = tg.compile(tg.grad(energy))
    for _ in range(3):
        found = compiled(u)
    np.testing.assert_array_equal(found, tg.grad(energy)(u))
    text = compiled.inspect().signatures[0].programs[0].text
    assert text.count(" = scan(") == 2
    assert text.count("n_xs=0") == 2  # neither positions nor zeros are stacked
