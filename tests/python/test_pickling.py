"""What transforms return goes where functions go: pickles, copies, pools of processes, methods."""

import copy
import functools
import inspect
import multiprocessing
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg

X = np.array([1.0, 2.0, 3.0])


def loss(x: Any, scale: float = 1.0) -> Any:
    """A loss."""
    return np.sum(x**3) * scale


def square(x: Any) -> Any:
    return x**2


def with_aux(x: Any) -> Any:
    return np.sum(x**2), {"x": x, "note": "aux"}


@tg.grad
def decorated(x: Any) -> Any:
    return np.sum(x**2)


@tg.compile
def compiled(x: Any) -> Any:
    return np.sum(x**2)


@tg.compile(passes={"fuse": False})
@tg.value_and_grad
def both(x: Any) -> Any:
    return np.sum(x**2)


class Model:
    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.slope = tg.grad(self.loss)

    def loss(self, x: Any) -> Any:
        return np.sum(x**2) * self.scale

    @functools.partial(tg.grad, argnum=1)
    def gradient(self, x: Any) -> Any:
        return np.sum(x**2) * self.scale


MADE: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "grad": (tg.grad(loss), (X,)),
    "grad, argnum": (tg.grad(loss, 1), (X, 2.0)),
    "grad, argnums": (tg.grad(loss, argnums=(0, 1)), (X, 2.0)),
    "grad, has_aux": (tg.grad(with_aux, has_aux=True), (X,)),
    "grad of grad": (tg.grad(tg.grad(square)), (3.0,)),
    "value_and_grad": (tg.value_and_grad(loss), (X,)),
    "elementwise_grad": (tg.elementwise_grad(square), (X,)),
    "of a NumPy function": (tg.elementwise_grad(np.tanh), (X,)),
    "jacobian": (tg.jacobian(square, mode="forward"), (X,)),
    "hessian": (tg.hessian(loss), (X,)),
    "vmap": (tg.vmap(loss, in_axes=(0, None)), (np.ones((4, 3)), 2.0)),
    "vmap of grad": (tg.vmap(tg.grad(loss)), (np.ones((4, 3)),)),
    "checkpoint": (tg.checkpoint(loss), (X,)),
    "grad of checkpoint": (tg.grad(tg.checkpoint(loss)), (X,)),
    "compile": (tg.compile(loss), (X,)),
    "compile of grad": (tg.compile(tg.grad(loss)), (X,)),
    "grad of compile": (tg.grad(tg.compile(loss)), (X,)),
    "grad of a partial": (tg.grad(functools.partial(loss, scale=2.0)), (X,)),
    "grad of a method": (tg.grad(Model(2.0).loss), (X,)),
    "decorated": (decorated, (X,)),
    "hessian of decorated": (tg.jacobian(decorated), (X,)),
    "compiled": (compiled, (X,)),
    "grad of compiled": (tg.grad(compiled), (X,)),
    "compiled again": (tg.compile(tg.grad(compiled), passes={"fuse": False}), (X,)),
    "vmap of compiled": (tg.vmap(compiled), (np.ones((4, 3)),)),
    "compiled value_and_grad": (both, (X,)),
}


def assert_same(found: Any, expected: Any) -> None:
    if isinstance(expected, (tuple, list)):
        for a, b in zip(found, expected, strict=True):
            assert_same(a, b)
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys()
        assert_same(list(found.values()), list(expected.values()))
    elif isinstance(expected, str):
        assert found == expected
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
def test_pickled(name: str, protocol: int) -> None:
    f, args = MADE[name]
    assert_same(pickle.loads(pickle.dumps(f, protocol))(*args), f(*args))


@pytest.mark.parametrize("name", MADE)
def test_copied(name: str) -> None:
    f, args = MADE[name]
    for other in (copy.copy(f), copy.deepcopy(f)):
        assert_same(other(*args), f(*args))


