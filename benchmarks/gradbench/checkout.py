"""A checkout of gradbench/gradbench: where its evals and tools are, and how they are started."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gradbench.mediator import Command

ROOT = Path(__file__).resolve().parents[2]
OURS = "tapegrad"


@dataclass(frozen=True)
class Checkout:
    folder: Path
    multithreaded: bool = False

    @property
    def _package(self) -> Path:
        return self.folder / "python" / "gradbench"

    @property
    def _python(self) -> Path:
        return self._package / "gradbench"

    def evals(self) -> list[str]:
        return sorted(path.parent.name for path in self._python.glob("evals/*/run.py"))

    def python_tools(self) -> list[str]:
        return sorted(path.parent.name for path in self._python.glob("tools/*/run.py"))

    def tools(self) -> list[str]:
        """Those written in Python, and those in C++ that `cpp.py` runs."""
        folders = (path.parent for path in self.folder.glob("tools/*/Makefile"))
        cpp = {folder.name for folder in folders if list(folder.glob("*.cpp"))}
        return sorted({*self.python_tools(), *cpp})

    def knows(self, tool: str, name: str) -> bool:
        """Whether a tool says that it has an eval."""
        if tool == OURS:
            return True
        listed = (self.folder / "tools" / tool / "evals.txt").read_text("utf-8").splitlines()
        return name in {line.split()[0] for line in listed if line}

    def eval_command(self, name: str, python: str, arguments: list[str]) -> Command:
        script = self._python / "evals" / name / "run.py"
        return Command([python, str(script), *arguments], self.folder, self._environment())

    def tool_command(self, tool: str, python: str) -> Command:
        extra = ["--multithreaded"] if self.multithreaded else []
        environment = self._environment()
        if not self.multithreaded:
            environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        if tool == OURS:
            arguments = [sys.executable, "-m", "benchmarks.gradbench", *extra]
            return Command(arguments, ROOT, environment)
        if tool in self.python_tools():
            script = self._python / "tools" / tool / "run.py"
            through = [str(Path(__file__).with_name("finished.py"))] if tool == "jax" else []
            environment |= {"JAX_PLATFORMS": "cpu"}
            return Command([python, *through, str(script), *extra], self.folder, environment)
        script = self._python / "cpp.py"
        return Command([python, str(script), tool, *extra], self.folder, environment)

    def missing(self, name: str) -> str | None:
        """What an eval needs and this checkout lacks, or None."""
        golden = self.folder / "tools" / "manual"
        judged = name in (golden / "evals.txt").read_text("utf-8").split()
        if judged and name != "hello" and not (golden / "bin" / name).exists():
            return "what results are compared with: run make -C cpp and make -C tools/manual there"
        text = self.folder / "evals" / "lstm" / "data" / "lstm_full.txt"
        if name == "lstm" and not text.exists():
            return f"{text}: any text of as many characters as are asked for will do"
        return None

    def _environment(self) -> dict[str, str]:
        paths = [str(self._package), os.environ.get("PYTHONPATH", "")]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
