"""The libraries measured side by side, and how each is told its number of threads.

A problem file has a function per peer. Its name is the package's, or begins with it and an
underscore (`jax_jit`). A peer whose package is not installed is left out. `cpp` is no package: it
is what `handwritten/` has in C++, and needs a compiler.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import shutil
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

from benchmarks import handwritten
from benchmarks.problem import AbsentError

PACKAGES = ("tapegrad", "numpy", "autograd", "torch", "jax", "casadi", "xad")
CPP = "cpp"
NAMES = (*PACKAGES, CPP)


def package_of(peer: str) -> str:
    return peer.split("_", maxsplit=1)[0]


def installed() -> list[str]:
    found = [name for name in PACKAGES if importlib.util.find_spec(name) is not None]
    return [*found, CPP] if handwritten.compiler() else found


def functions(problem: ModuleType) -> dict[str, Callable[..., Any]]:
    """The peers' functions in a problem file, in the order of NAMES."""
    found = {
        name: value
        for name, value in vars(problem).items()
        if callable(value) and package_of(name) in NAMES
    }
    return dict(sorted(found.items(), key=lambda item: NAMES.index(package_of(item[0]))))


def version(package: str) -> str:
    if package == CPP:
        return handwritten.version()
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return str(getattr(importlib.import_module(package), "__version__", "unknown"))


def environment(threads: int) -> dict[str, str]:
    """The environment of a process in which every peer uses `threads` threads."""
    count = str(threads)
    names = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "TAPEGRAD")
    variables = {f"{name}_NUM_THREADS": count for name in names}
    # XLA's pools take their size from NPROC; its Eigen pool has a switch and no size.
    flags = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
    variables |= {"NPROC": count, "PJRT_NPROC": count, "XLA_FLAGS": flags}
    return {**os.environ, **variables, "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"}


def prepare(package: str, threads: int) -> None:
    """Imports a peer and sets what the environment cannot."""
    if package == CPP:
        handwritten.prepare(threads)
        return
    module = importlib.import_module(package)
    if package in ("tapegrad", "torch"):
        module.set_num_threads(threads)
    if package == "torch":
        warnings.filterwarnings("ignore", module="torch")  # its compiler's, about itself


def torch_compile(function: Callable[..., Any], fresh: bool = False) -> Callable[..., Any]:
    """`torch.compile`; with `fresh`, no graph or code is taken from an earlier call or the disk."""
    import torch

    if shutil.which(os.environ.get("CXX", "g++")) is None:
        raise AbsentError("torch.compile needs a C++ compiler")
    torch._dynamo.reset()
    torch._inductor.config.force_disable_caches = fresh
    compiled: Callable[..., Any] = torch.compile(function)
    return compiled
