"""A square and its derivative: the eval that shows whether a tool speaks the protocol."""

from __future__ import annotations

from typing import Any

import tapegrad as tg
from benchmarks.gradbench.function import Function


def square(x: Any) -> Any:
    return x * x


def _arguments(message_input: Any) -> tuple[Any, ...]:
    return (float(message_input),)


FUNCTIONS = {
    "square": Function(square, _arguments, float, repeats=False),
    "double": Function(tg.grad(square), _arguments, float, repeats=False),
}
