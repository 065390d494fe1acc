"""`theano.printing`: expressions as text, before and after optimisation."""

from __future__ import annotations

from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad.compat.theano.function import Function, function
from tapegrad.compat.theano.variables import apply, store
from tapegrad.graph import printing
from tapegrad.graph.nodes import Node


def pp(x: Any) -> str:
    """An expression as a formula; of a function, what its program computes.

    >>> import tapegrad.compat.theano as theano
    >>> import tapegrad.compat.theano.tensor as T
    >>> x = T.dscalar("x")
    >>> y = T.grad(x**2, x)
    >>> theano.pp(x**2), theano.pp(theano.function([x], y))
    ('(x ** 2)', '(2.0 * x)')
    """
    if isinstance(x, Function):
        return ", ".join(printing.program_formulas(x.plan, store))
    if printing.is_plain(x):
        return printing.formula(x)
    return printing.recorded_formulas(_inputs_plan(x), store)[0]


def debugprint(obj: Any, depth: int = -1, print_type: bool = False, file: Any = None) -> Any:
    """Prints an expression as a tree; of a function, its program and what was rewritten.

    With `file="str"` it returns the text.
    """
    items = list(obj) if isinstance(obj, list | tuple) else [obj]
    text = "\n".join(_tree(x) for x in items)
    if file == "str":
        return text
    print(text, file=file)
    return None


def _tree(x: Any) -> str:
    if not isinstance(x, Function):
        return printing.tree(x)
    recorded, program = printing.programs(x.plan, store)
    counts = ", ".join(f"{name} {n}" for name, n in x.rewrites.items()) or "none"
    before, after = len(list(recorded.steps())), len(list(program.steps()))
    lines = printing.program_trees(x.plan, program)
    return "\n".join(
        [f"rewrites: {counts}", f"{before} operations as recorded, {after} in the program", *lines]
    )


def _inputs_plan(x: Node) -> Any:
    return function(printing.placeholders(x), x, mode="FAST_COMPILE").plan


class Print:
    """Prints a value whenever it is computed: `Print("x")(x)` is `x`."""

    def __init__(self, message: str = "", attrs: Any = ("__str__",), **_: Any) -> None:
        self.message = message
        self.attrs = attrs

    def __call__(self, x: Any) -> Any:
        def show(value: Any) -> Any:
            for attr in self.attrs:
                found = getattr(value, attr)
                print(self.message, attr, "=", found() if callable(found) else found)
            return np.zeros((), np.asarray(value).dtype)[()]

        zero = apply(tg.notrace_primitive(show), x, cuts=True, label="Print", foreign=True)
        return apply(np.add, x, zero)


pprint = pp


def pydotprint(*_: Any, **__: Any) -> None:
    """Not there."""
    raise NotImplementedError("pydotprint: debugprint prints the same as text")
