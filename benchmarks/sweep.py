"""Runs models at many sizes and looks for cliffs: `python -m benchmarks.sweep`.

A process for each spelling takes, size after size, an eager gradient, the first calls of a program
(and the memory that they need), and a warm gradient. The exit status is 1 where a size costs more
than JUMP times as much an element as its neighbour, in either direction (a larger size that is
faster, though it has more to do, says that the smaller one is slow), or GROWTH times as much as
any smaller size; where the first calls cost more than EAGER eager gradients and BOUND seconds; and
where a size takes too long to be tried.
Pairs that look like a cliff are measured again before they are called one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from benchmarks.examine import FIRST_CALLS, child, seconds_for, take_turns, warm_up
from benchmarks.model import Model, Spelling, models

PER_DECADE = 8
JUMP, GROWTH = 2.0, 4.0
EAGER, BOUND = 3.0, 0.02
WAIT = 20  # times its share that a process may take on a busy machine


def sizes(model: Model, quick: bool) -> list[int]:
    """Geometric, PER_DECADE a decade; `quick` stops after the first decade."""
    low, high = model.sizes
    if quick:
        high = min(high, 10 * low)
    found = [low]
    step = 0
    while found[-1] < high:
        step += 1
        found.append(min(high, max(found[-1] + 1, round(low * 10 ** (step / PER_DECADE)))))
    return found


def _memory(field: str) -> int:
    """A size in the process's status, in bytes; 0 where the system tells none."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(field)), 0)


def _forget_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def follow(
    model: Model, spelling: Spelling, wanted: list[int], longest: float, share: float
) -> Any:
    """A row for each size, up to the first that takes more than `longest` seconds to start.

    No further size is begun when `share` seconds are spent.
    """
    warm_up()
    rows: list[dict[str, Any]] = []
    calls: list[Any] = []
    for size in wanted:
        arguments = model.arguments(spelling, model.data(size))
        eager, compiled = model.function(spelling, compiled=False), model.function(spelling)

        def call(compiled: Any = compiled, arguments: Any = arguments) -> Any:
            return compiled(*arguments)

        def plain(eager: Any = eager, arguments: Any = arguments) -> Any:
            return eager(*arguments)

        seconds_for(plain)
        took = min(seconds_for(plain), seconds_for(plain))
        _forget_peak()
        before = _memory("VmRSS")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            first = seconds_for(call, FIRST_CALLS)
        peak = max(0, _memory("VmHWM") - before)
        (warm,) = take_turns([call], 5, 0.003)
        warned = [str(warning.message).splitlines()[0] for warning in caught]
        rows.append({"size": size, "eager": took, "first": first, "peak": peak, "warm": warm,
                     "warned": warned})  # fmt: skip
        calls.append(call)
        if first > longest or time.process_time() > share:
            break
    for k in range(len(rows) - 1):
        if cliff(model, rows[k], rows[k + 1]):
            again = take_turns(calls[k : k + 2], 9, 0.005)
            for row, seconds in zip(rows[k : k + 2], again, strict=True):
                row["warm"] = min(row["warm"], seconds)
    return rows


def each(model: Model, row: dict[str, Any]) -> float:
    """Seconds an element."""
    return float(row["warm"] / model.work(row["size"]))


def cliff(model: Model, row: dict[str, Any], after: dict[str, Any]) -> str | None:
    """What is wrong between neighbouring sizes."""
    ratio = each(model, after) / each(model, row)
    if ratio > JUMP:
        return f"{ratio:.1f} times as much an element"
    if ratio < 1 / JUMP and after["warm"] < row["warm"]:
        return f"{after['size']} is {row['warm'] / after['warm']:.1f} times faster"
    return None


def report(model: Model, rows: list[dict[str, Any]], wanted: list[int]) -> tuple[str, int]:
    """The table of a spelling, and its number of faults."""
    lines, faults, told = [], 0, GROWTH
    for k, row in enumerate(rows):
        notes = [text for text in row["warned"] if k == 0 or text not in rows[k - 1]["warned"]]
        grown = each(model, row) / min(each(model, one) for one in rows[: k + 1])
        if k and (found := cliff(model, rows[k - 1], row)):
            notes.append(f"JUMP: {found}")
        elif grown > told:
            notes.append(f"GROWTH: {grown:.1f} times the least an element")
        while grown > told:  # said again when it has doubled
            told *= 2
        if row["first"] > EAGER * row["eager"] + BOUND:
            over = row["first"] / row["eager"]
            notes.append(f"FIRST CALLS: {over:.1f} eager gradients")
        faults += len(notes)
        lines.append(
            f"  {row['size']:7} {1e9 * each(model, row):10.1f} ns {1e6 * row['warm']:12.1f} us"
            f" {1e3 * row['first']:9.1f} ms {row['peak'] / 1e6:8.1f} MB"
            + "".join(f"  {note}" for note in notes)
        )
    if len(rows) < len(wanted):
        faults += 1
        lines.append(f"  {wanted[len(rows)]:7} and above: not tried, the seconds are spent")
    return "\n".join(lines), faults


def main() -> int:
    known = models()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    option = parser.add_argument
    option("--models", nargs="+", choices=known, default=list(known), metavar="NAME",
           help=f"which of: {', '.join(known)} (default: all)")  # fmt: skip
    option("--spelling", help="only the spelling of this name")
    option("--quick", action="store_true", help="a decade of sizes, the first spelling alone")
    option("--longest", type=float, default=5.0, metavar="SECONDS",
           help="of the first calls; larger sizes are then left out (default 5)")  # fmt: skip
    option("--seconds", type=float, default=60.0,
           help="a spelling's share; larger sizes are then left out (default 60)")  # fmt: skip
    option("--one", action="store_true", help=argparse.SUPPRESS)  # what the processes run
    args = parser.parse_args()
    total = 0
    for name in args.models:
        model, wanted = known[name], sizes(known[name], args.quick)
        for spelling in model.spellings[:1] if args.quick else model.spellings:
            if args.spelling not in (None, spelling.name):
                continue
            if args.one:
                print(json.dumps(follow(model, spelling, wanted, args.longest, args.seconds)))
                continue
            own = ["--one", "--models", name, "--spelling", spelling.name]
            own += ["--longest", str(args.longest), "--seconds", str(args.seconds)]
            rows = child(["benchmarks.sweep", *own, *["--quick"] * args.quick], WAIT * args.seconds)
            print(f"\n{name}: {spelling.name} (an element, a call, first calls, their memory)")
            if isinstance(rows, str):
                print(f"  {rows}", flush=True)
                total += 1
                continue
            text, faults = report(model, rows, wanted)
            print(text, flush=True)
            total += faults
    if not args.one:
        print(f"\n{total} faults")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
