"""The picture of `python -m tapegrad --plot FILE`: data, fitted lines and loss curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tapegrad.cli.regression import Fit, InputError, Problem

COLORS = ("#0072b2", "#d55e00", "#009e73")
DASHES = ("-", "--", ":")


def check_plot(file: str) -> None:
    """Raises InputError where `draw` to this file must fail, before any work is done."""
    figure = _figure()
    known = sorted(figure.canvas.get_supported_filetypes())
    suffix = Path(file).suffix.lstrip(".").lower()
    if suffix not in known:
        raise InputError(f"--plot {file}: unknown picture format; end it in .{', .'.join(known)}")
    if not Path(file).absolute().parent.is_dir():
        raise InputError(f"--plot {file}: the folder {Path(file).parent} does not exist")


def draw(file: str, problem: Problem, fits: Sequence[Fit]) -> None:
    """Writes the picture; the suffix chooses the format. Needs no display."""
    figure = _figure()
    points, curves = figure.subplots(1, 2)
    _draw_points(points, problem, fits)
    _draw_curves(curves, fits)
    try:
        figure.savefig(file, dpi=150)
    except OSError as error:
        raise InputError(f"--plot {file}: {error.strerror or error}") from None


def _figure() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError(
            "--plot needs matplotlib, which is not installed: pip install 'tapegrad[plot]'"
        ) from None
    return Figure(figsize=(11, 4.5), layout="constrained")


def _draw_points(axes: Any, problem: Problem, fits: Sequence[Fit]) -> None:
    size = 28.0 if len(problem.x) <= 200 else 6.0
    axes.scatter(problem.x, problem.y, s=size, color="#333333", label="training data", zorder=3)
    if len(problem.test_x):
        axes.scatter(problem.test_x, problem.test_y, s=size, facecolors="white",
                     edgecolors="#333333", label="test data", zorder=3)  # fmt: skip
    every_x = np.concatenate([problem.x, problem.test_x])
    ends = np.array([every_x.min(), every_x.max()])
    for fit, color, dash in zip(fits, COLORS, DASHES, strict=True):
        if not fit.diverged:
            label = f"{fit.name}: {fit.w:.3g} x {'+' if fit.b >= 0 else '-'} {abs(fit.b):.3g}"
            axes.plot(ends, fit.w * ends + fit.b, dash, color=color, lw=2, label=label)
    axes.set(xlabel="x", ylabel="y", title="Fitted lines")
    axes.legend(frameon=False, fontsize="small")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_curves(axes: Any, fits: Sequence[Fit]) -> None:
    for fit, color, dash in zip(fits, COLORS, DASHES, strict=True):
        losses = np.array(fit.losses)
        # The beginning of a fit that diverges is enough; all of it would flatten the others.
        epochs = np.flatnonzero(losses <= 1e3 * losses[0])
        marker = "o" if len(losses) <= 2 else ""
        label = f"{fit.name} (diverged)" if fit.diverged else fit.name
        axes.plot(epochs, losses[epochs], dash, color=color, lw=2, marker=marker, label=label)
    if all(loss > 0 for fit in fits for loss in fit.losses):
        axes.set_yscale("log")
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set(xlabel="epoch (Newton: step)", ylabel="training error", title="Loss curves")
    axes.legend(frameon=False, fontsize="small")
    axes.spines[["top", "right"]].set_visible(False)
