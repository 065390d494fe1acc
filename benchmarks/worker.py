"""A process that measures at one thread count: `python -m benchmarks.worker THREADS`.

The parent sends one JSON request a line and gets one JSON answer a line, so that it can let the
workers of different thread counts take turns. Only one worker is ever busy.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import sys
import traceback
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks import peers, timing
from benchmarks.problem import UNITS, AbsentError, Case, Run


class Worker:
    """The runs of the case at hand, one per peer."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.ready: set[str] = set()
        self.runs: dict[str, tuple[Run, int]] = {}
        self.case = Case("none")

    def start(self, problem: str, index: int, wanted: list[str], least: float) -> dict[str, Any]:
        """Builds the case for each peer; answers with results and what went wrong."""
        self.runs = {}
        module = importlib.import_module(f"benchmarks.problems.{problem}")
        case = self.case = module.CASES[index]
        answer: dict[str, Any] = {"digests": {}, "failed": {}, "absent": {}, "differ": []}
        values: dict[str, np.ndarray[Any, Any]] = {}
        for name, function in peers.functions(module).items():
            package = peers.package_of(name)
            if package not in wanted:
                continue
            try:
                if package not in self.ready:
                    peers.prepare(package, self.threads)
                    self.ready.add(package)
                run = function(case)
                if run is None:
                    continue
                if case.compare:
                    values[name] = flat(run.value(settled(run)))
                    answer["digests"][name] = hashlib.sha256(values[name].tobytes()).hexdigest()
                count = 1 if run.measures else timing.repetitions(run.call, least)
                self.runs[name] = (run, count)
            except Exception as error:
                values.pop(name, None)
                answer["digests"].pop(name, None)
                lacking = what_is_lacking(error, package)
                if lacking:
                    answer["absent"][name] = lacking
                else:
                    answer["failed"][name] = traceback.format_exc(limit=-1).strip()
        answer["differ"] = disagreements(case, values)
        return answer

    def round(self) -> dict[str, Any]:
        """One figure of each peer, in the case's unit, one after another."""
        answer: dict[str, Any] = {"figures": {}, "failed": {}}
        for name, (run, count) in list(self.runs.items()):
            try:
                sample = timing.sample(run, count)
            except Exception:
                del self.runs[name]
                answer["failed"][name] = traceback.format_exc(limit=-1).strip()
                continue
            scale = 1.0 if run.measures else UNITS[self.case.unit] / self.case.per
            answer["figures"][name] = sample * scale
        return answer


def settled(run: Run) -> Any:
    """The result that is compared: of the fourth call, when programs have been compiled.

    Every peer makes as many calls, so that those which go on from their last result agree.
    """
    if run.measures:
        return run.call()[1]
    for _ in range(3):
        run.call()
    return run.call()


def what_is_lacking(error: Exception, package: str) -> str | None:
    """What the machine lacks, if that is why a peer failed: a part of the package, or a tool."""
    if isinstance(error, (AbsentError, ImportError)):
        return str(error)
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        module = error.obj.__name__
        if module.split(".")[0] == package:
            return f"{module} has no {error.name}"
    return None


def flat(value: Any) -> np.ndarray[Any, Any]:
    """All numbers of a result, nested in tuples or not, in one row."""
    if isinstance(value, (tuple, list)):
        return np.concatenate([flat(item) for item in value])
    return np.ravel(np.asarray(value, dtype=np.float64))


def disagreements(case: Case, values: dict[str, np.ndarray[Any, Any]]) -> list[str]:
    """A line for each peer whose result differs from the first one's."""
    lines = []
    (first, expected), *others = values.items() if values else [("", np.zeros(0))]
    scale = np.max(np.abs(expected), initial=0.0)
    for name, found in others:
        if found.shape != expected.shape:
            lines.append(f"{name} gives {found.size} numbers, {first} {expected.size}")
        elif not np.allclose(found, expected, rtol=0, atol=case.rtol * scale, equal_nan=True):
            worst = int(np.argmax(np.nan_to_num(np.abs(found - expected), nan=np.inf)))
            lines.append(f"{name} gives {found[worst]!r}, {first} {expected[worst]!r}")
    return lines


def main() -> None:
    # What the peers print must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    worker = Worker(int(sys.argv[1]))
    for line in sys.stdin:
        request = json.loads(line)
        answer = getattr(worker, request.pop("do"))(**request)
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
