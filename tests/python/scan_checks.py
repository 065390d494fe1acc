"""The plain loop that a scan stands for, and how results of both are compared."""

import numpy as np

import tapegrad as tg
from tapegrad import _core
from tapegrad._tree import fill, leaves


def stack(items):
    if any(isinstance(x, tg.Variable) for x in items):
        return _core.apply("stack", tuple(items), (0,))
    return np.stack(items)


def loop(f, init, xs=None, length=None, reverse=False):
    """What scan promises, step by step."""
    n = length if length is not None else len(leaves(xs)[0][1])
    carry, ys = init, [None] * n
    for t in reversed(range(n)) if reverse else range(n):
        carry, ys[t] = f(carry, fill(xs, iter([x[t] for _, x in leaves(xs)])))
    columns = zip(*[[x for _, x in leaves(y)] for y in ys], strict=True)
    return carry, fill(ys[0], iter([stack(list(column)) for column in columns]))


def assert_close(found, expected, tol=1e-12):
    found, expected = leaves(found), leaves(expected)
    assert [path for path, _ in found] == [path for path, _ in expected]
    for (path, x), (_, y) in zip(found, expected, strict=True):
        x, y = tg.value(x), tg.value(y)
        assert np.shape(x) == np.shape(y), path
        assert np.asarray(x).dtype == np.asarray(y).dtype, path
        np.testing.assert_allclose(x, y, rtol=tol, atol=tol, err_msg=path)


def total(tree):
    return sum(np.sum(np.sin((k + 1) * x)) for k, (_, x) in enumerate(leaves(tree)))
