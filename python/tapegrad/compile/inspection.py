"""What `compiled.inspect()` shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class ProgramReport(NamedTuple):
    """One program: a path through the function."""

    n_recorded: int
    n_steps: int
    n_kernels: int
    memory: int  # the most bytes that its arrays take at a time
    guards: list[str]
    text: str  # one step a line

    def __repr__(self) -> str:
        lines = [f"program: {_count(self.n_steps, 'step')}, {self.n_recorded} as recorded"]
        if self.n_kernels:
            lines[0] += f"; {_count(self.n_kernels, 'fused kernel')}"
        if self.memory:
            lines[0] += f"; {self.memory} bytes"
        lines += [f"  holds while the choice at {where} is the same" for where in self.guards]
        return "\n".join(lines)


class SignatureReport:
    """One signature: how often it was recorded and replayed, its programs, why it runs eagerly."""

    def __init__(self, key: tuple[Any, ...], entry: Any, paths: Sequence[Any]) -> None:
        self.arguments = describe_key(key)
        self.recordings: int = entry.recordings
        self.replays: int = entry.replays
        self.eager: str = entry.eager
        self.programs = [_report_of(path) for path in paths]
        family = entry.family
        alone = family is not None and family.has_several() and not family.generals
        self.fixed_lengths: str = family.why if alone else ""

    def __repr__(self) -> str:
        head = f"{self.arguments}: {_count(self.recordings, 'recording')}"
        lines = [f"{head}, {_count(self.replays, 'replay')}"]
        if self.eager:
            lines.append(f"  runs as plain Python: {self.eager}")
        elif self.fixed_lengths:
            lines.append(f"  each length is recorded by itself: {self.fixed_lengths}")
        for program in self.programs:
            lines += ["  " + line for line in repr(program).splitlines()]
        return "\n".join(lines)


class LengthsReport(SignatureReport):
    """All lengths that were not recorded: letters stand for those that are free."""

    def __init__(self, family: Any) -> None:
        self.arguments = describe_key(family.generals[0].key) + " of any length"
        self.recordings = 0
        self.replays = family.replays
        self.eager = self.fixed_lengths = ""
        self.programs = [_report_of(general.last) for general in family.generals]


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


def _report_of(path: Any) -> ProgramReport:
    return ProgramReport(
        path.recorded.recording.n_steps,
        path.program.n_steps,
        path.program.n_kernels,
        getattr(path.program, "memory", 0),
        list(dict.fromkeys(path.recorded.recording.guards)),
        str(path.program),
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
