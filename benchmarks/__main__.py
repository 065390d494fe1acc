"""Runs problems on tapegrad and its peers: `python -m benchmarks` from the repository's root."""

from __future__ import annotations

import argparse
import os
import sys

from benchmarks import measure, peers, report
from benchmarks.problem import DATA_VARIABLE


def main() -> int:
    names = measure.problem_names()
    installed = peers.installed()
    cpus = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    option = parser.add_argument
    option("--problems", nargs="+", choices=names, default=names, metavar="NAME",
           help=f"which of: {', '.join(names)} (default: all)")  # fmt: skip
    option("--peers", nargs="+", choices=peers.NAMES, default=installed, metavar="NAME",
           help=f"which of: {', '.join(peers.NAMES)} (default: those installed)")  # fmt: skip
    option("--threads", nargs="+", type=int, default=sorted({1, cpus}), metavar="N",
           help=f"thread counts (default: 1 and {cpus})")  # fmt: skip
    option("--rounds", type=int, default=11, help="samples per peer; medians count (default 11)")
    option("--quick", action="store_true", help="3 short rounds of all but the big cases")
    option("--json", metavar="FILE", help="also write all samples to FILE")
    option("--strict", action="store_true", help="exit with status 1 if a target is missed")
    option("--data", metavar="DIR", help="a folder with the files that some problems read (hand)")
    args = parser.parse_args()
    if args.data:
        if not os.path.isdir(args.data):
            parser.error(f"--data: no folder {args.data}")
        os.environ[DATA_VARIABLE] = os.path.abspath(args.data)  # the workers inherit it
    missing = [name for name in args.peers if name not in installed]
    if missing:
        parser.error(f"not installed: {', '.join(missing)}")
    effort = measure.Effort(3, 0.002, big=False) if args.quick else measure.Effort(args.rounds)

    versions = ", ".join(f"{name} {peers.version(name)}" for name in args.peers)
    print(f"{versions}\nmedians; ratio: time over tapegrad's; {cpus} processors")
    results = []
    for problem in args.problems:
        results += measure.measure(
            problem, args.peers, sorted(set(args.threads)), effort,
            lambda result: print(report.table(result), flush=True),
        )  # fmt: skip
        if args.json:  # after each problem: a long run that breaks off has saved something
            report.write(args.json, results, sys.argv[1:])

    skipped = sum(result.skipped is not None for result in results)
    errors = sum(len(result.errors) for result in results)
    verdicts = [verdict for result in results for verdict in report.verdict(result)]
    missed = sum(verdict != "met" for verdict in verdicts)
    print(
        f"\n{len(results)} cases, {errors} errors; {len(verdicts)} targets judged, {missed} missed"
        + (f"; {skipped} skipped" if skipped else "")
    )
    return 1 if errors or (missed and args.strict) else 0


if __name__ == "__main__":
    sys.exit(main())
