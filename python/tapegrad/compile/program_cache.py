"""Recordings of one call of a function, and the programs that are trusted to stand for it.

A `World` is what a function reads besides its arguments, as it was (`Watch`), with the recordings
and programs that belong to it: one program for each path through the function's branches, each
confirmed by two recordings that agree.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np

from tapegrad import _core, _tree
from tapegrad._core import (
    Body,
    Lengths,
    Program,
    Recording,
    Tracer,
    Variable,
    across_lengths,
)
from tapegrad.compile.contents import generator_states, have_moved, same_array, same_value, stamps
from tapegrad.compile.signature import UnsupportedError, inputs_of, replace_inputs, same_leaves
from tapegrad.compile.watch import Watch
from tapegrad.transforms.trace import pack

MOST_PATHS = 8
_MANY_STEPS = 10_000
_MUCH_MEMORY = 32 << 20  # bytes
_RESULTS = (Variable, np.ndarray, np.generic, np.dtype, int, float, complex, str, bytes)


class RefusedError(Exception):
    """A recording that no replay can stand for."""

    def __init__(self, reason: str, found: Recorded) -> None:
        super().__init__(reason)
        self.reason = reason
        self.found = found


class Recorded:
    """One recorded call: its operations, and how its result is put together.

    `plan` says for each leaf of the result whether it is an output of the recording (None) or
    stands fixed; `written` which inputs the function wrote to: their new contents follow the
    result's outputs. Where sweeps were left out of it (`complete` is False), it only has a result.
    """

    __slots__ = (
        "complete",
        "fixed",
        "may_have_promoted",
        "names",
        "recording",
        "result",
        "targets",
        "template",
        "used_outside",
        "values",
        "written",
    )

    def __init__(
        self,
        f: Callable[..., Any],
        args: Any,
        kwargs: Any,
        floats: bool,
        may_write: bool,
        may_leave_out: bool = False,
    ) -> None:
        arguments: list[Variable] = []

        def enter(x: Any) -> Any:
            arguments.append(tracer.argument(x))
            return arguments[-1].__copy__()  # writing to it must not move the argument

        with Tracer() as tracer:
            if may_leave_out:
                tracer.allow_leaving_out()
            given, keywords, entered = replace_inputs(args, kwargs, enter, floats)
            out = pack(f(*given, **keywords))
            leaves = [x for _, x in _tree.leaves(out)]
            for x in leaves:
                if not isinstance(x, _RESULTS):
                    raise UnsupportedError(
                        f"it returns {_tree.describe(x)}; return numbers and arrays, in dicts, "
                        "lists, tuples or dataclasses"
                    )
            outputs = [x for x in leaves if isinstance(x, Variable)]
            handles = [x for x in entered if isinstance(x, Variable)]
            self.written: list[int] = []
            if may_write:
                pairs = zip(arguments, handles, strict=True)
                self.written = [
                    k for k, (v, handle) in enumerate(pairs)
                    if handle.ndim and not _core.same_node(v, handle)
                ]  # fmt: skip
                outputs += [handles[k] for k in self.written]
            self.complete = not tracer.left_out
            self.may_have_promoted = tracer.may_have_promoted
            self.used_outside = not self.complete and tracer.used_outside(outputs)
            self.recording = tracer.freeze(outputs) if self.complete else Recording()
            refusal = tracer.refusal or self.recording.refusal
        self.values = [_owned(x) for x in outputs]
        self.targets = inputs_of(args, kwargs, floats) if self.written else []
        # No Variable stays: it would keep all that was recorded.
        blank = iter([0.0 if isinstance(x, Variable) else x for x in leaves])
        self.template = _tree.fill(out, blank)
        self.fixed = [None if isinstance(x, Variable) else (x,) for x in leaves]
        self.result = self.build(self.values)
        if not same_leaves(given, keywords, entered):
            refusal = refusal or "it changes a container that was passed to it"
        if refusal:
            raise RefusedError(refusal, self)

    def replaced_by(self, recording: Recording) -> Recorded:
        """The same call at other lengths."""
        found = object.__new__(Recorded)
        for name in Recorded.__slots__:
            setattr(found, name, getattr(self, name))
        found.recording = recording
        return found

    def commit(self) -> Any:
        """The call's result; what the function wrote to copies goes into the caller's arrays.

        A call whose recording is of no use has written nothing, so that it can run once more.
        """
        values = self.values[len(self.values) - len(self.written) :]
        for k, value in zip(self.written, values, strict=True):
            np.copyto(self.targets[k], value)
        self.targets = []
        return self.result

    def build(self, values: Sequence[Any]) -> Any:
        """The function's result, from the outputs of the recording."""
        make = self.maker()
        return values[0] if make is None else make(values)

    def maker(self) -> Callable[[Sequence[Any]], Any] | None:
        """What builds results; None where the result is the only output."""
        if self.fixed == [None] and _tree.is_leaf(self.template):
            return None
        places = itertools.count()
        parts = [
            itemgetter(next(places)) if x is None else partial(_again, x[0]) for x in self.fixed
        ]
        return _tree.maker(self.template, iter(parts))

    def agrees(self, other: Recorded) -> bool:
        """Whether the two are one program."""
        return self.recording.same_as(other.recording) and self._alike(other)

    def across(self, other: Recorded) -> tuple[Lengths | None, str]:
        """What the two have in common, being recorded at different lengths; None and why not."""
        if not self._alike(other):
            return None, "another length reads other arrays, or gives another result"
        return across_lengths(other.recording, self.recording)

    def _alike(self, other: Recorded) -> bool:
        """Whether all but the operations is the same."""
        return (
            self._same_captures(other)
            and self.written == other.written
            and _shape_of_tree(self.template) == _shape_of_tree(other.template)
            and all(map(_same_fixed, self.fixed, other.fixed))
        )

    def name_captures(self, watch: Watch) -> None:
        """Notes which of the arrays that the operations read are known by a name."""
        names = {id(x): label for label, x in watch.arrays}
        self.names = [names.get(id(x), "") for x in self.recording.captures]

    def _same_captures(self, other: Recorded) -> bool:
        """Whether the arrays have the same names, or no name and the same content."""
        if self.names != other.names:
            return False
        pairs = zip(self.names, self.recording.captures, other.recording.captures, strict=True)
        return all(name or isinstance(x, Variable) or same_array(x, y) for name, x, y in pairs)

    def made_anew(self, other: Recorded) -> list[int]:
        """The captured arrays that each of two agreeing calls made for itself: constants."""
        pairs = zip(self.names, self.recording.captures, other.recording.captures, strict=True)
        return [
            k
            for k, (name, x, y) in enumerate(pairs)
            if not name and isinstance(x, np.ndarray) and not np.may_share_memory(x, y)
        ]

    def difference(self, other: Recorded) -> str:
        """What to call the difference between two recordings of the same path."""
        ours, theirs = self.recording.constants, other.recording.constants
        if len(ours) == len(theirs):
            for a, b in zip(ours, theirs, strict=True):
                if not _same_fixed((a,), (b,)):
                    if np.ndim(a) or np.ndim(b):
                        return f"an array of shape {np.shape(a)} that it computed or made itself"
                    return f"a number that it computed or read itself ({b!r}, then {a!r})"
        return "what it does"


