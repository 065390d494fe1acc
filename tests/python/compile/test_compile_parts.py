"""Arrays that are written part by part, as loops write them: compiled, they give eager's bits."""

import numpy as np
import pytest
from compile_checks import replays
from hypothesis import given, settings
from hypothesis import strategies as st

import tapegrad as tg

KEEPS_BITS = {"batch": False, "tiles": False}  # which reorder sums


def check(f, x, **passes):
    """Value and gradient of `f` at `x`, compiled, are those of eager code to the bit."""
    compiled = tg.compile(tg.value_and_grad(f), passes=passes)
    for shift in (0.0, 0.25, 0.0, -0.5, 0.125):
        value, gradient = compiled(x + shift)
        eager_value, eager_gradient = tg.value_and_grad(f)(x + shift)
        np.testing.assert_array_equal(value, eager_value)
        np.testing.assert_array_equal(gradient, eager_gradient)
        np.testing.assert_allclose(value, f(x + shift), rtol=1e-12)
    assert replays(compiled) >= 1


def epidemic(days):
    def peak(p):
        ill = np.empty_like(p, shape=days)
        well, ill[0] = 0.99, 0.01
        for day in range(1, days):
            new = p[0] * well * ill[day - 1]
            well = well - new
            ill[day] = ill[day - 1] + new - p[1] * ill[day - 1]
        return np.max(ill)

    return peak


def tridiagonal(n):
    def solve(x):
        cp, dp, y = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
        b = 4.0 + x**2
        cp[0], dp[0] = -1.0 / b[0], x[0] / b[0]
        for i in range(1, n):
            m = b[i] + cp[i - 1]
            cp[i] = -1.0 / m
            dp[i] = (x[i] + dp[i - 1]) / m
        y[n - 1] = dp[n - 1]
        for i in range(n - 2, -1, -1):
            y[i] = dp[i] - cp[i] * y[i + 1]
        return np.sum(y**2)

    return solve


def grid(n):
    def f(x):
        a = np.zeros_like(x, shape=(n, n))
        for i in range(n):
            for j in range(n):
                a[i, j] = np.sin(x[(i * n + j) % x.size]) + 0.3 * a[i - 1, j] + 0.2 * a[i][j - 1]
        return np.sum(a[n - 1])

    return f


@pytest.mark.parametrize("n", [3, 50, 200])
def test_loops_over_elements(n):
    check(epidemic(n), np.array([0.4, 0.1]) + 0.6, **KEEPS_BITS)
    check(tridiagonal(n), np.linspace(0.6, 1.5, n), **KEEPS_BITS)
    check(grid(min(n, 12)), np.linspace(0.6, 1.5, 7), **KEEPS_BITS)


def test_a_tridiagonal_solve_is_that_of_the_matrix():
    n, x = 60, np.linspace(0.5, 1.0, 60)
    matrix = np.diag(4.0 + x**2) - np.eye(n, k=1) - np.eye(n, k=-1)
    compiled = tg.compile(tridiagonal(n))
    for _ in range(4):
        assert compiled(x) == pytest.approx(np.sum(np.linalg.solve(matrix, x) ** 2), rel=1e-12)


def rows_of_states(n, loss):
    def f(p):
        states = np.zeros((n + 1, 4))
        for t in range(n):
            states[t + 1] = np.tanh(p * states[t] + 0.1 * t / n + p[::-1])
        return loss(states)

    return f


def elements_of_states(n, loss):
    def f(p):
        states = np.zeros((n + 1, 4))
        for t in range(n):
            states[t + 1, 0] = np.tanh(p[0] * states[t, 0] + 0.1 * t / n)
            states[t + 1, 1] = np.sin(states[t, 0] + p[1] * states[t, 1])
            states[t + 1, 2] = states[t, 1] * p[2]
            states[t + 1, 3] = states[t, 2] + p[3] * states[t, 3]
        return loss(states)

    return f


