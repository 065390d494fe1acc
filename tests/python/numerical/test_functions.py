"""Differences against exact derivatives, with the arguments that those take."""

from dataclasses import dataclass
from importlib import import_module

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numerical

# What each method promises, relative, of first and of second derivatives.
ACCURACY = {
    "central": (2e-9, 2e-6),
    "forward": (5e-7, 1e-3),
    "backward": (5e-7, 1e-3),
    "complex": (1e-14, 1e-8),
    "richardson": (1e-12, 1e-10),
}
each_method = pytest.mark.parametrize("method", ACCURACY)
X = np.array([0.3, -1.2, 2.0])


def smooth(x):
    return np.sum(np.sin(x) * np.exp(x / 2)) + x[0] * x[1] ** 2


def close(found, expected, tolerance):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_scalars_and_arrays_of_any_shape():
    assert numerical.grad(np.sin)(0.5) == pytest.approx(np.cos(0.5), abs=1e-9)
    assert isinstance(numerical.grad(np.sin)(1), float)
    x = np.arange(6.0).reshape(2, 3) + 1
    for array in (x, x.T, x[::-1, ::2], x.astype(np.float32)):
        found = numerical.grad(lambda v: np.sum(v**3))(array)
        assert (found.shape, found.dtype) == (array.shape, array.dtype)
        np.testing.assert_allclose(found, 3.0 * array**2, rtol=1e-7)
    assert numerical.grad(lambda v: np.sum(v))(np.zeros((0, 3))).shape == (0, 3)


def test_the_argument_is_chosen_and_left_unchanged():
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    found = numerical.grad(lambda a, b, scale: scale * np.sum(a * b), argnum=1)(x, y, scale=2)
    np.testing.assert_allclose(found, 2 * x, rtol=1e-8)
    np.testing.assert_array_equal(y, [3.0, 4.0])


def test_a_function_that_writes_its_argument_is_harmless():
    def f(v):
        v[0] *= 2
        return v[0]

    np.testing.assert_allclose(numerical.grad(f)(np.array([3.0, 1.0])), [2.0, 0.0], rtol=1e-9)


def test_steps_scale_with_the_argument_and_can_be_given():
    assert numerical.grad(lambda v: v * v)(1e12) == pytest.approx(2e12, rel=1e-8)
    assert numerical.grad(lambda v: v**3, step=0.5)(2.0) == pytest.approx(12.25, rel=1e-14)


def alike(found, expected, tolerance):
    pairs = zip(tg._tree.leaves(found), tg._tree.leaves(expected), strict=True)
    for (path, x), (path_too, y) in pairs:
        assert (path, np.shape(x)) == (path_too, np.shape(y))
        close(x, y, tolerance)


@each_method
def test_first_derivatives(method):
    tolerance = ACCURACY[method][0]
    close(numerical.grad(smooth, method=method)(X), tg.grad(smooth)(X), tolerance)

    def rows(x):
        return np.outer(np.cos(x), x)[:2]

    close(numerical.jacobian(rows, method=method)(X), tg.jacobian(rows)(X), tolerance)
    v = np.array([1.0, -2.0, 0.5])
    found, expected = numerical.jvp(rows, (X,), (v,), method=method), tg.jvp(rows, (X,), (v,))
    np.testing.assert_array_equal(found[0], expected[0])
    close(found[1], expected[1], tolerance)
    slope = numerical.directional(smooth, X, v, method=method)
    close(slope, tg.grad(smooth)(X) @ v / np.linalg.norm(v), tolerance)
    each = numerical.derivative(np.tanh, method=method)(X)
    close(each, tg.elementwise_grad(np.tanh)(X), tolerance)


@each_method
def test_second_derivatives(method):
    tolerance = ACCURACY[method][1]
    found = numerical.hessian(smooth, method=method)(X)
    close(found, tg.hessian(smooth)(X), tolerance)
    np.testing.assert_array_equal(found, found.T)

    def several(x):
        return np.cos(x[0] * x)

    close(numerical.hessian(several, method=method)(X), tg.hessian(several)(X), tolerance)


@pytest.mark.parametrize(("order", "tolerance"), [(1, 1e-13), (2, 1e-10), (3, 1e-8), (4, 1e-6)])
def test_higher_orders(order, tolerance):
    found = numerical.derivative(np.exp, order=order, method="richardson")(0.5)
    assert found == pytest.approx(np.exp(0.5), rel=tolerance)
    central = numerical.derivative(np.exp, order=order)(np.array([0.5]))
    assert central[0] == pytest.approx(np.exp(0.5), rel=1e-4)


