"""Every name of an array or a NumPy number works on a Variable, or is refused with a remedy."""

import re

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numerical
from tapegrad.numpy.attributes import ATTRIBUTES

X = np.array([0.7, 1.9, 2.6])
# Names of the protocols of NumPy and Python, by which they ask what an object can do: absent ones
# are part of the answer.
PROTOCOLS = {
    "__array__", "__array_finalize__", "__array_interface__", "__array_namespace__",
    "__array_priority__", "__array_struct__", "__array_wrap__", "__class_getitem__",
    "__complex__", "__contains__", "__dlpack__", "__dlpack_device__", "__getformat__",
    "__getnewargs__", "__iand__", "__ilshift__", "__index__", "__ior__", "__irshift__",
    "__iter__", "__setformat__", "__ixor__", "__len__",
}  # fmt: skip
# Of these names a result that is held against NumPy's: what its code is compared by.
RESULTS = {
    "argpartition": lambda r: r[1],
    "ctypes": lambda r: r.shape[:],
    "data": lambda r: r.tobytes(),
    "flags": lambda r: r.c_contiguous,
}
# Names that only old NumPys have, and what the code in their place gives.
OLD = {
    "itemset": np.array([5.0, 1.9, 5.0]),
    "newbyteorder": X.view(X.dtype.newbyteorder()),
    "ptp": X[2] - X[0],
    "tostring": X.tobytes(),
}


def names(x, file=""):
    return {
        "np": np, "tg": tg, "v": x, "k": 1, "c": [True, False, True], "i": [0, 2], "x": 5.0,
        "shape": (2, 3), "file": str(file), "text": "0x1.8p+1",
    }  # fmt: skip


def run(code, space):
    try:
        return eval(code, space)
    except SyntaxError:
        exec(code, space)
        return space["v"]


def refusal(v, name):
    """What is said where an attribute is missing; "" where it is there."""
    try:
        getattr(v, name)
    except AttributeError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", [np.ndarray, np.float64, float])
@pytest.mark.parametrize("recorded", [True, False])
def test_every_name_works_or_tells_what_to_write(kind, recorded):
    v = tg.Variable(np.outer(X, X) if kind is np.ndarray else 0.7)
    v = v * 1.0 if recorded else v
    public = {name for name in dir(kind) if not re.match("_[^_]", name)}
    for name in public - PROTOCOLS:
        told = refusal(v, name)
        if told:
            assert name in ATTRIBUTES, name
            assert told.startswith(f"v.{name}")
            assert "; write " in told
            assert str(v.shape) in told
            assert not hasattr(v, name)
    unknown = set(ATTRIBUTES) - {*dir(np.ndarray), *dir(np.float64)}
    assert unknown <= set(OLD)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_the_code_of_a_refused_name_does_what_was_meant(name, tmp_path):
    call, _, code = ATTRIBUTES[name]
    x = X if name in {*dir(np.ndarray), *OLD} else X[1]
    refused = tg.Variable(x) * 1.0
    with pytest.raises(AttributeError, match=re.escape(f"v.{name}{call} of a Variable")) as caught:
        eval(f"v.{name}{call}", names(refused))
    assert f"; write {code}" in str(caught.value)

    meant = run(code, names(refused, tmp_path / "ours"))
    if name == "partition":
        assert tg.value(meant)[1] == 1.9
        assert isinstance(meant, tg.Variable)
        return
    plain = x.copy()
    if name in OLD:
        np.testing.assert_array_equal(tg.value(meant), OLD[name])
        return
    if name == "resize":
        plain.resize((2, 3), refcheck=False)
        plain[1] = X  # np.resize repeats, where the method fills with zeros
        expected = plain
    else:
        expected = eval(f"v.{name}{call}", names(plain, tmp_path / "numpys"))
    if name in ("setfield", "setflags"):
        expected = plain
    look = RESULTS.get(name, lambda r: r)
    if isinstance(meant, tg.Variable):
        np.testing.assert_array_equal(tg.value(meant), look(expected))
        found = tg.grad(lambda x: np.sum(run(code, names(x * 1.0)) ** 2))(x)
        chosen = np.array([1.0, 0.0, 1.0])
        held = {
            "compress": chosen,
            "setfield": np.zeros(3),
            "resize": 2 * np.ones(3),
        }
        wanted = held.get(name, np.ones(3)) * 2 * x
        np.testing.assert_allclose(tg.value(found), wanted, rtol=1e-12)
    else:
        assert code.startswith(("np.argpartition", "v ==", "float.")) or "tg.value(" in code
        assert str(look(meant)) == str(look(expected))
    written = [file.read_bytes() for file in tmp_path.iterdir()]
    assert len(written) == (2 if name in ("dump", "tofile") else 0)
    assert len(set(written)) <= 1


def test_names_stand_in_the_class_and_cannot_be_set():
    assert callable(tg.Variable.flags.text)
    with pytest.raises(AttributeError, match="strides"):
        tg.Variable(X).strides = (8,)

    class Named(tg.Variable):
        def __init__(self, value):
            self.data = "mine"

        def flags(self):
            return self * 2.0

    x = Named(X)
    assert x.data == "mine"
    np.testing.assert_array_equal(tg.value(x.flags()), 2 * X)
    with pytest.raises(AttributeError, match=r"v\.strides"):
        print(x.strides)
    with pytest.raises(AttributeError, match="nosuch"):
        print(tg.Variable(X).nosuch)


def test_what_may_be_set_on_arrays():
    def f(x):
        y = x * 1.0
        y.real = x * x
        return np.sum(y * X)

    np.testing.assert_allclose(tg.grad(f)(X), numerical.grad(f)(X), rtol=1e-6)


@pytest.mark.parametrize("compiled", [False, True])
def test_elements_and_comparisons_are_numpys(compiled):
    table = np.outer(X, X)
    others = [[0.7, 1.0, 2.6], (0.7, 1.9, 2.6), None, "text", b"text", [None, 1.9, "a"]]
    for other in others:
        for f in (
            lambda x, o=other: (x == o) * 1.0,
            lambda x, o=other: (x != o) * 1.0,
            lambda x, o=other: (o == x) * x,
        ):
            expected = f(X)
            found = tg.compile(f)(X) if compiled else tg.value(f(tg.Variable(X) * 1.0))
            np.testing.assert_array_equal(found, expected)
    x = tg.Variable(table) * 1.0
    for element in (table[1, 2], 7.0):
        assert (element in x) == (element in table)
    with pytest.raises(TypeError, match="write x == v"):
        assert 1.0 in tg.Variable(1.0)
    y = tg.Variable(X) * 1.0
    np.testing.assert_array_equal(y == [y[0], 5.0, y[2]], [True, False, True])
    with pytest.raises(ValueError, match="broadcast"):
        assert y == [1.0, 2.0]
    with pytest.raises(TypeError, match="'<' not supported"):
        assert y < None
