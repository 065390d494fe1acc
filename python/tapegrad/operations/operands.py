"""What the leaves of a primitive's arguments and results are, in plain code and as operands."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from tapegrad import _core, _tree
from tapegrad._core import Variable, stands_for_array, to_array
from tapegrad._tree import Tree
from tapegrad.compile.call import INPUT_KINDS
from tapegrad.transforms.trace import pack

# What plain code has where there are no axes; "array" too for everything with axes.
Kind: TypeAlias = Literal["float", "int", "bool", "numpy", "array"]

_PLAIN = frozenset({int, float, bool, complex, str, bytes, type(None), np.float64, np.float32})


def holds_variable(tree: Tree) -> bool:
    """Whether a Variable stands anywhere in a nesting of containers."""
    kind = type(tree)
    if kind in _PLAIN:
        return False
    if kind is np.ndarray and tree.dtype != object:
        return False
    if kind is tuple or kind is list:
        return any(map(holds_variable, tree))
    if kind is dict:
        return any(map(holds_variable, tree.values()))
    if isinstance(tree, Variable):
        return True
    if isinstance(tree, np.ndarray) and tree.dtype == object:
        return any(map(_tree.is_variable, tree.ravel().tolist()))
    parts = _tree.children(tree)
    return parts is not None and any(holds_variable(part) for _, part in parts)


def is_input(x: Any) -> bool:
    """Whether a leaf is an operand; integers and flags of Python's are part of the call."""
    kind = type(x)
    if kind is float or kind is np.float64 or kind is np.float32 or isinstance(x, Variable):
        return True
    return kind is np.ndarray and x.dtype.char in INPUT_KINDS and x.dtype.isnative


def kind_of(x: Any) -> Kind:
    """What a leaf is in plain code."""
    if isinstance(x, Variable):
        return "array" if stands_for_array(x) else "numpy"
    if type(x) is float:
        return "float"
    if isinstance(x, bool):
        return "bool"
    if isinstance(x, int):  # NumPy's are none
        return "int"
    return "array" if isinstance(x, np.ndarray) else "numpy"


def as_kind(x: Any, kind: Kind) -> Any:
    """An operand as plain code had it, or as a Variable that stands for that."""
    if isinstance(x, Variable):
        return to_array(x) if kind == "array" else x
    if type(x) is np.ndarray:  # of a number, too, where it is one for each lane
        return x
    if kind == "array":
        return np.asarray(x)
    if kind == "numpy":
        return np.float64(x) if type(x) is float else x
    return {"float": float, "int": int, "bool": bool}[kind](x)


def is_floating(x: Any) -> bool:
    """Whether an operand may have a derivative."""
    return isinstance(x, float) or x.dtype.kind == "f"


def zeros_of(x: Any) -> Any:
    """Plain zeros like an operand."""
    if isinstance(x, float):
        return 0.0
    return np.zeros(x.shape, x.dtype)[()]


def structure_of(tree: Tree) -> Any:
    """What two nestings have in common that differ in their leaves alone."""
    parts = None if tree is None or _tree.is_leaf(tree) else _tree.children(tree)
    if parts is None:
        return tree is None
    return type(tree), [(key, structure_of(part)) for key, part in parts]


def result_of(name: str, out: Tree) -> tuple[Tree, list[Kind], list[Any]]:
    """A result taken apart: its structure, and its leaves with what they are.

    Raises:
        TypeError: A leaf is no number or array, or is a Variable, which the function can only have
            from outside of its arguments.
    """
    found = _tree.leaves(out, "the result")
    for path, x in found:
        if _tree.is_variable(x):
            raise TypeError(
                f"{name}: {path} is {_tree.describe(x)}, made from one that is no argument: its "
                "derivative would be lost; pass it as an argument, or read tg.value(x) of it"
            )
        kind = getattr(getattr(x, "dtype", None), "char", None)
        known = kind is not None and kind in INPUT_KINDS and x.dtype.isnative
        if not known and not isinstance(x, (bool, int, float)):
            raise TypeError(
                f"{name}: {path} is {_tree.describe(x)}; return numbers and arrays (float64, "
                "float32, integers, bools), in dicts, lists, tuples or dataclasses"
            )
    leaves = [x for _, x in found]
    template = 0.0 if found and out is leaves[0] else _tree.fill(out, iter([0.0] * len(leaves)))
    flat = [np.asarray(x) if isinstance(x, (bool, int)) else x for x in leaves]
    return template, [kind_of(x) for x in leaves], flat


def plain(x: Tree) -> Tree:
    """A tree with the plain values of its Variables."""
    x = pack(x)
    if isinstance(x, Variable):
        return _core.value(x)
    return _tree.fill(x, iter([_core.value(leaf) for _, leaf in _tree.leaves(x)]))
