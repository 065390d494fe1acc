"""Every operation has a formula that gives its value, or a reason why there is none."""

import numpy as np
import pytest
import sympy
from test_ops import CASES, draw
from ufunc_cases import SMOOTH

import tapegrad as tg
from tapegrad import _core, _tree
from tapegrad.symbolic.arguments import Arguments
from tapegrad.symbolic.branches import formula_of
from tapegrad.symbolic.operations.table import covered, refused

SLOW = {"average", "scan", "scan checkpoints", "vector_norm"}  # formulas of thousands of operations
SMALL = [
    c
    for c in CASES
    if c.name not in SLOW and sum(np.size(x) for x in c.make(np.random.default_rng(1))) <= 12
]


def test_no_operation_is_silently_missing():
    names = set(_core.op_names())
    assert covered() | set(refused()) == names
    assert not covered() & set(refused())
    assert all(len(reason) > 40 for reason in refused().values())


def arguments_of(f, args):
    return Arguments("test", f, tuple(np.asarray(x, float) for x in args), [])


def number(expr, arguments):
    given = dict(zip(arguments.formulas, arguments.values, strict=True))
    return complex(sympy.sympify(expr).subs(given).evalf()).real


def numbers(array, arguments):
    found = [number(x, arguments) for x in np.ravel(array)]
    return np.array(found).reshape(np.shape(array))


@pytest.mark.parametrize("case", SMALL, ids=[c.name for c in SMALL])
def test_formulas_give_the_values(case):
    arguments = arguments_of(case.f, draw(case))
    try:
        tree = formula_of("test", arguments, arguments.call)
    except NotImplementedError as error:
        reason = str(error)
    else:
        reason = ""
    if reason:
        assert reason.split()[1] in {*refused(), "modf", "wave"}
        return
    found = [numbers(x, arguments) for _, x in _tree.leaves(tree)]
    expected = [np.asarray(x) for _, x in _tree.leaves(case.value(*draw(case)))]
    for x, y in zip(found, expected, strict=True):
        assert x.shape == y.shape
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-9)


FEW = [c for c in SMALL if c.order and sum(np.size(x) for x in draw(c)) <= 6]


@pytest.mark.parametrize("case", FEW, ids=[c.name for c in FEW])
def test_formulas_of_derivatives_give_the_derivatives(case):
    arguments = arguments_of(case.f, draw(case))

    def f(v):
        y = arguments.call(v)
        parts = y if isinstance(y, tuple) else (y,)
        return sum(np.sum(z * (k + 1.5) * (1 + z)) for k, z in enumerate(parts))

    try:
        found = formula_of("test", arguments, tg.grad(f))
    except NotImplementedError:
        return  # as in the test of values
    expected = tg.grad(f)(np.array(arguments.values))
    np.testing.assert_allclose(numbers(found, arguments), expected, rtol=1e-9, atol=1e-9)
    # SymPy, which differentiates the formula of the function, agrees.
    real = {s: sympy.Symbol(s.name, real=True) for s in arguments.formulas}
    formula = formula_of("test", arguments, f)[()].xreplace(real)
    point = dict(zip(real.values(), arguments.values, strict=True))
    theirs = [complex(sympy.diff(formula, s).subs(point).evalf()).real for s in real.values()]
    np.testing.assert_allclose(theirs, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("function", SMOOTH, ids=lambda c: f"{c.name}{c.ranges}")
def test_elementwise_functions(function):
    args = [float(x) for x in function.draw(np.random.default_rng(3), ())]
    for k in function.data:
        args[k] = round(args[k])
    f = function.f
    arguments = Arguments("test", f, tuple(args), [])
    if function.op_name in refused():
        with pytest.raises(NotImplementedError, match=function.op_name):
            formula_of("test", arguments, arguments.call)
        return
    tree = formula_of("test", arguments, arguments.call)
    slopes = formula_of("test", arguments, tg.grad(arguments.call))
    np.testing.assert_allclose(numbers(tree, arguments), f(*args), rtol=1e-12)
    expected = tg.grad(arguments.call)(np.array(arguments.values))
    np.testing.assert_allclose(numbers(slopes, arguments), expected, rtol=1e-10, atol=1e-14)
