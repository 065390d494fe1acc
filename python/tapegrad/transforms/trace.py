"""Running a function in a differentiation scope: what every transform shares."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from tapegrad import _core, _tree
from tapegrad._core import Scope, Variable
from tapegrad._tree import Leaf, Tree
from tapegrad.transforms.blanks import call
from tapegrad.transforms.type_tests import may_have_type_tests, new_type_tests

Argnum: TypeAlias = int | Sequence[int]

_READY = frozenset({float, Variable})  # leaves that a scope takes without more ado


class Trace:
    """One call of `f` in `scope`: its differentiated arguments and its result.

    `variables` are the scope's identity nodes, in the order of the leaves of `chosen`, the
    differentiated arguments as the caller gave them. With `has_aux` the result is a pair, of which
    `aux` is not differentiated.
    """

    __slots__ = ("aux", "chosen", "is_complex", "label", "out", "scope", "variables")

    def __init__(
        self,
        label: str,
        scope: Scope,
        f: Callable[..., Any],
        args: Sequence[Any],
        kwargs: dict[str, Any],
        argnums: Sequence[int],
        has_aux: bool = False,
    ) -> None:
        self.label = label
        self.scope = scope
        self.variables: list[Variable] = []
        self.is_complex = False  # whether an argument is, or holds, a complex number
        given = list(args)
        self.chosen = [given[i] for i in argnums]
        for i in argnums:
            given[i] = self._enter(given[i], i)
        if not self.variables and argnums and all(tree is None for tree in self.chosen):
            raise TypeError(
                f"{label}: argument {argnums[0]} is None; pass a number, an array or a nesting of "
                "dicts, lists and tuples of them"
            )
        out = call(f, tuple(given), kwargs)
        self.aux: Any = None
        if has_aux:
            if not isinstance(out, (tuple, list)) or len(out) != 2:
                raise TypeError(
                    f"{label}: with has_aux=True the function returns the pair (value, aux), and "
                    f"it returned {_tree.describe(out)}"
                )
            out, self.aux = out
        self.out = pack(out)

    @classmethod
    def of_call(cls, label: str, scope: Scope, chosen: Leaf, variable: Variable, out: Any) -> Trace:
        """What a call was, in which the core entered the only argument."""
        trace = cls.__new__(cls)
        trace.label, trace.scope, trace.chosen, trace.variables = label, scope, [chosen], [variable]
        trace.is_complex, trace.aux, trace.out = False, None, pack(out)
        return trace

    def _enter(self, tree: Tree, index: int) -> Tree:
        if type(tree) in _READY or (type(tree) is np.ndarray and tree.dtype.char in "fd"):
            v = self.scope.argument(tree)
            self.variables.append(v)
            return v.__copy__()
        self.is_complex = self.is_complex or _tree.has_complex(tree)
        found = _tree.leaves(tree, f"argument {index}")
        entered = [self.scope.argument(check_leaf(self.label, x, path)) for path, x in found]
        self.variables += entered
        # `f` gets handles of its own: writing to them must not move what we differentiate by.
        return _tree.fill(tree, iter([v.__copy__() for v in entered]))

    def result(self, tree: Tree) -> Tree:
        """`tree` with every leaf as it may leave the scope."""
        if type(tree) is Variable:
            return self.scope.result(tree)
        found = [
            self.scope.result(x) if isinstance(x, Variable) else x for _, x in _tree.leaves(tree)
        ]
        return _tree.fill(tree, iter(found))

    def aux_result(self) -> Any:
        """What the function returned besides, as it may leave the scope: anything at all."""
        return map_variables(self.scope.result, self.aux)

    def gradients(self, values: Sequence[Leaf]) -> list[Tree]:
        """The same of derivatives: of a complex argument x + iy it is df/dx - i df/dy."""
        found = self.like_arguments(values)
        return [_tree.map_complex(conjugated, tree) for tree in found] if self.is_complex else found

    def like_arguments(self, values: Sequence[Leaf]) -> list[Tree]:
        """One tree for each differentiated argument, filled from `values` in order."""
        if len(values) == 1 and len(self.chosen) == 1 and _tree.is_leaf(self.chosen[0]):
            return list(values)
        items = iter(values)
        return [_tree.fill(tree, items) for tree in self.chosen]


def conjugated(z: Any) -> Any:
    """X - iy of x + iy, where a zero stays 0.0: between a pair of derivatives and a gradient."""
    return _tree.complex_of(z.real, 0.0 - z.imag)


def name_of(f: object) -> str:
    """How messages call `f`."""
    name = getattr(f, "__qualname__", None) or getattr(f, "__name__", None)
    return str(name or type(f).__name__).rpartition("<locals>.")[2]


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """A warning at the user's line: the innermost outside this package."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("tapegrad."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def through_compile(f: Any, transform: Callable[..., Any], settings: dict[str, Any]) -> Any:
    """The compiled `transform` of the function in a compiled `f`; None for any other `f`."""
    transformed = getattr(type(f), "transformed", None)
    return None if transformed is None else transformed(f, partial(transform, **settings))


