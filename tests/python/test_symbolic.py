"""The names of the module."""

import subprocess
import sys

import pytest

import tapegrad as tg


def test_names():
    for name in tg.symbolic.__all__:
        assert callable(getattr(tg.symbolic, name))
    assert set(tg.symbolic.__all__) <= set(dir(tg.symbolic))


def test_other_names_of_mathematica_lead_to_what_there_is():
    with pytest.raises(AttributeError, match=r"Hessian\(f\)\.trace\(\)"):
        _ = tg.symbolic.Laplacian
    with pytest.raises(AttributeError, match="it has D, FindMinimum"):
        _ = tg.symbolic.Plot


def test_solvers_of_functions_do_without_sympy():
    code = """
import sys
sys.modules["sympy"] = None
import numpy as np
from tapegrad.symbolic import D, FindMinimum, FindRoot, NDSolve
"""
    refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install tapegrad[symbolic]" in refused.stderr
    code = code.replace("D, ", "", 1) + "print(round(FindRoot(np.cos, 1.0), 6))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1.570796\n"
