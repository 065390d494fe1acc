"""Expressions as text."""

import operator

import numpy as np

from tapegrad.graph import printing
from tapegrad.graph.derivatives import gradients
from tapegrad.graph.nodes import Graph
from tapegrad.graph.operations import Call, Constant, Placeholder
from tapegrad.graph.plans import Plan, Store


def made():
    g = Graph()
    x = g.node(Placeholder(np.dtype(float), ()), "x")
    return g, x, g.node(Call(operator.pow, (x, 2)))


def test_formulas():
    g, x, y = made()
    c = g.node(Constant(1.5))
    whole = g.node(
        Call(operator.add, (g.node(Call(np.sin, (y,))), g.node(Call(operator.neg, (c,)))))
    )
    assert printing.formula(whole) == "(sin((x ** 2)) + (-1.5))"
    row = g.node(Call(operator.getitem, (x, slice(None, -1)), label="getitem"))
    assert printing.formula(row) == "x[:-1]"


def test_gradients_are_printed_as_they_are_recorded_and_computed():
    _, x, y = made()
    (slope,) = gradients([y], [x])
    assert not printing.is_plain(slope)
    plan = Plan(Store(), [slope], [x])
    assert printing.recorded_formulas(plan, Store()) == ["(1.0 * (2.0 * x))"]
    assert printing.program_formulas(plan, Store()) == ["(2.0 * x)"]


def test_trees_show_what_is_shared_once():
    g, _, y = made()
    twice = g.node(Call(operator.add, (y, y)))
    assert (
        printing.tree(twice)
        == f"add [id {twice.index}]\n |pow [id {y.index}]\n | |x\n | |2\n |pow [id {y.index}] ..."
    )
