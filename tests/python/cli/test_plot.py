import subprocess
import sys

import numpy as np
import pytest

from tapegrad.cli import main as command
from tapegrad.cli import plot, regression
from tapegrad.cli.regression import Fit, InputError

STARTS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.mark.parametrize("suffix", STARTS)
def test_the_suffix_chooses_the_format(tmp_path, suffix):
    pytest.importorskip("matplotlib")
    file = tmp_path / f"fit{suffix}"
    assert command.main(["--plot", str(file)]) == 0
    assert file.read_bytes().startswith(STARTS[suffix])


def test_the_picture_holds_data_lines_and_curves(tmp_path):
    pytest.importorskip("matplotlib")
    figure = plot._figure()
    points, curves = figure.subplots(1, 2)
    problem = regression.article()
    good = Fit("good", 0.25, -0.75, [4.0, 1.0])
    lost = Fit("lost", np.inf, 0.0, [4.0, 50.0, 1e9, np.inf], diverged=True)
    last = Fit("last", 1.0, 0.0, [4.0, 0.5])
    plot._draw_points(points, problem, [good, lost, last])
    plot._draw_curves(curves, [good, lost, last])
    train, test = (collection.get_offsets() for collection in points.collections)
    np.testing.assert_array_equal(train, np.stack([problem.x, problem.y], axis=1))
    np.testing.assert_array_equal(test, np.stack([problem.test_x, problem.test_y], axis=1))
    assert len(points.lines) == 2
    np.testing.assert_allclose(points.lines[0].get_ydata(), 0.25 * np.array([2.1, 10.791]) - 0.75)
    assert points.lines[0].get_label() == "good: 0.25 x - 0.75"
    np.testing.assert_array_equal(curves.lines[1].get_ydata(), [4.0, 50.0])
    assert curves.lines[1].get_label() == "lost (diverged)"


def test_errors_come_before_the_work(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    for file, message in [
        (tmp_path / "fit.xyz", "unknown picture format; end it in ."),
        (tmp_path / "fit", "unknown picture format"),
        (tmp_path / "none" / "fit.png", "does not exist"),
    ]:
        assert command.main(["--plot", str(file)]) == 2
        output = capsys.readouterr()
        assert output.out == ""
        assert message in output.err


def test_a_file_that_cannot_be_written(tmp_path):
    pytest.importorskip("matplotlib")
    folder = tmp_path / "fit.png"
    folder.mkdir()
    fits = [Fit(name, 1.0, 0.0, [2.0, 1.0]) for name in "abc"]
    with pytest.raises(InputError, match=r"--plot .*fit.png: Is a directory"):
        plot.draw(str(folder), regression.article(), fits)


def test_missing_matplotlib_names_the_extra(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert command.main(["--plot", "fit.png"]) == 2
    assert "pip install 'tapegrad[plot]'" in capsys.readouterr().err


def test_matplotlib_is_imported_only_for_a_plot():
    code = (
        "import sys; from tapegrad.cli.main import main; main([]); "
        "sys.exit('matplotlib' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