def check_callable(transform: str, f: object, example: str) -> None:
    """Raises TypeError unless `f` can be called."""
    if not callable(f):
        raise TypeError(f"{transform}: {_tree.describe(f)} is not a function; call {example}")
    warn_of_type_tests(transform, f)


def warn_of_type_tests(transform: str, f: object) -> None:
    """Warns where code asks for a type that no Variable can have, which would decide silently."""
    if not may_have_type_tests(f):
        return
    for where in new_type_tests(f):
        warn_user(
            f"{transform}({name_of(f)}): {where}, which a Variable that stands for the number or "
            "array is not; write isinstance(x, float) or isinstance(x, np.ndarray), which hold for "
            "Variables too"
        )


def one_argnum(transform: str, argnum: Argnum | None, argnums: Argnum | None) -> Argnum:
    """The positions, by whichever name the caller knows them."""
    if argnums is None:
        return 0 if argnum is None else argnum
    if argnum is not None:
        raise TypeError(
            f"{transform}: argnum={argnum!r} and argnums={argnums!r} are two names of one thing; "
            "give one of them"
        )
    return argnums


# The positions that tuples mean, in calls with so many arguments: a gradient is called often.
_of_tuples: dict[tuple[tuple[int, ...], int], list[int]] = {}
_MOST_TUPLES = 1000


def positions(label: str, argnum: Argnum, args: Sequence[object]) -> tuple[list[int], bool]:
    """The differentiated positions, and whether a single one was named."""
    if type(argnum) is int and 0 <= argnum < len(args):
        return [argnum], True
    if type(argnum) is tuple and (known := _of_tuples.get((argnum, len(args)))):
        return known, False
    single = isinstance(argnum, (int, np.integer))
    given: Any = argnum
    if not single and (isinstance(given, (str, dict, set)) or not np.iterable(given)):
        raise TypeError(
            f"{label}: argnum is {_tree.describe(given)}; give the position of an argument, as in "
            "argnum=0, or several, argnum=(0, 1)"
        )
    wanted: list[int] = [int(argnum)] if single else [int(i) for i in argnum]  # type: ignore  # mypy misses that single excludes int
    if not wanted:
        raise ValueError(f"{label}: argnum={argnum!r} names no argument; give a position, argnum=0")
    found = []
    for i in wanted:
        if not -len(args) <= i < len(args):
            raise TypeError(
                f"{label}: the derivative is with respect to argument {i}, and the call has "
                f"{len(args)} positional; pass it by position, or choose another with argnum="
            )
        found.append(i % len(args))
    if len(set(found)) != len(found):
        raise ValueError(f"{label}: argnum={argnum!r} names an argument twice")
    if type(argnum) is tuple and len(_of_tuples) < _MOST_TUPLES:
        _of_tuples[argnum, len(args)] = found
    return found, single


