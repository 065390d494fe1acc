"""`tg.inspect.draw`: programs, files, and what is refused."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from drawn_programs import CALLS, article, loop, many, network, network_arguments, wave

import tapegrad as tg
from tapegrad.inspect.drawing import PROGRAMS
from tapegrad.inspect.web import write_page


def titles(drawing, program="recorded"):
    root = ET.fromstring(drawing.svg(program, expand=True))
    return [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]


def test_it_says_what_it_is():
    drawing = tg.inspect.draw(article, 2.0, 5.0)
    assert repr(drawing) == (
        "<drawing of article: 2 inputs, 5 steps, 1 results; .save('graph.html') writes a page>"
    )
    assert drawing._repr_svg_() == drawing.svg()


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_program_is_drawn(program):
    drawing = tg.inspect.draw(network, *network_arguments())
    shown = titles(drawing, program)
    assert "params[0][0]" in shown
    assert any(title and title.startswith("kernel of") for title in shown) == (
        "optimised" in program
    )
    assert ("reverse sweep" in shown) == (program == "gradient")
    assert ("result[0]" in shown) == program.startswith("gradient")


@pytest.mark.parametrize("name", CALLS)
def test_every_call_has_a_page(name):
    f, args = CALLS[name]
    assert tg.inspect.draw(f, *args).html().startswith("<!DOCTYPE html>")


def test_results_are_called_by_where_they_stand():
    shown = titles(tg.inspect.draw(*[CALLS["decomposed"][0], *CALLS["decomposed"][1]]))
    assert {"result['values']", "result['product']"} <= set(shown)
    assert {"result.real", "result.imag"} <= set(titles(tg.inspect.draw(wave, 2.0)))
    # A result that is the same at each call has no box, and the others keep their numbers.
    mixed = titles(tg.inspect.draw(lambda x: {"text": "hello", "y": x * 2.0}, 1.0))
    assert "result" in mixed


def test_keywords_reach_the_function():
    drawing = tg.inspect.draw(lambda x, *, scale: np.sum(x * scale), np.ones(3), scale=2.0)
    assert {"x", "scale"} <= set(titles(drawing))


def test_derivatives_of_another_result():
    drawing = tg.inspect.draw(lambda x: (x * 2.0, x * x), 3.0)
    assert "6" in titles_of_output(drawing, 1)
    assert "2" in titles_of_output(drawing, 0)
    with pytest.raises(ValueError, match=r"output is 2, but .* has 2 results: 0 to 1"):
        drawing.svg(output=2)


def titles_of_output(drawing, output):
    """The derivatives that a picture shows."""
    root = ET.fromstring(drawing.svg(output=output))
    found = root.iter("{http://www.w3.org/2000/svg}text")
    return [t.text for t in found if t.get("class") == "tg-adjoint"]


def test_compiled_functions_keep_their_passes():
    def f(x):
        return np.sum(np.sin(x) * x)

    x = np.ones(100)
    fused = tg.inspect.draw(tg.compile(f), x).graph("optimised")
    plain = tg.inspect.draw(tg.compile(f, passes={"fuse": False}), x).graph("optimised")
    assert any(node.kernel for node in fused.nodes)
    assert not any(node.kernel for node in plain.nodes)


def test_files_by_their_ending(tmp_path):
    drawing = tg.inspect.draw(article, 2.0, 5.0)
    starts = {
        "a.html": "<!DOCTYPE html>", "a.svg": "<svg", "a.dot": "digraph", "a.gv": "digraph",
        "a.mmd": "flowchart TD",
    }  # fmt: skip
    for name, start in starts.items():
        path = drawing.save(tmp_path / name)
        assert path == tmp_path / name
        assert path.read_text("utf-8").startswith(start)
    assert "kernel" in drawing.save(tmp_path / "b.svg", program="optimised").read_text("utf-8")
    with pytest.raises(ValueError, match=r"'a.png' ends in none of .html, .svg, .dot, .gv, .mmd"):
        drawing.save(tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def test_what_is_refused():
    drawing = tg.inspect.draw(many, [1.0, 2.0])
    with pytest.raises(ValueError, match="no program 'fused'; write one of 'recorded', 'optimise"):
        drawing.svg("fused")
    with pytest.raises(TypeError, match="many has no gradient to draw: it has 3 results"):
        drawing.svg("gradient")
    with pytest.raises(TypeError, match=r"its result is float64 of shape \(2,\)"):
        tg.inspect.draw(lambda x: x * 2.0, np.ones(2)).graph("gradient")
    with pytest.raises(ValueError, match="start is 'flame'"):
        drawing.html(start="flame")
    with pytest.raises(TypeError, match=r"tg\.inspect\.draw\(f, x\)"):
        tg.inspect.draw(3.0, 2.0)


def test_values_are_shown_where_derivatives_are_refused():
    @tg.primitive
    def doubled(x):
        return np.asarray(x) * 2.0

    drawing = tg.inspect.draw(lambda x: doubled(x) + 1.0, 3.0)
    assert "7" in titles(drawing)
    assert titles_of_output(drawing, 0) == []
    page = drawing.html()
    assert "It has no derivatives: TypeError: doubled: a reverse sweep wants" in page
    assert "There is no gradient program: TypeError: doubled" in page
    with pytest.raises(TypeError, match="doubled"):
        drawing.graph("gradient")
    for f, x in ((lambda x: (x * 2.0, "text"), 1.0), (lambda d: d["x"] * 2.0, {"x": 1.0, "s": ""})):
        page = tg.inspect.draw(f, x).html()
        assert "There is no gradient program: TypeError: value_and_grad" in page


def test_the_function_is_called_once_and_once_more_for_the_gradient():
    calls = []

    def counted(x):
        calls.append(x)
        return np.sum(x * x)

    drawing = tg.inspect.draw(counted, np.ones(3))
    drawing.svg("optimised")
    assert len(calls) == 1
    drawing.html()
    drawing.html()
    assert len(calls) == 2


def test_huge_arrays_are_not_written_out():
    drawing = tg.inspect.draw(lambda x: np.sum(np.sin(x)), np.ones((500, 400)))
    page = drawing.html()
    assert len(page) < 150_000
    assert "min 1, max 1, mean 1" in page


def test_nan_and_infinities_make_no_broken_json():
    page = tg.inspect.draw(*[CALLS["bad"][0], *CALLS["bad"][1]]).html()
    data = re.findall(r'id="data">(.*?)</script>', page, re.DOTALL)[0]
    assert not re.search(r"[:,\[](NaN|-?Infinity)[,\]}]", data)


def test_large_graphs_are_drawn_closed():
    drawing = tg.inspect.draw(loop, 0.5)
    assert len(drawing.svg()) < 60_000
    assert len(drawing.dot()) < 30_000
    assert drawing.dot(expand=True).count("[label=") > 10_000


def test_times_may_be_given():
    drawing = tg.inspect.draw(article, 2.0, 5.0)
    page = drawing.html(times={"recorded": [1e9, 0.0, 0.0, 0.0, 0.0]})
    assert '"time":[null,null,1000000000.0,0.0,0.0,0.0,0.0]' in page
    assert write_page("empty", []).startswith("<!DOCTYPE html>")


def test_single_precision_and_views():
    x = np.arange(12.0, dtype=np.float32).reshape(3, 4)[::-1, ::2]
    x.flags.writeable = False
    drawing = tg.inspect.draw(lambda x: np.sum(x * x), x)
    assert "float32 (3, 2)" in titles(drawing)
    assert drawing.graph("gradient").nodes[0].dtype == "float32"
