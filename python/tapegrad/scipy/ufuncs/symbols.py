"""Formulas, written down once: a number that records what is done to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad import _core

_OPS = frozenset(_core.op_names())
_NAMES = {"true_divide": "divide", "deg2rad": "radians", "rad2deg": "degrees"}


class Recorder:
    """Steps of one formula: operations on numbered operands."""

    def __init__(
        self, n_inputs: int, foreign: Callable[[Any], Any], own: Callable[[str], Any]
    ) -> None:
        self.foreign = foreign  # what the core applies for a universal function
        self.own = own  # and for a function that only formulas need
        self.inputs = [Symbol(self, ("input", i)) for i in range(n_inputs)]
        self.constants: list[float] = []
        self.steps: list[tuple[Any, list[tuple[str, int]], int, int]] = []
        self.n_results = 0

    def apply(self, what: Any, operands: tuple[Any, ...], n_out: int = 1) -> Any:
        """The results of an operation, by the name of an op or as a Foreign."""
        first = self.n_results
        self.steps.append((what, [self._place(x) for x in operands], first, n_out))
        self.n_results += n_out
        found = tuple(Symbol(self, ("result", first + k)) for k in range(n_out))
        return found[0] if n_out == 1 else found

    def _place(self, x: Any) -> tuple[str, int]:
        if isinstance(x, Symbol):
            return x.place
        self.constants.append(float(x))
        return "constant", len(self.constants) - 1

    def formula(self, result: Any) -> tuple[Any, ...]:
        """What the core takes: constants, steps, and the number of the result.

        What the result does not need is left out.
        """
        last = self._place(result)
        needed, kept = {last}, []
        for step in reversed(self.steps):
            _, operands, first, n_out = step
            if any(("result", first + k) in needed for k in range(n_out)):
                needed.update(operands)
                kept.append(step)
        kept.reverse()
        numbers = {("input", i): i for i in range(len(self.inputs))}
        constants = []
        for i, x in enumerate(self.constants):
            if ("constant", i) in needed:
                numbers["constant", i] = len(numbers)
                constants.append(x)
        for _, _, first, n_out in kept:
            for k in range(n_out):
                numbers["result", first + k] = len(numbers)
        steps = tuple((what, [numbers[x] for x in operands]) for what, operands, _, _ in kept)
        return constants, steps, numbers[last]


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """An operand of a formula; NumPy's and SciPy's universal functions take it."""

    __slots__ = ("place", "recorder")

    def __init__(self, recorder: Recorder, place: tuple[str, int]) -> None:
        self.recorder = recorder
        self.place = place

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Records the application of a universal function."""
        if method != "__call__" or kwargs:
            return NotImplemented
        name = _NAMES.get(ufunc.__name__, ufunc.__name__)
        if name in _OPS:
            return self.recorder.apply(name, inputs)
        return self.recorder.apply(self.recorder.foreign(ufunc), inputs, ufunc.nout)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Records `np.where`, which is no universal function."""
        if func is not np.where or len(args) != 3 or kwargs:
            return NotImplemented
        return self.recorder.apply("where", args)


def _recorder_of(operands: tuple[Any, ...]) -> Recorder:
    return next(x.recorder for x in operands if isinstance(x, Symbol))


def op(name: str, *operands: Any) -> Any:
    """An operation of the core, in a formula."""
    return _recorder_of(operands).apply(name, operands)


def own(name: str, *operands: Any) -> Any:
    """A function that only formulas need: of parameters, or of parts of complex numbers."""
    recorder = _recorder_of(operands)
    made = recorder.own(name)
    return recorder.apply(made, operands, made.n_out)
