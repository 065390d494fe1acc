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
    assert "11 cases, 0 errors; 4 targets judged" in done.stdout
    figures = json.loads(file.read_text())
    assert figures["versions"]["numpy"] == np.__version__
    assert len(figures["cases"]) == 11
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


def test_what_the_machine_lacks_is_no_error(monkeypatch):
    import types

    from benchmarks import report, worker
    from benchmarks.measure import Result
    from benchmarks.problem import AbsentError, Case, Run

    def tapegrad(case):
        import tapegrad as tg

        return Run(tg.no_such_function)

    def numpy(case):
        raise AbsentError("no compiler")

    def numpy_wrong(case):
        return Run(np.zeros(3).no_such_method)

    def jax(case):
        import no_such_package_anywhere  # noqa: F401 - it has to be missing

    problem = types.ModuleType("benchmarks.problems.some_problem")
    problem.CASES = [Case("some case")]
    for function in (tapegrad, numpy, numpy_wrong, jax):
        setattr(problem, function.__name__, function)
    monkeypatch.setitem(sys.modules, problem.__name__, problem)
    process = worker.Worker(1)
    process.ready.add("jax")
    answer = process.start("some_problem", 0, ["tapegrad", "numpy", "jax"], 1e-3)
    assert list(answer["failed"]) == ["numpy_wrong"]
    assert answer["absent"]["tapegrad"] == "tapegrad has no no_such_function"
    assert answer["absent"]["numpy"] == "no compiler"
    assert "no_such_package_anywhere" in answer["absent"]["jax"]
    shown = report.table(Result("some_problem", problem.CASES[0], absent=answer["absent"]))
    assert "absent: numpy: no compiler" in shown


def test_the_fourth_result_is_compared():
    from benchmarks.problem import Run
    from benchmarks.worker import settled

    results = iter(range(10))
    assert settled(Run(lambda: next(results))) == 3
    assert settled(Run(lambda: (0.5, next(results)), measures=True)) == 4


