"""Flattening leads back, and is differentiated both ways."""

from collections import namedtuple

import numpy as np

import tapegrad as tg
from tapegrad.compat.autograd.misc.flatten import flatten, flatten_func

Pair = namedtuple("Pair", "b a")


def test_both_ways():
    tree = (1.0, np.arange(6.0).reshape(2, 3), [Pair(2.0, np.zeros(0)), {"y": 3.0, "x": 4.0}], ())
    flat, unflatten = flatten(tree)
    assert np.array_equal(flat, [1.0, *range(6), 2.0, 4.0, 3.0])  # keys are sorted
    back = unflatten(2 * flat)
    assert back[0] == 2.0
    assert np.array_equal(back[1], 2 * tree[1])
    assert type(back[2][0]) is Pair
    assert back[2][0].b == 4.0
    assert back[2][1] == {"y": 6.0, "x": 8.0}
    assert list(back[2][1]) == ["y", "x"]
    assert back[3] == ()


def test_complex_and_empty():
    flat, unflatten = flatten([1 + 2j, 3.0])
    assert np.array_equal(flat, [1 + 2j, 3])
    assert unflatten(flat) == [1 + 2j, 3.0]
    assert type(unflatten(flat)[1]) is float
    flat, unflatten = flatten([])
    assert flat.shape == (0,)
    assert unflatten(flat) == []


def test_derivatives_pass_through():
    x = {"a": np.ones(2), "b": 3.0}
    found = tg.grad(lambda p: np.sum(flatten(p)[0] ** 2))(x)
    assert np.array_equal(found["a"], [2.0, 2.0])
    assert found["b"] == 6.0
    flat, unflatten = flatten(x)
    assert np.array_equal(tg.grad(lambda v: unflatten(v)["b"] ** 2)(flat), [0.0, 0.0, 6.0])


def test_functions_of_flat_arrays():
    func, unflatten, flat = flatten_func(
        lambda p, k: {"a": k * p["b"], "b": p["a"]}, {"a": 1.0, "b": 2.0}
    )
    assert np.array_equal(flat, [1.0, 2.0])
    assert np.array_equal(func(flat, 10.0), [20.0, 1.0])
    assert unflatten(flat) == {"a": 1.0, "b": 2.0}
