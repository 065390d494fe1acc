"""Indexing, gathering and scattering are PyTorch's."""

import numpy as np
import pytest
from torch_agreement import agree, needs_torch, numbers, ours, value_and_gradients

X, Y = numbers(4, 5), numbers(2, 5, seed=3)
INDEX = np.array([[0, 1, 2, 0, 3], [3, 0, 0, 1, 1]])

ROWS = {
    "basic": lambda t, x, y: (
        x[0],
        x[-1, 2],
        x[1:3],
        x[:, ::2],
        x[..., 1],
        x[None, :, 1],
        x[1:, None],
    ),
    "lists": lambda t, x, y: (
        x[[0, 2]],
        x[:, [1, 1]],
        x[[0, 1], [2, 3]],
        x[t.tensor([2, 0])],
        x[t.tensor(1)],
    ),
    "masks": lambda t, x, y: (
        x[x > 0],
        x[x.sum(1) > 0],
        x[:, t.tensor([True, False, True, False, True])],
    ),
    "gather": lambda t, x, y: (
        x.gather(0, t.tensor(INDEX)),
        t.take_along_dim(x, t.tensor(INDEX), 0),
    ),
    "select": lambda t, x, y: (
        x.index_select(1, t.tensor([0, 0, 3])),
        x.take(t.tensor([1, 7])),
        x.masked_select(x > 0),
    ),
    "fill": lambda t, x, y: (
        x.masked_fill(x > 0, 0.5),
        x.masked_fill(x < 0, y.sum()),
        x.index_fill(0, t.tensor([1]), 2.0),
    ),
    "scatter": lambda t, x, y: (
        x.scatter(0, t.tensor(INDEX[:1]), y[:1]),
        x.scatter(1, t.tensor([[1], [2]]), 3.0),
        t.zeros(4, 5).scatter(0, t.tensor(INDEX[:1]), y[1:]),
    ),
    "scatter_add": lambda t, x, y: (
        x.scatter_add(0, t.tensor(INDEX), y),
        t.zeros(4, 5).scatter_add_(0, t.tensor(INDEX), y),
    ),
    "index_add": lambda t, x, y: (
        x.index_add(0, t.tensor([0, 0]), y),
        t.zeros(4, 5).index_add_(0, t.tensor([1, 3]), y, alpha=2),
    ),
    "index_put": lambda t, x, y: (
        x.index_put((t.tensor([0, 1]),), y),
        x.index_copy(0, t.tensor([3, 1]), y),
    ),
    "masked_scatter": lambda t, x, y: (x.masked_scatter(t.arange(20).view(4, 5) % 4 == 0, y),),
}


@needs_torch
@pytest.mark.parametrize("name", ROWS)
def test_rows(name):
    agree(value_and_gradients, ROWS[name], X, Y)


@needs_torch
def test_assignment():
    def f(torch, x, y):
        z = x * 1
        z[0] = y[0]
        z[1:3, 1] = 7.0
        z[z > 1.5] = 0.0
        z[[0, 3]] += y
        z[:, 4] *= y[1, 0]
        z[torch.tensor([1, 2]), torch.tensor([0, 0])] = y[0, :2]
        return z, z.sum()

    agree(value_and_gradients, f, X, Y)


@needs_torch
def test_plain():
    def program(torch):
        x = torch.arange(6).view(2, 3)
        mask = x % 2 == 0
        x[mask] = -1
        return [
            x,
            mask.nonzero(),
            torch.where(mask),
            torch.unique(x),
            torch.bincount(torch.tensor([1, 1, 3])),
            torch.nn.functional.one_hot(torch.tensor([0, 2]), 4),
            torch.isin(x, torch.tensor([1, 3])),
            torch.searchsorted(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.5, 2.0])),
            torch.equal(x, x),
            torch.allclose(x.double(), x.double() + 1e-9),
            *torch.unique(x, return_counts=True),
            torch.nonzero(mask, as_tuple=True),
            x.tolist(),
            x.max().item(),
            len(x),
            3 in x,
        ]

    agree(program)


def test_errors():
    x = ours.ones(2, 3)
    with pytest.raises(IndexError, match="index: 5 is outside dimension 0, whose length is 2"):
        x[5]
    with pytest.raises(IndexError, match="has 2 dimensions, and the indices are for more"):
        x[0, 0, 0]
    with pytest.raises(IndexError, match=r"write x.long\(\)"):
        x[ours.tensor([0.0])]
    with pytest.raises(RuntimeError, match="3 is outside dimension 1, whose length is 3"):
        x.gather(1, ours.tensor([[3]]))
    with pytest.raises(TypeError, match="0-d tensor"):
        iter(ours.tensor(1.0))
    with pytest.raises(RuntimeError, match="has 6 elements, and one makes a flag"):
        bool(x)
    with pytest.raises(RuntimeError, match="has 6; write"):
        x.item()
