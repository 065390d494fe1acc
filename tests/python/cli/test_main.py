import os
import re
import subprocess
import sys

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.cli import main as command
from tapegrad.cli import regression


def write(path, x, y, header="x,y"):
    lines = [header, *(f"{a!r},{b!r}" for a, b in zip(x, y, strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.fixture
def points(tmp_path):
    return write(tmp_path / "points.csv", regression.TRAIN_X.tolist(), regression.TRAIN_Y.tolist())


def row(output, name):
    """The numbers in the printed row that starts with `name`."""
    (line,) = [line for line in output.splitlines() if line.startswith(name)]
    return [float(field) for field in re.findall(r"\S+", line[len(name) :])[:4]]


def test_article_agrees_with_the_reference_and_prints_it(capsys):
    assert command.main([]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    assert "ok: every figure" in output.out
    for way in ("numerical differences", "forward mode", "reverse mode"):
        np.testing.assert_allclose(row(output.out, way), [64.4899999972, 9.02220397728], rtol=1e-7)
    for name, (line, errors) in command.REFERENCE.items():
        np.testing.assert_allclose(row(output.out, name), [*line, *errors], rtol=1e-9)


@pytest.mark.parametrize("place", range(4))
def test_article_fails_on_any_wrong_figure(monkeypatch, capsys, place):
    line, errors = command.REFERENCE["full-batch descent"]
    wrong = [*line, *errors]
    wrong[place] *= 1 + 3e-9
    changed = (tuple(wrong[:2]), tuple(wrong[2:]))
    monkeypatch.setitem(command.REFERENCE, "full-batch descent", changed)
    assert command.main([]) == 1
    output = capsys.readouterr()
    assert "ok:" not in output.out
    assert f"mismatch: full-batch descent, {command.FIGURES[place]} is 0." in output.err
    assert output.err.count("\n") == 1


def test_article_fails_on_a_wrong_gradient(monkeypatch, capsys):
    monkeypatch.setattr(command, "START_GRADIENT", (64.4899999972005, 9.03))
    assert command.main([]) == 1
    errors = capsys.readouterr().err
    for way in ("numerical differences", "forward mode", "reverse mode"):
        assert f"gradient at the start, {way}, d/db" in errors
    assert "d/dw" not in errors


def test_article_fails_where_a_figure_is_nan():
    fit = regression.Fit("Newton", float("nan"), 0.798801226175389, [0.0769288370209555])
    fit.test_error = 0.0782876261037672
    (mismatch,) = command.check({}, [fit])
    assert "Newton, w is nan" in mismatch


def test_fit_of_the_same_points_gives_the_same_lines(points, capsys):
    assert command.main(["fit", points]) == 0
    output = capsys.readouterr().out
    for name, (line, errors) in command.REFERENCE.items():
        np.testing.assert_allclose(row(output, name)[:3], [*line, errors[0]], rtol=1e-9)


def test_fit_takes_its_options(points, capsys):
    assert command.main(["fit", points, "--lr", "0.02", "--epochs", "3", "--start", "1", "-2"]) == 0
    output = capsys.readouterr().out
    assert "start at w = 1, b = -2; step size 0.02, 3 epochs" in output
    w, b = 1.0, -2.0
    x, y = regression.TRAIN_X, regression.TRAIN_Y
    for _ in range(3):
        residual = w * x + b - y
        w, b = w - 0.02 * np.mean(residual * x), b - 0.02 * np.mean(residual)
    np.testing.assert_allclose(row(output, "full-batch descent")[:2], [w, b], rtol=1e-9)


def test_fit_seed_draws_start_and_test_rows(points, capsys):
    outputs = []
    for seed in ("3", "3", "4"):
        assert command.main(["fit", points, "--seed", seed, "--test-fraction", "0.25"]) == 0
        outputs.append(re.sub(r" +\S+ m?s\n", "", capsys.readouterr().out))
    assert "13 training points, 4 test points" in outputs[0]
    assert "test error" in outputs[0]
    assert outputs[0] == outputs[1] != outputs[2]


def test_divergence_is_reported_with_a_step_that_converges(tmp_path, capsys):
    x = np.linspace(-50, 400, 30)
    file = write(tmp_path / "big.csv", x.tolist(), (3 * x + 5).tolist())
    assert command.main(["fit", file, "--lr", "0.01"]) == 2
    output = capsys.readouterr()
    assert output.out.count("diverged") == 2
    np.testing.assert_allclose(row(output.out, "Newton")[:2], [3, 5], rtol=1e-9)
    assert "per-sample SGD and full-batch descent diverged at step size 0.01" in output.err
    step = re.search(r"--lr (\S+)", output.err).group(1)
    assert command.main(["fit", file, "--lr", step]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    start = row(output.out, "start   ")[2]
    assert row(output.out, "per-sample SGD")[2] < start / 10
    assert row(output.out, "full-batch descent")[2] < start / 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y\n1,2\n", "line 2: the file ends after one row"),
        ("x,y\n2,1\n2,3\n2,4\n", "all 3 values of x equal 2: the Hessian is singular"),
        ("x,y\n1e9,1\n1000000001,3\n", "singular to working precision"),
        ("x,y\n1e200,1\n2,3\n", "too large to square"),
        ("x,y\n1,1\n2,nan\n", "line 3, column y: 'nan' is not a finite number"),
    ],
)
def test_bad_data_is_named_with_its_file(tmp_path, capsys, text, message):
    file = tmp_path / "bad.csv"
    file.write_text(text)
    assert command.main(["fit", str(file)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"tapegrad: {file}")
    assert message in output.err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--lr", "0", "0 is not above 0"),
        ("--lr", "inf", "inf is not finite"),
        ("--lr", "fast", "invalid"),
        ("--epochs", "0", "0 is not at least 1"),
        ("--seed", "-1", "-1 is not in [0, 2**32)"),
        ("--test-fraction", "1", "1 is not in [0, 1)"),
    ],
)
def test_bad_options(points, capsys, option, value, message):
    with pytest.raises(SystemExit) as caught:
        command.main(["fit", points, option, value])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_module_runs_without_a_traceback(tmp_path):
    missing = tmp_path / "missing.csv"
    done = subprocess.run(
        [sys.executable, "-m", "tapegrad", "fit", str(missing)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"tapegrad: {missing}: no such file\n"


def test_a_closed_pipe_is_quiet():
    done = subprocess.run(
        f"{sys.executable} -m tapegrad | head -n 1",
        shell=True, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("The article's line")
    assert done.stderr == ""


def run(*args, **kwargs):
    return subprocess.run(
        [sys.executable, "-m", "tapegrad", *args],
        stderr=subprocess.PIPE, text=True, timeout=120, check=False, **kwargs,
    )  # fmt: skip


@pytest.mark.parametrize("arguments", [["--version"], ["fit", "--version"]])
def test_version(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"tapegrad {tg.__version__}\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device is always full")
def test_a_full_disk_has_no_traceback(points):
    for arguments in ([], ["fit", points]):
        with open("/dev/full", "w") as full:
            done = run(*arguments, stdout=full)
        assert done.returncode == 2
        assert done.stderr == "tapegrad: the output can't be written: No space left on device\n"


def test_names_that_the_output_lacks(tmp_path):
    file = write(tmp_path / "n\u00e9.csv", [1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = run("fit", file, stdout=subprocess.PIPE, env=ascii_only)
    assert done.returncode == 0
    assert r"n\xe9.csv" in done.stdout
    done = run("fit", file + "x", stdout=subprocess.PIPE, env=ascii_only)
    assert done.returncode == 2
    assert r"n\xe9.csvx: no such file" in done.stderr


def test_default_step_converges(tmp_path, capsys):
    x = list(range(100))
    assert command.main(["fit", write(tmp_path / "p.csv", x, [2 * i + 1 for i in x])]) == 0
    output = capsys.readouterr().out
    assert "diverged" not in output
    assert row(output, "full-batch descent")[0] == pytest.approx(2, abs=0.02)
    assert row(output, "Newton")[:2] == pytest.approx([2, 1])


def test_a_stop_far_from_the_minimum_is_said(tmp_path, capsys):
    x = [1e3 + i for i in range(10)]
    file = write(tmp_path / "p.csv", x, [500.0 - 3 * i for i in range(10)])
    assert command.main(["fit", file, "--epochs", "1", "--lr", "1e-9"]) == 0
    assert "stopped far from the minimum" in capsys.readouterr().out
