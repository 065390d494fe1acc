"""What is run, in which order, and what derivatives go through."""

import operator

import numpy as np
import pytest

from tapegrad.graph.control import Branch, Loop, Scan, make_body
from tapegrad.graph.derivatives import gradients
from tapegrad.graph.nodes import Graph
from tapegrad.graph.operations import (
    Assign,
    Call,
    Draw,
    Group,
    Parameter,
    Placeholder,
    Read,
    State,
    item,
)
from tapegrad.graph.plans import Plan, Store

F64 = np.dtype(np.float64)


class Made:
    """A graph, and short ways to make its nodes."""

    def __init__(self):
        self.graph = Graph()
        self.store = Store()

    def call(self, f, *args, **kwargs):
        return self.graph.node(Call(f, args, **kwargs))

    def input(self, name="x"):
        return self.graph.node(Placeholder(F64, None), name)

    def state(self, value, name="w"):
        made = self.graph.node(State(F64, np.shape(value), value), name)
        self.store.set(made, value)
        return made

    def runs(self, outputs, feeds, *calls, targets=()):
        """The outputs of each call: plain, while recorded, and of the program."""
        plan = Plan(self.store, outputs, feeds, targets)
        return [[np.asarray(x).tolist() for x in plan.run(*call)] for call in calls]


@pytest.fixture
def g():
    return Made()


def test_a_gradient_and_its_value_replay_as_one_program(g):
    x, w = g.input(), g.state(3.0)
    y = g.call(operator.mul, x, g.call(np.square, w))
    (slope,) = gradients([y], [w])
    found = g.runs([y, slope], [x], *[(float(k),) for k in range(1, 7)])
    assert found == [[9.0 * k, 6.0 * k] for k in range(1, 7)]
    plan = Plan(g.store, [y, slope], [x])
    for _ in range(5):
        plan.run(1.0)
    assert plan.compiled.inspect().signatures[0].replays == 2


def test_gradients_of_gradients(g):
    x = g.input()
    y = g.call(np.power, x, 4)
    (first,) = gradients([y], [x])
    (second,) = gradients([first], [x])
    (third,) = gradients([g.call(operator.mul, second, first)], [x])
    assert (
        g.runs([first, second, third], [x], *[(2.0,)] * 5) == [[32.0, 48.0, 48.0**2 + 32 * 48]] * 5
    )


def test_gradients_are_total(g):
    w = g.state(2.0)
    h = g.call(np.square, w)
    y = g.call(np.square, h)
    assert g.runs(gradients([y], [w, h]), [], (), ()) == [[32.0, 8.0]] * 2


def test_what_does_not_lead_to_the_result_has_no_gradient(g):
    w, u = g.state(2.0), g.state(1.0, "u")
    cut = g.graph.node(Call(np.floor, (u,), cuts=True))
    y = g.call(operator.mul, w, cut)
    assert gradients([y], [u]) == [None]
    assert g.runs(gradients([y], [w]), [], ()) == [[1.0]]


def test_states_are_read_as_before_the_run(g):
    w = g.state(1.0)
    new = g.graph.node(Assign(w, g.call(operator.add, w, 1.0)))
    double = g.call(operator.mul, w, 2.0)
    assert g.runs([double, w, new], [], (), (), ()) == [
        [2.0, 1.0, 2.0],
        [4.0, 2.0, 3.0],
        [6.0, 3.0, 4.0],
    ]


def test_control_dependencies_are_waited_for(g):
    w = g.state(1.0)
    new = g.graph.node(Assign(w, g.call(operator.add, w, 1.0)))
    with g.graph.control_dependencies([new]):
        read = g.graph.node(Read(w))
        double = g.call(operator.mul, w, 2.0)
        (slope,) = gradients([g.call(np.square, w)], [w])
    assert g.runs([w, read, double, slope], [], (), ()) == [
        [1.0, 2.0, 4.0, 4.0],
        [2.0, 3.0, 6.0, 6.0],
    ]


def test_nothing_is_written_where_a_run_fails(g):
    w, x = g.state(1.0), g.input()
    first = g.graph.node(Assign(w, g.call(operator.add, w, 1.0)))
    with g.graph.control_dependencies([first]):
        bad = g.call(np.linalg.inv, x)
    plan = Plan(g.store, [bad], [x])
    with pytest.raises(np.linalg.LinAlgError, match=r"in node 'inv', made at .*test_emit.py:\d+"):
        plan.run(np.zeros((2, 2)))
    assert g.store.get(w) == 1.0


