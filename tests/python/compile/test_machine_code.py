"""Programs that were compiled to machine code give the bits of the interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

import tapegrad as tg
from tapegrad import _core

PROGRAM = """
import numpy as np
import tapegrad as tg
from tapegrad import _core

def arm(angles):
    frame = np.eye(3)
    for k in range(4):
        c, s = np.cos(angles[k]), np.sin(angles[k])
        zero, one = 0.0 * c, 0.0 * c + 1.0
        rows = [np.stack([c, -s, c]), np.stack([s, c, s]), np.stack([zero, zero, one])]
        frame = frame @ np.stack(rows)
    return np.sum((frame[:2, 2] - np.array([2.0, 1.0])) ** 2)

def choices(x):
    y = np.where(x[0] > x[1], np.maximum(x[0], 0.5) / x[2], np.sqrt(np.abs(x[1])))
    return y * np.exp(-x[2]) + np.minimum(x[0], x[3]) ** 2

for f in (arm, choices):
    for dtype in (np.float64, np.float32):
        x = np.array([0.3, -0.7, 1.1, 0.0], dtype)
        for g in (tg.value_and_grad(f), tg.hessian(f)):
            compiled = tg.compile(g)
            for k in range(5):
                out = compiled(x + dtype(k) / 8)
                for part in out if isinstance(out, tuple) else (out,):
                    print(np.asarray(part).tobytes().hex())
print("made", _core.machine_code_count())
"""


def _run(emit: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "TAPEGRAD_EMIT": emit},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def _can_emit() -> bool:
    return int(_run("always")[-1].split()[1]) > 0


def test_bits_are_those_of_the_interpreter() -> None:
    interpreted, compiled = _run("0"), _run("always")
    assert interpreted[-1] == "made 0"
    assert len(interpreted) > 50
    assert interpreted[:-1] == compiled[:-1]
    if sys.platform == "linux" and os.uname().machine == "x86_64" and _core.isa_level() >= 3:
        assert _can_emit()


def test_other_wishes_are_refused() -> None:
    code = "import tapegrad as tg\nprint(tg.grad(lambda x: x**3.5 / x)(2.0))"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + code],
        env={**os.environ, "TAPEGRAD_EMIT": "perhaps"},
        capture_output=True,
        text=True,
        check=False,
    )
    if _can_emit():
        assert done.returncode != 0
        assert "TAPEGRAD_EMIT='perhaps'" in done.stderr


def _model(a: float, b: float) -> float:
    for _ in range(3):
        a, b = a * b + 1.0, b / a
    return a


@pytest.mark.skipif(
    os.environ.get("TAPEGRAD_EMIT") == "0", reason="nothing is compiled where it is switched off"
)
def test_what_threads_run_often_is_compiled_and_listed() -> None:
    slope = tg.compile(tg.grad(_model))
    wanted = slope(1.5, 2.0)
    found: list[float] = []

    def work() -> None:
        found.extend({slope(1.5, 2.0) for _ in range(4000)})

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {wanted}
    text = slope.inspect().signatures[0].programs[0].machine_code()
    if _can_emit():
        assert "vmulsd" in text
        assert text.rstrip().endswith("ret")
