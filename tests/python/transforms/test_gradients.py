"""grad, value_and_grad and the rest as functions of functions."""

import numpy as np
import pytest

import tapegrad as tg


def test_plain_results():
    gradient = tg.grad(np.sin)(0.5)
    assert type(gradient) is float
    assert gradient == np.cos(0.5)
    value, gradient = tg.value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    assert type(value) is float
    assert type(gradient) is np.ndarray
    gradient[0] = 7  # the caller's own
    for dtype in (np.float32, np.float64):
        gradient = tg.grad(lambda x: np.sum(np.exp(x)))(np.ones((2, 3), dtype))
        assert gradient.dtype == dtype
        assert gradient.shape == (2, 3)


def test_ordinary_numpy_programs():
    def f(x):
        total = 0.0
        for i in range(len(x)):
            total += np.tanh(x[i]) if x[i] > 0 else x[i] ** 3
        y = x.copy()
        y[1:] *= 2.0
        while y.sum() < 10:
            y = y * 1.5
        return total + np.mean(y) / np.max(x)

    x = np.array([0.5, -1.0, 2.0, 0.25])
    assert f(x) == tg.value_and_grad(f)(x)[0]
    tg.testing.check_grads(f, (x,))


def test_a_scalar_may_have_any_shape_of_one_element():
    x = np.array([[1.0], [2.0]])
    value, gradient = tg.value_and_grad(lambda x: x.T @ x)(x)
    assert value.shape == (1, 1)
    np.testing.assert_array_equal(gradient, 2 * x)


def test_names_and_docstrings_of_the_function_survive():
    def volume(r):
        """Of a ball."""
        return 4 / 3 * np.pi * r**3

    for transform in (tg.grad, tg.value_and_grad, tg.elementwise_grad, tg.jacobian, tg.hessian):
        assert transform(volume).__name__ == "volume"
        assert transform(volume).__doc__ == "Of a ball."
        assert transform(volume).__wrapped__ is volume


def test_methods_and_callable_objects():
    class Quadratic:
        def __init__(self, a):
            self.a = a

        def loss(self, x):
            return self.a * x * x

        def __call__(self, x):
            return self.a * x

        @tg.value_and_grad
        def of_self(self):
            return self

        slope = tg.grad(loss, argnum=1)

    q = Quadratic(3.0)
    assert tg.grad(q.loss)(2.0) == 12
    assert q.slope(2.0) == 12
    assert tg.grad(q)(2.0) == 3
    # Variables held by the object are constants of the scope, and stay differentiable outside it.
    q.a = tg.Variable(3.0)
    result = tg.grad(q.loss)(2.0)
    assert isinstance(result, tg.Variable)
    result.backward()
    assert q.a.grad == 4.0


def test_results_that_do_not_depend_on_the_argument():
    for out in (3.0, np.float64(2.0), np.array(1.0), 4):
        with pytest.warns(UserWarning, match=r"grad\(.*\): the result does not depend") as caught:
            assert tg.grad(lambda x, out=out: out)(1.0) == 0.0
        assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="jacobian"):
        j = tg.jacobian(lambda x: np.ones((2, 2)))(np.ones(3))
    np.testing.assert_array_equal(j, np.zeros((2, 2, 3)))
    with pytest.warns(UserWarning, match=r"jvp\(.*\)"):
        assert tg.jvp(lambda x: 2.0, (1.0,), (1.0,)) == (2.0, 0.0)
    with pytest.warns(UserWarning, match=r"value_and_grad\(.*tg\.stop_gradient"):
        value, gradient = tg.value_and_grad(lambda p: tg.value(p["w"]).sum())({"w": np.ones(2)})
    assert value == 2.0
    np.testing.assert_array_equal(gradient["w"], np.zeros(2))


def test_no_warning_where_only_part_depends(recwarn):
    assert tg.grad(lambda x, y: x * 2, argnum=(0, 1))(1.0, 2.0) == (2.0, 0.0)
    tg.hessian(lambda x: np.sum(x) * 2)(np.ones(2))
    tg.hvp(np.sum, np.ones(2), np.ones(2))
    assert not recwarn.list


NOT_SCALAR = [
    (lambda x: x * 2, r"returned shape \(2,\)", ["tg.jacobian", "tg.elementwise_grad", "np.sum"]),
    (lambda x: (x[0], x[1]), "returned a tuple of length 2", ["return one number"]),
    (lambda x: None, "returned None", ["return missing"]),
    (lambda x: "text", "returned str 'text'", ["return one number"]),
    (lambda x: {"loss": x[0]}, "returned a dict", ["return one number"]),
]


