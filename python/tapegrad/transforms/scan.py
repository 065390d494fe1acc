"""scan: a loop whose step is recorded once."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any

import numpy as np

from tapegrad import _core, _tree
from tapegrad._core import Variable
from tapegrad._tree import Tree
from tapegrad.compile.call import INPUT_KINDS, Arguments
from tapegrad.compile.reads.side_effects import SideEffects
from tapegrad.compile.reads.snapshot import UnwatchableError, snapshot_of
from tapegrad.compile.recorder import RecordedCall
from tapegrad.transforms.bodies import UnrecordableError, body_of, record_operation
from tapegrad.transforms.trace import check_callable, name_of, pack, warn_user

MOST_CARRIED = 256 * 2**20  # bytes of carries that are kept for the reverse sweep


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    checkpoints: int | None = None,
) -> tuple[Any, Any]:
    """The loop `carry, y = f(carry, x)` over the elements of `xs`, with `init` as the first carry.

    Returns the last carry and the ys of all steps, stacked along a new first axis. `init`, `xs`
    and `y` may be any nesting of dict, list, tuple and dataclass; every array in `xs` counts the
    steps along its first axis (without `xs`, `length` does, and `f` gets None). With `reverse` the
    steps go from the last element to the first, and y of step t still stands at index t.

    What `f` gets is its own: writing to it changes neither `init` nor `xs`.

    `f` runs twice, for the first two steps, is recorded, and the other steps replay the record.
    A step that does not always do the same (it branches on values, draws random numbers, counts)
    makes scan a plain Python loop, with a warning that says why.

    Reverse sweeps need the carry of every step. `checkpoints=k` keeps at most k of them and
    computes the others again, by the schedule that needs the fewest steps (Griewank and Walther
    2000). By default all are kept up to 256 MiB, beyond that as many as fit.

    Raises:
        TypeError: A carry has another structure, shape or dtype than `init`.
        ValueError: The lengths in `xs` differ, or there is none.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> def step(speed, force):
    ...     speed = 0.5 * speed + force
    ...     return speed, speed**2
    >>> tg.scan(step, 0.0, np.array([1.0, 0.0, 2.0]))
    (2.25, array([1.    , 0.25  , 5.0625]))
    >>> tg.grad(lambda v: tg.scan(step, v, np.ones(4))[0])(0.0)
    0.0625
    """
    check_callable("scan", f, "tg.scan(f, init, xs)")
    label = f"scan({name_of(f)})"
    loop = _Loop(label, f, pack(init), pack(xs), length, reverse)
    if checkpoints is not None and (
        isinstance(checkpoints, bool) or not isinstance(checkpoints, int) or checkpoints < 1
    ):
        raise ValueError(f"{label}: checkpoints={checkpoints!r}; give an integer from 1 on")
    if loop.length == 0:
        return loop.no_step()
    return loop.run(checkpoints)


class _Loop:
    def __init__(
        self,
        label: str,
        f: Callable[[Any, Any], Any],
        init: Tree,
        xs: Tree,
        length: int | None,
        reverse: bool,
    ) -> None:
        self.label = label
        self.f = f
        self.init = init
        self.xs = xs
        self.reverse = bool(reverse)
        self.carries = [_strong(x) for _, x in self._checked(init, "init")]
        self.stacked = [_array(x) for _, x in self._checked(xs, "xs")]
        self.length = self._length(length)

    def _checked(self, tree: Tree, path: str) -> list[tuple[str, Any]]:
        found = _tree.leaves(tree, path)
        for where, x in found:
            if not _is_numeric(x):
                raise TypeError(
                    f"{self.label}: {where} is {_tree.describe(x)}; pass numbers and arrays "
                    "(float64, float32, integers, bools), in dicts, lists, tuples or dataclasses"
                )
        return found

    def _length(self, length: int | None) -> int:
        try:
            known = None if length is None else index(length)
        except TypeError:
            raise TypeError(
                f"{self.label}: length counts steps, and {length!r} is no integer"
            ) from None
        first = "length"
        for (path, _), x in zip(_tree.leaves(self.xs, "xs"), self.stacked, strict=True):
            if not x.ndim:
                raise ValueError(
                    f"{self.label}: {path} is a single number; its first axis counts the steps"
                )
            n = x.shape[0]
            if known is None:
                known, first = n, path
            elif n != known:
                raise ValueError(
                    f"{self.label}: {path} has {n} elements along its first axis, and {first} "
                    f"says {known}"
                )
        if known is None:
            raise ValueError(f"{self.label}: without xs, say how many steps: length=n")
        if known < 0:
            raise ValueError(f"{self.label}: length={known} is negative")
        return known

    # One step.

    def _step(self, carry: Tree, x: Tree) -> tuple[list[Any], Tree]:
        """What `f` returns: the leaves of the next carry in the order of `init`, and y."""
        out = self.f(carry, x)
        if not isinstance(out, (tuple, list)) or len(out) != 2:
            raise TypeError(
                f"{self.label}: the function returned {_tree.describe(out)}; return a pair "
                "(carry, y), y=None where there is nothing to stack"
            )
        after, y = (pack(part) for part in out)
        path = "the returned carry"
        matched = _tree.match(self.init, after, path, "init")
        for (where, now), before in zip(matched, self.carries, strict=True):
            if not _is_numeric(now) or _type_of(now) != _type_of(before):
                raise TypeError(
                    f"{self.label}: {path}{where.removeprefix(path)} is {_tree.describe(now)}, and "
                    f"init has {_tree.describe(before)} there; a carry keeps its shape and dtype"
                )
        self._checked(y, "y")
        return [x for _, x in matched], y

    def _record(self, carries: list[Any], rows: list[Any]) -> RecordedCall:
        leaves = [*carries, *rows]
        arguments = Arguments(((self.init, self.xs), {}), leaves, range(len(leaves)))
        return record_operation(self.label, self._step, arguments, _any_leaf, may_write=True)

    def _rows(self, step: int) -> list[Any]:
        t = self.length - 1 - step if self.reverse else step
        return [_strong(x[t]) for x in self.stacked]

    # The whole loop.

    def no_step(self) -> tuple[Any, Any]:
        rows = [np.zeros(x.shape[1:], x.dtype)[()] for x in self.stacked]
        done = self._record(self.carries, rows)
        leaves = [
            np.zeros((0, *np.shape(x)), np.asarray(x).dtype)
            for x in _contents(done)[len(self.carries) :]
        ]
        _, y = done.template
        return self.init, _tree.fill(y, iter(leaves))

    def run(self, checkpoints: int | None) -> tuple[Any, Any]:
        if _core.watching():  # for bad numbers, which nobody sees in a replay
            return self._plainly("", [])
        try:
            effects = SideEffects(snapshot_of(self.f, name_of(self.f)))
        except UnwatchableError as error:
            return self._plainly(str(error), [])
        calls: list[RecordedCall] = []
        steps: list[tuple[list[Any], Tree]] = []
        carries = self.carries
        for step in range(min(2, self.length)):
            rows = self._rows(step)
            try:
                call = self._record(carries, rows)
            except UnrecordableError:
                raise
            except Exception as error:  # the plain loop raises what plain Python raises
                return self._plainly(f"it can't be recorded: {error}", steps)
            calls.append(call)
            body = body_of(self.f, call.recording)
            outputs = _core.call(body, call.recording, [*carries, *rows], call.values)
            steps.append(call.result(outputs))
            carries = [
                _like(x, before) for x, before in zip(steps[-1][0], self.carries, strict=True)
            ]
            if call.recording.guards:
                where = next((x for x in call.recording.guards if x), "an unknown line")
                return self._plainly(
                    f"its path depends on what it reads of its values at {where}; write the "
                    "choice with np.where, and a plain t[k] as tg.Variable(t)[k]",
                    steps,
                )
            difference = effects.found()
            if difference:
                return self._plainly(difference, steps)
        if len(calls) == 2 and not calls[1].agrees(calls[0]):
            return self._plainly(
                "its first two steps do different things (a random draw, a number that it "
                "counts); pass what changes from step to step in xs",
                steps,
            )
        return self._scan(calls[0], checkpoints)

    def _scan(self, done: RecordedCall, checkpoints: int | None) -> tuple[Any, Any]:
        kept = 0 if self.length == 1 else checkpoints or self._affordable()
        outputs = _core.scan(
            body_of(self.f, done.recording),
            done.recording,
            [*self.carries, *self.stacked],
            self.length,
            len(self.carries),
            len(self.stacked),
            self.reverse,
            kept,
        )
        n = len(self.carries)
        _, y = done.template
        return _tree.fill(self.init, iter(outputs[:n])), _tree.fill(y, iter(outputs[n:]))

    def _affordable(self) -> int:
        """How many carries are kept; 0 for all of them."""
        each = sum(_bytes_of(x) for x in self.carries)
        return 0 if each * self.length <= MOST_CARRIED else max(1, MOST_CARRIED // each)

    def _plainly(self, reason: str, steps: list[tuple[list[Any], Tree]]) -> tuple[Any, Any]:
        """The plain loop; the steps that are done already are not done again."""
        carries = steps[-1][0] if steps else [x for _, x in _tree.leaves(self.init)]
        ys = [y for _, y in steps]
        for step in range(len(steps), self.length):
            # The step may write to what it gets: that is nobody else's.
            carry = _tree.fill(self.init, map(_own, carries))
            carries, y = self._step(carry, _tree.fill(self.xs, map(_own, self._rows(step))))
            ys.append(_tree.fill(y, iter([_own(x) for _, x in _tree.leaves(y)])))
        if reason:
            warn_user(f"{self.label}: runs as a plain Python loop: {reason}")
        return self._result(carries, ys)

    def _result(self, carries: list[Any], ys: list[Tree]) -> tuple[Any, Any]:
        if self.reverse:
            ys = ys[::-1]
        parts = [[x for _, x in _tree.leaves(y)] for y in ys]
        for part in parts:
            if len(part) != len(parts[0]):
                raise TypeError(f"{self.label}: y is not built alike in every step")
        stacked = [_stack(list(column)) for column in zip(*parts, strict=True)]
        return _tree.fill(self.init, iter(carries)), _tree.fill(ys[0], iter(stacked))


def _any_leaf(path: str, x: Any) -> bool:
    return True


def _contents(call: RecordedCall) -> list[Any]:
    values: Any = call.values
    return [values[k] for k in range(len(values))]


def _is_numeric(x: Any) -> bool:
    if isinstance(x, (np.ndarray, np.generic)):
        return x.dtype.char in INPUT_KINDS and x.dtype.isnative
    return isinstance(x, (Variable, bool, int, float))


def _strong(x: Any) -> Any:
    """A number where it has no axes; Python's integers and flags as NumPy's, of their own dtype."""
    if isinstance(x, Variable):
        return _core.to_number(x)
    return np.asarray(x)[()] if isinstance(x, (bool, int)) or _tree.is_array(x) else x


def _array(x: Any) -> Any:
    return x if isinstance(x, Variable) else np.asarray(x)


def _type_of(x: Any) -> tuple[tuple[int, ...], Any]:
    x = _array(x)
    return tuple(x.shape), x.dtype


def _own(x: Any) -> Any:
    if isinstance(x, Variable):
        return x.__copy__()
    return x.copy() if isinstance(x, np.ndarray) else x


def _like(x: Any, before: Any) -> Any:
    """A carry that came back as a Python number, in the dtype of the one before."""
    x = _strong(x)
    kept = isinstance(x, Variable) or issubclass(type(before), float) or np.ndim(x)
    return x if kept else _type_of(before)[1].type(x)


def _bytes_of(x: Any) -> int:
    shape, dtype = _type_of(x)
    return int(np.prod(shape, dtype=np.int64)) * int(np.dtype(dtype).itemsize)


def _stack(column: list[Any]) -> Any:
    if any(isinstance(x, Variable) for x in column):
        return _core.apply("stack", tuple(column), (0,))
    return np.stack(column)
