"""Plain arrays that a differentiated function makes for itself, and who shares their memory."""

from __future__ import annotations

import copy
import functools
import importlib
import io
import linecache
import pickle
import struct
import warnings

import numpy as np
import pytest
from own_array_programs import ELSEWHERE, PROGRAMS
from surface_cases import CALLS

import tapegrad as tg
from tapegrad import _core, numerical
from tapegrad.transforms.blanks import _block

X = np.array([1.2, 0.7, 2.1])
numpys_asarray = functools.partial(np.asarray)  # which no transform replaces


@pytest.mark.parametrize("name", PROGRAMS)
def test_they_are_the_arrays_that_numpy_makes(name):
    f = PROGRAMS[name]
    expected = f(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, gradient = tg.value_and_grad(f)(X)
        assert value == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(gradient, numerical.grad(f)(X), rtol=1e-6, atol=1e-7)
        compiled, slopes = tg.compile(f), tg.compile(tg.grad(f))
        for _ in range(4):
            assert compiled(X) == pytest.approx(expected, rel=1e-12)
            np.testing.assert_allclose(slopes(X), gradient, rtol=1e-10)


SCIPY = {
    "sl": "linalg", "si": "interpolate", "ss": "sparse", "sg": "integrate", "st": "stats",
    "so": "optimize", "sp": "special", "spa": "spatial", "sig": "signal", "nd": "ndimage",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ELSEWHERE)
def test_other_libraries_take_them(name):
    pytest.importorskip("scipy")
    names = {"np": np, "io": io, "copy": copy, "pickle": pickle}
    names |= {short: importlib.import_module(f"scipy.{m}") for short, m in SCIPY.items()}
    code = f"def f(x): return np.sum(x) * float({ELSEWHERE[name]})"
    linecache.cache[f"<own {name}>"] = (len(code), None, [code + "\n"], f"<own {name}>")
    exec(compile(code, f"<own {name}>", "exec"), names)
    assert tg.value_and_grad(names["f"])(X)[0] == pytest.approx(names["f"](X), rel=1e-12)


def test_who_shares_their_memory_sees_writes_and_is_seen():
    def f(x):
        y = np.zeros((2, 3))
        row = numpys_asarray(y[1])
        whole = numpys_asarray(y)
        assert type(whole) is np.ndarray
        row[0] = 2.0
        y[0, 0] = 4.0
        assert whole[0, 0] == 4.0
        assert whole[1, 0] == 2.0
        y[1][1] = 9.0
        y += 1.0
        assert row[1] == 10.0
        before = np.sum(x * y)
        whole[:] = 3.0  # what was read before stays as it was
        return before + np.sum(x * y)

    value, gradient = tg.value_and_grad(f)(np.ones(3))
    np.testing.assert_array_equal(gradient, [5 + 3 + 6, 1 + 10 + 6, 1 + 1 + 6])
    assert value == gradient.sum()


def test_a_variable_is_not_written_to_what_others_share():
    def f(x, held):
        y = np.zeros(3)
        held.append(numpys_asarray(y)[1:])
        y[0] = 3.0
        with pytest.raises(TypeError, match="shares the memory of this one of shape"):
            y[1] = x
        with pytest.raises(TypeError, match="shares the memory"):
            y[:2][1:] += x
        with pytest.raises(TypeError, match="shares the memory"):
            y *= x
        np.testing.assert_array_equal(y, [3.0, 0.0, 0.0])
        held.clear()
        y[1] = x
        return np.sum(y * y)

    assert tg.value_and_grad(f)(2.0, []) == (13.0, 4.0)


def test_a_variable_with_a_derivative_has_no_memory_to_share():
    x = tg.Variable([1.0, 2.0])
    for make in (memoryview, bytearray, numpys_asarray):
        with pytest.raises((BufferError, TypeError), match="derivative"):
            make(x)
    with tg.patch_numpy():
        y = np.ones((2, 3))
        with pytest.raises(BufferError, match="not contiguous"):
            struct.unpack_from("d", y.T)
        with memoryview(y.T) as view:
            assert view.strides == (8, 24)
            assert view.shape == (3, 2)


def makes_none(x):
    return np.sin(x) * np.sum(x)


def makes_one(x):
    return np.zeros(3) + x


def by_name(x):
    return makes_none(x) + HELPER(x)


HELPER = makes_none


def test_which_functions_may_make_arrays(monkeypatch):
    def recursive(x, n=3):
        return x if n == 0 else recursive(x * 2, n - 1)

    def of(h):
        return lambda x: h(x) * 2.0

    class Model:
        def run(self, x):
            return np.ones(3) * x

    model = Model()
    assert not _block.may_create(makes_none)
    assert _block.may_create(makes_one)
    assert _block.may_create(lambda x: [makes_one(y) for y in x])
    assert not _block.may_create(of(makes_none))
    assert _block.may_create(of(makes_one))  # the same code
    assert _block.may_create(lambda x: model.run(x))
    assert _block.may_create(recursive)  # asked until it is too deep
    assert not _block.may_create(by_name)
    monkeypatch.setitem(globals(), "HELPER", makes_one)
    assert _block.may_create(by_name)


def called(x, f):
    return f(x)


def called_by_keyword(x, **settings):
    return settings["f"](x)


def called_from_a_list(x, functions):
    return sum([f(x) for f in functions])


def by_default(x, f=makes_one):
    return f(x)


def test_functions_among_the_arguments_may_make_arrays():
    def filled(x):
        y = np.zeros(2)
        y[0] = x[0]
        y[1] = x[1] ** 2
        return np.sum(y)

    x = np.array([1.0, 2.0])
    for call in (
        lambda: tg.grad(called)(x, filled),
        lambda: tg.grad(called_by_keyword)(x, f=filled),
        lambda: tg.grad(called_from_a_list)(x, [filled]),
        lambda: tg.grad(lambda x, f=filled: f(x))(x),
        lambda: tg.grad(lambda x, *, f=filled: f(x))(x),
        lambda: tg.grad(called)(x, tg.checkpoint(filled)),
        lambda: tg.grad(called)(x, tg.compile(filled)),
        lambda: tg.vjp(lambda x: called(x, filled), x)[1](1.0)[0],
        lambda: np.add(tg.hvp(filled, x, x), [1.0, 0.0]),
    ):
        np.testing.assert_array_equal(call(), [1.0, 4.0])
    assert not _block.may_create(called, x, makes_none)
    assert _block.may_create(called, x, makes_one)
    assert _block.may_create(called_from_a_list, x, {"a": [makes_none, makes_one]})
    assert _block.may_create(by_default, x)


@pytest.mark.parametrize(
    "transform", [tg.grad, tg.hessian, tg.vmap, tg.checkpoint, tg.compile, tg.elementwise_grad]
)
def test_transforms_make_what_their_functions_make(transform):
    assert not _block.may_create(transform(makes_none))
    assert _block.may_create(transform(makes_one))
    assert not _block.may_create(lambda x: transform(makes_none)(x))
    assert not _block.may_create(lambda x: tg.hvp(makes_none, x, x))


def test_numpy_is_left_alone_where_it_is_asked_for():
    kinds = []

    def f(x):
        kinds.append(type(np.zeros(3)))
        with tg.patch_numpy():
            kinds.append(type(np.zeros(3)))
        return x * x

    with tg.patch_numpy(False):
        assert tg.grad(f)(3.0) == 6.0
    assert tg.grad(f)(3.0) == 6.0
    with tg.patch_numpy():
        with tg.patch_numpy(False):
            assert tg.grad(f)(3.0) == 6.0
        assert type(np.zeros(2)) is tg.Variable
    assert kinds == [np.ndarray, tg.Variable, tg.Variable, tg.Variable, np.ndarray, tg.Variable]
    with pytest.raises(TypeError, match="takes True or False"):
        tg.patch_numpy("no")


def parts(found):
    if isinstance(found, (tuple, list)):
        return [x for part in found for x in parts(part)]
    return [found]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function", CALLS, ids=lambda f: getattr(f, "__name__", str(f)))
def test_functions_of_own_arrays_are_numpys(function):
    for f, x in CALLS[function]:
        try:
            expected = parts(f(x.copy()))
        except (TypeError, AttributeError):  # a call of Variables alone
            continue
        with tg.patch_numpy():
            found = parts(f(_core.blank(x.copy()) if x.dtype.kind == "f" else x.copy()))
        for a, b in zip(found, expected, strict=True):
            assert not isinstance(a, tg.Variable) or _core.is_blank(a)
            if function is not np.einsum:  # which gives an array of no axes here and there
                assert isinstance(a, np.ndarray) == isinstance(b, np.ndarray)
            np.testing.assert_allclose(np.asarray(tg.value(a)), b, rtol=1e-14)
            assert np.asarray(a).dtype == np.asarray(b).dtype


def test_item_is_the_element():
    def f(x):
        y = x.reshape(1, 3)
        return x.item(0) * x[1:2].item() + y.item(0, 2) ** 2 + y.item((0, 1)) + y.item(-1) * 2.0

    value, gradient = tg.value_and_grad(f)(X)
    assert value == pytest.approx(f(X), rel=1e-15)
    np.testing.assert_allclose(gradient, [X[1], X[0] + 1.0, 2 * X[2] + 2.0])
    compiled = tg.compile(f)
    for k in range(4):
        assert compiled(X + k) == pytest.approx(f(X + k), rel=1e-14)
    single = X.astype(np.float32)
    assert tg.compile(lambda x: x.item(1) * np.ones(2))(single).dtype == np.float64
    with pytest.raises(ValueError, match="3 elements"):
        tg.Variable(X).item()
    with pytest.raises(IndexError, match="out of bounds for size 3"):
        tg.Variable(X).item(3)
