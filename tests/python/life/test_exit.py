"""The interpreter ends while daemon threads compute."""

from __future__ import annotations

import subprocess
import sys

import pytest

PRELUDE = """
import threading, time
import numpy as np
import tapegrad as tg
started = threading.Event()

def forever(step):
    def run():
        while True:
            step()
            started.set()
    return run
"""

WORK = {
    "sweep": """
x = np.ones(200_000)
def step():
    tg.grad(lambda v: np.sum(np.sin(v) * v))(x)
""",
    "jacobian": """
a = np.ones((60, 60))
def step():
    tg.jacobian(lambda v: np.tanh(a @ v))(np.ones(60))
""",
    "replay": """
f = tg.compile(lambda v: np.sum(np.sin(v) * v))
x = np.ones(200_000)
def step():
    f(x)
""",
    "scan": """
x = np.ones(5000)
def step():
    tg.grad(lambda v: tg.scan(lambda c, y: (c * 0.99 + np.sum(v) * y, c), 0.0, np.ones(500))[0])(x)
""",
    "compiled gradient": """
f = tg.compile(tg.grad(lambda v: np.sum(v * v)))
x = np.ones(100_000)
def step():
    f(x)
""",
}


@pytest.mark.parametrize("work", WORK)
def test_daemon_threads_at_exit(work: str) -> None:
    end = """
for _ in range(3):
    threading.Thread(target=forever(step), daemon=True).start()
started.wait(60)
time.sleep(0.03)
"""
    for _ in range(6):
        done = subprocess.run(
            [sys.executable, "-c", PRELUDE + WORK[work] + end],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "terminate" not in done.stderr
