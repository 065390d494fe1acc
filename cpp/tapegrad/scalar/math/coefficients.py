"""Generate ``vector_math_coefficients.h``: minimax polynomials for the vector math.

Run ``python coefficients.py | clang-format > vector_math_coefficients.h`` (needs mpmath). Each
polynomial comes from the Remez exchange algorithm (E. Remez, 1934) on a weighted error. Its degree
is the least that meets the target. The coefficients are rounded one at a time, lowest order first,
with the others fitted again after each rounding, and the best of these candidates is kept.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from mpmath import (
    asin,
    atan,
    cos,
    exp,
    expm1,
    fabs,
    log,
    lu_solve,
    matrix,
    mp,
    mpf,
    pi,
    polyval,
    sin,
    sqrt,
    tan,
)

mp.dps = 50

Function = Callable[[mpf], mpf]


@dataclass(frozen=True)
class Polynomial:
    """What to approximate: ``weight(x) * (function(x) - p(x))`` small over ``[low, high]``."""

    name: str
    function: Function
    weight: Function
    low: mpf
    high: mpf
    comment: str
    error_bits: int | None = None  # where it is not the target's
    formats: tuple[int, ...] = (53, 24)


@dataclass(frozen=True)
class Target:
    """A number format: significand bits, and the weighted error (as a power of two) asked for."""

    cpp_type: str
    bits: int
    error_bits: int


TARGETS = (Target("double", 53, 56), Target("float", 24, 27))


def round_to(value: mpf, bits: int) -> mpf:
    """Round to ``bits`` significant bits."""
    mantissa, exponent = mp.frexp(value)
    return mp.ldexp(mp.nint(mp.ldexp(mantissa, bits)), exponent - bits)


def fit(
    function: Function, weight: Function, low: mpf, high: mpf, fixed: list[mpf], count: int
) -> tuple[list[mpf], mpf]:
    """All coefficients, ``count`` fitted above the ``fixed`` ones, and the largest error."""
    first = len(fixed)

    def rest(x: mpf) -> mpf:
        return function(x) - polyval(fixed[::-1], x) if fixed else function(x)

    grid_size = 40 * (count + 2)
    # Chebyshev-spaced grid, kept off the end points, where the functions may be 0/0.
    grid = [
        (low + high) / 2 - (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * grid_size))
        for i in range(grid_size)
    ]
    values = [rest(x) for x in grid]
    weights = [weight(x) for x in grid]
    points = [(2 * i + 1) * grid_size // (2 * (count + 1)) for i in range(count + 1)]
    if count == 0:
        return fixed, max(fabs(w * v) for w, v in zip(weights, values, strict=True))
    free: list[mpf] = []
    largest = mpf(0)
    for _ in range(30):
        system = matrix(count + 1, count + 1)
        right = matrix(count + 1, 1)
        for row, point in enumerate(points):
            for column in range(count):
                system[row, column] = grid[point] ** (first + column)
            system[row, count] = (-1) ** row / weights[point]
            right[row] = values[point]
        solution = lu_solve(system, right)
        free = [solution[i] for i in range(count)]
        error = [
            w * (v - polyval(free[::-1], x) * x**first)
            for w, v, x in zip(weights, values, grid, strict=True)
        ]
        largest = max(fabs(value) for value in error)
        if largest <= fabs(solution[count]) * mpf("1.001"):
            break
        points = alternating_extrema(error, count + 1)
    return fixed + free, largest


def alternating_extrema(error: list[mpf], wanted: int) -> list[int]:
    """Indices of the largest |error| in each run of one sign, trimmed at the ends to ``wanted``."""
    runs: list[int] = []
    for index, value in enumerate(error):
        if runs and (value > 0) == (error[runs[-1]] > 0):
            if fabs(value) > fabs(error[runs[-1]]):
                runs[-1] = index
        else:
            runs.append(index)
    while len(runs) > wanted:
        runs.pop(0 if fabs(error[runs[0]]) < fabs(error[runs[-1]]) else -1)
    if len(runs) < wanted:
        raise ArithmeticError(f"{len(runs)} alternations, {wanted} wanted")
    return runs


def minimax(polynomial: Polynomial, target: Target) -> tuple[list[mpf], mpf]:
    """Coefficients rounded to the target's format, lowest order first, and the final error."""
    spec = (polynomial.function, polynomial.weight, polynomial.low, polynomial.high)
    error_bits = polynomial.error_bits or target.error_bits
    count = 2
    while fit(*spec, [], count)[1] > mpf(2) ** -error_bits:
        count += 1
    plain, _ = fit(*spec, [], count)
    candidates = [[round_to(c, target.bits) for c in plain]]
    fixed: list[mpf] = []
    while len(fixed) < count:
        coefficients, _ = fit(*spec, fixed, count - len(fixed))
        fixed = [round_to(c, target.bits) for c in coefficients[: len(fixed) + 1]]
        rest = [round_to(c, target.bits) for c in coefficients[len(fixed) :]]
        candidates.append(fixed + rest)
    return min(((c, fit(*spec, c, 0)[1]) for c in candidates), key=lambda pair: pair[1])


