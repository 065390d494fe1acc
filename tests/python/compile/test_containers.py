"""Containers that a compiled function changes: its caller's change with the first call too."""

import collections
import dataclasses
import warnings

import numpy as np
import pytest

import tapegrad as tg


@dataclasses.dataclass
class Moments:
    mean: np.ndarray
    steps: int = 0
    history: list = dataclasses.field(default_factory=list)


def adam(state, g):
    state["t"] += 1
    state["m"] = 0.9 * state["m"] + 0.1 * g
    return state["m"] / (1.0 - 0.9 ** state["t"])


def nested(p, g):
    p["layers"][0]["w"] = p["layers"][0]["w"] - g
    p["layers"].append({"w": g * 2.0, "name": "new"})
    return np.sum(p["layers"][0]["w"])


def moments(s, g):
    s.mean = s.mean + (g - s.mean) / (s.steps + 1)
    s.steps += 1
    s.history.append(np.sum(g))
    return np.sum(s.mean)


def swapped(p, g):
    p["a"], p["b"] = p["b"], p["a"]
    del p["unused"]
    p["kept"] = [p["a"], (p["b"] * g, None)]
    return np.sum(p["a"] * g)


def sorted_in_place(xs, g):
    xs.sort()
    xs.insert(0, xs[0] * g[0])
    return xs[0]


def counted(p, g):
    p["n"] = p.get("n", 0) + 1
    p["z"] = p["z"] * np.exp(1j * g[0])
    p.move_to_end("z")
    return np.sum(np.abs(p["z"] * g))


class Logged(dict):
    def __setitem__(self, key, x):
        dict.__setitem__(self, key, x)
        self.writes = getattr(self, "writes", 0) + 1


def logged(p, g):
    p["z"] = g * 2.0
    p.last = np.sum(p["z"])
    return p.last


def counts_beside_fields(s, g):
    s.calls = getattr(s, "calls", 0) + 1
    return np.sum(s.mean + g) * s.calls


CASES = {
    "logged": (logged, Logged),
    "beside fields": (counts_beside_fields, lambda: Moments(np.ones(2))),
    "adam": (adam, lambda: {"t": 0, "m": np.zeros(2)}),
    "nested": (nested, lambda: {"layers": [{"w": np.ones(2), "name": "first"}]}),
    "moments": (moments, lambda: Moments(np.zeros(2))),
    "swapped": (swapped, lambda: {"a": np.ones(2), "b": np.arange(2.0), "unused": 1.0}),
    "sorted": (sorted_in_place, lambda: [3.0, 1.0, 2.0]),
    "counted": (counted, lambda: collections.OrderedDict(z=np.array([1j, 2.0]), y=1.0)),
}


def assert_equal_names(found, expected):
    for name, x in getattr(expected, "__dict__", {}).items():
        if not dataclasses.is_dataclass(expected):
            np.testing.assert_array_equal(getattr(found, name), x)


def assert_alike(found, expected):
    """Whether two nestings hold the same plain things, in the same order."""
    assert type(found) is type(expected)
    assert_equal_names(found, expected)
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        found, expected = list(found.values()), list(expected.values())
    elif dataclasses.is_dataclass(expected):
        found, expected = list(vars(found).values()), list(vars(expected).values())
    if isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for x, y in zip(found, expected, strict=True):
            assert_alike(x, y)
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", CASES)
def test_callers_containers_change_with_every_call(name):
    f, make = CASES[name]
    compiled = tg.compile(f)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it runs as plain Python
        for k in range(4):
            mine, plain, g = make(), make(), np.array([0.5 + k, -1.0])
            for _ in range(1 if name in ("swapped", "logged") else 2):  # the state goes on
                np.testing.assert_allclose(compiled(mine, g), f(plain, g), rtol=1e-14)
                assert_alike(mine, plain)


def test_containers_within_stay_the_same_objects():
    def f(p):
        p["inner"]["x"] = p["x"] * 2.0
        p["again"] = p["inner"]
        return p["x"]

    inner, x = {}, np.ones(2)
    given = {"x": x, "inner": inner}
    with pytest.warns(UserWarning, match="changes a container that was passed to it"):
        tg.compile(f)(given)
    assert given["inner"] is inner
    assert given["again"] is inner
    assert given["x"] is x
    np.testing.assert_array_equal(inner["x"], [2.0, 2.0])


def test_one_container_in_two_places():
    def f(a, b):
        a.append(a[0] * 2.0)
        return sum(b)

    compiled = tg.compile(f)
    for k in range(3):
        given = [1.0 + k]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that it runs as plain Python
            assert compiled(given, given) == 3.0 * (1.0 + k)
        assert given == [1.0 + k, 2.0 + 2.0 * k]
