"""The programs, each a function of numbers and arrays in any nesting that gives one number."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Program:
    """A function and a point, near which it is smooth."""

    function: Callable[[Any], Any]
    point: Any
    tolerance: float = 1e-6  # of differences of the plain function
    has_second: bool = True  # differences of the gradient tell the second derivative
    has_lanes: bool = True  # lanes take the same branches
    change: Callable[[int], None] = lambda _: None  # sets what it reads, for call k


PROGRAMS: dict[str, Program] = {}


def program(point: Any, **options: Any) -> Callable[[Any], Any]:
    """Registers the decorated function."""

    def register(f: Any) -> Any:
        PROGRAMS[f.__name__] = Program(f, point, **options)
        return f

    return register
