"""Formulas of tapegrad.symbolic: the results are SymPy's expressions, compared as they print."""

from remedy_cases.case import Case

S = "import sympy; from tapegrad.symbolic import *; v = sympy.Symbol('x')\n"
SP = S + "import scipy.special\n"
WHERE = "def f(x):\n    if x * np.exp(x) == 0.5: return x * 2\n    return x\n"
HALVES = "def f(x):\n    while x > 1: x = x / 2\n    return x\n"
STEPS = """def f(a, b, c, d, e, g, h):
    total = 0.0
    for y in (a, b, c, d, e, g, h):
        {} y = y / 1000.0
        total = total + y
    return total
to_sympy(f)"""
RULE = (
    "f = tg.custom_vjp(lambda x: x * x)\n"
    "f.defvjp(lambda x: (x * x, x), lambda kept, g: (2 * kept * g,))\n"
)
HILL = "f = lambda x: x**3 - 3.0 * x + 3.0\n"
SLIDE = "f = lambda x: np.where(x > 0, -x, (x + 1.0) ** 2)\n"


def of(refused, told, remedy, plain, start=S):
    """A case whose remedy gives a formula, which `plain` prints."""
    return Case(
        start + refused,
        told,
        f"{start}{_in_str(remedy)}",
        repr(plain),
        is_plain=True,
        module="sympy",
    )


def numbers(refused, told, remedy, plain, start=S, rtol=1e-7):
    """A case whose remedy gives numbers."""
    return Case(
        start + refused, told, start + remedy, plain, is_plain=True, rtol=rtol, module="sympy"
    )


def _in_str(code):
    *first, last = code.rsplit("\n", 1)
    return "\n".join([*first, f"str({last})"])


