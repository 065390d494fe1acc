"""Examples in docstrings run, and every public name has one."""

import doctest
import importlib
import pkgutil

import pytest

import tapegrad as tg

MODULES = sorted(
    m.name
    for m in pkgutil.walk_packages(tg.__path__, "tapegrad.")
    if not m.name.endswith("__main__")
)


@pytest.mark.parametrize("name", ["tapegrad", *MODULES])
def test_examples_run(name):
    module = importlib.import_module(name)
    failures = doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed
    assert failures == 0


@pytest.mark.parametrize("name", sorted(set(tg.__all__) - {"__version__"}))
def test_public_names_are_documented(name):
    thing = getattr(tg, name)
    assert thing.__doc__
    if callable(thing):
        assert ">>>" in thing.__doc__, f"tg.{name} has no example"


def test_examples_of_the_compiled_part_run():
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    for thing in (tg.Variable, tg.SGD):
        for test in finder.find(thing, thing.__name__, module=False, globs={}):
            runner.run(test)
    assert runner.failures == 0
    assert runner.tries > 0
