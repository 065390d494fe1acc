"""jacobian, hessian and derivatives of higher order."""

import warnings

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import _tree


def test_elementwise_grad_and_jacobian_agree():
    x = np.linspace(-1, 1, 5)
    np.testing.assert_allclose(tg.elementwise_grad(np.tanh)(x), np.diag(tg.jacobian(np.tanh)(x)))
    assert tg.elementwise_grad(np.tanh)(0.0) == 1.0


def test_jacobian_shapes_in_every_mode():
    a = np.random.default_rng(0).standard_normal((2, 3, 4))
    for mode in (None, "forward", "reverse"):
        j = tg.jacobian(lambda x: np.einsum("ijk,k->ij", a, np.sin(x)), mode=mode)(np.zeros(4))
        assert j.shape == (2, 3, 4)
        np.testing.assert_allclose(j, a)
        j = tg.jacobian(lambda x: x * np.ones((2, 1)), mode=mode)(3.0)
        np.testing.assert_array_equal(j, np.ones((2, 1)))
        assert tg.jacobian(np.sin, mode=mode)(0.0) == 1.0
        j = tg.jacobian(lambda x: 2 * x, mode=mode)(np.zeros((0,)))
        assert j.shape == (0, 0)
        j = tg.jacobian(lambda x: x.astype(np.float32), mode=mode)(np.ones(2))
        np.testing.assert_array_equal(j, np.eye(2))
    with pytest.raises(ValueError, match="'backward'"):
        tg.jacobian(np.sin, mode="backward")


def test_hessian_of_scalar_and_vector_functions():
    def f(x):
        return np.prod(x) + np.sum(np.sin(x))

    x = np.array([1.0, 2.0, 3.0])
    expected = np.array([[0, 3, 2], [3, 0, 1], [2, 1, 0]]) - np.diag(np.sin(x))
    np.testing.assert_allclose(tg.hessian(f)(x), expected)
    np.testing.assert_allclose(tg.jacobian(tg.grad(f))(x), expected)
    v = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(tg.hvp(f, x, v), expected @ v)
    np.testing.assert_allclose(tg.jvp(tg.grad(f), (x,), (v,))[1], expected @ v)
    assert tg.hessian(np.sin)(0.5) == -np.sin(0.5)
    h = tg.hessian(lambda x: x**3)(x)
    assert h.shape == (3, 3, 3)
    np.testing.assert_allclose(np.einsum("iii->i", h), 6 * x)


def test_higher_orders():
    f, x = lambda x: x**5, 2.0
    for order, expected in enumerate([80, 160, 240, 240, 120, 0], 1):
        f = tg.grad(f)
        if order < 6:
            assert f(x) == expected
    g = lambda x: np.exp(2 * x)  # noqa: E731 - nested by the loop
    for _ in range(4):
        g = lambda x, g=g: tg.jvp(g, (x,), (1.0,))[1]  # noqa: E731 - nested by the loop
    assert g(0.0) == 16


def test_zero_powers_and_residuals():
    assert tg.grad(tg.grad(lambda x: x**2))(0.0) == 2
    np.testing.assert_array_equal(tg.hessian(lambda x: np.sum(x**2))(np.zeros(2)), 2 * np.eye(2))
    assert tg.grad(lambda x: x**0)(0.0) == 0
    np.testing.assert_array_equal(
        tg.hessian(lambda x: (x[0] - x[1]) ** 2)(np.ones(2)), [[2, -2], [-2, 2]]
    )


A = np.random.default_rng(0).normal(size=(6, 5))


def curved(x):
    return np.tanh(A @ x) * np.sum(x * x)


def tree(p):
    return {"u": np.tanh(A @ p["w"]) * p["b"], "v": p["b"] ** 2}


