"""Statements of random programs, as text, over names whose plain values are known."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any

import idioms
import numpy as np
from surface import expressions
from templates import (
    ARITHMETIC,
    BLOCKS,
    CAPTURED_ARRAYS,
    CAPTURED_NUMBERS,
    COPIES,
    NESTED,
    STATEFUL,
    VIEWS,
    WRITES,
)


@dataclass
class Names:
    """The names of a program so far and their plain values."""

    rng: random.Random
    values: dict[str, Any]
    taken: set[str]
    writes: bool = True  # whether statements may write into arrays

    def new(self) -> str:
        for k in range(230):
            name = "abcdeghijlmnopqrstuvwyz"[k % 23] + (str(k // 23) if k >= 23 else "")
            if name not in self.taken:
                self.taken.add(name)
                return name
        raise AssertionError("a program has fewer names")

    def any(self, kind: str = "f", least: int = 0, size: int = 0) -> str:
        """One name of these dtypes with at least so many axes and elements; "" if there is none."""
        found = [
            n
            for n, v in self.values.items()
            if np.asarray(v).dtype.kind in kind and np.ndim(v) >= least and np.size(v) >= size
        ]
        if not found:
            return ""
        return self.rng.choice(found[-6:] if self.rng.random() < 0.8 else found)

    def of_shape(self, shape: tuple[int, ...] | None) -> str:
        if shape is None:
            return self.any()
        found = [
            n
            for n, v in self.values.items()
            if np.shape(v) == shape and np.asarray(v).dtype.kind == "f"
        ]
        if found:
            return self.rng.choice(found)
        return f"fit({self.any()}, {shape})"

    def number(self) -> str:
        return self.rng.choice(["0.5", "2.0", "1.5", "-1.0", "3", "0.25"])

    def scalar(self) -> str:
        name = self.any()
        if np.ndim(self.values[name]) == 0:
            return name
        return self.rng.choice(
            [f"np.sum({name})", f"np.mean({name})", f"np.max({name})", f"{name}.sum()"]
        )

    def of_a_type(self) -> str:
        """A name of an array with axes, or of a number."""
        found = [
            n
            for n, v in self.values.items()
            if np.asarray(v).dtype.kind == "f" and not (isinstance(v, np.ndarray) and v.ndim == 0)
        ]
        return self.rng.choice(found) if found else "np.ones(2)"


def surface(n: Names) -> str:
    expression = n.rng.choice(expressions())
    names = [n.of_shape(shape) for shape in expression.shapes]
    return f"{n.new()} = {_part(n, expression.of(names))}"


def _part(n: Names, text: str) -> str:
    return text if n.rng.random() < 0.9 else f"({text})[0]"


WRITING = re.compile(
    r"\] [-+*]*= |[-+*]= |out=|\.(sort|fill|__setitem__)\(|np\.(put|copyto|place|fill_)"
)
KINDS = [
    (30, "surface"), (10, "views"), (8, "copies"), (14, "arithmetic"), (12, "writes"),
    (6, "nested"), (12, "blocks"), (14, "stateful"), (4, "alias"), (30, "idioms"),
]  # fmt: skip
TEXTS = {
    "views": VIEWS,
    "copies": COPIES,
    "arithmetic": ARITHMETIC,
    "nested": NESTED,
    "stateful": STATEFUL,
}
IDIOMS = {
    "linear": idioms.LINEAR,
    "complex": idioms.COMPLEX,
    "functional": idioms.FUNCTIONAL,
    "order": idioms.ORDER,
    "nested": idioms.NESTED,
    "writes": idioms.WRITES,
    "blocks": idioms.BLOCKS,
}


def draw_statement(n: Names) -> str:
    """One statement (several lines where it is a block), which need not run."""
    text = _statement(n)
    return text if n.writes or not WRITING.search(text) else ""


def _statement(n: Names) -> str:
    (kind,) = n.rng.choices([k for _, k in KINDS], [w for w, _ in KINDS])
    if kind == "surface":
        return surface(n)
    if kind == "alias":
        return f"{n.new()} = {n.any('fib')}"
    if kind == "idioms":
        return _idiom(n)
    if kind in TEXTS:
        return f"{n.new()} = {_filled(n, n.rng.choice(TEXTS[kind]))}"
    if kind == "writes" and not n.writes:
        return ""
    if kind == "writes":
        text = n.rng.choice(WRITES)
        target = n.any(least=1, size=1)
        if not target or (target == "x" and n.rng.random() < 0.9):
            return ""
        return _filled(n, text, target)
    return _filled(n, n.rng.choice(BLOCKS))


def _idiom(n: Names) -> str:
    (kind,) = n.rng.choices(list(IDIOMS), [len(texts) for texts in IDIOMS.values()])
    text = n.rng.choice(IDIOMS[kind])
    if kind == "blocks":
        return _filled(n, text)
    if kind == "writes":
        target = n.any(least=1, size=1) if n.writes else ""
        return _filled(n, text, target) if target and target != "x" else ""
    return f"{n.new()} = {_filled(n, text)}"


def _filled(n: Names, text: str, first: str = "") -> str:
    array = n.rng.choice(list(CAPTURED_ARRAYS))
    found = text.format(
        first or n.any(least=1) or n.any(),
        n.any(),
        n.scalar(),
        n.scalar(),
        "new_",
        n.rng.randrange(4),
        n.rng.choice(CAPTURED_NUMBERS),
        array if CAPTURED_ARRAYS[array] else "DATA",
        CAPTURED_ARRAYS[array] or 3,
        n.of_a_type() if "{9}" in text else "",
    )
    return found.replace("new_", n.new()) if "new_" in found else found