class Path(_core.PathBase):
    """A program, and what makes the function's result of its outputs."""

    __slots__ = ("body", "recorded")

    def __init__(
        self, recorded: Recorded, passes: dict[str, bool], made_anew: Sequence[int] = ()
    ) -> None:
        self.recorded = recorded
        self.program = Program(recorded.recording, list(made_anew), **passes)
        self.body: Body | None = None  # the recording as one operation
        self.captures = None  # replacements
        self.written = recorded.written
        self.make = recorded.maker()
        recorded.values = []
        recorded.result = None
        if recorded.recording.n_steps > _MANY_STEPS or _core.pool_bytes()[1] > _MUCH_MEMORY:
            _core.trim_pool()  # a replay takes far less than a recording

    def finish(self, inputs: Sequence[Any], values: list[Any]) -> Any:
        """The function's result; what the function writes to its arguments is written."""
        written = self.written
        if written:
            first = len(values) - len(written)
            for k, value in zip(written, values[first:], strict=True):
                np.copyto(inputs[k], value)
        return values[0] if self.make is None else self.make(values)

    def attach(self, inputs: Sequence[Any], values: list[Any]) -> Any:
        """The function's result as one recorded operation; Variables are among the inputs."""
        recording = self.recorded.recording
        body = self.body = self.body or Body(recording)
        known = _core.Values(values)
        outputs = _core.call(body, recording, inputs, known, self.captures)
        return outputs[0] if self.make is None else self.make(outputs)


