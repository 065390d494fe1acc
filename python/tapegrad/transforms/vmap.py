"""vmap: a function of one lane, applied to many at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad import _core, _tree
from tapegrad._core import Tracer, Variable
from tapegrad._tree import Tree
from tapegrad.compile.call import INPUT_KINDS, Arguments
from tapegrad.compile.reads.side_effects import SideEffects
from tapegrad.compile.reads.snapshot import Snapshot, UnwatchableError, snapshot_of
from tapegrad.compile.recorder import RecordedCall, record_call
from tapegrad.transforms.trace import check_callable, name_of, pack, warn_user
from tapegrad.transforms.transformed import Transformed

_MOST_READ = 1 << 20  # bytes of an array that is looked at though nothing seems to write to it


def vmap(f: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """`f`, written for one lane, as a function of many.

    `in_axes` says which axis of the arguments counts the lanes: an integer for all of them, or a
    tuple with an entry for each argument, where None stands for an argument that is the same for
    every lane, and a nesting built like the argument gives each leaf its own. `out_axes` says the
    same of the result. `f` is recorded once, for one lane, and its operations are then applied to
    all lanes together; transforms compose with it in either order. Where `f` changes what it reads
    from outside, or draws random numbers, it is called for each lane, with a warning.

    Raises:
        ValueError: The axes have different lengths, an axis is out of range, or lanes take
            different branches of an `if` (write it with `np.where`).
        RuntimeError: `f` writes to a Variable that was made outside.
        TypeError: `f` writes to an argument that is the same for every lane.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> dots = tg.vmap(lambda a, b: np.sum(a * b))
    >>> dots(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0], [0.0, 2.0]]))
    array([3., 8.])
    >>> tg.vmap(tg.grad(lambda x: x**3))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    check_callable("vmap", f, "tg.vmap(f)(x)")
    label = f"vmap({name_of(f)})"
    kept = _Kept()

    def over_lanes(*args: Any, **kwargs: Any) -> Any:
        lanes = _Lanes(label)
        chosen = list(in_axes) if isinstance(in_axes, (tuple, list)) else [in_axes] * len(args)
        if len(chosen) != len(args):
            raise ValueError(
                f"{label}: in_axes has {len(chosen)} entries and the call {len(args)} positional "
                "arguments; give one for each (keyword arguments count lanes along axis 0)"
            )
        arguments = lanes.take(args, chosen, kwargs)
        if _core.watching() and lanes.n:  # for bad numbers, which nobody sees in a replay
            return lanes.one_by_one(f, arguments, out_axes)
        try:
            effects = lanes.effects_of(f, arguments, kept) if lanes.n > 1 else None
        except UnwatchableError as error:
            return lanes.one_by_one(f, arguments, out_axes, reason=str(error))
        done = _recorded(f, arguments, lanes)
        if effects is not None and (reason := effects.found(lanes.are_plain(arguments, effects))):
            return lanes.one_by_one(f, arguments, out_axes, done, reason)
        results = _replayed(done, f, arguments, lanes)
        axes = _axes_of(done.template, out_axes, label)
        found = _tree.leaves(done.template, "the result")
        placed = [
            _place(label, path, y, has, axis, lanes.n)
            for (path, _), (y, has), axis in zip(found, results, axes, strict=True)
        ]
        return done.result(placed)

    return Transformed(vmap, f, {"in_axes": in_axes, "out_axes": out_axes}, over_lanes)


def _recorded(f: Any, arguments: Arguments, lanes: _Lanes) -> RecordedCall:
    """`f` as recorded for the first lane."""
    counts = iter(lanes.counts)  # record_call enters the inputs in order

    def enter(tracer: Tracer, x: Any) -> Variable:
        return tracer.lane_argument(x) if next(counts) else tracer.argument(x)

    done = record_call(f, arguments, enter, lanes.is_result)
    if done.refusal:
        raise RuntimeError(
            f"{lanes.label}: {done.refusal}, which can't be done for every lane; write to a copy, "
            "v.copy(), or return the new value instead"
        )
    if not all(lanes.counts[k] for k in done.written):
        raise TypeError(
            f"{lanes.label}: writes to an argument that is the same for every lane; write to a copy"
        )
    return done


def _replayed(done: RecordedCall, f: Any, arguments: Arguments, lanes: _Lanes) -> list[Any]:
    """The results over all lanes of what was recorded for the first.

    What is recorded may hold for the first lane alone, as the derivative of a determinant does for
    regular matrices: where that makes a matrix singular, each lane is recorded by itself.
    """
    try:
        return _core.replay_lanes(done.recording, arguments.input_leaves(), lanes.counts, lanes.n)
    except np.linalg.LinAlgError as error:
        if lanes.n == 1:
            raise
        _core.read_length()  # plain code sees how many lanes there are
        try:
            parts = [lanes.of_one(f, arguments, k) for k in range(lanes.n)]
        except np.linalg.LinAlgError:
            raise error from None
    joined = []
    for found in zip(*parts, strict=True):
        rows = [y if has else np.expand_dims(y, 0) for y, has in found]
        joined.append((np.concatenate(rows), True))
    return joined


