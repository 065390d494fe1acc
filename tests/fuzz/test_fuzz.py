"""The short run of the random programs; drive.py is the long one."""

from __future__ import annotations

import ast
import random
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import options
import pytest
from check import Checker, find_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import HEAD, draw, run_plain
from shrink import shrink
from surface import expressions

from tapegrad.numpy.families import whole_table

DRIVER = Path(__file__).parent / "drive.py"


def assert_holds(source: str) -> None:
    find = find_in(source)
    assert find is None, f"{find}\n{source}"


@pytest.mark.parametrize("block", range(8))
def test_programs(block):
    for seed in range(25):
        assert_holds(draw(random.Random(1000 * block + seed), 3 + seed % 8))


def runs_plainly(source):
    try:
        run_plain(source)
    except Exception:
        return False
    return True


@pytest.mark.parametrize("point", options.POINTS)
def test_options(point):
    refused: Counter[str] = Counter()
    older = tuple(map(int, np.__version__.split(".")[:2])) < (2, 4)
    for call in options.calls():
        if older and point == "empty" and "norm(" in call:
            continue  # of nothing, by the largest: refused then
        source = f"{HEAD}\n\ndef f(x):\n    y = {call}\n    return (y, x)\n\n\n"
        source += f"POINTS = {options.POINTS[point]}\n"
        checker = Checker(source, refused if runs_plainly(source) else None)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            checker.values()
            if not checker.was_refused:
                checker.compiled("compiled", lambda namespace: namespace["f"])
    assert refused.total() < 40, refused


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.randoms(use_true_random=False), st.integers(1, 8))
def test_drawn_by_hypothesis(rng, size):
    assert_holds(draw(rng, size))


def test_what_is_drawn():
    # Every function that NumPy hands over has a case, and nearly every case is drawn.
    texts = " ".join(e.text for e in expressions())
    names = {
        f.__name__ for f in whole_table() if getattr(np, getattr(f, "__name__", "?"), None) is f
    }
    missing = {name for name in names if f"np.{name}" not in texts and f".{name}(" not in texts}
    assert len(expressions()) > 400
    assert len(missing) < 0.1 * len(names), sorted(missing)


def test_programs_are_the_same_each_time():
    sources = [draw(random.Random(5), 8) for _ in range(2)]
    assert sources[0] == sources[1]
    assert isinstance(run_plain(sources[0]), tuple)


def wrong(text: str) -> str:
    return f"""
import numpy as np
import tapegrad as tg

DATA = np.array([0.5, -1.0, 2.0])

def change(k):
    DATA[0] = k

def f(x):
    a = np.sin(x) * DATA[0]
    b = np.cos(a)
    {text}
    d = np.exp(-b)
    return (a, b, c, d, x)

POINTS = [np.array([0.5, -1.0]), np.array([0.25, 2.0]), np.array([1.0, 1.5])]
"""


# What is wrong on purpose, and what sees it.
FAULTS = {
    "c = np.exp(tg.value(b)) * a": "grad against differences",
    "c = b * 1.001 if isinstance(b, tg.Variable) else b": "value",
    "c = {}[3] if isinstance(b, tg.Variable) else b": "value error",
    "c = tg.grad(lambda q: np.sum(q * tg.value(a)))(x)": "grad against differences",
}


@pytest.mark.parametrize("text", FAULTS)
def test_faults_are_found_and_shrunk(text):
    find = find_in(wrong(text))
    assert find is not None
    assert find.mode == FAULTS[text]

    def shows(source):
        try:
            found = find_in(source)
        except Exception:
            return False
        return found is not None and found.mode == find.mode

    small = shrink(wrong(text), shows)
    assert shows(small)
    assert "change" not in small
    (f,) = (s for s in ast.parse(small).body if isinstance(s, ast.FunctionDef))
    assert len(f.body) <= 4, small


def test_refusals_are_counted():
    refused: Counter[str] = Counter()
    assert find_in(wrong("c = np.packbits(np.outer(b, b))"), refused) is None
    assert refused.total() == 1


def test_a_process_that_ends_is_a_find():
    code = (
        f"import sys; sys.path.insert(0, {str(DRIVER.parent)!r})\n"
        "import drive\n"
        "print(drive.find_apart('import os; os._exit(3)'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "ends the process: exit code 3"


def test_driver():
    command = [sys.executable, str(DRIVER), "--seconds", "2", "--seed", "3", "--no-shrink"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert " programs, " in done.stdout
    assert ("finds:" in done.stdout) == (done.returncode == 1)


@pytest.mark.parametrize("seed", [2, 3])
def test_no_call_ends_the_process(seed):
    command = [sys.executable, str(DRIVER.parent / "junk.py"), str(seed), "3000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    last = done.stdout.splitlines()[-1:]
    assert last == ["done"], f"exit code {done.returncode} after {last}\n{done.stderr[-2000:]}"
