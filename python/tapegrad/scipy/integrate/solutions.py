"""What solve_ivp gives besides values at given times: events, and the solution as a function.

The time of an event solves g(t, y(t)) = 0. SciPy finds it on plain values; Newton's steps from
there, s = t - g / (dg/dt), leave the value where it is and carry the derivatives: each doubles the
order up to which they are right, less one, so that two of them are right to the third.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad.scipy.arrays import array, shape_of
from tapegrad.scipy.closures import Called, plain_result
from tapegrad.scipy.functions import refuse
from tapegrad.transforms.jacobians import jvp
from tapegrad.transforms.trace import value

At = Callable[[Any], Any]  # the solution at times, a row for each; the first of them is t0
_STEPS = 2


class Events:
    """The events of a call of solve_ivp."""

    def __init__(self, name: str, events: Any, args: Any) -> None:
        self.name = name
        given = events if isinstance(events, (list, tuple)) else [events]
        self.given = [Called(name, event, args) for event in given]
        self.functions = [self._plain(*pair) for pair in zip(given, self.given, strict=True)]

    def _plain(self, event: Any, called: Called) -> Callable[[Any, Any], Any]:
        operands = [value(x) for x in called.operands]

        def plain(t: Any, y: Any) -> Any:
            return plain_result(self.name, called(operands, t, y))

        for key in ("terminal", "direction"):
            if hasattr(event, key):
                setattr(plain, key, getattr(event, key))
        return plain

    def times(self, k: int, found: Any, t0: Any, at: At, slope: Callable[[Any, Any], Any]) -> Any:
        """The times of event k, which SciPy `found`, with derivatives."""
        called, times = self.given[k], array(found)
        if not len(found):
            return times

        def g(t: Any, y: Any) -> Any:
            return np.reshape(called(called.operands, t, y), ())

        for _ in range(_STEPS):
            ys = at(np.concatenate([np.reshape(t0, (1,)), times]))[1:]
            moved = []
            for i in range(len(found)):
                t, y = times[i], ys[i]
                gap, rate = _along(g, t, y, slope(t, y))
                if not value(rate):
                    refuse(
                        self.name,
                        f"the time of event {k}, t={value(t)}, at which the event has no slope,",
                        "let the event pass through zero at a rate",
                    )
                moved.append(t - (gap - value(gap)) / rate)
            times = np.stack(moved)
        return times

    def last(self, times: Sequence[Any], end: float) -> Any:
        """The time of the terminal event at which the solution ends."""
        ends = [
            t[-1]
            for t, event in zip(times, self.functions, strict=True)
            if len(t) and getattr(event, "terminal", False)
        ]
        return min(ends, key=lambda t: abs(float(value(t)) - end))


class Solution:
    """The solution as a function of time: `sol` of a result, where dense_output is asked for."""

    def __init__(self, name: str, t0: Any, t1: Any, n: int, at: At) -> None:
        self._name, self._t0, self._n, self._at = name, t0, n, at
        self._ends = float(value(t0)), float(value(t1))
        self.t_min, self.t_max = sorted(self._ends)

    def __call__(self, t: Any) -> Any:
        """The state at a time; at several, a column for each."""
        t = array(t)
        shape, flat = shape_of(t), np.reshape(t, (-1,))
        plain = np.asarray(value(flat), np.float64)
        if plain.size and not (self.t_min <= plain.min() and plain.max() <= self.t_max):
            raise ValueError(
                f"{self._name}: sol({value(t)}) lies outside of t_min={self.t_min} and "
                f"t_max={self.t_max}; solve up to there"
            )
        order = np.argsort(plain if self._ends[0] <= self._ends[1] else -plain, kind="stable")
        places = np.empty(len(plain), np.intp)
        rows, done = [np.zeros((0, self._n))], 0
        for some in _without_repetition(order, plain):
            times = np.concatenate([np.reshape(self._t0, (1,)), flat[some]])
            rows.append(self._at(times)[1:])
            places[some] = done + np.arange(len(some))
            done += len(some)
        found = np.transpose(np.concatenate(rows)[places])
        return np.reshape(found, (self._n, *shape))


def _along(g: Callable[[Any, Any], Any], t: Any, y: Any, slope: Any) -> tuple[Any, Any]:
    """G and its derivative in time along the solution."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "jvp")  # a derivative of zero is refused
        return jvp(g, (t, y), (np.ones_like(value(t)), slope))


def _without_repetition(order: Any, plain: Any) -> Sequence[Any]:
    """The places in order, in as many parts as the most frequent time has."""
    parts: list[list[int]] = []
    turn, last = 0, None
    for k in order:
        turn = turn + 1 if plain[k] == last else 0
        last = plain[k]
        if turn == len(parts):
            parts.append([])
        parts[turn].append(int(k))
    return [np.array(part) for part in parts]
