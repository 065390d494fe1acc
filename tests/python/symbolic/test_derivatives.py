"""D, Grad, Hessian, Jacobian: how they read, and that they are the derivatives."""

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import tapegrad as tg
from tapegrad.symbolic import D, Grad, Hessian, Jacobian, to_sympy

x, y, r, t = sympy.symbols("x y r t")


@pytest.mark.parametrize(
    ("f", "text"),
    [
        (lambda x: x * np.sin(x**2), "2*x**2*cos(x**2) + sin(x**2)"),
        (lambda x: x**3 - 2 * x, "3*x**2 - 2"),
        (lambda x: x**0.5, "1/(2*sqrt(x))"),
        (np.log, "1/x"),
        (lambda x: np.exp(-(x**2) / 2), "-x*exp(-x**2/2)"),
        (lambda x: np.log(np.cos(x)), "-tan(x)"),
        (lambda x: np.sin(np.pi * x), "pi*cos(pi*x)"),
        (lambda x: 0.1 * x**2, "0.2*x"),
        (lambda x: x / (1 + x), "(x + 1)**(-2)"),
        (np.abs, "sign(x)"),
        (lambda x: np.maximum(x, 0), "Heaviside(x)"),
        (lambda x: np.where(x > 0, x**2, 0), "Piecewise((2*x, x > 0), (0, True))"),
        (lambda x: np.floor(x) * x, "floor(x)"),
        (lambda x: 1 / (1 + np.exp(-x)), "1/(4*cosh(x/2)**2)"),
        (lambda x: np.sqrt(x**2 + 1), "x/sqrt(x**2 + 1)"),
        (lambda x: x * 0 + 3, "0"),
        (lambda x: tg.stop_gradient(x) * x, "x"),
    ],
)
def test_derivatives_read_as_a_person_would_write_them(f, text):
    assert str(D(f, "x")) == text


def test_orders_and_mixed_derivatives():
    def f(x, y):
        return np.sin(x) * y**3

    assert D(f, x) == sympy.cos(x) * y**3
    assert D(f, x, y) == D(f, y, x) == 3 * y**2 * sympy.cos(x)
    assert D(f, (x, 2), ("y", 2)) == -6 * y * sympy.sin(x)
    assert D(f, ("x", 0)) == sympy.sin(x) * y**3
    assert D(lambda x, y: x**y, y) == x**y * sympy.log(x)
    assert D(np.sin, (x, 4)) == sympy.sin(x)


def test_the_users_symbols_are_used():
    positive = sympy.Symbol("x", positive=True)
    assert D(lambda x: np.sqrt(x**2), positive) == 1
    assert D(lambda anything: anything**2, t) == 2 * t
    assert D(lambda a, b: a * b, x, args=(x, x)) == 2 * x
    with pytest.raises(ValueError, match="there are x, y"):
        D(lambda x, y: x * y, "z")


def test_gradients_hessians_jacobians():
    def f(x, y):
        return x**2 * y + np.exp(x)

    assert list(Grad(f)) == [2 * x * y + sympy.exp(x), x**2]
    assert list(Grad(f, ["y", x])) == [x**2, 2 * x * y + sympy.exp(x)]
    assert list(Grad(f, "y")) == [x**2]
    assert Hessian(f) == sympy.Matrix([[2 * y + sympy.exp(x), 2 * x], [2 * x, 0]])
    assert Hessian(f, [y]) == sympy.Matrix([[0]])
    polar = sympy.Matrix([[sympy.cos(t), -r * sympy.sin(t)], [sympy.sin(t), r * sympy.cos(t)]])
    for g in (
        lambda r, t: (r * np.cos(t), r * np.sin(t)),
        lambda r, t: r * np.stack([np.cos(t), np.sin(t)]),
        lambda r, t: {"x": r * np.cos(t), "y": r * np.sin(t)},
    ):
        assert Jacobian(g) == polar
    assert Jacobian(lambda r, t: (r * t, 3.0)) == sympy.Matrix([[t, r], [0, 0]])
    assert Jacobian(lambda r, t: r * t) == sympy.Matrix([[t, r]])


def test_arrays():
    v = sympy.symbols("v0:3")
    ones = np.ones(3)
    square = Grad(lambda v: np.sum(v**2) / 2, args=ones)
    assert list(square) == list(v)
    assert D(lambda v: np.sum(v**3), "v1", args=ones) == 3 * v[1] ** 2
    table = D(lambda v: v * v[0], "v", args=np.ones(2))
    assert table.shape == (2, 2)
    assert table[1, 0] == v[1]
    second = D(lambda v: np.sum(v**3), "v", "v", args=np.ones(2))
    assert second.shape == (2, 2)
    assert second[0, 0] == 6 * v[0]
    assert second[0, 1] == 0
    a, b = sympy.symbols("a b")
    assert list(Grad(lambda v: v[0] * v[1] ** 2, args=([a, b],))) == [b**2, 2 * a * b]
    det = D(np.linalg.det, "a", args=np.ones((2, 2)))
    assert str(det) == "[[a1_1, -a1_0], [-a0_1, a0_0]]"


