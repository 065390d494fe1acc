"""Runs a tool of a checkout with JAX's calls timed to their end: `python finished.py RUN.PY ...`.

A jitted function returns before its result is computed, and GradBench's tool for JAX stops its
clock then: what it times is the start. Run by the tool's Python, not by ours.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
from gradbench import wrap


def waiting(decorator_with: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator of GradBench, for functions whose results are waited for."""

    def with_options(**options: Any) -> Callable[..., Any]:
        decorator = decorator_with(**options)
        return lambda f: decorator(lambda *args: jax.block_until_ready(f(*args)))

    return with_options


if __name__ == "__main__":
    wrap.function, wrap.multiple_runs = waiting(wrap.function), waiting(wrap.multiple_runs)
    sys.argv = sys.argv[1:]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    runpy.run_path(sys.argv[0], run_name="__main__")
