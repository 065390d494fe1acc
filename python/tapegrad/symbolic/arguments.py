"""The arguments of a function as SymPy expressions, and the function as one of a vector.

Each floating number in the arguments is an unknown: it has a slot in the vector that the function
is recorded with, and a formula.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad import _core, _tree
from tapegrad.symbolic.lazy_sympy import sympy
from tapegrad.symbolic.operations.arrays import Objects, objects

_UFUNC_NAMES = (("x",), ("x1", "x2"))


class Arguments:
    """Arguments of `f`: numbers, arrays of numbers, SymPy symbols and expressions, arrays of these.

    `formulas` has the expression of each slot, `names` the slots of each argument by its name.
    """

    def __init__(self, label: str, f: Callable[..., Any], args: Any, variables: list[Any]) -> None:
        self.label = label
        self.f = f
        self.formulas: list[Any] = []
        self.values: list[float | None] = []
        self.names: dict[str, list[int]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._given = {str(v): v for v in variables if isinstance(v, sympy.Symbol)}
        if args is None:
            words = _parameters(label, f, variables)
            self._tree: Any = tuple(self._symbol(word) for word in words)
        else:
            given = args if isinstance(args, tuple) else (args,)
            self._tree = tuple(given)
            words = _words(f, len(given))
        self._slots: list[Callable[[Any], Any]] = []
        for word, tree in zip(words, self._tree, strict=True):
            for path, leaf in _leaves(tree, word):
                self._slots.append(self._enter(path, leaf))
        if not self.formulas:
            raise TypeError(
                f"{label}: no argument is a float, an array of floats or a SymPy symbol; write 2.0 "
                "where you wrote 2"
            )
        self._check_names()

    def call(self, v: Any) -> Any:
        """The function with the numbers of the vector `v` in its arguments."""
        parts = (slot(v) for slot in self._slots)
        return self.f(*(_fill(tree, parts) for tree in self._tree))

    def inputs(self) -> list[Objects]:
        """What the vector is as expressions."""
        return [objects(self.formulas, (len(self.formulas),))]

    def slots(self, variable: Any) -> list[int]:
        """The slots of a variable: of the symbol, or of all elements of the array, by its name."""
        name = str(variable)
        if name in self.names:
            return self.names[name]
        found = [k for k, formula in enumerate(self.formulas) if str(formula) == name]
        if found:
            return found
        for formula in self.formulas:
            if any(str(s) == name for s in formula.free_symbols):
                raise ValueError(
                    f"{self.label}: the argument is {formula}, and derivatives are by symbols that "
                    "are arguments; give a symbol and substitute in the result with .subs"
                )
        symbols = sorted({str(s) for formula in self.formulas for s in formula.free_symbols})
        known = [*dict.fromkeys([*(n for n in self.names if n not in symbols), *symbols])]
        raise ValueError(
            f"{self.label}: {name} is no variable of the function; there are {', '.join(known)}"
        )

    def groups(self, variable: Any) -> list[list[int]]:
        """The slots to be moved together for each derivative that the variable asks for."""
        slots = self.slots(variable)
        symbols = [self.formulas[k] for k in slots]
        return [
            [j for j, formula in enumerate(self.formulas) if formula == symbol]
            for symbol in (symbols if self.shape(variable) is not None else symbols[:1])
        ]

    def shape(self, variable: Any) -> tuple[int, ...] | None:
        """The shape of the argument of this name; None for a symbol."""
        return self.shapes.get(str(variable))

    def _enter(self, path: str, leaf: Any) -> Callable[[Any], Any]:
        """Gives slots to a leaf, and what makes it of the vector again."""
        leaf = _core.value(leaf) if _core.is_variable(leaf) else leaf
        word = re.sub(r"\W+", "_", path).strip("_")
        if isinstance(leaf, sympy.Basic) and not isinstance(leaf, sympy.NDimArray):
            k = self._add(leaf, None)
            return lambda v: v[k]
        if type(leaf) is float or isinstance(leaf, np.floating):
            k = self._add(self._symbol(word), float(leaf))
            self.names[word] = [k]
            return lambda v: v[k]
        if _is_formulas(leaf):
            array = np.array(leaf.tolist() if hasattr(leaf, "tolist") else leaf, dtype=object)
            return self._enter_array(word, array, [None] * array.size)
        if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f":
            return self._enter_array(word, self._elements(word, leaf.shape), leaf.ravel().tolist())
        return lambda v: leaf

    def _enter_array(self, word: str, array: Objects, values: list[Any]) -> Callable[[Any], Any]:
        first = len(self.formulas)
        for formula, value in zip(array.ravel(), values, strict=True):
            self._add(sympy.sympify(formula), value)
        end = len(self.formulas)
        self.names[word] = list(range(first, end))
        self.shapes[word] = shape = array.shape
        if len(shape) == 1:
            return lambda v: v[first:end]
        return lambda v: v[first:end].reshape(shape)

    def _add(self, formula: Any, value: float | None) -> int:
        self.formulas.append(formula)
        self.values.append(value)
        return len(self.formulas) - 1

    def _symbol(self, name: str) -> Any:
        return self._given.get(name, sympy.Symbol(name))

    def _elements(self, word: str, shape: tuple[int, ...]) -> Objects:
        """x0, x1 for the elements of a vector x, x0_1 for those of a matrix."""
        found = np.empty(shape, dtype=object)
        for place in np.ndindex(shape):
            found[place] = self._symbol(word + "_".join(map(str, place)))
        return found

    def _check_names(self) -> None:
        """Two numbers that are given by value must not meet in one symbol."""
        made: dict[Any, int] = {}
        for k, (formula, value) in enumerate(zip(self.formulas, self.values, strict=True)):
            if value is None:
                continue
            if formula in made or any(formula == other for other in self.formulas[:k]):
                raise ValueError(
                    f"{self.label}: two arguments would be called {formula}; give SymPy symbols "
                    "instead of numbers to name them"
                )
            made[formula] = k


def _parameters(label: str, f: Callable[..., Any], variables: list[Any]) -> Sequence[str]:
    """The names of the scalars that `f` takes."""
    if isinstance(f, np.ufunc) and f.nin <= len(_UFUNC_NAMES):
        words = list(_UFUNC_NAMES[f.nin - 1])
    else:
        words = _positional(label, f)
    names = list(dict.fromkeys(map(str, variables)))
    if len(words) == 1 and len(names) == 1:
        return names  # whatever it is called in the function
    return words


def _positional(label: str, f: Callable[..., Any]) -> list[str]:
    remedy = f"say what it is called with: {label}(f, ..., args=(2.0, np.ones(3)))"
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        raise TypeError(f"{label}: the parameters of {f!r} are not known; {remedy}") from None
    words = []
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            raise TypeError(f"{label}: the function takes any number of arguments; {remedy}")
        if p.default is p.empty and p.kind is not p.VAR_KEYWORD:
            if p.kind is p.KEYWORD_ONLY:
                raise TypeError(
                    f"{label}: parameter {p.name} has to be given by name; wrap the function: "
                    f"lambda {p.name}: f({p.name}={p.name})"
                )
            words.append(p.name)
    if not words:
        raise TypeError(f"{label}: every parameter of the function has a default; {remedy}")
    return words


def _words(f: Callable[..., Any], n: int) -> list[str]:
    """The names of the first n parameters."""
    if isinstance(f, np.ufunc) and f.nin <= len(_UFUNC_NAMES):
        return list(_UFUNC_NAMES[f.nin - 1][:n])
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    words: list[str] = []
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            words += [f"{p.name}{k}" for k in range(n - len(words))]
        elif p.kind not in (p.KEYWORD_ONLY, p.VAR_KEYWORD):
            words.append(p.name)
    words = words[:n]
    return words + [f"argument{k}" for k in range(len(words), n)]


def _is_formulas(x: Any) -> bool:
    """Whether it is an array of SymPy's, or a list or NumPy array of its expressions."""
    if isinstance(x, (sympy.MatrixBase, sympy.NDimArray)):
        return True
    if isinstance(x, np.ndarray):
        return bool(x.dtype == object)
    if isinstance(x, (list, tuple)):
        return any(isinstance(item, sympy.Basic) or _is_formulas(item) for item in x)
    return False


def _leaves(tree: Any, word: str) -> list[tuple[str, Any]]:
    if _is_leaf(tree):
        return [(word, tree)]
    return [(path, x) for path, x in _tree.leaves(tree, word)]


def _is_leaf(tree: Any) -> bool:
    return isinstance(tree, sympy.Basic) or _is_formulas(tree)


def _fill(tree: Any, parts: Any) -> Any:
    return next(parts) if _is_leaf(tree) else _tree.fill(tree, parts)
