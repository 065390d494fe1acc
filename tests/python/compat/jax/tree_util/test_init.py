"""Pytrees: orders, structures, paths and registered classes."""

from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.compat import jax

tu = jax.tree_util
Pair = namedtuple("Pair", ["x", "y"])


def test_orders_and_structures():
    tree = {"b": [1, None, (2, 3)], "a": Pair(4, 5)}
    leaves, structure = tu.tree_flatten(tree)
    assert leaves == [4, 5, 1, 2, 3]
    assert structure.unflatten(leaves) == tree
    assert isinstance(structure.unflatten(leaves)["a"], Pair)
    assert str(structure).startswith("{'a': CustomNode(Pair")
    assert repr(tu.tree_structure(({"k": 1}, [2], None))) == "PyTreeDef(({'k': *}, [*], None))"
    assert structure == tu.tree_structure(tree)
    assert hash(structure) == hash(tu.tree_structure(tree))
    assert structure != tu.tree_structure({"b": [1, None, [2, 3]], "a": Pair(4, 5)})
    assert (structure.num_leaves, structure.num_nodes) == (5, 10)
    assert tu.tree_leaves(OrderedDict(z=1, a=2)) == [1, 2]
    assert tu.tree_map(lambda x: -x, defaultdict(list, a=1)) == {"a": -1}
    assert tu.tree_leaves([1, [2]], is_leaf=lambda x: x == [2]) == [1, [2]]
    assert tu.tree_structure(5).node_data() is None
    assert tu.treedef_is_leaf(tu.tree_structure(5))
    assert tu.treedef_children(tu.treedef_tuple([structure])) == [structure]
    assert tu.all_leaves([1, 2])
    assert not tu.all_leaves([1, [2]])
    composed = tu.tree_structure([0, 0]).compose(tu.tree_structure((0,)))
    assert composed == tu.tree_structure([(0,), (0,)])


def test_maps_say_where_trees_differ():
    assert jax.tree.map(lambda x, y: (x, y), {"a": 1}, {"a": [2, 3]}) == {"a": (1, [2, 3])}
    with pytest.raises(ValueError, match=r"tree\['a'\] is a tuple of length 2"):
        jax.tree.map(lambda x, y: x, {"a": [1, 2]}, {"a": (1, 2)})
    with pytest.raises(ValueError, match=r"has 1 children, and the first tree 2"):
        jax.tree.map(lambda x, y: x, [1, 2], [1])
    with pytest.raises(ValueError, match="3 leaves for a structure of 2"):
        tu.tree_unflatten(tu.tree_structure([0, 0]), [1, 2, 3])


def test_paths():
    found = tu.tree_flatten_with_path({"a": [1, Pair(2, 3)]})[0]
    assert [tu.keystr(path) for path, _ in found] == ["['a'][0]", "['a'][1].x", "['a'][1].y"]
    assert tu.keystr(found[1][0], simple=True, separator="/") == "a/1/x"
    named = tu.tree_map_with_path(lambda path, x: f"{tu.keystr(path)}={x}", {"w": 1})
    assert named == {"w": "['w']=1"}
    assert tu.tree_leaves_with_path([7])[0] == ((tu.SequenceKey(0),), 7)
    assert str(tu.FlattenedIndexKey(1)) == "[<flat index 1>]"


def test_reductions_and_broadcasts():
    assert tu.tree_reduce(lambda a, b: a + b, [1, (2, 3)]) == 6
    assert tu.tree_reduce(lambda a, b: a + b, [], 5) == 5
    assert tu.tree_broadcast({"a": 1, "b": 2}, {"a": [0, 0], "b": 0}) == {"a": [1, 1], "b": 2}
    turned = tu.tree_transpose(tu.tree_structure((0, 0)), None, ({"x": 1}, {"x": 2}))
    assert turned == {"x": (1, 2)}


def test_partials_are_containers():
    scaled = tu.Partial(lambda a, x: a * x, 3.0)
    assert tu.tree_leaves(scaled) == [3.0]
    found = jax.grad(lambda f: f(2.0))(scaled)
    assert found.args == (2.0,)


@tu.register_pytree_node_class
class Polynomial:
    def __init__(self, coefficients, degree):
        self.coefficients, self.degree = coefficients, degree

    def __call__(self, x):
        total = 0.0
        for k in range(self.degree + 1):
            total = total + self.coefficients[k] * x**k
        return total

    def tree_flatten(self):
        return (self.coefficients,), self.degree

    @classmethod
    def tree_unflatten(cls, degree, children):
        return cls(*children, degree)


