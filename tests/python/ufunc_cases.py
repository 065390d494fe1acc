"""The table of elementwise functions: where each is smooth, argument by argument."""

from dataclasses import dataclass

import numpy as np

ANY, POSITIVE, UNIT, ABOVE_ONE = (-2.0, 2.0), (0.3, 2.5), (-0.9, 0.9), (1.2, 3.0)


@dataclass(frozen=True)
class Elementwise:
    """A ufunc; `ranges` has an interval for each argument, inside which it is smooth."""

    name: str
    ranges: tuple[tuple[float, float], ...]
    op: str = ""  # where the op has another name
    data: tuple[int, ...] = ()  # arguments that are never differentiated

    @property
    def f(self):
        return getattr(np, self.name)

    @property
    def op_name(self):
        return self.op or self.name

    def draw(self, rng, *shapes):
        """One array for each argument, of the shapes given (the last one repeats)."""
        shapes = shapes + shapes[-1:] * len(self.ranges)
        return tuple(rng.uniform(*r, s) for r, s in zip(self.ranges, shapes, strict=False))


def unary(interval, *names):
    return [Elementwise(name, (interval,)) for name in names]


def binary(first, second, *names):
    return [Elementwise(name, (first, second)) for name in names]


# fmt: off
SMOOTH = [
    *unary(ANY, "negative", "positive", "conjugate", "square", "degrees", "radians", "exp", "exp2",
           "expm1", "sin", "cos", "arctan", "sinh", "cosh", "tanh", "arcsinh"),
    *unary((0.2, 2.0), "absolute", "fabs", "sign", "cbrt", "reciprocal"),
    *unary((-2.0, -0.2), "absolute", "fabs", "sign", "cbrt", "reciprocal"),
    *unary(POSITIVE, "sqrt", "log", "log2", "log10"),
    *unary((-0.7, 2.0), "log1p"),
    *unary(UNIT, "tan", "arcsin", "arccos", "arctanh"),
    *unary(ABOVE_ONE, "arccosh"),
    *unary((1.1, 1.4), "floor", "ceil", "trunc", "rint", "spacing"),
    *unary((-1.4, -1.1), "floor", "ceil", "trunc", "rint"),
    Elementwise("deg2rad", (ANY,), "radians"), Elementwise("rad2deg", (ANY,), "degrees"),
    *binary(ANY, ANY, "add", "subtract", "multiply", "logaddexp", "logaddexp2"),
    *binary(ANY, (0.5, 2.0), "divide"), *binary(ANY, (-2.0, -0.5), "divide"),
    *binary(POSITIVE, ANY, "power"), *binary((0.2, 2.0), (-2.0, -0.2), "arctan2"),
    *binary((-2.0, -0.2), (-2.0, -0.2), "arctan2"),
    Elementwise("float_power", (POSITIVE, ANY), "power"),
    *binary((0.2, 2.0), (-2.0, -0.2), "hypot", "copysign", "heaviside"),
    *binary((0.1, 1.0), (1.1, 2.0), "maximum", "minimum", "fmax", "fmin"),
    *binary((1.1, 2.0), (0.1, 1.0), "maximum", "minimum", "fmax", "fmin"),
    *binary((2.3, 2.7), (1.0, 1.1), "floor_divide", "remainder", "fmod"),
    *binary((-2.7, -2.3), (1.0, 1.1), "floor_divide", "remainder", "fmod"),
    *binary((2.3, 2.7), (-1.1, -1.0), "floor_divide", "remainder", "fmod"),
    *binary(ANY, ANY, "nextafter"),
]
# fmt: on

PREDICATES_1 = ("isnan", "isinf", "isfinite", "signbit", "logical_not")
PREDICATES_2 = (
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
    "logical_and", "logical_or", "logical_xor",
)  # fmt: skip

# Ops whose rows are not functions of float arrays alone.
SEVERAL = {"where", "clip", "ldexp", "modf_frac", "frexp_mantissa", "frexp_exponent"}
