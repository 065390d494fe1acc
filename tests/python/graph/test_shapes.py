"""What is known before a run."""

import operator

import numpy as np

from tapegrad.graph.nodes import Graph
from tapegrad.graph.operations import Call, Placeholder
from tapegrad.graph.shapes import static

F32 = np.dtype(np.float32)


def test_open_lengths_stay_open():
    g = Graph()
    x = g.node(Placeholder(F32, (None, 3)))
    w = g.node(Placeholder(F32, (3, 4)))
    y = g.node(Call(operator.matmul, (x, w)))
    assert static(y) == (F32, (None, 4))
    assert static(g.node(Call(np.sum, (y,), {"axis": 0}))) == (F32, (4,))
    assert static(g.node(Call(np.reshape, (y, (-1, 2))))) == (F32, (None, 2))
    assert static(g.node(Call(np.argmax, (y, 1)))) == (np.dtype(np.int64), (None,))


def test_what_has_no_shape_has_none():
    g = Graph()
    x = g.node(Placeholder(F32, None))
    assert static(x) == (F32, None)
    assert static(g.node(Call(np.exp, (x,)))) == (F32, None)


def test_what_can_not_be_computed_is_unknown():
    g = Graph()
    x = g.node(Placeholder(F32, (2, 3)))
    y = g.node(Placeholder(F32, (2, 3)))
    assert static(g.node(Call(operator.matmul, (x, y)))) == (None, None)


def test_long_chains_need_no_stack():
    g = Graph()
    x = g.node(Placeholder(F32, (2,)))
    for _ in range(5000):
        x = g.node(Call(operator.add, (x, 1)))
    assert static(x) == (F32, (2,))
