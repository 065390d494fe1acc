"""to_sympy: arguments of all kinds, structure of the result."""

import numpy as np
import pytest
import sympy

import tapegrad as tg
from tapegrad.symbolic import to_sympy

x, y, a, b = sympy.symbols("x y a b")


def test_scalars_take_the_names_of_the_parameters():
    assert to_sympy(lambda x, y: np.hypot(x, 2 * y) / 3) == sympy.sqrt(x**2 + 4 * y**2) / 3
    assert to_sympy(np.arctan2) == sympy.atan2(*sympy.symbols("x1 x2"))
    assert to_sympy(lambda x, scale=2.0: x * scale) == 2 * x


def test_symbols_and_expressions_as_arguments():
    assert to_sympy(lambda v: v * 2, x**2 + 1) == 2 * x**2 + 2
    assert to_sympy(lambda v: v[0] * v[1], [a, b]) == a * b
    assert to_sympy(lambda v: v[0] * v[1], sympy.symbols("a b")) == a * b
    matrix = sympy.Matrix([[a, b], [0, 1]])
    assert to_sympy(lambda m: np.linalg.det(m), matrix) == a
    assert to_sympy(lambda m: m @ m, matrix)[0, 1] == a * b + b


def test_examples_as_arguments():
    found = to_sympy(lambda m, v: m @ v, np.ones((2, 2)), np.ones(2))
    assert str(found) == "[m0_0*v0 + m0_1*v1, m1_0*v0 + m1_1*v1]"
    assert str(to_sympy(lambda p: p["a"] * p["b"][1], {"a": 2.0, "b": [1.0, 3.0]})) == "p_a*p_b_1"
    single = to_sympy(lambda v: np.sum(v), np.ones(2, np.float32))
    assert str(single) == "v0 + v1"
    backwards = to_sympy(lambda v: v[0], np.arange(3.0)[::-1])
    assert str(backwards) == "v0"


def test_variables_and_arrays_without_axes_as_examples():
    assert str(to_sympy(lambda u: u * 2, tg.Variable(2.0))) == "2*u"
    assert str(to_sympy(lambda u: u * 2, np.array(2.0))) == "2*u"
    assert str(to_sympy(lambda u: np.sum(u), tg.Variable(np.ones(2)))) == "u0 + u1"


def test_names_that_would_meet_are_refused():
    with pytest.raises(ValueError, match="two arguments would be called x1"):
        to_sympy(lambda x, x1: x[1] * x1, np.ones(2), 2.0)


def test_the_structure_of_the_result_stays():
    found = to_sympy(lambda x: {"sum": (x + 1, 3), "name": "f"})
    assert found == {"sum": (x + 1, 3), "name": "f"}
    assert to_sympy(lambda x: 5.0) == 5
    array = to_sympy(lambda v: v[None, :] * v[:, None], np.ones(2))
    assert array.shape == (2, 2)
    turned = to_sympy(lambda v: np.arange(6.0).reshape(2, 3).T * v, 2.0)
    assert str(turned) == "[[0, 3*v], [v, 4*v], [2*v, 5*v]]"


def test_captured_arrays_and_variables_are_numbers():
    w = np.array([1.0, 0.5])
    v = tg.Variable(3.0)
    assert to_sympy(lambda x: np.sum(w * x) * v) == 9 * x / 2


def test_compiled_functions():
    f = tg.compile(lambda x: np.sin(x) * x)
    assert to_sympy(f) == x * sympy.sin(x)


def test_indices_and_integers():
    order = np.array([1, 0, 1])
    assert str(to_sympy(lambda v: v[order], np.ones(2))) == "[v1, v0, v1]"
    assert to_sympy(lambda x: x * np.arange(3))[2] == 2 * x


def test_zero_factors_vanish():
    assert to_sympy(lambda x: np.diag([2.0, 3.0]) @ np.stack([x, x]))[0] == 2 * x


def test_keywords_and_missing_names():
    def by_name(*, x):
        return x

    with pytest.raises(TypeError, match=r"lambda x: f\(x=x\)"):
        to_sympy(by_name)
    with pytest.raises(TypeError, match="every parameter"):
        to_sympy(lambda x=1.0: x)


def test_without_sympy_the_extra_is_named(monkeypatch):
    import importlib
    import sys

    import tapegrad.symbolic.lazy_sympy as library

    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(ImportError, match=r"pip install tapegrad\[symbolic\]"):
        importlib.reload(library)
    monkeypatch.undo()
    importlib.reload(library)