class _Kept:
    """The last snapshot of what a function reads."""

    __slots__ = ("snapshot",)

    _unwatched = True

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None


class _Lanes:
    """The arguments of one call: which leaves have lanes, and how many.

    `counts` says of each input whether it has lanes. Others are inputs where lanes have whole
    numbers, which may choose elements of them: then plain arrays are recorded too.
    """

    def __init__(self, label: str) -> None:
        self.label = label
        self.n = -1
        self.counts: list[bool] = []
        self._first = ""  # the leaf that said how many

    def take(self, args: tuple[Any, ...], axes: list[Any], kwargs: dict[str, Any]) -> Arguments:
        """The arguments; those with lanes, lanes first, are the inputs."""
        leaves: list[Any] = []
        places: list[int] = []
        shared: list[int] = []

        def enter(tree: Tree, axes: Any, path: str) -> Tree:
            if axes is None:  # the very object, whatever is in it: a leaf
                if type(tree) is np.ndarray and tree.ndim and tree.dtype.char in INPUT_KINDS:
                    shared.append(len(leaves))
                leaves.append(tree)
                return 0.0
            found = _tree.leaves(tree, path)
            for (where, x), axis in zip(found, _axes_of(tree, axes, self.label), strict=True):
                if axis is not None:
                    places.append(len(leaves))
                    x = self._lanes_first(x, axis, where)
                leaves.append(x)
            return tree

        positional = tuple(enter(x, axes[i], f"argument {i}") for i, x in enumerate(args))
        named = {name: enter(x, 0, f"argument {name}") for name, x in kwargs.items()}
        if self.n < 0:
            raise ValueError(
                f"{self.label}: no argument has lanes: in_axes must name an axis of at least one"
            )
        if any(_is_integer(leaves[k]) for k in places):
            places = sorted([*places, *shared])
        self.counts = [k not in shared for k in places]
        return Arguments((positional, named), leaves, places)

    def alone(self, arguments: Arguments, lane: int) -> Arguments:
        """The arguments, of one lane alone."""
        pairs = zip(arguments.input_leaves(), self.counts, strict=True)
        _, _, leaves = arguments.filled(x[lane : lane + 1] if has else x for x, has in pairs)
        return Arguments(arguments.structure, leaves, arguments.inputs)

    def is_result(self, path: str, x: Any) -> bool:
        """That a leaf of the result is one; raises TypeError for what can't be."""
        _check_result(self.label, path, x)
        return True

    def of_one(self, f: Any, arguments: Arguments, lane: int) -> list[Any]:
        """The results of one lane, recorded by itself."""
        alone = self.alone(arguments, lane)
        done = _recorded(f, alone, self)
        return _core.replay_lanes(done.recording, alone.input_leaves(), self.counts, 1)

    def effects_of(self, f: Any, arguments: Arguments, kept: _Kept) -> SideEffects:
        """What `f` reads besides its lanes, before a call.

        Raises:
            UnwatchableError: It reads what can't be watched.
        """
        inputs = set(arguments.inputs)
        shared = [
            (f"the object {_tree.describe(x)}", x)
            for k, x in enumerate(arguments.leaves)
            if k not in inputs and not _is_plain(x)
        ]
        snapshot = None if shared else kept.snapshot
        if snapshot is None or not snapshot.same():
            snapshot = snapshot_of(f, name_of(f), shared)
            # A Variable would keep what was recorded, long after the call.
            kept.snapshot = None if shared or snapshot.variables else snapshot
        return SideEffects(snapshot, largest=_MOST_READ)

    def are_plain(self, arguments: Arguments, effects: SideEffects) -> bool:
        """Whether no Variable is read: then numbers that the recording left behind are plain."""
        of_call = any(isinstance(x, Variable) for x in arguments.leaves)
        return not of_call and not effects.reads_variables

    def one_by_one(
        self,
        f: Callable[..., Any],
        arguments: Arguments,
        out_axes: Any,
        first: RecordedCall | None = None,
        reason: str = "",
    ) -> Tree:
        """The result of a call of `f` for each lane; that for the first may be done already."""
        if reason:
            warn_user(f"{self.label}: runs lane by lane: {reason}")
        inputs = arguments.input_leaves()
        out: Tree = None
        columns: list[list[Any]] = []
        for lane in range(self.n):
            pairs = zip(inputs, self.counts, strict=True)
            if lane == 0 and first is not None:
                alone = self.alone(arguments, 0).input_leaves()
                found = _core.replay_lanes(first.recording, alone, self.counts, 1)
                out = first.result([y[0] if has else y for y, has in found])
            else:
                args, kwargs, _ = arguments.filled([x[lane] if has else x for x, has in pairs])
                out = pack(f(*args, **kwargs))
            found = _tree.leaves(out, "the result")
            for path, y in found:
                self.is_result(path, y)
            columns.append([y for _, y in found])
        paths = [path for path, _ in _tree.leaves(out, "the result")]
        axes = _axes_of(out, out_axes, self.label)
        stacked = [np.stack(column) for column in zip(*columns, strict=True)]
        placed = [
            _place(self.label, path, y, True, axis, self.n)
            for path, y, axis in zip(paths, stacked, axes, strict=True)
        ]
        return _tree.fill(out, iter(placed))

    def _lanes_first(self, x: Any, axis: int, path: str) -> Any:
        shape = _shape_of(x)
        if not -len(shape) <= axis < len(shape):
            raise ValueError(
                f"{self.label}: {path} has shape {shape} and no axis {axis} that could count the "
                "lanes; give None in in_axes for what is the same for every lane"
            )
        n = shape[axis]
        if self.n < 0:
            self.n, self._first = n, path
        elif n != self.n:
            _core.read_length()  # which decides that this is raised
            raise ValueError(
                f"{self.label}: {path} has {n} lanes along axis {axis} of shape {shape}, and "
                f"{self._first} has {self.n}"
            )
        array: Any = x if isinstance(x, Variable) else np.asarray(x)
        return array if axis % len(shape) == 0 else np.moveaxis(array, axis, 0)


