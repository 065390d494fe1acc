"""Costs are added up by function, line and operation."""

import numpy as np
from drawn_programs import CALLS, network, network_arguments

from tapegrad.inspect import record
from tapegrad.inspect.costs import Places, costs_of, step_bytes, step_name


def test_parts_add_up():
    for f, args in CALLS.values():
        graph = record(f, *args)
        sizes = step_bytes(graph)
        times = [float(k + 1) for k in range(len(sizes))]
        total = costs_of(graph, times)

        def check(cost):
            if cost.parts:
                for name in ("nanoseconds", "n_steps", "n_bytes"):
                    assert getattr(cost, name) == sum(
                        getattr(part, name) for part in cost.parts.values()
                    )
                for part in cost.parts.values():
                    check(part)

        check(total)
        assert total.nanoseconds == sum(times)
        assert total.n_steps == len(times)
        assert total.n_bytes == sum(sizes)
        longest = [part.nanoseconds for part in total.sorted_parts()]
        assert longest == sorted(longest, reverse=True)


def test_functions_hold_lines_and_lines_operations():
    graph = record(network, *network_arguments())
    total = costs_of(graph, [1.0] * len(step_bytes(graph)))
    assert set(total.parts) == {"layer()", "network()"}
    (line,) = total.parts["layer()"].parts.values()
    assert line.name.endswith("| return np.tanh(x @ weights + bias)")
    assert {(part.name, part.n_steps) for part in line.parts.values()} == {
        ("matmul (7, 5)", 3), ("add (7, 5)", 3), ("tanh (7, 5)", 3),
    }  # fmt: skip


def test_programs_without_lines_have_operations_alone():
    graph = record(network, *network_arguments()).optimised()
    total = costs_of(graph, [1.0] * len(step_bytes(graph)))
    assert not any(part.parts for part in total.parts.values())
    places = Places(graph)
    assert all(places.of(node) == [] for node in graph.steps())


def test_all_results_of_a_step_count():
    graph = record(np.linalg.svd, np.ones((3, 2)))
    (step,) = [node for node in graph.steps() if node.op == "svd"]
    n_numbers = sum(np.prod(node.shape) for node in graph.nodes if node.step == step.step)
    assert step_bytes(graph)[step.step] == 8 * n_numbers
    assert step_name(step).startswith("svd (3, ")