def _call(f: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    return f(*args)


def test_in_processes() -> None:
    names = ["grad", "hessian", "grad of compile", "decorated", "vmap", "grad of a method"]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.starmap(_call, [MADE[name] for name in names])
    for name, result in zip(names, found, strict=True):
        assert_same(result, _call(*MADE[name]))


def test_lambdas_fail_as_lambdas_do() -> None:
    f = lambda x: x * x  # noqa: E731 - it is what cannot be pickled
    with pytest.raises((pickle.PicklingError, AttributeError)) as plain:
        pickle.dumps(f)
    for made in (tg.grad(f), tg.hessian(f), tg.compile(f), tg.grad(tg.compile(f)), tg.vmap(f)):
        with pytest.raises(plain.type) as ours:
            pickle.dumps(made)
        assert "test_lambdas_fail_as_lambdas_do.<locals>.<lambda>" in str(ours.value)
        assert copy.deepcopy(made)(np.ones(1)) is not None


def test_decorated_functions_go_by_name() -> None:
    for f in (decorated, compiled, both):
        assert pickle.loads(pickle.dumps(f)) is f
        assert copy.copy(f) is f
        assert copy.deepcopy(f) is f


def test_methods() -> None:
    model = Model(2.0)
    np.testing.assert_array_equal(model.gradient(X), 4 * X)
    np.testing.assert_array_equal(Model.gradient(model, X), 4 * X)
    again = pickle.loads(pickle.dumps(model))
    twin = copy.deepcopy(model)
    model.scale = 100.0
    for other in (again, twin):  # its gradient is that of its own loss
        np.testing.assert_array_equal(other.slope(X), 4 * X)
        other.scale = 3.0
        np.testing.assert_array_equal(other.slope(X), 6 * X)


def test_what_it_has_in_common_with_its_function() -> None:
    f = tg.grad(loss)
    assert (f.__name__, f.__doc__, f.__wrapped__) == ("loss", "A loss.", loss)
    assert inspect.signature(f) == inspect.signature(loss)
    assert repr(f) == "<grad of loss>"
    assert repr(tg.vmap(f, in_axes=1)) == "<vmap of loss>"
    assert weakref.ref(f)() is f
    assert callable(f)
    assert f != tg.grad(loss)
    f.note = "mine"
    assert f.note == "mine"


def test_a_wrapper_of_a_compiled_function_is_not_that_function() -> None:
    lanes = tg.compile(tg.vmap(compiled))

    @functools.wraps(compiled)
    def twice(x: Any) -> Any:
        return 2 * compiled(x)

    doubled = tg.compile(twice)
    for _ in range(3):
        np.testing.assert_array_equal(lanes(np.ones((2, 3))), [3.0, 3.0])
        assert doubled(X) == 28.0


@pytest.mark.parametrize("settings", [{}, {"momentum": 0.9}, {"momentum": 0.5, "nesterov": True}])
@pytest.mark.parametrize("remake", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy])
def test_sgd_goes_on_where_it_was(settings: dict[str, Any], remake: Callable[[Any], Any]) -> None:
    params = [tg.Variable(X), tg.Variable(2.0), tg.Variable(np.ones(2, np.float32))]
    optimizer = tg.SGD(params, lr=0.1, weight_decay=0.01, **settings)

    def step(params: list[tg.Variable], optimizer: tg.SGD) -> None:
        a, b, c = params
        (np.sum(a**2) * b + np.sum(c) * b).backward()
        optimizer.step()
        optimizer.zero_grad()

    step(params, optimizer)
    others, twin = remake((params, optimizer))  # together: the twin updates these very parameters
    twin.lr = optimizer.lr = 0.2
    for _ in range(3):
        step(params, optimizer)
        step(others, twin)
    for p, q in zip(params, others, strict=True):
        np.testing.assert_array_equal(p.value, q.value)
    assert others[0] is not params[0]
    assert twin.lr == 0.2


