"""The computation trace as a table: the survey's numbers, sums of contributions, other forms."""

import numpy as np
import pytest
from scipy import special

import tapegrad as tg
from tapegrad.inspect.traces.formulas import Name

PROGRAMS = {
    "scalars": (lambda a, b: a**b / np.tanh(a) - a * a, (2.0, 3.0)),
    "repeated operand": (lambda x: x * x + np.hypot(x, x), (1.5,)),
    "array": (lambda w: np.sum(np.tanh(w[1] * w) ** 2) / (1 + w[0]), (np.arange(1.0, 5.0),)),
    "matrix": (lambda a, x: np.linalg.norm(a @ x), (np.arange(6.0).reshape(2, 3), np.ones(3))),
    "float32": (lambda x: np.mean(np.exp(x)), (np.linspace(0, 1, 5, dtype=np.float32),)),
    "branch": (lambda x: np.sum(np.where(x > 1, x, 2 * x)), (np.array([0.0, 3.0]),)),
    "several results": (lambda a: np.linalg.svd(a)[1][0], (np.array([[1.0, 2.0], [3.0, 4.0]]),)),
    "container": (lambda p: p["a"] * p["b"][1], ({"a": 2.0, "b": [1.0, 3.0]},)),
    "strided": (lambda x: np.prod(x + 1), (np.arange(8.0)[::-2],)),
    "loop": (lambda x: sum(np.sin(x) / (k + 1) for k in range(4)), (0.5,)),
    "derivative": (tg.grad(lambda x: np.sin(x) * x), (0.5,)),
    "stopped": (lambda x: x * tg.stop_gradient(x), (3.0,)),
}


def survey(x1, x2):
    a, b, c = np.log(x1), x1 * x2, np.sin(x2)
    return a + b - c


def test_the_table_of_the_survey():
    table = tg.trace_table(survey, 2.0, 5.0, mode="both")
    assert table.value == 11.652071455223084
    assert table.partials == (5.5, 1.7163378145367738)
    assert table.tangent == 5.5
    forward, reverse = str(table).replace("\u00d7", "*").split("\n\n")
    assert [line.split("  |")[0].rstrip() for line in forward.splitlines()[2:]] == [
        "v-1 = x1 = 2",
        "v0 = x2 = 5",
        "v1 = ln v-1 = ln 2 = 0.693147",
        "v2 = v-1 * v0 = 2 * 5 = 10",
        "v3 = sin v0 = sin 5 = -0.958924",
        "v4 = v1 + v2 = 0.693147 + 10 = 10.6931",
        "v5 = v4 - v3 = 10.6931 - (-0.958924) = 11.6521",
        "y = v5 = 11.6521",
    ]
    d, b = "\u0307", "\u0304"
    assert [line.split("|  ")[1] for line in forward.splitlines()[2:]] == [
        f"v{d}-1 = x{d}1 = 1",
        f"v{d}0 = x{d}2 = 0",
        f"v{d}1 = v{d}-1 / v-1 = 1 / 2 = 0.5",
        f"v{d}2 = v{d}-1 * v0 + v{d}0 * v-1 = 1 * 5 + 0 * 2 = 5",
        f"v{d}3 = v{d}0 * cos v0 = 0 * cos 5 = 0",
        f"v{d}4 = v{d}1 + v{d}2 = 0.5 + 5 = 5.5",
        f"v{d}5 = v{d}4 - v{d}3 = 5.5 - 0 = 5.5",
        f"y{d} = v{d}5 = 5.5",
    ]
    assert [line.split("|  ")[1] for line in reverse.splitlines()[2:]] == [
        f"x{b}1 = v{b}-1 = 5.5",
        f"x{b}2 = v{b}0 = 1.71634",
        f"v{b}-1 = v{b}-1 + v{b}1 ∂v1/∂v-1 = v{b}-1 + v{b}1 / v-1 = 5.5",
        f"v{b}0 = v{b}0 + v{b}2 ∂v2/∂v0 = v{b}0 + v{b}2 * v-1 = 1.71634",
        f"v{b}-1 = v{b}2 ∂v2/∂v-1 = v{b}2 * v0 = 5",
        f"v{b}0 = v{b}3 ∂v3/∂v0 = v{b}3 * cos v0 = -0.283662",
        f"v{b}2 = v{b}4 ∂v4/∂v2 = v{b}4 * 1 = 1",
        f"v{b}1 = v{b}4 ∂v4/∂v1 = v{b}4 * 1 = 1",
        f"v{b}3 = v{b}5 ∂v5/∂v3 = v{b}5 * (-1) = -1",
        f"v{b}4 = v{b}5 ∂v5/∂v4 = v{b}5 * 1 = 1",
        f"v{b}5 = y{b} = 1",
    ]


