"""The benchmarks' hand-written C++: it compiles without warnings and agrees with tapegrad."""

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PROBLEMS = ["arm", "ba", "chain", "gmm", "lstm", "regression", "rosenbrock", "scalar"]


@pytest.fixture(name="handwritten")
def _handwritten(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.handwritten")


@pytest.fixture(name="compiled")
def _compiled(handwritten, monkeypatch):
    if handwritten.compiler() is None:
        pytest.skip("no C++ compiler")
    monkeypatch.setattr(handwritten, "FLAGS", (*handwritten.FLAGS, "-Werror"))
    return handwritten


def test_every_source_is_compiled_here(handwritten):
    assert handwritten.SOURCES == PROBLEMS
    from benchmarks import measure, peers

    modules = {
        name: importlib.import_module(f"benchmarks.problems.{name}")
        for name in measure.problem_names()
    }
    having = [name for name, module in modules.items() if "cpp" in peers.functions(module)]
    assert having == sorted([*PROBLEMS, "peak_memory"])


@pytest.mark.parametrize("name", PROBLEMS)
def test_derivatives_agree_with_tapegrad(compiled, name):
    from benchmarks import kinds
    from benchmarks.worker import disagreements, flat, settled

    module = importlib.import_module(f"benchmarks.problems.{name}")
    compared = 0
    for case in module.CASES:
        kind = case.data.kind if isinstance(case.data, kinds.Task) else kinds.GRADIENT
        if kind == kinds.FIRST_CALL:
            assert module.cpp(case) is None
        if kind != kinds.GRADIENT or case.big:
            continue
        runs = {peer: getattr(module, peer)(case) for peer in ("tapegrad_eager", "cpp")}
        values = {peer: flat(run.value(settled(run))) for peer, run in runs.items()}
        assert np.max(np.abs(values["cpp"])) > 1e-6
        assert disagreements(case, values) == [], case.name
        compared += 1
    assert compared >= 3


@pytest.mark.parametrize("name", ["ba", "chain", "gmm", "lstm", "scalar"])
def test_values_agree_with_tapegrad(compiled, name, monkeypatch):
    from benchmarks import kinds
    from benchmarks.worker import flat

    module = importlib.import_module(f"benchmarks.problems.{name}")
    case = next(case for case in module.CASES if case.data.kind == kinds.VALUE_RATIO)
    assert module.cpp(case).measures
    monkeypatch.setattr(kinds, "run", lambda task, build, *_: build().value)
    found, expected = (flat(peer(case)()) for peer in (module.cpp, module.tapegrad_eager))
    assert np.max(np.abs(expected)) > 1e-6
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11 * np.abs(expected).max())


def test_the_prior_of_the_mixture_counts(compiled, monkeypatch):
    from benchmarks.problems import gmm
    from benchmarks.worker import disagreements, flat

    monkeypatch.setattr(gmm, "M", 3)
    monkeypatch.setattr(gmm, "GAMMA", 1.5)
    case = gmm.CASES[0]
    results = {peer: flat(getattr(gmm, peer)(case).call()) for peer in ("tapegrad_eager", "cpp")}
    assert disagreements(case, results) == []


def test_loading_leaves_subnormal_numbers_alone(compiled):
    for name in PROBLEMS:
        compiled._library(name)
    tiny = np.full(16, 1e-310)
    assert np.all(tiny * 0.5 > 0.0)
    assert tiny[0].item() * 0.5 > 0.0


def test_what_cpp_cannot_take_is_named(compiled):
    with pytest.raises(TypeError, match="an array of float32 with strides"):
        compiled.bind("chain", "value", (3, np.ones(3, np.float32)), [np.empty(())])
    with pytest.raises(TypeError, match="contiguous float64 or int64"):
        compiled.bind("chain", "value", (3, np.ones(6)[::2]), [np.empty(())])


def test_an_error_of_the_compiler_is_shown(compiled, monkeypatch, tmp_path):
    (tmp_path / "broken.cpp").write_text("int f( { }\n")
    monkeypatch.setattr(compiled, "FOLDER", tmp_path)
    with pytest.raises(RuntimeError, match=r"broken.cpp.* failed with status 1:\n.*broken.cpp:1:"):
        compiled.build("broken", tmp_path)


def test_which_compiler(handwritten, monkeypatch):
    from benchmarks import peers
    from benchmarks.problem import AbsentError

    monkeypatch.setenv("CXX", "no_such_compiler")
    assert handwritten.compiler() is None
    assert "cpp" not in peers.installed()
    with pytest.raises(AbsentError, match="no no_such_compiler on the path"):
        peers.prepare("cpp", 1)
    monkeypatch.setenv("CXX", f"{shutil.which('env')} some_compiler")
    assert handwritten.compiler() == [shutil.which("env"), "some_compiler"]
    assert peers.installed()[-1] == "cpp"
    peers.prepare("cpp", 1)
    with pytest.raises(AbsentError, match="no figure at 2 threads"):
        peers.prepare("cpp", 2)


def test_a_quick_run_measures_it_on_one_thread(compiled, tmp_path):
    file = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--problems", "chain", "scalar",
         "--peers", "tapegrad", "cpp", "--threads", "1", "2", "--json", str(file)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "absent: cpp: no figure at 2 threads: written for one" in done.stdout
    figures = json.loads(file.read_text())
    assert figures["versions"]["cpp"] == compiled.version()
    for case in figures["cases"]:
        measured = [entry["threads"] for entry in case["peers"] if entry["peer"] == "cpp"]
        wanted = not case["skipped"] and not case["case"].startswith("first")
        assert measured == ([1] if wanted else []), case["case"]
