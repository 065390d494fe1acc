"""What is printed of expressions and functions."""

import tapegrad.compat.theano as theano
import tapegrad.compat.theano.tensor as T  # noqa: N812 - as its users write
from tapegrad.compat.theano import function, pp
from tapegrad.compat.theano.printing import Print, debugprint


def test_formulas_before_and_after():
    x = T.dscalar("x")
    y = x**2
    slope = T.grad(y, x)
    assert pp(y) == "(x ** 2)"
    assert pp(slope) == "(1.0 * (2.0 * x))"
    assert pp(function([x], slope)) == "(2.0 * x)"
    w = theano.shared(2.0, name="w")
    assert pp(T.dot(w, T.exp(x))) == "dot(w, exp(x))"


def test_rewrites_are_counted():
    x = T.dvector("x")
    y = T.log(1 + T.exp(x)) + T.log(1 + x) + T.log(T.sum(T.exp(x)))
    f = function([x], y)
    assert f.rewrites == {"stable logarithm": 1, "log1p": 1, "log-sum-exp": 1}
    text = debugprint(f, file="str")
    assert text.startswith("rewrites: ")
    assert "log-sum-exp 1" in text
    assert "operations as recorded" in text
    assert " | |logaddexp" in text
    assert function([x], y, mode="FAST_COMPILE").rewrites == {}


def test_dead_code_goes():
    x = T.dvector("x")
    text = debugprint(function([x], T.grad(T.sum(T.exp(x) * 2.0), x)), file="str")
    before, after = (int(word) for word in text.splitlines()[1].split() if word.isdigit())
    assert after < before


def test_print(capsys):
    x = T.dscalar("x")
    f = function([x], T.grad(Print("x")(x) ** 2, x))
    assert [float(f(float(k))) for k in range(5)] == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert capsys.readouterr().out.splitlines() == [f"x __str__ = {float(k)}" for k in range(5)]
