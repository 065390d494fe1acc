"""Names of Autograd's insides that can mean nothing here, and what does the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

_NODES = (
    "tapegrad keeps its record in compiled code, where no Python class can stand for a node: use "
    "make_vjp, make_jvp, or tg.Variable and tg.grad(outputs, wrt)"
)
_KINDS = (
    "derivatives are of floats, float arrays and containers of them: make the class a dataclass, "
    "or pass its arrays"
)
_REMEDIES = {
    "Box.register": _KINDS,
    "VSpace.register": _KINDS,
    "Node": _NODES,
    "ConstGraphNode": _NODES,
    "FullGraphNode": _NODES,
    "full_graph": _NODES,
    "backward_pass": _NODES,
    "trace": _NODES,
    "trace_stack": _NODES,
    "TraceStack": _NODES,
    "find_top_boxed_args": _NODES,
    "new_box": "make_vjp and make_jvp make Variables of arguments; tg.Variable(x) is one alone",
    "toposort": _NODES,
    "add_outgrads": "vspace(x).add(a, b) adds cotangents",
    "sum_outgrads": "vspace(x).add(a, b) adds cotangents",
    "sparse_add": "vspace(x).add(a, b) adds cotangents",
    "SparseBox": "a rule returns the whole cotangent, an array of zeros with the part written in",
    "SparseObject": "a rule returns the whole cotangent, an array of zeros with the part written "
    "in; indexing of Variables is differentiated without one",
}


def refuse(name: str, *details: object) -> NoReturn:
    """Raises NotImplementedError for a name, with what does the same."""
    given = f"({', '.join(map(repr, details))})" if details else ""
    raise NotImplementedError(f"autograd's {name}{given} is not there: {_REMEDIES[name]}")


def refusing(module: str) -> Callable[[str], Any]:
    """The `__getattr__` of a module: known names are refused by name when they are asked for."""

    def missing(name: str) -> Any:
        if name in _REMEDIES:
            raise AttributeError(f"autograd's {name} is not there: {_REMEDIES[name]}")
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return missing
