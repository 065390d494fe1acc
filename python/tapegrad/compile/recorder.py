"""The recorder: one call of a function, recorded, and what the call did.

Everything that records a whole function does it here: `tg.compile` and `tg.optim.train`, `vmap`,
`scan` and `checkpoint`. They differ in how a leaf of the arguments enters the record and in which
leaves of the result are outputs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad._core import (
    Lengths,
    Recording,
    Tracer,
    Values,
    Variable,
    across_lengths,
    elements_seen,
    memory_strides,
    overlap,
    same_node,
    stands_for_array,
    to_array,
)
from tapegrad._tree import Tree
from tapegrad.compile.call import Arguments
from tapegrad.compile.containers import Change, PassedContainers, carry_over
from tapegrad.compile.reads.captured_data import same_array, same_value
from tapegrad.transforms import blanks
from tapegrad.transforms.trace import pack

_ARRAY = 2  # of Tracer.number_kinds


class RecordedCall:
    """What one call of a function did.

    `recording` holds the operations and `values` the contents of its outputs: those of the result,
    then those of the inputs in `written`, to which the function wrote. `template` is the result
    with blanks for the outputs; `fixed` has an entry for each leaf of it: None for an output, else
    the leaf itself, in a tuple. `refusal` says why a replay would not do what the call did.
    `numbers` says by a byte for each output what it is in the function itself, if it has no axes: a
    number of NumPy's or Python's, or an array.
    `orders` says of each output of the result how its axes are put in place: outputs are recorded
    as they lie in memory, from the outermost axis to the innermost; None where they are in place.
    Where `shares` is True, an output is an argument, or shows one, or another output.
    `captured_names` are the names of the arrays that the operations read from outside, '' where
    there is none. `made_elements`: Variables stood in arrays of objects, where NumPy's own methods
    make numbers of the arrays that they meet. `learned_number`: plain code saw a whole number among
    the inputs, or one that was computed from such. `container_changes`: the caller's containers
    that the function changed, with what they hold then; `containers_are_shared`: one was passed
    twice, and a change of the one copy did not show in the other.

    Where sweeps were left out (`complete` is False) there is no recording, only a result. Such a
    call can be compared with one that was recorded as a whole, by an outline: all but what the
    sweeps from number `first_sweep` on did. `outlined` is the call with that for its recording.
    """

    __slots__ = (
        "captured_names",
        "complete",
        "container_changes",
        "containers_are_shared",
        "first_sweep",
        "fixed",
        "learned_number",
        "made_elements",
        "may_have_promoted",
        "numbers",
        "orders",
        "outlined",
        "recording",
        "refusal",
        "shares",
        "template",
        "used_outside",
        "values",
        "written",
    )

    recording: Recording
    values: Values | None
    numbers: bytes
    orders: list[tuple[int, ...] | None]
    shares: bool
    written: list[int]
    template: Tree
    fixed: list[tuple[Any] | None]
    captured_names: list[str]
    refusal: str
    complete: bool
    first_sweep: int
    outlined: RecordedCall | None
    learned_number: bool
    made_elements: bool
    used_outside: bool
    may_have_promoted: bool
    container_changes: list[Change]
    containers_are_shared: bool

    def name_captures(self, arrays: Sequence[tuple[str, Any]]) -> None:
        """Notes under which name each array is known that the operations read."""
        names = {id(x): label for label, x in arrays}
        self.captured_names = [names.get(id(x), "") for x in self.recording.captures]
        if self.outlined is not None:
            self.outlined.name_captures(arrays)

    def unnamed_captures(self) -> list[int]:
        """The captures that no name leads to, by number: views that the function made itself.

        No other array ever replaces one: the arrays that they show are fixed.
        """
        return [k for k, name in enumerate(self.captured_names) if not name]

    def with_recording(self, recording: Recording) -> RecordedCall:
        """The same call with other operations: those for other lengths."""
        found = object.__new__(RecordedCall)
        for name in RecordedCall.__slots__:
            setattr(found, name, getattr(self, name))
        found.recording = recording
        return found

    # The result.

    def commit(self, inputs: Sequence[Any]) -> Any:
        """The call's result, once; what the function wrote goes into the caller's arrays.

        What it changed in containers that were passed to it changes in the caller's too.
        """
        found, self.values = self.values, None
        carry_over(self.container_changes)
        self.container_changes = []
        values = [] if found is None else [found[k] for k in range(len(found))]
        write_back(self.written, inputs, values)
        make = self.maker()
        return values[0] if make is None else make(values)

    def result(self, outputs: Sequence[Any]) -> Any:
        """The call's result, with these outputs."""
        pairs = zip(self.typed(outputs), self.orders, strict=True)
        items = iter([_placed(x, axes) for x, axes in pairs])
        leaves = [next(items) if x is None else x[0] for x in self.fixed]
        return _tree.fill(self.template, iter(leaves))

    def typed(self, outputs: Sequence[Any]) -> list[Any]:
        """These recorded outputs, of which those are arrays that are in the function itself."""
        pairs = zip(outputs, self.numbers, strict=False)  # what was written comes after them
        return [to_array(x) if kind == _ARRAY else x for x, kind in pairs]

    def maker(self) -> Callable[[Sequence[Any]], Any] | None:
        """What builds results of outputs; None where the result is the only output."""
        if self.fixed == [None] and _tree.is_leaf(self.template) and self.orders == [None]:
            return None
        if self._is_flat():
            return type(self.template)  # tuple or list
        places = itertools.count()
        parts = [
            _part(next(places), self.orders) if x is None else partial(_again, x[0])
            for x in self.fixed
        ]
        return _tree.maker(self.template, iter(parts))

    def _is_flat(self) -> bool:
        """Whether the result is a tuple or list of the outputs, as they come."""
        return (
            type(self.template) in (tuple, list)
            and len(self.template) == len(self.fixed)
            and not self.written
            and all(x is None for x in (*self.fixed, *self.orders))
            and all(map(_tree.is_leaf, self.template))
        )

    # Two calls.

    def agrees(self, other: RecordedCall) -> bool:
        """Whether both did the same: one program stands for them.

        What a sweep does follows from what it reads. So it is enough if the earlier call left
        sweeps out that this one has.
        """
        ours = self._as_whole_as(other)
        if ours is None or not ours.recording.same_as(other.recording) or not ours._alike(other):
            return False
        return ours is self or self._captures_as(ours)

    def _as_whole_as(self, other: RecordedCall) -> RecordedCall | None:
        return self if other.complete else self.outlined

    def _captures_as(self, outlined: RecordedCall) -> bool:
        """Whether the sweeps alone read no arrays without a name."""
        known = {id(x) for x in outlined.recording.captures}
        pairs = zip(self.captured_names, self.recording.captures, strict=True)
        return all(name or isinstance(x, Variable) or id(x) in known for name, x in pairs)

    def across(self, other: RecordedCall) -> tuple[Lengths | None, str]:
        """What the two have in common, recorded at different lengths; None and why not."""
        if not self._alike(other):
            return None, "another length reads other arrays, or gives another result"
        return across_lengths(other.recording, self.recording)

    def _alike(self, other: RecordedCall) -> bool:
        """Whether all but the operations is the same."""
        return (
            self._same_captures(other)
            and self.numbers == other.numbers
            and self.orders == other.orders
            and self.shares == other.shares
            and self.written == other.written
            and _structure(self.template) == _structure(other.template)
            and all(map(_same_fixed, self.fixed, other.fixed))
        )

    def _same_captures(self, other: RecordedCall) -> bool:
        """Whether the arrays have the same names, or no name and the same content."""
        if self.captured_names != other.captured_names:
            return False
        ours, theirs = self.recording.captures, other.recording.captures
        return all(
            name or isinstance(x, Variable) or same_array(x, y)
            for name, x, y in zip(self.captured_names, ours, theirs, strict=True)
        )

    def made_anew(self, other: RecordedCall) -> list[int]:
        """The captured arrays that each of two agreeing calls made for itself: constants."""
        call = self._as_whole_as(other)
        assert call is not None
        ours, theirs = call.recording.captures, other.recording.captures
        made = {
            id(x)
            for name, x, y in zip(call.captured_names, ours, theirs, strict=True)
            if not name and _tree.is_array(x) and not np.may_share_memory(x, y)
        }
        return [k for k, x in enumerate(self.recording.captures) if id(x) in made]

    def difference(self, other: RecordedCall) -> str:
        """What to call the difference between two recordings of the same path."""
        ours, theirs = self.recording.constants, other.recording.constants
        if len(ours) == len(theirs):
            for a, b in zip(ours, theirs, strict=True):
                if not _same_fixed((a,), (b,)):
                    if np.ndim(a) or np.ndim(b):
                        return f"an array of shape {np.shape(a)} that it computed or made itself"
                    return f"a number that it computed or read itself ({b!r}, then {a!r})"
        return "what it does"