@pytest.mark.parametrize(("f", "what", "remedies"), NOT_SCALAR, ids=[w for _, w, _ in NOT_SCALAR])
def test_gradients_need_one_number(f, what, remedies):
    for transform in (tg.grad, tg.value_and_grad):
        with pytest.raises(TypeError, match=what) as error:
            transform(f)(np.ones(2))
        assert all(remedy in str(error.value) for remedy in remedies)
        assert "<lambda>" in str(error.value)
    with pytest.raises(TypeError, match="hvp"):
        tg.hvp(f, np.ones(2), np.ones(2))


def test_wrong_calls_say_what_to_do():
    with pytest.raises(TypeError, match=r"argument 1.*1 positional.*by position"):
        tg.grad(np.add, argnum=1)(1.0)
    with pytest.raises(ValueError, match="twice"):
        tg.grad(np.add, argnum=(0, -2))(1.0, 2.0)
    for transform in (tg.value_and_grad, tg.jacobian, tg.hessian, tg.elementwise_grad):
        with pytest.raises(TypeError, match=r"float 3\.0 is not a function"):
            transform(3.0)
    with pytest.raises(TypeError, match="is not a function"):
        tg.jvp(3.0, (1.0,), (1.0,))
    with pytest.raises(TypeError, match="not a Variable"):
        tg.grad(3.0, tg.Variable(1.0))
    with pytest.raises(TypeError, match=r"tg\.grad\(loss, w\)"):
        tg.grad(tg.Variable(3.0))
    with pytest.raises(TypeError, match="the result is str"):
        tg.jacobian(lambda x: "text")(1.0)


def test_gradients_of_variables():
    w, b = tg.Variable(np.array([1.0, 2.0])), tg.Variable(3.0)
    loss = np.sum(w * w) * b
    gradients = tg.grad(loss, {"w": w, "b": [b]})
    np.testing.assert_array_equal(gradients["w"], [6, 12])
    assert gradients["b"] == [5.0]
    np.testing.assert_array_equal(tg.grad(outputs=loss, wrt=w), [6, 12])
    product = w * b
    np.testing.assert_array_equal(tg.grad(product, w, seeds=np.array([1.0, 10.0])), [3, 30])
    assert tg.grad([product, b * b], b, seeds=[np.ones(2), 2.0]) == 15
    with pytest.raises(ValueError, match=r"shape \(3,\).*\(2,\)"):
        tg.grad(product, w, seeds=np.ones(3))
    with pytest.raises((TypeError, ValueError), match=r"\(2,\)"):
        tg.grad(product, w)
    recorded = tg.grad(loss, w, record=True)
    assert isinstance(recorded, tg.Variable)
    np.testing.assert_array_equal(tg.grad(np.sum(recorded), w), [6, 6])


def test_stop_gradient_and_value():
    assert tg.grad(lambda x: x * tg.stop_gradient(x * x))(3.0) == 9
    assert tg.grad(lambda p: p["a"] * tg.stop_gradient(p)["a"])({"a": 3.0})["a"] == 3
    assert tg.grad(lambda x: x * tg.value(x))(3.0) == 3
    assert tg.value(3.0) == 3.0
    assert tg.value([tg.Variable(1.0), "text", None]) == [1.0, "text", None]
    values = tg.value({"x": tg.Variable([1.0])})
    assert type(values["x"]) is np.ndarray
    np.testing.assert_array_equal(tg.value(np.array([tg.Variable(1.0), tg.Variable(2.0)])), [1, 2])


def test_no_grad():
    w = tg.Variable(2.0)
    with tg.no_grad():
        y = w * w
    assert tg.value(y) == 4
    with pytest.raises(RuntimeError, match="no_grad"):
        y.backward()
    assert w.grad is None

    @tg.no_grad()
    def f(x):
        return x * w

    assert f.__name__ == "f"
    assert tg.value(f(3.0)) == 6.0
    with pytest.raises(RuntimeError, match="inside"), tg.no_grad():
        raise RuntimeError("inside")
    (w * w).backward()  # recording is on again
    assert w.grad == 4.0
    # grad opens a record of its own.
    with tg.no_grad():
        assert tg.grad(lambda x: x * x)(3.0) == 6.0
        assert tg.jvp(np.sin, (0.0,), (1.0,)) == (0.0, 1.0)


