"""Expressions over the supported surface, as text: read from the tables of cases."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import op_cases
import shape_cases
import surface_cases
from options import calls
from ufunc_cases import PREDICATES_1, PREDICATES_2, SMOOTH

TABLES = Path(surface_cases.__file__).parent
# Arrays that the cases name; each program defines those that it uses.
ARRAYS = {name: np.asarray(getattr(surface_cases, name)) for name in ("X", "Y", "V", "S", "MASK")}
KNOWN = {"np", "len", "float", "int", "range", "tuple", "slice", *ARRAYS}


@dataclass(frozen=True)
class Expression:
    """Text in names `{0}`, `{1}` ...; the shapes of what they stand for, None for any."""

    text: str
    shapes: tuple[tuple[int, ...] | None, ...]

    def of(self, names: list[str]) -> str:
        tree = ast.parse(self.text, mode="eval").body
        if isinstance(tree, ast.Lambda):
            places = {a.arg: n for a, n in zip(tree.args.args, names, strict=True)}
            return ast.unparse(_Renamed(places).visit(tree.body))
        return f"{self.text}({', '.join(names)})"


class _Renamed(ast.NodeTransformer):
    def __init__(self, places: dict[str, str]) -> None:
        self.places = places

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.places.get(node.id, node.id), node.ctx)

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        own = {a.arg for a in node.args.args}
        kept = {k: v for k, v in self.places.items() if k not in own}
        node.body = _Renamed(kept).visit(node.body)
        return node


def _parsed(name: str) -> ast.Module:
    return ast.parse((TABLES / f"{name}.py").read_text("utf-8"))


def _text(node: ast.expr) -> str | None:
    """A function of a table that says everything itself, and defaults of its parameters apart."""
    if isinstance(node, ast.Lambda) and (node.args.defaults or node.args.kwonlyargs):
        return None
    own = {a.arg for n in ast.walk(node) if isinstance(n, ast.Lambda) for a in n.args.args}
    stored = {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return ast.unparse(node) if names <= own | stored | KNOWN else None


def _from_surface() -> Iterator[Expression]:
    for statement in _parsed("surface_cases").body + _parsed("surface_plain_cases").body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Dict):
            continue
        table = ast.unparse(statement.targets[0])
        for value in statement.value.values:
            if isinstance(value, ast.Name):  # a table of another file
                continue
            if table == "CALLS":
                assert isinstance(value, ast.List)
                pairs = [p.elts for p in value.elts if isinstance(p, ast.Tuple)]
                for f, at in pairs:
                    text, where = _text(f), _text(at)
                    if text and where:
                        point = np.asarray(eval(where, {"np": np, **ARRAYS}))
                        yield Expression(text, (point.shape,))
            elif table in ("PLAIN_CALLS", "DATA_CALLS") and (text := _text(value)):
                yield Expression(text, ((2, 3),))
        if table == "CAPTURED_CALLS":
            for function, arguments in ast.literal_eval(statement.value).items():
                yield Expression(
                    f"lambda q, w: {function}{arguments.replace('X', 'q')}", ((3, 3), ())
                )


def _from_rows(name: str, module: Any) -> Iterator[Expression]:
    rng = np.random.default_rng(0)
    for statement in _parsed(name).body:
        call = statement.value if isinstance(statement, ast.Expr) else None
        if not isinstance(call, ast.Call) or ast.unparse(call.func) != "row":
            continue
        text = _text(call.args[1])
        if text is None:
            continue
        make = eval(ast.unparse(call.args[2]), vars(module))
        yield Expression(text, tuple(np.shape(x) for x in make(rng)))


def _from_ufuncs() -> Iterator[Expression]:
    for case in SMOOTH:
        names = "abc"[: len(case.ranges)]
        inside = ", ".join(
            f"inside({n}, {low}, {high})" for n, (low, high) in zip(names, case.ranges, strict=True)
        )
        yield Expression(
            f"lambda {', '.join(names)}: np.{case.name}({inside})", (None,) * len(names)
        )
        yield Expression(
            f"lambda {', '.join(names)}: np.{case.name}({', '.join(names)})", (None,) * len(names)
        )
    for name in PREDICATES_1:
        yield Expression(f"np.{name}", (None,))
    for name in PREDICATES_2:
        yield Expression(f"np.{name}", (None, None))


@cache
def expressions() -> tuple[Expression, ...]:
    """Every expression of the tables that can be written down without them."""
    found = [
        *_from_surface(),
        *_from_rows("op_cases", op_cases),
        *_from_rows("shape_cases", shape_cases),
        *_from_ufuncs(),
        *(Expression(f"lambda x: {call}", (None,)) for call in calls()),
    ]
    # What an empty array holds is nobody's business.
    return tuple(e for e in dict.fromkeys(found) if "empty" not in e.text)
