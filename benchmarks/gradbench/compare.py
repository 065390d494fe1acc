"""Runs the evals of a GradBench checkout on tapegrad's tool and on the checkout's own tools.

Every result is judged by the eval itself. Tools take turns at each eval, and the figures are
medians over all rounds:

    python -m benchmarks.gradbench.compare --checkout DIR --tool jax=/venv/bin/python --tool manual
"""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path
from statistics import median

from benchmarks.gradbench import table
from benchmarks.gradbench.checkout import OURS, Checkout
from benchmarks.gradbench.mediator import VALID, Session, run

# What each eval is told about sizes: the smallest, and those that are worth timing.
SIZES = {
    "small": {
        "ba": "--max 1",
        "det": "-l 5 6",
        "gmm": "-d 2 -k 5 -n 100 --validate-naive",
        "ht": "--max 1 --model small",
        "kmeans": "-k 10 -n 100 -d 8",
        "llsq": "-n 16 -m 8",
        "lse": "-n 1000",
        "lstm": "-l 2 -c 32",
        "ode": "-n 100 -s 1 10",
    },
    "middle": {
        "ba": "--max 1",
        "det": "-l 7 9",
        "gmm": "-d 2 10 -k 25 -n 1000",
        "ht": "--min 6 --max 6 --model small",
        "kmeans": "-k 10 100 -n 10000 -d 8",
        "llsq": "-n 128 4096",
        "lse": "-n 10000 160000",
        "lstm": "-l 2 -c 1024",
        "ode": "-n 10000 -s 10 100",
    },
}


def main() -> int:
    arguments = _arguments()
    checkout = Checkout(arguments.checkout.resolve(), arguments.multithreaded)
    pythons = {OURS: sys.executable, **_named(checkout, arguments.tool)}
    unknown = set(arguments.evals or ()) - set(checkout.evals())
    if unknown:
        sys.exit(f"no such evals there: {', '.join(sorted(unknown))}")
    found: dict[tuple[str, str], list[Session]] = {}
    for name in arguments.evals or checkout.evals():
        reason = checkout.missing(name)
        if reason:
            print(f"{name}: left out, it lacks {reason}", flush=True)
            continue
        for turn in range(arguments.rounds):
            for tool, python in pythons.items():
                if not checkout.knows(tool, name):
                    continue
                session = _session(checkout, arguments, name, tool, python)
                found.setdefault((name, tool), []).append(session)
                if turn == 0:
                    print(table.outcome(name, tool, session), flush=True)
    rows = table.rows(found, list(pythons), min if arguments.least else median)
    text = table.markdown(rows, list(pythons))
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text, encoding="utf-8")
    ours = [s for (_, tool), sessions in found.items() if tool == OURS for s in sessions]
    return 0 if ours and all(session.outcome == VALID for session in ours) else 1


def _session(
    checkout: Checkout, arguments: argparse.Namespace, name: str, tool: str, python: str
) -> Session:
    options = SIZES[arguments.sizes].get(name, "").split()
    if name != "hello":  # which takes no options
        options += ["--min-runs", str(arguments.min_runs)]
        options += ["--min-seconds", str(arguments.min_seconds)]
    log = nullcontext(None)
    if arguments.log:
        arguments.log.mkdir(parents=True, exist_ok=True)
        log = (arguments.log / f"{name}-{tool}.jsonl").open("w", encoding="utf-8")
    with log as file:
        return run(
            checkout.eval_command(name, arguments.eval_python, options),
            checkout.tool_command(tool, python), timeout=arguments.timeout, log=file,
        )  # fmt: skip


def _named(checkout: Checkout, given: list[str]) -> dict[str, str]:
    """Each of the checkout's tools that was asked for, and the Python that runs it."""
    pythons = {}
    for text in given:
        tool, _, python = text.partition("=")
        if tool not in checkout.tools():
            sys.exit(f"--tool {text}: the checkout has {', '.join(checkout.tools())}")
        pythons[tool] = python or sys.executable
    return pythons


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gradbench.compare", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    option = parser.add_argument
    option("--checkout", type=Path, required=True, help="a clone of gradbench/gradbench")
    option("--tool", action="append", default=[], metavar="NAME[=PYTHON]",
           help="a tool of the checkout, and the Python that has its packages")  # fmt: skip
    option("--evals", nargs="+", metavar="NAME", help="which evals (default: all)")
    option("--eval-python", default=sys.executable, metavar="PYTHON",
           help="a Python with numpy, scipy, pydantic and dataclasses-json")  # fmt: skip
    option("--sizes", choices=SIZES, default="small", help="how large (default: small)")
    option("--rounds", type=int, default=1, help="sessions of each tool and eval (default: 1)")
    option("--min-runs", type=int, default=10, help="calls for each figure (default: 10)")
    option("--min-seconds", type=float, default=0.0, help="seconds for each (default: 0)")
    option("--timeout", type=float, default=300.0, help="seconds for a response (default: 300)")
    option("--least", action="store_true",
           help="the least of all calls, not the median: if others use the machine")  # fmt: skip
    option("--multithreaded", action="store_true", help="tools may use several threads")
    option("--markdown", type=Path, metavar="FILE", help="also write the table to FILE")
    option("--log", type=Path, metavar="DIR", help="also write all messages to files in DIR")
    arguments = parser.parse_args()
    if not (arguments.checkout / "python" / "gradbench").is_dir():
        parser.error(f"--checkout: {arguments.checkout} has no python/gradbench")
    if arguments.rounds < 1:
        parser.error("--rounds: at least 1")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
