"""What is fed, what comes out, what is kept."""

import gc
import linecache
import operator

import numpy as np
import pytest

from tapegrad.graph.emit import MissingFeedError
from tapegrad.graph.nodes import Graph
from tapegrad.graph.operations import Assign, Call, Constant, Placeholder, State
from tapegrad.graph.plans import Plan, Store, UninitializedError

F64 = np.dtype(np.float64)


@pytest.fixture
def g():
    return Graph()


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "bool"])
@pytest.mark.parametrize("shape", [(), (3,), (0,), (2, 0, 3), (2, 3)])
def test_values_come_back_with_dtype_and_shape(g, dtype, shape):
    kind = np.dtype(dtype)
    x = g.node(Placeholder(kind, shape), "x")
    plan = Plan(Store(), [x], [x])
    given = np.ones(shape, kind)
    for _ in range(5):
        (found,) = plan.run(given)
        assert np.asarray(found).dtype == kind
        assert np.shape(found) == shape
        assert found is not given


def test_one_plan_takes_a_scalar_and_vectors_of_any_length(g):
    x = g.node(Placeholder(F64, None), "x")
    total = g.node(Call(np.sum, (g.node(Call(np.square, (x,))),)))
    plan = Plan(Store(), [total], [x])
    for given in (2.0, np.float64(3.0), np.arange(17.0), np.arange(8.0), 2.0, np.arange(17.0), 1):
        assert plan.run(given) == [np.sum(np.square(given))]


def test_strided_and_read_only_feeds(g):
    x = g.node(Placeholder(F64, (None, None)), "x")
    y = g.node(Call(operator.mul, (x, 2.0)))
    plan = Plan(Store(), [y], [x])
    base = np.arange(24.0).reshape(4, 6)
    fixed = base.copy()
    fixed.flags.writeable = False
    for given in (base[::2, ::-1], base.T, fixed, base[::2, ::-1], base.T, fixed):
        assert np.array_equal(plan.run(given)[0], 2 * given)


def test_what_is_fed_must_fit(g):
    x = g.node(Placeholder(F64, (None, 3)), "x")
    plan = Plan(Store(), [x], [x])
    with pytest.raises(
        ValueError, match=r"\(2,\) for 'x', made at .*test_plans.py:\d+, whose shape"
    ):
        plan.run(np.ones(2))
    with pytest.raises(TypeError, match="dtype"):
        plan.run(np.ones((2, 3), complex))
    n = g.node(Placeholder(np.dtype(np.int32), None), "n")
    with pytest.raises(TypeError, match=r"'n'.*int32"):
        Plan(Store(), [n], [n]).run(1.5)


def test_what_is_missing_is_named(g):
    x = g.node(Placeholder(F64, None), "x")
    with pytest.raises(MissingFeedError) as caught:
        Plan(Store(), [g.node(Call(np.sin, (x,)))])
    assert caught.value.node is x
    w = g.node(State(F64, (), 0.0), "w")
    plan = Plan(Store(), [w])
    with pytest.raises(UninitializedError) as caught:
        plan.run()
    assert caught.value.node is w


def test_nobody_can_write_into_a_state(g):
    store = Store()
    x = g.node(Placeholder(F64, None), "x")
    w = g.node(State(F64, (2,), None), "w")
    store.set(w, np.zeros(2))
    assigned = g.node(Assign(w, x))
    viewed = g.node(Assign(w, g.node(Call(np.transpose, (x,)))))
    for target in (assigned, viewed):
        plan = Plan(store, [target], [x])
        for _ in range(5):
            given = np.array([1.0, 2.0])
            (out,) = plan.run(given)
            given[:] = 7.0
            out[:] = 8.0
            assert store.get(w).tolist() == [1.0, 2.0]
            store.get(w)[:] = 9.0
            assert store.get(w).tolist() == [1.0, 2.0]


def test_constants_are_copied(g):
    held = np.array([1.0, 2.0])
    c = g.node(Constant(held))
    plan = Plan(Store(), [c, g.node(Call(operator.mul, (c, 2.0)))])
    for _ in range(5):
        held[:] = 5.0
        found = plan.run()
        assert [x.tolist() for x in found] == [[1.0, 2.0], [2.0, 4.0]]
        found[0][:] = 9.0


def test_intermediate_values_can_be_fed(g):
    x = g.node(Placeholder(F64, None), "x")
    y = g.node(Call(np.square, (x,)))
    z = g.node(Call(operator.add, (y, 1.0)))
    assert Plan(Store(), [z], [y]).run(10.0) == [11.0]


def test_an_error_names_node_and_line_in_replays_too(g):
    x = g.node(Placeholder(F64, None), "x")
    y = g.node(Call(np.linalg.inv, (x,)), "inverse")
    plan = Plan(Store(), [y], [x])
    for _ in range(5):
        plan.run(np.eye(2))
    with pytest.raises(np.linalg.LinAlgError, match="in node 'inverse', made at"):
        plan.run(np.zeros((2, 2)))
    assert np.array_equal(plan.run(np.eye(2))[0], np.eye(2))


def test_what_runs_once_is_not_compiled(g):
    plan = Plan(Store(), [g.node(Constant(1.0))])
    plan.run()
    assert plan.compiled.inspect().signatures == []


SCALE = 2.0


def scaled(x):
    return SCALE * x


def test_functions_of_the_users_are_watched(g, monkeypatch):
    x = g.node(Placeholder(F64, None), "x")
    y = g.node(Call(scaled, (x,)))
    z = g.node(Call(np.vectorize(scaled, otypes=[float]), (x,), foreign=True))
    plan = Plan(Store(), [y], [x])
    for _ in range(4):
        assert plan.run(3.0) == [6.0]
    monkeypatch.setattr(f"{__name__}.SCALE", 5.0)
    assert plan.run(3.0) == [15.0]
    assert Plan(Store(), [z], [x]).run(np.array([3.0]))[0].tolist() == [15.0]


def test_sources_are_not_dropped_by_the_garbage_collector(g):
    """Whoever goes over the sources, as each traceback does, may be in the middle of it."""

    def own_sources():
        return [name for name in linecache.cache if name.startswith("<tapegrad graph")]

    x = g.node(Placeholder(F64, None), "x")
    plan = Plan(Store(), [g.node(Call(np.square, (x,)))], [x])
    name = plan.function.__code__.co_filename
    assert "square" in plan.text
    assert linecache.getlines(name) == plan.text.splitlines(keepends=True)
    del plan
    gc.collect()
    assert name in own_sources()
    Plan(Store(), [x], [x])
    assert name not in own_sources()
