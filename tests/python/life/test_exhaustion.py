"""Memory and threads that the system does not give: an exception with a text, and no end."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is Linux's")

PRELUDE = """
import resource
import numpy as np
import tapegrad as tg

def free(extra):
    size = int(open('/proc/self/statm').read().split()[0]) * 4096
    resource.setrlimit(resource.RLIMIT_AS, (size + extra, size + extra))

def loud(f):
    try:
        f()
    except MemoryError as error:
        assert str(error), "MemoryError without a text"
        return "memory"
    return "done"
"""


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout.strip()


@pytest.mark.parametrize("mib", [0, 1, 2, 4, 8, 16, 32, 64, 128])
def test_first_product(mib: int) -> None:
    assert run(f"""
a = np.ones((300, 300))
x = tg.Variable(a)
free({mib} << 20)
print(loud(lambda: (x @ a)))
""") in ("memory", "done")


@pytest.mark.parametrize("mib", [0, 1, 4, 16, 64])
def test_first_factorisation(mib: int) -> None:
    assert run(f"""
a = np.eye(200) * 2.0
free({mib} << 20)
print(loud(lambda: tg.grad(lambda v: np.sum(np.linalg.inv(v)))(a)))
""") in ("memory", "done")


@pytest.mark.parametrize("threads", [2, 4, 64])
@pytest.mark.parametrize("mib", [1, 8, 20, 200])
def test_first_region(threads: int, mib: int) -> None:
    assert run(f"""
tg.set_num_threads({threads})
x = np.ones(300_000)
g = tg.grad(lambda v: np.sum(np.sin(v)))
free({mib} << 20)
print(loud(lambda: g(x)))
print(loud(lambda: g(x[:100])))
""").split()[0] in ("memory", "done")


def test_threads_that_do_not_start_are_done_without() -> None:
    assert (
        run("""
tg.set_num_threads(64)
tg._core.set_work_threshold_ns(0)
x = np.ones(100_000)
g = tg.grad(lambda v: np.sum(np.sin(v)))
free(60 << 20)
print(loud(lambda: g(x)), np.array_equal(g(x), np.cos(x)))
""")
        == "done True"
    )


def test_everything_works_once_there_is_memory() -> None:
    assert (
        run("""
x = np.ones(2_000_000)
soft, hard = resource.getrlimit(resource.RLIMIT_AS)
size = int(open('/proc/self/statm').read().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (size + (8 << 20), hard))
g = tg.grad(lambda v: np.sum(np.sin(v) * np.exp(v)))
first = loud(lambda: g(x))
resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
print(first, np.allclose(g(x), np.exp(x) * (np.sin(x) + np.cos(x))))
""")
        == "memory True"
    )
