"""The size of the wheel: the installed files, compressed as a wheel compresses them."""

from __future__ import annotations

import importlib.metadata
import io
import zipfile
from typing import Any

from benchmarks.problem import Case, Run, Target

CASES = [
    Case("compressed", unit="MB", compare=False, rounds=1, threads=False, target=Target(12)),
]


def tapegrad(case: Case) -> Run:
    return _run("tapegrad")


def autograd(case: Case) -> Run:
    return _run("autograd")


def casadi(case: Case) -> Run:
    return _run("casadi")


def xad(case: Case) -> Run:
    return _run("xad")


def _run(package: str) -> Run:
    def call() -> Any:
        files = importlib.metadata.files(package) or []
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as wheel:
            for file in files:
                path = file.locate()
                if ".." not in file.parts and "__pycache__" not in file.parts and path.exists():
                    wheel.writestr(str(file), path.read_bytes())
            names = wheel.namelist()
        if not any(name.endswith(".so") for name in names) and package != "autograd":
            raise RuntimeError(f"{package} is installed without its library (an editable install?)")
        return len(stream.getvalue()) / 1e6, None

    return Run(call, measures=True)
