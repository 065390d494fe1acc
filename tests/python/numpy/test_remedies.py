"""Functions of NumPy that are refused, and some that write."""

import numpy as np
import pytest
from generated import functions_of_numpy, outcome
from surface_cases import NUMPY

import tapegrad as tg

# Constant almost everywhere, results of integers, dates or texts, or made from plain data.
PLAIN = {
    "busday_count", "busday_offset", "datetime_as_string", "is_busday", "packbits",
    "ravel_multi_index", "save", "savetxt", "savez", "savez_compressed", "unpackbits",
    "unravel_index",
}  # fmt: skip
# Only asked where a Variable is given as like=.
LIKE = {
    "arange", "array", "asanyarray", "asarray", "ascontiguousarray", "asfortranarray", "empty",
    "eye", "frombuffer", "fromfile", "fromfunction", "fromiter", "fromstring", "full",
    "genfromtxt", "identity", "loadtxt", "ones", "require", "tri", "zeros",
}  # fmt: skip


def test_every_refused_function_has_a_reason():
    refused = {name for name, f in functions_of_numpy().items() if outcome(f) == "refused"}
    families = ("np", "np.fft", "np.linalg")  # others are imported only where somebody asks
    refused = {name for name in refused if name.rpartition(".")[0] in families}
    listed = {f"np.{name}" for name in PLAIN | LIKE}
    assert refused <= listed
    if NUMPY < (2, 2):  # it does not say that these can be overridden
        listed -= {f"np.{name}" for name in LIKE}
    assert listed <= refused


@pytest.mark.parametrize("n", [1, 7, 300])
def test_add_at_sums_what_repeats(n):
    index = np.random.default_rng(n).integers(0, 4, n)
    x = np.random.default_rng(0).normal(size=n)
    for name, f in (("add", np.add), ("subtract", np.subtract)):

        def filled(x, f=f):
            y = tg.Variable(np.ones(4)) if isinstance(x, tg.Variable) else np.ones(4)
            f.at(y, index, x)
            return y

        np.testing.assert_allclose(tg.value(filled(tg.Variable(x))), filled(x), rtol=1e-13)
        found = tg.grad(lambda x: np.sum(filled(x) ** 3))(x)
        sign = 1.0 if name == "add" else -1.0
        np.testing.assert_allclose(tg.value(found), (sign * 3 * filled(x) ** 2)[index], rtol=1e-12)
    with pytest.raises(TypeError, match=r"y = tg\.Variable\(y\)"):
        np.add.at(np.ones(4), index, tg.Variable(x))


def test_add_at_in_compiled_functions_and_lanes():
    index = np.array([0, 2, 0, 1, 0])
    x = np.arange(5.0) + 1.0

    def f(x):
        y = tg.Variable(np.ones(3))
        np.add.at(y, index, x * x)
        return np.sum(y**2)

    wanted = tg.value(tg.grad(f)(x))
    compiled = tg.compile(tg.grad(f))
    for scale in (1.0, 2.0, 0.5, 1.0):
        np.testing.assert_allclose(
            tg.value(compiled(x * scale)), tg.value(tg.grad(f)(x * scale)), rtol=1e-13
        )
    np.testing.assert_allclose(
        tg.value(tg.vmap(f)(np.stack([x, 2 * x]))), [tg.value(f(x)), tg.value(f(2 * x))], rtol=1e-13
    )
    sums = 1.0 + np.bincount(index, x * x)
    np.testing.assert_allclose(wanted, 4 * sums[index] * x, rtol=1e-13)


@pytest.mark.parametrize("index", [(slice(None), [0, 0, 2]), [1, 1], ([0, 1, 0], [2, 2, 2]), ...])
def test_add_at_takes_every_index(index):
    plain = np.ones((3, 4))
    x = 2.5
    y = tg.Variable(plain)
    np.add.at(y, index, tg.Variable(x))
    np.add.at(plain, index, x)
    np.testing.assert_allclose(tg.value(y), plain)


def test_clip_of_a_plain_array_by_variables():
    high = np.array([0.5, 3.0, 1.0])
    a = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(
        tg.grad(lambda h: np.sum(a.clip(0.0, h) * a))(high), [1.0, 0.0, 3.0]
    )
