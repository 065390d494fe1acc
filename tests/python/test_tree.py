"""Arguments and results in any nesting of containers."""

from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import _tree
from tapegrad._core import TreeMaker

Line = namedtuple("Line", ["slope", "intercept"])


class Layer(NamedTuple):
    weight: Any
    bias: Any


@dataclass
class Model:
    first: Any
    second: Any = None
    scale: Any = field(default=1.0, init=False)


@dataclass(frozen=True, slots=True)
class Frozen:
    w: Any
    parts: Any


class Tagged(list):
    tag = "none"


def total(tree):
    """A number that depends on every leaf: sum of squares of all."""
    if tree is None:
        return 0.0
    if isinstance(tree, dict):
        return sum(total(x) for x in tree.values())
    if isinstance(tree, list | tuple):
        return sum(total(x) for x in tree)
    if hasattr(tree, "__dataclass_fields__"):
        return sum(total(getattr(tree, name)) for name in tree.__dataclass_fields__)
    return np.sum(tree**2)


TREES = [
    2.0,
    np.array([1.0, 2.0]),
    (1.0, np.array([3.0])),
    [1.0, [2.0, 3.0], (4.0,)],
    {"w": np.ones((2, 2)), "b": 0.5, "none": None},
    OrderedDict([("z", 1.0), ("a", 2.0)]),
    defaultdict(list, {"x": 3.0}),
    Line(1.0, 2.0),
    {"layers": [Layer(np.ones((2, 3)), np.zeros(3)), Layer(np.ones((3, 1)), np.zeros(1))]},
    Model(np.array([1.0, 2.0]), {"deep": [1.0]}),
    Frozen(1.0, [np.array([2.0]), 3.0]),
    Tagged([1.0, 2.0]),
]


