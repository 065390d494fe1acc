"""One call of a function, recorded: what it says of the call."""

import operator

import numpy as np
import pytest

import tapegrad as tg
from tapegrad._core import Tracer, Variable
from tapegrad.compile.call import Call
from tapegrad.compile.recorder import record_call


def recorded(f, *args, **options):
    return record_call(
        f, Call(args, {}), Tracer.argument, lambda path, x: isinstance(x, Variable), **options
    )


def test_the_result_has_blanks_for_outputs():
    call = recorded(lambda x, n: {"y": x * n, "n": n, "z": [None, x]}, np.ones(2), 3)
    assert call.template == {"y": 0.0, "n": 3, "z": [None, 0.0]}
    assert call.fixed == [None, (3,), None]
    assert call.result(["p", "q"]) == {"y": "p", "n": 3, "z": [None, "q"]}
    assert call.maker()(["p", "q"]) == {"y": "p", "n": 3, "z": [None, "q"]}
    found = call.commit([])
    np.testing.assert_array_equal(found["y"], [3.0, 3.0])
    assert call.values is None


@pytest.mark.parametrize(
    "write",
    [lambda x: operator.iadd(x, 1.0), lambda x: x.__setitem__(0, 5.0), lambda x: np.negative(x, x),
     lambda x: operator.setitem(x, 1, 2.0)],
)  # fmt: skip
def test_writes_are_seen_and_committed(write):
    def f(x, y):
        write(y)
        return np.sum(x * y)

    x, y, expected = np.arange(2.0), np.ones(2), np.ones(2)
    call = recorded(f, x, y, outputs_written=True)
    assert call.written == [1]
    total = f(x, expected)
    np.testing.assert_array_equal(y, np.ones(2))
    assert call.commit([x, y]) == total
    np.testing.assert_array_equal(y, expected)

    compiled = tg.compile(f)
    for _ in range(4):
        y, expected = np.ones(2), np.ones(2)
        assert compiled(x, y) == f(x, expected)
        np.testing.assert_array_equal(y, expected)
    # In one array under two names a write shows twice.
    y, expected = np.arange(3.0), np.arange(3.0)
    assert compiled(y[:2], y[1:]) == f(expected[:2], expected[1:])
    np.testing.assert_array_equal(y, expected)


def test_containers_that_change_are_seen():
    assert recorded(lambda p: p.update(a=1.0), {"a": 2.0}).container_changes
    assert recorded(lambda p: p.append(1.0), [2.0]).container_changes
    assert recorded(lambda p: p.update(seen=[]), {"a": 2.0}).container_changes  # without a leaf
    assert not recorded(lambda p: p[0] * 2.0, [2.0]).container_changes


def test_refusals_are_told():
    w = tg.Variable(1.0)

    def f(x):
        (w * x).backward()
        return x

    assert "backward" in recorded(f, 1.0).refusal
    assert not recorded(lambda x: x * w, 1.0).refusal


def test_calls_agree_where_they_did_the_same():
    scale, data = 2.0, np.arange(3.0)

    def f(x):
        return np.sum(x * data) * scale, "text"

    first, second = recorded(f, np.ones(3)), recorded(f, np.zeros(3))
    assert first.agrees(second)
    scale = 3.0
    third = recorded(f, np.ones(3))
    assert not third.agrees(second)
    assert third.difference(second) == "a number that it computed or read itself (2.0, then 3.0)"
    other = recorded(lambda x: (np.sum(x * data) * 2.0, "other"), np.ones(3))
    assert not other.agrees(first)


def test_names_of_captured_arrays():
    data, more = np.arange(3.0), np.arange(3.0)
    call = recorded(lambda x: x * data + more, np.ones(3))
    call.name_captures([("data", data)])
    assert sorted(call.captured_names) == ["", "data"]
    again = recorded(lambda x: x * data + more, np.ones(3))
    assert not call.agrees(again)  # has no names
    again.name_captures([("data", data)])
    assert call.agrees(again)