def test_exceptions_close_the_scope():
    def f(x):
        raise ArithmeticError("mine")

    for _ in range(3):
        with pytest.raises(ArithmeticError, match="mine"):
            tg.grad(f)(1.0)
        with pytest.raises(ArithmeticError, match="mine"):
            tg.jvp(lambda x: tg.grad(f)(x), (1.0,), (1.0,))
    w = tg.Variable(3.0)
    (w * w).backward()
    assert w.grad == 6.0


def test_the_argument_is_left_alone():
    x = np.array([1.0, 2.0])

    def f(v):
        v[0] = 5.0
        return np.sum(v * v)

    np.testing.assert_array_equal(tg.grad(f)(x), [0, 4])
    np.testing.assert_array_equal(x, [1, 2])


def test_generic_use_beside_plain_calls():
    f = tg.grad(lambda x: np.sum(x**2))
    x = np.random.default_rng(0).standard_normal((3, 4))
    np.testing.assert_array_equal(f(x), 2 * x)
    np.testing.assert_array_equal(f(x.T), 2 * x.T)
    np.testing.assert_array_equal(f(x[::-1, ::2]), 2 * x[::-1, ::2])
    read_only = np.broadcast_to(1.5, (2, 2))
    np.testing.assert_array_equal(f(read_only), np.full((2, 2), 3.0))


def parts(x):
    return x["x"] if isinstance(x, dict) else x


SAME = {
    "number": (lambda x: np.sin(parts(x)), 0.5),
    "array": (lambda x: np.sum(np.sin(parts(x))), np.linspace(0.1, 0.9, 5)),
    "float32": (lambda x: np.sum(parts(x) ** 3), np.ones((2, 2), np.float32)),
    "no axes": (lambda x: parts(x) ** 2, np.array(1.5)),
    "nothing": (lambda x: np.sum(parts(x) ** 3), np.zeros((0, 3))),
    "one element": (lambda x: parts(x) ** 2, np.array([1.5])),
    "not contiguous": (lambda x: np.sum(parts(x)[0] ** 2), np.ones((4, 6))[::2, ::3].T),
    "filled": (lambda x: np.sum(filled(parts(x))), np.array([1.0, 2.0])),
}


def filled(x):
    y = np.zeros(2)
    y[0] = x[1] ** 2
    return y


@pytest.mark.parametrize("name", SAME)
def test_a_lone_array_and_one_in_a_container_have_the_same_gradient(name):
    f, x = SAME[name]
    wanted = tg.grad(f)({"x": x})["x"]
    for found in (tg.grad(f)(x), tg.value_and_grad(f)(x)[1], tg.grad(lambda y, x: f(x), 1)(0, x)):
        np.testing.assert_array_equal(found, wanted)
        assert type(found) is type(wanted)
    value = tg.value_and_grad(f)({"x": x})[0]
    assert type(tg.value_and_grad(f)(x)[0]) is type(value)
    np.testing.assert_array_equal(tg.value_and_grad(f)(x)[0], value)
    inner = tg.grad(lambda x: np.sum(tg.grad(lambda x: np.sum(f(x)))(x)))
    within = tg.grad(lambda x: np.sum(parts(tg.grad(lambda x: np.sum(f(x)))(x))))
    np.testing.assert_array_equal(inner(x), within({"x": x})["x"])


@pytest.mark.parametrize("f", [lambda x: 3.0, lambda x: tg.value(x), lambda x: None, lambda x: [x]])
def test_results_that_are_no_recorded_number(f):
    for transform in (tg.grad, tg.value_and_grad):
        if f(0.5) is None or isinstance(f(0.5), list):
            for x in (0.5, {"x": 0.5}):
                with pytest.raises(TypeError, match="returned"):
                    transform(lambda x: f(parts(x)))(x)
            continue
        for x in (0.5, {"x": 0.5}):
            with pytest.warns(UserWarning, match="does not depend") as caught:
                found = transform(lambda x: f(parts(x)))(x)
            assert caught[0].filename == __file__
            found = found[1] if transform is tg.value_and_grad else found
            assert parts(found) == 0.0


def test_keyword_arguments_and_errors_of_the_function():
    f = tg.grad(lambda x, *, n: np.sum(x**n))
    np.testing.assert_array_equal(f(np.ones(2), n=3), [3.0, 3.0])
    with pytest.raises(TypeError):
        f(np.ones(2), m=3)
    with pytest.raises(TypeError, match="0 positional"):
        f(n=3)
    assert tg.grad(lambda x: x * x)(2.0) == 4.0  # no scope was left open
