"""Code that asks for types takes the branch that it takes on floats and arrays."""

import collections.abc
import copy
import functools
import json
import numbers
import operator
import pickle
import typing
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg


@functools.singledispatch
def dispatched(x: Any) -> str:
    return "other"


@dispatched.register(float)
def _(x: Any) -> str:
    return "float"


@dispatched.register(np.ndarray)
def _(x: Any) -> str:
    return "array"


@dispatched.register(list)
def _(x: Any) -> str:
    return "list"


def matched(x: Any) -> str:
    match x:
        case bool() | int():
            return "int"
        case float(y):
            assert y is x
            return "float"
        case np.ndarray(shape=shape):
            return f"array {shape}"
        case [_, *_]:
            return "list"
        case _:
            return "other"


def sized(x: Any) -> Any:
    try:
        return len(x)
    except TypeError:
        return "no length"


def indexed(x: Any) -> Any:
    try:
        return operator.index(x)
    except TypeError:
        return "no index"


def iterated(x: Any) -> Any:
    try:
        return len(list(x))
    except TypeError:
        return "no entries"


CHECKS: dict[str, Callable[[Any], Any]] = {
    "isinstance ndarray": lambda x: isinstance(x, np.ndarray),
    "isinstance float": lambda x: isinstance(x, float),
    "isinstance (int, float)": lambda x: isinstance(x, (int, float)),
    "isinstance int": lambda x: isinstance(x, int),
    "isinstance bool": lambda x: isinstance(x, bool),
    "isinstance str": lambda x: isinstance(x, str),
    "isinstance (list, tuple, ndarray)": lambda x: isinstance(x, (list, tuple, np.ndarray)),
    "isinstance dict": lambda x: isinstance(x, dict),
    "isinstance (float, ndarray)": lambda x: isinstance(x, (float, np.ndarray)),
    "Number": lambda x: isinstance(x, numbers.Number),
    "Real": lambda x: isinstance(x, numbers.Real),
    "Integral": lambda x: isinstance(x, numbers.Integral),
    "Sequence": lambda x: isinstance(x, collections.abc.Sequence),
    "Mapping": lambda x: isinstance(x, collections.abc.Mapping),
    "Collection": lambda x: isinstance(x, collections.abc.Collection),
    "Callable": callable,
    "SupportsFloat": lambda x: isinstance(x, typing.SupportsFloat),
    "__class__ float": lambda x: issubclass(x.__class__, float),
    "__class__ ndarray": lambda x: x.__class__ is np.ndarray,
    "hasattr __len__": lambda x: hasattr(x, "__len__"),
    "hasattr __iter__": lambda x: hasattr(x, "__iter__"),
    "hasattr __index__": lambda x: hasattr(x, "__index__"),
    "hasattr __float__": lambda x: hasattr(x, "__float__"),
    "hasattr keys": lambda x: hasattr(x, "keys"),
    "np.isscalar": np.isscalar,
    "np.ndim": np.ndim,
    "np.shape": np.shape,
    "np.size": np.size,
    "np.iterable": np.iterable,
    "np.iscomplexobj": np.iscomplexobj,
    "np.isrealobj": np.isrealobj,
    "singledispatch": dispatched,
    "match": matched,
    "len": sized,
    "index": indexed,
    "list": iterated,
    "None": lambda x: x is None,
    "truth of None": lambda x: x or 0 if x is None else 1,
}
ARRAYS_AND_NUMPY: dict[str, Callable[[Any], Any]] = {
    "issubdtype": lambda x: np.issubdtype(x.dtype, np.floating),
    "dtype.kind": lambda x: x.dtype.kind,
    "isinstance np.generic": lambda x: isinstance(x, np.generic),
    "isinstance np.floating": lambda x: isinstance(x, np.floating),
    "isinstance np.float64": lambda x: isinstance(x, np.float64),
    "__class__": lambda x: x.__class__,
    "hasattr shape": lambda x: hasattr(x, "shape"),
    "hasattr dtype": lambda x: hasattr(x, "dtype"),
}
ARGUMENTS: dict[str, Any] = {
    "float": 2.0,
    "float64": np.float64(2.0),
    "float32": np.float32(2.0),
    "vector": np.ones(3),
    "matrix": np.ones((2, 3), np.float32),
    "empty": np.ones(0),
    "no axes": np.array(2.0),
    "no axes, float32": np.array(2.0, np.float32),
}


def answers(x: Any, seen: list[dict[str, Any]]) -> Any:
    checks = CHECKS if type(tg.value(x)) is float else CHECKS | ARRAYS_AND_NUMPY
    seen.append({name: check(x) for name, check in checks.items()})
    return np.sum(x * x)


def transforms(seen: list[dict[str, Any]]) -> dict[str, Callable[[Any], Any]]:
    def f(x: Any) -> Any:
        return answers(x, seen)

    return {
        "grad": tg.grad(f),
        "jacobian": tg.jacobian(f),
        "hessian": tg.hessian(f),
        "jvp": lambda x: tg.jvp(f, (x,), (x,)),
        "vjp": lambda x: tg.vjp(f, x),
        "checkpoint": tg.checkpoint(f),
        "compile": tg.compile(f),
        "compiled grad": tg.compile(tg.grad(f)),
        "vmap": lambda x: tg.vmap(f)(np.stack([x, x])),
        "Variable": lambda x: f(tg.Variable(x)),
    }