READS_OF_STATES = {
    "all": lambda s: np.sum(s**2),
    "a column": lambda s: np.sum(s[:, 0] ** 2),
    "a column but for its first": lambda s: np.mean(s[1:, 1] ** 2),
    "two columns": lambda s: np.sum(s[:, 0] * s[:, 1]),
    "columns and the last row": lambda s: np.sum(s[:, 2] ** 2) + np.sum(s[:, 0]) + np.sum(s[-1]),
    "the largest of a column": lambda s: np.max(s[:, 1]),
    "some columns": lambda s: np.sum(s[:, 1:3] ** 2),
    "every other row": lambda s: np.sum(s[::2] ** 2),
    "a transpose": lambda s: np.sum(s.T[0] * s.T[1]),
}


@pytest.mark.parametrize("read", READS_OF_STATES)
@pytest.mark.parametrize("states", [rows_of_states, elements_of_states])
def test_states_in_a_table_are_a_loop_however_they_are_read(states, read):
    """Adjoints of a column reach every row: the chain of the rows' adjoints begins with it."""
    p, steps = np.array([0.5, -0.3, 0.8, 0.6]), []
    for n in (100, 200):
        f = states(n, READS_OF_STATES[read])
        compiled = tg.compile(tg.grad(f))
        for k in range(5):
            at = p * (1.0 + 0.01 * k)
            np.testing.assert_allclose(compiled(at), tg.grad(f)(at), rtol=1e-12, atol=1e-15)
        (report,) = compiled.inspect().signatures
        steps.append(report.programs[0].n_steps)
    assert max(steps) < 80  # and they don't grow with the loop


# Statements over x (5,), the vector y and the matrix m that are being written, and the number t.
INDEX = st.integers(-5, 4).map(str)
ROW = st.integers(-3, 2).map(str)
STATEMENTS = st.one_of(
    st.builds("y[{}] = np.sin(t) + x[{}]".format, INDEX, INDEX),
    st.builds("y[{}] += t * x[{}]".format, INDEX, INDEX),
    st.builds("y[{}] *= 0.5".format, INDEX),
    st.builds("t = y[{}] * y[{}] - t".format, INDEX, INDEX),
    st.builds("y[1:4] = y[{}] + x[1:4]".format, INDEX),
    st.builds("y[::2] += t".format),
    st.builds("t = t + np.sum(y[{}:])".format, INDEX),
    st.builds("y = np.cos(y)".format),
    st.builds("z = y; y = y.copy(); y[{}] = z[{}] + t".format, INDEX, INDEX),
    st.builds("old = y.copy(); y[{}] = t; t = old[{}] + y[{}]".format, INDEX, INDEX, INDEX),
    st.builds("m[{}] = y * t".format, ROW),
    st.builds("m[{}, {}] = t".format, ROW, INDEX),
    st.builds("m[{}][{}] -= x[{}]".format, ROW, INDEX, INDEX),
    st.builds("y = m[{}] + 0.1 * y".format, ROW),
    st.builds("t = 0.3 * m[{}, {}] + t".format, ROW, INDEX),
    st.builds("m[{}, 1:] = y[1:]".format, ROW),
    st.builds("m[:, {}] = t".format, INDEX),
    st.builds("row = m[{}]; row[{}] = t; t = np.sum(m[{}])".format, ROW, INDEX, ROW),
)


@settings(deadline=None)  # each example is recorded and compiled
@given(st.lists(STATEMENTS, min_size=1, max_size=14))
def test_random_programs_of_parts(statements):
    lines = ["def f(x):", " y, m, t = x * 1.0, np.zeros_like(x, shape=(3, 5)), x[0] * 1.0"]
    lines += [f" {s}" for s in [*statements, "return np.sum(y * y) + np.sum(m) + t"]]
    names = {"np": np}
    exec("\n".join(lines), names)
    check(names["f"], np.array([0.3, -0.4, 0.5, 0.1, -0.2]), **KEEPS_BITS)


