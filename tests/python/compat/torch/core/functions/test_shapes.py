"""Shapes, views and joins are PyTorch's, and views share memory."""

import numpy as np
import pytest
from torch_agreement import agree, needs_torch, numbers, ours, value_and_gradients

X = numbers(2, 3, 4)

ROWS = {
    "view": lambda t, x: (
        x.view(6, 4),
        x.view(-1),
        x.reshape(4, -1),
        x.reshape((3, 8)),
        x.flatten(1),
    ),
    "transpose": lambda t, x: (
        x.transpose(0, 2),
        x.permute(2, 0, 1),
        x.permute((1, 2, 0)),
        x.mT,
        x[0].T,
        x[0].t(),
    ),
    "squeeze": lambda t, x: (
        x.unsqueeze(1).squeeze(1),
        x[None].squeeze(),
        x.unsqueeze(-1),
        x[:1].squeeze(0),
    ),
    "expand": lambda t, x: (
        x[:, :1].expand(2, 5, 4),
        x[0].expand(3, -1, -1),
        x[:, :, :1].expand_as(x),
    ),
    "repeat": lambda t, x: (
        x.repeat(2, 1, 1),
        x[0].repeat(2, 2, 1),
        x.tile(2),
        x.repeat_interleave(2, 1),
    ),
    "cat": lambda t, x: (
        t.cat([x, x * 2], 1),
        t.stack([x, x]),
        t.stack([x, x], dim=-1),
        t.vstack([x, x]),
        t.hstack([x, x]),
    ),
    "split": lambda t, x: (
        *x.split(3, -1),
        *x.chunk(3, 2),
        *x.split([1, 2], 1),
        *x.unbind(1),
        *t.tensor_split(x, 2, 1),
    ),
    "narrow": lambda t, x: (
        x.narrow(1, 1, 2),
        x.select(2, 1),
        t.movedim(x, 0, -1),
        x.unflatten(2, (2, 2)),
    ),
    "flip": lambda t, x: (x.flip(0), x.flip(0, 2), x.roll(1, 1), x.roll((1, 2), (0, 1)), x.rot90()),
    "tril": lambda t, x: (
        x.tril(),
        x.triu(1),
        x[0].diag(),
        t.diag(x[0, 0]),
        x.diagonal(0, 1, 2),
        t.diag_embed(x),
    ),
    "unfold": lambda t, x: (x.unfold(2, 2, 1), x.unfold(1, 2, 2)),
    "mesh": lambda t, x: (
        *t.meshgrid(x[0, 0], x[1, :, 0], indexing="ij"),
        t.cartesian_prod(x[0, 0], x[1, 1]),
    ),
    "broadcast": lambda t, x: (
        *t.broadcast_tensors(x, x[:, :1] * 2),
        t.broadcast_to(x[0], (2, 3, 4)),
    ),
    "clone": lambda t, x: (
        x.clone(),
        x.contiguous(),
        x.ravel(),
        t.atleast_2d(x[0, 0]),
        x.view_as(x),
    ),
}


@needs_torch
@pytest.mark.parametrize("name", ROWS)
def test_rows(name):
    agree(value_and_gradients, ROWS[name], X)


@needs_torch
def test_writes_show_through_views():
    def program(torch):
        x = torch.zeros(3, 4)
        row, column, flat, turned = x[1], x[:, 2], x.view(-1), x.t()
        row += 1
        column.mul_(3)
        flat[0] = 7
        turned[3, 0] = 9
        x.unsqueeze(0)[0, 2, 2] -= 5
        x.expand(2, 3, 4)
        first, second = x.chunk(2, 1)
        second.fill_(4.0)
        return [x, row, column, flat, turned, first, second, x._version > 5]

    agree(program)


@needs_torch
def test_recorded_writes_show_through_views():
    def f(torch, x):
        z = torch.zeros(3, 4)
        row, flat = z[1], z.view(-1)
        z[0] = x[0, 0] * 2
        row[1] = x[0, 1, 1]
        flat[-1] = x[1, 0, 0] ** 2
        y = x * 2
        part = y[0]
        part *= x[1]
        y[1, 0] += part[2]
        return z * 2, row, flat.clone(), y, part

    agree(value_and_gradients, f, X)


def test_shares_memory_with_numpy():
    a = np.zeros(3)
    t = ours.from_numpy(a)
    t[1] = 5
    a[0] = 2
    assert t.tolist() == [2.0, 5.0, 0.0]
    assert a.tolist() == [2.0, 5.0, 0.0]
    b = t.numpy()
    b[2] = 1
    assert t.tolist() == a.tolist() == [2.0, 5.0, 1.0]
    with pytest.raises(RuntimeError, match="shares its memory with a NumPy array"):
        t[0] = ours.tensor(1.0, requires_grad=True) * 2


def test_errors():
    x = ours.ones(2, 3)
    with pytest.raises(RuntimeError, match=r"6 elements of shape \[2, 3\] do not fill shape \[7\]"):
        x.view(7)
    with pytest.raises(RuntimeError, match=r"write x\.reshape"):
        x.t().view(6)
    with pytest.raises(RuntimeError, match=r"tensor 0 has \[2, 3\], tensor 1 \[3, 2\]"):
        ours.stack([x, x.t()])
    with pytest.raises(RuntimeError, match="differ in another dimension than 0"):
        ours.cat([x, x.t()])
    with pytest.raises(RuntimeError, match="clone"):
        x[:1].expand(4, 3).add_(1)