@pytest.mark.parametrize("argument", ARGUMENTS)
@pytest.mark.parametrize("transform", transforms([]))
def test_types_are_those_of_plain_code(transform: str, argument: str) -> None:
    x = ARGUMENTS[argument]
    plain: list[dict[str, Any]] = []
    answers(np.stack([x, x])[0] if transform == "vmap" else x, plain)
    seen: list[dict[str, Any]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # len() of a compiled argument
        transforms(seen)[transform](x)
    assert seen
    common = seen[0].keys() & plain[0].keys()
    assert len(common) >= len(CHECKS)
    assert {k: seen[0][k] for k in common} == {k: plain[0][k] for k in common}


@pytest.mark.parametrize("make", [tg.grad, lambda f: tg.compile(tg.grad(f))])
def test_branches_on_types(make: Callable[[Any], Any]) -> None:
    def f(x: Any) -> Any:
        if np.isscalar(x) or not isinstance(x, np.ndarray):
            return x**2
        if isinstance(x[0], float) and hasattr(x, "__len__"):
            return np.sum(x**3)
        return 0.0 * np.sum(x)

    gradient = make(f)
    for _ in range(3):
        assert gradient(3.0) == 6.0
        np.testing.assert_array_equal(gradient(np.array([1.0, 2.0])), [3.0, 12.0])


def test_compiled_floats_are_python_floats() -> None:
    def f(x: Any) -> Any:
        return x * 2.0 if isinstance(x, np.generic) else x * 3.0

    compiled = tg.compile(f)
    for _ in range(3):
        assert compiled(1.0) == 3.0
        assert compiled(np.float64(1.0)) == 2.0


def test_intermediate_results() -> None:
    seen: list[Any] = []

    def f(x: Any) -> Any:
        seen.extend([x * 2.0, np.sum(x), x[0], x[:, None], x > 0.0])
        return np.sum(x)

    tg.grad(f)(np.ones(2))
    assert [y.__class__ for y in seen] == [
        np.ndarray, np.float64, np.float64, np.ndarray, np.ndarray,
    ]  # fmt: skip


def test_variables_are_still_told_apart() -> None:
    for v in (tg.Variable(2.0), tg.Variable(np.ones(2))):
        assert isinstance(v, tg.Variable)
        assert type(v) is tg.Variable
        for again in (copy.copy(v), copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
            assert type(again) is tg.Variable
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert type(pickle.loads(pickle.dumps(v, protocol))) is tg.Variable


def test_a_class_of_the_users() -> None:
    class Parameter(tg.Variable):
        pass

    p = Parameter(np.ones(3))
    assert p.__class__ is Parameter
    assert isinstance(p, Parameter)
    assert not isinstance(tg.Variable(1.0), Parameter)
    assert len(p) == 3
    assert len(list(p)) == 3
    with pytest.raises(TypeError, match="it is a scalar"):
        len(Parameter(1.0))


@pytest.mark.parametrize(
    "lose",
    [
        lambda v: json.dumps({"loss": v}),
        lambda v: json.dumps({"loss": v}, indent=1),
        lambda v: np.ndarray.sum(v),
        lambda v: float.hex(v),
        lambda v: v.is_integer(),
        lambda v: np.asarray([v, v], dtype=float),
    ],
)
def test_what_needs_the_type_itself_is_loud(lose: Callable[[Any], Any]) -> None:
    for x in (2.0, np.ones(2)):
        with pytest.raises((TypeError, AttributeError, ValueError)):
            tg.grad(lambda v: np.sum(v) + lose(v) * 0)(x)


def helper(x: Any) -> Any:
    if type(x) is np.ndarray:
        return np.sum(x**2)
    return x


def asks_in_a_helper(x: Any) -> Any:
    return helper(x)


def asks_for_many(x: Any) -> Any:
    if type(x) in (float, np.float64):
        return x**2
    return np.sum(x)


def asks_for_a_name(x: Any) -> Any:
    return x if type(x).__name__ == "ndarray" else x**2


def asks_for_a_subclass(x: Any) -> Any:
    return x if issubclass(type(x), float) else x**2


def asks_for_something_else(x: Any) -> Any:
    if type(x) is dict:
        return x["w"]
    return float(2) * x


def asserts(x: Any) -> Any:
    assert type(x) is not float
    return x


def warned(transform: Callable[[Any], Any], f: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        transform(f)
    return [str(w.message) for w in found]


def test_types_that_no_variable_has_are_named() -> None:
    for f, transform, name in (
        (asks_in_a_helper, tg.grad, "ndarray"),
        (asks_for_many, tg.vmap, "float"),
        (asks_for_a_name, tg.compile, "ndarray"),
        (functools.partial(asks_for_a_subclass), tg.hessian, "float"),
    ):
        (message,) = warned(transform, f)
        assert f"compares type(...) with {name}" in message
        assert "isinstance(x, float)" in message
        assert f"{__file__}:" in message
        assert warned(transform, f) == []  # once
    assert warned(tg.grad, asks_for_something_else) == []
    assert warned(tg.grad, asserts) == []


def test_objects_that_refuse_to_be_looked_at() -> None:
    class Refusing:
        def __getattr__(self, name: str) -> Any:
            raise KeyError(name)

        def __call__(self, x: Any) -> Any:
            return x**2

    assert tg.vjp(Refusing().__call__, 3.0)[1](1.0) == (6.0,)