def test_registered_classes_everywhere():
    c = jax.numpy.array([1.0, 2.0, 3.0])
    p = Polynomial(c, 2)

    def at(p, x):
        return p(x)

    found = jax.grad(at)(p, 2.0)
    assert isinstance(found, Polynomial)
    np.testing.assert_array_equal(found.coefficients, [1.0, 2.0, 4.0])
    # What is no child is part of the program: another degree is another one.
    fast = jax.jit(at)
    for _ in range(4):
        assert fast(p, 2.0) == 17.0
        assert fast(Polynomial(c, 1), 2.0) == 5.0
    many = Polynomial(jax.numpy.stack([c, 2 * c]), 2)
    np.testing.assert_array_equal(jax.vmap(at, in_axes=(0, None))(many, 2.0), [17.0, 34.0])

    def step(p, x):
        return (Polynomial(p.coefficients * x, p.degree), p(x))

    last, values = jax.lax.scan(step, p, jax.numpy.array([1.0, 2.0]))
    np.testing.assert_array_equal(last.coefficients, 2 * c)
    np.testing.assert_array_equal(values, [6.0, 17.0])
    assert tu.tree_map(lambda x: -x, p).degree == 2
    # tapegrad's own transforms take them too.
    plain = Polynomial(np.array([1.0, 2.0, 3.0]), 2)
    np.testing.assert_array_equal(tg.grad(at)(plain, 2.0).coefficients, [1.0, 2.0, 4.0])
    assert str(tg._tree.leaves(Polynomial(5.0, 2), "p")[0][0]) == "p[<flat index 0>]"


def test_data_without_a_hash_is_refused_in_programs():
    @tu.register_pytree_node_class
    class Listed(Polynomial):
        def tree_flatten(self):
            return (self.coefficients,), [self.degree]

        @classmethod
        def tree_unflatten(cls, data, children):
            return cls(*children, data[0])

    program = tg.compile(lambda p: p(2.0))
    with pytest.warns(UserWarning, match=r"holds a Listed whose fixed part \[2\] has no hash"):
        found = program(Listed(np.array([1.0, 2.0, 3.0]), 2))
    assert found == 17.0


def test_dataclasses():
    @tu.register_dataclass
    @dataclass
    class State:
        x: Any
        name: str = field(metadata={"static": True}, default="s")

    @partial(tu.register_dataclass, data_fields=["a"], meta_fields=["b"])
    @dataclass
    class Other:
        a: Any
        b: int

    assert tu.tree_leaves([State(1.0), Other(2.0, 3)]) == [1.0, 2.0]
    assert jax.tree.map(lambda x: 2 * x, State(1.0, "t")) == State(2.0, "t")
    assert [tu.keystr(p) for p, _ in tu.tree_leaves_with_path(State(1.0))] == [".x"]
    assert jax.grad(lambda s: s.x**2 * len(s.name))(State(3.0)).x == 6.0
    with pytest.raises(ValueError, match="each field belongs to one of them"):
        tu.register_dataclass(State, data_fields=["x"], meta_fields=[])
    with pytest.raises(TypeError, match="give both data_fields and meta_fields"):
        tu.register_dataclass(State, data_fields=["x"])
    with pytest.raises(ValueError, match="Other is registered already"):
        tu.register_pytree_node(Other, lambda x: ((), None), lambda d, c: None)

    @tu.register_static
    @dataclass(frozen=True)
    class Settings:
        n: int

    assert tu.tree_leaves(Settings(3)) == []
    power = jax.jit(lambda s, x: x**s.n)
    assert [power(Settings(n), 2.0) for n in (2, 3, 2, 3)] == [4.0, 8.0, 4.0, 8.0]


def test_keyed_classes():
    @tu.register_pytree_with_keys_class
    class Point:
        def __init__(self, x, y):
            self.x, self.y = x, y

        def tree_flatten_with_keys(self):
            return ((tu.GetAttrKey("x"), self.x), (tu.GetAttrKey("y"), self.y)), None

        @classmethod
        def tree_unflatten(cls, data, children):
            return cls(*children)

    assert [tu.keystr(p) for p, _ in tu.tree_leaves_with_path(Point(1, 2))] == [".x", ".y"]
    assert jax.grad(lambda p: p.x * p.y)(Point(2.0, 3.0)).y == 2.0