@each_method
def test_error_estimates_hold(method):
    """The error is below the estimate, and the estimate is of some use."""
    for f in (smooth, lambda x: np.sum(np.log(x + 2.0)), lambda x: np.prod(np.cos(x))):
        found, error = numerical.grad(f, method=method, with_error=True)(X)
        off = np.abs(found - tg.grad(f)(X))
        assert np.all(off <= error + 1e-14)
        assert np.all(error <= 1e3 * ACCURACY[method][0])
        found, error = numerical.hessian(f, method=method, with_error=True)(X)
        assert np.all(np.abs(found - tg.hessian(f)(X)) <= error + 1e-12)
    for order in (1, 2) if method in ("central", "richardson") else (1,):
        found, error = numerical.derivative(np.sqrt, order=order, method=method, with_error=True)(
            2.0
        )
        exact = [0.5 / np.sqrt(2.0), -0.25 * 2.0**-1.5][order - 1]
        assert abs(found - exact) <= error + 1e-15
    pair = numerical.jvp(np.sin, (X,), (X,), method=method, with_error=True)
    assert np.all(np.abs(pair[1] - np.cos(X) * X) <= pair[2] + 1e-15)


@dataclass
class Layer:
    w: np.ndarray
    b: float


def test_nestings_as_the_exact_transforms_take_them():
    def loss(layers, scale, name):
        assert name == "x"
        total = 0.0
        for layer in layers["all"]:
            total = total + np.sum(layer.w**2) * layer.b * scale[0]
        return total

    args = {"all": [Layer(np.array([1.0, 2.0]), 3.0), Layer(np.ones((1, 2)), -1.0)]}, (0.5,), "x"
    for argnum in (0, (1, 0), [1]):
        found = numerical.grad(loss, argnum, method="complex")(*args)
        expected = tg.grad(loss, argnum)(*args)
        alike(found, expected, 1e-14)

    def several(p):
        return {"y": (p["w"] * p["b"], p["b"]), "z": [np.sum(p["w"] ** 2)]}

    p = {"w": np.array([1.0, 2.0]), "b": 3.0}
    found, expected = numerical.jacobian(several)(p), tg.jacobian(several)(p)
    alike(found, expected, 1e-8)

    def square(p):
        return np.sum(p["w"] ** 3) * p["b"]

    found, expected = numerical.hessian(square)(p), tg.hessian(square)(p)
    alike(found, expected, 1e-6)


def test_complex_arguments_and_results_by_tapegrads_convention():
    z = np.array([1.0 + 2.0j, 0.5 - 1.0j])

    def f(z):
        return np.sum(np.abs(z) ** 2 * np.real(z))

    for method in ("central", "richardson"):
        close(numerical.grad(f, method=method)(z), tg.grad(f)(z), 1e-8)

    def circle(t):
        return np.exp(1j * t)

    close(numerical.jacobian(circle)(0.3), tg.jacobian(circle)(0.3), 1e-9)


def test_single_precision():
    x = X.astype(np.float32)
    found = numerical.grad(lambda v: np.sum(np.sin(v)))(x)  # moved in double precision
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.cos(x), rtol=1e-6)

    def rounded(v):
        return np.sum(np.sin(v.astype(np.float32)))

    found = numerical.grad(rounded)(x)  # whose results tell how far to move
    np.testing.assert_allclose(found, np.cos(x), rtol=0, atol=3e-5)


@each_method
def test_functions_of_batches_are_called_once_for_many_points(method):
    calls = []

    def f(x, scale):
        calls.append(x.shape)
        return scale * np.sum(np.sin(x) * x, axis=-1)

    def alone(x, scale):
        return scale * np.sum(np.sin(x) * x)

    found = numerical.grad(f, method=method, batch=True)(X, 2.0)
    np.testing.assert_array_equal(found, numerical.grad(alone, method=method)(X, 2.0))
    assert all(shape[1:] == (3,) for shape in calls)
    if method != "richardson":
        assert len(calls) == (3 if method == "central" else 2)
    found = numerical.hessian(f, method=method, batch=True)(X, 2.0)
    np.testing.assert_array_equal(found, numerical.hessian(alone, method=method)(X, 2.0))
    vectors = numerical.jacobian(lambda x: np.sin(x), method=method, batch=True)(X)
    close(vectors, np.diag(np.cos(X)), ACCURACY[method][0])


def test_aux_comes_from_the_point_itself():
    def f(x):
        return (np.sum(x**2), {"seen": x.copy()})

    found, aux = numerical.grad(f, has_aux=True)(X)
    close(found, 2 * X, 1e-8)
    np.testing.assert_array_equal(aux["seen"], X)
    (found, error), aux = numerical.grad(f, has_aux=True, with_error=True)(X)
    assert error.shape == X.shape
    assert numerical.jvp(f, (X,), (X,), has_aux=True)[2]["seen"].shape == (3,)


def test_the_v_of_truncation_and_rounding():
    """The error falls with the step, as the method says, and then rises as rounding does."""

    def off(method, step):
        return abs(numerical.grad(np.exp, step=step, method=method)(1.0) - np.e)

    assert off("forward", 1e-3) == pytest.approx(100 * off("forward", 1e-5), rel=0.05)
    assert off("central", 1e-2) == pytest.approx(1e4 * off("central", 1e-4), rel=0.05)
    for method in ("forward", "central"):
        assert off(method, 1e-14) > 1e-4
    assert off("complex", 1e-100) < 1e-15