@pytest.mark.parametrize(
    ("transform", "argument"),
    [
        (lambda: tg.jacobian(curved), np.linspace(-1, 1, 5)),
        (lambda: tg.jacobian(curved, mode="reverse"), np.linspace(-1, 1, 5)),
        (lambda: tg.hessian(lambda x: np.sum(curved(x) ** 2)), np.linspace(-1, 1, 5)),
        (lambda: tg.jacobian(tree), {"w": np.linspace(-1, 1, 5), "b": 2.0}),
        (lambda: tg.jacobian(tg.jacobian(curved)), np.linspace(-1, 1, 5)),
        (lambda: tg.grad(lambda x: np.sum(tg.jacobian(curved)(x) ** 2)), np.linspace(-1, 1, 5)),
    ],
)
def test_seeds_are_lanes_of_a_program(transform, argument):
    expected = [x for _, x in _tree.leaves(transform()(argument))]
    compiled = tg.compile(transform())
    for _ in range(4):
        found = [x for _, x in _tree.leaves(compiled(argument))]
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-14)
    assert compiled.inspect().signatures[0].replays == 2


@pytest.mark.parametrize("x", [0.5, np.array([0.5, 2.0]), np.array(0.5), np.ones(2, np.float32)])
def test_hvp_of_a_lone_array_and_of_one_in_a_container(x):
    def f(x):
        x = x["x"] if isinstance(x, dict) else x
        return np.sum(x**3)

    v = 2.0 * x
    wanted = tg.hvp(f, {"x": x}, {"x": v})["x"]
    found = tg.hvp(f, x, v)
    np.testing.assert_array_equal(found, wanted)
    assert type(found) is type(wanted)
    np.testing.assert_array_equal(tg.hvp(lambda x: np.sum(x), x, v), 0.0 * x)


def test_hvp_of_what_is_no_array_of_floats_and_none_alike():
    x = np.array([0.5, 2.0])
    np.testing.assert_array_equal(tg.hvp(lambda x: np.sum(x**2), x, np.array([1, 2])), [2.0, 4.0])
    with pytest.raises(ValueError, match="must have the shape"):
        tg.hvp(lambda x: np.sum(x**2), x, np.ones(3))
    with pytest.raises(TypeError, match="returned shape"):
        tg.hvp(lambda x: x**2, x, x)
    with pytest.warns(UserWarning, match="does not depend"):
        np.testing.assert_array_equal(tg.hvp(lambda x: 3.0, x, x), [0.0, 0.0])
    third = tg.grad(lambda x: np.sum(tg.hvp(lambda x: np.sum(x**4), x, x)))
    np.testing.assert_allclose(third(x), 36 * x**2)


def of_matrix(f):
    return lambda x: f(np.reshape(x, (2, 2)))


SEVERAL_OUTPUTS = {
    "svd, values": of_matrix(lambda a: np.linalg.svd(a)[1]),
    "svd, vectors": of_matrix(lambda a: np.abs(np.linalg.svd(a)[0])),
    "eigh": of_matrix(lambda a: np.abs(np.linalg.eigh(a + a.T)[1])),
    "eig": of_matrix(lambda a: np.linalg.eig(a)[0].real),
    "qr": of_matrix(lambda a: np.linalg.qr(a)[1]),
    "slogdet": of_matrix(lambda a: np.linalg.slogdet(a + 1j * np.eye(2))[0].imag),
    "modf": lambda x: np.modf(x)[0] * x,
}


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("name", SEVERAL_OUTPUTS)
def test_rules_that_read_outputs_of_what_was_recorded_before(name, mode):
    # Each direction is a lane of a sweep that is recorded by itself, and reads them from outside.
    f = SEVERAL_OUTPUTS[name]
    compiled = tg.compile(tg.jacobian(f, mode=mode))
    for shift in (0.0, 0.25, 0.5, 0.75):
        x = np.array([2.1, 0.3, -0.2, 2.2]) + shift * np.array([1.0, -1.0, 1.0, 0.0])
        expected = tg.jacobian(f, mode="reverse" if mode == "forward" else "forward")(x)
        np.testing.assert_allclose(compiled(x), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("mode", [None, "forward", "reverse"])
def test_derivatives_have_the_precision_of_the_argument(mode, compiled):
    x = np.arange(5, dtype=np.float32)
    functions = (
        np.sum,
        lambda x: np.sum(x * np.ones(5)),
        lambda x: np.tanh(x) * np.float64(2.0) + np.arange(5.0),
        lambda x: np.ones(3),
    )
    for f in functions:
        for derived in (tg.jacobian(f, mode=mode), tg.hessian(lambda x, f=f: np.sum(f(x)))):
            derived = tg.compile(derived) if compiled else derived
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what does not depend on x
                assert {derived(x + k).dtype for k in range(4)} == {x.dtype}