def branch(g, condition, a, b):
    bodies = [make_body(g.graph, f, ()) for f in (a, b)]
    return item(g.graph.node(Branch(condition, *bodies)), 0)


def test_a_branch_runs_one_side_and_is_differentiated(g):
    x, w = g.input(), g.state(3.0)
    chosen = branch(
        g,
        g.call(operator.gt, x, 0.0),
        lambda: [g.call(operator.mul, w, x)],
        lambda: [g.call(np.square, w)],
    )
    (slope,) = gradients([chosen], [w])
    found = g.runs([chosen, slope], [x], (2.0,), (-1.0,), (2.0,), (4.0,), (-1.0,))
    assert found == [[6.0, 2.0], [9.0, 6.0], [6.0, 2.0], [12.0, 4.0], [9.0, 6.0]]
    bad = branch(
        g,
        g.call(operator.gt, x, 0.0),
        lambda: [g.call(operator.mul, w, x)],
        lambda: [g.call(np.linalg.inv, x)],
    )
    assert g.runs([bad, *gradients([bad], [w])], [x], *[(2.0,)] * 5) == [[6.0, 2.0]] * 5


def test_a_branch_may_assign(g):
    x, w = g.input(), g.state(1.0)
    chosen = branch(
        g,
        g.call(operator.gt, x, 0.0),
        lambda: [g.graph.node(Assign(w, 10.0))],
        lambda: [g.graph.node(Assign(w, g.call(operator.mul, w, 2.0)))],
    )
    assert [r[0] for r in g.runs([chosen], [x], (-1.0,), (-1.0,), (1.0,), (-1.0,))] == [
        2.0,
        4.0,
        10.0,
        20.0,
    ]
    assert g.store.get(w) == 20.0


def test_a_differentiated_branch_assigns_once(g):
    """Its nodes are written twice, inside of the gradient's function and outside."""
    x, w, count = g.input(), g.state(3.0), g.state(0.0, "count")

    def side():
        with g.graph.control_dependencies(
            [g.graph.node(Assign(count, g.call(operator.add, count, 1.0)))]
        ):
            return [g.call(operator.mul, w, x)]

    chosen = branch(g, g.call(operator.gt, x, 0.0), side, lambda: [g.call(np.square, w)])
    (slope,) = gradients([chosen], [w])
    assert g.runs([slope], [x], *[(2.0,)] * 5) == [[2.0]] * 5
    assert g.store.get(count) == 5.0


def loop(g, start, condition, step):
    bodies = []
    for f in (condition, step):
        given = [g.graph.node(Parameter(s)) for s in start]
        bodies.append(make_body(g.graph, lambda f=f, given=given: f(*given), given))
    node = g.graph.node(Loop(start, *bodies))
    return [item(node, k) for k in range(len(start))]


def test_a_loop_runs_as_often_as_it_must(g):
    x, w = g.input(), g.state(1.0)
    one = g.call(operator.mul, w, 1.0)
    (end,) = loop(
        g, [one], lambda v: [g.call(operator.lt, v, x)], lambda v: [g.call(operator.mul, v, 2.0)]
    )
    (slope,) = gradients([end], [w])
    found = g.runs([end, slope], [x], (5.0,), (5.0,), (9.0,), (0.0,), (5.0,))
    assert found == [[8.0, 8.0], [8.0, 8.0], [16.0, 16.0], [1.0, 1.0], [8.0, 8.0]]


def scanned(g, start, xs, step, backwards=False):
    given = [g.graph.node(Parameter(start)), g.graph.node(Parameter(xs, lambda x: x[0]))]
    body = make_body(g.graph, lambda: step(*given), given)
    node = g.graph.node(Scan([start], [xs], body, None, backwards))
    return item(node, 0), item(node, 1)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_scan(g, backwards):
    x, w = g.input(), g.state(2.0)

    def step(c, e):
        new = g.call(operator.add, g.call(operator.mul, w, c), e)
        return [new, new]

    last, all_ = scanned(g, g.call(operator.mul, w, 0.0), x, step, backwards)
    (slope,) = gradients([last], [w])
    values = np.array([1.0, 2.0, 3.0])
    c, expected = 0.0, []
    for e in values[::-1] if backwards else values:
        c = 2.0 * c + e
        expected.append(c)
    a, b = (3.0, 2.0) if backwards else (1.0, 2.0)
    found = g.runs([last, all_, slope], [x], *[(values,)] * 5)
    assert found == [[c, expected[::-1] if backwards else expected, 2 * 2.0 * a + b]] * 5


