"""Who says how many threads there are."""

from __future__ import annotations

import subprocess
import sys

import pytest


def run(code: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.split()


def test_what_is_set_wins_over_threadpoolctl() -> None:
    pytest.importorskip("threadpoolctl")
    assert run("""
import tapegrad as tg
from threadpoolctl import threadpool_limits
tg.set_num_threads(3)
with threadpool_limits(1):
    print(tg.get_num_threads())
    tg.set_num_threads(0)
    print(tg.get_num_threads())
    tg.set_num_threads(2)
print(tg.get_num_threads())
""") == ["3", "1", "2"]


def test_threadpoolctl_holds_where_nothing_is_set() -> None:
    pytest.importorskip("threadpoolctl")
    assert run("""
import os
os.environ.pop("TAPEGRAD_NUM_THREADS", None)
import tapegrad as tg
from threadpoolctl import threadpool_limits
before = tg.get_num_threads()
with threadpool_limits(limits=5, user_api="openmp"):
    print(tg.get_num_threads())
print(tg.get_num_threads() == before)
""") == ["5", "True"]


def test_the_environment_wins_over_threadpoolctl() -> None:
    pytest.importorskip("threadpoolctl")
    assert run("""
import os
os.environ["TAPEGRAD_NUM_THREADS"] = "4"
import tapegrad as tg
from threadpoolctl import threadpool_limits
with threadpool_limits(1):
    print(tg.get_num_threads())
""") == ["4"]