class World(_core.WorldBase):
    """What the function reads besides its arguments, and the programs that hold while it is so."""

    __slots__ = ("fixed_arrays", "generals", "pending", "proven")

    watch: Watch
    contents: list[Any] | None
    paths: list[Path]

    def __init__(self, watch: Watch, proven: bool) -> None:
        self.watch = watch
        self.proven = proven  # nothing but recorded operations reads the captured arrays
        self.contents = stamps(watch) if watch.arrays and not proven else None
        self.paths = []
        self.pending: list[Recorded] = []
        self.fixed_arrays: set[int] = set()  # ids of those that no other array may replace
        self.generals: list[Any] = []  # of other lengths, that were asked for a program

    def same(self) -> bool:
        """Whether everything is what it was; the quick test."""
        return self.watch.same_with(self.contents)

    def adopt(self, fresh: Watch) -> str:
        """Takes the fresh snapshot if it means the same; '' or what differs."""
        label, replaced = self.watch.compare(fresh)
        if label:
            return label
        for (label, old), (_, now) in zip(self.watch.arrays, fresh.arrays, strict=True):
            if old is not now and id(old) in self.fixed_arrays:
                return label
        if self.contents is not None:
            now_contents = stamps(fresh)
            for (label, _), old, now in zip(fresh.arrays, self.contents, now_contents, strict=True):
                if old != now:
                    return f"the content of {label}"
        if replaced:
            for path in self.paths:
                held = path.captures or path.recorded.recording.captures
                path.captures = [replaced.get(id(x), x) for x in held]
        self.watch = fresh
        return ""

    def shares(self, inputs: Sequence[Any]) -> bool:
        """Whether an input shows in another one or in what is captured, as writes to it would."""
        arrays = [x for x in inputs if isinstance(x, np.ndarray)]
        others = [x for _, x in self.watch.arrays]
        return any(
            np.may_share_memory(x, y) for i, x in enumerate(arrays) for y in [*arrays[:i], *others]
        )

    def record(
        self,
        f: Callable[..., Any],
        args: Any,
        kwargs: Any,
        floats: bool,
        may_leave_out: bool = False,
    ) -> Recorded:
        """Records a call; raises RefusedError where a replay would not do what it did."""
        watch = self.watch
        generators = generator_states(watch.generators)
        contents = self.contents if self.contents is not None else stamps(watch)
        found = Recorded(f, args, kwargs, floats, watch.writes, may_leave_out)
        found.name_captures(watch)
        if have_moved(generators, generator_states(watch.generators)):
            raise RefusedError(
                "it draws random numbers, which a replay would not draw again; draw them outside "
                "and pass them as arguments",
                found,
            )
        fresh = watch if watch.same() else watch.again()
        label, replaced = watch.compare(fresh)
        if label or replaced:
            fresh.release(watch)
            raise RefusedError(
                f"it changes {label or 'an array'}, which is not among its arguments, and a "
                "replay would not; return the new value instead",
                found,
            )
        for (label, _), old, now in zip(watch.arrays, contents, stamps(fresh), strict=True):
            if old != now:
                raise RefusedError(
                    f"it writes to the array {label}, and a replay would not; pass the array as "
                    "an argument",
                    found,
                )
        if self.contents is None and found.complete and not self._explained(found):
            self.contents = contents
        return found

    def _explained(self, found: Recorded) -> bool:
        """Whether all that the program holds fixed follows from what is watched by value.

        If not, it may have been computed from the content of a captured array.
        """
        if not self.watch.arrays:
            return True
        watched = {id(x) for _, x in self.watch.arrays}
        self.fixed_arrays |= {id(x[0]) for x in found.fixed if x is not None}
        for x in found.recording.captures:
            if isinstance(x, Variable) or id(x) in watched:
                continue
            bases = [a for _, a in self.watch.arrays if _is_view(x, a)]
            if not bases:
                return False
            self.fixed_arrays |= set(map(id, bases))
        numbers = self.watch.numbers()
        for x in found.recording.constants:
            if np.ndim(x) or not (float(x) in numbers or -float(x) in numbers):
                return False
        return all(
            x is None or id(x[0]) in watched or isinstance(x[0], str | bool | None)
            for x in found.fixed
        )

    def accept(self, found: Recorded, earlier: Recorded, passes: dict[str, bool]) -> Path:
        """The program of a recording that is trusted, because an earlier one agrees."""
        self.pending = [x for x in self.pending if x is not found]
        path = Path(found, passes, found.made_anew(earlier))
        self.paths = [path, *self.paths[: MOST_PATHS - 1]]
        return path

    def recordings(self) -> list[Recorded]:
        """All that were made here and are kept."""
        return [*(path.recorded for path in self.paths), *self.pending]

    def confirm(self, found: Recorded, passes: dict[str, bool]) -> bool:
        """Whether an earlier recording agrees; the two then become a program."""
        for earlier in self.pending:
            if found.agrees(earlier):
                self.pending = [x for x in self.pending if x is not earlier]
                self.accept(found, earlier, passes)
                return True
        self.pending = [found, *self.pending[: 2 * MOST_PATHS - 1]]
        return False


