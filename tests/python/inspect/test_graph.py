"""tapegrad.inspect.graph: a recorded function as plain data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.inspect import record


def survey(x1: Any, x2: Any) -> Any:
    return np.log(x1) + x1 * x2 - np.sin(x2)


def test_nodes_of_a_function_of_numbers() -> None:
    graph = record(survey, 2.0, 5.0)
    assert graph.name == "survey"
    assert [node.name for node in graph.nodes[:2]] == ["x1", "x2"]
    assert [node.op for node in graph.steps()] == ["log", "multiply", "add", "sin", "subtract"]
    assert [node.operands for node in graph.steps()] == [(0,), (0, 1), (2, 3), (1,), (4, 5)]
    assert all(node.line.startswith(f"{__file__}:") for node in graph.steps())
    assert graph.outputs == (6,)
    assert graph.users()[0] == [2, 3]


def test_values_and_adjoints_of_the_survey() -> None:
    values, adjoints = record(survey, 2.0, 5.0).values_and_adjoints()
    assert values[-1] == 11.652071455223084
    assert adjoints[:2] == [5.5, 2.0 - math.cos(5.0)]
    assert adjoints[2:] == [1.0, 1.0, 1.0, -1.0, 1.0]


def test_adjoints_of_arrays_are_the_derivatives_by_them() -> None:
    rng = np.random.default_rng(0)
    a, x = rng.normal(size=(3, 4)), rng.normal(size=4)

    def f(a: Any, x: Any) -> Any:
        return np.sum(np.tanh(a @ x) ** 2)

    graph = record(f, a, x)
    values, adjoints = graph.values_and_adjoints(seed=2.0)
    np.testing.assert_array_equal(adjoints[0], 2.0 * tg.grad(f)(a, x))
    np.testing.assert_array_equal(adjoints[1], 2.0 * tg.grad(f, 1)(a, x))
    np.testing.assert_allclose(values[graph.outputs[0]], f(a, x), rtol=1e-15)
    for value, node in zip(values, graph.nodes, strict=True):
        assert np.shape(value) == node.shape
        assert np.asarray(value).dtype == node.dtype


def test_adjoints_of_what_the_output_does_not_depend_on() -> None:
    def f(x: Any, y: Any) -> Any:
        mask = x > 0
        return np.sum(np.where(mask, x, 0.0)), np.sum(y)

    graph = record(f, np.array([1.0, -2.0]), np.array([3.0]))
    _, adjoints = graph.values_and_adjoints(output=0)
    np.testing.assert_array_equal(adjoints[graph.inputs[1]], [0.0])
    np.testing.assert_array_equal(adjoints[graph.inputs[0]], [1.0, 0.0])
    flags = [k for k, node in enumerate(graph.nodes) if node.dtype == "bool"]
    assert flags
    assert all(adjoints[k] is None for k in flags)


def test_names_of_nested_and_starred_arguments() -> None:
    def f(p: Any, *rest: Any, scale: Any, **more: Any) -> Any:
        return p["w"] * rest[0] * rest[1] * scale * more["other"] + p["b"][1]

    graph = record(f, {"w": 1.0, "b": (2.0, 3.0)}, 4.0, 5.0, scale=6.0, other=7.0)
    names = [graph.nodes[k].name for k in graph.inputs]
    assert names == ["p['w']", "p['b'][0]", "p['b'][1]", "rest[0]", "rest[1]", "scale", "other"]


def test_integers_and_texts_are_no_inputs() -> None:
    graph = record(lambda x, n, how: x**n if how == "power" else x, 2.0, 3, "power")
    assert len(graph.inputs) == 1
    assert graph.values()[graph.outputs[0]] == 8.0


def test_a_derivative_is_recorded_like_a_function() -> None:
    graph = record(tg.grad(lambda x: np.sin(x) * x), 0.7)
    assert graph.values()[graph.outputs[0]] == tg.grad(lambda x: np.sin(x) * x)(0.7)
    assert "cos" in [node.op for node in graph.steps()]


def test_choices_of_plain_code_are_guards() -> None:
    def f(x: Any) -> Any:
        return x * 2.0 if x > 1.0 else x

    graph = record(f, 3.0)
    (guard,) = graph.guards
    assert bool(guard.expected) is True
    assert guard.line.startswith(f"{__file__}:")
    assert record(f, 0.5).guards


def test_scans_hold_the_graph_of_their_body() -> None:
    def f(x: Any) -> Any:
        last, _ = tg.scan(lambda c, t: (np.tanh(c + t), c), 0.0, x)
        return last

    graph = record(f, np.arange(4.0))
    (scan,) = [node for node in graph.steps() if node.op == "scan"]
    assert scan.body is not None
    assert [node.op for node in scan.body.steps()] == ["add", "tanh"]
    assert scan.attributes["length"] == 4


def test_captured_arrays_and_variables() -> None:
    data, weight = np.arange(3.0), tg.Variable(2.0)
    graph = record(lambda x: np.sum(data * x) * weight, 1.5)
    kinds = [node.kind for node in graph.nodes]
    assert kinds.count("captured") == 2
    assert graph.values()[graph.outputs[0]] == 9.0


def test_the_optimised_program_and_times() -> None:
    graph = record(lambda x: np.sum(np.sin(x) ** 2 + 1.0), np.linspace(0.0, 1.0, 200))
    program = graph.optimised()
    assert len(list(program.steps())) < len(list(graph.steps()))
    assert any(node.kernel for node in program.steps())
    for each in (graph, program):
        times = each.times(3)
        assert len(times) == len(list(each.steps()))
        assert all(t >= 0.0 for t in times)
    assert len(list(graph.optimised(fuse=False).steps())) >= len(list(program.steps()))


def test_outputs_in_the_structure_of_the_result() -> None:
    graph = record(lambda x: {"a": x * 2.0, "b": (x, "text")}, 1.5)
    values = graph.values()
    found = graph.result([values[k] for k in graph.outputs])
    assert found == {"a": 3.0, "b": (1.5, "text")}


def test_variables_as_arguments_stand_for_what_they_hold() -> None:
    graph = record(lambda v: np.sum(v * v), tg.Variable(np.array([1.0, 2.0])))
    assert graph.values()[graph.outputs[0]] == 5.0


def test_recording_leaves_nothing_behind() -> None:
    before = tg._core.live_nodes()
    graph = record(survey, 2.0, 5.0)
    graph.values_and_adjoints()
    assert tg._core.live_nodes() == before


def test_wrong_arguments_are_refused_with_what_to_write() -> None:
    with pytest.raises(TypeError, match=r"tg\.inspect\.record\(f, x\)"):
        record(3.0, 1.0)  # type: ignore[arg-type]  # the mistake that is tested
    with pytest.raises(ValueError, match="takes 2 inputs, got 1"):
        tg._core.replay_values(record(survey, 2.0, 5.0).recording, [1.0])
    with pytest.raises(ValueError, match="takes 2 inputs"):
        tg._core.step_times(record(survey, 2.0, 5.0).recording, [1.0])


def test_an_error_in_the_function_comes_through() -> None:
    def broken(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        record(broken, 1.0)
    assert record(survey, 2.0, 5.0).values()[-1] == 11.652071455223084


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_adjoints_have_the_dtype_of_their_values(dtype: type) -> None:
    graph = record(lambda x: np.sum(np.exp(x)), np.array([1.0, 800.0], dtype=dtype))
    with np.errstate(over="ignore"):
        values, adjoints = graph.values_and_adjoints()
    assert values[graph.outputs[0]] == np.inf
    assert adjoints[0].dtype == dtype
    np.testing.assert_array_equal(adjoints[0], values[1])
