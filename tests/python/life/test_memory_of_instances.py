"""A compiled method lets go of the instances that it saw."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np

import tapegrad as tg


class Model:
    def __init__(self, scale: float, size: int = 1000) -> None:
        self.weights = np.full(size, scale)

    @tg.compile
    def predict(self, x: Any) -> Any:
        return np.sum(self.weights * x)


class Slotted:
    __slots__ = ("weights",)

    def __init__(self, scale: float) -> None:
        self.weights = np.full(10, scale)

    @tg.compile
    def predict(self, x: Any) -> Any:
        return np.sum(self.weights * x)


def test_dead_instances_go() -> None:
    x = np.ones(1000)
    seen = []
    for k in range(60):
        model = Model(float(k))
        for _ in range(4):
            assert model.predict(x) == 1000.0 * k
        seen.append(weakref.ref(model))
        del model
    gc.collect()
    assert sum(r() is not None for r in seen) <= 10


def test_living_instances_keep_their_programs() -> None:
    x = np.ones(1000)
    models = [Model(float(k)) for k in range(30)]
    for _ in range(12):
        for k, model in enumerate(models):
            assert model.predict(x) == 1000.0 * k
    before = [replays() for replays in [_count]]
    for k, model in enumerate(models):
        assert model.predict(x) == 1000.0 * k
    assert _count() - before[0] == 30


def _count() -> int:
    return sum(s.replays for _, s in Model.predict.signatures.items())


def test_instances_without_weak_references() -> None:
    x = np.ones(10)
    for k in range(40):
        model = Slotted(float(k))
        for _ in range(4):
            assert model.predict(x) == 10.0 * k
    assert len(Slotted.predict.signatures) <= 10