def polynomials() -> list[Polynomial]:
    """All polynomials of the vector math."""
    half_ln2 = log(2) / 2
    log_limit = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2
    tan_eighth = tan(pi / 8)

    def odd(function: Function) -> Function:
        """(f(x) - x) / x^3 as a function of z = x^2."""
        return lambda z: (function(sqrt(z)) - sqrt(z)) / sqrt(z) ** 3

    def odd_weight(function: Function) -> Function:
        return lambda z: sqrt(z) ** 3 / function(sqrt(z))

    return [
        Polynomial(
            "exp",
            lambda r: (expm1(r) - r) / r**2,
            lambda r: r**2 / fabs(expm1(r)),
            -half_ln2 * mpf("1.001"),
            half_ln2 * mpf("1.001"),
            "(e^r - 1 - r) / r^2, |r| <= ln2/2",
        ),
        Polynomial(
            "exp2",
            lambda r: expm1(r * log(2)) / r,
            lambda r: fabs(r) / exp(r * log(2)),
            mpf("-0.5005"),
            mpf("0.5005"),
            "(2^r - 1) / r, |r| <= 1/2",
        ),
        Polynomial(
            "log",
            lambda z: (log((1 + sqrt(z)) / (1 - sqrt(z))) / sqrt(z) - 2) / z,
            lambda z: z / 2,
            mpf(0),
            log_limit * mpf("1.001"),
            "(log((1+s)/(1-s))/s - 2) / z, z = s^2, |s| <= (sqrt(2)-1) / (sqrt(2)+1)",
        ),
        Polynomial(
            "log_short",
            lambda z: (log((1 + sqrt(z)) / (1 - sqrt(z))) / sqrt(z) - 2) / z,
            lambda z: z / 2,
            mpf(0),
            log_limit * mpf("1.001"),
            "the same with fewer terms, for float results by double arithmetic",
            error_bits=42,
            formats=(53,),
        ),
        Polynomial(
            "exp_short",
            lambda r: (expm1(r) - r) / r**2,
            lambda r: r**2 / exp(r),
            -half_ln2 * mpf("1.001"),
            half_ln2 * mpf("1.001"),
            "as exp, with fewer terms, for float results by double arithmetic",
            error_bits=36,
            formats=(53,),
        ),
        Polynomial(
            "log_tail",
            lambda z: ((log((1 + sqrt(z)) / (1 - sqrt(z))) / sqrt(z) - 2) / z - mpf(2) / 3) / z,
            lambda z: z**2 / 2,
            mpf(0),
            log_limit * mpf("1.001"),
            "as log, without its constant 2/3 and divided by z (for pow)",
            error_bits=67,
            formats=(53,),
        ),
        Polynomial(
            "inverse_cbrt",
            lambda m: m ** (-mpf(1) / 3),
            lambda m: m ** (mpf(1) / 3),
            sqrt(mpf("0.4995")),
            sqrt(mpf("2.001")),
            "m^(-1/3), m in [sqrt(1/2), sqrt(2)]; iterations refine it",
            error_bits=13,
        ),
        Polynomial(
            "sin_half",
            odd(sin),
            odd_weight(sin),
            mpf(0),
            (pi / 2 * mpf("1.001")) ** 2,
            "(sin r - r) / r^3, z = r^2, |r| <= pi/2",
        ),
        Polynomial(
            "sin_quarter",
            odd(sin),
            odd_weight(sin),
            mpf(0),
            (pi / 4 * mpf("1.001")) ** 2,
            "(sin r - r) / r^3, z = r^2, |r| <= pi/4",
        ),
        Polynomial(
            "cos_quarter",
            lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2,
            lambda z: z**2 / cos(sqrt(z)),
            mpf(0),
            (pi / 4 * mpf("1.001")) ** 2,
            "(cos r - 1 + r^2/2) / r^4, z = r^2, |r| <= pi/4",
        ),
        Polynomial(
            "asin",
            odd(asin),
            odd_weight(asin),
            mpf(0),
            mpf("0.2501"),
            "(asin x - x) / x^3, z = x^2, |x| <= 1/2",
        ),
        Polynomial(
            "atan",
            odd(atan),
            odd_weight(atan),
            mpf(0),
            tan_eighth**2 * mpf("1.001"),
            "(atan x - x) / x^3, z = x^2, |x| <= tan(pi/8)",
        ),
    ]


