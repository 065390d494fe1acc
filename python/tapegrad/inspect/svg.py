"""A laid out scene as an SVG picture that stands by itself, for light and dark surroundings."""

from __future__ import annotations

from html import escape

from tapegrad.inspect.layers import HEADER
from tapegrad.inspect.layout import Layout, Stretch
from tapegrad.inspect.scene import NOTE_WIDTH, Item, Scene
from tapegrad.inspect.text import clipped

_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
# Fill and outline by kind, in light and in dark surroundings.
COLOURS = {
    "input": ("#e8f1fb", "#4b7fb8", "#17293d", "#5b92cc"),
    "captured": ("#e8f1fb", "#4b7fb8", "#17293d", "#5b92cc"),
    "step": ("#ffffff", "#a3adb8", "#1c2128", "#5d6773"),
    "kernel": ("#f2edfb", "#8a70bd", "#271f38", "#9a82cc"),
    "output": ("#e7f4ea", "#4c9760", "#17301e", "#5fae74"),
    "body": ("#fdf5e6", "#c0913c", "#2b2314", "#c79d52"),
    "repeat": ("#fdf5e6", "#c0913c", "#2b2314", "#c79d52"),
    "group": ("#f5f7f9", "#c3ccd5", "#161b21", "#454e59"),
}
_PAD, _LEAST_WIDTH = 14.0, 300.0
_WORDS = {
    "input": "input",
    "step": "operation",
    "kernel": "fused kernel",
    "output": "result",
    "body": "loop or call",
    "group": "line, function, block",
}


def write_svg(scene: Scene, layout: Layout) -> str:
    """The picture: frames, lines over them, then boxes; a legend below."""
    shown = [scene.items[k] for k in layout.places if k]
    width = max(layout.width, _LEAST_WIDTH)
    legend, n_rows = _legend(scene, shown, width - 2 * _PAD)
    height = layout.height + 18 * n_rows + 16
    shift = (width - layout.width) / 2
    frames = [i for i in shown if i.members is not None and _is_open(i, scene, layout)]
    opened = {i.number for i in frames}
    boxes = [i for i in shown if i.number not in opened]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tg-graph" role="img" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.1f} {height:.1f}">',
        f"<title>{_safe(scene.items[0].title)}</title>",
        f"<style>{_style()}</style>",
        '<defs><marker id="tg-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path class="tg-head" d="M0 .8 7.5 4 0 7.2z"/>'
        "</marker></defs>",
        f'<g transform="translate({shift:.1f} 0)">',
        *(_frame(i, layout) for i in frames),
        *(_path(s) for s in layout.stretches if not s.far),
        *(_stub(s) for s in layout.stretches if s.far),
        *(_header(i, layout) for i in frames),
        *(_box(i, layout) for i in boxes),
        "</g>",
        f'<g transform="translate({_PAD} {layout.height + 8:.1f})">{legend}</g>',
        "</svg>",
    ]
    return "\n".join(parts)


def kind_of(item: Item) -> str:
    """The kind by which an item is coloured."""
    return item.kind if item.kind in COLOURS else "group"


def _is_open(item: Item, scene: Scene, layout: Layout) -> bool:
    return any(m in layout.places for m in item.members or ())


def _style() -> str:
    light, dark = [], []
    for kind, (fill, line, dark_fill, dark_line) in COLOURS.items():
        light.append(f".tg-{kind}{{fill:{fill};stroke:{line}}}")
        dark.append(f".tg-{kind}{{fill:{dark_fill};stroke:{dark_line}}}")
    base = (
        f".tg-graph text{{font:12px {_FONT};fill:#1f2328}}"
        ".tg-graph .tg-title{font-weight:600}"
        ".tg-graph .tg-note{font-size:11px;fill:#3d5a80}"
        ".tg-graph .tg-type{font-size:11px;fill:#656d76}"
        ".tg-graph .tg-adjoint{font-size:11px;fill:#b0501f}"
        ".tg-graph .tg-edge{fill:none;stroke:#7d8896;stroke-width:1.2}"
        ".tg-graph .tg-head{fill:#7d8896}"
        ".tg-graph .tg-guard{stroke-dasharray:4 2.5;stroke:#c2483d}"
    )
    night = (
        ".tg-graph text{fill:#e6edf3}.tg-graph .tg-note{fill:#9cc3f0}"
        ".tg-graph .tg-type{fill:#9aa5b1}.tg-graph .tg-adjoint{fill:#f0a36e}"
        ".tg-graph .tg-edge{stroke:#7f8b99}.tg-graph .tg-head{fill:#7f8b99}"
        ".tg-graph .tg-guard{stroke:#f08a80}"
    )
    return f"{base}{''.join(light)}@media(prefers-color-scheme:dark){{{night}{''.join(dark)}}}"


def _safe(text: str) -> str:
    """Text for XML, which has no place for most control characters."""
    return escape("".join(c if c.isprintable() else "�" for c in text))


def _frame(item: Item, layout: Layout) -> str:
    x, y, w, h = layout.places[item.number]
    return (
        f'<rect class="tg-{kind_of(item)}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" '
        f'height="{h:.1f}" rx="7"/>'
    )


