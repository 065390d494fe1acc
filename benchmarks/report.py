"""Tables and JSON of measured results."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks import peers
from benchmarks.measure import Result


def table(result: Result) -> str:
    """One case: a row per peer, with ratios to tapegrad (or the first peer) and the target."""
    case = result.case
    counts = result.threads()
    names = result.peers()
    base = "tapegrad" if "tapegrad" in names else (names[0] if names else "")
    lines = [f"\n{result.problem}: {case.name} [{case.unit}]"]
    if result.skipped:
        lines.append(f"  skipped: {result.skipped}")
    if names:
        heads = "".join(f"{_threads(n):>12}{'ratio':>9}" for n in counts)
        speedup = "     speedup" if len(counts) > 1 else ""
        lines.append(f"  {'':<14}{heads}{speedup}")
    for name in names:
        cells = ""
        for count in counts:
            value, unit = result.median(name, count), result.median(base, count)
            cells += f"{_figure(value):>12}{_ratio(value, unit):>9}"
        if len(counts) > 1:
            cells += (
                f"{_ratio(result.median(name, counts[0]), result.median(name, counts[-1])):>12}"
            )
        lines.append(f"  {name:<14}{cells}")
    verdicts = verdict(result)
    if verdicts and case.target:
        lines.append(f"  target: {case.target.text(case.unit)}: {', '.join(verdicts)}")
    lines += [f"  absent: {peer}: {why}" for peer, why in result.absent.items()]
    lines += [f"  ERROR {line}" for line in result.errors]
    return "\n".join(lines)


def verdict(result: Result) -> list[str]:
    """'met' or 'MISSED' for each part of the target that this run can judge."""
    target, counts = result.case.target, result.threads()
    found = []
    if target is None or not counts:
        return []
    own = result.median("tapegrad", counts[0])
    if own is None:
        return []
    if target.at_most is not None:
        other = target.times or target.beyond
        reference = result.median(other, counts[0]) if other else 0.0
        if reference is not None:
            factor = target.at_most if target.times else 1.0
            limit = factor * reference + (0.0 if target.times else target.at_most)
            found.append("met" if own <= limit else f"MISSED by {own - limit:.3g}")
    if target.speedup is not None and 1 in counts and 2 in counts:
        one, two = result.median("tapegrad", 1), result.median("tapegrad", 2)
        if one and two:
            found.append("met" if one / two >= target.speedup else f"MISSED at {one / two:.2f}")
    return found


def document(results: Sequence[Result], arguments: Sequence[str]) -> dict[str, Any]:
    """Everything measured, for JSON."""
    return {
        "command": ["python", "-m", "benchmarks", *arguments],
        "machine": {
            "processor": _processor(), "cpus": len(os.sched_getaffinity(0)),
            "system": platform.platform(), "python": sys.version.split()[0],
        },
        "versions": {name: peers.version(name) for name in peers.installed()},
        "cases": [_case(result) for result in results],
    }  # fmt: skip


def write(file: str, results: Sequence[Result], arguments: Sequence[str]) -> None:
    with open(file, "w", encoding="utf-8") as stream:
        json.dump(document(results, arguments), stream, indent=2)
        stream.write("\n")


def _case(result: Result) -> dict[str, Any]:
    target = result.case.target
    return {
        "problem": result.problem, "case": result.case.name, "unit": result.case.unit,
        "target": target.text(result.case.unit) if target else None, "verdict": verdict(result),
        "errors": result.errors, "absent": result.absent, "skipped": result.skipped,
        "peers": [
            {"peer": peer, "threads": threads, "median": statistics.median(samples),
             "least": min(samples), "most": max(samples), "samples": samples}
            for (peer, threads), samples in result.samples.items()
        ],
    }  # fmt: skip


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _ratio(value: float | None, base: float | None) -> str:
    if value is None or not base:
        return "-"
    ratio = value / base
    return f"{ratio:.2f}" if ratio < 1000 else f"{ratio:,.0f}"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:
            names = [line.split(":", 1)[1].strip() for line in stream if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor()