def check_leaf(label: str, x: Leaf, path: str) -> Leaf:
    """`x` as a scope takes it: a float, a float array or a Variable; raises TypeError else."""
    if isinstance(x, (float, Variable)):
        return x
    if isinstance(x, np.ndarray):
        if type(x) is not np.ndarray and not isinstance(x, np.memmap):
            raise TypeError(
                f"{label}: {path} is a {type(x).__name__}, whose behaviour is not NumPy's plain "
                f"one; pass np.asarray of it"
            )
        if x.dtype == object:
            packed = pack(x)
            if isinstance(packed, Variable):
                return packed
        elif x.dtype.char in "fd":
            return x
        remedy = "pass it as floats (x.astype(float)) or leave it out of argnum"
        if x.dtype.kind in "OUS":
            remedy = "pass an array of floats, or leave it out of argnum"
        raise TypeError(
            f"{label}: {path} is {_tree.describe(x)}, and derivatives need float64 or float32; "
            + remedy
        )
    if isinstance(x, (bool, np.bool_)):
        raise TypeError(
            f"{label}: {path} is the bool {x}; a flag has no derivative: leave it out of the "
            "differentiated arguments (argnum=, a closure or a keyword)"
        )
    if isinstance(x, (int, np.integer)):
        return float(x)
    if isinstance(x, np.float32):
        return x
    if isinstance(x, np.floating):
        raise TypeError(
            f"{label}: {path} is {_tree.describe(x)}, and derivatives need float64 or float32; "
            "pass float(x)"
        )
    raise TypeError(
        f"{label}: {path} is {_tree.describe(x)}, which has no derivative; pass floats and float "
        "arrays (in dicts, lists, tuples or dataclasses), and other things by argnum=, a closure "
        "or a keyword"
    )


_is_blank, _value = _core.is_blank, _core.value


def pack(tree: Tree) -> Tree:
    """`tree` with object arrays that hold Variables made into recorded arrays, and blanks plain."""
    kind = type(tree)
    if kind is Variable:
        return np.array(_value(tree)) if _is_blank(tree) else tree
    if kind is float or isinstance(tree, float):
        return tree
    if isinstance(tree, np.ndarray):
        return pack_array(tree) if tree.dtype == object else tree
    parts = None if tree is None else _tree.children(tree)
    if not parts:
        return tree
    packed = [pack(part) for _, part in parts]
    if all(new is old for new, (_, old) in zip(packed, parts, strict=True)):
        return tree
    return _tree.rebuild(tree, packed)


def pack_array(array: np.ndarray[Any, Any]) -> Any:
    """An object array with Variables in it as one recorded array; any other array as it is."""
    items = array.ravel().tolist()
    if any(map(_tree.is_complex, items)) and any(_tree.is_variable(item) for item in items):
        return np.stack([pack(item) for item in items]).reshape(array.shape)
    if not any(isinstance(item, Variable) for item in items):
        return array
    stacked = _core.apply("stack", tuple(pack(item) for item in items), (0,))
    shape = array.shape + _core.free_shape(stacked)[1:]
    found = _core.apply("reshape", (stacked,), (shape,))
    if array.ndim < 2 or array.flags.c_contiguous or len(shape) != array.ndim:
        return found
    from tapegrad.numpy.layout import lying_as

    return lying_as(found, array)


def zeros_for(x: Leaf) -> Leaf:
    """A plain zero of the shape and dtype of a checked leaf."""
    if isinstance(x, np.ndarray) or (isinstance(x, Variable) and x.ndim):
        return np.zeros(x.shape, x.dtype)
    return 0.0


def value(x: Tree) -> Tree:
    """The plain value of a Variable, or of every one inside a nesting of containers.

    What is computed from it is constant for every derivative. Anything else passes unchanged.

    >>> import tapegrad as tg
    >>> tg.value(tg.Variable(2.0) * 3)
    6.0
    >>> tg.value({"w": tg.Variable([1.0, 2.0]), "name": "line"})
    {'w': array([1., 2.]), 'name': 'line'}
    """
    return map_variables(_core.value, x)


def stop_gradient(x: Tree) -> Tree:
    """The same value, held constant: no derivative flows through it.

    Takes a Variable, or any nesting of containers with Variables inside.

    >>> import tapegrad as tg
    >>> tg.grad(lambda x: x * tg.stop_gradient(x))(3.0)
    3.0
    """
    return map_variables(_core.stop_gradient, x)


def map_variables(f: Callable[[Any], Any], x: Tree) -> Tree:
    """`x` with `f` of each Variable in it, whatever else there is."""
    if isinstance(x, Variable):
        return f(x)
    x = pack(x)
    if isinstance(x, Variable):
        return f(x)
    parts = None if x is None else _tree.children(x)
    if not parts:
        return x
    return _tree.rebuild(x, [map_variables(f, part) for _, part in parts])