def test_sgd_that_has_not_stepped() -> None:
    w = tg.Variable(1.0)
    twin = pickle.loads(pickle.dumps(tg.SGD([w], lr=0.5, momentum=0.9)))
    twin.step()
    assert twin.lr == 0.5


class Counting(tg.SGD):
    def __init__(self, params: Any, steps: int) -> None:
        super().__init__(params, lr=0.25)
        self.steps = steps


def test_subclass_of_sgd() -> None:
    twin = pickle.loads(pickle.dumps(Counting([tg.Variable(1.0)], 7)))
    assert type(twin) is Counting
    assert (twin.lr, twin.steps) == (0.25, 7)


def test_a_state_that_fits_nothing() -> None:
    state = tg.SGD([tg.Variable(X)], momentum=0.5).__getstate__()
    with pytest.raises(ValueError, match="velocity of a parameter of shape"):
        tg.SGD.__new__(tg.SGD).__setstate__((*state[:2], [np.ones(9)], {}))
    with pytest.raises(ValueError, match="no pickled state"):
        tg.SGD.__new__(tg.SGD).__setstate__((1, 2))


@pytest.mark.parametrize("rule", ["sgd", "adam", "adamw", "rmsprop", "adagrad"])
def test_rules(rule: str) -> None:
    made = getattr(tg.optim, rule)(lr=0.1)
    assert pickle.loads(pickle.dumps(made)) == made


def test_two_names_of_one_thing() -> None:
    for transform in (tg.grad, tg.value_and_grad, tg.jacobian, tg.hessian, tg.elementwise_grad):
        with pytest.raises(TypeError, match="two names of one thing"):
            transform(loss, 0, argnums=1)


def test_has_aux_needs_a_pair() -> None:
    for transform in (tg.grad, tg.value_and_grad, tg.jacobian, tg.hessian):
        with pytest.raises(TypeError, match=r"the pair \(value, aux\)"):
            transform(loss, has_aux=True)(X)


def test_aux_comes_out_plain() -> None:
    x = X
    found: dict[str, Any] = {
        "grad": tg.grad(with_aux, has_aux=True)(x),
        "value_and_grad": tg.value_and_grad(with_aux, has_aux=True)(x)[::-1],
        "jacobian": tg.jacobian(with_aux, has_aux=True)(x),
        "vjp": tg.vjp(with_aux, x, has_aux=True)[1:],
        "jvp": tg.jvp(with_aux, (x,), (x,), has_aux=True)[1:],
    }
    assert found["value_and_grad"][1][0] == 14.0
    found["value_and_grad"] = found["value_and_grad"][0], found["value_and_grad"][1][1]
    found["vjp"] = found["vjp"][0](1.0)[0], found["vjp"][1]
    expected = dict.fromkeys(found, 2 * x) | {"jvp": 28.0}
    found["hessian"], expected["hessian"] = tg.hessian(with_aux, has_aux=True)(x), 2 * np.eye(3)
    for name, (derivative, aux) in found.items():
        np.testing.assert_array_equal(derivative, expected[name])
        assert type(aux["x"]) is np.ndarray, name
        assert_same(aux, {"x": x, "note": "aux"})


def test_aux_of_an_inner_derivative_is_differentiated() -> None:
    def f(x: Any) -> Any:
        slope, y = tg.grad(lambda q: (q**2, q**3), has_aux=True)(x)  # 2 x, x^3
        return slope * y  # 2 x^4

    assert tg.grad(f)(2.0) == 64.0


def test_aux_in_a_compiled_function() -> None:
    def f(x: Any) -> Any:
        return np.sum(x**2), x * 3.0

    for made in (tg.compile(tg.grad(f, has_aux=True)), tg.grad(tg.compile(f), has_aux=True)):
        for k in range(4):
            gradient, aux = made(X + k)
            np.testing.assert_array_equal(gradient, 2 * (X + k))
            np.testing.assert_array_equal(aux, 3 * (X + k))
