"""Arrays of no axes, as np.array(2.0), are arrays: what is written to a view of them shows."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg

Function = Callable[[Any], Any]


def through_a_reshaped_view(x: Any) -> Any:
    y = x.reshape(1)
    y[0] *= 3.0
    return x * x


def through_a_raveled_view(x: Any) -> Any:
    y = x.ravel()
    y[:] = np.sin(y)
    return x * x


def by_an_ellipsis(x: Any) -> Any:
    y = x[...]
    x[...] = x * x
    return x * y


def in_place_under_two_names(x: Any) -> Any:
    y = x
    y *= x + 1.0
    return x * 2.0 + y


def by_out(x: Any) -> Any:
    y = x.T
    np.multiply(x, x, out=x)
    return y * x


def a_number_is_replaced(x: Any) -> Any:
    y = x[()]
    y *= 5.0
    return x * y


def of_a_copy(x: Any) -> Any:
    y = x.copy()
    z = y[None]
    z[0] = x**3
    return y + x


def of_a_choice(x: Any) -> Any:
    y = np.where(x > 0.0, x, -x)
    y.reshape(1, 1)[0] += x
    return y * x


def of_an_astype(x: Any) -> Any:
    y = x.astype(float)
    z = y.astype(float, copy=False)
    z += x
    return y * x


def by_type(x: Any) -> Any:
    return x**3 if isinstance(x, np.ndarray) else x


def by_fill(x: Any) -> Any:
    y = x.view()
    x.fill(x * 4.0)
    return y * y


FUNCTIONS = {
    f.__name__: f
    for f in (
        through_a_reshaped_view, through_a_raveled_view, by_an_ellipsis, in_place_under_two_names,
        by_out, a_number_is_replaced, of_a_copy, of_a_choice, of_an_astype, by_type, by_fill,
    )
}  # fmt: skip


def derivative(f: Function, x: float) -> float:
    return float((f(np.array(x + 1e-6)) - f(np.array(x - 1e-6))) / 2e-6)


TRANSFORMS: dict[str, Callable[[Function], Function]] = {
    "grad": tg.grad,
    "value_and_grad": lambda f: lambda x: tg.value_and_grad(f)(x)[1],
    "elementwise_grad": tg.elementwise_grad,
    "jacobian": tg.jacobian,
    "jacobian, forward": lambda f: tg.jacobian(f, mode="forward"),
    "jvp": lambda f: lambda x: tg.jvp(f, (x,), (1.0,))[1],
    "vjp": lambda f: lambda x: tg.vjp(f, x)[1](1.0)[0],
    "grad in a dict": lambda f: lambda x: tg.grad(lambda p: f(p["x"]))({"x": x})["x"],
    "compiled grad": lambda f: tg.compile(tg.grad(f)),
    "grad of compiled": lambda f: tg.grad(tg.compile(f)),
    "grad of the same for all lanes": lambda f: (
        lambda x: (
            np.sum(tg.vmap(lambda x, _: tg.grad(f)(x), in_axes=(None, 0))(x, np.ones(2))) / 2.0
        )
    ),
    "backward": lambda f: lambda x: backward(f, x),
}


def backward(f: Function, x: Any) -> Any:
    v = tg.Variable(x)
    f(v.copy()).backward()
    return v.grad


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives(name: str, transform: str) -> None:
    f = FUNCTIONS[name]
    derived = TRANSFORMS[transform](f)
    for at in (0.75, 1.25, -0.5, 0.5):
        x = np.array(at)
        assert derived(x) == pytest.approx(derivative(f, at), rel=1e-6)
        assert x == at


@pytest.mark.parametrize("name", FUNCTIONS)
def test_second_derivatives(name: str) -> None:
    f, x = FUNCTIONS[name], np.array(0.75)
    h = 1e-4
    expected = (f(np.array(0.75 + h)) - 2 * f(np.array(0.75)) + f(np.array(0.75 - h))) / h**2
    assert tg.hessian(f)(x) == pytest.approx(expected, abs=1e-4)
    assert tg.jvp(tg.grad(f), (x,), (1.0,))[1] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_compiled_functions_write_to_the_callers_array(name: str) -> None:
    f = FUNCTIONS[name]
    compiled = tg.compile(f)
    for at in (0.75, 1.25, 2.0, 0.5):
        ours, theirs = np.array(at), np.array(at)
        assert compiled(ours) == pytest.approx(f(theirs), rel=1e-13)
        assert ours == pytest.approx(theirs, rel=1e-13)


def test_results_of_compiled_functions_have_numpys_class() -> None:
    f = tg.compile(lambda x: (x, x.copy(), x + 1.0, np.where(x > 0.0, x, 0.0), x[()], 2.0 * x[...]))
    for _ in range(4):
        found = f(np.array(2.0))
        assert [type(y) for y in found] == [
            np.ndarray, np.ndarray, np.float64, np.ndarray, np.float64, np.float64,
        ]  # fmt: skip
    for _ in range(4):
        assert type(f(np.float64(2.0))[0]) is np.float64
    assert type(f(np.array(2.0))[0]) is np.ndarray


def test_checkpoints_see_and_give_arrays() -> None:
    seen = []

    @tg.checkpoint
    def inner(x: Any) -> Any:
        seen.append(isinstance(x, np.ndarray))
        return x.copy()

    def f(x: Any) -> Any:
        y = inner(x)
        y.reshape(1)[0] *= x
        return y

    assert tg.grad(f)(np.array(3.0)) == 6.0
    assert seen[0]
    with pytest.raises(RuntimeError, match="it writes to an array"):
        tg.grad(tg.checkpoint(through_a_reshaped_view))(np.array(2.0))


def test_numbers_stay_numbers() -> None:
    def f(x: Any) -> Any:
        y = x
        y += x
        return x * y

    assert f(2.0) == f(np.float64(2.0)) == 8.0
    assert f(np.array(2.0)) == 16.0
    for x, expected in ((2.0, 8.0), (np.float64(2.0), 8.0), (np.array(2.0), 16.0)):
        assert tg.grad(f)(x) == expected
        assert tg.compile(tg.grad(f))(x) == expected


def test_variables_of_no_axes() -> None:
    for v in (tg.Variable(np.array(2.0)), tg.Variable(np.array(2.0, np.float32))):
        assert isinstance(v, np.ndarray)
        for again in (copy.copy(v), copy.deepcopy(v), pickle.loads(pickle.dumps(v)), v.copy()):
            assert isinstance(again, np.ndarray)
            assert again.dtype == v.dtype
        w = v
        v -= 0.5
        assert w is v
        assert tg.value(w) == 1.5
        (v * v).backward()
        assert w.grad == 3.0
    assert not isinstance(tg.Variable(np.float64(2.0)), np.ndarray)
    assert not isinstance(tg.Variable(2.0), np.ndarray)


def test_blanks_of_no_axes_are_filled() -> None:
    @tg.patch_numpy()
    def f(x: Any) -> Any:
        total = np.zeros(())
        same = total
        assert isinstance(total, np.ndarray)
        for y in x:
            total += y * y
        filled = np.empty(())
        filled[...] = same
        return filled * same

    x = np.array([1.0, 2.0])
    assert f(x) == 25.0
    np.testing.assert_array_equal(tg.grad(f)(x), 4 * 5.0 * x)
    compiled = tg.compile(tg.grad(f))
    for _ in range(3):
        np.testing.assert_array_equal(compiled(x), 4 * 5.0 * x)


# NumPy lets a single axis through where there are none.
ALONG_AN_AXIS: dict[str, Function] = {
    "sum": lambda x: np.sum(x, axis=0),
    "max": lambda x: np.max(x, axis=0),
    "min": lambda x: np.min(x, axis=-1, keepdims=True),
    "prod": lambda x: np.prod(x, axis=-1),
    "ptp": lambda x: np.ptp(x, axis=0) + x,
    "nanmax": lambda x: np.nanmax(x, axis=0),
    "maximum.reduce": lambda x: np.maximum.reduce(x),
    "multiply.reduce": lambda x: np.multiply.reduce(x),
    "logaddexp.reduce": lambda x: np.logaddexp.reduce(x),
}


@pytest.mark.parametrize("x", [np.float64(0.7), np.array(0.7)], ids=["number", "array"])
@pytest.mark.parametrize("name", ALONG_AN_AXIS)
def test_reductions_along_an_axis_that_is_not_there(name: str, x: Any) -> None:
    def f(x: Any) -> Any:
        return ALONG_AN_AXIS[name](x * x)

    assert f(tg.Variable(x)).value == pytest.approx(f(x))
    assert tg.grad(f)(x) == pytest.approx(1.4)
    assert tg.jvp(f, (x,), (2.0,))[1] == pytest.approx(2.8)
    assert tg.hessian(f)(x) == pytest.approx(2.0)
    gradient, value = tg.compile(tg.grad(f)), tg.compile(f)
    for at in (0.7, 0.3, -0.4, 0.9):
        assert gradient(np.array(at) if isinstance(x, np.ndarray) else at) == pytest.approx(2 * at)
        assert value(np.array(at)) == pytest.approx(at * at)
    lanes = np.array([0.7, 0.3])
    np.testing.assert_allclose(tg.vmap(f)(lanes), lanes**2)
    np.testing.assert_allclose(tg.vmap(tg.grad(f))(lanes), 2 * lanes)
