"""Arrays that compiled functions write element by element."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tapegrad as tg


def thomas(a: Any, b: Any, c: Any, d: Any) -> Any:
    """A tridiagonal system by elimination, as textbooks write it."""
    n = len(d)
    upper, right, x = np.zeros_like(d), np.zeros_like(d), np.zeros_like(d)
    upper[0], right[0] = c[0] / b[0], d[0] / b[0]
    for i in range(1, n):
        pivot = b[i] - a[i] * upper[i - 1]
        upper[i] = c[i] / pivot
        right[i] = (d[i] - a[i] * right[i - 1]) / pivot
    x[n - 1] = right[n - 1]
    for i in range(n - 2, -1, -1):
        x[i] = right[i] - upper[i] * x[i + 1]
    return x


def garch(p: Any, r: Any) -> Any:
    h = np.empty_like(r)
    h[0] = p[0] / (1.0 - p[1] - p[2])
    for t in range(1, len(r)):
        h[t] = p[0] + p[1] * r[t - 1] ** 2 + p[2] * h[t - 1]
    return np.sum(np.log(h) + r**2 / h)


def filtered(p: Any, x: Any) -> Any:
    y = np.zeros(len(x))
    for i in range(len(x)):
        y[i] = p[0] * x[i]
        if i > 0:
            y[i] += p[1] * y[i - 1]
        if i > 1:
            y[i] += p[2] * y[i - 2]
    return np.sum(y**2)


def edit_distance(costs: Any, text: Any, other: Any) -> Any:
    """A soft edit distance: a table by rows and columns."""
    table = np.zeros((len(text) + 1, len(other) + 1))
    for i in range(1, len(text) + 1):
        table[i, 0] = table[i - 1, 0] + costs[0]
    for j in range(1, len(other) + 1):
        table[0, j] = table[0, j - 1] + costs[1]
    for i in range(1, len(text) + 1):
        for j in range(1, len(other) + 1):
            change = costs[2] * (text[i - 1] - other[j - 1]) ** 2
            choices = [
                table[i - 1, j] + costs[0],
                table[i, j - 1] + costs[1],
                table[i - 1, j - 1] + change,
            ]
            table[i, j] = -np.log(sum(np.exp(-x) for x in choices))
    return table[-1, -1] + 0.1 * np.sum(table)


RNG = np.random.default_rng(0)
PROGRAMS = {
    "thomas": (
        lambda *args: np.sum(thomas(*args) ** 2),
        [RNG.normal(size=90), 4.0 + RNG.normal(size=90), RNG.normal(size=90), RNG.normal(size=90)],
    ),
    "garch": (garch, [np.array([0.1, 0.1, 0.5]), RNG.normal(size=300)]),
    "filter": (filtered, [np.array([0.5, 0.3, -0.2]), RNG.normal(size=1500)]),
    "table": (
        edit_distance,
        [np.array([1.0, 1.2, 0.7]), RNG.normal(size=12), RNG.normal(size=9)],
    ),
}


def check_compiled(f: Any, args: list[Any], rtol: float = 0.0) -> Any:
    """Value and gradient, compiled, are to the bit what they are in plain code.

    Returns the program.
    """
    every = tuple(range(len(args)))
    plain = tg.value_and_grad(f, every)
    compiled = tg.compile(plain)
    for point in (args, args, args, [x * 1.01 for x in args]):
        expected, found = plain(*point), compiled(*point)
        np.testing.assert_allclose(found[0], expected[0], rtol=rtol, atol=0)
        for got, wanted in zip(found[1], expected[1], strict=True):
            np.testing.assert_allclose(got, wanted, rtol=rtol, atol=0)
    (signature,) = compiled.inspect().signatures
    assert signature.replays >= 1
    return signature.programs[0]


@pytest.mark.parametrize("name", PROGRAMS)
def test_recursions_that_fill_arrays(name: str) -> None:
    f, args = PROGRAMS[name]
    program = check_compiled(f, args)
    assert program.n_steps < 40, program.text
    direction = [np.cos(np.arange(x.size)).reshape(x.shape) for x in args]
    gradient = tg.grad(f, tuple(range(len(args))))(*args)
    slope = sum(np.sum(g * d) for g, d in zip(gradient, direction, strict=True))
    h = 1e-6
    ahead, behind = (
        f(*[x + sign * h * d for x, d in zip(args, direction, strict=True)]) for sign in (1.0, -1.0)
    )
    np.testing.assert_allclose(slope, (ahead - behind) / (2 * h), rtol=1e-6)


def test_a_solver_s_solution_itself() -> None:
    args = PROGRAMS["thomas"][1]
    solve = tg.compile(thomas)
    matrix = np.diag(args[1]) + np.diag(args[0][1:], -1) + np.diag(args[2][:-1], 1)
    for _ in range(4):
        found = solve(*args)
    np.testing.assert_allclose(matrix @ found, args[3], rtol=1e-10, atol=1e-12)
    assert solve.inspect().signatures[0].replays >= 1


def test_single_precision() -> None:
    f, args = PROGRAMS["garch"]
    args = [x.astype(np.float32) for x in args]
    found = tg.compile(tg.grad(f))
    for _ in range(4):
        got = found(*args)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, tg.grad(f)(*args))


@st.composite
def writes(draw: Any) -> Any:
    """What is written where: (array, place, kind, number) and which arrays are read whole."""
    n = draw(st.integers(4, 12))
    place = st.integers(0, n - 1)
    kind = st.sampled_from(["set", "add", "read", "multiply", "swap"])
    steps = draw(
        st.lists(st.tuples(st.integers(0, 1), place, kind, place), min_size=4, max_size=40)
    )
    whole = draw(st.lists(st.integers(0, 40), max_size=3))
    table = draw(st.booleans())
    start = draw(st.sampled_from(["zeros", "input", "view"]))
    return n, steps, whole, table, start


@settings(max_examples=60, deadline=None)
@given(writes())
def test_any_order_of_writes_and_reads(program: Any) -> None:
    n, steps, whole, table, start = program

    def f(x: Any) -> Any:
        first = {
            "zeros": lambda: np.zeros(n),
            "input": lambda: x + 0.0,
            "view": lambda: (x * 2.0)[::-1],
        }
        arrays = [first[start](), np.ones(n)]
        if table:
            arrays = [a.reshape(2, -1) if n % 2 == 0 else a.reshape(1, n) for a in arrays]
        total, last = 0.0, x[0]
        for k, (which, i, kind, j) in enumerate(steps):
            y = arrays[which]
            at = divmod(i, y.shape[1]) if table else i
            to = divmod(j, y.shape[1]) if table else j
            if kind == "set":
                y[at] = last * x[j]
            elif kind == "add":
                y[at] += x[j] - 0.5
            elif kind == "multiply":
                y[at] *= last
            elif kind == "swap":
                y[at], y[to] = y[to], y[at]
            else:
                last = np.sin(y[at]) + 0.1 * last
            if k in whole:
                total = total + np.sum(y**2)
        return total + last + np.sum(arrays[0] * arrays[1])

    check_compiled(f, [np.cos(np.arange(1.0, n + 1.0))])