CASES = [
    # Arguments.
    of("D(lambda x: x * x, 'x', args=(2,))", "write 2.0 where you wrote 2",
       "D(lambda x: x * x, 'x', args=(2.0,))", "2*x"),
    of("D(lambda x: x * x, 'x', args=(v**2,))",
       "give a symbol and substitute in the result with .subs",
       "D(lambda x: x * x, 'x', args=(v,)).subs(v, v**2)", "2*x**2"),
    of("D(lambda *x: x[0] ** 2, 'x0')",
       "say what it is called with: D(f, ..., args=(2.0, np.ones(3)))",
       "D(lambda *x: x[0] ** 2, 'x0', args=(2.0,))", "2*x0"),
    of("D(lambda x, x0: np.sum(x) * x0, 'x0', args=(np.ones(2), 2.0))",
       "give SymPy symbols instead of numbers to name them",
       "D(lambda x, x0: np.sum(x) * x0, 't', args=(np.ones(2), sympy.Symbol('t')))", "x0 + x1"),
    of("def f(*, k): return k * k\nD(f, 'k')", "wrap the function: lambda k: f(k=k)",
       "def f(*, k): return k * k\nD(lambda k: f(k=k), 'k')", "2*k"),
    # Branches.
    of("to_sympy(lambda x: x * [1.0, 2.0][(x > 1).astype(int)])", "use np.floor, or np.where",
       "to_sympy(lambda x: x * np.where(x > 1, 2.0, 1.0))", "Piecewise((2*x, x > 1), (x, True))"),
    of("to_sympy(lambda x: x * float(tg.value(x)))", "compute with the arguments themselves",
       "to_sympy(lambda x: x * x)", "x**2"),
    of("to_sympy(lambda x: x * round(x))", "round with np.floor",
       "to_sympy(lambda x: x * np.floor(x + 0.5))", "x*floor(x + 1/2)"),
    of("to_sympy(lambda x: x * (2.0 if tg.value(x) > 1 else 1.0))", "choose with np.where",
       "to_sympy(lambda x: x * np.where(x > 1, 2.0, 1.0))", "Piecewise((2*x, x > 1), (x, True))"),
    of(STEPS.format("while y < -1.0:"),
       "as a loop does whose length depends on the arguments; give it a fixed length",
       STEPS.format("for _ in range(2):"),
       " + ".join(f"{y}/1000000" for y in "abcdegh")),
    of("def f(x):\n    while x > 1: x = x * 1.0000001\n    return x\nto_sympy(f)",
       "as a loop is whose length depends on the arguments; give it a fixed length",
       "def f(x):\n    for _ in range(3): x = x * 2\n    return x\nto_sympy(f)", "8*x"),
    of(WHERE + "to_sympy(f)", "write np.where(condition, a, b)",
       "to_sympy(lambda x: np.where(x * np.exp(x) == 0.5, x * 2, x))",
       "Piecewise((2*x, Eq(x*exp(x), 1/2)), (x, True))"),
    numbers(HALVES + "to_sympy(f)", "and give loops a fixed length",
            "def f(x):\n    for _ in range(3): x = np.where(x > 1, x / 2, x)\n    return x\n"
            "[float(to_sympy(f).subs(v, t)) for t in (0.5, 1.5, 3.0, 6.0)]",
            "[0.5, 0.75, 0.75, 0.75]"),
    of("def f(x):\n    if x > 0: return x\n    return {'a': x}\nto_sympy(f)",
       "return the same dicts, lists and tuples",
       "def f(x):\n    if x > 0: return {'a': 2 * x}\n    return {'a': x}\nto_sympy(f)['a']",
       "Piecewise((2*x, x > 0), (x, True))"),
    of("def f(x):\n    if x > 0: return 'a'\n    return 'b'\nto_sympy(f)", "return numbers",
       "def f(x):\n    if x > 0: return 1.0\n    return 2.0\nto_sympy(f)",
       "Piecewise((1, x > 0), (2, True))"),
    # Derivatives.
    of("Hessian(lambda x: np.stack([x, x * x]))", "call Jacobian(f)",
       "Jacobian(lambda x: np.stack([x, x * x])).tolist()", "[[1], [2*x]]"),
    of("D(lambda x: (x[0], x[1] ** 2), 'x', args=(np.ones(2),))", "name one element of it",
       "D(lambda x: (x[0], x[1] ** 2), 'x1', args=(np.ones(2),))", "(0, 2*x1)"),
    of("D(lambda x: (x[0], x[1] ** 2), 'x', args=(np.ones(2),))", "or return one array",
       "D(lambda x: np.stack([x[0], x[1] ** 2]), 'x', args=(np.ones(2),)).tolist()",
       "[[1, 0], [0, 2*x1]]"),
    numbers("from_sympy(sympy.Integral(sympy.exp(v), v), ['x'])", "carry it out with .doit()",
            "from_sympy(sympy.Integral(sympy.exp(v), v).doit(), ['x'])(0.5)", "np.exp(0.5)"),
    numbers("from_sympy(sympy.fibonacci(v), ['x'])", "write it otherwise with .rewrite()",
            "from_sympy(sympy.fibonacci(v).rewrite(sympy.sqrt), ['x'])(5.0)", "5.0"),
    # Operations.
    Case(S + "to_sympy(lambda x: np.sort(np.stack([x, 2 * x])))",
         "np.maximum, np.minimum, np.max and np.where have formulas; else take the derivative in "
         "numbers, tg.grad(f)(x)",
         "f = lambda t: np.sum(np.sort(t * t) * np.arange(3)); tg.grad(f)(x)",
         "2 * x * np.arange(3)", module="sympy"),
    of("to_sympy(lambda x: np.sort(np.stack([x, 2 * x]))[0])", "np.minimum, np.max and np.where",
       "to_sympy(lambda x: np.minimum(x, 2 * x))", "Min(x, 2*x)"),
    Case(S + "to_sympy(lambda x: np.linalg.eigvalsh(np.eye(2) * x)[0])",
         "is found by iteration; take the derivative in numbers, tg.grad(f)(x)",
         "f = lambda t: np.linalg.eigvalsh(np.diag([1.0, 2.0]) * t)[0] ** 2; tg.grad(f)(a)",
         "2 * a", module="sympy"),
    Case(S + "to_sympy(lambda x: np.frexp(x)[0])", "a floating-point number apart; take the",
         "f = lambda t: np.frexp(t)[0]; tg.grad(f)(a)", "np.array(1.0)", module="sympy"),
    Case(S + "to_sympy(lambda x: np.linalg.slogdet(np.array([[1j, 2], [3, 4]]) * x)[1])",
         "works on complex matrices; take the derivative in numbers, tg.grad(f)(x)",
         "f = lambda t: np.linalg.slogdet(np.array([[1j, 2], [3, 4]]) * t)[1]; tg.grad(f)(a)",
         "2 / a", module="sympy"),
    of("D(lambda a, x: scipy.special.gammainc(a, x), 'a')",
       "hold it constant: write it as a number in the function",
       "D(lambda x: scipy.special.gammainc(2.0, x), 'x')", "x*exp(-x)", SP),
    Case(SP + "to_sympy(lambda x: scipy.special.struve(1.0, x))",
         "has no formula in SymPy; take the derivative in numbers, tg.grad(f)(x)",
         "import scipy.special\nf = lambda t: scipy.special.struve(1.0, t); tg.grad(f)(a)",
         "import scipy.special\nscipy.special.struve(0.0, a) - scipy.special.struve(1.0, a) / a",
         module="sympy"),
    of("to_sympy(lambda x: scipy.special.eval_genlaguerre(2.5, 1.0, x))",
       "write the degree as a whole number in the function",
       "to_sympy(lambda x: scipy.special.eval_genlaguerre(2, 1.0, x))", "x**2/2 - 3*x + 3", SP),
    of(RULE + "to_sympy(f)", "call the plain function instead",
       "f = lambda x: x * x\nto_sympy(f)", "x**2"),
    of("Grad(lambda x: tg.scan(lambda c, e: (c * x, None), x, np.ones(8), checkpoints=3)[0])",
       "leave checkpoints= of tg.scan out",
       "Grad(lambda x: tg.scan(lambda c, e: (c * x, None), x, np.ones(8))[0])", "[9*x**8]"),
    of("to_sympy(lambda x: np.stack([x, 2 * x])[(x > 1).astype(int)])",
       "takes positions that depend on the arguments, and a formula has none; use np.where",
       "to_sympy(lambda x: np.where(x > 1, 2 * x, x))", "Piecewise((2*x, x > 1), (x, True))"),
    # Solvers and series.
    numbers(HILL + "FindRoot(f, 2.0)", "start nearer to a root",
            HILL + "found = FindRoot(f, -2.0)\nf(found), found", "0.0, -2.103803402735536"),
    numbers(SLIDE + "FindMinimum(f, 0.5)", "start elsewhere",
            SLIDE + "FindMinimum(f, -0.9)[1]", "-1.0"),
    of("Series(np.exp, 3)", "call Series(f, ('x', 0, 3))", "Series(np.exp, ('x', 0, 1))",
       "1 + x + O(x**2)"),
    of("Series(lambda x: np.sum(x * x), ('x', 0, 3), args=(np.ones(2),))",
       "name one element, as in (x0, 0, 3)",
       "Series(lambda x: np.sum(x * x), ('x0', 0, 3), args=(np.ones(2),))",
       "x1**2 + x0**2 + O(x0**4)"),
    of("Series(np.log, ('x', 0, 1))", "expand about another point", "Series(np.log, ('x', 1, 1))",
       "-1 + x + O((x - 1)**2, (x, 1))"),
    of("f = lambda x: np.cos(np.sqrt(x)); Series(f, ('x', 0, 2))",
       "or use sympy.series(to_sympy(f), ...)",
       "f = lambda x: np.cos(np.sqrt(x))\nsympy.series(to_sympy(f), v, 0, 2)",
       "1 - x/2 + O(x**2)"),
]  # fmt: skip