def _header(item: Item, layout: Layout) -> str:
    # Lines enter behind the header, so that they cross no title.
    x, y, w, _ = layout.places[item.number]
    text = clipped(item.title, max(int((w - 20) / 7.3), 4))
    return (
        f'<rect class="tg-{kind_of(item)}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" '
        f'height="{HEADER:.0f}" rx="7"/>'
        f'<text class="tg-title" x="{x + 10:.1f}" y="{y + 16:.1f}">{_safe(text)}</text>'
    )


def _path(stretch: Stretch) -> str:
    parts = []
    (x, top, bottom), *rest = stretch.stations
    parts.append(f"M{x:.1f} {top:.1f}")
    if bottom > top:
        parts.append(f"V{bottom:.1f}")
    for nx, ntop, nbottom in rest:
        middle = (bottom + ntop) / 2
        parts.append(f"C{x:.1f} {middle:.1f} {nx:.1f} {middle:.1f} {nx:.1f} {ntop:.1f}")
        if nbottom > ntop:
            parts.append(f"V{nbottom:.1f}")
        x, bottom = nx, nbottom
    head = ' marker-end="url(#tg-arrow)"' if stretch.ends else ""
    return f'<path class="tg-edge" d="{"".join(parts)}"{head}/>'


def _stub(stretch: Stretch) -> str:
    """The end of a line from far away, which is not drawn."""
    x, _, y = stretch.stations[-1]
    return f'<path class="tg-edge" d="M{x:.1f} {y - 9:.1f}V{y:.1f}" marker-end="url(#tg-arrow)"/>'


def _box(item: Item, layout: Layout) -> str:
    x, y, w, h = layout.places[item.number]
    kind = kind_of(item)
    round_corner = 13 if kind in ("input", "captured", "output") else 5
    parts = [f"<title>{_safe(_hint(item))}</title>"]
    guard = " tg-guard" if item.guarded else ""
    if item.members is not None:  # a second edge: there is more inside
        parts.append(
            f'<rect class="tg-{kind}" x="{x + 3:.1f}" y="{y + 3:.1f}" width="{w:.1f}" '
            f'height="{h:.1f}" rx="5"/>'
        )
    parts.append(
        f'<rect class="tg-{kind}{guard}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" '
        f'height="{h:.1f}" rx="{round_corner}"/>'
    )
    middle = x + w / 2
    title = f'<text class="tg-title" text-anchor="middle" x="{middle:.1f}"'
    if not item.left and not item.right:
        parts.append(f'{title} y="{y + h / 2 + 4:.1f}">{_safe(item.title)}</text>')
    else:
        parts.append(f'{title} y="{y + 17:.1f}">{_safe(item.title)}</text>')
        parts.append(_notes(item, middle, y + 33))
    return f"<g>{''.join(parts)}</g>"


def _notes(item: Item, middle: float, y: float) -> str:
    style = "tg-note" if item.right or _is_number(item.left) else "tg-type"
    n_chars = len(item.left) + (len(item.right) + 2 if item.right else 0)
    start = middle - n_chars * NOTE_WIDTH / 2
    text = f'<text class="{style}" x="{start:.1f}" y="{y:.1f}">{_safe(item.left)}</text>'
    if item.right:
        right = start + (len(item.left) + 2) * NOTE_WIDTH
        text += f'<text class="tg-adjoint" x="{right:.1f}" y="{y:.1f}">{_safe(item.right)}</text>'
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text in ("True", "False")
    return True


def _hint(item: Item) -> str:
    """What a browser shows beside the pointer."""
    lines = [item.title, item.left]
    if item.right:
        lines.append(f"derivative of the result by it: {item.right}")
    if item.guarded:
        lines.append("a branch was taken by this value: the graph holds where it is the same")
    return "\n".join(line for line in lines if line)


def _legend(scene: Scene, shown: list[Item], width: float) -> tuple[str, int]:
    """What the colours mean, of those that appear, and in how many rows."""
    kinds = {("body" if k == "repeat" else k) for k in map(kind_of, shown)}
    entries = [(f"tg-{kind}", word, True) for kind, word in _WORDS.items() if kind in kinds]
    if any(item.right for item in shown):
        entries += [("tg-note", "value", False), ("tg-adjoint", "derivative", False)]
    if any(item.guarded for item in shown):
        entries.append(("tg-step tg-guard", "branch taken", True))
    parts: list[str] = []
    x, row = 0.0, 0
    for style, word, boxed in entries:
        size = len(word) * NOTE_WIDTH + (17 if boxed else 0)
        if x > 0 and x + size > width:
            x, row = 0.0, row + 1
        y = 18 * row
        if boxed:
            parts.append(
                f'<rect class="{style}" x="{x:.1f}" y="{y + 3}" width="12" height="12" rx="3"/>'
            )
        text = x + 17 if boxed else x
        colour = "tg-type" if boxed else style
        parts.append(f'<text class="{colour}" x="{text:.1f}" y="{y + 13}">{word}</text>')
        x += size + 16
    return "".join(parts), row + 1
