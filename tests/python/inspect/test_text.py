"""Nodes and values as short text."""

import numpy as np
import pytest

from tapegrad.inspect import record
from tapegrad.inspect.text import (
    attributes_text,
    bytes_text,
    clipped,
    is_bad,
    number_text,
    source_text,
    time_text,
    type_text,
    value_text,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (2.5, "2.5"),
        (np.float32(0.1), "0.1000000015"),
        (True, "True"),
        (7, "7"),
        (10**14, "1.000000000e+14"),
        (1 - 2j, "1-2j"),
        (complex(0.0, -0.0), "0-0j"),
        (float("nan"), "nan"),
        (np.array([1.0, 2.0]), "[1, 2]"),
        (np.array([[1.0, 2.0]]), "[1, 2] as (1, 2)"),
        (np.zeros((0, 3)), "[] as (0, 3)"),
        (np.array([True, False] * 5), "[True, False, True, False, ...] 5 of 10 true"),
    ],
)
def test_values(value, text):
    assert value_text(value) == text


def test_a_large_array_says_extremes_mean_and_first_elements():
    x = np.arange(1e6).reshape(1000, 1000)
    assert value_text(x) == "[0, 1, 2, 3, ...] min 0, max 1e+06, mean 5e+05"
    assert value_text(x.T[::-1]) == "[999, 1999, 2999, 3999, ...] min 0, max 1e+06, mean 5e+05"
    assert value_text(np.arange(10)) == "[0, 1, 2, 3, ...] min 0, max 9, mean 4.5"
    assert value_text(np.arange(10) * 1j).endswith("min abs 0, max abs 9, mean abs 4.5")


def test_numbers_that_are_not_finite_are_counted():
    x = np.array([1.0, np.nan, np.inf, -np.inf, 2.0, np.nan, 3.0])
    assert value_text(x) == "[1, nan, inf, -inf, ...] min 1, max 3, mean 2, 2 nan, 2 inf"
    assert value_text(np.full(9, np.nan)) == "[nan, nan, nan, nan, ...] 9 nan"
    huge = value_text(np.full(9, 1.7e308))
    assert huge.endswith("mean inf")
    assert is_bad(x)
    assert is_bad(complex(0.0, np.inf))
    assert not is_bad(np.arange(3))
    assert not is_bad(None)


def test_lines_that_cannot_be_read_have_no_source():
    assert source_text("") == ""
    assert source_text("no such file.py:3") == ""
    assert source_text("no number") == ""
    assert source_text(f"{__file__}:1") == '"""Nodes and values as short text."""'


def test_attributes_that_say_nothing_can_be_left_out():
    graph = record(lambda x: np.sum(x, axis=1), np.ones((2, 3)))
    (node,) = graph.steps()
    assert type_text(node) == "float64 (2,)"
    assert "keepdims=False" in attributes_text(node)
    assert attributes_text(node, said=True) == "axis=1"


def test_units_and_lengths():
    assert time_text(40) == "40 ns"
    assert time_text(2.5e6) == "2.5 ms"
    assert time_text(3e9) == "3 s"
    assert bytes_text(100) == "100 B"
    assert bytes_text(3 * 2**20) == "3 MiB"
    assert clipped("a\n  b", 10) == "a b"
    assert clipped("abcdef", 4) == "abc…"
    assert number_text(123456789) == "123456789"
