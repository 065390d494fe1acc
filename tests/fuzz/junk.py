"""Random calls with unfit arguments: python tests/fuzz/junk.py SEED COUNT.

Everything that the package and its core make public is called; what comes is a result or an
exception, never the end of the process. The last call is printed before it is made.
"""

from __future__ import annotations

import random
import signal
import sys
import warnings
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad import _core

V, S = tg.Variable(np.arange(6.0).reshape(2, 3)), tg.Variable(2.0)
# What changes the whole process.
LEFT_OUT = {
    "set_work_threshold_ns", "set_num_threads", "set_form", "set_blas_library",
    "set_pool_capacity", "fail_allocation", "enter_unrecorded", "leave_block",
}  # fmt: skip


class Odd:
    """Raises wherever it is asked."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def __len__(self) -> int:
        return -3

    def __index__(self) -> int:
        raise RuntimeError("no index")

    def __iter__(self) -> Any:
        raise OverflowError("no items")


ARGUMENTS: list[Any] = [
    None, 0, -1, 2**70, 1.5, float("nan"), "x", "", b"z", (), [], {}, (1, 2), [V], (V, S), {"a": V},
    V, S, np.zeros(0), np.ones((2, 3)), np.array(["a"]), np.array([None], object), np.array([1j]),
    lambda x: x, lambda x: x * 2.0, lambda *a, **k: None, Odd(), Odd, type, object(),
    slice(1, None, 0), ..., np.float32, int, 10**30, -(2**63), 2**63 - 1, [[1], [1, 2]], np.sum,
    "sum", _core.Variable, range(5), np.ones(3, np.int8), True,
]  # fmt: skip


def targets() -> list[tuple[str, Any]]:
    found = [
        (f"{module.__name__}.{name}", getattr(module, name))
        for module in (tg, _core, tg.optim, tg.numerical)
        for name in dir(module)
        if not name.startswith("__") and name not in LEFT_OUT and callable(getattr(module, name))
    ]
    for name in dir(tg.Variable):
        method = getattr(tg.Variable, name)
        if callable(method) and name not in ("__class__", "__init_subclass__", "__subclasshook__"):
            found.append((f"Variable.{name}", lambda *a, m=method: m(V, *a)))
    return found


def too_long(*_: Any) -> None:
    raise TimeoutError("longer than ten seconds")


def main() -> None:
    rng = random.Random(int(sys.argv[1]))
    every = targets()
    signal.signal(signal.SIGALRM, too_long)
    warnings.simplefilter("ignore")
    for _ in range(int(sys.argv[2])):
        name, call = rng.choice(every)
        places = [rng.randrange(len(ARGUMENTS)) for _ in range(rng.randrange(4))]
        print(f"{name} of arguments {places}", flush=True)
        signal.alarm(10)
        try:
            result = call(*[ARGUMENTS[k] for k in places])
            if callable(result) and rng.random() < 0.5:
                result(*[rng.choice(ARGUMENTS) for _ in range(2)])
        except TimeoutError:
            raise
        except Exception as error:
            if "internal error" in str(error):
                raise
        finally:
            signal.alarm(0)
    print("done")


if __name__ == "__main__":
    main()
