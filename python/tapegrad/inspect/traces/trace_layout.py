"""How a computation trace is set: as text, Markdown, LaTeX or HTML."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tapegrad.inspect.traces.formula_text import Html, Latex, Text
from tapegrad.inspect.traces.formulas import Applied, Formula, Name, Number, replaced

if TYPE_CHECKING:
    from tapegrad.inspect.trace_table import TraceRow
    from tapegrad.inspect.traces.trace_rules import Contribution

PRIMAL, TANGENT, ADJOINT = (
    "Forward primal trace",
    "Forward tangent trace",
    "Reverse adjoint trace, from the last line up",
)
Line = tuple[str, str]  # what stands on the left of a table and on the right


@dataclass(frozen=True, eq=False)
class TraceTable:
    """A computation trace; see `tg.trace_table`. `str()` sets it as text."""

    rows: tuple[TraceRow, ...]
    mode: str
    output: Name
    value: Any
    partials: tuple[Any, ...] | None
    tangent: Any
    wrt: Name
    names: Mapping[Name, Any]
    tangents: Mapping[Name, Any]
    digits: int
    limit: int

    def __str__(self) -> str:
        return "\n\n".join(_text(*part) for part in self._parts(Text(self.digits)))

    def __repr__(self) -> str:
        return str(self)

    def to_markdown(self) -> str:
        """The tables in Markdown."""
        return "\n\n".join(_markdown(*part) for part in self._parts(Text(self.digits)))

    def to_latex(self) -> str:
        """The tables as LaTeX `tabular` environments."""
        return "\n\n".join(_latex(*part) for part in self._parts(Latex(self.digits)))

    def _repr_html_(self) -> str:
        return "\n".join(_html(*part) for part in self._parts(Html(self.digits)))

    def _parts(self, style: Text) -> list[tuple[Line, list[Line]]]:
        parts = []
        if self.mode != "reverse":
            parts.append(((PRIMAL, TANGENT), self._lines(style, self._tangent_cells)))
        if self.mode != "forward":
            parts.append(((PRIMAL, ADJOINT), self._lines(style, self._adjoint_cells)))
        return parts

    def _lines(self, style: Text, right: Callable[[Text, TraceRow], list[str]]) -> list[Line]:
        lines: list[Line] = []
        rows, skipped = self._shown()
        for k, row in enumerate(rows):
            if skipped and k == len(rows) // 2:
                lines.append((f"{style.missing} {skipped} rows left out; limit= shows more", ""))
            cells = right(style, row) or [""]
            lines.append((self._primal(style, row), cells[0]))
            lines += [("", cell) for cell in cells[1:]]
        y = Name("y")
        number = style.number(self.value)
        left = f"{style.name(y)} = {style.name(self.output)} = {number}"
        return [*lines, (left, self._end(style, y, right == self._adjoint_cells))]

    def _shown(self) -> tuple[list[TraceRow], int]:
        if len(self.rows) <= self.limit:
            return list(self.rows), 0
        half = self.limit // 2
        return [*self.rows[:half], *self.rows[-half:]], len(self.rows) - 2 * half

    def _end(self, style: Text, y: Name, adjoint: bool) -> str:
        accent = "bar" if adjoint else "dot"
        ours = Name(self.output.letter, self.output.index, accent)
        theirs = Name(y.letter, y.index, accent)
        if adjoint:
            last = next(row for row in self.rows if row.name == self.output)
            number = style.number(last.adjoint)
            return f"{style.name(ours)} = {style.name(theirs)} = {number}"
        return f"{style.name(theirs)} = {style.name(ours)} = {style.number(self.tangent)}"

    def _primal(self, style: Text, row: TraceRow) -> str:
        words = [style.name(row.name)]
        if row.label is not None:
            words.append(style.name(row.label))
        words += self._substituted(style, row.formula, row.value)
        return " = ".join(words)

    def _tangent_cells(self, style: Text, row: TraceRow) -> list[str]:
        if row.tangent is None:
            return []
        words = [style.name(Name(row.name.letter, row.name.index, "dot"))]
        if row.label is not None:
            words.append(style.name(Name(row.label.letter, row.label.index, "dot")))
        return [" = ".join([*words, *self._substituted(style, row.tangent_rule, row.tangent)])]

    def _adjoint_cells(self, style: Text, row: TraceRow) -> list[str]:
        if row.label is not None:
            if row.adjoint is None:
                return []
            theirs = Name(row.label.letter, row.label.index, "bar")
            ours = Name(row.name.letter, row.name.index, "bar")
            return [f"{style.name(theirs)} = {style.name(ours)} = {style.number(row.adjoint)}"]
        return [self._contribution(style, row, x) for x in reversed(row.contributions)]

    def _contribution(self, style: Text, row: TraceRow, x: Contribution) -> str:
        target = style.name(x.target)
        before = "" if x.first else f"{target} + "
        bar = style.name(Name(x.partial.of.letter, x.partial.of.index, "bar"))
        words = [target, f"{before}{bar} {style.partial(x.partial)}"]
        if x.rule is not None:
            words.append(before + style.write(x.rule))
        if x.total is not None:
            words.append(style.number(x.total))
        return " = ".join(words)

    def _substituted(self, style: Text, formula: Formula | None, value: Any) -> list[str]:
        """The formula, the formula in numbers where these are short, and the value."""
        number = style.number(value)
        if formula is None:
            return [number]
        words = [style.write(formula)]
        if isinstance(formula, Applied) and formula.op != "slice":
            scalars = replaced(formula, self._number)
            if _is_scalar(scalars):
                words.append(style.write(scalars))
        return [*words, number]

    def _number(self, name: Name) -> Formula:
        plain = Name(name.letter, name.index)
        return Number(self.tangents[plain] if name.accent == "dot" else self.names[plain])


def _is_scalar(formula: Formula) -> bool:
    if isinstance(formula, Applied):
        return all(_is_scalar(x) for x in formula.operands)
    return isinstance(formula, Number) and getattr(formula.content, "ndim", 0) == 0


def _width(text: str) -> int:
    return sum(not unicodedata.combining(c) for c in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _text(heads: Line, lines: list[Line]) -> str:
    width = max(_width(left) for left, _ in [heads, *lines])
    set_ = [f"{_padded(left, width)}  |  {right}".rstrip() for left, right in [heads, *lines]]
    rule = "-" * (width + 2) + "+" + "-" * (2 + max(_width(right) for _, right in [heads, *lines]))
    return "\n".join([set_[0], rule, *set_[1:]])


def _markdown(heads: Line, lines: list[Line]) -> str:
    def row(left: str, right: str) -> str:
        return f"| {left} | {right} |".replace("*", r"\*")

    return "\n".join([row(*heads), "| --- | --- |", *(row(*line) for line in lines)])


def _latex(heads: Line, lines: list[Line]) -> str:
    def cell(text: str) -> str:
        if "rows left out" in text:
            return text.replace(r"\ldots", r"\ldots{}")
        return f"${text}$" if text else ""

    body = [rf"{cell(left)} & {cell(right)} \\" for left, right in lines]
    head = rf"{heads[0]} & {heads[1]} \\ \hline"
    return "\n".join([r"\begin{tabular}{l|l}", head, *body, r"\end{tabular}"])


def _html(heads: Line, lines: list[Line]) -> str:
    def row(tag: str, line: Line) -> str:
        style = ' style="text-align: left"'
        return "<tr>" + "".join(f"<{tag}{style}>{cell}</{tag}>" for cell in line) + "</tr>"

    body = "\n".join(row("td", line) for line in lines)
    return f"<table>\n{row('th', heads)}\n{body}\n</table>"
