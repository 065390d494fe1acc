"""Reductions, extremes with their indices, sorting and softmax are PyTorch's."""

import numpy as np
import pytest
from torch_agreement import agree, needs_torch, numbers, ours, value_and_gradients

X = numbers(3, 4, 5)
TIES = np.array([[1.0, 3.0, 3.0, 0.0], [2.0, 2.0, 2.0, 2.0], [0.0, -0.0, 1.0, 1.0]])

ROWS = {
    "sum": lambda t, x: (
        x.sum(),
        x.sum(1),
        x.sum((0, 2), keepdim=True),
        t.sum(x, dim=-1),
        x.sum(axis=0),
    ),
    "mean": lambda t, x: (x.mean(), x.mean(1), x.mean((0, 2), keepdim=True), t.mean(x, -1)),
    "prod": lambda t, x: (x.prod(), x.prod(1), x.prod(-1, keepdim=True)),
    "std": lambda t, x: (
        x.std(),
        x.std(1),
        x.std(0, unbiased=False),
        x.std(-1, keepdim=True, correction=0),
    ),
    "var": lambda t, x: (
        x.var(),
        x.var(1),
        x.var(unbiased=False),
        t.var(x, (0, 1)),
        *t.var_mean(x, 1),
    ),
    "max": lambda t, x: (x.max(), *x.max(1), *t.max(x, dim=-1, keepdim=True), x.amax((0, 1))),
    "min": lambda t, x: (x.min(), *x.min(1), *t.min(x, dim=-1, keepdim=True), x.amin(2)),
    "norm": lambda t, x: (
        x.norm(),
        x.norm(dim=1),
        x.norm(1, dim=-1),
        x.norm(p=3),
        t.norm(x, 2, (0, 1)),
    ),
    "norm inf": lambda t, x: (x.norm(float("inf")), x.norm(p=float("inf"), dim=1, keepdim=True)),
    "logsumexp": lambda t, x: (x.logsumexp(1), t.logsumexp(x * 3, (0, 1), keepdim=True)),
    "softmax": lambda t, x: (
        x.softmax(1),
        t.softmax(x * 3, dim=-1),
        x.log_softmax(0),
        (x * 600).detach().log_softmax(1),
    ),
    "cumsum": lambda t, x: (x.cumsum(1), x.cumprod(-1), t.logcumsumexp(x, 1)),
    "cummax": lambda t, x: (*x.cummax(1), *x.cummin(-1)),
    "median": lambda t, x: (x.median(), *x.median(1), *x.median(-1, keepdim=True)),
    "sort": lambda t, x: (*x.sort(), *x.sort(1, descending=True), x.argsort(0)),
    "topk": lambda t, x: (*x.topk(2), *x.topk(3, dim=1, largest=False), *x.kthvalue(2, 1)),
    "quantile": lambda t, x: (x.quantile(0.3), x.quantile(0.25, 1)),
    "arg": lambda t, x: (x.argmax(), x.argmax(1), x.argmin(-1, keepdim=True)),
    "nan": lambda t, x: (
        t.where(x > 1, float("nan"), x).nansum(),
        t.where(x > 1, float("nan"), x).nanmean(1),
    ),
    "any": lambda t, x: (
        (x > 1).any(),
        (x > -3).all(),
        (x > 1).any(1),
        (x > 0).sum(),
        t.count_nonzero(x > 0),
    ),
    "dist": lambda t, x: (t.dist(x, x * 0.5), *t.std_mean(x, 0), *t.aminmax(x)),
}


@needs_torch
@pytest.mark.parametrize("name", ROWS)
def test_rows(name):
    agree(value_and_gradients, ROWS[name], X)


@needs_torch
@pytest.mark.parametrize("name", ["max", "min", "sort", "cummax", "arg", "median"])
def test_ties(name):
    def f(torch, x):
        found = {
            "max": lambda: (x.max(), *x.max(1), x.amax(1)),
            "min": lambda: (x.min(), *x.min(1), x.amin(0)),
            "sort": lambda: (*x.sort(stable=True), *x.sort(dim=1, descending=True, stable=True)),
            "cummax": lambda: (x.cummax(1).values, x.cummin(1).values),
            "arg": lambda: (x.argmax(1), x.argmin(0)),
            "median": lambda: (x.median(1).values,),
        }
        return found[name]()

    agree(value_and_gradients, f, TIES)


@needs_torch
@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 0, 3), (1, 1)])
def test_small_shapes(shape):
    def f(torch, x):
        parts = [x.sum(), x.prod(), x.sum(-1), x.cumsum(-1), x.softmax(-1), x.exp()]
        if x.numel():
            parts += [x.mean(), x.max(), *x.max(-1), x.logsumexp(-1)]
        return tuple(parts)

    agree(value_and_gradients, f, numbers(*shape))


def test_known_values():
    x = ours.tensor([[1.0, 5.0], [7.0, 2.0]], requires_grad=True)
    found = x.max(dim=1)
    assert found.indices.tolist() == [1, 0]
    found.values.sum().backward()
    assert x.grad.tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert ours.tensor([1.0, 2.0, 4.0]).std().item() == pytest.approx(np.std([1, 2, 4], ddof=1))
    with pytest.raises(RuntimeError, match="the tensor is Long"):
        ours.arange(3).mean()
    with pytest.raises(IndexError, match="is outside a tensor of 2 axes"):
        x.sum(2)
