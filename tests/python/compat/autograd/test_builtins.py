"""Containers are Python's own."""

import builtins

import numpy as np

import tapegrad as tg
from tapegrad.compat import autograd
from tapegrad.compat.autograd.builtins import DictBox, SequenceBox


def test_containers_are_pythons():
    for name in ("dict", "list", "tuple", "isinstance"):
        assert getattr(autograd, name) is getattr(builtins, name)
    found = autograd.grad(lambda x: autograd.dict([("a", x)], b=x)["a"] * 2)(1.0)
    assert found == 2.0


def test_type_is_that_of_the_value():
    v = tg.Variable(np.ones(2))
    assert autograd.type(v) is np.ndarray
    assert autograd.type(tg.Variable(1.0)) is np.float64
    assert autograd.type([v]) is list
    assert autograd.type(3) is int


def test_boxes_are_containers_that_hold_variables():
    v = tg.Variable(1.0)
    assert isinstance({"a": [v]}, DictBox)
    assert not isinstance({"a": 1.0}, DictBox)
    assert not isinstance([v], DictBox)
    assert isinstance((1.0, v), SequenceBox)
    assert not isinstance((1.0,), SequenceBox)