def _is_plain(x: Any) -> bool:
    """Whether only its contents can change, or nothing, and those of Variables are seen to."""
    return isinstance(x, (Variable, np.ndarray, np.generic, bool, int, float, complex, str))


def _is_integer(x: Any) -> bool:
    return getattr(x, "dtype", np.dtype(float)).kind in "iu"


def _shape_of(x: Any) -> tuple[int, ...]:
    return _core.free_shape(x) if isinstance(x, Variable) else np.shape(x)


def _axes_of(tree: Tree, axes: Any, label: str) -> list[int | None]:
    """One axis for each leaf of `tree`; a single one stands for all."""
    if axes is None or isinstance(axes, (int, np.integer)):
        return [None if axes is None else int(axes)] * len(_tree.leaves(tree))
    parts = _tree.children(tree)
    given = _tree.children(axes)
    if parts is None or given is None or len(parts) != len(given):
        raise ValueError(
            f"{label}: axes {axes!r} don't fit {_tree.describe(tree)}; give an integer, None, or a "
            "nesting built like it"
        )
    if isinstance(tree, dict):  # the axes may list its keys in another order
        by_key = dict(given)
        missing = [key for key, _ in parts if key not in by_key]
        if missing:
            raise ValueError(
                f"{label}: axes {axes!r} have no entry {missing[0]} for {_tree.describe(tree)}"
            )
        given = [(key, by_key[key]) for key, _ in parts]
    found: list[int | None] = []
    for (_, part), (_, own) in zip(parts, given, strict=True):
        found += _axes_of(part, own, label)
    return found


def _check_result(label: str, path: str, x: Any) -> None:
    if isinstance(x, (Variable, bool, int, float, np.number, np.bool_)):
        return
    if isinstance(x, np.ndarray) and x.dtype.kind in "fiub":
        return
    raise TypeError(
        f"{label}: {path} is {_tree.describe(x)}; return numbers and arrays, in dicts, lists, "
        "tuples or dataclasses"
    )


def _place(label: str, path: str, y: Any, has_lanes: bool, axis: int | None, n: int) -> Any:
    """An output with its lanes where they are wanted."""
    if axis is None:
        if has_lanes:
            raise ValueError(
                f"{label}: out_axes is None for {path}, which differs between lanes; give the axis "
                "that shall count them"
            )
        return y
    if not has_lanes:
        shape = _shape_of(y)
        y = np.broadcast_to(y, (n, *shape))
        if not isinstance(y, Variable):
            _core.read_length()  # plain code sees how many lanes there are
            y = y.copy()
    if axis == 0:
        return y
    n_axes = len(_shape_of(y))
    if not -n_axes <= axis < n_axes:
        raise ValueError(
            f"{label}: out_axes={axis} for {path}, which has {n_axes} axes with its lanes; give "
            f"one from {-n_axes} to {n_axes - 1}"
        )
    return np.moveaxis(y, 0, axis)