def same(a, b):
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            same(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    elif hasattr(a, "__dataclass_fields__"):
        for name in a.__dataclass_fields__:
            same(getattr(a, name), getattr(b, name))
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    else:
        assert a == b


def doubled(tree):
    if tree is None:
        return None
    if isinstance(tree, dict):
        copy = tree.copy()
        copy.update({key: doubled(x) for key, x in tree.items()})
        return copy
    if isinstance(tree, Tagged):
        return Tagged(doubled(list(tree)))
    if isinstance(tree, list):
        return [doubled(x) for x in tree]
    if isinstance(tree, tuple):
        items = [doubled(x) for x in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else tuple(items)
    if isinstance(tree, Model):
        copy = Model(doubled(tree.first), doubled(tree.second))
        copy.scale = doubled(tree.scale)
        return copy
    if isinstance(tree, Frozen):
        return Frozen(doubled(tree.w), doubled(tree.parts))
    return 2 * tree


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: type(tree).__name__)
def test_gradients_are_built_like_the_argument(tree):
    same(tg.grad(total)(tree), doubled(tree))
    value, gradient = tg.value_and_grad(total)(tree)
    assert value == total(tree)
    same(gradient, doubled(tree))
    _, pullback = tg.vjp(total, tree)
    same(pullback(0.5)[0], tg.grad(lambda t: 0.5 * total(t))(tree))
    value, tangent = tg.jvp(total, (tree,), (tree,))
    assert tangent == pytest.approx(2 * total(tree))
    same(tg.hvp(total, tree, tree), doubled(tree))


def test_attributes_of_container_subclasses_survive():
    tagged = Tagged([1.0, 2.0])
    tagged.tag = "mine"
    assert tg.grad(total)(tagged).tag == "mine"
    assert tg.grad(total)(defaultdict(list, x=1.0)).default_factory is list


def test_results_may_be_containers():
    def f(x):
        return {"double": 2 * x, "pair": (x[0], None), "line": Line(np.sum(x), 3.0)}

    x = np.array([1.0, 2.0])
    value, pullback = tg.vjp(f, x)
    same(value, {"double": 2 * x, "pair": (1.0, None), "line": Line(3.0, 3.0)})
    seed = {"double": np.ones(2), "pair": (1.0, None), "line": Line(1.0, 5.0)}
    np.testing.assert_array_equal(pullback(seed)[0], [4, 3])
    np.testing.assert_array_equal(pullback(seed)[0], [4, 3])  # as often as one likes
    value, tangent = tg.jvp(f, (x,), (np.array([1.0, 0.0]),))
    same(tangent, {"double": np.array([2.0, 0.0]), "pair": (1.0, None), "line": Line(1.0, 0.0)})
    jacobian = tg.jacobian(f)(x)
    same(jacobian["double"], 2 * np.eye(2))
    same(jacobian["line"], Line(np.ones(2), np.zeros(2)))


def test_jacobians_and_hessians_nest():
    def f(p):
        return np.stack([p["a"] * p["b"][0], np.sum(p["b"] ** 2)])

    p = {"a": 2.0, "b": np.array([3.0, 5.0, 7.0])}
    for mode in (None, "reverse", "forward"):
        jacobian = tg.jacobian(f, mode=mode)(p)
        np.testing.assert_array_equal(jacobian["a"], [3, 0])
        np.testing.assert_array_equal(jacobian["b"], [[2, 0, 0], [6, 10, 14]])
    hessian = tg.hessian(lambda p: f(p)[0] ** 2)(p)
    assert hessian["a"]["a"] == 18
    np.testing.assert_array_equal(hessian["a"]["b"], [24, 0, 0])
    np.testing.assert_array_equal(hessian["b"]["a"], [24, 0, 0])
    np.testing.assert_array_equal(hessian["b"]["b"], [[8, 0, 0], [0, 0, 0], [0, 0, 0]])


def test_several_arguments():
    def f(x, y, *, scale=1.0):
        return scale * np.sum(x * y**2)

    x, y = np.array([1.0, 2.0]), 3.0
    gx, gy = tg.grad(f, argnum=(0, 1))(x, y, scale=2.0)
    np.testing.assert_array_equal(gx, [18, 18])
    assert gy == 36
    assert type(gy) is float
    assert tg.grad(f, argnum=-1)(x, y) == 18
    jacobian = tg.jacobian(lambda x, y: x * y, argnum=(1, 0))(x, y)
    np.testing.assert_array_equal(jacobian[0], x)
    np.testing.assert_array_equal(jacobian[1], 3 * np.eye(2))
    assert tg.grad(f, argnum=[1])(x, y) == (18.0,)


def test_lists_of_variables_and_object_arrays_are_packed():
    def f(x):
        return np.array([np.sin(x), x**2, 1.0])

    jacobian = tg.jacobian(f)(0.5)
    np.testing.assert_allclose(jacobian, [np.cos(0.5), 1, 0])
    assert jacobian.dtype == float
    assert tg.grad(lambda x: np.sum(np.cos(np.array([x, 2 * x]))))(0.5) == pytest.approx(
        -np.sin(0.5) - 2 * np.sin(1.0)
    )
    weights = tg.Variable([1.0, 10.0])
    for f in (lambda x: np.array([x, 2.0]) * weights, lambda x: weights * [x, 2.0]):
        assert tg.value(tg.grad(lambda x, f=f: np.sum(f(x)))(3.0)) == 1.0
        np.testing.assert_array_equal(tg.value(f(tg.Variable(3.0))), [3.0, 20.0])
    assert tg.grad(lambda x: np.sum(np.array([[x, 1.0], [x * x, x]]) @ np.ones(2)))(3.0) == 8


WRONG = [
    ({"w": [1.0, 2.0, "text"]}, r"argument 0\['w'\]\[2\] is str 'text'", "argnum="),
    ({"n": np.arange(3)}, r"argument 0\['n'\] .*int64", r"astype\(float\)"),
    ((1.0, True), r"argument 0\[1\] is the bool True", "argnum="),
    (Line(1.0, np.array([True])), r"argument 0\.intercept .*bool", r"astype\(float\)"),
    (np.array(["a"]), r"argument 0 .*<U1", "floats"),
    (np.ma.array([1.0]), r"argument 0 is a MaskedArray", "np.asarray"),
    (np.float16([1.0]), r"argument 0 .*float16", r"astype\(float\)"),
    (object(), r"argument 0 is an object of type object", "closure"),
    (None, r"argument 0 is None", "number"),
    (lambda: 1.0, r"argument 0 is an object of type function", "closure"),
]


@pytest.mark.parametrize(("tree", "what", "remedy"), WRONG, ids=[what for _, what, _ in WRONG])
def test_leaves_without_a_derivative_are_named(tree, what, remedy):
    for transform in (tg.grad, tg.value_and_grad, tg.jacobian, tg.elementwise_grad, tg.hessian):
        with pytest.raises(TypeError, match=what) as error:
            transform(total)(tree)
        assert remedy in str(error.value) or __import__("re").search(remedy, str(error.value))
        assert "total" in str(error.value)


def test_integers_are_taken_as_floats():
    gradient = tg.grad(lambda p: p["n"] ** 2 + p["m"])({"n": 3, "m": np.int64(2)})
    assert gradient == {"n": 6.0, "m": 1.0}
    assert all(type(g) is float for g in gradient.values())


STRUCTURES = [
    (([1.0],), ([1.0, 2.0],), r"tangents\[0\].*list of length 2"),
    (({"a": 1.0},), ({"b": 1.0},), r"tangents\[0\].*keys \['b'\]"),
    ((1.0,), ([1.0],), r"tangents\[0\].*list"),
    (([1.0],), (1.0,), r"tangents\[0\]"),
    ((1.0,), (None,), r"tangents\[0\] is None"),
    ((1.0, None), (1.0, 2.0), r"tangents\[1\]"),
    ((1.0,), (1.0, 2.0), r"tangents"),
]


@pytest.mark.parametrize(("primals", "tangents", "message"), STRUCTURES)
def test_tangents_must_be_built_like_the_primals(primals, tangents, message):
    with pytest.raises(TypeError, match=message):
        tg.jvp(lambda *x: 1.0 * total(x), primals, tangents)


def test_tangents_and_cotangents_must_have_the_shape():
    with pytest.raises(ValueError, match=r"tangents\[0\] has shape \(3,\).*\(2,\)"):
        tg.jvp(np.sin, (np.ones(2),), (np.ones(3),))
    _, pullback = tg.vjp(np.sin, np.ones(2))
    with pytest.raises(ValueError, match=r"cotangent has shape \(\).*\(2,\)"):
        pullback(1.0)
    with pytest.raises(TypeError, match="cotangent is str"):
        pullback("one")
    with pytest.raises(TypeError, match=r"primals is float 0\.5.*tg\.jvp"):
        tg.jvp(np.sin, 0.5, 1.0)
    assert tg.jvp(np.sin, (0.0,), (2,))[1] == 2.0


def test_dicts_may_list_their_keys_in_another_order():
    _, tangent = tg.jvp(
        lambda p: p["a"] * 10 + p["b"], ({"a": 1.0, "b": 1.0},), ({"b": 3.0, "a": 2.0},)
    )
    assert tangent == 23


class Scaled:
    """A class that is registered: one child, and a factor that is none."""

    def __init__(self, x, factor):
        self.x, self.factor = x, factor


_tree.add_container(
    Scaled, lambda s: ([(".x", s.x)], s.factor), lambda factor, items: Scaled(items[0], factor)
)


def test_registered_classes_are_containers():
    scaled = Scaled([1.0, 2.0], 3)
    assert _tree.leaves(scaled, "s") == [("s.x[0]", 1.0), ("s.x[1]", 2.0)]
    assert _tree.rest(scaled) == (3,)
    assert _tree.rest([1.0]) == ()
    filled = _tree.fill(scaled, iter([5.0, 6.0]))
    assert (type(filled), filled.x, filled.factor) == (Scaled, [5.0, 6.0], 3)
    assert not _tree.is_leaf(scaled)


def test_what_is_no_child_tells_programs_apart():
    program = tg.compile(lambda s: s.x * (10.0 if s.factor is True else s.factor))
    for _ in range(4):
        found = [program(Scaled(2.0, factor)) for factor in (1, True, 1.0, 3)]
        assert found == [2.0, 20.0, 2.0, 6.0]
    assert tg.grad(lambda s: s.x**2 * s.factor)(Scaled(2.0, 3)).x == 12.0


def test_makers_build_what_they_were_shown():
    tree = {"a": (1.0, [2.0, None]), "b": Line(3.0, (4.0,)), "c": {}}
    parts = iter([2, lambda values: values[0] * 10, 1, 0])
    make = _tree.maker(tree, parts)
    assert make([5, 6, 7]) == {"a": (7, [50, None]), "b": Line(6, (5,)), "c": {}}
    assert make((5, 6, 7)) == make([5, 6, 7])
    assert _tree.maker(1.0, iter([1]))([5, 6]) == 6
    assert _tree.maker(None, iter([]))([]) is None
    with pytest.raises(IndexError):
        make([5, 6])
    with pytest.raises(ZeroDivisionError):
        _tree.maker((1.0, 2.0), iter([0, lambda _: 1 // 0]))([5])


def test_makers_are_checked():
    for wrong in [(set, (0,), ()), (tuple, (0,), ("a",)), (dict, (0,), ()), (tuple, [0], ())]:
        with pytest.raises(TypeError):
            TreeMaker(*wrong)
    with pytest.raises(TypeError, match="list of values"):
        TreeMaker(tuple, (0,), ())()
    with pytest.raises(TypeError, match="no kind"):
        TreeMaker.__new__(TreeMaker)([])
