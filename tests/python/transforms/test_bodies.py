"""Recorded calls and the bodies that are made of them."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import _core
from tapegrad.compile.call import Arguments
from tapegrad.transforms.bodies import UnrecordableError, body_of, record_operation


def recorded(f, *values, **options):
    arguments = Arguments((values, {}), list(values), range(len(values)))
    return record_operation("test", f, arguments, lambda path, x: True, **options)


def test_a_call_is_taken_apart_and_put_together():
    call = recorded(lambda x, y: {"a": x * y, "b": [np.sin(x), 2.0]}, np.ones(2), 3.0)
    assert [call.values[k] for k in range(1, len(call.values))] == [
        pytest.approx(np.sin([1.0, 1.0])),
        2.0,
    ]
    assert call.result(["p", "q", "r"]) == {"a": "p", "b": ["q", "r"]}


def test_equal_records_share_a_body():
    def f(x):
        return np.sin(x) * scale

    scale = 2.0
    first, second = recorded(f, 1.0), recorded(f, 5.0)
    assert body_of(f, first.recording) is body_of(f, second.recording)
    scale = 3.0
    other = recorded(f, 1.0)
    assert body_of(f, other.recording) is not body_of(f, first.recording)
    assert body_of(f, second.recording) is body_of(f, first.recording)


def test_a_body_gives_what_the_function_gives_elsewhere():
    w = tg.Variable(np.array([1.0, -2.0]))
    call = recorded(lambda x: (np.tanh(w * x), np.sum(x)), np.zeros(2))
    body = _core.Body(call.recording)
    x = np.array([0.5, 0.25])
    y, total = call.result(_core.call(body, call.recording, [x]))
    np.testing.assert_allclose(tg.value(y), np.tanh(w.value * x), rtol=1e-15)
    assert total == 0.75
    assert "tanh" in str(body)
    with pytest.raises(TypeError, match="takes 2 inputs, got 3"):
        _core.call(body, call.recording, [x, x])


def test_writing_is_refused_unless_it_may():
    def f(x):
        x[0] = 5.0
        return x * 2.0

    with pytest.raises(UnrecordableError, match="writes to an array that was passed to it"):
        recorded(f, np.ones(2))
    call = recorded(f, np.ones(2), may_write=True)
    np.testing.assert_array_equal(call.values[0], [10.0, 2.0])


def test_what_can_not_be_done_again_is_refused():
    w = tg.Variable(2.0)

    def f(x):
        (w * x).backward()
        return x

    with pytest.raises(UnrecordableError, match="backward"):
        recorded(f, 1.0)
