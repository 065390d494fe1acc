"""Random programs of views and writes, at plain and at recorded numbers, are NumPy's."""

import warnings

import numpy as np
import pytest

import tapegrad as tg

SHAPE = (4, 5)


class Drawn:
    """A program of views of one array and writes through them, the same at each call.

    Its positions come from `numbers`, one after the other, or are its own.
    """

    def __init__(self, x, numbers, seed):
        self.x = x
        self.rng = np.random.default_rng(seed)
        self.numbers = iter(list(numbers) * 20)
        self.views = [self.first()]

    def first(self):
        start = self.rng.integers(5)
        if start == 0:
            return np.zeros(SHAPE)
        return np.zeros_like(self.x) if start == 1 else self.x * 1.0 if start < 4 else self.x.T * 1

    def position(self, length):
        kind = self.rng.integers(5)
        if kind == 0:
            return int(self.rng.integers(length))
        number = next(self.numbers) % length
        return -number - 1 if kind == 1 else number

    def item(self, length):
        kind = self.rng.integers(8) if length else 7
        if kind < 3:
            return self.position(length)
        if kind == 3 and length > 2:
            start = self.position(length - 1) % (length - 1)
            return slice(start, start + int(self.rng.integers(1, 3)))
        if kind == 4:
            return slice(int(self.rng.integers(length)), None)
        return slice(None, None, (-1, 2, None)[self.rng.integers(3)]) if kind > 4 else slice(None)

    def key(self, view):
        items = [self.item(n) for n in view.shape]
        if self.rng.random() < 0.2:
            items.insert(int(self.rng.integers(len(items) + 1)), None)
        if self.rng.random() < 0.2:
            items = [*items[: int(self.rng.integers(len(items) + 1))], ...]
        return tuple(items)

    def step(self):
        view = self.views[self.rng.integers(len(self.views))]
        kind, key = self.rng.integers(9), self.key(view)
        if kind < 3:
            self.keep(view[key])
        elif kind == 3:
            view[key] = self.x[0, 0] * 2.0
        elif kind == 4:
            view[key] += self.x[1, 1]
        elif kind == 5:
            part = view[key]
            part *= 2.0  # a number is a new one
            self.keep(part)
        elif kind == 6:
            self.keep(view.T)
        elif view.ndim > 1:
            self.keep(view.reshape(-1) if kind == 7 else view.ravel())

    def keep(self, view):
        if np.ndim(view) and len(self.views) < 8:
            self.views.append(view)

    def result(self):
        total = 0.0
        for _ in range(8):
            self.step()
            total = total + np.sum(self.views[0] ** 2)
        return total + sum(np.sum(np.cos(view)) for view in self.views)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("block", range(8))
def test_drawn_views_and_writes(block):
    replays = 0
    for seed in range(12 * block, 12 * (block + 1)):

        def f(x, numbers, seed=seed):
            return Drawn(x, numbers, seed).result()

        gradient = tg.grad(f)
        compiled = tg.compile(tg.value_and_grad(f))
        rng = np.random.default_rng(seed + 1000)
        for _ in range(5):
            x, numbers = rng.normal(size=SHAPE), rng.integers(0, 100, size=7)
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                value, slope = compiled(x, numbers)
            np.testing.assert_allclose(value, f(x.copy(), numbers), rtol=1e-11)
            np.testing.assert_allclose(slope, gradient(x, numbers), rtol=1e-10, atol=1e-12)
        replays += sum(s.replays for s in compiled.inspect().signatures)
    assert replays >= 18  # others take a path for each order in memory, or stretch that is cut off
