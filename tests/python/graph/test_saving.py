"""Graphs come back from bytes."""

import operator

import numpy as np
import pytest

from tapegrad.graph.derivatives import gradients
from tapegrad.graph.nodes import Graph
from tapegrad.graph.operations import Call, Placeholder
from tapegrad.graph.plans import Plan, Store
from tapegrad.graph.saving import NotSavableError, dumps, loads_into


def test_a_graph_with_gradients_and_long_chains():
    g = Graph()
    x = y = g.node(Placeholder(np.dtype(float), None), "x")
    for _ in range(3000):
        y = g.node(Call(operator.mul, (y, 1.001)))
    (slope,) = gradients([y], [x])
    again = Graph()
    loads_into(dumps(g), again)
    before, after = (
        Plan(Store(), [made.nodes[slope.index]], [made.names["x"]]).run(2.0) for made in (g, again)
    )
    assert before == after
    assert again.nodes[y.index].where == y.where
    assert again.unique_name("x") == "x_1"


def test_what_has_no_name_is_refused():
    g = Graph()
    g.node(Call(lambda x: x, (1.0,)))
    with pytest.raises(NotSavableError, match="by name"):
        dumps(g)
