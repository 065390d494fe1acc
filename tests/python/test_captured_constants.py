"""A plain array that is changed in place after it was recorded.

The derivative is that of the values at recording, or there is an error. Long arrays are held by
reference, short ones copied.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg

Case = Callable[[Any, Any], Any]

LONG, SHORT = 36_000, 12  # the one is held by reference whatever its dtype, the other never


def masks(n: int) -> Any:
    return np.arange(n) % 3 == 0


def bounds(n: int) -> Any:
    return np.linspace(1.5, 1.6, n)


def positions(n: int) -> Any:
    return (np.arange(n) * 7 + 1) % n


def rows_of(x: Any) -> Any:
    return np.reshape(x, (-1, 4))


def copied_to(x: Any, c: Any) -> Any:
    y = 2 * x
    np.copyto(y, x * x, where=c)
    return y


def put(x: Any, c: Any) -> Any:
    y = 2 * x
    y[c] = (x * x)[c]
    return y


def added_at(x: Any, c: Any) -> Any:
    y = 2 * x
    np.add.at(y, c, x)
    return y


def written(x: Any, c: Any) -> Any:
    y = 1 * x
    y[:] = c
    return y * x


def written_out(x: Any, c: Any) -> Any:
    y = 1 * x
    np.multiply(x, c, out=y)
    return y


MASKS: dict[str, Case] = {
    "where": lambda x, c: np.where(c, x, x * x),
    "where, broadcast": lambda x, c: np.where(c, x, np.ones((2, 1)))[0],
    "select": lambda x, c: np.select([c, ~c], [x, x * x], 0.0),
    "select, one": lambda x, c: np.select([c], [x], x * x),
    "choose": lambda x, c: np.choose(c * 1, [x, x * x]),
    "copyto": copied_to,
    "sum where": lambda x, c: np.sum(x * x, where=c),
    "prod where": lambda x, c: np.prod(1 + 1e-4 * x, where=c),
    "mean where": lambda x, c: np.mean(x * x, where=c),
    "std where": lambda x, c: np.std(x, where=c),
    "var where": lambda x, c: np.var(x, where=c),
    "max where": lambda x, c: np.max(x * x, where=c, initial=0.0),
    "min where": lambda x, c: np.min(x * x, where=c, initial=99.0),
    "nansum where": lambda x, c: np.nansum(x * x, where=c),
    "nanmean where": lambda x, c: np.nanmean(x * x, where=c),
    "reduce where": lambda x, c: np.add.reduce(x * x, where=c),
    "method where": lambda x, c: (x * x).sum(where=c),
    "times": lambda x, c: x * x * c,
    "fancy": lambda x, c: x[c] * 3 * x[c],
    "write": put,
    "extract": lambda x, c: np.extract(c, x * x),
    "compress": lambda x, c: np.compress(c, x * x),
    "logical": lambda x, c: np.where(np.logical_and(c, x > 1.5), x, x * x),
    "rows": lambda x, c: rows_of(x * x) * rows_of(c),
}

BOUNDS: dict[str, Case] = {
    "clip low": lambda x, c: np.clip(x, c, None),
    "clip high": lambda x, c: np.clip(x, None, c),
    "clip both": lambda x, c: np.clip(x, c, c + 0.1),
    "clip twice": lambda x, c: np.clip(x, c, c),
    "method clip": lambda x, c: x.clip(c, 1.9),
    "clip keyword": lambda x, c: np.clip(x, a_min=c, a_max=3.0),
    "maximum": lambda x, c: np.maximum(x, c),
    "minimum": lambda x, c: np.minimum(c, x),
    "fmax": lambda x, c: np.fmax(x, c),
    "compare": lambda x, c: np.where(x > c, x, x * x),
    "compare plain": lambda x, c: np.where(c > 1.55, x, x * x),
    "where value": lambda x, c: np.where(x > 1.55, c, x * x) * c,
    "select value": lambda x, c: np.select([x > 1.55], [c * x], c),
    "times": lambda x, c: x * c,
    "divide": lambda x, c: c / x,
    "power": lambda x, c: x**c,
    "power of": lambda x, c: c**x,
    "hypot": lambda x, c: np.hypot(x, c),
    "arctan2": lambda x, c: np.arctan2(c, x),
    "logaddexp": lambda x, c: np.logaddexp(x, c),
    "remainder": lambda x, c: np.remainder(x, c) * np.remainder(5.0, x * c),
    "float32": lambda x, c: x * c.astype(np.float32),
    "strided": lambda x, c: x[::2] * c[::2],
    "reversed": lambda x, c: x * c[::-1],
    "transposed": lambda x, c: rows_of(x).T * c.reshape(-1, 4).T,
    "row": lambda x, c: rows_of(x)[:2] @ c.reshape(4, -1),
    "dot": lambda x, c: np.dot(x, c),
    "vdot": lambda x, c: np.vdot(c, x),
    "inner": lambda x, c: np.inner(x, c),
    "outer": lambda x, c: np.outer(x[:2], c),
    "tensordot": lambda x, c: np.tensordot(rows_of(x), c.reshape(-1, 4), 2),
    "einsum": lambda x, c: np.einsum("i,i->", x, c),
    "einsum of three": lambda x, c: np.einsum("i,i,i->i", x, c, x),
    "matmul": lambda x, c: c.reshape(-1, 4) @ x[:4],
    "average": lambda x, c: np.average(x, weights=c),
    "average, axis": lambda x, c: np.average(rows_of(x), axis=0, weights=c.reshape(-1, 4)),
    "concatenate": lambda x, c: np.concatenate([x, c]) * np.concatenate([c, x]),
    "stack": lambda x, c: np.prod(np.stack([x, c, c]), axis=0),
    "polyval": lambda x, c: np.polyval(c[:4], x),
    "write": written,
    "out": written_out,
    "diff": lambda x, c: np.diff(x, prepend=c[:1]) * c,
    "trapezoid": lambda x, c: np.trapezoid(x, c) if hasattr(np, "trapezoid") else np.trapz(x, c),
    "cross": lambda x, c: np.cross(np.reshape(x, (-1, 3)), c.reshape(-1, 3)),
    "kron": lambda x, c: np.kron(x[:2], c),
    "heaviside": lambda x, c: np.heaviside(x - 1.55, 0.5) * c * x,
    "copysign": lambda x, c: np.copysign(x, 1.55 - c),
    "sinc": lambda x, c: np.sinc(x * c),
    "list": lambda x, c: np.stack([x, x]) * [c, c],
}

POSITIONS: dict[str, Case] = {
    "fancy": lambda x, c: x[c] * x[0],
    "fancy, two": lambda x, c: rows_of(x)[c % 3, c % 4],
    "fancy, mixed": lambda x, c: rows_of(x)[c % 3, 1:3],
    "int32": lambda x, c: x[c.astype(np.int32)] * x,
    "write": put,
    "take": lambda x, c: np.take(x * x, c),
    "take, axis": lambda x, c: np.take(rows_of(x)[:2], c % 4, axis=1),
    "take, wrap": lambda x, c: np.take(x * x, c, mode="wrap"),
    "take, clip": lambda x, c: np.take(x * x, c, mode="clip"),
    "method take": lambda x, c: (x * x).take(c),
    "take_along_axis": lambda x, c: np.take_along_axis(x * x, c, 0),
    "add.at": added_at,
    "repeat": lambda x, c: np.repeat(x, c % 3),
    "delete": lambda x, c: np.delete(x * x, c[: len(c) // 2]),
    "insert": lambda x, c: np.insert(x * x, c[:4], x[:4]),
    "choose": lambda x, c: np.choose(c % 2, [x, x * x]),
    "times": lambda x, c: x * c,
    "where": lambda x, c: np.where(c % 2 == 0, x, x * x),
    "where, as it is": lambda x, c: np.where(c, x, x * x),
    "average": lambda x, c: np.average(x, weights=c),
    "ldexp": lambda x, c: np.ldexp(x, c % 2),
}


def doubled(x: Any, c: Any, f: Case) -> Any:
    y = f(x, c)
    return np.sum(y * y)


def of_backward(f: Case, x: Any, c: Any, change: Callable[[], None]) -> Any:
    v = tg.Variable(x)
    y = doubled(v, c, f)
    change()
    y.backward()
    return v.grad


def of_vjp(f: Case, x: Any, c: Any, change: Callable[[], None]) -> Any:
    _, pull = tg.vjp(lambda v: doubled(v, c, f), x)
    change()
    return pull(1.0)[0]


def of_inner_scope(f: Case, x: Any, c: Any, change: Callable[[], None]) -> Any:
    """The derivative of a derivative, between whose sweeps the array changes."""

    def slope(v: Any) -> Any:
        _, pull = tg.vjp(lambda w: doubled(w, c, f), v)
        (g,) = pull(1.0)
        change()
        return np.sum(g * g)

    return tg.grad(slope)(x)


def of_checkpoint(f: Case, x: Any, c: Any, change: Callable[[], None]) -> Any:
    v = tg.Variable(x)
    y = tg.checkpoint(lambda w, k: doubled(w, k, f))(v, c)
    change()
    y.backward()
    return v.grad


def of_compiled(f: Case, x: Any, c: Any, change: Callable[[], None]) -> Any:
    compiled = tg.compile(lambda v, k: doubled(v, k, f))
    for _ in range(3):
        _, pull = tg.vjp(lambda v: compiled(v, c), x)
    change()
    return pull(1.0)[0]


MODES = [of_backward, of_vjp, of_inner_scope, of_checkpoint]
CASES = [
    pytest.param(f, make, id=f"{kind}-{name}")
    for kind, make, table in (
        ("mask", masks, MASKS), ("bound", bounds, BOUNDS), ("position", positions, POSITIONS),
    )
    for name, f in table.items()
]  # fmt: skip


def agrees(f: Case, make: Callable[[int], Any], mode: Any, length: int) -> str:
    """The error's text; "" where the derivative is right."""
    x = 1 + (np.arange(length) * 0.618) % 1.0
    c, other = make(length), make(length)[::-1].copy()
    assert not np.array_equal(c, other)
    wanted = mode(f, x, c, lambda: None)
    try:
        found = mode(f, x, c, lambda: c.__setitem__(Ellipsis, other))
    except ValueError as e:
        return str(e)
    np.testing.assert_array_equal(found, wanted)
    return ""


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("f", "make"), CASES)
def test_long_arrays_are_right_or_loud(f: Case, make: Callable[[int], Any], mode: Any) -> None:
    error = agrees(f, make, mode, LONG)
    assert not error or "was changed after it was recorded" in error


@pytest.mark.parametrize(("f", "make"), CASES)
def test_short_arrays_are_right(f: Case, make: Callable[[int], Any]) -> None:
    assert agrees(f, make, of_backward, SHORT) == ""


@pytest.mark.parametrize("name", ["where", "select", "copyto", "sum where", "std where"])
def test_a_long_mask_is_named(name: str) -> None:
    error = agrees(MASKS[name], masks, of_backward, LONG)
    assert "a NumPy bool array of shape (36000,), was changed after it was recorded at " in error
    assert "record with a copy (x.copy())" in error


@pytest.mark.parametrize("f", [MASKS["where"], MASKS["select"], BOUNDS["clip twice"]])
def test_in_a_compiled_function_too(f: Case) -> None:
    make = bounds if f is BOUNDS["clip twice"] else masks
    error = agrees(f, make, of_compiled, LONG)
    assert not error or "was changed after it was recorded" in error
