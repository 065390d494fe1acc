"""What a row of the table of ops says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """One way to call an op.

    `f` takes Variables or plain arrays; it is NumPy's own function wherever there is one, else
    `reference` computes the value from plain arrays. `make(rng)` draws float64 arguments at
    which `f` is smooth.
    """

    name: str
    f: Callable[..., Any]
    make: Callable[[np.random.Generator], tuple[Any, ...]]
    ops: tuple[str, ...]
    reference: Callable[..., Any] | None = None
    order: int = 2  # of the derivatives that are checked; 0: the result is plain
    rtol: float = 1e-13  # of the value
    single_rtol: float = 2e-5  # of value and gradient in float32
    errors: tuple[tuple[Any, ...], ...] = ()  # arguments that NumPy refuses
    kwargs: dict[str, Any] = field(default_factory=dict)

    def value(self, *args: Any) -> Any:
        return (self.reference or self.f)(*args)


def normal(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    """Draws an array of each shape from the normal distribution."""
    return lambda rng: tuple(rng.standard_normal(shape) for shape in shapes)


def uniform(
    low: float, high: float, *shapes: tuple[int, ...]
) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    """Draws an array of each shape uniformly between two numbers."""
    return lambda rng: tuple(rng.uniform(low, high, shape) for shape in shapes)


def distinct(shape: tuple[int, ...]) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    """Draws an array without ties, no element near another."""
    n = int(np.prod(shape))
    return lambda rng: ((rng.permutation(n) + rng.uniform(0.1, 0.4, n)).reshape(shape) / 3,)
