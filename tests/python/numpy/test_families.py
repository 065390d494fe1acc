"""Families of functions that are loaded at their first use: each call in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CASES = Path(__file__).resolve().parents[1]
HEAD = """
import sys, threading, time
import numpy as np
import tapegrad as tg
from tapegrad.numpy.index import FAMILIES

def loaded():
    names = {name.removeprefix("tapegrad.numpy.") for name in sys.modules}
    return sorted(names & set(FAMILIES.values()))

def slow(module, started, seconds):
    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name == module:
                started.set()
                time.sleep(seconds)
    sys.meta_path.insert(0, Finder())

assert loaded() == []
p, x = np.array([1.0, -3.0, 2.0]), np.array([0.5, 2.0])
"""


def run(code):
    done = subprocess.run(
        [sys.executable, "-c", HEAD + code],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(CASES)])},
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(
    not hasattr(os, "fork"), reason="each family is called first in a child: no fork"
)
def test_every_family_is_loaded_at_the_first_call():
    run("""
import os, traceback, warnings
from agreement import assert_equal_parts
from surface_cases import CALLS, NUMPY, X
from surface_plain_cases import PLAIN_CALLS, WRITERS

calls = {f: found[0] for f, found in CALLS.items()}
calls |= {f: (call, X) for f, call in PLAIN_CALLS.items()}
warnings.simplefilter("ignore")
later = [f for f in [*calls, *WRITERS] if f.__name__ in FAMILIES and not isinstance(f, np.ufunc)]
old = {"polyval2d", "polygrid2d"} if NUMPY < (2, 4) else set()  # which ask nobody there
old |= {"unstack"} if NUMPY < (2, 1) else set()  # which is younger
assert {f.__name__ for f in later} == set(FAMILIES) - old
firsts = {FAMILIES[f.__name__]: f for f in later if f in calls}
assert set(firsts) == set(FAMILIES.values()) - {"writes"}
for family, f in firsts.items():
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0, f
        continue
    code = 1
    try:
        call, a = calls[f]
        assert_equal_parts(call(tg.Variable(a)), call(np.array(a)), 1e-10)
        assert family in loaded() and len(loaded()) < 4, loaded()
        code = 0
    except BaseException:
        traceback.print_exc()
    os._exit(code)
""")


FIRST_CALLS = {
    "in a gradient": "g = tg.grad(lambda x: np.sum(np.convolve(x, p)))\n"
    "np.testing.assert_allclose(g(x), [0.0, 0.0])",
    "in a compiled function": "f = tg.compile(lambda x: np.sum(np.convolve(x, p) ** 2))\n"
    "for y in x + np.arange(4.0)[:, None]:\n"
    "    np.testing.assert_allclose(f(y), sum(np.convolve(y, p) ** 2))\n"
    "assert f.inspect().signatures[0].replays == 2",
    "in lanes": "np.testing.assert_allclose(\n"
    "    tg.vmap(lambda x: np.convolve(x, p))(np.stack([x, 2 * x]))[1], np.convolve(2 * x, p))",
    "where functions are replaced": "with tg.patch_numpy():\n"
    "    assert tg.grad(lambda x: np.sum(np.linspace(x, 3 * x, 5)))(2.0) == 10.0",
    "as a question of what a captured array goes through": """
import linecache
source = "def f(w):\\n    return np.sum(np.convolve(p, p)) * w\\n"
linecache.cache["<of users>"] = len(source), None, source.splitlines(True), "<of users>"
exec(compile(source, "<of users>", "exec"))
f = tg.compile(f)
for k in range(5):
    p[:] = [1.0, 2.0, k]
    assert f(2.0) == 2.0 * np.sum(np.convolve(p, p))
""",
    "on many threads at once": """
from concurrent.futures import ThreadPoolExecutor
sys.setswitchinterval(1e-6)
calls = [lambda v: np.polyadd(v, p), lambda v: np.quantile(v, 0.3), lambda v: np.histogram(v, p)[1],
         lambda v: np.unique(v), lambda v: np.convolve(v, p), lambda v: np.nansum(v),
         lambda v: np.cov(v), lambda v: np.pad(v, 1)] * 8
start = threading.Barrier(len(calls))
def work(f):
    start.wait()
    return np.asarray(tg.value(f(tg.Variable(x))))
p.sort()
with ThreadPoolExecutor(len(calls)) as pool:
    for f, found in zip(calls, pool.map(work, calls)):
        np.testing.assert_allclose(found, f(x))
""",
}


@pytest.mark.parametrize("where", FIRST_CALLS)
def test_first_call(where):
    run(FIRST_CALLS[where])


def test_nothing_is_called_before_its_module_has_run_to_its_end():
    run("""
started = threading.Event()
def watch(frame, event, argument):
    if frame.f_globals.get("__name__") == "tapegrad.numpy.signals":
        if "correlate" in frame.f_globals and not started.is_set():
            started.set()
            time.sleep(0.3)
    return watch
def work():
    sys.settrace(watch)
    np.convolve(tg.Variable(x), p)
other = threading.Thread(target=work)
other.start()
assert started.wait(30)
assert "_correlated" not in vars(sys.modules["tapegrad.numpy.signals"])
np.testing.assert_allclose(np.correlate(tg.Variable(p), x).value, np.correlate(p, x))
assert "_correlated" in vars(sys.modules["tapegrad.numpy.signals"])
other.join()
""")


def test_a_family_that_failed_to_load_is_loaded_again():
    run("""
sys.modules["tapegrad.numpy.statistics"] = None
try:
    np.histogram(tg.Variable(x), p)
except ImportError:
    del sys.modules["tapegrad.numpy.statistics"]
np.testing.assert_array_equal(np.histogram(tg.Variable(x), 3)[0], np.histogram(x, 3)[0])
""")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_forked_while_a_thread_loads_a_family_has_it():
    run("""
import os
started = threading.Event()
slow("tapegrad.numpy.statistics", started, 0.3)
other = threading.Thread(target=lambda: np.histogram(tg.Variable(x), 3))
other.start()
assert started.wait(30)
child = os.fork()
found = np.histogram(tg.Variable(x), 3)[0]
if not child:
    os._exit(0 if np.array_equal(found, np.histogram(x, 3)[0]) else 1)
assert os.waitpid(child, 0)[1] == 0
other.join()
""")


def test_families_that_load_where_arrays_are_filled_register_numpys_functions():
    code = (
        "import numpy as np, tapegrad as tg\n"
        "from tapegrad.numpy import families\n"
        "with tg.patch_numpy():\n"
        "    table = families.whole_table()\n"
        "assert not [f for f in table if hasattr(f, 'replaces')]\n"
        "assert np.full_like in table and np.linspace in table\n"
        "v = tg.Variable([1.0, 2.0])\n"
        "print(np.linspace(v[0], v[1], 3))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "1.5" in done.stdout
