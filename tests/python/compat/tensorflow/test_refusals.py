"""What is told to be written instead of what is refused works."""

import ast

import graph_remedy_cases
import numpy as np
import pytest

import tapegrad as tg
import tapegrad.compat.tensorflow as tf
import tapegrad.compat.tensorflow.v2 as tf2


def last(code, names):
    *first, end = ast.parse(code).body
    exec(compile(ast.Module(first, []), "<case>", "exec"), names)
    if not isinstance(end, ast.Expr):
        exec(compile(ast.Module([end], []), "<case>", "exec"), names)
        return None
    return eval(compile(ast.Expression(end.value), "<case>", "eval"), names)


@pytest.mark.parametrize("case", graph_remedy_cases.TENSORFLOW, ids=lambda case: case.piece)
def test_remedy(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for code in (case.refused, case.remedy):
        with tf.Graph().as_default():
            names = {"tf": tf, "tf2": tf2, "np": np, "tg": tg, "sess": tf.Session()}
            if code is case.remedy:
                assert last(code, names)
                continue
            with pytest.raises(Exception) as caught:  # noqa: PT011 - the text is what matters
                last(code, names)
            assert case.piece in str(caught.value)
