"""`tg.memory`: what is kept goes back."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest

import tapegrad as tg

MIB = 1 << 20


@pytest.fixture
def limit():
    before = tg.memory.report().limit
    yield tg.memory.set_limit
    tg.memory.set_limit(before)


def use(n_bytes: int) -> None:
    tg.grad(lambda v: np.sum(np.sin(v) * v))(np.ones(n_bytes // 8))


def test_trim() -> None:
    use(16 * MIB)
    assert tg.memory.report().kept > 16 * MIB
    tg.memory.trim()
    assert tg.memory.report().kept == 0


def test_in_use_counts_what_is_held() -> None:
    before = tg.memory.report().in_use
    v = np.sin(tg.Variable(np.ones(MIB)))
    assert tg.memory.report().in_use - before >= 8 * MIB
    del v
    assert tg.memory.report().in_use - before < MIB


def test_limit(limit) -> None:
    tg.memory.trim()
    assert limit(8 * MIB) > 8 * MIB
    use(32 * MIB)
    assert tg.memory.report().kept <= 10 * MIB
    assert tg.memory.report().limit == 8 * MIB
    limit(0)
    assert tg.memory.report().kept < 3 * MIB  # small blocks of this thread
    limit(1 << 40)
    use(32 * MIB)
    assert tg.memory.report().kept > 32 * MIB
    limit(4 * MIB)
    assert tg.memory.report().kept <= 8 * MIB


@pytest.mark.parametrize("wrong", [-1, 1 << 63])
def test_limits_that_are_none(wrong: int) -> None:
    with pytest.raises(ValueError, match=r"memory\.set_limit"):
        tg.memory.set_limit(wrong)


def test_limit_is_an_integer() -> None:
    with pytest.raises(TypeError, match=r"an int; got 1\.5"):
        tg.memory.set_limit(1.5)


def test_idle_memory_goes_back() -> None:
    tg.memory.trim()
    use(64 * MIB)
    assert tg.memory.report().kept > 64 * MIB
    for _ in range(100):
        time.sleep(0.2)
        if tg.memory.report().kept <= 33 * MIB:
            break
    assert tg.memory.report().kept <= 33 * MIB


def test_memory_in_use_is_kept() -> None:
    tg.memory.trim()
    end = time.monotonic() + 5.0
    use(64 * MIB)
    while time.monotonic() < end:
        use(64 * MIB)
        assert tg.memory.report().kept > 64 * MIB


def test_process_shrinks() -> None:
    if not os.path.exists("/proc/self/statm"):
        pytest.skip("needs /proc")
    code = """
import time, numpy as np, tapegrad as tg
def resident():
    return int(open('/proc/self/statm').read().split()[1]) * 4096
x = np.ones(24 << 20)
tg.grad(lambda v: np.sum(v[:10]))(x)
before = resident()
g = tg.grad(lambda v: np.sum(np.exp(np.sin(v)) * v))(x)
peak = resident()
del g
end = time.monotonic() + 30
while resident() > before + (80 << 20) and time.monotonic() < end:
    time.sleep(0.2)
print(peak - before, resident() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    peak, after = map(int, done.stdout.split())
    assert peak > 100 << 20
    assert after <= 80 << 20


def test_error_advises_what_exists() -> None:
    v = tg.Variable(np.ones(2))
    with pytest.raises(MemoryError, match=r"tg\.memory\.trim\(\)|no machine has as many"):
        np.repeat(v, 1 << 45)