def test_forms():
    assert D(lambda x: x**2, x, form="text") == "2*x"
    assert D(lambda x: np.sqrt(x), x, form="latex") == r"\frac{1}{2 \sqrt{x}}"
    assert "matrix" in Hessian(lambda x, y: x * y, form="latex")
    with pytest.raises(ValueError, match="'html'"):
        D(np.sin, x, form="html")


def test_simplify():
    def f(x):
        return (x + 1) ** 2 * x

    raw = D(f, x, simplify=False)
    assert sympy.expand(raw) == D(f, x, simplify=sympy.expand) == 3 * x**2 + 4 * x + 1


def test_expressions_are_differentiated_by_sympy():
    assert D(x**2 * y, x) == 2 * x * y
    assert D(x**3, (x, 2), form="text") == "6*x"


def test_loops_and_scans():
    def f(x):
        for _ in range(3):
            x = x * x
        return x

    assert D(f, x) == 8 * x**7

    def g(x):
        return tg.scan(lambda c, k: (c * x + k, c), x, np.arange(3.0))[0]

    assert sympy.expand(D(g, x)) == sympy.expand(sympy.diff(((x * x) * x + 1) * x + 2, x))
    assert D(lambda x: tg.checkpoint(np.sin)(x), x) == sympy.cos(x)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: D(np.sin), TypeError, "by which variable"),
        (lambda: D(np.sin, 3), TypeError, "a pair"),
        (lambda: D(3, "x"), TypeError, "int 3 is not a function"),
        (lambda: D(lambda *v: v[0], "x"), TypeError, "args="),
        (lambda: D(lambda x: x, "x", args=2), TypeError, "write 2.0"),
        (lambda: D(lambda v: v, x, args=(x**2,)), ValueError, "the argument is x\\*\\*2"),
        (lambda: Grad(lambda x: (x, x)), TypeError, "Grad: .* call Jacobian"),
        (lambda: Hessian(lambda v: v, args=np.ones(2)), TypeError, "call Jacobian"),
    ],
)
def test_refusals(call, error, words):
    with pytest.raises(error, match=words):
        call()


# Random programs of two numbers, smooth everywhere and of moderate size.
UNARY = {
    "sin": np.sin,
    "tanh": np.tanh,
    "arctan": np.arctan,
    "half": lambda v: 0.5 * v - 1,
    "square": lambda v: v**2 / 4,
    "root": lambda v: np.sqrt(1 + v**2),
    "log": lambda v: np.log(2 + np.cos(v)),
    "bell": lambda v: np.exp(-(v**2)),
    "choice": lambda v: np.where(v > 0.37, v, 2 * v - v**2),
}
BINARY = {
    "add": np.add,
    "multiply": np.multiply,
    "subtract": np.subtract,
    "ratio": lambda a, b: a / (1.5 + np.sin(b)),
    "hypot": lambda a, b: np.hypot(a, 1 + b**2),
}
PROGRAMS = st.recursive(
    st.sampled_from(["x", "y"]),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(sorted(UNARY)), inner),
        st.tuples(st.sampled_from(sorted(BINARY)), inner, inner),
    ),
    max_leaves=6,
)


def run(program, x, y):
    if program == "x":
        return x
    if program == "y":
        return y
    name, *operands = program
    values = [run(p, x, y) for p in operands]
    return (UNARY | BINARY)[name](*values)


@settings(max_examples=60, deadline=None, database=None)
@given(program=PROGRAMS, point=st.tuples(*[st.floats(-2, 2).filter(lambda v: abs(v) > 1e-3)] * 2))
def test_formula_and_derivative_agree_on_random_programs(program, point):
    def f(x, y):
        return run(program, x, y) + 0.0 * x * y

    value, slopes = tg.value_and_grad(f, (0, 1))(*point)
    formula = to_sympy(f)
    at = dict(zip((x, y), point, strict=True))
    np.testing.assert_allclose(float(formula.subs(at)), value, rtol=1e-9, atol=1e-9)
    found = [float(e.subs(at)) for e in Grad(f, [x, y], simplify=False)]
    np.testing.assert_allclose(found, slopes, rtol=1e-8, atol=1e-9)
    readable = float(D(f, x).subs(at))
    np.testing.assert_allclose(readable, slopes[0], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(
        float(sympy.diff(formula, y).subs(at)), slopes[1], rtol=1e-8, atol=1e-9
    )


def test_a_gradient_of_several_results_names_jacobian():
    with pytest.raises(TypeError, match=r"^Grad: .* gives 2 results; call Jacobian\(f\)"):
        Grad(lambda x: (x, x * x))
    with pytest.raises(TypeError, match=r"^Grad: .* has the shape \(2,\); call Jacobian\(f\)"):
        Grad(lambda x, y: np.stack([x, y]))
