"""The harness itself: it finds wrong results, judges targets, and runs every problem file."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip


def result(target, **medians):
    from benchmarks.measure import Result
    from benchmarks.problem import Case

    found = Result("some_problem", Case("some case", target=target))
    for name, value in medians.items():
        peer, threads = name.rsplit("_", 1)
        found.samples[peer, int(threads)] = [value * 0.5, value, value * 9]
    return found


def test_a_quick_run_agrees_and_writes_its_samples(tmp_path):
    file = tmp_path / "figures.json"
    peers = ["--peers", "tapegrad", "numpy", "--threads", "1", "2"]
    problems = ["--problems", "record_scalar", "branches", "sgd_article"]
    done = run("--quick", *problems, *peers, "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 cases, 0 errors; 4 targets judged" in done.stdout
    figures = json.loads(file.read_text())
    assert figures["versions"]["numpy"] == np.__version__
    assert len(figures["cases"]) == 9
    samples = {
        (case["problem"], case["case"], entry["peer"], entry["threads"]): entry["samples"]
        for case in figures["cases"]
        for entry in case["peers"]
    }
    assert len(samples["sgd_article", "per step", "tapegrad", 2]) == 3
    assert all(0 < sample < 1e9 for some in samples.values() for sample in some)
    assert ("record_scalar", "x*a + b, forward", "numpy", 1) in samples


def test_every_problem_is_well_formed():
    import importlib

    from benchmarks import measure, peers
    from benchmarks.problem import Case

    names = measure.problem_names()
    assert "record_scalar" in names
    for name in names:
        module = importlib.import_module(f"benchmarks.problems.{name}")
        assert module.__doc__
        assert next(iter(peers.functions(module))) == "tapegrad"
        assert module.CASES
        assert all(isinstance(case, Case) for case in module.CASES)
        assert len({case.name for case in module.CASES}) == len(module.CASES)


def test_wrong_results_are_found():
    from benchmarks.problem import Case
    from benchmarks.worker import disagreements, flat

    case = Case("some case", rtol=1e-6)
    good = flat((1.0, [np.array([[2.0, 3.0]])]))
    np.testing.assert_array_equal(good, [1.0, 2.0, 3.0])
    assert disagreements(case, {"a": good, "b": good + 1e-7}) == []
    assert disagreements(case, {"a": good}) == disagreements(case, {}) == []
    (line,) = disagreements(case, {"a": good, "b": good, "c": good + np.array([0, 1e-3, 0])})
    assert line.startswith("c gives")
    (line,) = disagreements(case, {"a": good, "b": good[:2]})
    assert line == "b gives 2 numbers, a 3"
    assert disagreements(case, {"a": good, "b": good * np.nan})


def test_a_failing_peer_does_not_stop_the_others(monkeypatch):
    import types

    from benchmarks import worker
    from benchmarks.problem import Case, Run

    problem = types.ModuleType("benchmarks.problems.some_problem")
    problem.CASES = [Case("some case", per=10, unit="us")]
    problem.tapegrad = lambda case: Run(lambda: 1 / 0)
    problem.numpy = lambda case: Run(lambda: sum(range(1000)))
    monkeypatch.setitem(sys.modules, problem.__name__, problem)
    process = worker.Worker(1)
    answer = process.start("some_problem", 0, ["tapegrad", "numpy"], 1e-3)
    assert "ZeroDivisionError" in answer["failed"]["tapegrad"]
    assert list(answer["digests"]) == ["numpy"]
    figures = process.round()["figures"]
    assert list(figures) == ["numpy"]
    assert 0.1 < figures["numpy"] < 1000


@pytest.mark.parametrize(
    ("fields", "medians", "expected"),
    [
        ({"at_most": 80}, {"tapegrad_1": 79}, ["met"]),
        ({"at_most": 80}, {"tapegrad_1": 90}, ["MISSED by 10"]),
        ({"at_most": 80}, {"torch_1": 90}, []),
        ({"at_most": 100, "beyond": "numpy"}, {"tapegrad_1": 590, "numpy_1": 500}, ["met"]),
        ({"at_most": 100, "beyond": "numpy"}, {"tapegrad_1": 601, "numpy_1": 500}, ["MISSED by 1"]),
        ({"at_most": 1, "times": "numpy"}, {"tapegrad_1": 5, "numpy_1": 6}, ["met"]),
        ({"at_most": 1, "times": "numpy"}, {"tapegrad_1": 8, "numpy_1": 6}, ["MISSED by 2"]),
        ({"at_most": 1, "times": "numpy"}, {"tapegrad_1": 8}, []),
        ({"speedup": 1.8}, {"tapegrad_1": 20, "tapegrad_2": 11}, ["met"]),
        ({"speedup": 1.8}, {"tapegrad_1": 20, "tapegrad_2": 12}, ["MISSED at 1.67"]),
        ({"speedup": 1.8}, {"tapegrad_1": 20}, []),
    ],
)
def test_targets_are_judged_on_medians(fields, medians, expected):
    from benchmarks import report
    from benchmarks.problem import Target

    assert report.verdict(result(Target(**fields), **medians)) == expected


def test_the_table_shows_ratios_to_tapegrad():
    from benchmarks import report

    shown = report.table(result(None, tapegrad_1=4.0, tapegrad_2=2.0, torch_1=10.0, torch_2=8.0))
    rows = [line.split() for line in shown.splitlines()]
    assert ["tapegrad", "4", "1.00", "2", "1.00", "2.00"] in rows
    assert ["torch", "10", "2.50", "8", "4.00", "1.25"] in rows


def test_a_peer_that_is_not_installed_is_named():
    done = run("--peers", "tapegrad", "no_such_peer")
    assert done.returncode == 2
    assert "no_such_peer" in done.stderr
