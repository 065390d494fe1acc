"""Where NumPy's result is a view, it shows writes here, both ways; a copy does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from view_cases import FEW, LAYOUTS, OPERATIONS, Function

import tapegrad as tg

X = np.arange(1.0, 13.0).reshape(3, 4)
DIRECTIONS = ("through the result", "through the array")


def weighted(*arrays: Any) -> Any:
    """A sum in which no two elements count alike."""
    total: Any = 0.0
    for k, a in enumerate(arrays):
        n = np.size(a)
        # Element by element: nothing here is a question of memory order.
        total = total + np.sum(a * (np.arange(1.0, n + 1.0).reshape(np.shape(a)) + 100.0 * k))
    return total


def program(layout: Function, operation: Function, direction: str) -> Function:
    """A function of one array, affine where the layout is, in NumPy's own words."""

    def f(x: Any) -> Any:
        y = x * 1.0
        b = layout(y)
        z = operation(b)
        if direction == "through the result":
            z[...] = 7.0
        else:
            b[...] = 5.0
        return weighted(y, b, z)

    return f


def applies(f: Function, layout: Function, operation: Function) -> bool:
    """Whether plain NumPy runs it, and the result is an array."""
    try:
        f(X)
    except (ValueError, TypeError, IndexError, np.linalg.LinAlgError):
        return False
    return type(operation(layout(X * 1.0))) is np.ndarray


def slopes(f: Function, x: Any) -> Any:
    """Of a function that is affine but for sorting and clipping, at which differences are exact."""
    found = np.zeros_like(x)
    for i in np.ndindex(*x.shape):
        step = np.zeros_like(x)
        step[i] = 1 / 1024
        found[i] = (f(x + step) - f(x - step)) * 512
    return found


CASES = [(name, direction) for name in OPERATIONS for direction in DIRECTIONS]


@pytest.mark.filterwarnings("ignore:Numpy has detected")  # of writing to broadcast_arrays' results
@pytest.mark.parametrize(("name", "direction"), CASES)
def test_writes_show_where_numpy_shows_them(name: str, direction: str) -> None:
    tried = 0
    for where, layout in LAYOUTS.items():
        f = program(layout, OPERATIONS[name], direction)
        if not applies(f, layout, OPERATIONS[name]):
            continue
        tried += 1
        value, gradient = tg.value_and_grad(f)(X)
        assert value == pytest.approx(f(X), rel=1e-13), where
        np.testing.assert_allclose(gradient, slopes(f, X), rtol=1e-9, atol=1e-9, err_msg=where)
    assert tried or direction == "through the result"  # some results are for reading


@pytest.mark.filterwarnings("ignore:Numpy has detected")  # of writing to broadcast_arrays' results
@pytest.mark.parametrize(("name", "direction"), CASES)
def test_writes_show_in_compiled_functions_and_lanes(name: str, direction: str) -> None:
    stack = np.stack([X, X[::-1] + 0.5])
    for where in FEW:
        layout = LAYOUTS[where]
        f = program(layout, OPERATIONS[name], direction)
        if not applies(f, layout, OPERATIONS[name]):
            continue
        compiled, gradient = tg.compile(f), tg.compile(tg.grad(f))
        for x in (X, X + 1.0, X * 2.0):
            assert compiled(x) == pytest.approx(f(x), rel=1e-13), where
            np.testing.assert_allclose(gradient(x), slopes(f, x), rtol=1e-9, atol=1e-9)
        found = tg.vmap(f)(stack)
        np.testing.assert_allclose(found, [f(x) for x in stack], rtol=1e-13, err_msg=where)


READ_ONLY = {
    "np.broadcast_to": lambda y: np.broadcast_to(y, (2, 3, 4)),
    "np.broadcast_to, same shape": lambda y: np.broadcast_to(y, (3, 4)),
    "np.diagonal": np.diagonal,
    "y.diagonal": lambda y: y.diagonal(),
    "np.diag": np.diag,
    "np.linalg.diagonal": np.linalg.diagonal,
    "np.broadcast_to of a number": lambda y: np.broadcast_to(y[0, 0], (2, 3)),
    "windows": lambda y: np.lib.stride_tricks.sliding_window_view(y, 2, 1),
    "a part of one": lambda y: np.diagonal(y)[1:],
    "its transpose": lambda y: np.broadcast_to(y, (2, 3, 4)).T,
}


@pytest.mark.parametrize("name", READ_ONLY)
def test_views_that_numpy_makes_for_reading_refuse_to_be_written_to(name: str) -> None:
    def add(y: Any, z: Any) -> None:
        z += 1.0

    def assign(y: Any, z: Any) -> None:
        z[...] = 1.0

    def copy_to(y: Any, z: Any) -> None:
        np.copyto(z, 1.0)

    def fill(y: Any, z: Any) -> None:
        z.fill(1.0)

    def out(y: Any, z: Any) -> None:
        np.add(z, 1.0, out=z)

    for write in (add, assign, copy_to, fill, out):
        plain = X.copy()
        with pytest.raises(ValueError, match="read-only"):
            write(plain, READ_ONLY[name](plain))
        y = tg.Variable(X) * 1.0
        z = READ_ONLY[name](y)
        with pytest.raises(ValueError, match=r"read-only.*v\.copy\(\)"):
            write(y, z)
        np.testing.assert_array_equal(tg.value(y), X)
        np.testing.assert_array_equal(tg.value(z.copy()), READ_ONLY[name](X))


