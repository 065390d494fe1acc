"""const_graph: a function that is called once, and of which only what it recorded runs again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad._core import Tracer, Variable
from tapegrad.compat.autograd.refusals import refusing
from tapegrad.compat.autograd.wrap_util import wraps
from tapegrad.compile.call import Call
from tapegrad.compile.program import TrustedProgram
from tapegrad.compile.recorder import record_call
from tapegrad.transforms.trace import name_of

__all__ = ["const_graph", "const_graph_unary"]

__getattr__ = refusing(__name__)


def const_graph(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
    """`fun` with these arguments fixed, whose recorded operations stand for it after one call.

    Whatever else the function reads is constant from then on, on your word; tg.compile watches it.
    Arguments of other shapes are recorded by themselves.

    Raises:
        RuntimeError: A branch would go another way than when it was recorded.

    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd.misc.tracers import const_graph
    >>> f = const_graph(lambda a, x: print("called") or a * x**2, 2.0)
    >>> f(1.0)
    called
    2.0
    >>> f(3.0)
    18.0
    """
    fixed = partial(fun, *args, **kwargs)
    recorded: dict[Any, TrustedProgram] = {}

    @wraps(fun)
    def again(*given: Any) -> Any:
        call = Call(given, {})
        if call.unsupported:
            raise TypeError(f"const_graph({name_of(fun)}): {call.unsupported}")
        program = recorded.get(call.key)
        if program is None:
            program = recorded[call.key] = _record(fun, fixed, call)
            if not call.has_variables:
                return program.call.commit(call.values)
        return _replay(fun, program, call)

    return again


def const_graph_unary(fun: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same of a function of one argument."""
    return const_graph(fun)


def _record(fun: Callable[..., Any], fixed: Callable[..., Any], call: Call) -> TrustedProgram:
    done = record_call(fixed, call.without_variables(), Tracer.argument, _is_output)
    refusal = done.refusal
    if done.written:
        refusal = refusal or "it writes to an array that was passed to it"
    if refusal:
        raise RuntimeError(
            f"const_graph({name_of(fun)}): {refusal}, which can't be recorded; call the function "
            "itself"
        )
    return TrustedProgram(done, {})


def _replay(fun: Callable[..., Any], program: TrustedProgram, call: Call) -> Any:
    numbers = None if call.has_variables else program.numbers
    values = program.program.run(call.values, program.captures, numbers)
    if values is None:
        raise RuntimeError(
            f"const_graph({name_of(fun)}): {program.program.guard_failed}: a branch goes another "
            "way than when the function was recorded; use tg.compile, which records that way too"
        )
    if call.has_variables:
        return program.as_operation(call.input_leaves(), values)
    return values[0] if program.make is None else program.make(values)


def _is_output(path: str, x: Any) -> bool:
    if isinstance(x, Variable):
        return True
    if x is not None and not isinstance(x, (int, float, np.number, np.ndarray)):
        raise TypeError(f"const_graph: {path} is {_tree.describe(x)}; return numbers and arrays")
    return False
