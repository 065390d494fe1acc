"""The peer `cpp`: derivatives written by hand in C++, compiled when they are first wanted.

Each source has functions with C's calling convention on sizes, numbers and arrays of float64 (or
int64, for indices). They run on one thread and write into arrays that the caller holds.
"""

from __future__ import annotations

import ctypes
import functools
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.problem import AbsentError

FOLDER = Path(__file__).parent
SOURCES = sorted(path.stem for path in FOLDER.glob("*.cpp"))

# GCC calls the C library's vector functions (exp, tanh, ...) under -ffast-math alone.
FLAGS = ("-std=c++17", "-O3", "-march=native", "-ffast-math", "-fPIC", "-Wall", "-Wextra")


def compiler() -> list[str] | None:
    """The command of the machine's C++ compiler, $CXX if that is set, or None."""
    chosen = os.environ.get("CXX")
    for command in [shlex.split(chosen)] if chosen else [["c++"], ["g++"]]:
        if command and shutil.which(command[0]):
            return command
    return None


def _required() -> list[str]:
    command = compiler()
    if command is None:
        wanted = os.environ.get("CXX") or "c++ or g++"
        raise AbsentError(f"no C++ compiler: no {wanted} on the path; $CXX may name one")
    return command


def prepare(threads: int) -> None:
    """Raises what keeps the peer from running."""
    _required()
    if threads > 1:
        raise AbsentError(f"no figure at {threads} threads: written for one")


def version() -> str:
    return _run([*_required(), "--version"]).splitlines()[0]


def build(name: str, folder: Path, flags: Sequence[str] = ()) -> Path:
    """Compiles a source into a shared library in `folder`."""
    command = _required()
    made, library = folder / f"{name}.o", folder / f"{name}.so"
    _run([*command, *FLAGS, *flags, "-c", str(FOLDER / f"{name}.cpp"), "-o", str(made)])
    # In a step of its own: -ffast-math at the link would have the library turn off subnormal
    # numbers for the whole process, all peers included, when it is loaded.
    _run([*command, "-shared", str(made), "-o", str(library)])
    return library


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise RuntimeError(f"{shlex.join(command)} failed with status {done.returncode}:\n{said}")
    return done.stdout


@functools.cache
def _library(name: str) -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        return ctypes.CDLL(str(build(name, Path(folder))))  # stays when its file is removed


def bind(
    name: str, function: str, inputs: Sequence[Any], results: Sequence[Any]
) -> Callable[[], Sequence[Any]]:
    """A call of a source's function, which writes into the arrays `results`, that returns these.

    Arrays are passed by where they lie, Python's numbers by value, in the order given.
    """
    found = _library(name)[function]
    found.restype = None
    arguments = [_converted(argument) for argument in (*inputs, *results)]

    def call() -> Sequence[Any]:
        found(*arguments)
        return results

    return call


def _converted(argument: Any) -> Any:
    if isinstance(argument, int):
        return ctypes.c_int64(argument)
    if isinstance(argument, float):
        return ctypes.c_double(argument)
    if not argument.flags.c_contiguous or argument.dtype not in (np.float64, np.int64):
        raise TypeError(
            f"an array of {argument.dtype} with strides {argument.strides}: C++ takes contiguous "
            "float64 or int64, as np.ascontiguousarray(array, dtype) gives them"
        )
    return argument.ctypes.data_as(ctypes.c_void_p)  # keeps the array
