"""Autograd's operators: the order of results, which argument, names."""

import operator
import pickle
import warnings

import numpy as onp
import pytest

import tapegrad as tg
import tapegrad.compat.autograd.numpy as np
from tapegrad.compat import autograd
from tapegrad.compat.autograd import differential_operators as operators


def f(x, y, scale=1.0):
    return np.sum(np.sin(x) * y) * scale


X, Y = onp.array([0.3, -1.2, 2.0]), onp.array([1.0, 2.0, -0.5])


def test_grad_takes_positions_and_keywords():
    assert onp.allclose(autograd.grad(f)(X, Y, scale=2.0), 2 * onp.cos(X) * Y)
    by_y, by_x = autograd.grad(f, [1, 0])(X, Y)
    assert onp.allclose(by_x, onp.cos(X) * Y)
    assert onp.allclose(by_y, onp.sin(X))
    assert onp.allclose(autograd.grad_named(f, "y")(X, Y), onp.sin(X))


def test_results_come_in_autograds_order():
    value, gradient = autograd.value_and_grad(f)(X, Y)
    assert value == pytest.approx(f(X, Y))
    assert onp.allclose(gradient, onp.cos(X) * Y)
    gradient, aux = autograd.grad_and_aux(lambda x: (np.sum(x**2), {"twice": 2 * x}))(X)
    assert onp.allclose(gradient, 2 * X)
    assert onp.array_equal(aux["twice"], 2 * X)
    assert type(aux["twice"]) is onp.ndarray
    pullback, value = autograd.make_vjp(np.sin)(X)
    assert onp.allclose(value, onp.sin(X))
    assert onp.allclose(pullback(Y), onp.cos(X) * Y)
    value, tangent = autograd.make_jvp(np.sin)(X)(Y)
    assert onp.allclose(value, onp.sin(X))
    assert onp.allclose(tangent, onp.cos(X) * Y)
    hvp, gradient = autograd.make_hvp(f, 0)(X, Y)
    assert onp.allclose(gradient, onp.cos(X) * Y)
    assert onp.allclose(hvp(X), -onp.sin(X) * Y * X)


def test_products_agree_with_matrices():
    a = onp.random.default_rng(0).normal(size=(4, 3))

    def g(x):
        return np.tanh(a @ x)

    j, h = autograd.jacobian(g)(X), autograd.hessian(f)(X, Y)
    v = onp.array([0.5, -1.0, 2.0, 0.1])
    assert onp.allclose(autograd.tensor_jacobian_product(g)(X, v), v @ j)
    assert onp.allclose(operators.make_jvp_reversemode(g)(X)(Y), j @ Y)
    assert onp.allclose(autograd.hessian_tensor_product(f)(X, Y, X), h @ X)
    assert onp.allclose(autograd.make_ggnvp(g)(X)(Y), j.T @ j @ Y)
    curved = autograd.make_ggnvp(g, lambda y: np.sum(y**4))(X)(Y)
    assert onp.allclose(curved, j.T @ (12 * g(X) ** 2 * (j @ Y)))
    assert operators.hessian_vector_product is operators.hessian_tensor_product
    assert operators.vector_jacobian_product is operators.tensor_jacobian_product


def test_elementwise_and_scalar_derivatives():
    assert onp.allclose(autograd.elementwise_grad(np.sin)(X), onp.cos(X))
    with pytest.raises(TypeError, match=r"is complex; differentiate np\.real and np\.imag"):
        autograd.elementwise_grad(lambda t: np.exp(1j * t))(X)
    assert autograd.deriv(np.sin)(0.5) == pytest.approx(onp.cos(0.5))
    assert autograd.deriv(autograd.deriv(np.sin))(0.5) == pytest.approx(-onp.sin(0.5))
    assert autograd.checkpoint(np.sin)(0.5) == onp.sin(0.5)
    assert autograd.grad(autograd.checkpoint(np.sin))(0.5) == pytest.approx(onp.cos(0.5))


def test_holomorphic_grad_warns_of_real_arguments():
    assert autograd.holomorphic_grad(lambda z: z**3)(1 + 1j) == pytest.approx(6j)
    with pytest.warns(UserWarning, match="not complex"):
        autograd.holomorphic_grad(lambda z: z**3)(1.0)


def test_multigrad_dict_knows_every_kind_of_argument():
    def g(a, /, b, *rest, c, d=4.0, **more):
        return a * b + sum(rest) * c + d * more["e"]

    found = autograd.multigrad_dict(g)(2.0, 3.0, 5.0, 6.0, c=7.0, e=8.0)
    assert list(found) == ["a", "b", "rest", "c", "d", "more"]
    assert found["rest"] == (7.0, 7.0)
    assert (found["a"], found["b"], found["c"]) == (3.0, 2.0, 11.0)
    assert (found["d"], found["more"]) == (8.0, {"e": 4.0})


