"""A call of a function, recorded so that it can be applied as one operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from tapegrad._core import Body, Recording, Tracer
from tapegrad.compile.call import Arguments
from tapegrad.compile.recorder import RecordedCall, record_call

_MOST_BODIES = 8  # of one function

_bodies: WeakKeyDictionary[Any, list[Body]] = WeakKeyDictionary()


class UnrecordableError(RuntimeError):
    """A call that did what can't be done again."""


def record_operation(
    label: str,
    f: Callable[..., Any],
    arguments: Arguments,
    is_output: Callable[[str, Any], bool],
    may_write: bool = False,
    as_they_lie: bool = False,
) -> RecordedCall:
    """Calls `f` and records what it does; derivatives lead on to the inputs.

    With `may_write`, the function may write to its arguments, which are its own; with `as_they_lie`
    its results lie in memory as those of `f` do.

    Raises:
        UnrecordableError: The call did what can't be done again.
    """
    enter = Tracer.linked_argument
    done = record_call(f, arguments, enter, is_output, as_they_lie=as_they_lie)
    refusal = done.refusal
    if done.written and not may_write:
        refusal = refusal or "it writes to an array that was passed to it"
    if done.container_changes and not may_write:
        refusal = refusal or "it changes a container that was passed to it"
    if refusal:
        raise UnrecordableError(
            f"{label}: {refusal}, which can't be recorded as one operation; call the function "
            "as it is, or return the new value instead"
        )
    return done


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
