"""Calls are named by their instructions, on whatever path they are reached."""

import ast
import sys
from types import SimpleNamespace

import pytest

from tapegrad.numpy.bytecode import named_in

CALLS = (
    "probe(a)",
    "probe(a, g(a, g(a)))",
    "probe(a, a if c else g(a))",
    "probe(a if c else g(a))",
    "probe(a if c else g(a), a if not c else g(a, a))",
    "probe(g(a if c else o.g(a, a), a), k=a if c else g(a))",
    "probe((a and c) or g(a))",
    "probe(a, (a if c else g(a)) if a else c)",
    "probe(a, [a] if c else [*o.items, a])",
)


@pytest.mark.parametrize("c", [True, False])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("owner", ["", "o."])
@pytest.mark.parametrize("text", ["{}", "lambda: {}", "lambda: g({}, a)", "a if not a else {}"])
def test_calls_are_named(text, owner, call, c):
    seen = []

    def probe(*args, **kwargs):
        frame = sys._getframe(1)
        seen.append(named_in(frame.f_code, frame.f_lasti))

    def g(*args, **kwargs):
        return 1

    names = {"a": 1, "c": c, "g": g, "probe": probe}
    names["o"] = SimpleNamespace(items=[1], **names)
    found = eval(text.format(owner + call), names)
    if callable(found):
        found()
    (named,) = seen
    assert ast.unparse(named) == f"{owner}probe(v)"
