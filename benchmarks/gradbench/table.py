"""What was measured, as text: how sessions ended, and times beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.gradbench.checkout import OURS
from benchmarks.gradbench.mediator import VALID, Session


@dataclass
class Row:
    """One function at one size; a tool whose results are not valid has no time."""

    eval: str
    function: str
    description: str
    milliseconds: dict[str, float] = field(default_factory=dict)  # of all calls
    first: dict[str, float] = field(default_factory=dict)  # medians of the first calls

    def ratio(self, tool: str) -> float | None:
        """The tool's time over tapegrad's."""
        if tool not in self.milliseconds or OURS not in self.milliseconds:
            return None
        return self.milliseconds[tool] / self.milliseconds[OURS]


def rows(
    found: Mapping[tuple[str, str], Sequence[Session]],
    tools: Sequence[str],
    figure: Callable[[Iterable[int]], float] = median,
) -> list[Row]:
    """In the order in which tapegrad was asked; the sessions are those of all rounds."""
    table: dict[tuple[str, str, str], Row] = {}
    for name in dict.fromkeys(name for name, _ in found):
        for tool in tools:
            times: dict[tuple[str, str, str], list[list[int]]] = {}
            for session in found.get((name, tool), ()):
                for evaluation in session.evaluations:
                    key = (name, evaluation.function, evaluation.description)
                    row = table.setdefault(key, Row(*key))
                    if evaluation.outcome() == VALID and evaluation.nanoseconds:
                        times.setdefault(key, []).append(evaluation.nanoseconds)
            for key, calls in times.items():
                row = table[key]
                row.milliseconds[tool] = figure([ns for one in calls for ns in one]) / 1e6
                row.first[tool] = median(one[0] for one in calls) / 1e6
    return list(table.values())


def outcome(name: str, tool: str, session: Session) -> str:
    """One line, and what was complained about below it."""
    valid = sum(evaluation.outcome() == VALID for evaluation in session.evaluations)
    line = f"{name}, {tool}: {session.outcome}, {valid} of {len(session.evaluations)} valid"
    if session.error is None:
        return line
    return line + "\n    " + session.error.strip().replace("\n", "\n    ")


def markdown(table: Sequence[Row], tools: Sequence[str]) -> str:
    """A column for each tool: milliseconds, and how many times tapegrad's that is."""
    others = [tool for tool in tools if tool != OURS]
    heads = ["eval", f"{OURS}, ms", "its first call", *others]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in table:
        label = f"{row.eval} {row.function}"
        if row.description:
            label += f", {row.description}"
        cells = [label, _figure(row.milliseconds.get(OURS)), _figure(row.first.get(OURS))]
        for tool in others:
            ratio = row.ratio(tool)
            time = _figure(row.milliseconds.get(tool))
            cells.append(time if ratio is None else f"{time} ({_figure(ratio)}x)")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _figure(value: float | None) -> str:
    """Three digits; nothing for nothing."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
