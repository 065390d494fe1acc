"""What is told to be written instead of what is refused works."""

import ast

import graph_remedy_cases
import numpy as np
import pytest

import tapegrad as tg
from tapegrad.compat import theano
from tapegrad.compat.theano import tensor


def last(code, names):
    *first, end = ast.parse(code).body
    exec(compile(ast.Module(first, []), "<case>", "exec"), names)
    return eval(compile(ast.Expression(end.value), "<case>", "eval"), names)


@pytest.mark.parametrize("case", graph_remedy_cases.OF_THEANO, ids=lambda case: case.piece)
def test_remedy(case):
    names = {"theano": theano, "T": tensor, "np": np, "tg": tg, "x": tensor.dvector("x")}
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the text is what matters
        last(case.refused, dict(names))
    assert case.piece in str(caught.value)
    assert last(case.remedy, dict(names))
