"""What `compiled.inspect()` shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from tapegrad.compile.states import State

if TYPE_CHECKING:
    from tapegrad.compile.lengths import LengthGroup
    from tapegrad.compile.program import TrustedProgram
    from tapegrad.compile.signatures import Signature, SignatureTable


class ProgramReport(NamedTuple):
    """One program: a path through the function."""

    n_recorded: int
    n_steps: int
    n_kernels: int
    memory: int  # the most bytes that its arrays take at a time
    guards: list[str]
    text: str  # one step a line
    # What kernels were compiled to by now, an instruction a line: see docs/machine_code.md.
    machine_code: Callable[[], str]

    def __repr__(self) -> str:
        lines = [f"program: {_count(self.n_steps, 'step')}, {self.n_recorded} as recorded"]
        if self.n_kernels:
            lines[0] += f"; {_count(self.n_kernels, 'fused kernel')}"
        if self.memory:
            lines[0] += f"; {self.memory} bytes"
        lines += [f"  holds while the choice at {where} is the same" for where in self.guards]
        return "\n".join(lines)


class SignatureReport:
    """One signature: its state, how often it was recorded and replayed, its programs.

    `eager` says why it runs as plain Python, `fixed_lengths` why each length is recorded by itself.
    """

    def __init__(self, key: tuple[Any, ...], signature: Signature) -> None:
        self.arguments = describe_key(key)
        self.state = signature.state.name.lower().replace("_", " ")
        self.recordings: int = signature.recordings
        self.replays: int = signature.replays
        self.eager: str = signature.reason
        programs = [program for cache in signature.caches for program in cache.programs]
        self.programs = [_report_of(program) for program in programs]
        group = signature.group
        alone = group is not None and group.has_several() and not group.programs
        self.fixed_lengths: str = group.why if group is not None and alone else ""

    def __repr__(self) -> str:
        state = f"; {self.state}" if self.state else ""
        counts = f"{_count(self.recordings, 'recording')}, {_count(self.replays, 'replay')}"
        lines = [f"{self.arguments}: {counts}{state}"]
        if self.eager:
            lines.append(f"  runs as plain Python: {self.eager}")
        elif self.fixed_lengths:
            lines.append(f"  each length is recorded by itself: {self.fixed_lengths}")
        for program in self.programs:
            lines += ["  " + line for line in repr(program).splitlines()]
        return "\n".join(lines)


class LengthsReport(SignatureReport):
    """All lengths that were not recorded: letters stand for those that are free."""

    def __init__(self, group: LengthGroup) -> None:
        self.arguments = describe_key(group.programs[0].key) + " of any length"
        self.state = ""  # each length has its own
        self.recordings = 0
        self.replays = group.replays
        self.eager = self.fixed_lengths = ""
        self.programs = [_report_of(program.last) for program in group.programs]


class Inspection:
    """What a compiled function recorded and runs."""

    def __init__(self, name: str, signatures: list[SignatureReport]) -> None:
        self.name = name
        self.signatures = signatures

    def __repr__(self) -> str:
        lines = [f"compiled {self.name}"]
        for report in self.signatures:
            lines += ["  " + line for line in repr(report).splitlines()]
        if not self.signatures:
            lines.append("  not called yet")
        return "\n".join(lines)


def inspect_signatures(table: SignatureTable) -> list[SignatureReport]:
    """A report of each signature that was called to an end."""
    reports: list[SignatureReport] = []
    for key, signature in table.items():
        for each in [signature, *signature.by_floats.values()]:
            served_only = each.state in (each.initial, State.TRUSTED)
            if each.recordings or not served_only:
                reports.append(SignatureReport(key, each))
    return reports + [LengthsReport(group) for group in table.groups() if group.programs]


def _report_of(program: TrustedProgram) -> ProgramReport:
    return ProgramReport(
        program.recording.n_steps,
        program.program.n_steps,
        program.program.n_kernels,
        program.program.memory,
        list(dict.fromkeys(program.recording.guards)),
        str(program.program),
        program.program.machine_code,
    )


def describe_key(key: tuple[Any, ...]) -> str:
    """The key of a signature, for people."""
    return "(" + ", ".join(map(_describe_part, key)) + ")"


def _describe_part(part: Any) -> str:
    if isinstance(part, type):
        return part.__name__
    if isinstance(part, tuple) and len(part) == 2:
        first, second = part
        if isinstance(first, tuple):
            return f"{second}[{', '.join(map(str, first))}]"
        if first == "is":
            return "an object"
        if isinstance(first, type) and hasattr(first, "__len__") and first is not str:
            return f"{first.__name__} of {second}:"
        return repr(second)
    return str(part)


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
