"""The arguments of a call, taken apart and put together."""

from dataclasses import dataclass

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.compile.call import Call, without_integers

X = np.ones(3)


@dataclass
class Pair:
    a: object
    b: object


def call(*args, **kwargs):
    return Call(args, kwargs)


def test_leaves_and_inputs():
    found = call(2.0, {"x": X, "n": 3, "none": None}, flag=True, pair=Pair(1.5, "text"))
    assert found.leaves == [2.0, X, 3, True, 1.5, "text"]
    assert found.inputs == [0, 1, 4]
    assert found.values == [2.0, X, 1.5]
    args, kwargs, leaves = found.filled(["p", "q", "r"])
    assert args == ("p", {"x": "q", "n": 3, "none": None})
    assert kwargs == {"flag": True, "pair": Pair("r", "text")}
    assert leaves == ["p", "q", 3, True, "r", "text"]


def test_what_the_key_tells_apart():
    same = [call(X, 1.0, 2), call(X + 1, 5.0, 2)]
    assert same[0].key == same[1].key
    others = [
        call(X, 1.0, 3), call(X, 1.0, True), call(X, np.float64(1.0), 2), call(X[:2], 1.0, 2),
        call(X.astype(np.float32), 1.0, 2), call((X, 1.0), 2), call([X, 1.0], 2),
        call(X, 1.0, None), call(X, 1.0, c=2), call(X, a=1.0, b=2), call(X, b=2, a=1.0),
        call(X, 1.0, slice(2)), call(X, 1.0, slice(0, 2)), call(X, 1.0, "2"), call(X, 1.0, len),
    ]  # fmt: skip
    assert len({same[0].key, *(x.key for x in others)}) == 1 + len(others)
    assert without_integers(call(X, 2).key) == without_integers(call(X, 3).key)
    assert without_integers(call(X, True).key) != without_integers(call(X, False).key)


def test_variables_count_like_what_they_hold():
    found = call(tg.Variable(X), [tg.Variable(2.0)])
    assert found.has_variables
    assert found.key == call(X, [2.0]).key
    np.testing.assert_array_equal(found.values[0], X)
    plain = found.without_variables()
    assert plain.structure[0][1] == [2.0]
    assert type(plain.leaves[0]) is np.ndarray


def test_fixed_floats():
    floats, found = call(1.5, X, np.float32(2.0), a=0.5).with_fixed_floats()
    assert floats == ((1.5).hex(), (0.5).hex())
    assert call(0.0).with_fixed_floats()[0] != call(-0.0).with_fixed_floats()[0]
    assert found.values == [X, np.float32(2.0)]


def test_objects_count_by_identity_or_by_value():
    a, b = object(), object()
    assert call(a).key == call(a).key != call(b).key
    assert call(a, [b]).identities() == [("argument 0", a), ("argument 1[0]", b)]
    assert call(frozenset({1})).key == call(frozenset({1})).key


@pytest.mark.parametrize(
    ("x", "why"),
    [(np.ma.masked_array(X), "MaskedArray"), (X.astype("f2"), "float16"),
     (np.array(["a"]), "<U1"), (slice(1.5), "not integers")],
)  # fmt: skip
def test_what_no_program_takes(x, why):
    found = call(0.0, {"x": x})
    assert why in found.unsupported
    assert "argument 1['x']" in found.unsupported
    assert not found.has_variables


def test_keywords_arrive_in_their_order():
    def f(**arrays):
        return np.stack(list(arrays.values())) * 2.0

    compiled = tg.compile(f)
    for _ in range(3):
        for kwargs in ({"b": X, "a": 2 * X}, {"a": 2 * X, "b": X}):
            np.testing.assert_array_equal(compiled(**kwargs), f(**kwargs))
