"""Texts of a Variable are the number's, and choose as they do in plain code."""

import io
import logging
import warnings

import numpy as np
import pytest
from compile_checks import replays

import tapegrad as tg

# Each a function of a number, which does something else from 1.5 on.
CHOICES = {
    "f-string": lambda x: x * 2 if f"{x:.0f}" == "1" else x * 3,
    "format": lambda x: x * 2 if format(x, ".0f") == "1" else x * 3,
    "str.format": lambda x: x * 2 if "{:.0f}".format(x) == "1" else x * 3,  # noqa: UP032 - under test
    "percent": lambda x: x * 2 if "%.0f" % x == "1" else x * 3,  # noqa: UP031 - under test
    "percent of several": lambda x: x * len("%s %.1e %d" % ("a", x, x)),  # noqa: UP031 - under test
    "percent of a name": lambda x: x * float(FORM % x),
    "a key": lambda x: {"1": 2.0, "2": 3.0, "3": 4.0}[f"{x:.0f}"] * x,
    "a length": lambda x: x * len(f"{x:.3g}"),
    "of an error": lambda x: _of_an_error(x),
    "of an element": lambda x: x * float(f"{np.stack([x, x * x])[1]:.1f}"),
    "complex": lambda x: x * len(f"{x * 1j:.3g}"),
}
FORM = "%.1f"


def _of_an_error(x):
    try:
        raise ValueError(f"{x:.0f}")
    except ValueError as error:
        return x * float(str(error))


@pytest.mark.filterwarnings("ignore:compile")
@pytest.mark.parametrize("name", CHOICES)
def test_texts_choose_as_in_plain_code(name):
    f = CHOICES[name]
    compiled, slopes = tg.compile(f), tg.compile(tg.value_and_grad(f))
    for x in (1.0, 1.0, 1.0, 1.125, 2.0, 2.0, 3.0, 1.0, 2.125):
        expected, step = f(x), 1e-8
        assert compiled(x) == pytest.approx(expected, rel=1e-13)
        value, slope = slopes(x)
        assert value == pytest.approx(expected, rel=1e-13)
        if name != "complex":
            assert slope == pytest.approx((f(x + step) - f(x)) / step, rel=1e-5)
        assert tg.grad(f)(x) == pytest.approx(slope, rel=1e-13)


def test_what_is_only_shown_leaves_the_program():
    shown = []

    def f(x):
        print(f"{x:.3f}", "%.2f" % x, file=NOWHERE)  # noqa: UP031 - under test
        if x > 100.0:
            raise ValueError(f"{x:.3f} is too large")
        return x * x

    def g(x):
        logging.getLogger("tapegrad.nobody").debug("%s %.3f", "x", x)
        return f(x)

    for function in (f, g):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = tg.compile(function)
            shown += [compiled(x) for x in (1.0, 2.0, 3.0, 4.0)]
    assert shown == [1.0, 4.0, 9.0, 16.0] * 2

    def h(x):
        print(f"{x:.3f}", end="\r")
        return x * x

    compiled = tg.compile(h)
    assert [compiled(x) for x in (1.0, 2.0, 3.0, 4.0)] == [1.0, 4.0, 9.0, 16.0]
    assert replays(compiled) == 2


NOWHERE = io.StringIO()


def test_only_one_number_has_a_format():
    v = tg.Variable([1.0, 2.0])
    with pytest.raises(TypeError, match=r"'%f' % v .* \(2,\): only one number has this"):
        "%f" % v  # noqa: UP031 - under test
    assert "%.1f" % v[1] == "2.0"  # noqa: UP031 - under test
    with pytest.raises(TypeError, match="would lose the derivative"):
        float(v[1])
