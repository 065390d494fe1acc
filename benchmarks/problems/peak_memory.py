"""The most memory that a gradient takes, in a process of its own.

`python -m benchmarks.problems.peak_memory PROBLEM CASE PEER` prints by how many bytes the resident
memory peaked, over five calls after four, above what it was with the peer imported and the data
in place. So what a compiler keeps counts, and what it needed for a while does not.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import peers, worker
from benchmarks.problem import AbsentError, Case, Run

CASES = [
    Case(f"{problem}: {name}", unit="MB", compare=False, rounds=1, threads=False,
         data=(problem, name))
    for problem, name in (
        ("gmm", "N 1000, d 64, K 25"),
        ("ba", "31,843 observations"),
        ("lstm", "2 layers, 1024 steps"),
        ("chain", "10 million elements"),
        ("scan", "4,096 steps of 500 cells"),
        ("scan", "4,096 steps of 500 cells, 20 checkpoints"),
    )
]  # fmt: skip

ABSENT = 3


def missing(case: Case) -> str | None:
    """The peak can be reset on Linux alone."""
    return None if os.path.exists("/proc/self/clear_refs") else "needs Linux's /proc"


def tapegrad(case: Case) -> Run:
    return _run("tapegrad", case)


def tapegrad_eager(case: Case) -> Run:
    return _run("tapegrad_eager", case)


def autograd(case: Case) -> Run:
    return _run("autograd", case)


def torch(case: Case) -> Run:
    return _run("torch", case)


def torch_compile(case: Case) -> Run:
    return _run("torch_compile", case)


def jax_jit(case: Case) -> Run:
    return _run("jax_jit", case)


def numpy(case: Case) -> Run | None:
    return None if case.data[0] in ("ba", "lstm", "scan") else _run("numpy", case)


def cpp(case: Case) -> Run | None:
    return None if case.data[0] == "scan" else _run("cpp", case)


def _run(peer: str, case: Case) -> Run:
    problem, name = case.data
    command = [sys.executable, "-m", "benchmarks.problems.peak_memory", problem, name, peer]

    def call() -> Any:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == ABSENT:
            raise AbsentError(done.stdout.strip())
        if done.returncode:
            raise RuntimeError(done.stderr)
        return float(done.stdout.split()[-1]) / 1e6, None

    call()  # tells at once whether the peer is there
    return Run(call, measures=True)


def _status(field: str) -> int:
    """A size in the process's status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"no {field} in /proc/self/status")


def _main(problem: str, name: str, peer: str) -> int:
    module = importlib.import_module(f"benchmarks.problems.{problem}")
    (case,) = (case for case in module.CASES if case.name == name)
    package = peers.package_of(peer)
    try:
        peers.prepare(package, 1)
        module._data(case.data.size)
        before = _status("VmRSS")
        make = getattr(module, peer, None)
        run = make(case) if make else None
    except Exception as error:
        lacking = worker.what_is_lacking(error, package)
        if lacking is None:
            raise
        print(lacking)
        return ABSENT
    if run is None:
        print(f"{peer} does not run {problem}: {name}")
        return ABSENT
    worker.settled(run)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts again
    for _ in range(5):
        run.call()
    print(_status("VmHWM") - before)
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
