"""The main job: `python -m tapegrad` fits the article's line and checks itself.

`python -m tapegrad fit FILE.csv` does the same for the user's own columns x and y.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import math
import os
import sys
from collections.abc import Iterable, Sequence

import numpy as np

from tapegrad import __version__
from tapegrad.cli import fit_csv, plot, regression
from tapegrad.cli.regression import Array, Fit, InputError, Problem

# These figures come from plain NumPy with the gradient written by hand. Test errors divide by the
# number of test points; the article's Autograd listing divides by 17.
FIGURES = ("w", "b", "train error", "test error")
REFERENCE = {
    "per-sample SGD": (
        (0.324007153370683, 0.266140670116339),
        (0.0946348578670774, 0.0839991296365658),
    ),
    "full-batch descent": (
        (0.326591726423404, 0.267391378377763),
        (0.0944088771973707, 0.082454009593638),
    ),
    "Newton": (
        (0.251634944283554, 0.798801226175389),
        (0.0769288370209555, 0.0782876261037672),
    ),
}
START_GRADIENT = (64.4899999972005, 9.02220397728216)
TOLERANCE = 1e-9
NUMERICAL_TOLERANCE = 1e-7

EPILOG = """\
The error of a line is sum((w*x + b - y)^2) / (2*n). Exit status: 0 when all is well, 1 when
a figure differs from its reference, 2 when the input cannot be used or a fit diverges.
"""
START_HELP = "slope and intercept to start at (default: two normal draws)"
LR_HELP = "step size (default: 0.01, or less where the data needs a smaller one to converge)"
TEST_HELP = "share of the rows, drawn at random, kept for the test error (default 0)"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names that the output's encoding lacks are shown with escapes.
            stream.reconfigure(errors="backslashreplace")
    try:
        args = _parser().parse_args(argv)
        if args.plot:
            plot.check_plot(args.plot)
        status = _fit_file(args) if args.command == "fit" else _fit_article(args)
        sys.stdout.flush()
        return status
    except InputError as error:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        print(f"tapegrad: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("tapegrad: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe left; nothing remains to be said
        _drop_output()
        return 0
    except OSError as error:  # a full disk, as a rule
        _drop_output()
        print(f"tapegrad: the output can't be written: {error.strerror}", file=sys.stderr)
        return 2


def _drop_output() -> None:
    """What is still to be written goes nowhere, also when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tapegrad",
        description="Fit the article's line on its 17 points with exact gradients, three ways, "
        "and check the figures.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = f"tapegrad {__version__}"
    parser.add_argument("--version", action="version", version=version)
    _add_plot(parser)
    commands = parser.add_subparsers(dest="command", metavar="")
    fit = commands.add_parser(
        "fit",
        help="fit a line to columns x and y of your own CSV file",
        description="Fit a line to the columns x and y of a CSV file, the three ways.",
        epilog="The file needs a header naming the columns, in any order, among any others;\n"
        "commas, semicolons or tabs separate them.\n\nexample: tapegrad fit points.csv "
        "--lr 0.001 --epochs 1000 --plot fit.png\n\n" + EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fit.add_argument("--version", action="version", version=version)
    fit.add_argument("file", metavar="FILE.csv", help="the data")
    option = fit.add_argument
    option("--lr", type=_positive, help=LR_HELP)
    option("--epochs", type=_count, default=100, metavar="N", help="passes (default 100)")
    option("--start", type=_finite, nargs=2, metavar=("W", "B"), help=START_HELP)
    option("--seed", type=_seed, default=0, metavar="N", help="for what is drawn (default 0)")
    option("--test-fraction", type=_fraction, default=0.0, metavar="P", help=TEST_HELP)
    option("--decimal", choices=[".", ","], default=".", help="decimal mark (default .)")
    _add_plot(fit)
    return parser


def _add_plot(parser: argparse.ArgumentParser) -> None:
    # The default is suppressed: where a subcommand takes the option, its absence must not undo
    # the main one.
    parser.add_argument(
        "--plot",
        metavar="FILE",
        default=argparse.SUPPRESS if parser.prog.endswith(" fit") else None,
        help="draw data, fits and loss curves; the suffix is the format (.png, .svg, .pdf ...)",
    )


def _fit_article(args: argparse.Namespace) -> int:
    problem = regression.article()
    print("The article's line, y = w x + b:", end=" ")
    gradients, fits = _report(problem)
    if args.plot:
        plot.draw(args.plot, problem, fits)
    mismatches = list(check(gradients, fits))
    if mismatches:
        sys.stdout.flush()
        for line in mismatches:
            print(f"tapegrad: {line}", file=sys.stderr)
        return 1
    print(
        f"\nok: every figure agrees with its reference to {TOLERANCE:g}, relative "
        f"(numerical differences to {NUMERICAL_TOLERANCE:g})"
    )
    return 0


def check(gradients: dict[str, Array], fits: Iterable[Fit]) -> Iterable[str]:
    """A line for each figure that differs from its reference."""
    for way, found in gradients.items():
        tolerance = NUMERICAL_TOLERANCE if way == "numerical differences" else TOLERANCE
        for name, value, expected in zip(("d/dw", "d/db"), found, START_GRADIENT, strict=True):
            yield from _differs(f"gradient at the start, {way}, {name}", value, expected, tolerance)
    for fit in fits:
        found_figures = (fit.w, fit.b, fit.train_error, fit.test_error)
        line, errors = REFERENCE[fit.name]
        for name, value, expected in zip(FIGURES, found_figures, line + errors, strict=True):
            yield from _differs(f"{fit.name}, {name}", value, expected, TOLERANCE)


def _differs(name: str, value: float | None, expected: float, tolerance: float) -> Iterable[str]:
    if value is None or not math.isclose(value, expected, rel_tol=tolerance):
        yield (
            f"mismatch: {name} is {value!r}, its reference {expected!r} (relative tolerance "
            f"{tolerance:g})"
        )


def _fit_file(args: argparse.Namespace) -> int:
    x, y = fit_csv.read_columns(args.file, args.decimal)
    problem = _problem(args, x, y)
    try:
        regression.check_solvable(problem)
    except InputError as error:
        raise InputError(f"{args.file}: {error}") from None
    print(f"{args.file}, y = w x + b:", end=" ")
    _, fits = _report(problem)
    if args.plot:
        plot.draw(args.plot, problem, fits)
    diverged = [fit.name for fit in fits if fit.diverged]
    if diverged:
        raise InputError(
            f"{' and '.join(diverged)} diverged at step size {problem.lr:g}; for this data steps "
            f"below {regression.stable_step(problem.x):.3g} are stable: run again with "
            f"--lr {regression.suggested_step(problem.x):g}"
        )
    far = [fit.name for fit in fits if regression.is_far(fit, fits[-1])]
    if far:
        print(
            f"\n{' and '.join(far)} stopped far from the minimum, which Newton's line is: more "
            "--epochs come nearer; where x is far from 0 or its range is large, subtract its mean "
            "and divide by its spread first"
        )
    return 0


def _problem(args: argparse.Namespace, x: Array, y: Array) -> Problem:
    rng = np.random.RandomState(args.seed)
    w, b = rng.randn(2)
    start = (float(w), float(b)) if args.start is None else (args.start[0], args.start[1])
    held_out = np.zeros(len(x), dtype=bool)
    held_out[rng.permutation(len(x))[: round(args.test_fraction * len(x))]] = True
    kept = ~held_out
    lr = regression.default_step(x[kept]) if args.lr is None else args.lr
    return Problem(x[kept], y[kept], x[held_out], y[held_out], start, lr, args.epochs)


def _report(problem: Problem) -> tuple[dict[str, Array], list[Fit]]:
    """Prints the tables; the rows of slow fits appear as they finish."""
    tested = f", {len(problem.test_x)} test points" if len(problem.test_x) else ""
    print(f"{len(problem.x)} training points{tested}")
    w, b = problem.start
    print(
        f"start at w = {w:.15g}, b = {b:.15g}; step size {problem.lr:g}, {problem.epochs} epochs\n"
    )

    print(f"{'gradient at the start':<22}{'d/dw':>23}{'d/db':>23}")
    gradients = regression.gradients(problem)
    for way, found in gradients.items():
        print(f"{way:<22}{found[0]:>23.15g}{found[1]:>23.15g}")

    test_heading = f"{'test error':>20}" if len(problem.test_x) else ""
    print(f"\n{'fit':<19}{'w':>20}{'b':>20}{'train error':>20}{test_heading}{'time':>10}")
    start = Fit("start", w, b, [problem.train_error(w, b)], problem.test_error(w, b))
    print(_row(start, ""), flush=True)
    fits = []
    for fit in regression.fits(problem):
        print(_row(fit, _duration(fit.seconds)), flush=True)
        fits.append(fit)
    return gradients, fits


def _row(fit: Fit, duration: str) -> str:
    test = "" if fit.test_error is None else f"{fit.test_error:>20.12g}"
    note = "  diverged" if fit.diverged else ""
    figures = f"{fit.w:>20.12g}{fit.b:>20.12g}{fit.train_error:>20.12g}{test}"
    return f"{fit.name:<19}{figures}{duration:>10}{note}".rstrip()


def _duration(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text} is not finite")
    return value


def _positive(text: str) -> float:
    value = _finite(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _fraction(text: str) -> float:
    value = _finite(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not in [0, 1)")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return value


def _seed(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError(f"{text} is not in [0, 2**32)")
    return value
