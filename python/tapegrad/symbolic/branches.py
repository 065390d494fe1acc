"""A function recorded along each path that plain `if` can take, as one formula.

The paths are found by recording at many points: a recording has a guard for each choice that plain
code made. They are complete where both outcomes of every choice were met, or one cannot be.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad.inspect.graph import RecordedGraph, record
from tapegrad.symbolic.arguments import Arguments
from tapegrad.symbolic.lazy_sympy import sympy
from tapegrad.symbolic.numbers import number, numbers
from tapegrad.symbolic.operations.elementwise import as_number, as_truth, is_truth
from tapegrad.symbolic.reading import read

_POINTS, _FEW_PATHS, _MOST_PATHS = 300, 8, 64  # few: as many as it is worth solving for more
_MOST_LINES = 200_000  # that run at one point


@dataclass
class _Choice:
    """What a recording does next: a choice with what follows, or the result."""

    condition: Any = None
    line: str = ""
    follow: dict[bool, _Choice] = field(default_factory=dict)
    result: Any = None
    leaves: list[Any] | None = None


class _Search:
    """The paths that were met."""

    def __init__(self, label: str, arguments: Arguments, f: Callable[[Any], Any]) -> None:
        self.label, self.arguments, self.f = label, arguments, f
        self.root = _Choice()
        self.seen = self.paths = 0
        self.failure: Exception | None = None

    def visit(self, point: np.ndarray[Any, Any]) -> None:
        """Records at a point; points outside the domain of the function are left out."""
        try:
            with _few_lines(self.label, bool(self.seen)):
                graph = _recorded(self.f, point)
        except NotImplementedError:
            raise
        except Exception as error:
            if not self.seen and not isinstance(error, (ArithmeticError, ValueError)):
                raise
            self.failure = self.failure or error
            return
        self.seen += 1
        self.paths += _insert(self.label, self.root, graph, self.arguments)
        if self.paths > _MOST_PATHS:
            raise _too_many(self.label, self.root)

    def missing(self) -> list[tuple[Any, _Choice, bool]]:
        """The outcomes of choices that were not met and are not known to be impossible."""
        return [m for m in _missing(self.root, []) if not _is_impossible(m[0])]


def formula_of(label: str, arguments: Arguments, f: Callable[[Any], Any]) -> Any:
    """What `f` of the vector of the arguments gives: its result with expressions as leaves."""
    search = _Search(label, arguments, f)
    for point in _points(arguments):
        search.visit(point)
        if search.seen > 1 and not any(_missing(search.root, [])):
            break
    if not search.seen and search.failure is not None:
        raise search.failure
    while missing := search.missing():
        met = search.paths
        if met <= _FEW_PATHS:
            for condition, _, _ in missing:
                for point in _points_where(arguments, condition):
                    search.visit(point)
        if search.paths == met:
            raise _not_reached(search, *missing[0][1:])
    template, columns = _collected(search.root)
    parts = iter([_pieces(column) for column in columns])
    return _tree.fill(template, parts)


def _recorded(f: Callable[[Any], Any], point: np.ndarray[Any, Any]) -> RecordedGraph:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return record(f, point)


@contextmanager
def _few_lines(label: str, limited: bool) -> Iterator[None]:
    """Ends a recording that goes on and on: a loop may not end at a point that nobody gave."""
    if not limited:
        yield
        return
    left = _MOST_LINES
    before = sys.gettrace()

    def count(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        left -= event == "line"
        if left < 0:
            where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
            raise NotImplementedError(
                f"{label}: line {where} was still at work after {_MOST_LINES} lines at another "
                "point than the first, as a loop is whose length depends on the arguments; give "
                "it a fixed length"
            )
        return count

    sys.settrace(count)
    try:
        yield
    finally:
        sys.settrace(before)


def _points(arguments: Arguments) -> Iterator[np.ndarray[Any, Any]]:
    """Points to record at: what was given, then numbers of all sizes, then special ones."""
    symbols = sorted(
        {s for formula in arguments.formulas for s in formula.free_symbols}, key=lambda s: s.name
    )
    rng = np.random.default_rng(20)
    given = dict(zip(arguments.formulas, arguments.values, strict=True))
    first = {s: given.get(s) for s in symbols}
    for k in range(_POINTS):
        chosen = {}
        for place, s in enumerate(symbols):
            known = first[s]
            if k == 0:
                x = known if known is not None else 0.3 + 0.4 * ((0.618 * (place + 1)) % 1.0)
            elif k == 1:
                x = known * 1.0625 if known is not None else 0.35 + 0.3 * rng.random()
            elif k % 3 == 0:
                x = float(rng.choice([-2.0, -1.0, 0.0, 1.0, 2.0]))
            else:
                x = float(rng.standard_normal() * 10.0 ** rng.integers(-2, 4))
            chosen[s] = _allowed(s, x)
        yield np.array([_value(formula, chosen) for formula in arguments.formulas])


def _points_where(arguments: Arguments, condition: Any) -> Iterator[np.ndarray[Any, Any]]:
    """Points at which the condition holds, found by solving it for one symbol after the other."""
    first = next(_points(arguments))
    at = {f: x for f, x in zip(arguments.formulas, first, strict=True) if f.is_Symbol}
    for s in sorted(condition.free_symbols, key=lambda s: s.name):
        others = {o: sympy.nsimplify(x, rational=True) for o, x in at.items() if o != s}
        real = sympy.Dummy(real=True)
        try:
            x = _element(condition.subs(others).subs(s, real).as_set())
        except (NotImplementedError, TypeError, ValueError, AttributeError):
            continue
        if x is not None:
            yield np.array([_value(f, at | {s: x}) for f in arguments.formulas])


def _element(numbers: Any) -> float | None:
    """One number of a set."""
    if isinstance(numbers, sympy.FiniteSet):
        return float(numbers.args[0])
    if isinstance(numbers, sympy.Union):
        found = (_element(part) for part in numbers.args)
        return next((x for x in found if x is not None), None)
    if not isinstance(numbers, sympy.Interval):
        return None
    low, high = numbers.start, numbers.end
    if low.is_finite and high.is_finite:
        return float((low + high) / 2)
    return float(low + 1) if low.is_finite else float(high - 1) if high.is_finite else 0.0


def _allowed(symbol: Any, x: float) -> float:
    """A number that the assumptions about the symbol allow."""
    if symbol.is_integer:
        x = float(round(x))
    if symbol.is_positive:
        return abs(x) or 1.0
    if symbol.is_negative:
        return -abs(x) or -1.0
    if symbol.is_nonnegative:
        return abs(x)
    return -abs(x) if symbol.is_nonpositive else x


def _value(formula: Any, chosen: dict[Any, float]) -> float:
    if formula in chosen:
        return chosen[formula]
    found = complex(formula.subs(chosen))
    return found.real if found.imag == 0 else float("nan")


def _insert(label: str, root: _Choice, graph: RecordedGraph, arguments: Arguments) -> int:
    """Adds the path of a recording; 1 if it is new."""
    outputs, asked = read(graph, arguments.inputs())
    at = root
    for guard, value in zip(graph.guards, asked, strict=True):
        condition = _condition(label, guard, value)
        if condition in (sympy.true, sympy.false):
            continue
        if at.leaves is not None or at.condition not in (None, condition):
            raise _unseen(label, guard.line)
        at.condition, at.line = condition, guard.line
        at = at.follow.setdefault(bool(guard.expected), _Choice())
    template = graph.result([np.empty(0)] * 0 if not outputs else [_blank(x) for x in outputs])
    leaves = _leaves_of(graph, outputs)
    if at.condition is not None:
        raise _unseen(label, at.line)
    if at.leaves is None:
        at.result, at.leaves = template, leaves
        return 1
    if not all(_agree(a, b) for a, b in zip(at.leaves, leaves, strict=True)):
        raise _unseen(label, "")
    return 0


def _blank(x: Any) -> Any:
    return np.asarray(x, dtype=object)


def _leaves_of(graph: RecordedGraph, outputs: list[Any]) -> list[Any]:
    """The leaves of the result as arrays of expressions."""
    filled = graph.result([_blank(x) for x in outputs])
    found = []
    for _, leaf in _tree.leaves(filled):
        if isinstance(leaf, np.ndarray) and leaf.dtype == object:
            found.append(leaf)
        elif isinstance(leaf, sympy.Basic):
            found.append(np.array(leaf, dtype=object))
        else:
            found.append(numbers(leaf) if np.asarray(leaf).dtype.kind in "fiub" else leaf)
    return found


def _condition(label: str, guard: Any, value: Any) -> Any:
    """The truth of which the guard's value is the outcome."""
    x = np.asarray(value)
    if x.dtype != object:
        return sympy.true
    if x.size == 1 and isinstance(guard.expected, (bool, np.bool_)):
        return as_truth(x.ravel()[0])
    if not any(getattr(e, "free_symbols", ()) for e in x.ravel()):
        return sympy.true
    if isinstance(guard.expected, (float, np.floating)):
        raise _unseen(label, guard.line)
    raise NotImplementedError(
        f"{label}: line {guard.line} makes a whole number of a value that depends on the "
        "arguments, so the function has a formula for each number; use np.floor, or np.where"
    )


