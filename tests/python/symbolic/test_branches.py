"""Plain `if` as Piecewise, and what a formula cannot hold."""

import numpy as np
import pytest
import sympy

import tapegrad as tg
from tapegrad.symbolic import D, to_sympy

x, y = sympy.symbols("x y")
Piecewise = sympy.Piecewise


def three_ways(x):
    if x > 1:
        return x**3
    if x < -1:
        return -x
    return 2 * x


def test_every_path_is_recorded():
    assert to_sympy(three_ways) == Piecewise((x**3, x > 1), (-x, x < -1), (2 * x, True))
    assert D(three_ways, x) == Piecewise((3 * x**2, x > 1), (-1, x < -1), (2, True))
    for at in (-3.0, 0.5, 2.0):
        assert float(D(three_ways, x).subs(x, at)) == tg.grad(three_ways)(at)


def test_choices_within_choices():
    def f(x, y):
        if x > 0:
            if y > 0:
                return x * y
            return x - y
        return np.sin(x) if y > x else x**2

    formula = to_sympy(f)
    for at in ((1.0, 2.0), (1.0, -2.0), (-1.0, 2.0), (-1.0, -2.0)):
        assert float(formula.subs({x: at[0], y: at[1]})) == pytest.approx(f(*at))


def test_equality_and_absolute_values():
    def f(x):
        if x == 0:
            return 1.0 + 0.0 * x
        return abs(x) / x

    formula = to_sympy(f)
    assert [formula.subs(x, v) for v in (-2, 0, 3)] == [-1, 1, 1]


def test_branches_of_arrays():
    def f(v):
        return v * 2 if np.sum(v) > 1 else -v

    formula = to_sympy(f, np.ones(2))
    assert formula.shape == (2,)
    assert [e.subs({"v0": 1, "v1": 3}) for e in formula] == [2, 6]
    assert [e.subs({"v0": -1, "v1": 1}) for e in formula] == [1, -1]


def test_narrow_and_distant_branches_are_found():
    def narrow(x, y):
        if abs(x - 123.25) < 1e-9:
            return x
        if x + y > 1e7:
            return y
        return 2 * x

    formula = to_sympy(narrow)
    assert formula.subs({x: 123.25, y: 1}) == 123.25
    assert formula.subs({x: 1, y: 2e7}) == 2e7
    assert formula.subs({x: 1, y: 1}) == 2


def test_constant_branches():
    def f(x):
        return x**2 if x > 0 else 0.0

    assert to_sympy(f) == Piecewise((x**2, x > 0), (0, True))
    assert D(f, x) == Piecewise((2 * x, x > 0), (0, True))


def test_branches_of_another_structure_are_refused():
    with pytest.raises(NotImplementedError, match="different structure"):
        to_sympy(lambda x: {"a": x} if x > 0 else {"b": x})
    with pytest.raises(NotImplementedError, match="return numbers"):
        to_sympy(lambda x: (x, "up") if x > 0 else (x, "down"))
    with pytest.raises(NotImplementedError, match=r"the shapes \(2,\), \(\)"):
        to_sympy(lambda x: np.stack([x, x]) if x > 0 else x)


def test_branches_that_cannot_be_reached_are_left_out():
    def f(x):
        if x**2 < -1:
            return x
        return 2 * x

    assert to_sympy(f) == 2 * x
    mean = to_sympy(lambda x, y: np.average(np.array([1.0, 2.0]), weights=np.exp(np.stack([x, y]))))
    assert float(mean.subs({x: 0, y: 0})) == 1.5


def test_loops_of_fixed_length_and_counts():
    assert to_sympy(lambda x, n: x**n, x, 3) == x**3


def unreached(x):
    return x if x * np.exp(x) == 0.7 else 2 * x


def endless(x):
    while x > 1:
        x = x / 2
    return x


def value_read(x):
    return x * tg.value(x)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (unreached, r"test_branches.py:\d+ asks whether .* made it True.*np.where"),
        (endless, "loops a fixed length"),
        (value_read, "reads a value with tg.value"),
        (lambda x: x * int(x), "round with np.floor"),
        (lambda x: np.sort(np.stack([x, 1 - x]))[0], r"argsort \(line .*order"),
    ],
)
def test_refusals(f, words):
    with pytest.raises(NotImplementedError, match=words):
        to_sympy(f)


def test_randomness_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(NotImplementedError, match="draws at random"):
        to_sympy(lambda x: x * rng.random())


def test_points_outside_the_domain_are_left_out():
    a, b, c = sympy.symbols("a b c")
    found = to_sympy(np.linalg.cholesky, sympy.Matrix([[a, b], [b, c]]))
    assert found[0, 0] == sympy.sqrt(a)
    assert sympy.simplify(found[1, 1] - sympy.sqrt(c - b**2 / a)) == 0
    with pytest.raises(np.linalg.LinAlgError):
        to_sympy(lambda x: np.linalg.inv(np.zeros((2, 2)) * x), x)


def test_errors_of_the_function_itself_pass():
    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        to_sympy(f)


def test_a_loop_that_goes_on_at_other_points_ends_with_its_line():
    def f(x):
        while x > 1.0:
            x = x * 1.0000001
        return x * x

    with pytest.raises(NotImplementedError, match=r"still at work after .* give it a fixed length"):
        to_sympy(f)