def drawn(rng):
    return rng.normal()


def test_a_draw_is_the_same_wherever_a_run_reads_it(g):
    w = g.state(2.0)
    noise = g.graph.node(Draw(drawn, (), 0, "noise"))
    y = g.call(operator.mul, w, noise)
    chosen = branch(
        g,
        g.call(operator.gt, w, 0.0),
        lambda: [g.call(operator.mul, w, g.graph.node(Draw(drawn, (), 1, "inner")))],
        lambda: [w],
    )
    outputs = [noise, *gradients([y], [w]), chosen, *gradients([chosen], [w])]
    found = np.array(g.runs(outputs, [], *[()] * 5))
    assert np.array_equal(found[:, 0], found[:, 1])
    assert np.allclose(found[:, 2], 2 * found[:, 3])
    assert len(set(found[:, 0])) == len(set(found[:, 3])) == 5


def test_draws_in_a_loop_are_others_in_each_turn(g):
    w = g.state(1.0)
    zero = g.call(operator.mul, w, 0.0)
    _, total = loop(
        g,
        [zero, zero],
        lambda k, t: [g.call(operator.lt, k, 3.0)],
        lambda k, t: [
            g.call(operator.add, k, 1.0),
            g.call(operator.add, t, g.call(operator.mul, w, g.graph.node(Draw(drawn, (), 5, "d")))),
        ],
    )
    (slope,) = gradients([total], [w])
    found = np.array(g.runs([total, slope], [], *[()] * 5))
    assert np.allclose(found[:, 0], found[:, 1])
    rng = np.random.default_rng(5)
    assert np.allclose(found[:, 0], [sum(rng.normal() for _ in range(3)) for _ in range(5)])


def test_what_belongs_to_a_loop_is_refused_outside(g):
    leaked = []
    one = g.call(operator.mul, g.state(1.0), 1.0)
    loop(g, [one], lambda v: [g.call(operator.lt, v, 0.0)], lambda v: leaked.append(v) or [v])
    with pytest.raises(ValueError, match="outside of the loop"):
        Plan(g.store, [g.call(operator.mul, leaked[0], 2.0)], [])


def test_groups_have_no_value(g):
    w = g.state(1.0)
    group = g.graph.node(Group([g.graph.node(Assign(w, 5.0))]))
    plan = Plan(g.store, [], [], [group])
    assert plan.run() is None
    assert g.store.get(w) == 5.0


def random_order(seed):
    """A graph of reads, writes and control dependencies, and what a run of it means."""
    rng = np.random.default_rng(seed)
    g = Made()
    states = [g.state(float(k + 1), f"s{k}") for k in range(3)]
    made = list(states)
    above = {}  # of each node, what it comes after

    def add(operation, inputs):
        controls = [n for n in made if n not in states and rng.random() < 0.15]
        with g.graph.control_dependencies(controls):
            node = g.graph.node(operation)
        before = [*inputs, *controls]
        above[node] = {*before, *(a for n in before for a in above.get(n, ()))}
        made.append(node)

    for _ in range(12):
        a, b = rng.choice(len(made), 2)
        if rng.random() < 0.4:
            add(Assign(states[rng.integers(3)], made[a]), [made[a]])
        else:
            function = (operator.add, operator.sub)[rng.integers(2)]
            add(Call(function, (made[a], made[b])), [made[a], made[b]])
    outputs = [n for n in made if n not in states]

    def meaning(values):
        found, now = {}, dict(zip(states, values, strict=True))

        def read(node, x):
            if x not in states:
                return found[x]
            writes = [
                n for n in above[node] if isinstance(n.operation, Assign) and n.operation.state is x
            ]
            last = max(writes, key=lambda n: n.index, default=None)
            return now[x] if last is None else found[last]

        for node in outputs:
            if isinstance(node.operation, Assign):
                found[node] = read(node, node.operation.value)
            else:
                found[node] = node.operation.function(*(read(node, x) for x in node.inputs))
        after = list(values)
        for node in outputs:
            if isinstance(node.operation, Assign):
                after[states.index(node.operation.state)] = found[node]
        return [found[n] for n in outputs], after

    return g, states, outputs, meaning


@pytest.mark.parametrize("seed", range(40))
def test_random_orders(seed):
    g, states, outputs, meaning = random_order(seed)
    plan = Plan(g.store, outputs, [])
    values = [g.store.get(s) for s in states]
    for _ in range(6):
        expected, values = meaning(values)
        assert plan.run() == expected
        assert [g.store.get(s) for s in states] == values
