"""The page: what stands in it, and what it does in a browser."""

import functools
import json
import re

import numpy as np
import pytest
from browser import opened, results_of
from drawn_programs import CALLS, article, bad, loop, network, network_arguments, with_bodies

from tapegrad.inspect import draw
from tapegrad.inspect.layers import Arc, Level, arrange
from tapegrad.inspect.layout import lay_out
from tapegrad.inspect.web import _FOLDER, SCRIPTS, write_page

HOSTILE = (
    "</script><script>window.injected = 1</script><!-- <img src=x onerror=injected=1> %%data%%"
)


def data_of(page):
    (found,) = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL
    )
    return json.loads(found)


def hostile_drawing():
    def f(named):
        return np.sum(named[HOSTILE] * 2.0)

    f.__name__ = f.__qualname__ = HOSTILE
    return draw(f, {HOSTILE: np.ones(3)})


@pytest.mark.parametrize("name", CALLS)
def test_the_data_are_json_of_whole_columns(name):
    f, args = CALLS[name]
    data = data_of(draw(f, *args).html())
    assert data["programs"][0]["label"] == "Recorded"
    for program in data["programs"]:
        for table in ("items", "rows"):
            columns = program[table]
            lengths = {
                len(column)
                for key, column in columns.items()
                if key not in ("frames", "opened", "guarded", "held", "bad")
            }
            assert len(lengths) == 1
        n_texts = len(program["texts"])
        assert all(k < n_texts for k in program["rows"]["value"])
        lines = program["lines"]
        assert len(lines["source"]) == len(lines["target"]) == len(lines["value"])


def test_programs_are_tabs():
    def labels(f, *args):
        return [p["label"] for p in data_of(draw(f, *args).html())["programs"]]

    assert labels(article, 2.0, 5.0) == [
        "Recorded", "Optimised", "Gradient", "Gradient, optimised",
    ]  # fmt: skip
    assert labels(*[CALLS["many"][0], *CALLS["many"][1]]) == ["Recorded", "Optimised"]
    note = data_of(draw(with_bodies, *CALLS["with_bodies"][1]).html())["programs"][0]["note"]
    assert "There is no gradient program: it has 2 results" in note


