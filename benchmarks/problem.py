"""What a problem file is made of: cases, targets, and what a peer's function returns."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DATA_VARIABLE = "TAPEGRAD_BENCHMARK_DATA"


class AbsentError(Exception):
    """Raised by a peer's function where the machine lacks what it needs; no error of the run."""


def data_folder() -> Path | None:
    """The folder given with --data, in the workers too."""
    found = os.environ.get(DATA_VARIABLE)
    return Path(found) if found else None


@dataclass(frozen=True)
class Target:
    """What tapegrad must reach in a case, judged on medians of the same run.

    `at_most` is a limit in the case's unit; with `beyond` it limits the difference to that peer,
    with `times` it is a factor on that peer. `speedup` is the time at 1 thread over that at N.
    """

    at_most: float | None = None
    beyond: str | None = None
    times: str | None = None
    speedup: float | None = None

    def text(self, unit: str) -> str:
        parts = []
        if self.at_most is not None and self.times:
            parts.append(f"at most {self.at_most:g} x {self.times}")
        elif self.at_most is not None and self.beyond:
            parts.append(f"at most {self.beyond} + {self.at_most:g} {unit}")
        elif self.at_most is not None:
            parts.append(f"at most {self.at_most:g} {unit}")
        if self.speedup is not None:
            parts.append(f"at least {self.speedup:g} times faster with 2 threads")
        return ", ".join(parts)


@dataclass(frozen=True)
class Case:
    """One measured thing, the same for every peer.

    A call does `per` units of work, so that the figure printed is the time of a call over `per`.
    Results must agree between peers to `rtol` (times the largest element), unless `compare` is
    off; with `same_bits` tapegrad's result must be the same to the bit at every thread count. A
    `big` case is left out by --quick.
    """

    name: str
    per: float = 1.0
    unit: str = "ns"
    rtol: float = 1e-9
    compare: bool = True
    same_bits: bool = False
    target: Target | None = None
    rounds: int | None = None
    threads: bool = True
    big: bool = False
    data: Any = field(default=None, compare=False)


@dataclass(frozen=True)
class Run:
    """What a peer's function returns for a case.

    `call` is timed, and returns the result; `value` turns that into numbers to compare. Where
    `measures` is set, `call` is not timed: it returns the figure itself, in the case's unit, and
    the result, which may be None.
    """

    call: Callable[[], Any]
    value: Callable[[Any], Any] = lambda result: result
    measures: bool = False


UNITS = {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1.0}
