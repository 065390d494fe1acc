"""What NumPy refuses as an argument is refused beside a Variable too, in words of its own."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.testing import overrides

import tapegrad as tg

V = np.array([1.0, 2.0, 3.0])
M = np.array([[2.0, 0.5, 0.1], [0.5, 3.0, 0.2], [0.1, 0.2, 4.0]])
PLACES = np.array([0, 2])
MASK = np.array([True, False, True])
# Arguments of which one tuple suits each function; those of floats become Variables.
USUAL: list[tuple[Any, ...]] = [
    (V,), (M,), (V, V), (M, M), (M, V), (V, PLACES), (V, 2), (M, 2), (V, V, V), (MASK, V),
    (V, 2, 2), ([V, V],), (V, MASK, V),
]  # fmt: skip
WRONG: list[Any] = [
    "zz", 99, 1.5, None, (0, 0), (0, 1), {"a": 1}, np.float32, np.array([-1.0, -1.0, -1.0]), "C",
]  # fmt: skip

# Parameters that say nothing of the result, or where less is asked for than NumPy asks.
LAX = {
    "out", "like", "device", "max_work", "subok", "overwrite_input", "a_min", "a_max",
}  # fmt: skip
# What is taken beyond NumPy, and gives what it says: None for an axis, arrays where numbers are.
BEYOND = {
    ("cross", "axisa"), ("cross", "axisb"), ("cross", "axisc"), ("cross", "axis"),
    ("vecdot", "axis"), ("squeeze", "axis"), ("vector_norm", "axis"), ("interp", "left"),
    ("interp", "right"), ("interp", "period"), ("unwrap", "period"),
    ("nanvar", "mean"), ("nanstd", "mean"), ("nan_to_num", "copy"),
}  # fmt: skip
INTERNAL = re.compile(
    r"incompatible function|NoneType|has no attribute|internal error|subscriptable|tuple index|"
    r"cannot unpack|not enough values|too many values|_core\."
)


def variables(x: Any) -> Any:
    if isinstance(x, list):
        return [variables(y) for y in x]
    return tg.Variable(x) if isinstance(x, np.ndarray) and x.dtype == float else x


def outcome(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The exception of a call, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            f(*args, **kwargs)
    except Exception as error:
        return error
    return None


def cases() -> Iterator[tuple[Callable[..., Any], tuple[Any, ...], str]]:
    functions = overrides.get_overridable_numpy_array_functions()
    for f in sorted(functions, key=lambda f: (f.__module__, f.__name__)):
        try:
            parameters = inspect.signature(f).parameters
        except ValueError:
            continue
        for args in USUAL:
            copies = [np.copy(x) if isinstance(x, np.ndarray) else x for x in args]
            of_variables = tuple(variables(x) for x in args)
            if outcome(f, tuple(copies), {}) is None and outcome(f, of_variables, {}) is None:
                break
        else:
            continue
        for name, p in list(parameters.items())[len(args) :]:
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and name not in LAX:
                yield f, args, name


CASES = list(cases())
IDS = [f"{f.__module__}.{f.__name__}-{name}" for f, _, name in CASES]


def test_there_are_cases() -> None:
    assert len(CASES) > 300


@pytest.mark.parametrize(("f", "args", "name"), CASES, ids=IDS)
def test_what_numpy_refuses(f: Callable[..., Any], args: tuple[Any, ...], name: str) -> None:
    for wrong in WRONG:
        copies = tuple(np.copy(x) if isinstance(x, np.ndarray) else x for x in args)
        expected = outcome(f, copies, {name: wrong})
        error = outcome(f, tuple(variables(x) for x in args), {name: wrong})
        if expected is not None and (f.__name__, name) not in BEYOND:
            assert error is not None, f"{name}={wrong!r} is refused by NumPy: {expected}"
        if error is not None and str(error) != str(expected):
            assert isinstance(error, (TypeError, ValueError, IndexError, RuntimeError)), error
            assert not INTERNAL.search(str(error)), f"{name}={wrong!r}: {error}"


# One call for each complaint of the package's own.
SAYS: list[tuple[Callable[[Any, Any], Any], str]] = [
    (lambda v, m: np.ldexp(v, 1.5), r"ldexp: the exponent must hold integers.* dtype float64"),
    (lambda v, m: np.ldexp(v[0], v[1]), r"ldexp: the exponent must hold integers"),
    (lambda v, m: np.sum(v, where=None), r"where= of a reduction must be a mask"),
    (lambda v, m: np.mean(v, where=V), r"where= of a reduction must be a mask.* float64"),
    (lambda v, m: np.sum(v, initial=V), r"initial= of a reduction is one number.* \(3,\)"),
    (lambda v, m: np.max(v, keepdims="yes"), r"keepdims= is True or False, not 'yes'"),
    (lambda v, m: np.reshape(v, "a"), r"np\.reshape: shape must be an integer, not 'a'"),
    (lambda v, m: np.round(v, 1.5), r"np\.round: decimals must be an integer, not 1\.5"),
    (lambda v, m: np.tril(m, "a"), r"np\.tril: k must be an integer, not 'a'"),
    (lambda v, m: np.roll(v, 1.5), r"np\.roll: shift must be an integer, not 1\.5"),
    (lambda v, m: np.split(v, 1.5), r"np\.split: the number of sections must be an integer"),
    (lambda v, m: np.polyval(3.0, v), r"np\.polyval: p is a vector of coefficients, not 3\.0"),
    (lambda v, m: np.fft.fft(v, axis=3), r"np\.fft: axis 3 is out of bounds"),
    (lambda v, m: np.fft.fft2(v), r"np\.fft: axis -2 is out of bounds"),
    (lambda v, m: np.einsum(m), r"np\.einsum: needs subscripts and an array"),
    (
        lambda v, m: np.concatenate([v, np.float32([1.0])], casting="no"),
        r"np\.concatenate: cannot cast from float32 to float64 according to the rule 'no'",
    ),
    (lambda v, m: np.stack([v, v], casting="zz"), r"casting must be one of"),
    (
        lambda v, m: v.astype(np.float32, casting="safe"),
        r"v\.astype: cannot cast from float64 to float32 according to the rule 'safe'",
    ),
    (
        lambda v, m: tg.Variable(V + 1j).astype(np.complex64, casting="no"),
        r"z\.astype: cannot cast from complex128 to complex64",
    ),
    (lambda v, m: m.astype(float, order="Z"), r"order"),
    (lambda v, m: np.zeros_like(v, order="zz"), r"order must be one of"),
    (lambda v, m: np.histogram_bin_edges(v, weights=[1.0]), r"weights= of shape \(1,\)"),
]


@pytest.mark.parametrize(("call", "says"), SAYS, ids=[says for _, says in SAYS])
def test_what_is_said(call: Callable[[Any, Any], Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        call(tg.Variable(V), tg.Variable(M))


def test_a_share_of_one_or_more_leaves_nothing_out() -> None:
    # LAPACK takes it for the precision of the numbers.
    expected = np.linalg.lstsq(M, V, rcond=1.5)
    found = np.linalg.lstsq(tg.Variable(M), V, rcond=1.5)
    np.testing.assert_allclose(tg.value(found[0]), expected[0], rtol=1e-12)


def test_missing_options_of_transforms() -> None:
    def f(x: Any) -> Any:
        return np.sum(x**2)

    for transform in (tg.grad, tg.value_and_grad, tg.jacobian, tg.hessian, tg.elementwise_grad):
        with pytest.raises(ValueError, match=r"argnum=\(\) names no argument"):
            transform(f, ())(V)
        with pytest.raises(TypeError, match=r"argnum is a dict"):
            transform(f, {})(V)
    with pytest.raises(TypeError, match=r"jvp\(f\): tangents is a tuple of length 0"):
        tg.jvp(f, (V,), ())
    with pytest.raises(ValueError, match=r"out_axes=4 for the result, which has 2 axes"):
        tg.vmap(lambda x: x, out_axes=4)(M)


# Calls of the package's own functions, and what they say.
OWN: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: tg.gard, AttributeError, "'tapegrad' has no attribute 'gard'; did you mean grad"),
    (lambda: tg.compile(np.sum, passes="zz"), TypeError, "passes='zz' is no dict"),
    (lambda: tg.testing.check_grads(3, (1.0,)), TypeError, "check_grads: int 3 is not a function"),
    (lambda: tg.testing.check_grads(np.sin, 1.0, order="a"), ValueError, "order='a'"),
    (lambda: tg.custom_vjp(3), TypeError, r"custom_vjp: int 3 .* tg\.custom_vjp\(f\)"),
    (lambda: tg.custom_jvp(3), TypeError, r"custom_jvp: int 3 .* tg\.custom_jvp\(f\)"),
    (lambda: tg.notrace_primitive(3), TypeError, r"notrace_primitive: int 3"),
]


@pytest.mark.parametrize(("call", "error", "says"), OWN, ids=[says for *_, says in OWN])
def test_what_own_functions_say(call: Callable[[], Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize("f", [np.sum, np.prod, np.max, np.min, np.mean, np.std, np.any])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 3), (2, 1), (1, 1), (3, 2), (4, 3)])
def test_a_mask_makes_no_more_elements(f, shape):
    more = {"initial": 2.0} if f in (np.max, np.min) else {}
    mask = np.array([[True, False, True], [True, True, False]])
    for values in (np.ones(shape), tg.Variable(np.ones(shape))):
        with pytest.raises(ValueError, match=r"broadcast|more dimensions|remapping"):
            f(values, where=mask, **more)
    whole = tg.Variable(np.full((2, 3), 3.0))
    for part in (mask, mask[0], mask[:, :1], True):
        found = f(whole, where=part, **more)
        np.testing.assert_allclose(tg.value(found), f(np.full((2, 3), 3.0), where=part, **more))