def test_the_page_needs_nothing_else():
    page = draw(article, 2.0, 5.0).html()
    assert "default-src 'none'" in page
    for text in (page, *((_FOLDER / name).read_text("utf-8") for name in SCRIPTS)):
        assert "http:" not in text.replace("http-equiv", "")
        assert "https:" not in text
        assert "@import" not in text
        assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|importScripts|eval)\(", text)
        assert not re.search(r"<(link|img|iframe|script src)\b", text)
        assert "innerHTML" not in text


def test_names_cannot_leave_the_data():
    page = hostile_drawing().html()
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert "&lt;/script&gt;" in page  # in the title
    data = data_of(page)
    assert data["name"] == HOSTILE


def test_files_of_the_page_stay_readable():
    for path in _FOLDER.iterdir():
        assert path.suffix in (".js", ".css", ".html", ".md")
        assert len(path.read_text("utf-8").splitlines()) < 500
    there = {path.name for path in _FOLDER.glob("*.js")}
    assert there == set(SCRIPTS)


def test_ten_thousand_nodes_take_megabytes_at_most():
    drawing = draw(loop, 0.5)
    programs = [drawing._page_program("recorded", 0, drawing.graph().times(1))]
    assert len(write_page("loop", programs)) < 2_000_000


# In a browser


@pytest.fixture(scope="module")
def driven(tmp_path_factory):
    """The drawing of a call, and what its page says of itself; each page is opened once."""

    @functools.cache
    def of(name):
        f, args = CALLS[name]
        drawing = draw(f, *args)
        return drawing, results_of(drawing.save(tmp_path_factory.mktemp(name) / "graph.html"))

    return of


@pytest.mark.parametrize(
    "name", ["article", "with_bodies", "many", "wave", "nothing", "derivative"]
)
def test_the_page_works(name, driven):
    drawing, results = driven(name)
    assert results["injected"] == "no"
    assert results["zoomed"] == pytest.approx(2.0)
    for program, found in zip(("recorded", "optimised"), results["programs"], strict=False):
        scene = drawing._scene(program, 0)
        n_boxes = sum(item.members is None for item in scene.items)
        assert found["rows"] == len(scene.rows)
        assert found["opened"] == n_boxes
        assert found["closed"] == len(scene.items[0].members)
        assert found["overlaps"] == 0
        assert min(found["rows"], 10) <= found["tableRows"] <= found["rows"]
        if list(drawing.graph(program).steps()):
            assert found["selected"]
            assert found["centred"]
            assert found["found"] >= 1
            assert found["byNumber"] == 1
            assert found["cleared"] == -1
            assert found["painted"] >= 1
            assert found["bars"] >= 2
            assert found["heat"][0].startswith("time: none")
            assert found["heat"][1] > 0
        if "toggled" in found:
            assert found["toggledBack"] == 0


@pytest.mark.parametrize("name", ["article", "network", "with_bodies", "nested_loops", "many"])
def test_both_layouts_are_one(name, driven):
    drawing, results = driven(name)
    for program, found in zip(("recorded", "optimised"), results["programs"], strict=False):
        scene = drawing._scene(program, 0)
        expected, there = lay_out(scene, scene.opened()), found["first"]
        assert there["width"] == expected.width
        assert there["height"] == expected.height
        assert {k: tuple(place) for k, *place in there["places"]} == expected.places
        assert [lines for lines, *_ in there["stretches"]] == [s.lines for s in expected.stretches]
        for (_, far, ends, stations), stretch in zip(
            there["stretches"], expected.stretches, strict=True
        ):
            assert (far, ends) == (stretch.far, stretch.ends)
            assert [tuple(station) for station in stations] == stretch.stations


@pytest.mark.parametrize("n", [12, 80, 700])
def test_both_place_layers_alike(n, tmp_path):
    # The last has lines that are too long for a route.
    rng = np.random.default_rng(n)
    pairs = [(k, k + 1) for k in range(n - 1)] + [(k, n - 1 - k) for k in range(n // 2 - 1)]
    pairs += [tuple(sorted(rng.choice(n, 2, replace=False).tolist())) for _ in range(n // 3)]
    widths = [0.0, 0.0, *rng.uniform(40, 120, n - 3).round(1).tolist(), 0.0]
    arcs = [Arc(u, widths[u] / 3, v, widths[v] / 2) for u, v in pairs if v > 1]
    level = Level(widths, [30.0] * n, 2, 1, arcs, 24.0, 90.0)
    given = {
        "widths": widths, "heights": level.heights, "nEntries": 2, "nExits": 1, "header": 24,
        "leastWidth": 90, "arcs": [{"u": a.u, "du": a.du, "v": a.v, "dv": a.dv} for a in arcs],
    }  # fmt: skip
    script = (_FOLDER / "layers.js").read_text("utf-8")
    path = tmp_path / "layers.html"
    path.write_text(
        f"<pre id=selftest></pre><script>{script}; const level = {json.dumps(given)}; "
        "arrange(level); document.querySelector('pre').textContent = "
        "JSON.stringify({error: null, level})</script>"
    )
    found = results_of(path)["level"]
    arrange(level)
    assert (found["width"], found["height"]) == (level.width, level.height)
    assert (found["left"], found["top"]) == (level.left, level.top)
    assert [arc["far"] for arc in found["arcs"]] == [arc.far for arc in arcs]
    assert any(arc.far for arc in arcs) == (n == 700)
    for arc, expected in zip(found["arcs"], arcs, strict=True):
        assert [tuple(station) for station in arc["stations"]] == expected.stations


def test_details_of_an_operation(driven):
    _, results = driven("article")
    details = results["programs"][0]["details"]
    for text in ("0.6931471806", "derivative1", "float64", "np.log(x1)", "Stands in"):
        assert text in details
    assert results["programs"][0]["tableText"].startswith("%0x1")


def test_mouse_and_keys(driven):
    events = dict(driven("article")[1]["events"])
    assert events.pop("dragged") == pytest.approx([30.0, 40.0])
    assert events.pop("wheel") == pytest.approx(np.exp(0.3))
    assert events.pop("fixed") == pytest.approx([0.0, 0.0], abs=1e-9)  # what is below the mouse
    assert events.pop("listed") >= 1
    assert len(events) == 11
    assert all(value is True for value in events.values()), events


def test_bad_numbers_are_marked(tmp_path):
    path = draw(bad, np.array([1.0, 0.5, 3.0])).save(tmp_path / "graph.html")
    text = opened(path, "--dump-dom", fragment="#do=view:values")
    assert re.search(r'class="bad" title="\[-inf, nan, 0.69315\]"', text)


def test_names_are_text_in_the_browser(tmp_path):
    results = results_of(hostile_drawing().save(tmp_path / "graph.html"))
    assert results["injected"] == "no"
    assert results["elements"] == 2


def test_ten_thousand_nodes_in_the_browser(tmp_path):
    results = results_of(draw(loop, 0.5).save(tmp_path / "graph.html"))
    recorded = results["programs"][0]
    assert recorded["rows"] == 10_002
    assert recorded["shown"] < 90
    assert 1_000 < recorded["opened"] <= 4_000
    assert recorded["painted"] < 200
    assert recorded["found"] == 10_000  # its name stands in the line of both operations
    assert recorded["tableRows"] < 60
    assert recorded["overlaps"] == 0


def test_the_picture_is_light_or_dark_and_not_empty(tmp_path):
    path = draw(network, *network_arguments()).save(tmp_path / "graph.html")
    light = results_of(path)["programs"]
    dark = results_of(path, "--blink-settings=preferredColorScheme=0")["programs"]
    for by_day, by_night in zip(light, dark, strict=True):
        assert by_day["brightness"] > 200
        assert by_night["brightness"] < 60
        for picture in (by_day, by_night):  # boxes, lines and text are there, with smooth edges
            assert picture["colours"] > 20
