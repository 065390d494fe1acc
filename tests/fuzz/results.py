"""Results of programs, and how they are compared."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import tapegrad as tg


@dataclass(frozen=True)
class Find:
    """A fault: where, and what was seen."""

    mode: str
    detail: str

    def __str__(self) -> str:
        return f"{self.mode}: {self.detail}"


class FoundError(Exception):
    """Carries a find out of the checks."""

    def __init__(self, mode: str, detail: str) -> None:
        super().__init__(mode, detail)
        self.find = Find(mode, detail)


@dataclass
class Outcome:
    """What came of a call: a result, or an exception."""

    value: Any = None
    error: BaseException | None = None


class OfObjects(np.ndarray):
    """Numbers of an array of objects, which has no dtype to compare."""


def outcome(f: Callable[[], Any]) -> Outcome:
    try:
        return Outcome(f())
    except Exception as error:
        return Outcome(error=error)


def is_plain(found: Any) -> bool:
    """Whether there is no Variable in a result."""
    if isinstance(found, (tuple, list)):
        return all(map(is_plain, found))
    if isinstance(found, dict):
        return all(map(is_plain, found.values()))
    if isinstance(found, tg.Variable):
        return False
    return not isinstance(found, np.ndarray) or found.dtype != object or is_plain(found.tolist())


def is_finite(found: Any) -> bool:
    """Whether all numbers of a result are finite."""
    return all(bool(np.all(np.isfinite(a.astype(float)))) for a in numbers(plain(found)))


def copied(x: Any) -> Any:
    return x.copy() if isinstance(x, np.ndarray) else x


def plain(found: Any) -> Any:
    """With values for Variables."""
    if isinstance(found, (tuple, list)):
        return [plain(v) for v in found]
    if isinstance(found, dict):
        return {k: plain(v) for k, v in found.items()}
    if isinstance(found, np.ndarray) and found.dtype == object:  # scalars, joined by np.array
        values = np.array([tg.value(v) for v in found.flat]).reshape(found.shape)
        return values.view(OfObjects)
    return tg.value(found) if isinstance(found, tg.Variable) else found


def numbers(found: Any) -> list[np.ndarray]:
    """The arrays and numbers of a result, in order."""
    if isinstance(found, (tuple, list)):
        return [a for v in found for a in numbers(v)]
    if isinstance(found, dict):
        return [a for k in sorted(found, key=str) for a in numbers(found[k])]
    if isinstance(found, (bool, int, float, complex, np.ndarray, np.generic)):
        return [found if isinstance(found, OfObjects) else np.asarray(found)]
    return []


def classes(found: Any) -> list[type]:
    """The types of the same; an array of no axes counts as a number."""
    if isinstance(found, (tuple, list)):
        return [c for v in found for c in classes(v)]
    if isinstance(found, dict):
        return [c for v in found.values() for c in classes(v)]
    if isinstance(found, np.ndarray):
        return [np.ndarray if found.ndim else found.dtype.type]
    return [type(found)] if isinstance(found, (bool, int, float, complex, np.generic)) else []


def compare(
    mode: str, found: Any, expected: Any, tolerance: float = 1e-9, types: bool = True
) -> None:
    """Raises a find where two results differ by more than rounding."""
    ours, theirs = numbers(plain(found)), numbers(plain(expected))
    if any(a.dtype.kind == "c" for a in theirs):
        return  # what Python makes of negative numbers to a broken power is not differentiated
    if len(ours) != len(theirs):
        raise FoundError(mode, f"{len(ours)} results for {len(theirs)}")
    for a, b in zip(ours, theirs, strict=True):
        if a.shape != b.shape:
            raise FoundError(mode, f"shape {a.shape} for {b.shape}")
        if types and a.dtype != b.dtype and not isinstance(a, OfObjects):
            raise FoundError(mode + " dtype", f"{a.dtype} for {b.dtype}")
        if not a.size or a.dtype == object:
            continue
        tol = tolerance
        if np.float32 in (a.dtype, b.dtype):
            tol = max(tolerance, 2e-4)
        x, y = a.astype(float), b.astype(float)
        scale = 1.0 + np.max(np.abs(y[np.isfinite(y)]), initial=0.0)
        if not np.allclose(x, y, rtol=tol, atol=tol * scale, equal_nan=True):
            raise FoundError(mode, f"{short(a)} for {short(b)}")


def short(a: Any) -> str:
    return re.sub(r"\s+", " ", repr(a))[:160]


def weighed(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A number that depends on every element of what f returns."""

    def loss(x: Any) -> Any:
        total = 0.0 * np.sum(x)
        for k, v in enumerate(f(x)):
            if isinstance(v, np.ndarray) and v.dtype == object:
                v = np.reshape(np.stack(list(v.flat)), v.shape)
            if isinstance(v, float) or getattr(v, "dtype", None) in (np.float64, np.float32):
                total = total + np.sum(np.tanh(0.3 * v)) / (k + 1)
        return total

    return loss
