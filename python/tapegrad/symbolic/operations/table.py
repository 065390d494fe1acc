"""One rule for each operation of the registry, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad.inspect.graph import Node
from tapegrad.symbolic.numbers import numbers
from tapegrad.symbolic.operations import arrays, elementwise, matrices
from tapegrad.symbolic.operations.arrays import Rule, is_objects
from tapegrad.symbolic.operations.refused import REFUSED
from tapegrad.symbolic.operations.special import foreign, foreign_several

BODIES = frozenset({"call", "scan"})  # which reading.py applies


def _elementwise(function: Callable[..., Any], flags: bool) -> Rule:
    def rule(node: Node, operands: Sequence[Any]) -> Any:
        given = [x if is_objects(x) else numbers(x) for x in operands]
        if not flags:
            given = [_as_numbers(x) for x in given]
        result = np.frompyfunc(function, len(given), 1)(*given)
        found = np.empty(node.shape, dtype=object)
        found[...] = result
        return found

    return rule


def _as_numbers(x: Any) -> Any:
    found = np.empty(x.shape, dtype=object)
    found[...] = np.frompyfunc(elementwise.as_number, 1, 1)(x)
    return found


def _rules() -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for name, function in elementwise.OF_NUMBERS.items():
        found[name] = _elementwise(function, flags=False)
    for name, function in elementwise.OF_FLAGS.items():
        found[name] = _elementwise(function, flags=True)
    found |= dict.fromkeys(arrays.MOVES, arrays.moved)
    found |= dict.fromkeys(arrays.LINEAR, arrays.linear)
    found |= dict.fromkeys(matrices.PRODUCTS, arrays.multilinear)
    found |= arrays.FOLDS | matrices.MATRICES
    found["foreign"] = lambda node, operands: _elementwise(foreign(node), flags=False)(
        node, operands
    )
    found["foreign_several"] = foreign_several
    return found


RULES = _rules()


def covered() -> set[str]:
    """The operations that have a formula."""
    return {*RULES, *BODIES, *arrays.PLAIN, *matrices.COMPOSED}


def refused() -> dict[str, str]:
    """The operations without one, with the reason."""
    return REFUSED
