"""Memory that a training loop of a million iterations takes, also where it keeps losses.

Each loop runs in a process of its own: `python -m benchmarks.problems.memory PEER ITERATIONS KEEP`
prints by how many bytes the resident memory grew after a warm-up, and the fitted line.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.problem import Case, Run, Target

WARM_UP, EVERY = 20_000, 1000

CASES = [
    Case("growth over the loop", unit="kB", compare=False, rounds=1, threads=False,
         target=Target(512), data=False),
    Case("per kept loss, every 1000th", unit="kB", compare=False, rounds=1, threads=False,
         target=Target(10), data=True),
]  # fmt: skip


def tapegrad(case: Case) -> Run:
    return _run("tapegrad", 1_000_000, case)


def torch(case: Case) -> Run:
    return _run("torch", 100_000, case)


def _run(peer: str, iterations: int, case: Case) -> Run:
    def call() -> Any:
        command = [sys.executable, "-m", "benchmarks.problems.memory"]
        options = [peer, str(iterations), str(int(case.data))]
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        grown = float(done.stdout)
        return grown / 1e3 / (iterations // EVERY if case.data else 1), None

    return Run(call, measures=True)


def _resident() -> int:
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as stream:
        return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _grown(step: Callable[[float, float], Any], iterations: int, keep: bool) -> int:
    """The bytes that `iterations` steps add after the warm-up."""
    kept = []
    points = _points()
    for _ in range(WARM_UP):
        step(*next(points))
    before = _resident()
    for iteration in range(iterations):
        loss = step(*next(points))
        if keep and iteration % EVERY == 0:
            kept.append(loss)
    return _resident() - before


def _points() -> Iterator[tuple[float, float]]:
    while True:
        for i in range(17):
            yield 2.0 + 0.5 * i, 0.3 * (2.0 + 0.5 * i) + 0.8


def _main(peer: str, iterations: int, keep: bool) -> None:
    optimizer: Any
    w: Any
    b: Any
    if peer == "tapegrad":
        import tapegrad as tg

        w, b = tg.Variable(1.7), tg.Variable(0.4)
        optimizer = tg.optim.SGD([w, b], lr=0.01)
    else:
        import torch

        w = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
        b = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.SGD([w, b], lr=0.01)

    def step(x: float, y: float) -> Any:
        loss = (x * w + b - y) ** 2 / 34
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss

    print(_grown(step, iterations, keep))
    slope = float(w.value if peer == "tapegrad" else w)
    if not abs(slope - 0.3) < 1e-3:
        raise AssertionError(f"the loop ended at slope {slope}, not at 0.3")


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1")