def _owned(x: Variable) -> Any:
    """The value of an output, as a program gives it: a float, or an array of its own."""
    found = _core.value(x)
    return np.array(found) if isinstance(found, np.ndarray) else found


def _again(x: Any, _: Sequence[Any]) -> Any:
    return _fresh(x)


def _fresh(x: Any) -> Any:
    return x.copy() if type(x) is np.ndarray and x.flags.owndata and x.ndim else x


def _same_fixed(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return a is b
    x, y = a[0], b[0]
    if x is y:
        return True
    if isinstance(x, np.ndarray) and isinstance(y, np.ndarray):
        return same_array(x, y)
    return same_value(x, y)


def _shape_of_tree(tree: Any) -> Any:
    parts = None if tree is None or _tree.is_leaf(tree) else _tree.children(tree)
    if parts is None:
        return tree is None
    return type(tree), [(key, _shape_of_tree(part)) for key, part in parts]


def _is_view(x: Any, a: Any) -> bool:
    base = getattr(x, "base", None)
    if base is None:
        return False
    return (base is a or base is a.base) and bool(np.may_share_memory(x, a))


def mixes_precisions(recording: Any, watch: Watch, args: Any, kwargs: Any) -> bool:
    """Whether Python floats among the arguments may meet float32 arrays, whose dtype they take."""
    leaves = [x for _, x in _tree.leaves((args, kwargs))]
    if not any(type(x) is float for x in leaves):
        return False
    found = [*leaves, *recording.captures, *recording.constants]
    return bool(watch.names & {"float32", "single", "f4"}) or any(
        getattr(x, "dtype", None) == np.float32 for x in found
    )
