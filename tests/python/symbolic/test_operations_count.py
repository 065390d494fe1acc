"""Counts of operations, written out and shared."""

from itertools import pairwise

import sympy

from tapegrad.symbolic import count_operations, to_sympy


def logistic(n):
    def f(x):
        for _ in range(n - 1):
            x = 4 * x * (1 - x)
        return x

    return f


def test_formulas_swell_and_programs_do_not():
    x = sympy.Symbol("x")
    counts = [count_operations(to_sympy(logistic(n), x)) for n in range(2, 8)]
    shared = [count_operations(to_sympy(logistic(n), x), shared=True) for n in range(2, 8)]
    assert all(b >= 2 * a for a, b in pairwise(counts))
    assert max(b - a for a, b in pairwise(shared)) <= 5


def test_counts():
    x = sympy.Symbol("x")
    assert count_operations(x) == 0
    assert count_operations(sympy.sin(x) ** 2) == 2