def added(table):
    """The adjoints, summed from what the steps add."""
    totals = {table.output: 1.0}
    for row in reversed(table.rows):
        for x in row.contributions:
            plain = Name(x.target.letter, x.target.index)
            assert x.first == (plain not in totals)
            totals[plain] = totals.get(plain, 0.0) + x.value
            np.testing.assert_allclose(totals[plain], x.total, rtol=1e-6, atol=1e-7)
    return totals


@pytest.mark.parametrize("name", PROGRAMS)
def test_contributions_add_up_to_the_adjoints(name):
    f, args = PROGRAMS[name]
    table = tg.trace_table(f, *args, mode="both")
    value = f(*args)
    np.testing.assert_allclose(table.value, value, rtol=1e-6)
    totals = added(table)
    for row in table.rows:
        if row.adjoint is not None and row.name in totals:
            np.testing.assert_allclose(row.adjoint, totals[row.name], rtol=1e-6, atol=1e-7)
    expected = tg.grad(f, tuple(range(len(args))))(*args)
    leaves = [x for part in expected for x in (_leaves(part))]
    for found, wanted in zip(table.partials, leaves, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
        assert np.shape(found) == np.shape(wanted)


def _leaves(x):
    if isinstance(x, dict):
        return [leaf for part in x.values() for leaf in _leaves(part)]
    return [leaf for part in x for leaf in _leaves(part)] if isinstance(x, list) else [x]


@pytest.mark.parametrize("name", PROGRAMS)
def test_tangents_are_those_of_jvp(name):
    f, args = PROGRAMS[name]
    if name == "container":
        table = tg.trace_table(f, *args, mode="forward", wrt="p['b'][1]")
        assert table.tangent == 2.0
        return
    table = tg.trace_table(f, *args, mode="forward")
    zeros = [np.zeros_like(x) if np.ndim(x) else 0.0 for x in args[1:]]
    first = np.ones_like(args[0]) if np.ndim(args[0]) else 1.0
    np.testing.assert_allclose(table.tangent, tg.jvp(f, args, (first, *zeros))[1], rtol=1e-6)
    assert table.partials is None


def test_a_scan_is_one_step_whose_adjoint_is_complete():
    def f(x):
        end, _ = tg.scan(lambda c, k: (c * np.sin(c + k), c), x, np.arange(3.0))
        return end * x

    table = tg.trace_table(f, 2.0, mode="both")
    (row,) = [r for r in table.rows if r.formula is not None and r.formula.op == "scan"]
    (contribution,) = row.contributions
    assert contribution.value is None
    assert contribution.total == table.partials[0] == tg.grad(f)(2.0)
    assert "scan(v0, c1, length=3)" in str(table)


def test_whole_numbers_alone_are_floats():
    assert tg.trace_table(survey, 2, 5).partials == (5.5, 1.7163378145367738)
    assert tg.trace_table(lambda x, n: x**n, 2.0, 3).partials == (12.0,)


def test_directions_and_seeds():
    x = np.array([1.0, 2.0, 3.0])
    table = tg.trace_table(
        lambda x: x**2, x, mode="both", seed=np.array([1.0, 0.0, 2.0]), direction=x
    )
    np.testing.assert_array_equal(table.partials[0], [2.0, 0.0, 12.0])
    np.testing.assert_array_equal(table.tangent, 2 * x**2)


def test_equal_numbers_are_not_mistaken_for_each_other():
    table = tg.trace_table(lambda x: 1.0 * x, 1.0, mode="both")
    (row,) = [r for r in table.rows if r.contributions]
    assert str(table).count("v\u03040 = v\u03041 ∂v1/∂v0 = v\u03041 \u00d7 1 = 1") == 1
    assert row.contributions[0].value == 1.0
    assert "v\u03071 = v\u03070 \u00d7 1 = 1" in str(table)


def test_functions_of_scipy_and_whole_numbers():
    table = tg.trace_table(lambda x: special.j0(x) * x, 2.5, mode="both")
    assert table.partials == (tg.grad(lambda x: special.j0(x) * x)(2.5),)
    assert "v1 = j0(v0) = j0(2.5)" in str(table)
    added(table)
    text = str(tg.trace_table(lambda x: np.sort(x)[0] * x[[1, 1]][0], np.array([3.0, 1.0])))
    assert "gather(v0, v1)" in text
    text = str(tg.trace_table(lambda x: x.astype(np.float32) * 2, 1.5))
    assert "cast(v0, dtype=float32)" in text


def test_custom_operations_show_the_complete_adjoint():
    @tg.primitive
    def wave(x):
        return np.sin(x)

    tg.defvjp(wave, lambda y, x: lambda g: g * np.cos(x))
    table = tg.trace_table(lambda x: wave(x) * x, 2.0, mode="reverse")
    assert table.partials == (np.sin(2.0) + 2.0 * np.cos(2.0),)


def test_what_does_not_reach_the_output_is_left_empty():
    table = tg.trace_table(lambda x, y: (x * y, x + 1.0)[1], 2.0, 3.0)
    assert table.partials == (1.0, 0.0)
    assert "∂v1/∂v0" not in str(table)


def test_long_tables_show_both_ends():
    def f(x):
        for _ in range(300):
            x = np.sin(x)
        return x

    table = tg.trace_table(f, 1.0, limit=10)
    assert len(table.rows) == 301
    lines = str(table).splitlines()
    assert len(lines) == 2 + 10 + 1 + 1
    assert lines[7].startswith("… 291 rows left out")
    assert "rows left out" in table.to_latex()


def test_other_forms():
    table = tg.trace_table(survey, 2.0, 5.0)
    markdown = table.to_markdown().splitlines()
    assert markdown[1] == "| --- | --- |"
    assert all(line.count("|") == 3 for line in markdown)
    latex = table.to_latex()
    assert latex.count("{") == latex.count("}")
    assert latex.count("$") % 2 == 0
    assert r"v_{1} = \ln v_{-1} = \ln 2 = 0.693147" in latex
    assert r"\frac{\bar v_{1}}{v_{-1}}" in latex
    html = table._repr_html_()
    assert html.count("<tr>") == html.count("</tr>") == len(markdown) - 1
    assert "<sub>\u22121</sub>" in html
    assert repr(table) == str(table)


def test_comparisons_are_safe_in_html():
    table = tg.trace_table(lambda x: np.where(x < 1, x, 2 * x), 3.0)
    assert "&lt;" in table._repr_html_()
    assert "x < " not in table._repr_html_()


def test_digits():
    text = str(tg.trace_table(survey, 2.0, 5.0, digits=3))
    assert "= 11.7" in text
    assert "11.65" not in text


@pytest.mark.parametrize("compiled", [False, True])
def test_compiled_functions_are_recorded_anew(compiled):
    f = tg.compile(survey) if compiled else survey
    assert tg.trace_table(f, 2.0, 5.0).partials == (5.5, 1.7163378145367738)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: tg.trace_table(np.sin, np.ones(2)), ValueError, r"seed=np.ones\(\(2,\)\)"),
        (lambda: tg.trace_table(lambda x: (x, 2 * x), 1.0), TypeError, "return one of them"),
        (lambda: tg.trace_table(lambda x: 3.0, 1.0), TypeError, "0 arrays"),
        (lambda: tg.trace_table(lambda x: x, [2]), TypeError, "write 2.0"),
        (lambda: tg.trace_table(3, 2.0), TypeError, "int 3 is not a function"),
        (lambda: tg.trace_table(np.sin, 2.0, wrt="z", mode="both"), ValueError, "there are"),
        (lambda: tg.trace_table(np.sin, 2.0, wrt=1, mode="both"), ValueError, "0 to 0"),
        (lambda: tg.trace_table(np.sin, 2.0, mode="back"), ValueError, "'back'"),
        (lambda: tg.trace_table(np.sin, 2.0, limit=2), ValueError, "limit is 2"),
        (
            lambda: tg.trace_table(np.sum, np.ones(2), mode="both", direction=1.0),
            ValueError,
            r"direction has shape \(\)",
        ),
    ],
)
def test_refusals(call, error, words):
    with pytest.raises(error, match=words):
        call()