def _agree(a: Any, b: Any) -> bool:
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        return bool(a == b)
    return a.shape == b.shape and bool(np.all(a == b))


def _missing(at: _Choice, path: list[Any]) -> Iterator[tuple[Any, _Choice, bool]]:
    """The outcomes of choices that no recording had, with the condition of the path to them."""
    if at.condition is None:
        return
    for outcome in (True, False):
        here = [*path, at.condition if outcome else sympy.Not(at.condition)]
        if outcome in at.follow:
            yield from _missing(at.follow[outcome], here)
        else:
            yield sympy.And(*here), at, outcome


def _is_impossible(condition: Any) -> bool:
    """Whether SymPy can show that no real numbers fulfil it."""
    symbols = condition.free_symbols
    condition = condition.xreplace({s: sympy.Dummy(real=True) for s in symbols if not s.is_real})
    if condition is sympy.false or sympy.simplify(condition) is sympy.false:
        return True
    if len(symbols) != 1:
        return False
    try:
        return bool(condition.as_set() is sympy.S.EmptySet)
    except NotImplementedError:
        return False


def _collected(root: _Choice) -> tuple[Any, list[list[tuple[Any, Any]]]]:
    """The structure of the result, and of each leaf its formulas with their conditions."""
    ends = list(_ends(root))
    _, first = ends[0]
    assert first.leaves is not None
    columns: list[list[tuple[Any, Any]]] = [[] for _ in first.leaves]
    paths = [path for path, _ in _tree.leaves(first.result)]
    for condition, end in ends:
        assert end.leaves is not None
        if [path for path, _ in _tree.leaves(end.result)] != paths:
            raise NotImplementedError(
                "tapegrad.symbolic: the branches of the function give results of different "
                "structure, and a formula has one; return the same dicts, lists and tuples"
            )
        for column, leaf in zip(columns, end.leaves, strict=True):
            column.append((leaf, condition))
    return first.result, columns


