"""Stable and shorter forms give the same where both can be computed."""

import operator

import numpy as np
import pytest

from tapegrad.graph import rewrites
from tapegrad.graph.derivatives import gradients
from tapegrad.graph.nodes import Graph
from tapegrad.graph.operations import Call, Placeholder
from tapegrad.graph.plans import Plan, Store

F64 = np.dtype(np.float64)


def call(f, *args, label=""):
    (graph,) = {a.graph for a in args if not isinstance(a, int | float | None)}
    return graph.node(Call(f, args, label=label))


def total(x, axis, keepdims):
    return np.sum(x, axis=axis, keepdims=keepdims)


CASES = {
    "softplus": (
        lambda x: call(np.log, call(operator.add, 1, call(np.exp, x))),
        "stable logarithm",
    ),
    "softplus of log1p": (lambda x: call(np.log1p, call(np.exp, x)), "stable logarithm"),
    "log1p": (lambda x: call(np.log, call(operator.add, 1.0, call(np.square, x))), "log1p"),
    "expm1": (lambda x: call(operator.sub, call(np.exp, x), 1), "expm1"),
    "sigmoid": (
        lambda x: call(operator.truediv, 1, call(operator.add, 1, call(np.exp, x))),
        "sigmoid",
    ),
    "log of sigmoid": (lambda x: call(np.log, call(rewrites.sigmoid, x)), "stable logarithm"),
    "log of 1 - sigmoid": (
        lambda x: call(np.log, call(operator.sub, 1.0, call(rewrites.sigmoid, x))),
        "stable logarithm",
    ),
    "log of logistic": (
        lambda x: call(np.log, call(operator.truediv, 1, call(operator.add, 1, call(np.exp, x)))),
        "stable logarithm",
    ),
    "log of softmax": (lambda x: call(np.log, call(rewrites.softmax, x)), "stable logarithm"),
    "log-sum-exp": (
        lambda x: call(np.log, call(total, call(np.exp, x), None, False, label="Sum")),
        "log-sum-exp",
    ),
    "difference": (lambda x: call(operator.sub, x, x), "cancelled"),
    "quotient": (lambda x: call(operator.truediv, call(operator.mul, x, x), x), "cancelled"),
    "exp of log": (lambda x: call(np.exp, call(np.log, x)), "cancelled"),
    "zero": (lambda x: call(operator.add, x, 0), "neutral"),
    "one": (lambda x: call(operator.mul, 1.0, x), "neutral"),
}


@pytest.mark.parametrize("name", CASES)
def test_rewrite(name):
    make, rule = CASES[name]
    graph = Graph()
    x = graph.node(Placeholder(F64, (3,)), "x")
    y = make(x)
    outputs = [y, *(g for g in gradients([y], [x]) if g is not None)]
    view, counts = rewrites.rewritten(outputs)
    assert counts[rule] >= 1
    point = np.array([0.3, 1.2, 2.0])
    plain = Plan(Store(), outputs, [x]).run(point)
    with np.errstate(all="raise"):
        other = Plan(Store(), outputs, [x], view=view).run(point)
    for a, b in zip(plain, other, strict=True):
        assert np.allclose(a, b, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("softplus", [0.0, 1000.0]),
        ("log of sigmoid", [-1000.0, 0.0]),
        ("log of 1 - sigmoid", [0.0, -1000.0]),
        ("log of logistic", [0.0, -1000.0]),
        ("log-sum-exp", 1000.0),
    ],
)
def test_far_from_zero_they_are_exact(name, expected):
    graph = Graph()
    x = graph.node(Placeholder(F64, (2,)), "x")
    y = CASES[name][0](x)
    outputs = [y, *gradients([y], [x])]
    view, _ = rewrites.rewritten(outputs)
    value, slope = Plan(Store(), outputs, [x], view=view).run(np.array([-1000.0, 1000.0]))
    assert np.array_equal(value, expected)
    assert np.isfinite(slope).all()


def test_a_broadcast_is_not_cancelled():
    graph = Graph()
    x = graph.node(Placeholder(F64, (3,)), "x")
    y = graph.node(Placeholder(F64, (2, 3)), "y")
    z = call(operator.sub, call(operator.add, x, y), y)
    view, counts = rewrites.rewritten([z])
    assert not counts
    assert np.shape(Plan(Store(), [z], [x, y], view=view).run(np.ones(3), np.ones((2, 3)))[0]) == (
        2,
        3,
    )
