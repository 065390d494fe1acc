"""What a case is, and the names that its code may use."""

import array
import cmath
import fractions
import itertools
import math
import os
import pickle
import random
import statistics
import threading
import time
import types
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

import tapegrad as tg
from tapegrad import numerical, testing

A = np.array([[2.0, 0.3, 0.1], [0.3, 3.0, 0.2], [0.1, 0.2, 4.0]])


@dataclass(frozen=True)
class Case:
    """Code that is refused, a part of what is said then, and the remedy.

    `plain` is code that gives the wanted result with a plain `x`; left out, it is the refused code
    where NumPy takes that, else the remedy. `is_plain`: what is wanted has no derivative.
    `needs`: a function that old NumPys lack. `module`: one that need not be installed.
    """

    refused: str
    told: str
    remedy: str
    plain: str = ""
    is_plain: bool = False
    rtol: float = 1e-9
    needs: str = "sum"
    module: str = "numpy"

    @property
    def is_possible(self) -> bool:
        """Whether this NumPy has the function, and the module is there."""
        return hasattr(np, self.needs) and find_spec(self.module) is not None


def ended_thread(f):
    """What `f` gives on a thread of its own, once that is gone with all that belonged to it."""
    found = []

    def work():
        try:
            found.append(f())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    place = f"/proc/self/task/{thread.native_id}"
    thread.join()
    until = time.monotonic() + (5.0 if os.path.exists("/proc/self/task") else 0.2)
    while time.monotonic() < until and (os.path.exists(place) or not os.path.exists("/proc/self")):
        time.sleep(0.001)
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def names_of(x):
    """The names of a case's code: `x` has shape (3,), and the others are computed from it."""
    return {
        "x": x, "a": x[0], "b": x[1], "m": np.outer(x[:2], x), "q": A + np.outer(x, x),
        "A": A.copy(), "X": np.array([0.7, 1.9, 2.6]), "np": np, "tg": tg, "math": math,
        "cmath": cmath, "array": array, "fractions": fractions, "pickle": pickle,
        "random": random, "statistics": statistics,
        "numerical": numerical, "testing": testing, "types": types, "itertools": itertools,
        "time": time, "dataclass": dataclass, "ended_thread": ended_thread,
        "__name__": "remedy",
    }  # fmt: skip
