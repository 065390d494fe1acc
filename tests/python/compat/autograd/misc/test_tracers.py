"""const_graph: called once, and loud where the record does not hold."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.compat.autograd.misc.tracers import const_graph, const_graph_unary


def test_called_once_for_each_shape():
    calls = []

    def f(a, x):
        calls.append(x)
        return {"y": a * np.sin(x), "pair": (np.sum(x), 7)}

    g = const_graph(f, 2.0)
    for x in (np.ones(2), np.array([0.5, 3.0]), np.zeros(2)):
        found = g(x)
        assert np.allclose(found["y"], 2 * np.sin(x))
        assert found["pair"] == (x.sum(), 7)
    assert len(calls) == 1
    g(np.ones(3))
    assert len(calls) == 2
    assert g.__name__ == "f"


def test_derivatives_of_every_order():
    g = const_graph_unary(lambda x: np.sum(x**3))
    x = np.array([1.0, 2.0])
    for _ in range(2):
        assert np.allclose(tg.grad(g)(x), 3 * x**2)
        assert np.allclose(tg.hessian(g)(x), np.diag(6 * x))
        assert np.allclose(tg.jvp(g, (x,), (x,))[1], 3 * np.sum(x**3))


def test_derivatives_inside():
    g = const_graph(lambda x: tg.grad(lambda y: x * y**2)(x))
    assert [g(1.0), g(3.0)] == [2.0, 18.0]


def test_another_branch_raises():
    g = const_graph(lambda x: x if x > 0 else -x)
    assert g(2.0) == 2.0
    with pytest.raises(RuntimeError, match=r"another way than when .* tg\.compile"):
        g(-2.0)
    assert g(3.0) == 3.0


def test_what_no_record_stands_for_is_refused():
    def writes(x):
        x[0] = 0.0
        return x * 1.0

    with pytest.raises(RuntimeError, match="writes to an array that was passed"):
        const_graph(writes)(np.ones(2))
    with pytest.raises(TypeError, match="return numbers and arrays"):
        const_graph(lambda x: "text")(1.0)
