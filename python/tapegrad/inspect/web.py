"""The HTML page: programs as data, and the files of `page/` around them, in one file.

The page asks no network for anything, and says so to the browser. Its data are columns, and texts
stand in it once: ten thousand nodes take about a megabyte.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from tapegrad.inspect.costs import Cost
from tapegrad.inspect.grouping import Functions
from tapegrad.inspect.scene import Row, Scene
from tapegrad.inspect.svg import COLOURS
from tapegrad.inspect.text import (
    attributes_text,
    is_bad,
    line_text,
    operation_text,
    source_text,
    type_text,
    value_text,
)

_FOLDER = Path(__file__).with_name("page")
SCRIPTS = (
    "layers.js",
    "layout.js",
    "scene.js",
    "view.js",
    "paint.js",
    "panels.js",
    "costs.js",
    "selftest.js",
    "main.js",
)
_SMALLEST_PART = 1e-4  # of all: smaller parts of a flame graph cannot be seen


@dataclass(frozen=True, eq=False)
class PageProgram:
    """A program of the page: a tab with this label, and a note on what it shows."""

    label: str
    note: str
    scene: Scene
    costs: Cost


def write_page(name: str, programs: Sequence[PageProgram], start: str = "graph") -> str:
    """The page, which opens at "graph", "values" or "time"."""
    data = {
        "name": name,
        "start": start,
        "colours": COLOURS,
        "programs": [_program(p) for p in programs],
    }
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    # No "<" stands in the data, so that nothing in it can end the element or begin another.
    text = text.replace("<", "\\u003c")
    page = (_FOLDER / "page.html").read_text("utf-8")
    parts = {
        "title": escape(f"{name} · tapegrad"),
        "style": (_FOLDER / "page.css").read_text("utf-8"),
        "data": text,
        "script": "\n".join((_FOLDER / file).read_text("utf-8") for file in SCRIPTS),
    }
    # The parts are put in at once: what looks like a mark in one of them stays what it is.
    pieces = page.split("%%")
    return "".join(parts[piece] if k % 2 else piece for k, piece in enumerate(pieces))


class _Texts:
    """Texts by number."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {"": 0}

    def number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def _program(program: PageProgram) -> dict[str, Any]:
    texts, scene = _Texts(), program.scene
    places = _numbers(x for line in scene.lines for x in (line.source_place, line.target_place))
    return {
        "label": program.label,
        "note": program.note,
        "items": _items(scene, texts),
        "lines": {
            "source": [line.source for line in scene.lines],
            "target": [line.target for line in scene.lines],
            "value": [line.value for line in scene.lines],
            "sourcePlace": [places[line.source_place] for line in scene.lines],
            "targetPlace": [places[line.target_place] for line in scene.lines],
            "places": list(places),
        },
        "rows": _rows(scene.rows, texts),
        "sources": _sources(scene.rows, texts),
        "costs": _cost(program.costs, program.costs.nanoseconds * _SMALLEST_PART),
        "texts": list(texts.numbers),
    }


def _numbers(found: Iterable[float]) -> dict[float, int]:
    numbers: dict[float, int] = {}
    for x in found:
        numbers.setdefault(x, len(numbers))
    return numbers


def _items(scene: Scene, texts: _Texts) -> dict[str, Any]:
    items = scene.items
    return {
        "parent": [item.parent for item in items],
        "kind": [texts.number(item.kind) for item in items],
        "title": [texts.number(item.title) for item in items],
        "left": [texts.number(item.left) for item in items],
        "right": [texts.number(item.right) for item in items],
        "width": [item.width for item in items],
        "height": [item.height for item in items],
        "boxes": [item.n_boxes for item in items],
        "rows": [item.rows for item in items],
        "frames": sorted(scene.frames()),
        "opened": sorted(scene.opened()),
        "guarded": [item.number for item in items if item.guarded],
    }


def _rows(rows: Sequence[Row], texts: _Texts) -> dict[str, Any]:
    return {
        "number": [row.node.number for row in rows],
        "scope": [texts.number(row.scope) for row in rows],
        "kind": [texts.number(row.node.kind) for row in rows],
        "title": [texts.number(operation_text(row.node)) for row in rows],
        "output": [row.node.output for row in rows],
        "type": [texts.number(type_text(row.node)) for row in rows],
        "operands": [row.operands for row in rows],
        "item": [row.item for row in rows],
        "value": [texts.number(value_text(row.value)) for row in rows],
        "adjoint": [texts.number(value_text(row.adjoint)) for row in rows],
        "time": [_time(row.time) for row in rows],
        "line": [texts.number(row.node.line) for row in rows],
        "attributes": [texts.number(attributes_text(row.node)) for row in rows],
        "held": [k for k, row in enumerate(rows) if row.node.held],
        "bad": [k for k, row in enumerate(rows) if is_bad(row.value) or is_bad(row.adjoint)],
    }


def _time(nanoseconds: float | None) -> float | None:
    return None if nanoseconds is None or not math.isfinite(nanoseconds) else round(nanoseconds, 1)


def _sources(rows: Sequence[Row], texts: _Texts) -> dict[int, list[str]]:
    """Of each line that is named: its short name, its function, its code."""
    functions = Functions()
    lines = {row.node.line for row in rows if row.node.line}
    return {
        texts.number(line): [line_text(line), functions.name_of(line), source_text(line)]
        for line in sorted(lines)
    }


def _cost(cost: Cost, least: float) -> list[Any]:
    parts = [_cost(part, least) for part in cost.sorted_parts() if part.nanoseconds >= least]
    return [cost.name, cost.nanoseconds, cost.n_steps, cost.n_bytes, parts]