def literal(value: mpf, target: Target) -> str:
    """A hexadecimal floating literal of the value rounded to the target's format."""
    digits, exponent = float(round_to(value, target.bits)).hex().split("p")
    suffix = "f" if target.cpp_type == "float" else ""
    return f"{digits.rstrip('0').rstrip('.')}p{exponent}{suffix}"


def split(value: mpf, bits: tuple[int, ...]) -> list[mpf]:
    """The value as a sum of numbers of the given precisions, largest first."""
    parts = []
    for part_bits in bits:
        parts.append(round_to(value, part_bits))
        value -= parts[-1]
    return parts


def constants(target: Target) -> list[tuple[str, mpf]]:
    """Constants in one to three parts; products of short parts with integers are exact."""
    bits = target.bits
    short = bits - (13 if bits == 53 else 9)
    middle = bits - (22 if bits == 53 else 13)
    rows = [("log2_e", 1 / log(2)), ("inverse_pi", 1 / pi), ("inverse_half_pi", 2 / pi)]
    splits = {
        "ln2": (log(2), (short, bits)),
        "log10_2": (log(2) / log(10), (short, bits)),
        "inverse_ln2": (1 / log(2), (bits, bits)),
        "inverse_ln10": (1 / log(10), (bits, bits)),
        "pi": (pi, (bits, middle, bits)),
        "half_pi": (pi / 2, (bits, middle, bits)),
        "three_quarter_pi": (3 * pi / 4, (bits, bits)),
        "two_thirds": (mpf(2) / 3, (bits, bits)),
    }
    for name, (value, part_bits) in splits.items():
        for part, number in enumerate(split(value, part_bits), 1):
            rows.append((f"{name}_{part}", number))
    return rows


def main() -> None:
    """Write the header to standard output."""
    out = sys.stdout
    out.write("// Generated by coefficients.py; do not edit.\n#pragma once\n\n")
    out.write("namespace tapegrad::vm {\n\ntemplate <class T>\nstruct Coefficients;\n")
    for target in TARGETS:
        out.write(f"\ntemplate <>\nstruct Coefficients<{target.cpp_type}> {{\n")
        for name, value in constants(target):
            out.write(f"  static constexpr {target.cpp_type} {name} = {literal(value, target)};\n")
        for polynomial in polynomials():
            if target.bits not in polynomial.formats:
                continue
            coefficients, error = minimax(polynomial, target)
            out.write(f"  // {polynomial.comment};\n  // error 2^{float(log(error, 2)):.1f}.\n")
            out.write(f"  static constexpr {target.cpp_type} {polynomial.name}[] = {{\n")
            for coefficient in coefficients:
                out.write(f"      {literal(coefficient, target)},\n")
            out.write("  };\n")
        out.write("};\n")
    out.write("\n}  // namespace tapegrad::vm\n")


if __name__ == "__main__":
    main()
