"""One check of a NumPy function on Variables: values, derivatives, programs and lanes."""

import numpy as np

import tapegrad as tg


def parts(x):
    """The arrays of a result, which may be nested tuples."""
    return [p for item in x for p in parts(item)] if isinstance(x, (tuple, list)) else [x]


def assert_same_kinds(found, expected):
    """Whether Variables stand for numbers where NumPy gives such, and for arrays elsewhere."""
    for x, e in zip(parts(found), parts(expected), strict=True):
        if isinstance(e, (np.ndarray, np.inexact, float)):
            assert isinstance(x, np.ndarray) == isinstance(e, np.ndarray)


def assert_equal_parts(found, expected, rtol):
    for x, e in zip(parts(found), parts(expected), strict=True):
        x = tg.value(x)
        assert np.shape(x) == np.shape(e)
        assert np.asarray(x).dtype == np.asarray(e).dtype
        np.testing.assert_allclose(x, e, rtol=rtol, atol=rtol / 10)


def agrees(f, calls, *, smooth=True, lanes=True, rtol=1e-13):
    """`f` of Variables is what NumPy gives: once, compiled with changing arguments, and in lanes.

    `calls` are tuples of arguments, of equal shapes; at the first of them `f` is `smooth`.
    """
    with np.errstate(all="ignore"):
        expected = [f(*args) for args in calls]
    for args, e in zip(calls, expected, strict=True):
        found = f(*map(tg.Variable, args))
        assert_equal_parts(found, e, rtol)
        assert_same_kinds(found, e)
    if smooth:
        tg.testing.check_grads(f, calls[0])

    def loss(*args):
        return sum(np.sum(x * x) for x in parts(f(*args)))

    gradient = tg.grad(loss, tuple(range(len(calls[0]))))
    compiled, compiled_gradient = tg.compile(f), tg.compile(gradient)
    for args, e in zip(calls * 2, expected * 2, strict=True):
        assert_equal_parts(compiled(*args), e, rtol)
        assert_equal_parts(compiled_gradient(*args), tg.value(gradient(*args)), 100 * rtol)
    if lanes:
        rows = parts(tg.vmap(f)(*map(np.stack, zip(*calls, strict=True))))
        wanted = [np.stack(e) for e in zip(*map(parts, expected), strict=True)]
        assert_equal_parts(rows, wanted, rtol)
    return compiled
