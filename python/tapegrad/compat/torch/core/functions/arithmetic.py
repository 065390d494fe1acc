"""Functions of two operands or more, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable
from tapegrad.compat.torch.core import dtypes
from tapegrad.compat.torch.core.call import call, is_tensor, new, operand, recorded_result
from tapegrad.compat.torch.core.graph import CHOICE, INPUTS, NOTHING, OTHERS
from tapegrad.compat.torch.core.operands import broadcast_complaint, floats, meet, same_kind
from tapegrad.compat.torch.core.registry import public, register


def binary(name: str, f: Any, a: Any, b: Any, saves: int = OTHERS) -> Any:
    """`f` of two operands that broadcast, brought to one dtype by PyTorch's rules."""
    x, y = operand(a), operand(b)
    try:
        x, y = same_kind(x, y)
        if type(x) is Variable or type(y) is Variable:
            return recorded_result(name, f(x, y), (a, b), saves)
        with np.errstate(all="ignore"):
            return new(f(x, y))
    except ValueError:
        broadcast_complaint(name, x, y)
        raise


def _true_divide(x: Any, y: Any) -> Any:
    if getattr(x, "dtype", None) is not None and x.dtype.kind != "f":
        x = floats(x)
    if getattr(y, "dtype", None) is not None and y.dtype.kind != "f":
        y = floats(y)
    return x / y


@public(in_place=True)
def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """`input + alpha * other`."""
    if alpha == 1:
        return binary(
            "Add", np.logical_or if _both_bool(input, other) else _plus, input, other, NOTHING
        )
    return binary("Add", lambda x, y: x + alpha * y, input, other, NOTHING)


def _plus(x: Any, y: Any) -> Any:
    return x + y


def _both_bool(a: Any, b: Any) -> bool:
    return all(type(x) is bool or (is_tensor(x) and x._v.dtype.kind == "b") for x in (a, b))


@public(in_place=True)
def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """`input - alpha * other`."""
    if _both_bool(input, other):
        raise RuntimeError(
            "subtract (-): of two bool tensors there is no difference; write "
            "torch.logical_xor(a, b)"
        )
    if alpha == 1:
        return binary("Sub", lambda x, y: x - y, input, other, NOTHING)
    return binary("Sub", lambda x, y: x - alpha * y, input, other, NOTHING)


register("subtract", sub, in_place=True)


@public("mul", "multiply", in_place=True)
def mul(input: Any, other: Any) -> Any:
    """The product of elements."""
    return binary("Mul", lambda x, y: x * y, input, other)


