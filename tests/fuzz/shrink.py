"""A smaller program with the same fault: lines and expressions are left out while it shows."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator


def shrink(source: str, shows: Callable[[str], bool], budget: int = 600) -> str:
    """`shows(text)` tells whether a program has the fault; it is asked `budget` times at most."""
    best, left = source, budget
    improved = True
    while improved:
        improved = False
        for candidate in _smaller(best):
            if len(candidate) >= len(best):
                continue
            if left == 0:
                return best
            left -= 1
            if shows(candidate):
                best, improved = candidate, True
                break
    return best


def _smaller(source: str) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    yield from _without_statements(tree)
    yield from _simpler_expressions(tree)


def _bodies(tree: ast.AST) -> Iterator[tuple[list[int], str]]:
    """Where lists of statements are: the position of the node in a walk, and the field."""
    for k, node in enumerate(ast.walk(tree)):
        for name in ("body", "orelse", "finalbody"):
            if isinstance(getattr(node, name, None), list) and not isinstance(node, ast.Lambda):
                yield [k], name


def _node(tree: ast.AST, k: int) -> ast.AST:
    return next(n for i, n in enumerate(ast.walk(tree)) if i == k)


def _text(tree: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _without_statements(tree: ast.Module) -> Iterator[str]:
    for (k,), name in _bodies(tree):
        statements = getattr(_node(tree, k), name)
        for n in (8, 4, 2, 1):
            for at in range(len(statements) - n, -1, -1):
                less = copy.deepcopy(tree)
                body = getattr(_node(less, k), name)
                removed = body[at : at + n]
                inner = [
                    s for r in removed for s in getattr(r, "body", []) if isinstance(s, ast.stmt)
                ]
                del body[at : at + n]
                if body or name != "body":
                    yield _text(less)
                if n == 1 and inner and not isinstance(removed[0], (ast.FunctionDef, ast.ClassDef)):
                    body[at:at] = inner
                    yield _text(less)


def _simpler_expressions(tree: ast.Module) -> Iterator[str]:
    # The points stay: what counts for one may not count for an argument that is no array of floats.
    points = {id(n) for s in tree.body if ast.unparse(s)[:6] == "POINTS" for n in ast.walk(s)}
    for k, node in enumerate(ast.walk(tree)):
        if id(node) in points:
            continue
        for name, value in ast.iter_fields(node):
            values = value if isinstance(value, list) else [value]
            for i, v in enumerate(values):
                if not isinstance(v, ast.expr):
                    continue
                if (
                    isinstance(value, list)
                    and len(values) > 1
                    and isinstance(node, (ast.Tuple, ast.List))
                ):
                    less = copy.deepcopy(tree)
                    del getattr(_node(less, k), name)[i]
                    yield _text(less)
                for simple in _replacements(v):
                    less = copy.deepcopy(tree)
                    parent = _node(less, k)
                    if isinstance(value, list):
                        getattr(parent, name)[i] = simple
                    else:
                        setattr(parent, name, simple)
                    yield _text(less)


def _replacements(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
        return
    children = [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)]
    if isinstance(node, ast.Call):
        children += [k.value for k in node.keywords]
    yield from copy.deepcopy(children)
    if not isinstance(node, (ast.Constant, ast.Name)):
        yield ast.Constant(1.0)
