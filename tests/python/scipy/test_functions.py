"""What holds for every registered function of SciPy: signatures, refusals, plain arguments."""

import importlib
import inspect
import subprocess
import sys

import generated_special
import numpy as np
import pytest

import tapegrad as tg
import tapegrad.scipy
from tapegrad.scipy import functions

for module in tapegrad.scipy.__dir__():
    getattr(tapegrad.scipy, module)
FUNCTIONS = functions.FUNCTIONS
# Methods of distributions have SciPy's signatures as SciPy states them.
OWN = [name for name, f in FUNCTIONS.items() if inspect.isfunction(f.function)]


@pytest.mark.parametrize("name", OWN)
def test_signatures_are_scipys(name):
    function = FUNCTIONS[name]
    found = inspect.signature(function.implementation).parameters.values()
    expected = inspect.signature(function.function).parameters.values()
    assert [(p.name, p.kind) for p in found] == [(p.name, p.kind) for p in expected]
    for p, e in zip(found, expected, strict=True):
        same = p.default is e.default or p.default == e.default
        assert same or "object object" in repr(e.default), p


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_where_scipy_has_them(name):
    path, _, own = name.rpartition(".")
    try:
        module = importlib.import_module(f"tapegrad.{path}")
    except ImportError:  # a method: of a distribution, of a class
        path, _, of = path.rpartition(".")
        module = getattr(importlib.import_module(f"tapegrad.{path}"), of)
        assert hasattr(getattr(importlib.import_module(path), of), own)
    else:
        assert getattr(importlib.import_module(path), own) is FUNCTIONS[name].function
    assert callable(getattr(module, own))


REFUSED = [(name, key) for name, f in FUNCTIONS.items() for key in f.refused]


@pytest.mark.parametrize(("name", "key"), REFUSED)
def test_refused_parameters_are_named(name, key):
    path, _, own = name.rpartition(".")
    function = getattr(importlib.import_module(f"tapegrad.{path}"), own)
    parameter, _, text = key.partition("=")
    wrong = eval(text) if text else object()
    required = [
        p
        for p in inspect.signature(FUNCTIONS[name].implementation).parameters.values()
        if p.default is p.empty and p.name != parameter
    ]
    with pytest.raises(TypeError) as caught:
        function(*(tg.Variable(np.eye(2)) for _ in required), **{parameter: wrong})
    told = str(caught.value)
    assert told.startswith(f"{name}: {parameter}=")
    assert told.endswith(FUNCTIONS[name].refused[key])


def test_default_values_of_refused_parameters_pass():
    v = tg.Variable(np.diag([1.0, 2.0]))
    found = tapegrad.scipy.linalg.eigh(v, subset_by_index=None)
    np.testing.assert_array_equal(tg.value(found[0]), [1.0, 2.0])


def test_what_is_not_here_is_scipys_own():
    import scipy.linalg

    assert tapegrad.scipy.linalg.hessenberg is scipy.linalg.hessenberg
    with pytest.raises(AttributeError, match="no_such"):
        tapegrad.scipy.linalg.no_such  # noqa: B018 - the access is what is tested
    with pytest.raises(AttributeError, match="no_such"):
        tapegrad.scipy.no_such  # noqa: B018 - the access is what is tested


def test_the_package_loads_no_scipy():
    code = "import sys, tapegrad; print([m for m in sys.modules if 'scipy' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_complex_variables_are_refused_by_name():
    z = tg.Variable([1.0, 2.0]) * 1j
    with pytest.raises(TypeError, match=r"scipy\.linalg\.toeplitz: complex Variables"):
        tapegrad.scipy.linalg.toeplitz(z)


@pytest.mark.skipif(
    not generated_special.is_of_this_scipy(), reason="the page is of another version of SciPy"
)
def test_the_page_is_up_to_date():
    # If this fails: python tests/python/generated_scipy.py
    import generated_scipy

    assert generated_scipy.PAGE.read_text("utf-8") == generated_scipy.page()
