"""What an import costs beyond NumPy's, in a fresh process each time."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import weakref
from typing import Any

from benchmarks.problem import Case, Run, Target

CASES = [Case("after numpy", unit="ms", compare=False, threads=False, target=Target(40))]

CODE = """
import time
import numpy
begin = time.perf_counter()
import {module}
print(1e3 * (time.perf_counter() - begin))
"""


def tapegrad(case: Case) -> Run:
    return _run("tapegrad")


def autograd(case: Case) -> Run:
    return _run("autograd.numpy")


def torch(case: Case) -> Run:
    return _run("torch")


def jax(case: Case) -> Run:
    return _run("jax.numpy")


def casadi(case: Case) -> Run:
    return _run("casadi")


def xad(case: Case) -> Run:
    return _run("xad.adj_1st")


def _run(module: str) -> Run:
    # With bytecode cached, as an installed package has it: in a folder of its own, because the
    # environment may forbid writing it.
    cache = tempfile.TemporaryDirectory()
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache.name}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def call() -> Any:
        command = [sys.executable, "-c", CODE.format(module=module)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        return float(done.stdout), None

    call()
    weakref.finalize(call, cache.cleanup)
    return Run(call, measures=True)
