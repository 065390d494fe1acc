"""The tool for GradBench: the protocol. test_gradbench_modules.py has the numbers."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from gradbench_messages import RUNS, asked, told

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def test_a_message_of_each_kind():
    names = ("ba", "det", "gmm", "hello", "ht", "kmeans", "llsq", "lse", "lstm", "ode")
    names = (*names, "particle", "saddle")
    start, *defined, analysis, other = told(
        {"kind": "start", "eval": "hello"},
        *({"kind": "define", "module": name} for name in names),
        {"kind": "analysis", "of": 8, "valid": True},
        {"kind": "something new"},
    )
    assert start == {"tool": "tapegrad", "config": {"threads": 1}}
    assert defined == [{"success": True}] * 12
    assert analysis == other == {}


def test_the_number_of_runs():
    x = {"x": [1.0, 2.0]}
    assert len(asked("lse", "primal", {**x, "min_runs": 3, "min_seconds": 0})["timings"]) == 3
    timings = asked("lse", "primal", {**x, "min_runs": 1, "min_seconds": 0.01})["timings"]
    assert len(timings) > 1
    times = [timing["nanoseconds"] for timing in timings]
    assert sum(times) >= 1e7 > sum(times[:-1])


def test_errors_are_told():
    (undefined,) = told({"kind": "define", "module": "nope"})
    assert not undefined["success"]
    assert "no module 'nope'; there are ba, det, gmm, hello," in undefined["error"]
    assert "no module 'descent'" in told({"kind": "define", "module": "descent"})[0]["error"]

    for message_input, name, expected in (
        ({"x": [1.0], **RUNS}, "nope", "lse has no function 'nope'; it has primal, gradient"),
        (RUNS, "primal", "KeyError: 'x'"),
        ({"x": [1.0], "min_runs": 0, "min_seconds": 0}, "primal", "min_runs is 0 and min_seconds"),
        ({"x": [1.0, math.inf], **RUNS}, "primal", "lse.primal: a number of the output is not fi"),
    ):
        answer = asked("lse", name, message_input)
        assert not answer["success"]
        assert expected in answer["error"]
        assert "output" not in answer


def spoken(lines, *arguments, code=None):
    """What the tool prints as a process of its own."""
    start = ["-c", code] if code else ["-m", "benchmarks.gradbench"]
    done = subprocess.run(
        [sys.executable, *start, *arguments], input=lines, capture_output=True, text=True,
        check=True, cwd=ROOT,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_process_and_its_threads():
    lines = '{"id": 0, "kind": "start"}\n{"id": 1, "kind": "define", "module": "lse"}\n'
    start, define = spoken(lines)
    assert start["config"]["threads"] == 1
    assert define == {"id": 1, "success": True}
    (start, _) = spoken(lines, "--multithreaded")
    assert start["config"]["threads"] == len(os.sched_getaffinity(0))


def test_what_a_model_prints_stays_out_of_the_answers():
    code = """
from benchmarks.gradbench import __main__
from benchmarks.gradbench.function import Function
from benchmarks.gradbench.modules import hello
hello.FUNCTIONS["square"] = Function(print, lambda x: (x,), lambda x: 0.0, repeats=False)
__main__.main()
"""
    message = {"kind": "evaluate", "module": "hello", "function": "square", "input": 3.0}
    (answer,) = spoken(json.dumps({"id": 5, **message}), code=code)
    assert answer["id"] == 5
    assert answer["output"] == 0.0
