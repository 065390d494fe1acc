"""A computation that people write in several ways, and where the ways that are measured stand."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.worker import flat


@dataclass(frozen=True)
class Spelling:
    """One way to write a model: a loss in NumPy.

    It takes the model's arguments, or what `arguments` makes of them (parameters packed into one
    array, or taken apart), and `wrt` then says which of those are differentiated. Gradients are
    compared in the order of the model's own arguments; `unpack` takes the tuple of them apart where
    that is another.
    """

    name: str
    loss: Callable[..., Any]
    arguments: Callable[..., tuple[Any, ...]] | None = None
    wrt: tuple[int, ...] | None = None
    unpack: Callable[[Any], Any] = lambda gradients: gradients


@dataclass(frozen=True)
class Model:
    """A loss, its data by size, and its spellings.

    `sizes` are the smallest and the largest that people would run, `usual` is where spellings are
    compared. `work` is the number of elements that a size stands for: the time over it is what
    should not jump. `jax` is the peer's own way to write it: jax itself, then the arguments.
    """

    name: str
    data: Callable[[int], tuple[Any, ...]]
    spellings: tuple[Spelling, ...]
    sizes: tuple[int, int]
    usual: int
    wrt: tuple[int, ...] = (0,)
    work: Callable[[int], float] = float
    jax: Callable[..., Any] | None = None
    rtol: float = 1e-8

    def spelling(self, name: str) -> Spelling:
        (found,) = (spelling for spelling in self.spellings if spelling.name == name)
        return found

    def arguments(self, spelling: Spelling, data: tuple[Any, ...]) -> tuple[Any, ...]:
        """The model's data as the spelling takes it."""
        return data if spelling.arguments is None else spelling.arguments(*data)

    def function(self, spelling: Spelling, compiled: bool = True) -> Callable[..., Any]:
        """Value and gradient of a spelling; a program of its own where compiled."""
        import tapegrad as tg

        both = tg.value_and_grad(spelling.loss, spelling.wrt or self.wrt)
        return tg.compile(both) if compiled else both

    def peer(self, size: int) -> Callable[[], Any] | None:
        """The same of jax, compiled; None where the model has no such peer."""
        if self.jax is None:
            return None
        import jax

        def loss(*arguments: Any) -> Any:
            assert self.jax is not None
            return self.jax(jax, *arguments)

        arguments = [jax.numpy.asarray(value) for value in self.data(size)]
        both = jax.jit(jax.value_and_grad(loss, self.wrt))
        return lambda: jax.block_until_ready(both(*arguments))


def numbers(spelling: Spelling | None, result: Any) -> np.ndarray[Any, Any]:
    """Value and gradients in one row, in the order of the model's arguments."""
    value, gradients = result
    if spelling is not None:
        gradients = spelling.unpack(gradients)
    return np.concatenate([flat(value), flat(gradients)])


def models() -> dict[str, Model]:
    """Every model of every file in `models/`, by name."""
    from benchmarks import models as folder

    found: dict[str, Model] = {}
    for module in pkgutil.iter_modules(folder.__path__):
        for model in importlib.import_module(f"{folder.__name__}.{module.name}").MODELS:
            assert model.name not in found, f"two models are named {model.name}"
            found[model.name] = model
    return found