def test_operators_name_what_they_make():
    assert autograd.grad(f, 1).__name__ == "grad_of_f_wrt_argnum_1"
    assert autograd.make_vjp(f).__name__ == "make_vjp_of_f_wrt_argnum_0"
    assert "hessian of function f" in autograd.hessian(f).__doc__


def test_compiled_functions_stay_compiled():
    compiled = tg.compile(f)
    derivative = autograd.grad(compiled)
    for _ in range(3):
        assert onp.allclose(derivative(X, Y), onp.cos(X) * Y)
    assert type(derivative) is type(compiled) is type(autograd.elementwise_grad(compiled))


def test_derivatives_nest_in_every_order():
    value = autograd.grad(lambda x: autograd.deriv(lambda y: x * y**3)(x))(2.0)
    assert value == pytest.approx(9 * 2.0**2)
    both = autograd.jacobian(autograd.jacobian(lambda x: np.sum(x**3)))(X)
    assert onp.allclose(both, onp.diag(6 * X))


def test_derivatives_are_of_float32_too():
    x = X.astype(onp.float32)
    assert autograd.grad(lambda x: np.sum(x**2))(x).dtype == onp.float32


def test_wrong_calls_say_what_is_wrong():
    with pytest.raises(TypeError, match="needs a single number"):
        autograd.grad(np.sin)(X)
    with pytest.raises(TypeError, match="argnum is 'x'; give a position"):
        autograd.make_vjp(f, "x")
    with pytest.warns(UserWarning, match="does not depend"):
        assert autograd.grad(lambda x: 1.0)(2.0) == 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert autograd.grad(lambda x: x)(2.0) == 1.0


def test_numbers_are_numpys():
    x = np.ones(2)

    def f(x):
        return np.sum(x**2)

    numbers = [
        autograd.grad(lambda x: x * x)(2.0),
        *autograd.value_and_grad(lambda x: x * x)(2.0),
        autograd.value_and_grad(f)(x)[0],
        autograd.grad_and_aux(lambda x: (x * x, 1))(2.0)[0],
        autograd.elementwise_grad(np.sin)(2.0),
        autograd.deriv(np.sin)(2.0),
        autograd.make_vjp(f)(x)[1],
        *autograd.make_jvp(f)(x)(x),
        autograd.grad(lambda p: p["a"] * 3.0)({"a": 2.0})["a"],
        autograd.multigrad_dict(lambda a: a * 3.0)(2.0)["a"],
        autograd.hessian(lambda x: x**3)(2.0),
        autograd.jacobian(lambda x: x**3)(2.0),
    ]
    assert {type(x) for x in numbers} == {np.float64}
    assert autograd.value_and_grad(f)(x)[0].shape == ()
    again = pickle.loads(pickle.dumps(autograd.grad(operator.mul, 1)))
    assert again(2.0, 3.0) == 2.0
    assert type(again(2.0, 3.0)) is np.float64
    assert repr(autograd.grad(operator.mul)) == "<grad of mul>"


@pytest.mark.parametrize("counts", [np.array([1, 2, 3]), np.array([1, 2, 3], "i4"), [1, 2, 3]])
def test_arrays_of_integers_are_differentiated(counts):
    if isinstance(counts, list):
        counts = {"n": np.array(counts)}

    def unpacked(p):
        return p["n"] if isinstance(p, dict) else p

    numbers, x = unpacked(counts), np.array([1.0, 2.0, 3.0])

    def loss(p):
        return np.sum(unpacked(p) ** 3)

    def powers(p):
        return unpacked(p) ** 2 * 1.5

    np.testing.assert_array_equal(unpacked(autograd.grad(loss)(counts)), 3.0 * x**2)
    np.testing.assert_array_equal(
        unpacked(autograd.grad(lambda s, p: s * loss(p), 1)(2.0, counts)), 6.0 * x**2
    )
    np.testing.assert_array_equal(unpacked(autograd.make_vjp(powers)(counts)[0](numbers)), 3 * x**2)
    np.testing.assert_array_equal(autograd.make_jvp(powers)(counts)(counts)[1], 3.0 * x**2)
    if numbers is counts:
        np.testing.assert_array_equal(autograd.elementwise_grad(powers)(counts), 3.0 * x)
        np.testing.assert_array_equal(autograd.hessian(loss)(counts), np.diag(6.0 * x))
        np.testing.assert_array_equal(autograd.jacobian(powers)(counts), np.diag(3.0 * x))
        np.testing.assert_array_equal(
            autograd.hessian_vector_product(loss)(counts, counts), 6.0 * x**2
        )
        np.testing.assert_array_equal(autograd.multigrad_dict(loss)(counts)["p"], 3.0 * x**2)
        np.testing.assert_array_equal(
            autograd.tensor_jacobian_product(powers)(counts, counts), 3.0 * x**2
        )