def test_the_hand_needs_its_files(tmp_path):
    done = run("--quick", "--problems", "hand", "--peers", "numpy", "--threads", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped: needs the suite's files: --data DIR" in done.stdout
    done = run("--problems", "hand", "--peers", "numpy", "--threads", "1", "--data", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped: no file simple_small/hand6_t26_c1600.txt" in done.stdout
    done = run("--problems", "hand", "--data", str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert "nowhere" in done.stderr


def test_kinds_of_figures():
    import time

    from benchmarks import kinds

    built = []

    def build():
        built.append(time.sleep(0.02))
        return kinds.Functions(lambda: time.sleep(0.01) or "slope", lambda: time.sleep(0.001))

    plain = kinds.run(kinds.Task(1), build)
    assert plain.call() == "slope"
    assert not plain.measures
    first = kinds.run(kinds.Task(1, kinds.FIRST_CALL), build)
    assert len(built) == 1
    milliseconds, result = first.call()
    assert result == "slope"
    assert milliseconds >= 24
    first.call()
    assert len(built) == 3
    ratio, result = kinds.run(kinds.Task(1, kinds.VALUE_RATIO), build).call()
    assert result == "slope"
    assert ratio > 1.2
    alone = kinds.Functions(lambda: "slope")
    assert kinds.run(kinds.Task(1, kinds.VALUE_RATIO), lambda: alone) is None


EAGER = ["gmm", "chain", "rosenbrock", "mlp", "regression"]


@pytest.mark.parametrize("name", EAGER)
def test_gradients_agree_with_those_by_hand(name):
    import importlib

    from benchmarks.kinds import GRADIENT, Task
    from benchmarks.worker import disagreements, flat, settled

    module = importlib.import_module(f"benchmarks.problems.{name}")
    cases = [
        case for case in module.CASES
        if not case.big and (not isinstance(case.data, Task) or case.data.kind == GRADIENT)
    ]  # fmt: skip
    assert len(cases) >= 3
    for case in cases:
        runs = {peer: getattr(module, peer)(case) for peer in ("tapegrad_eager", "numpy")}
        values = {peer: flat(run.value(settled(run))) for peer, run in runs.items()}
        assert np.max(np.abs(values["numpy"])) > 1e-3
        assert disagreements(case, values) == [], case.name


@pytest.mark.parametrize("name", ["ba", "lstm", "scalar"])
def test_gradients_agree_with_differences(name):
    """The smallest case, along a random direction."""
    import importlib

    import tapegrad as tg

    module = importlib.import_module(f"benchmarks.problems.{name}")
    rng = np.random.default_rng(1)
    if name == "scalar":
        point = [np.array(value) for value in module.POINT]

        def f(*at):
            return module._loop(np.sin, 5, *at)
    elif name == "lstm":
        *point, state, sequence = module._data(module.Size(2, 5))

        def f(main, extra):
            return module._loss(np, lambda x: module._sigmoid(np, x), main, extra, state, sequence)
    else:
        cameras, points, weights, by_camera, by_point, features = module._data(
            module.Size(3, 5, 20)
        )
        point, mix = [cameras, points, weights], rng.normal(size=(20, 2))

        def f(cameras, points, weights):
            seen, of_weights = module._errors(
                np, cameras[by_camera], points[by_point], weights, features
            )
            return np.sum(seen * mix) + np.sum(of_weights)

    along = [rng.normal(size=np.shape(x)) for x in point]
    slopes = tg.grad(f, tuple(range(len(point))))(*point)
    found = sum(np.sum(slope * d) for slope, d in zip(slopes, along, strict=True))
    h = 1e-6
    high, low = (f(*(x + s * h * d for x, d in zip(point, along, strict=True))) for s in (1, -1))
    assert found == pytest.approx((high - low) / (2 * h), rel=1e-5)


def test_the_jacobian_by_hand_made_seeds_is_that_of_each_observation():
    from benchmarks import kinds
    from benchmarks.problem import Case
    from benchmarks.problems import ba

    import tapegrad as tg

    size = ba.Size(3, 5, 12)
    run = ba.tapegrad_eager(Case("small", data=kinds.Task(size)))
    blocks = run.value(run.call())
    assert [block.shape for block in blocks] == [(12, 2, 11), (12, 2, 3), (12, 2), (12,)]
    cameras, points, weights, by_camera, by_point, features = ba._data(size)
    for k in range(12):
        at = cameras[by_camera[k]], points[by_point[k]], weights[k]

        def errors(camera, point, weight, k=k):
            return ba._errors(np, camera, point, weight, features[k])

        seen, of_weight = tg.jacobian(errors, (0, 1, 2))(*at)
        for block, expected in zip(blocks, (*seen, of_weight[2]), strict=True):
            np.testing.assert_allclose(block[k], expected, rtol=1e-10, atol=1e-10)


def write_hand(folder, triangles):
    """A tiny hand of 22 bones in the suite's format."""
    rng = np.random.default_rng(5)
    model = folder / "model"
    model.mkdir(parents=True)
    bones, at_rest = [], []
    for bone in range(22):
        frame = np.eye(4)
        frame[:3] += rng.normal(0.0, 0.1, (3, 4))
        parent = -1 if bone == 0 else 0 if bone % 4 == 1 else bone - 1
        at_rest.append(frame if parent < 0 else at_rest[parent] @ frame)
        numbers = [*frame.ravel(), *np.linalg.inv(at_rest[bone]).ravel()]
        bones.append(":".join([f"bone{bone}", str(parent), *map(repr, map(float, numbers))]))
    (model / "bones.txt").write_text("\n".join(bones) + "\n")
    rows = []
    for _ in range(9):
        first, second = rng.choice(22, 2, replace=False)
        head = [*map(float, rng.normal(size=3)), 0.0, 0.0, 0.0, 0.0, 0.0]
        rows.append(":".join(map(str, [*head, 2, first, 0.25, second, 0.75])))
    (model / "vertices.txt").write_text("\n".join(rows) + "\n")
    (model / "triangles.txt").write_text("0:1:2\n3:4:5\n6:7:8\n")
    count = 6
    lines = [f"{count} 26"]
    for _ in range(count):
        where = rng.integers(0, 3 if triangles else 9)
        lines.append(" ".join(map(str, [where, *map(float, rng.normal(size=3))])))
    if triangles:
        lines += [" ".join(map(str, map(float, rng.uniform(size=2)))) for _ in range(count)]
    lines += [str(float(angle)) for angle in rng.normal(0.0, 0.5, 26)]
    (folder / "hand0_t26_c6.txt").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("folder", ["simple_tiny", "complicated_tiny"])
def test_the_hand(folder, tmp_path, monkeypatch):
    from benchmarks import kinds
    from benchmarks.problem import DATA_VARIABLE, Case
    from benchmarks.problems import hand

    write_hand(tmp_path / folder, folder.startswith("complicated"))
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    size = hand.Size(folder, "hand0_t26_c6.txt")
    case = Case("tiny", data=kinds.Task(size))
    assert hand.missing(case) is None
    found = hand.tapegrad_eager(case).call()
    data = hand._data(size)
    at = hand._start(data)
    assert found.shape == (18, 26 if folder.startswith("simple") else 28)
    h = 1e-6
    for column, step in zip(found.T, h * np.eye(at.size), strict=True):
        high, low = (hand._errors(np, data, at + s * step) for s in (1, -1))
        np.testing.assert_allclose(column, (high - low) / (2 * h), atol=1e-7)
    still = np.concatenate([[1e-9, 0.0, 0.0], np.zeros(23)])
    np.testing.assert_allclose(hand._posed(np, data, still), data.vertices[:, :3], atol=1e-8)


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


def test_costs_are_measured_and_held_against_the_table(monkeypatch, tmp_path, capsys):
    from benchmarks import costs

    from tapegrad import _core

    table = {name: ns for name, (ns, _) in _core.cost_table().items()}
    best = costs.best
    monkeypatch.setattr(costs, "best", lambda f, *x, **_: best(f, *x, runs=2))
    assert costs.measured().keys() == table.keys()

    found = {**table, "turn": 30 * table["turn"]}
    monkeypatch.setattr(costs, "measured", lambda: found)
    copy = tmp_path / "cost_list.h"
    copy.write_text(costs.TABLE.read_text())
    monkeypatch.setattr(costs, "TABLE", copy)
    monkeypatch.setattr(sys, "argv", ["costs", "--write"])
    assert costs.main() == 1
    (off,) = (line for line in capsys.readouterr().out.splitlines() if "OFF" in line)
    assert off.startswith("turn ")
    assert f"COST(turn, {found['turn']:.2g}," in copy.read_text()
    found["turn"] = table["turn"]
    assert costs.main() == 0