def record_call(
    f: Callable[..., Any],
    arguments: Arguments,
    enter: Callable[[Tracer, Any], Variable],
    is_output: Callable[[str, Any], bool],
    *,
    leave_out: bool = False,
    left_out_before: RecordedCall | None = None,
    outputs_written: bool = False,
    as_they_lie: bool = False,
    keep_lines: bool = False,
) -> RecordedCall:
    """Calls `f` and records what it does.

    `enter` takes an input into the record. `is_output` says of a leaf of the result, given its
    path and itself, whether it is an output; it raises for what may not be returned. With
    `leave_out`, sweeps that take long to record may be left out; with `left_out_before`, a call
    that left some out, the two can be compared. With `outputs_written`, the inputs that `f` wrote
    to are outputs too, after those of the result. With `as_they_lie`, results lie in memory as
    those of `f` do. With `keep_lines`, each operation keeps the user's line.
    """
    done = RecordedCall()
    elements = elements_seen()
    with Tracer() as tracer:
        if keep_lines:
            tracer.keep_lines()
        if leave_out:
            tracer.allow_leaving_out()
        entered = [enter(tracer, x) for x in arguments.input_leaves()]
        # The function gets handles of its own, so that writes to them can be seen.
        handles = [v.__copy__() for v in entered]
        args, kwargs, _ = arguments.filled(handles)
        passed = PassedContainers(arguments.structure, (args, kwargs))
        out = pack(blanks.call(f, args, kwargs))
        found = _tree.leaves(out, "the result")
        own = [is_output(path, x) for path, x in found]
        outputs = [x for (_, x), is_own in zip(found, own, strict=True) if is_own]
        done.shares = as_they_lie and _any_shared(outputs, handles)
        done.orders = [_order(x) if as_they_lie else None for x in outputs]
        outputs = [_outermost_first(x, axes) for x, axes in zip(outputs, done.orders, strict=True)]
        pairs = enumerate(zip(entered, handles, strict=True))
        done.written = [
            k for k, (v, now) in pairs if stands_for_array(now) and not same_node(v, now)
        ]
        if outputs_written:
            outputs += [handles[k] for k in done.written]
        done.container_changes = passed.changes(partial(_plain, tracer))
        done.containers_are_shared = passed.are_shared
        done.complete = not tracer.left_out
        done.numbers = tracer.number_kinds(outputs)
        done.may_have_promoted = tracer.may_have_promoted
        done.learned_number = tracer.learned_number
        done.used_outside = not done.complete and tracer.used_outside(outputs)
        done.first_sweep = tracer.first_left_out
        outline: Recording | None = None
        if not done.complete:
            outline = tracer.outline(outputs, done.first_sweep)
        elif left_out_before is not None:
            outline = tracer.outline(outputs, left_out_before.first_sweep)
        done.recording = tracer.freeze(outputs) if done.complete else Recording()
        done.refusal = tracer.refusal or done.recording.refusal
    done.made_elements = elements_seen() != elements
    done.values = Values(outputs, done.numbers)
    # No Variable stays: it would keep all that was recorded.
    done.fixed = [None if is_own else (x,) for (_, x), is_own in zip(found, own, strict=True)]
    done.template = _tree.fill(out, iter([0.0 if x is None else x[0] for x in done.fixed]))
    done.captured_names = [""] * len(done.recording.captures)
    done.outlined = None
    if outline is not None and not outline.refusal:
        done.outlined = done.with_recording(outline)
        done.outlined.values = None
    return done


