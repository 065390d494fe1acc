"""Runs cases in workers, one per thread count, taking turns so that drift cancels."""

from __future__ import annotations

import importlib
import json
import pkgutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from benchmarks import peers, problems
from benchmarks.problem import Case


@dataclass(frozen=True)
class Effort:
    """How long to measure: rounds, the least seconds of a sample, and whether to run big cases."""

    rounds: int = 11
    least: float = 0.02
    big: bool = True


@dataclass
class Result:
    """Samples of one case, by peer and thread count, in the case's unit.

    `absent` says of a peer what it lacks; `skipped` says why nothing was measured.
    """

    problem: str
    case: Case
    samples: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)
    skipped: str | None = None

    def median(self, peer: str, threads: int) -> float | None:
        found = self.samples.get((peer, threads))
        return statistics.median(found) if found else None

    def peers(self) -> list[str]:
        return list(dict.fromkeys(peer for peer, _ in self.samples))

    def threads(self) -> list[int]:
        return sorted({threads for _, threads in self.samples})


class _Process:
    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", str(threads)],
            env=peers.environment(threads),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, do: str, **request: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise RuntimeError(f"the worker died with status {self._process.wait()}")
        return json.loads(answer)

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.communicate()


def problem_names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(problems.__path__))


def measure(
    problem: str, wanted: list[str], threads: list[int], effort: Effort,
    done: Callable[[Result], None],
) -> list[Result]:  # fmt: skip
    """All cases of a problem; `done` is called as each is finished."""
    module = importlib.import_module(f"benchmarks.problems.{problem}")
    results = []
    workers = [_Process(count) for count in threads]
    try:
        for index, case in enumerate(module.CASES):
            result = Result(problem, case)
            results.append(result)
            result.skipped = _why_skipped(module, case, effort)
            if result.skipped:
                done(result)
                continue
            taking_turns = workers if case.threads else workers[:1]
            try:
                _measure_case(result, index, taking_turns, wanted, effort)
            except RuntimeError as error:
                result.errors.append(str(error))
                for worker in workers:
                    worker.end()
                workers = [_Process(count) for count in threads]
            done(result)
    finally:
        for worker in workers:
            worker.end()
    return results


def _why_skipped(module: ModuleType, case: Case, effort: Effort) -> str | None:
    if case.big and not effort.big:
        return "big, left out by --quick"
    missing = getattr(module, "missing", None)  # a problem that needs files has such a function
    return missing(case) if missing else None


def _measure_case(
    result: Result, index: int, workers: list[_Process], wanted: list[str], effort: Effort
) -> None:
    case = result.case
    digests: dict[str, dict[int, str]] = {}
    for worker in workers:
        answer = worker.ask(
            "start", problem=result.problem, index=index, wanted=wanted, least=effort.least
        )
        _note_failures(result, worker, answer)
        result.absent |= answer["absent"]
        result.errors += [f"{_at(worker)}: {line}" for line in answer["differ"]]
        for peer, digest in answer["digests"].items():
            digests.setdefault(peer, {})[worker.threads] = digest
    for peer, found in digests.items():
        own = peers.package_of(peer) == "tapegrad"
        if own and case.same_bits and len(set(found.values())) > 1:
            result.errors.append(f"{peer}'s bits differ between thread counts {sorted(found)}")
    for _ in range(case.rounds or effort.rounds):
        for worker in workers:
            answer = worker.ask("round")
            _note_failures(result, worker, answer)
            for peer, figure in answer["figures"].items():
                result.samples.setdefault((peer, worker.threads), []).append(figure)


def _note_failures(result: Result, worker: _Process, answer: Any) -> None:
    for peer, text in answer["failed"].items():
        result.errors.append(f"{peer} failed at {_at(worker)}:\n{text}")


def _at(worker: _Process) -> str:
    return f"{worker.threads} thread{'s' if worker.threads > 1 else ''}"
