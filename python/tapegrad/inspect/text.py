"""Nodes and their values as short text."""

from __future__ import annotations

import linecache
import math
import os
from typing import Any

import numpy as np

from tapegrad.inspect.graph import Node

TIMES, TO = "\N{MULTIPLICATION SIGN}", "\N{EN DASH}"
_FEW = 6  # elements that are written out


def type_text(node: Node) -> str:
    """Dtype and shape, such as `float64 (3, 4)`; the dtype alone of a scalar."""
    return node.dtype if node.shape == () else f"{node.dtype} {node.shape}"


def number_text(x: Any, digits: int = 6) -> str:
    """A number in few characters."""
    if isinstance(x, bool | np.bool_):
        return str(bool(x))
    if isinstance(x, int | np.integer):
        text = str(x)
        return text if len(text) <= digits + 3 else f"{int(x):.{digits - 1}e}"
    if isinstance(x, complex | np.complexfloating):
        sign = "-" if math.copysign(1.0, x.imag) < 0 else "+"
        return f"{number_text(x.real, digits)}{sign}{number_text(abs(x.imag), digits)}j"
    return f"{float(x):.{digits}g}"


def value_text(x: Any) -> str:
    """A value in a line: numbers as they are, of large arrays extremes, mean and first elements."""
    if x is None:
        return ""
    array = np.asarray(x)
    if array.dtype.kind not in "fciub":
        return clipped(repr(x), 80)
    if array.ndim == 0:
        return number_text(array[()], 10)
    flat = array.reshape(-1) if array.size <= _FEW else array.flat[: _FEW - 2]
    shown = ", ".join(number_text(e, 5) for e in flat)
    if array.size <= _FEW:
        return f"[{shown}]" if array.ndim == 1 else f"[{shown}] as {array.shape}"
    return f"[{shown}, ...] {spread_text(array)}"


def spread_text(array: Any) -> str:
    """Extremes and mean of an array, and how many of its elements are not finite."""
    if array.dtype.kind == "c":
        with np.errstate(over="ignore"):
            kind, array = "abs ", np.abs(array)
    elif array.dtype.kind == "b":
        return f"{int(np.count_nonzero(array))} of {array.size} true"
    else:
        kind = ""
    good = array if array.dtype.kind in "iu" else array[np.isfinite(array)]
    parts = []
    if good.size:
        with np.errstate(over="ignore"):  # a mean may overflow, and says so by being inf
            mean = number_text(np.mean(good, dtype=np.float64), 5)
        low, high = number_text(np.min(good), 5), number_text(np.max(good), 5)
        parts = [f"min {kind}{low}", f"max {kind}{high}", f"mean {kind}{mean}"]
    if array.dtype.kind not in "iu":
        n_nan = int(np.count_nonzero(np.isnan(array)))
        n_inf = array.size - good.size - n_nan
        parts += [f"{n} {word}" for n, word in ((n_nan, "nan"), (n_inf, "inf")) if n]
    return ", ".join(parts)


def is_bad(x: Any) -> bool:
    """Whether a value holds NaN or an infinity."""
    array = np.asarray(x)
    return array.dtype.kind in "fc" and not bool(np.all(np.isfinite(array)))


def attributes_text(node: Node, said: bool = False) -> str:
    """The attributes of a step as keywords; with `said`, those that are neither None nor False."""
    return ", ".join(
        f"{k}={clipped(repr(x), 60)}"
        for k, x in node.attributes.items()
        if not said or (x is not None and x is not False)
    )


def operation_text(node: Node) -> str:
    """What made a node: the operation, the kernel, or the name of an input."""
    if node.kind == "constant":
        return value_text(node.content)
    return node.op or node.kernel or node.name


def clipped(text: str, n: int) -> str:
    """A text of at most n characters on one line."""
    text = " ".join(text.split())
    return text if len(text) <= n else text[: n - 1] + "…"


def line_text(line: str) -> str:
    """A line's file, without its folders, and its number."""
    return os.path.basename(line)


def source_text(line: str) -> str:
    """The user's code at a line, where the file can be read."""
    file, _, number = line.rpartition(":")
    return linecache.getline(file, int(number)).strip() if number.isdigit() else ""


def time_text(nanoseconds: float) -> str:
    """A time with its unit."""
    for unit, n in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= n:
            return f"{nanoseconds / n:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def bytes_text(n: int) -> str:
    """A number of bytes with its unit."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if n >= size:
            return f"{n / size:.3g} {unit}"
    return f"{n} B"


def bytes_of(node: Node) -> int:
    """What the value of a node takes."""
    return math.prod(node.shape) * np.dtype(node.dtype).itemsize