def test_richardson_beside_the_edge_of_the_domain():
    import math

    assert numerical.grad(np.log, method="richardson")(1e-3) == pytest.approx(1e3, rel=1e-10)
    assert numerical.grad(math.log, method="richardson")(1e-3) == pytest.approx(1e3, rel=1e-10)
    with pytest.raises(ValueError, match="not finite beside the point"):
        numerical.grad(lambda x: x * np.nan, method="richardson")(1.0)
    # Whole periods fit into a first step of 0.1: that is not taken for a slope of zero.
    found = numerical.grad(lambda x: np.sin(20 * np.pi * x), method="richardson")(0.03)
    assert found == pytest.approx(20 * np.pi * np.cos(0.6 * np.pi), rel=1e-11)


def test_numdifftools_and_its_functions():
    """Of its own test functions, each at a point of its domain, with its own derivatives."""
    pytest.importorskip("numdifftools", reason="numdifftools is not installed")
    examples = import_module("numdifftools.example_functions")
    seen = 0
    for name in examples.function_names:
        for order, tolerance in ((1, 1e-12), (2, 1e-9), (3, 1e-6)):
            f, exact = examples.get_function(name, n=order)
            if exact is None:
                continue
            x = 1.5 if name == "arccosh" else 0.5
            found, error = numerical.derivative(
                f, order=order, method="richardson", with_error=True
            )(x)
            assert found == pytest.approx(exact(x), rel=tolerance, abs=tolerance), name
            assert abs(found - exact(x)) <= error + 1e-15
            seen += 1
    assert seen > 50


def test_numdifftools_agrees():
    nd = pytest.importorskip("numdifftools", reason="numdifftools is not installed")
    close(numerical.grad(smooth, method="richardson")(X), nd.Gradient(smooth)(X), 1e-11)
    close(numerical.hessian(smooth, method="richardson")(X), nd.Hessian(smooth)(X), 1e-9)

    def rows(x):
        return np.sin(x) * x[0]

    close(numerical.jacobian(rows, method="richardson")(X), nd.Jacobian(rows)(X), 1e-11)
    v = np.array([1.0, 2.0, -1.0])
    close(numerical.directional(smooth, X, v), nd.directionaldiff(smooth, X, v), 1e-8)


def test_no_elements():
    empty = np.zeros((0, 3))
    assert numerical.grad(lambda v: np.sum(v), method="richardson")(empty).shape == (0, 3)
    assert numerical.hessian(lambda v: np.sum(v))(empty).shape == (0, 3, 0, 3)
    assert numerical.derivative(np.sin)(np.zeros(0)).shape == (0,)


def test_errors_name_the_remedy():
    with pytest.raises(TypeError, match=r"shape \(2,\); it must return a single number"):
        numerical.grad(np.sin)(np.ones(2))
    with pytest.raises(TypeError, match=r"dtype int64, .* \(x\.astype\(float\)\)"):
        numerical.grad(np.sum)(np.arange(3))
    with pytest.raises(TypeError, match=r"is the bool True; a flag has no derivative"):
        numerical.grad(lambda x: x)(True)
    with pytest.raises(TypeError, match=r"call the exact transform, tg\.grad"):
        tg.grad(lambda x: numerical.grad(np.sin)(x))(1.0)
    with pytest.raises(TypeError, match=r"gives real results.*method='central'"):
        numerical.grad(np.abs, method="complex")(1.0)
    with pytest.raises(TypeError, match=r"method='complex' is for functions of real numbers"):
        numerical.grad(np.abs, method="complex")(1j)
    with pytest.raises(TypeError, match=r"numerical\.hessian\(lambda x, y: np\.real\(f\(x"):
        numerical.hessian(np.abs)(1j)
    with pytest.raises(TypeError, match=r"a real number of it, as np\.real\(\.\.\.\)"):
        numerical.grad(np.sum)(np.ones(2) * 1j)
    with pytest.raises(ValueError, match=r"there is no method 'middle'; methods are 'central'"):
        numerical.grad(np.sin, method="middle")
    with pytest.raises(ValueError, match=r"step=-1\.0 is no length"):
        numerical.jacobian(np.sin, step=-1.0)
    with pytest.raises(ValueError, match=r"has the length 0\.0, and no direction"):
        numerical.directional(np.sum, X, 0 * X)
    with pytest.raises(TypeError, match=r"call numerical\.jacobian for any other"):
        numerical.derivative(np.sum)(X)
    with pytest.raises(ValueError, match=r"order=2 takes method='central' or 'richardson'"):
        numerical.derivative(np.sin, order=2, method="forward")
    with pytest.raises(ValueError, match=r"has shape \(2,\) for 1 points; with batch=True"):
        numerical.jacobian(lambda x: np.sum(x, axis=0)[:2], batch=True)(X)
    with pytest.raises(ValueError, match="its result must keep its shape"):
        numerical.jacobian(lambda x: x[x > 1.0])(np.array([1.0, 2.0]))
    with pytest.raises(TypeError, match="is the return missing"):
        numerical.jacobian(lambda x: None)(1.0)
    with pytest.raises(TypeError, match="two names of one thing"):
        numerical.grad(np.sin, 0, argnums=0)