def test_numbers_are_replaced_and_arrays_of_no_axes_are_written_to() -> None:
    y = tg.Variable(np.arange(3.0)) * 1.0
    number, array = y[0], y[1, ...]
    number += 5.0
    array += 5.0
    assert isinstance(number, float)
    assert isinstance(array, np.ndarray)
    np.testing.assert_array_equal(tg.value(y), [0.0, 6.0, 2.0])
    array[...] = 9.0
    array *= 2.0
    np.testing.assert_array_equal(tg.value(y), [0.0, 18.0, 2.0])
    y[:] = 1.0
    assert tg.value(array) == 1.0
    assert tg.value(number) == 5.0


@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
@pytest.mark.parametrize("where", LAYOUTS)
def test_orders_read_elements_as_numpy_does(where: str, order: str) -> None:
    plain = LAYOUTS[where](X * 1.0)
    y = LAYOUTS[where](tg.Variable(X) * 1.0)
    np.testing.assert_array_equal(tg.value(y.ravel(order)), plain.ravel(order))
    np.testing.assert_array_equal(tg.value(np.ravel(y, order)), plain.ravel(order))
    np.testing.assert_array_equal(tg.value(y.flatten(order)), plain.flatten(order))
    np.testing.assert_array_equal(tg.value(y.copy(order)), plain)
    if order != "K":
        np.testing.assert_array_equal(
            tg.value(y.reshape(-1, order=order)), plain.reshape(-1, order=order)
        )


def test_view_shows_the_same_elements() -> None:
    y = tg.Variable(X) * 1.0
    z = y.view()
    z[0, 0] = 50.0
    assert tg.value(y)[0, 0] == 50.0
    assert y.view(np.float64).shape == (3, 4)
    with pytest.raises(TypeError, match=r"v\.view\(.*int64.*v\.astype\(dtype\)"):
        y.view(np.int64)


@pytest.mark.parametrize("name", ["grad", "jvp", "hessian"])
def test_results_of_transforms_are_packed(name: str) -> None:
    inner = {
        "grad": tg.grad(lambda q: np.sum(np.sin(q.T) * np.arange(12.0).reshape(4, 3))),
        "jvp": lambda x: tg.jvp(lambda q: np.sin(q.T), (x,), (x,))[1],
        "hessian": tg.hessian(lambda q: np.sum(np.sin(q))),
    }[name]

    def f(x: Any) -> Any:
        y = inner(x)
        z = y.reshape(-1)
        z[0] = 3.0
        return np.sum(y)

    assert tg.value_and_grad(f)(X)[0] == pytest.approx(f(X), rel=1e-13)


# Functions of an array of shape (3, 4): how their results lie in memory, and what those show.
INNER = {
    "x.T": lambda x: x.T,
    "x": lambda x: x,
    "x[:, ::2]": lambda x: x[:, ::2],
    "x.reshape": lambda x: x.reshape(-1),
    "(x * 2).T": lambda x: (x * 2.0).T,
    "x.T * 2": lambda x: x.T * 2.0,
    "x.copy('F')": lambda x: x.copy(order="F"),
    "three axes": lambda x: (x.reshape(3, 2, 2) * 1.0).transpose(2, 0, 1),
    "y, y.T": lambda x: (lambda y: (y, y.T)[1])(x * 1.0),
}
SHOWING = ("x.T", "x", "x[:, ::2]", "x.reshape")  # the argument
USES = {
    "reshape": lambda y, z: z.reshape(-1),
    "ravel K": lambda y, z: z.ravel("K"),
    "ravel A": lambda y, z: z.ravel("A"),
    "result": lambda y, z: z,
    "argument": lambda y, z: y,
}


def used(f: Function, use: str) -> Function:
    """Writes to what it makes of an argument and its result."""

    def g(x: Any) -> Any:
        y = x * 1.0
        z = f(y)
        w = USES[use](y, z)
        w[..., 0] = 7.0
        return weighted(y, z, w)

    return g


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("name", INNER)
def test_checkpoints_give_arrays_that_lie_as_those_of_the_function(name: str, use: str) -> None:
    plain, ours = used(INNER[name], use), used(tg.checkpoint(INNER[name]), use)
    assert ours(X) == plain(X)
    value, gradient = tg.value_and_grad(ours)(X)
    assert value == pytest.approx(plain(X), rel=1e-13)
    np.testing.assert_allclose(gradient, slopes(plain, X), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("name", INNER)
def test_compiled_functions_give_arrays_that_lie_as_those_of_the_function(
    name: str, use: str
) -> None:
    inner = tg.compile(INNER[name])
    plain, ours = used(INNER[name], use), used(inner, use)
    for x in (X, X + 1.0, X * 2.0, X - 3.0):
        if name not in SHOWING:  # the results of plain calls are arrays of their own
            assert ours(x) == pytest.approx(plain(x), rel=1e-13)
        else:
            inner(x)
        value, gradient = tg.value_and_grad(ours)(x)
        assert value == pytest.approx(plain(x), rel=1e-13)
        np.testing.assert_allclose(gradient, slopes(plain, x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("name", INNER)
def test_results_over_lanes_lie_as_they_do_in_plain_code(name: str, axis: int, use: str) -> None:
    mapped = tg.vmap(INNER[name], in_axes=axis, out_axes=1 - axis)
    ours = used(lambda x: mapped(np.stack([x, x], axis)), use)
    assert tg.value_and_grad(ours)(X)[0] == pytest.approx(ours(X), rel=1e-13)


def test_memory_is_shared_where_numpy_shares_it() -> None:
    for make in (
        lambda y: (y, y), lambda y: (y, y[1:]), lambda y: (y[:1], y[1:]), lambda y: (y.T, y[0]),
        lambda y: (y, y.copy()), lambda y: (y[:2].ravel(), y[1, ...]), lambda y: (y[0], y[:, 1]),
    ):  # fmt: skip
        expected = np.shares_memory(*make(X))
        assert np.shares_memory(*make(tg.Variable(X) * 1.0)) == expected
