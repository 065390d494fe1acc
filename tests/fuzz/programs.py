"""Draws programs: each statement is kept if the program still runs as plain NumPy with it."""

from __future__ import annotations

import ast
import random
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import idioms
import numpy as np
from statements import Names, draw_statement
from surface import ARRAYS
from templates import HELPERS, STATE

HEAD = (
    "import collections\nimport dataclasses\nimport functools\nimport itertools\n"
    "import operator\n\nimport numpy as np\nimport tapegrad as tg\n"
)


@dataclass
class Draft:
    """A program in the making."""

    points: list[str]
    lines: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    def source(self, returned: str) -> str:
        """The text of the module; `returned` is what `f` returns."""
        body = [*self.lines, f"return {returned}"]
        used = {n.id for n in ast.walk(ast.parse(_function("f", body))) if isinstance(n, ast.Name)}
        parts = [HEAD]
        for name, array in ARRAYS.items():
            if name in used:
                parts.append(f"{name} = np.array({array.tolist()})\n")
        helpers = HELPERS | idioms.HELPERS
        for name in reversed(helpers):  # later ones call earlier ones
            if name in used:
                used |= {
                    n.id for n in ast.walk(ast.parse(helpers[name])) if isinstance(n, ast.Name)
                }
        parts += [code for name, code in helpers.items() if name in used]
        kept = []
        for name, code in STATE.items():
            if name in used:
                parts.append(code)
                kept += [c for c in self.changes if name in c]
        if kept:
            parts.append(_function("change", kept, "k"))
        parts.append(_function("f", body))
        parts.append(f"POINTS = [{', '.join(self.points)}]\n")
        return "\n".join(parts)


def _function(name: str, body: list[str], argument: str = "x") -> str:
    inner = "\n".join("    " + line for statement in body for line in statement.split("\n"))
    if name == "change":
        names = " ,".join(n for n in STATE if n in inner).replace(" ,", ", ")
        inner = f"    global {names}\n{inner}"
    return f"def {name}({argument}):\n{inner}\n"


def _is_fine(value: Any) -> bool:
    if isinstance(value, (bool, int, float, np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype.kind not in "fiub" or array.size > 60 or array.ndim > 4:
            return False
        return bool(np.all(np.isfinite(array))) and bool(np.all(np.abs(array.astype(float)) < 1e3))
    return True


def run_plain(source: str) -> Any:
    """What f returns at the first point, as plain NumPy has it."""
    namespace: dict[str, Any] = {"__name__": "program"}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        exec(compile(source, "<program>", "exec", dont_inherit=True), namespace)
        return namespace["f"](namespace["POINTS"][0])


SHAPES = [(6,), (6,), (2, 3), (2, 3), (3, 3), (4,), (), (1,), (3, 1), (2, 0), (2, 2, 3)]


def draw(rng: random.Random, size: int = 10, still_good: Any = None, writes: bool = True) -> str:
    """The text of a program of about `size` statements.

    `still_good(source, locals)` may refuse a statement that plain NumPy takes.
    """
    shape = rng.choice(SHAPES)
    n = int(np.prod(shape))
    dtype = ", np.float32" if rng.random() < 0.1 else ""
    points = []
    for _ in range(3):
        numbers = [round(rng.uniform(-1.5, 1.5), 3) for _ in range(n)]
        if shape == () and not dtype:
            points.append(f"np.float64({numbers[0]})")
        elif len(shape) == 1:
            points.append(f"np.array({numbers}{dtype})")
        else:
            points.append(f"np.reshape(np.array({numbers}{dtype or ', float'}), {shape})")
    draft = Draft(points)
    draft.changes = _changes(rng)
    names = Names(rng, {"x": run_plain(draft.source("x"))}, set(), writes)
    for _ in range(4 * size):
        if len(draft.lines) >= size:
            break
        statement = draw_statement(names)
        if not statement:
            continue
        draft.lines.append(statement)
        try:
            source = draft.source("dict(locals())")
            found = run_plain(source)
        except Exception:
            found = None
        if (
            found is None
            or not all(map(_is_fine, found.values()))
            or (still_good and not still_good(draft.source("dict(locals())"), found))
        ):
            draft.lines.pop()
            continue
        names.values = {
            k: v
            for k, v in found.items()
            if isinstance(v, (bool, int, float, np.ndarray, np.generic))
        }
    return draft.source(_returned(rng, names.values))


def _returned(rng: random.Random, values: dict[str, Any]) -> str:
    names = [n for n in values if not n.startswith("_")]
    chosen = names[-3:] if rng.random() < 0.7 else rng.sample(names, min(3, len(names)))
    if "x" not in chosen:
        chosen.append("x")
    return f"({', '.join(chosen)})"


CHANGES = [
    "DATA[k % 3] += 0.5",
    "DATA = DATA[::-1].copy()",
    "DATA[:] = [2.0, 6.0, 1.0]",
    "RATE = 1.25 - RATE",
    "RATE = k % 3",
    "FLAG = not FLAG",
    "BOX.rate = 0.5 * k",
    "BOX.w = BOX.w + 1.0",
    "BOX.w[0] *= 1.5",
    "TABLE['w'] = TABLE['w'] * 0.5",
    "TABLE['w'][k % 2] = 3.0 - k",
    "TABLE['n'] = k % 2 + 1",
    "LIST.append(0.5)",
    "LIST[0] = 1.0 + k",
    "scaled = make_scaled(0.5 + k % 2)",
    "CELL[0] += 0.5",
    "ROWS[k % 2][0] += 1.0",
    "ROWS.reverse()",
    "MASKED[k % 3] = not MASKED[k % 3]",
    "PICKED[0] = (PICKED[0] + 1) % 2",
]


def _changes(rng: random.Random) -> list[str]:
    changes = []
    for line in CHANGES:
        p = rng.random()
        if p < 0.3:
            changes.append(line)
        elif p < 0.6:
            changes.append(f"if k == {rng.randrange(1, 6)}:\n    {line}")
    return changes


def kinds(source: str) -> Counter[str]:
    """Which functions of NumPy the program calls."""
    return Counter(
        ast.unparse(n.func) for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)
    )
