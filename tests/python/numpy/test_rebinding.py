"""`y += v` of a plain array and a Variable: NumPy's value and its derivative, or a refusal."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from rebinding_cases import REFUSED, RIGHT, X

import tapegrad as tg


@pytest.mark.parametrize("f", RIGHT)
def test_value_and_derivative(f):
    wanted = f(X)
    v = tg.Variable(X)
    found = f(v)
    assert isinstance(found, tg.Variable)
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(tg.value(found), wanted)
    if wanted.dtype == np.float64:
        h = 1e-6
        slopes = [(f(X + h * e) - f(X - h * e)) / (2 * h) for e in np.eye(3)]
        np.testing.assert_allclose(tg.jacobian(f)(X), np.stack(slopes, -1), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("f", RIGHT)
def test_compiled(f):
    compiled, wanted = tg.compile(f), f(X)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)  # that some run without a program
        for _ in range(4):
            np.testing.assert_array_equal(compiled(X), wanted)


@pytest.mark.parametrize("f", REFUSED)
def test_refused(f):
    f(X)
    with pytest.raises(TypeError, match=r"tg\.Variable\(|pass a Variable as out="):
        f(tg.Variable(X))
    with pytest.raises(TypeError), tg.patch_numpy(False):
        tg.grad(lambda x: np.sum(f(x)))(X)


def test_the_array_is_named_and_stays_as_it_was():
    y = np.zeros((2, 3))
    b = y
    v = tg.Variable(X)
    with pytest.raises(TypeError) as refusal:
        y += 2 * v
    text = str(refusal.value)
    assert text.startswith("y += 2 * v, at ")
    assert "test_rebinding.py:" in text
    assert "(shape (2, 3), dtype float64)" in text
    assert "tg.Variable(np.zeros((2, 3))), or write y = y + (2 * v), which leaves" in text
    assert not y.any()
    assert b is y


def test_the_remedies():
    def add(out, a):
        out += a

    def changed(x):
        out = tg.Variable(np.ones(3))
        add(out, x)
        return np.sum(out * x)

    def returned(x):
        out = np.ones(3)
        b = out
        out = out + x
        return np.sum(out * x) + np.sum(b)

    def of_a_table(x):
        table = tg.Variable(np.ones((2, 3)))
        for row in table:
            row += x
        return np.sum(table * x) / 2

    for f in (changed, returned, of_a_table):
        np.testing.assert_array_equal(tg.grad(f)(X), 1 + 2 * X)


def test_as_numpy_refuses():
    v = tg.Variable(X)
    y = np.zeros(3)
    y.flags.writeable = False
    with pytest.raises(ValueError, match="output array is read-only"):
        y += v
    y = np.zeros((1, 3))
    with pytest.raises(ValueError, match="non-broadcastable output operand"):
        y += tg.Variable(np.ones((2, 3)))
    y = np.zeros(3, int)
    with pytest.raises(TypeError, match=r"make it one of floats where it is made"):
        y += v


def test_state_of_the_frame_is_left_alone():
    v = tg.Variable(X)
    model = SimpleNamespace(total=np.ones(3))
    names = locals()
    model.total += v
    assert names["model"] is model
    y = np.ones(3)
    model.total += v
    y += v
    np.testing.assert_array_equal(tg.value(y), 1 + X)
