"""Every file in examples/python runs, without a warning, and prints the right result."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "python"

PRINTS = {
    "logistic_regression_theano_style.py": "cost = 0.333150, right = 0.920",
    "newton_hessian.py": "minimum at [1. 1.]",
    "regression_autograd_style.py": "weight = 0.326592, bias = 0.267391, train error = 0.094409",
    "regression_tensorflow_style.py": "weight = 0.324007, bias = 0.266141",
    "look_at_a_graph.py": "most of the time goes into ",
    "expression_swell.py": "at 0.3: 1.309081600000 by formula, 1.309081600000 by tape",
    "character_lstm_pytorch_style.py": "'she sells sea shells by the sea shor'",
    "digits_pytorch_style.py": "accuracy above 95 %: True",
    "regression_pytorch_style.py": "weight = 0.32401, bias = 0.26614, train error = 0.09463",
    "regression_variables.py": "weight = 0.324007, bias = 0.266141, train error = 0.094635",
    "three_ways.py": "[-1.4803977971  0.1087073263  0.051620475  -0.2913027856]",
    "three_ways_plot.py": "operations of the record:  7 15 23 31 39 47 55 63",
    "train_regression.py": "weight = 0.324007, bias = 0.266141, train error = 0.094635",
}


def test_every_example_has_its_result_here():
    assert sorted(PRINTS) == sorted(file.name for file in FOLDER.glob("*.py"))


@pytest.mark.parametrize("name", sorted(PRINTS))
def test_example(name, tmp_path):
    if name.startswith("digits"):
        pytest.importorskip("sklearn", reason="the digits are scikit-learn's")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(FOLDER / name)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert PRINTS[name] in done.stdout
    if name == "three_ways.py":
        for way in ("forward", "reverse"):
            assert f"{way:<12}{PRINTS[name]}  off by " in done.stdout
