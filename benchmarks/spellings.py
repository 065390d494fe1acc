"""Runs every spelling of every model beside its siblings: `python -m benchmarks.spellings`.

Results must agree; times are taken in turns, in one process a model, and the least of them counts,
because others may be using the machine. The exit status is 1 where results differ, where a
spelling fails, or where it takes more than LIMIT times as long as the fastest one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import traceback
import warnings
from typing import Any

import numpy as np

from benchmarks import peers, timing
from benchmarks.model import Model, Spelling, models, numbers

LIMIT = 1.5
FIRST_CALLS = 5


def differs(found: Any, expected: Any, rtol: float) -> str | None:
    """How two rows of numbers differ, if they do, relative to the largest."""
    if found.shape != expected.shape:
        return f"{found.size} numbers instead of {expected.size}"
    scale = np.max(np.abs(expected), initial=0.0)
    error = np.max(np.abs(found - expected), initial=0.0)
    if not error <= rtol * scale:  # a NaN differs too
        return f"off by {error:.3g} where the largest is {scale:.3g}"
    return None


def examine(model: Model, spelling: Spelling, size: int) -> dict[str, Any]:
    """Eager and compiled results of a spelling, its first calls, and what it warned of."""
    eager = model.call(spelling, size, compiled=False)
    began = time.perf_counter()
    expected = numbers(spelling, eager())
    seconds = [time.perf_counter() - began, timing.seconds_for(eager, 1)]
    found: dict[str, Any] = {"eager": min(seconds), "differs": None}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call = model.call(spelling, size)
        began = time.perf_counter()
        results = [call() for _ in range(FIRST_CALLS)]
        found["first"] = time.perf_counter() - began
    for result in results:
        found["differs"] = found["differs"] or differs(
            numbers(spelling, result), expected, model.rtol
        )
    found["warnings"] = sorted({str(warning.message).splitlines()[0] for warning in caught})
    return found | {"numbers": expected, "call": call}


def warm_up() -> None:
    """A first program, so that what the package loads at its first use counts for no spelling."""
    import tapegrad as tg

    call = tg.compile(tg.value_and_grad(lambda x: np.sum(np.tanh(x) ** 2)))
    for _ in range(FIRST_CALLS):
        call(np.ones(3))


def measure(model: Model, size: int, rounds: int, least: float, jax: bool) -> dict[str, Any]:
    """What a model's table is made of: a dict a spelling, and one for jax where it is wanted."""
    warm_up()
    rows: dict[str, dict[str, Any]] = {}
    for spelling in model.spellings:
        try:
            rows[spelling.name] = examine(model, spelling, size)
        except Exception:
            rows[spelling.name] = {"failed": traceback.format_exc(limit=-1).strip()}
    whole = [row for row in rows.values() if "failed" not in row]
    for row in whole[1:]:
        row["differs"] = row["differs"] or differs(row["numbers"], whole[0]["numbers"], model.rtol)
    peer = model.peer(size) if jax else None
    if peer is not None:
        rows["jax"] = row = {"call": peer}
        expected = whole[0]["numbers"] if whole else None
        found = numbers(model.spellings[0] if model.spellings[0].arguments is None else None, peer())
        if expected is not None:
            row["differs"] = differs(found, expected, max(model.rtol, 1e-7))
        whole.append(row)
    counts = [timing.repetitions(row["call"], least) for row in whole]
    for _ in range(rounds):
        for row, count in zip(whole, counts, strict=True):
            took = timing.seconds_for(row["call"], count) / count
            row["seconds"] = min(row.get("seconds", np.inf), took)
    for row in whole:
        row.pop("call"), row.pop("numbers", None)
    return rows


def too_slow(rows: dict[str, Any]) -> list[str]:
    """The spellings that take more than LIMIT times as long as the fastest one."""
    seconds = {name: row["seconds"] for name, row in rows.items() if "seconds" in row}
    seconds.pop("jax", None)
    return [name for name, took in seconds.items() if took > LIMIT * min(seconds.values())]


def table(model: Model, size: int, rows: dict[str, Any]) -> str:
    """A line for each spelling: time, ratios, first calls in eager gradients, and what is wrong."""
    lines = [f"\n{model.name}, {size}"]
    fastest = min((row["seconds"] for name, row in rows.items() if name != "jax"
                   and "seconds" in row), default=0.0)  # fmt: skip
    slow = too_slow(rows)
    for name, row in rows.items():
        if "failed" in row:
            lines.append(f"  {name:38} failed: {row['failed']}")
            continue
        text = f"  {name:38} {1e6 * row['seconds']:10.1f} us {row['seconds'] / fastest:7.2f} x"
        if "jax" in rows and name != "jax":
            text += f" {row['seconds'] / rows['jax']['seconds']:7.2f} jax"
        if "first" in row:
            text += f"  first {row['first'] / row['eager']:5.1f} eager ({1e3 * row['first']:.0f} ms)"
        lines.append(text + ("  SLOW" if name in slow else ""))
        if row.get("differs"):
            lines.append(f"    DIFFERS: {row['differs']}")
        lines += [f"    warned: {text}" for text in row.get("warnings", [])]
    return "\n".join(lines)


def wrong(rows: dict[str, Any]) -> bool:
    return any("failed" in row or row.get("differs") for row in rows.values())


def child(arguments: list[str], timeout: float) -> Any:
    """What a fresh process of one thread answers; a text where it has no answer."""
    command = [sys.executable, "-m", *arguments]
    try:
        done = subprocess.run(
            command, env=peers.environment(1), capture_output=True, text=True, check=False,
            timeout=timeout,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"no answer within {timeout:g} s"
    if done.returncode:
        return f"status {done.returncode}: {done.stderr.strip()[-2000:]}"
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    known = models()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spellings", description=__doc__)
    option = parser.add_argument
    option("--models", nargs="+", choices=known, default=list(known), metavar="NAME",
           help=f"which of: {', '.join(known)} (default: all)")  # fmt: skip
    option("--size", type=int, help="instead of each model's usual one")
    option("--quick", action="store_true", help="the smallest sizes, 3 short rounds, no jax")
    option("--rounds", type=int, default=7, help="samples a spelling; the least counts (default 7)")
    option("--timeout", type=float, default=300, help="seconds a model may take (default 300)")
    option("--no-jax", action="store_true", help="leave the peer out")
    option("--one", action="store_true", help=argparse.SUPPRESS)  # what the processes run
    args = parser.parse_args()
    rounds, least = (3, 0.002) if args.quick else (args.rounds, 0.01)
    jax = not (args.quick or args.no_jax) and "jax" in peers.installed()
    failed = False
    for name in args.models:
        model = known[name]
        size = args.size or (model.sizes[0] if args.quick else model.usual)
        if args.one:
            print(json.dumps(measure(model, size, rounds, least, jax)))
            continue
        own = ["--one", "--models", name, "--size", str(size), "--rounds", str(args.rounds)]
        own += ["--quick"] * args.quick + ["--no-jax"] * args.no_jax
        rows = child(["benchmarks.spellings", *own], args.timeout)
        if isinstance(rows, str):
            print(f"\n{name}, {size}: {rows}", flush=True)
            failed = True
            continue
        print(table(model, size, rows), flush=True)
        failed = failed or wrong(rows) or bool(too_slow(rows))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