@public("div", "divide", "true_divide", in_place=True)
def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """The quotient, rounded by `rounding_mode` ('trunc' or 'floor') where it is given."""
    if rounding_mode is None:
        return binary("Div", _true_divide, input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    return binary("Div", _truncated, input, other, NOTHING)


def _truncated(x: Any, y: Any) -> Any:
    kind = meet([x, y])[0].dtype
    return np.trunc(np.asarray(_core.value(x)) / np.asarray(_core.value(y))).astype(kind)


@public(in_place=True)
def floor_divide(input: Any, other: Any) -> Any:
    """The quotient, rounded down."""
    return binary("FloorDivide", np.floor_divide, input, other, NOTHING)


@public(in_place=True)
def remainder(input: Any, other: Any) -> Any:
    """What is left over, with the divisor's sign."""
    return binary("Remainder", np.remainder, input, other)


@public(in_place=True)
def fmod(input: Any, other: Any) -> Any:
    """What is left over, with the dividend's sign."""
    return binary("Fmod", np.fmod, input, other)


@public(in_place=True)
def pow(input: Any, exponent: Any) -> Any:
    """`input ** exponent`."""
    return binary("Pow", _power, input, exponent, INPUTS)


def _power(x: Any, y: Any) -> Any:
    return x**y


register("float_power", lambda input, exponent: pow(input.double(), exponent))


@public(in_place=True)
def atan2(input: Any, other: Any) -> Any:
    """The angle of the point (other, input)."""
    return binary("Atan2", lambda x, y: np.arctan2(floats(x), floats(y)), input, other, INPUTS)


register("arctan2", atan2)


@public(in_place=True)
def hypot(input: Any, other: Any) -> Any:
    """The length of the hypotenuse."""
    return binary("Hypot", np.hypot, input, other, INPUTS)


@public()
def logaddexp(input: Any, other: Any) -> Any:
    """`log(exp(input) + exp(other))`."""
    return binary("Logaddexp", np.logaddexp, input, other, INPUTS)


def _xlogy(x: Any, y: Any) -> Any:
    return _core.apply("xlogy", tuple(meet([floats(x), floats(y)])))


@public(in_place=True)
def xlogy(input: Any, other: Any) -> Any:
    """`input * log(other)`, 0 where `input` is 0."""
    return binary("Xlogy", _xlogy, input, other, INPUTS)


def maximum_of(input: Any, other: Any) -> Any:
    """The larger of two, element by element."""
    return binary("Maximum", np.maximum, input, other, INPUTS)


def minimum_of(input: Any, other: Any) -> Any:
    """The smaller of two, element by element."""
    return binary("Minimum", np.minimum, input, other, INPUTS)


register("maximum", maximum_of)
register("minimum", minimum_of)
register("fmax", lambda input, other: binary("Fmax", np.fmax, input, other, INPUTS))
register("fmin", lambda input, other: binary("Fmin", np.fmin, input, other, INPUTS))


def _compared(name: str, f: Any, *names: str) -> None:
    def function(input: Any, other: Any) -> Any:
        return binary(name, f, input, other, NOTHING)

    function.__name__ = name
    function.__doc__ = f"`{name}` of each pair of elements."
    for n in (name, *names):
        register(n, function, in_place=name.startswith(("bitwise", "logical")))


for _name, _f in (
    ("eq", np.equal),
    ("ne", np.not_equal),
    ("lt", np.less),
    ("le", np.less_equal),
    ("gt", np.greater),
    ("ge", np.greater_equal),
    ("logical_and", np.logical_and),
    ("logical_or", np.logical_or),
    ("logical_xor", np.logical_xor),
    ("bitwise_and", np.bitwise_and),
    ("bitwise_or", np.bitwise_or),
    ("bitwise_xor", np.bitwise_xor),
):
    _long = {"ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
             "ge": "greater_equal"}.get(_name)  # fmt: skip
    _compared(_name, _f, *([_long] if _long else []))


@public("clamp", "clip", in_place=True)
def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """Each element, moved into the range; a bound counts as inside."""
    if min is None and max is None:
        raise RuntimeError(
            "clamp: neither min nor max is given; torch.clamp(x, min=0.0) has one bound"
        )
    bounds = [b for b in (min, max) if b is not None]

    def compute(x: Any, *given: Any) -> Any:
        # A choice, not a product with 0 or 1: an infinite derivative behind it is not seen inside.
        if min is not None:
            x = np.where(x < given[0], given[0], x)
        return x if max is None else np.where(x > given[-1], given[-1], x)

    if any(is_tensor(b) for b in bounds):
        return call("Clamp", lambda x, *b: compute(*meet([x, *b])), input, *bounds)
    numbers = [operand(b) for b in bounds]

    def clipped(x: Any) -> Any:
        if x.dtype.kind != "f" and any(type(b) is float for b in numbers):
            x = floats(x)
        return compute(x, *numbers)

    return call("Clamp", clipped, input)


@public(in_place=True)
def clamp_min(input: Any, min: Any) -> Any:
    """Each element, at least `min`."""
    return clamp(input, min)


@public(in_place=True)
def clamp_max(input: Any, max: Any) -> Any:
    """Each element, at most `max`."""
    return clamp(input, None, max)


@public(in_place=True)
def lerp(input: Any, end: Any, weight: Any) -> Any:
    """`input + weight * (end - input)`."""
    if is_tensor(weight):
        return call("Lerp", lambda x, y, w: x + w * (y - x), input, end, weight)
    return call("Lerp", lambda x, y: x + weight * (y - x), input, end, saves=NOTHING)


@public(in_place=True)
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """`input + value * tensor1 * tensor2`."""
    return call("Addcmul", lambda x, a, b: x + value * (a * b), input, tensor1, tensor2)


@public(in_place=True)
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """`input + value * tensor1 / tensor2`."""
    return call("Addcdiv", lambda x, a, b: x + value * (a / b), input, tensor1, tensor2)


@public(in_place=True)
def nan_to_num(input: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Numbers in place of NaN and infinities."""
    return call(
        "NanToNum", lambda x: np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf), input
    )


@public()
def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """`input` where the condition holds, else `other`; with the condition alone, its indices."""
    if input is None:
        return condition.nonzero(as_tuple=True)
    mask = operand(condition)

    def compute(m: Any, x: Any, y: Any) -> Any:
        x, y = meet([x, y])
        return np.where(m, x, y)

    kinds = [type(operand(v)) for v in (input, other)]
    if all(kind in (bool, int, float) for kind in kinds):
        kind = dtypes.result_numpy([], [], kinds)
        return call("Where", lambda m: np.where(m, input, other).astype(kind), mask)
    return call("Where", compute, condition, input, other, saves=CHOICE)
