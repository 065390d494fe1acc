"""Functions of elements have PyTorch's values, dtypes, and first and second derivatives."""

import numpy as np
import pytest
from torch_agreement import (
    agree,
    needs_torch,
    numbers,
    ours,
    value_and_gradient,
    value_and_gradients,
)

X, POSITIVE, UNIT = (
    numbers(3, 4),
    numbers(3, 4, low=0.3, high=3.0),
    numbers(3, 4, low=-0.9, high=0.9),
)
KINKS = np.array([-1.0, 0.0, 1.0, 2.0, -0.0, 0.5])

UNARY = {
    "sin cos tan sinh cosh tanh asinh atan exp exp2 expm1 sigmoid erf erfc neg abs square "
    "sign floor ceil trunc frac round relu deg2rad rad2deg": X,
    "log log2 log10 log1p sqrt rsqrt reciprocal lgamma digamma": POSITIVE,
    "asin acos atanh logit_of": UNIT,
    "acosh_of": POSITIVE,
    "relu abs sign floor neg": KINKS,
}
ROWS = [(name, x) for names, x in UNARY.items() for name in names.split()]


@needs_torch
@pytest.mark.parametrize(("name", "x"), ROWS, ids=lambda v: v if isinstance(v, str) else "")
def test_unary(name, x):
    def f(torch, x):
        if name == "logit_of":
            return torch.logit(x * 0.4 + 0.5)
        if name == "acosh_of":
            return torch.acosh(x + 1.0)
        return getattr(torch, name)(x)

    # PyTorch's trigamma is right to 5e-10.
    agree(value_and_gradients, f, x, rtol=1e-8 if name in ("lgamma", "digamma") else 1e-10)
    if not name.endswith("_of"):
        agree(lambda torch: getattr(torch.tensor(x), name)())
        agree(lambda torch: getattr(torch.tensor(x), f"{name}_")())


BINARY = {
    "add": lambda t, x, y: x + y,
    "sub": lambda t, x, y: x - y,
    "mul": lambda t, x, y: x * y,
    "div": lambda t, x, y: x / y,
    "alpha": lambda t, x, y: t.add(x, y, alpha=3) - t.sub(x, y, alpha=0.5),
    "pow": lambda t, x, y: x.abs() ** y,
    "number ** x": lambda t, x, y: 2.5**x + y**2 + y**3 + y**0.5,
    "number / x": lambda t, x, y: 1.0 / y - 2 / y + 3 - x,
    "atan2": lambda t, x, y: t.atan2(x, y),
    "hypot": lambda t, x, y: t.hypot(x, y),
    "logaddexp": lambda t, x, y: t.logaddexp(x, y),
    "maximum": lambda t, x, y: t.maximum(x, y),
    "minimum": lambda t, x, y: t.minimum(x, y),
    "max of two": lambda t, x, y: t.max(x, y),
    "remainder": lambda t, x, y: x % y,
    "fmod": lambda t, x, y: t.fmod(x, y),
    "floor_divide": lambda t, x, y: (x // y).detach(),
    "trunc": lambda t, x, y: t.div(x, y, rounding_mode="trunc").detach(),
    "xlogy": lambda t, x, y: t.xlogy(x, y),
    "lerp": lambda t, x, y: t.lerp(x, y, 0.3),
    "addcmul": lambda t, x, y: t.addcmul(x, y, y, value=0.5),
    "addcdiv": lambda t, x, y: t.addcdiv(x, x, y, value=0.5),
    "where": lambda t, x, y: t.where(x > 0, x, y),
    "where number": lambda t, x, y: t.where(x > 0, x, 0.0) + t.where(y > 1, 1, y),
    "clamp": lambda t, x, y: x.clamp(-1, 1) + y.clamp(min=1) + y.clamp(max=2.0),
    "clamp by tensors": lambda t, x, y: x.clamp(min=-y, max=y),
    "compare": lambda t, x, y: (x > y, x <= y, x == y, x != 0, (x > 0) & (y > 1), ~(x < 0)),
    "same twice": lambda t, x, y: x * x + y / y,
}


@needs_torch
@pytest.mark.parametrize("name", BINARY)
def test_binary(name):
    y = numbers(4, seed=1, low=0.5, high=2.5)
    agree(value_and_gradients, BINARY[name], X, y)
    agree(value_and_gradients, BINARY[name], X[0, 0], y)


@needs_torch
def test_ties_share_the_gradient():
    same = np.array([1.0, 2.0, 3.0])
    agree(value_and_gradients, lambda t, x, y: t.maximum(x, y), same, same.copy())
    agree(value_and_gradients, lambda t, x: x.clamp(-1, 1), KINKS)


KINDS = ["bool", "uint8", "int8", "int32", "int64", "float32", "float64"]


@needs_torch
@pytest.mark.parametrize("a", KINDS)
@pytest.mark.parametrize("b", KINDS)
def test_promotion(a, b):
    def program(torch):
        x, y = (torch.ones(2, dtype=getattr(torch, k)) for k in (a, b))
        zero = torch.ones((), dtype=getattr(torch, b))
        return [
            x + y,
            x * zero,
            zero * x,
            x / y,
            x > y,
            torch.result_type(x, zero) == (x * zero).dtype,
        ]

    agree(program)


@needs_torch
@pytest.mark.parametrize("a", KINDS)
def test_promotion_with_numbers(a):
    def program(torch):
        x = torch.ones(3, dtype=getattr(torch, a))
        parts = [x + 1, x * 2.5, 3 * x, x / 2, x + True, x.sum(), x.prod(), x.cumsum(0)]
        if a != "bool":
            parts += [x - 1, -x, x**2, x // 2, x % 2, x.abs()]
        return [*parts, x.sin(), x.sqrt(), x.exp(), torch.sigmoid(x)]

    agree(program)


def test_float32_is_the_default():
    x = ours.tensor([1.0, 2.0])
    assert x.dtype == ours.float32
    assert (x * 2.0).dtype == (x / 3).dtype == ours.sin(ours.arange(3)).dtype == ours.float32
    assert (x * ours.tensor(2.0, dtype=ours.float64)).dtype == ours.float32
    assert ours.tensor([1, 2]).dtype == ours.int64
    assert str(ours.float64) == "torch.float64"


def test_values_that_are_known():
    x = ours.tensor([0.0, 1.0], requires_grad=True)
    (x.sigmoid() * x.relu()).sum().backward()
    e = np.exp(-1.0)
    s = 1 / (1 + e)
    np.testing.assert_allclose(x.grad.numpy(), [0.0, s + s * (1 - s)], rtol=1e-6)
    with pytest.raises(RuntimeError, match="lengths 2 and 3 of dimension 0"):
        ours.ones(2) + ours.ones(3)


@needs_torch
def test_a_bound_hides_what_is_infinite_there():
    edge = np.array([-1.0, 2.0])
    agree(value_and_gradient, lambda t, x: x.clamp(min=0).pow(0.5), edge)
    agree(value_and_gradient, lambda t, x: t.relu(x).sqrt() + x.clamp(0, 1).sqrt(), edge)
