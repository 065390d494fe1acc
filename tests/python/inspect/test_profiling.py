"""`tg.inspect.profile`: tables, flame graphs, traces."""

import itertools
import json

import numpy as np
import pytest
from browser import results_of
from drawn_programs import CALLS, network, network_arguments

import tapegrad as tg


@pytest.fixture(scope="module")
def found():
    return tg.inspect.profile(network, *network_arguments())


def test_parts_are_the_whole(found):
    recorded = found.costs["recorded"]
    for parts in (found.lines, found.operations):
        assert sum(part.n_steps for part in parts) == recorded.n_steps == 12
        assert sum(part.nanoseconds for part in parts) == pytest.approx(recorded.nanoseconds)
        assert sum(part.n_bytes for part in parts) == found.n_bytes
    assert recorded.nanoseconds == pytest.approx(sum(found.times["recorded"]))
    assert all(t >= 0 for times in found.times.values() for t in times)
    assert found.runs["recorded"] > 1


def test_the_table_names_lines_operations_and_kernels(found):
    text = str(found)
    assert repr(found) == text
    head, *lines = text.splitlines()
    assert head.startswith("profile of network: each step by itself, the least of ")
    assert any(line.startswith("recorded: 12 steps, ") for line in lines)
    assert any(line.startswith("optimised: ") and "of buffers" in line for line in lines)
    assert any("return np.tanh(x @ weights + bias)" in line for line in lines)
    assert any("matmul (7, 5)" in line for line in lines)
    assert any("kernel of" in line for line in lines)


def test_larger_work_takes_longer():
    def f(a, b):
        return np.sum(a @ a), np.sum(b @ b)

    rng = np.random.default_rng(0)
    found = tg.inspect.profile(f, rng.normal(size=(300, 300)), rng.normal(size=(10, 10)))
    times = {cost.name: cost.nanoseconds for cost in found.operations}
    assert times["matmul (300, 300)"] > 5 * times["matmul (10, 10)"]
    assert found.operations[0].name == "matmul (300, 300)"


def test_the_buffers_of_the_program_are_fewer_than_all_results():
    def chain(x, w):
        for _ in range(20):
            x = np.sort(x) @ w
        return np.sum(x)

    found = tg.inspect.profile(chain, np.ones((50, 50)), np.eye(50))
    assert found.n_bytes == 60 * 50 * 50 * 8 + 8  # np.sort is an order and a gather
    assert 0 < found.buffers < found.n_bytes / 4


def test_a_trace_is_made_of_events_inside_each_other(found, tmp_path):
    path = found.save_trace(tmp_path / "trace.json")
    trace = json.loads(path.read_text("utf-8"))
    assert trace["displayTimeUnit"] == "ns"
    names = {e["args"]["name"] for e in trace["traceEvents"] if e["ph"] == "M"}
    assert names == {"recorded", "optimised", "steps"}
    for process, program in enumerate(("recorded", "optimised"), start=1):
        events = [e for e in trace["traceEvents"] if e["pid"] == process and e["ph"] == "X"]
        steps = [e for e in events if e["cat"] == "step"]
        assert [e["dur"] * 1e3 for e in steps] == pytest.approx(found.times[program])
        ends = [(e["ts"], e["ts"] + e["dur"]) for e in steps]
        for (_, end), (start, _) in itertools.pairwise(ends):
            assert start == pytest.approx(end)
        around = [e for e in events if e["cat"] == "source"]
        assert bool(around) == (program == "recorded")
        for e in around:
            inside = [s for s in ends if e["ts"] - 1e-9 <= s[0] < e["ts"] + e["dur"] - 1e-9]
            assert inside
            assert inside[0][0] == pytest.approx(e["ts"])
            assert inside[-1][1] == pytest.approx(e["ts"] + e["dur"])


def test_a_trace_names_functions_and_lines(found):
    names = [e["name"] for e in found.trace()["traceEvents"] if e.get("cat") == "source"]
    assert "layer()" in names
    assert any("np.tanh" in name for name in names)


@pytest.mark.parametrize("name", CALLS)
def test_every_call_is_profiled(name, tmp_path):
    f, args = CALLS[name]
    profile = tg.inspect.profile(f, *args)
    assert str(profile).startswith("profile of ")
    json.dumps(profile.trace(), allow_nan=False)
    assert profile.save(tmp_path / "profile.html").stat().st_size > 10_000


def test_compiled_functions_and_derivatives():
    args = network_arguments()
    for f in (
        tg.compile(network), tg.value_and_grad(network), tg.value_and_grad(tg.compile(network)),
        tg.compile(tg.value_and_grad(network)),
    ):  # fmt: skip
        found = tg.inspect.profile(f, *args)
        assert any(cost.name.startswith("kernel of") for cost in found.kernels)
    plain = tg.inspect.profile(tg.compile(network, passes={"fuse": False}), *args)
    assert not any(cost.name.startswith("kernel of") for cost in plain.kernels)


def test_what_is_refused():
    with pytest.raises(TypeError, match=r"tg\.inspect\.profile\(f, x\)"):
        tg.inspect.profile("network", 2.0)


def test_it_opens_at_the_flame_graph(found, tmp_path):
    page = found.html()
    assert '"start":"time"' in page
    with pytest.raises(ValueError, match=r"does not end in \.html"):
        found.save(tmp_path / "profile.json")
    results = results_of(found.save(tmp_path / "profile.html"))
    assert results["programs"][0]["bars"] >= 6
