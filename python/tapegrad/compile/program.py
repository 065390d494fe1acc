"""A program that stands for the calls of a function along one path through its branches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tapegrad import _core
from tapegrad._core import Body, Program, Recording
from tapegrad.compile.recorder import RecordedCall

_MANY_STEPS = 10_000
_MUCH_MEMORY = 32 << 20  # bytes


class TrustedProgram(_core.TrustedProgramBase):
    """The program of a recorded call, and what makes the function's result of its outputs.

    `constant_captures` are the numbers of captured arrays that are constants of the program.
    """

    __slots__ = ("_body", "call")

    def __init__(
        self,
        call: RecordedCall,
        passes: Mapping[str, bool],
        constant_captures: Sequence[int] = (),
    ) -> None:
        self.call = call
        is_long = call.recording.n_steps > _MANY_STEPS
        if is_long:
            _core.trim_pool()  # passes take about as much memory as the recording took
        self.program = Program(
            call.recording, list(constant_captures), call.unnamed_captures(), **passes
        )
        self.captures = None  # what it reads in place of the arrays that were recorded
        self.written = call.written
        self.make = call.maker()
        self.numbers = call.numbers
        self._body: Body | None = None
        if is_long or _core.pool_bytes()[1] > _MUCH_MEMORY:
            _core.trim_pool()  # a replay takes far less than a recording

    @property
    def recording(self) -> Recording:
        """The operations as they were recorded."""
        return self.call.recording

    def gives_outputs_alone(self) -> bool:
        """Whether the function's result is all outputs, and nothing is written to arguments."""
        return not self.written and all(x is None for x in self.call.fixed)

    def replace_captures(self, replaced: Mapping[int, Any]) -> None:
        """Reads other arrays from now on, keyed by the id of the one that each replaces."""
        held = self.captures or self.recording.captures
        self.captures = [replaced.get(id(x), x) for x in held]

    def as_operation(self, inputs: Sequence[Any], values: list[Any]) -> Any:
        """The function's result as one recorded operation; Variables are among the inputs."""
        body = self._body = self._body or Body(self.recording)
        known = _core.Values(values)
        outputs = _core.call(body, self.recording, inputs, known, self.captures)
        outputs = self.call.typed(outputs)
        return outputs[0] if self.make is None else self.make(outputs)
