"""The source of functions is found wherever they stand in their file, and only if it is theirs."""

import ast
import importlib.util
import linecache
import sys
import textwrap

import pytest

from tapegrad.compile.reads import source
from tapegrad.compile.reads.source import source_of

FILE = '''
    {future}
    import numpy as np

    def unlike(*_):
        return lambda f: f

    @unlike(1,
        2)
    @unlike(3)
    def decorated(x):
        """Text at the margin:
    def decorated(x):
        return 0
    """
        return np.sin(x)

    class Model:
        def __hidden(self, x):
            return self.__other(x)

        def maker(self):
            scale = 2.0

            def inner(x):
                return np.exp(x) * scale

            return inner

    table = [lambda x: x + 1,
             lambda x: x + 2]

    two, three = lambda x: 2 * x, lambda x: 3 * x

    if True:
        import math as m
    else:
        pass

    def of_branch(x):
        return m.sin(x)

    try:
        pass
    finally:
        def last(x):
            return x
'''


@pytest.fixture(params=["", "from __future__ import annotations"])
def module(request, tmp_path):
    path = tmp_path / "some_functions.py"
    text = textwrap.dedent(FILE).format(future=request.param)
    path.write_text(text + "\n\ndef filler(x):\n    return x\n" * 50)
    spec = importlib.util.spec_from_file_location("some_functions", path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    yield found
    sys.modules.pop("some_functions", None)
    linecache.cache.pop(str(path), None)


def returned(f):
    node = source_of(f.__code__)
    return ast.unparse(node.body if isinstance(node, ast.Lambda) else node.body[-1])


def test_functions_of_all_kinds_are_found(module):
    assert returned(module.decorated) == "return np.sin(x)"
    assert returned(module.Model._Model__hidden) == "return self.__other(x)"
    assert returned(module.Model().maker()) == "return np.exp(x) * scale"
    assert returned(module.table[0]) == "x + 1"
    assert returned(module.table[1]) == "x + 2"
    assert returned(module.of_branch) == "return m.sin(x)"
    assert returned(module.last) == "return x"


def test_two_on_one_line_are_told_apart_by_nobody(module):
    assert source_of(module.two.__code__) is None


def test_the_statement_around_a_function_is_enough(module, monkeypatch):
    lengths = []
    whole = len("".join(linecache.getlines(module.__file__)))
    parsed = source._parsed.__wrapped__

    def watched(text, *others):
        lengths.append(len(text.strip()))
        return parsed(text, *others)

    monkeypatch.setattr(source, "_parsed", watched)
    for f in (module.Model().maker(), module.table[1]):
        source_of.__wrapped__(f.__code__)
    assert len(lengths) == 2
    assert max(lengths) < whole / 4


def test_a_file_that_changed_is_not_its_source(module):
    code = module.decorated.__code__
    lines = [line.replace("np.sin", "np.cos") for line in linecache.getlines(module.__file__)]
    linecache.cache[module.__file__] = (1, None, lines, module.__file__)
    assert source_of.__wrapped__(code) is None


def test_without_a_file_there_is_none():
    space = {}
    exec("def f(x):\n    return x\n", space)
    assert source_of(space["f"].__code__) is None