def _ends(at: _Choice) -> Iterator[tuple[Any, _Choice]]:
    """The ends of the paths, each with the condition that holds if none before does."""
    if at.condition is None:
        yield sympy.true, at
        return
    for outcome, condition in ((True, at.condition), (False, sympy.true)):
        if outcome in at.follow:
            alone = not at.follow.get(not outcome)
            for inner, end in _ends(at.follow[outcome]):
                yield (inner if alone else sympy.And(condition, inner)), end


def _pieces(column: list[tuple[Any, Any]]) -> Any:
    """One leaf of the result: an expression, or SymPy's array of them."""
    leaves = [leaf for leaf, _ in column]
    if not all(isinstance(leaf, np.ndarray) for leaf in leaves):
        if any(isinstance(leaf, np.ndarray) or leaf != leaves[0] for leaf in leaves):
            raise NotImplementedError(
                f"tapegrad.symbolic: the branches of the function return {leaves}, of which there "
                "is no formula; return numbers"
            )
        return leaves[0]
    shape = leaves[0].shape
    if any(leaf.shape != shape for leaf in leaves):
        raise NotImplementedError(
            "tapegrad.symbolic: the branches of the function give results of the shapes "
            f"{', '.join(str(leaf.shape) for leaf in leaves)}, and a formula has one"
        )
    found = np.empty(shape, dtype=object)
    for place in np.ndindex(shape):
        parts = [(leaf[place], condition) for leaf, condition in column]
        if len(parts) == 1:
            found[place] = parts[0][0]
        else:
            found[place] = sympy.Piecewise(*((_plain(x), c) for x, c in parts))
    return found


def _plain(x: Any) -> Any:
    return as_number(x) if is_truth(x) else x if isinstance(x, sympy.Basic) else number(x)


def _unseen(label: str, line: str) -> Exception:
    where = f" (line {line})" if line else ""
    return NotImplementedError(
        f"{label}: the function does something else at other points, although no operation says "
        f"so{where}: it reads a value with tg.value, float or int, or draws at random; compute "
        "with the arguments themselves, round with np.floor, and choose with np.where"
    )


def _too_many(label: str, root: _Choice) -> Exception:
    return NotImplementedError(
        f"{label}: line {root.line} and what follows choose among more than {_MOST_PATHS} paths, "
        "as a loop does whose length depends on the arguments; give it a fixed length"
    )


def _not_reached(search: _Search, choice: _Choice, outcome: bool) -> Exception:
    error = search.failure
    why = f"; at others it raised {type(error).__name__}: {error}" if error else ""
    return NotImplementedError(
        f"{search.label}: line {choice.line} asks whether {choice.condition}, and of {search.seen} "
        f"points none made it {outcome} on this path{why}; write np.where(condition, a, b), and "
        "give loops a fixed length"
    )
