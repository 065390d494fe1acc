"""Programs that were compiled to machine code give the bits of the interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import numpy as np
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


# Kernels over elements (of all lengths up to some vectors), over points, and in a time loop.
BLOCKS = """
import numpy as np
import tapegrad as tg
from tapegrad import _core

def curve(x):
    y = np.where(x > 0.2, np.maximum(x * x, 0.5) / (x + 3.0), np.sqrt(np.abs(x)) - x)
    return np.sum((y - np.exp(-y)) ** 2 + np.minimum(y, 0.3) * x) + np.max(x)

def newton(x):
    root = x
    for _ in range(20):
        root = 0.5 * (root + (x * x + 1.0) / root)
    return np.sum(root[1:] * root[:-1])

def mixture(means):
    points = np.linspace(-1.0, 1.0, 303 * 4).reshape(303, 4).astype(means.dtype)
    terms = -np.sum((points[:, None] - means.reshape(-1, 4)) ** 2, axis=2)
    top = np.max(terms, axis=1)
    return np.sum(top + np.log(np.sum(np.exp(terms - top[:, None]), axis=1)))

def cells(x):
    h, c = np.tanh(x), x * 0.5
    for t in range(40):
        gate = 1.0 / (1.0 + np.exp(-(h * x + c)))
        c = c * gate + (1.0 - gate) * np.tanh(h)
        h = np.tanh(c) * gate
    return np.sum(h * h)

def show(f, x):
    compiled = tg.compile(tg.value_and_grad(f))
    for k in range(4):
        value, gradient = compiled(x + x.dtype.type(k) / 8)
        print(np.asarray(value).tobytes().hex(), np.asarray(gradient).tobytes().hex())

for dtype in (np.float64, np.float32):
    for n in (1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 1000, 1031):
        show(curve, np.linspace(-1.0, 2.0, n).astype(dtype))
    for n in (5, 64, 515):
        show(newton, np.linspace(0.5, 2.0, n).astype(dtype))
    show(mixture, np.sin(np.arange(40.0)).astype(dtype))
    for n in (3, 8, 14):
        show(cells, np.linspace(-1.0, 1.0, n).astype(dtype))
print("made", _core.machine_code_count())
"""


def _run(emit: str, program: str = PROGRAM) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "TAPEGRAD_EMIT": emit},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def _can_emit() -> bool:
    return int(_run("always")[-1].split()[1]) > 0


@pytest.mark.parametrize("program", [PROGRAM, BLOCKS], ids=["numbers", "blocks"])
def test_bits_are_those_of_the_interpreter(program: str) -> None:
    interpreted, compiled = _run("0", program), _run("always", program)
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


def _layers(x: Any) -> Any:
    h = x
    for _ in range(60):
        h = h + 0.1 * np.tanh(h * x) * (1.0 - h) / (1.0 + x * x)
    return np.sum(h**2)


@pytest.mark.skipif(
    os.environ.get("TAPEGRAD_EMIT") == "0", reason="nothing is compiled where it is switched off"
)
@pytest.mark.parametrize(
    ("function", "size"),
    [(lambda x: np.sum((x * x - 2.0) * x + 1.0 / (x * x + 1.0)), 1000), (_layers, 14)],
    ids=["elements", "loop"],
)
def test_blocks_are_listed_those_of_loops_too(function: Any, size: int) -> None:
    slope = tg.compile(tg.grad(function))
    x = np.linspace(0.1, 0.9, size)
    wanted = slope(x)
    for _ in range(2000):
        np.testing.assert_array_equal(slope(x), wanted)
    text = slope.inspect().signatures[0].programs[0].machine_code()
    if _can_emit() and _core.isa_level() >= 3:
        assert "for each vector of lanes" in text
        assert "vmulpd" in text
        assert ("body of" in text) == (function is _layers)
