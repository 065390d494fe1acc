"""Pictures are XML that shows each box and means no text as markup."""

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from drawn_programs import CALLS

from tapegrad.inspect import record
from tapegrad.inspect.layout import lay_out
from tapegrad.inspect.scene import Scene
from tapegrad.inspect.svg import write_svg

SVG = "{http://www.w3.org/2000/svg}"


def picture(f, *args, expand=None):
    graph = record(f, *args)
    scene = Scene(graph, *(graph.values_and_adjoints() if graph.outputs else (graph.values(),)))
    opened = scene.opened() if expand is None else scene.frames() if expand else {0}
    layout = lay_out(scene, opened)
    return scene, layout, write_svg(scene, layout)


def texts(root):
    return [element.text for element in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("expand", [None, True, False])
def test_every_box_is_there(name, expand):
    f, args = CALLS[name]
    scene, layout, text = picture(f, *args, expand=expand)
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg"
    shown = texts(root)
    for k in layout.places:
        if k:
            assert any(scene.items[k].title.startswith((t or "").rstrip("…")) for t in shown)
    width, height = (float(root.get(side)) for side in ("width", "height"))
    for rect in root.iter(f"{SVG}rect"):
        assert 0 <= float(rect.get("x")) <= width
        assert 0 <= float(rect.get("y")) <= height
    n_paths = sum("tg-edge" in path.get("class") for path in root.iter(f"{SVG}path"))
    assert n_paths == len(layout.stretches)


def test_text_is_not_markup():
    name = '<script>alert("x")</script>&\x00\x1b'
    graph = record(lambda p: p[name] * 2.0, {name: 3.0})
    scene = Scene(graph)
    text = write_svg(scene, lay_out(scene, scene.opened()))
    root = ET.fromstring(text)
    assert not list(root.iter(f"{SVG}script"))
    assert "<script" not in text
    assert any("<script>" in (t or "") for t in texts(root))


def test_nan_is_shown():
    _, _, text = picture(lambda x: np.log(x) * 1.0, -1.0)
    assert "nan" in texts(ET.fromstring(text))


def test_the_legend_names_what_appears():
    shown = texts(ET.fromstring(picture(*[CALLS["article"][0], *CALLS["article"][1]])[2]))
    assert shown[-6:] == [
        "input", "operation", "result", "line, function, block", "value", "derivative",
    ]  # fmt: skip
    f, args = CALLS["with_bodies"]
    assert {"loop or call", "branch taken"} <= set(texts(ET.fromstring(picture(f, *args)[2])))


def test_the_picture_of_the_documents_is_this_one():
    path = Path(__file__).parents[3] / "docs" / "graph.svg"
    there = texts(ET.fromstring(path.read_text("utf-8")))
    here = texts(ET.fromstring(picture(*[CALLS["article"][0], *CALLS["article"][1]])[2]))

    def boxes(found):  # without the source line, whose file is another
        return [text for text in found if "np.log" not in text]

    assert boxes(there) == boxes(here)


def test_both_kinds_of_surroundings_have_colours():
    text = picture(*[CALLS["article"][0], *CALLS["article"][1]])[2]
    assert "prefers-color-scheme:dark" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
