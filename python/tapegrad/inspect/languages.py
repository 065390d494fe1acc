"""A scene in the languages of other programs that draw: Graphviz and Mermaid."""

from __future__ import annotations

from collections.abc import Set

from tapegrad.inspect.scene import Item, Scene
from tapegrad.inspect.svg import COLOURS, kind_of

_SHAPES = {"input": ("([", "])"), "captured": ("([", "])"), "output": ("([", "])")}


def write_dot(scene: Scene, opened: Set[int]) -> str:
    """The text that `dot` reads; open frames are clusters."""
    shown = _shown(scene, opened)
    lines = [
        f"digraph {_dot(scene.items[0].title)} {{",
        '  node [shape=box, style="rounded,filled", fontname="monospace", fontsize=11];',
        '  edge [color="#7d8896", arrowsize=0.7];',
        '  graph [fontname="monospace", fontsize=11, style="rounded,filled"];',
    ]

    def write(item: Item, depth: int) -> None:
        space = "  " * depth
        fill, line, *_ = COLOURS[kind_of(item)]
        if item.members is None or item.number not in opened:
            style = ', style="rounded,filled,dashed"' if item.guarded else ""
            double = ", peripheries=2" if item.members is not None else ""
            label = _dot("\n".join(_label(item)))
            lines.append(
                f'{space}n{item.number} [label={label}, fillcolor="{fill}", '
                f'color="{line}"{style}{double}];'
            )
            return
        lines.append(f"{space}subgraph cluster_{item.number} {{")
        lines.append(f'{space}  label={_dot(item.title)}; fillcolor="{fill}"; color="{line}";')
        for m in item.members:
            write(scene.items[m], depth + 1)
        lines.append(f"{space}}}")

    for m in scene.items[0].members or ():
        write(scene.items[m], 1)
    lines += [f"  n{u} -> n{v};" for u, v in _edges(scene, shown)]
    return "\n".join([*lines, "}", ""])


def write_mermaid(scene: Scene, opened: Set[int]) -> str:
    """The text of a Mermaid flowchart; open frames are subgraphs."""
    shown = _shown(scene, opened)
    lines = ["flowchart TD"]
    by_kind: dict[str, list[str]] = {}

    def write(item: Item, depth: int) -> None:
        space = "  " * depth
        if item.members is None or item.number not in opened:
            start, end = _SHAPES.get(item.kind, ("[", "]"))
            if item.members is not None:
                start, end = "[[", "]]"
            text = "<br/>".join(_mermaid(part) for part in _label(item))
            lines.append(f'{space}n{item.number}{start}"{text}"{end}')
            by_kind.setdefault(kind_of(item), []).append(f"n{item.number}")
            return
        lines.append(f'{space}subgraph g{item.number}["{_mermaid(item.title)}"]')
        for m in item.members:
            write(scene.items[m], depth + 1)
        lines.append(f"{space}end")

    for m in scene.items[0].members or ():
        write(scene.items[m], 1)
    lines += [f"  n{u} --> n{v}" for u, v in _edges(scene, shown)]
    for kind, names in by_kind.items():
        fill, line, *_ = COLOURS[kind]
        lines.append(f"  classDef {kind} fill:{fill},stroke:{line},color:#1f2328")
        lines.append(f"  class {','.join(names)} {kind}")
    return "\n".join([*lines, ""])


def _shown(scene: Scene, opened: Set[int]) -> list[int]:
    """Of each item what stands for it: itself, or the outermost closed frame around it."""
    shown = [0]
    for item in scene.items[1:]:
        around = shown[item.parent]
        open_around = around == 0 or (around == item.parent and around in opened)
        shown.append(item.number if open_around else around)
    return shown


def _edges(scene: Scene, shown: list[int]) -> list[tuple[int, int]]:
    found = ((shown[line.source], shown[line.target]) for line in scene.lines)
    return list(dict.fromkeys(pair for pair in found if pair[0] != pair[1]))


def _label(item: Item) -> list[str]:
    notes = "   ".join(x for x in (item.left, item.right and f"d {item.right}") if x)
    return [item.title, notes] if notes else [item.title]


def _dot(text: str) -> str:
    """A quoted string: a backslash is one, and a line break is centred."""
    inner = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{inner}"'


def _mermaid(text: str) -> str:
    """Text for a quoted label, in which HTML and Markdown would be understood."""
    return "".join(c if c.isalnum() or c in " .,()=+-_/:" else f"#{ord(c)};" for c in text)