def _plain(tracer: Tracer, found: list[Variable]) -> list[Any]:
    """What these are in the function itself, plain."""
    values = Values(found, tracer.number_kinds(found))
    return [values[k] for k in range(len(found))]


def write_back(written: Sequence[int], inputs: Sequence[Any], values: Sequence[Any]) -> None:
    """Copies the last of these values into the inputs `written`."""
    first = len(values) - len(written)
    for k, value in zip(written, values[first:], strict=True):
        np.copyto(inputs[k], value)


def _order(x: Any) -> tuple[int, ...] | None:
    """How the axes of `x` follow one another once they are sorted by their steps in memory."""
    strides = memory_strides(x) if isinstance(x, Variable) and x.ndim > 1 else None
    if strides is None:
        return None
    lying = sorted(range(len(strides)), key=lambda i: (-abs(strides[i]), i))
    axes = tuple(lying.index(i) for i in range(len(lying)))
    return None if list(axes) == lying == sorted(lying) else axes


def _outermost_first(x: Any, axes: tuple[int, ...] | None) -> Any:
    if axes is None:
        return x
    return np.transpose(x, [axes.index(i) for i in range(len(axes))])


def _placed(x: Any, axes: tuple[int, ...] | None) -> Any:
    return x if axes is None else np.transpose(x, axes)


def _part(place: int, orders: Sequence[tuple[int, ...] | None]) -> _tree.Part:
    axes = orders[place]
    if axes is None:
        return place
    return lambda values: np.transpose(values[place], axes)


def _any_shared(outputs: Sequence[Any], handles: Sequence[Any]) -> bool:
    """Whether writing to an output would show in an argument or in another output."""
    arrays = [x for x in outputs if isinstance(x, Variable) and stands_for_array(x)]
    return any(
        overlap(x, y)
        for i, x in enumerate(arrays)
        for y in [*arrays[:i], *(h for h in handles if isinstance(h, Variable))]
    )


def _again(x: Any, _: Sequence[Any]) -> Any:
    """A leaf of the result that is the same at each call."""
    return x.copy() if type(x) is np.ndarray and x.flags.owndata and x.ndim else x


def _same_fixed(a: tuple[Any] | None, b: tuple[Any] | None) -> bool:
    if a is None or b is None:
        return a is b
    x, y = a[0], b[0]
    if x is y:
        return True
    if _tree.is_array(x) and _tree.is_array(y):
        return same_array(x, y)
    return same_value(x, y)


def _structure(tree: Any) -> Any:
    parts = None if tree is None or _tree.is_leaf(tree) else _tree.children(tree)
    if parts is None:
        return tree is None
    return type(tree), [(key, _structure(part)) for key, part in parts]
