"""A call of a function, recorded so that it can be applied as one operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from tapegrad import _tree
from tapegrad._core import Body, Recording, Tracer, Values, Variable, same_node
from tapegrad._tree import Tree
from tapegrad.transforms.trace import pack

_MOST_BODIES = 8  # of one function

_bodies: WeakKeyDictionary[Any, list[Body]] = WeakKeyDictionary()


class UnrecordableError(RuntimeError):
    """A call that did what can't be done again."""


class RecordedCall:
    """What one call of a function did.

    `template` is its result with blanks for the recorded leaves, `is_recorded` says which those
    are; `values` holds their contents, in order.
    """

    __slots__ = ("is_recorded", "recording", "template", "values")

    def __init__(
        self, recording: Recording, values: Values, template: Tree, is_recorded: list[bool]
    ) -> None:
        self.recording = recording
        self.values = values
        self.template = template
        self.is_recorded = is_recorded

    def result(self, outputs: Sequence[Any]) -> Tree:
        """The function's result, with these outputs."""
        items = iter(outputs)
        leaves = [x for _, x in _tree.leaves(self.template)]
        found = [next(items) if own else x for x, own in zip(leaves, self.is_recorded, strict=True)]
        return _tree.fill(self.template, iter(found))


def record_call(
    label: str,
    f: Callable[..., Any],
    enter: Callable[[Tracer], tuple[tuple[Any, ...], dict[str, Any], list[Variable]]],
    outputs_of: Callable[[Tree], list[tuple[str, Any]]],
    may_write: bool = False,
) -> RecordedCall:
    """Calls `f` and records what it does.

    `enter` gives the arguments of the call, and those of its Variables that stand for inputs;
    `outputs_of` those leaves of the result that are outputs, in order.

    Raises:
        UnrecordableError: The call did what can't be done again.
    """
    with Tracer() as tracer:
        args, kwargs, arguments = enter(tracer)
        # The function gets handles of its own, so that writes to them can be seen.
        handles = [v.__copy__() for v in arguments]
        by_id = {id(v): handle for v, handle in zip(arguments, handles, strict=True)}
        args, kwargs = _replaced((args, kwargs), by_id)
        out = pack(f(*args, **kwargs))
        outputs = [x for _, x in outputs_of(out)]
        recording = tracer.freeze(outputs)
        refusal = tracer.refusal or recording.refusal
        arrays = [k for k, v in enumerate(arguments) if v.ndim]
        if not may_write and not all(same_node(arguments[k], handles[k]) for k in arrays):
            refusal = refusal or "it writes to an array that was passed to it"
        if refusal:
            raise UnrecordableError(
                f"{label}: {refusal}, which can't be recorded as one operation; call the function "
                "as it is, or return the new value instead"
            )
    values = Values(outputs)
    leaves = [x for _, x in _tree.leaves(out)]
    own = {id(x) for x in outputs}
    is_recorded = [id(x) in own for x in leaves]
    blank: Iterator[Any] = iter(
        [0.0 if recorded else x for x, recorded in zip(leaves, is_recorded, strict=True)]
    )
    return RecordedCall(recording, values, _tree.fill(out, blank), is_recorded)


def _replaced(tree: Any, by_id: dict[int, Variable]) -> Any:
    found = [by_id.get(id(x), x) for _, x in _tree.leaves(tree)]
    return _tree.fill(tree, iter(found))


def body_of(f: Callable[..., Any], recording: Recording) -> Body:
    """The recording as a body: one that was made of an equal recording, if there is one."""
    body = Body(recording)
    key: Any = getattr(f, "__code__", type(f))
    known = _bodies.setdefault(key, [])
    for i, earlier in enumerate(known):
        if earlier.same_as(body):
            if i:
                known.insert(0, known.pop(i))
            return earlier
    known.insert(0, body)
    del known[_MOST_BODIES:]
    return body
