"""Expression swell: the derivative as a formula against the derivative on a tape.

The logistic map l1 = x, l(n+1) = 4 ln (1 - ln) and its derivative by x, after Table 1 of Baydin,
Pearlmutter, Radul, Siskind, "Automatic differentiation in machine learning: a survey" (JMLR 18,
2018). Counted are operations: of the derivative as a formula that is written out, of the same
multiplied out, and of what automatic differentiation computes, where common parts are shared.

Run it: python examples/python/expression_swell.py [PICTURE.png]
"""

import sys

import sympy

import tapegrad as tg
from tapegrad.inspect import record
from tapegrad.symbolic import count_operations, to_sympy

x = sympy.Symbol("x")


def logistic(n):
    """The function ln of x."""

    def function(x):
        for _ in range(n - 1):
            x = 4.0 * x * (1.0 - x)
        return x

    return function


rows = []
print("  n   plain   multiplied out   automatic")
for n in range(1, 9):
    formula = to_sympy(logistic(n), x)
    plain = sympy.diff(formula, x)
    multiplied_out = sympy.Poly(formula, x).diff(x).as_expr()
    steps = list(record(tg.grad(logistic(n)), 0.3).steps())
    rows.append((n, count_operations(plain), count_operations(multiplied_out), len(steps)))
    print("{:>3} {:>7} {:>16} {:>11}".format(*rows[-1]))

f = logistic(4)
exact = sympy.diff(to_sympy(f, x), x).subs(x, sympy.Rational(3, 10))
print(
    f"the derivative of l4 at 0.3: {float(exact):.12f} by formula, {tg.grad(f)(0.3):.12f} by tape"
)

if len(sys.argv) > 1:
    import matplotlib.pyplot as plt

    names = ("plain formula", "multiplied out", "automatic")
    for k, name in enumerate(names, 1):
        plt.plot([row[0] for row in rows], [row[k] for row in rows], "o-", label=name)
    plt.xlabel("n")
    plt.ylabel("operations of the derivative")
    plt.yscale("symlog")
    plt.legend()
    plt.savefig(sys.argv[1])
