"""Runs every spelling of every model beside its siblings: `python -m benchmarks.spellings`.

Results must agree, for new data too; times are taken in turns, in one process a model, and the
least of them counts, because others may be using the machine. The exit status is 1 where results
differ, where a spelling fails or runs without a program, or where it takes more than LIMIT times
as long as the fastest one.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from typing import Any

from benchmarks import peers
from benchmarks.examine import Examined, child, differs, examine, take_turns, warm_up
from benchmarks.model import Model, Spelling, models, numbers

LIMIT = 1.5
JAX = "jax"


def measure(model: Model, size: int, rounds: int, least: float, jax: bool) -> dict[str, Any]:
    """A dict a spelling; seconds of jax where it is wanted; what failed."""
    warm_up()
    attempts = {spelling.name: _attempt(model, spelling, size) for spelling in model.spellings}
    found = {name: one for name, one in attempts.items() if isinstance(one, Examined)}
    failed = {name: text for name, text in attempts.items() if isinstance(text, str)}
    first, *rest = found.values() if found else [None]
    for other in rest:
        error = differs(other.numbers, first.numbers, model.rtol)
        other.wrong += [f"beside the first spelling: {error}"] if error else []
    calls = [one.call for one in found.values()]
    peer = model.peer(size) if jax else None
    if peer is not None:
        error = differs(numbers(None, peer()), first.numbers, max(model.rtol, 1e-7))
        first.wrong += [f"beside jax: {error}"] if error else []
        calls.append(peer)
    seconds = take_turns(calls, rounds, least)
    for one, took in zip(found.values(), seconds, strict=False):
        one.warm = took
    rows = {name: one.plain() for name, one in found.items()}
    return {"rows": rows, "failed": failed, JAX: seconds[-1] if peer is not None else None}


def _attempt(model: Model, spelling: Spelling, size: int) -> Examined | str:
    try:
        return examine(model, spelling, size)
    except Exception:
        return traceback.format_exc(limit=-1).strip()


def too_slow(rows: dict[str, Any]) -> list[str]:
    """The spellings that take more than LIMIT times as long as the fastest one."""
    least = min((row["warm"] for row in rows.values()), default=0.0)
    return [name for name, row in rows.items() if row["warm"] > LIMIT * least]


def table(model: Model, size: int, found: dict[str, Any]) -> str:
    """A line for each spelling: time, ratios, first calls in eager gradients, and what is wrong."""
    rows, jax, slow = found["rows"], found[JAX], too_slow(found["rows"])
    least = min((row["warm"] for row in rows.values()), default=0.0)
    lines = [f"\n{model.name}, {size}" + (f": jax {1e6 * jax:.1f} us" if jax else "")]
    for name, row in rows.items():
        text = f"  {name:38} {1e6 * row['warm']:10.1f} us {row['warm'] / least:7.2f} x"
        text += f" {row['warm'] / jax:7.2f} jax" if jax else ""
        text += f"  first {row['first'] / row['eager']:6.1f} eager, {1e3 * row['first']:.0f} ms"
        lines.append(text + ("  SLOW" if name in slow else ""))
        lines += [f"    WRONG: {error}" for error in row["wrong"]]
        lines += [f"    warned: {text}" for text in row["warned"]]
        if row["recorded"]:
            lines.append(f"    new data were recorded {row['recorded']} times")
    lines += [f"  {name:38} FAILED: {text}" for name, text in found["failed"].items()]
    return "\n".join(lines)


def faulty(found: dict[str, Any]) -> bool:
    rows = found["rows"].values()
    return bool(found["failed"]) or any(row["wrong"] or row["warned"] for row in rows)


def main() -> int:
    known = models()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spellings", description=__doc__)
    option = parser.add_argument
    option("--models", nargs="+", choices=known, default=list(known), metavar="NAME",
           help=f"which of: {', '.join(known)} (default: all)")  # fmt: skip
    option("--size", type=int, help="instead of each model's usual one")
    option("--quick", action="store_true", help="the smallest sizes, 5 short rounds, no jax")
    option("--rounds", type=int, default=7, help="samples a spelling; the least counts (default 7)")
    option("--timeout", type=float, default=300, help="seconds a model may take (default 300)")
    option("--no-jax", action="store_true", help="leave the peer out")
    option("--one", action="store_true", help=argparse.SUPPRESS)  # what the processes run
    args = parser.parse_args()
    rounds, least = (5, 0.002) if args.quick else (args.rounds, 0.01)
    jax = not (args.quick or args.no_jax) and JAX in peers.installed()
    bad: list[str] = []
    for name in args.models:
        model = known[name]
        size = args.size or (model.sizes[0] if args.quick else model.usual)
        if args.one:
            print(json.dumps(measure(model, size, rounds, least, jax)))
            continue
        own = ["--one", "--models", name, "--size", str(size), "--rounds", str(args.rounds)]
        own += ["--quick"] * args.quick + ["--no-jax"] * args.no_jax
        found = child(["benchmarks.spellings", *own], args.timeout)
        if isinstance(found, str):
            print(f"\n{name}, {size}: {found}", flush=True)
            bad.append(name)
            continue
        print(table(model, size, found), flush=True)
        if faulty(found) or too_slow(found["rows"]):
            bad.append(name)
    if not args.one:
        print(f"\n{len(args.models)} models, {len(bad)} with faults: {' '.join(bad)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