PARTS = ("0", "-1", "0, 0", "1, 2", ":, 0", ":, 1:3", "0:2", ":, -1", "0, ::2", ":", "::-1, 1")
WRITES_OF_LANES = st.one_of(
    st.builds("a[{}] **= 2".format, st.sampled_from(PARTS)),
    st.builds("a[{}] *= 3.0".format, st.sampled_from(PARTS)),
    st.builds("a[{0}] += x[{0}]".format, st.sampled_from(PARTS)),
    st.builds("a[{}] = 1.5".format, st.sampled_from(PARTS)),
    st.builds("a[{}] -= np.sum(a[{}])".format, st.sampled_from(PARTS), st.sampled_from(PARTS)),
    st.builds("b = a[{}]; b *= 2.0; t = t + np.sum(b)".format, st.sampled_from(PARTS[:4])),
    st.builds("t = t + np.sum(np.sin(a[{}]))".format, st.sampled_from(PARTS)),
)
RESULTS = st.sampled_from(
    (
        "np.sum(np.einsum('...i,...i->...', a, a))",  # one lane at a time
        "np.sum(np.interp(a, np.arange(3.0), np.arange(3.0) ** 2))",
        "np.sum(np.convolve(a[0], a[1]))",
        "np.sum(np.cumsum(a, 0) ** 2)",
        "np.sum(a @ a.T)",
    )
)


@settings(deadline=None)
@given(st.lists(WRITES_OF_LANES, min_size=1, max_size=5), RESULTS)
def test_lanes_of_random_programs_of_parts(statements, result):
    lines = ["def f(x):", " a, t = x * 2.0, 0.0", *[f" {s}" for s in statements]]
    names = {"np": np}
    exec("\n".join([*lines, f" return t + {result}"]), names)
    f = names["f"]
    points = [
        np.array([[0.6, 0.1, 0.3], [0.9, 0.3, 0.4]]),
        np.array([[-0.5, 0.9, 0.4], [-1, 1, 0]]),
    ]
    gradients = [tg.grad(f)(x) for x in points]
    forward, lanes = tg.compile(tg.jacobian(f, mode="forward")), tg.compile(tg.vmap(tg.grad(f)))
    second = tg.compile(tg.hessian(f))
    for _ in range(3):
        for x, gradient in zip(points, gradients, strict=True):
            np.testing.assert_allclose(forward(x), gradient, rtol=1e-11, atol=1e-11)
            np.testing.assert_allclose(second(x), tg.hessian(f)(x), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(lanes(np.stack(points)), gradients, rtol=1e-11, atol=1e-11)


def test_a_row_of_all_lanes_is_not_the_row_of_one():
    def f(x):
        a = np.sum(x, axis=(0, -1), keepdims=True)
        a[-1] **= 2
        return np.sum(np.einsum("...i,...i->...", a, a))

    x = np.array([[0.6, 0.1, 0.3], [0.9, 0.3, 0.4]])
    compiled = tg.compile(tg.jacobian(f, mode="forward"))
    for _ in range(3):
        np.testing.assert_allclose(compiled(x), np.full((2, 3), 4 * 2.6**3), rtol=1e-14)


@pytest.mark.parametrize("length", [12, 90, 400])
def test_packed_gates_whose_states_are_written(length):
    """The sweep adds to rows of weights as a whole in some turns, and to their gates in others."""
    n = 3

    def last(weights, state, x):
        state, total = np.copy(state), 0.0
        for t in range(length):
            seen = x[t]
            for j in range(2):
                hidden, cell = state[2 * j], state[2 * j + 1]
                gates = np.concatenate((seen, hidden, seen, hidden)) * weights[2 * j]
                gates = gates + weights[2 * j + 1]
                keep, take = np.tanh(gates[:n]), np.tanh(gates[n : 2 * n])
                give, change = np.tanh(gates[2 * n : 3 * n]), np.tanh(gates[3 * n :])
                cell = cell * keep + take * change
                seen = give * np.tanh(cell)
                state[2 * j], state[2 * j + 1] = seen, cell
            total = total + np.sum(seen * x[t])
        return total

    rng = np.random.default_rng(length)
    weights, state = rng.normal(size=(4, 4 * n)), rng.normal(size=(4, n))
    x = rng.normal(size=(length, n))
    compiled = tg.compile(tg.grad(last, (0, 1, 2)))
    for _ in range(3):
        found = compiled(weights, state, x)
    for ours, eager in zip(found, tg.grad(last, (0, 1, 2))(weights, state, x), strict=True):
        np.testing.assert_array_equal(ours, eager)
    if length > 12:
        assert compiled.inspect().signatures[0].programs[0].n_steps < 200
