"""Vector spaces: sizes, bases, products, equality."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.compat.autograd.extend import VSpace, vspace
from tapegrad.compat.autograd.numpy.numpy_vspaces import ArrayVSpace, ComplexArrayVSpace

NESTED = {"w": [np.ones((2, 1)), 1.0], "z": (1j * np.ones(2),)}


def test_sizes_and_bases():
    for value, size in ((1.0, 1), (np.zeros((3, 2)), 6), (1j, 2), (NESTED, 7), ([], 0)):
        space = vspace(value)
        basis = list(space.standard_basis())
        assert space.size == size == len(basis)
        total = space.zeros()
        for i, e in enumerate(basis):
            assert vspace(e) == space
            assert [float(space.inner_prod(e, other)) for other in basis] == [
                float(i == k) for k in range(size)
            ]
            total = space.add(total, e)
        assert space.inner_prod(space.ones(), total) == size
        assert vspace(space.randn()) == space


def test_complex_products_are_real():
    space = vspace(np.zeros(2, complex))
    assert isinstance(space, ComplexArrayVSpace)
    assert space.iscomplex
    assert vspace(NESTED).iscomplex
    x, y = np.array([1 + 2j, 3j]), np.array([2 - 1j, 1 + 1j])
    assert space.inner_prod(x, y) == pytest.approx(np.vdot(x, y).real)
    assert np.array_equal(space.covector(x), x.conj())


def test_spaces_are_equal_by_shape_and_dtype():
    assert vspace(1.0) == vspace(np.float64(2.0)) == vspace(tg.Variable(3.0))
    assert vspace(np.ones(2)) != vspace(np.ones(3))
    assert vspace(np.ones(2)) != vspace(np.ones(2, np.float32))
    assert vspace([1.0]) != vspace((1.0,))
    assert vspace({"a": 1.0, "b": 2.0}) == vspace({"b": 1.0, "a": 2.0})
    assert vspace(np.ones((2, 3))).shape == (2, 3)
    assert vspace(np.ones((2, 3))).ndim == 2
    assert isinstance(vspace(np.ones(2)), ArrayVSpace)


def test_keys_may_stand_in_another_order():
    space = vspace({"a": 1.0, "b": 2.0})
    assert space.add({"b": 1.0, "a": 2.0}, {"a": 10.0, "b": 20.0}) == {"a": 12.0, "b": 21.0}
    assert space.inner_prod({"b": 1.0, "a": 2.0}, {"a": 10.0, "b": 20.0}) == 40.0


def test_operations_are_differentiated():
    space = vspace([1.0, np.zeros(2)])
    x, y = [2.0, np.array([1.0, 3.0])], [1.0, np.array([5.0, -1.0])]
    found = tg.grad(lambda x: space.inner_prod(space.scalar_mul(x, 3.0), y))(x)
    assert found[0] == 3.0
    assert np.array_equal(found[1], [15.0, -3.0])
    assert space.mut_add(None, x) is x
    assert space.mut_add(x, y)[0] == 3.0


def test_what_is_no_vector_is_refused():
    with pytest.raises(TypeError, match="str 'x' belongs to no vector space"):
        vspace("x")
    with pytest.raises(NotImplementedError, match=r"VSpace\.register.*dataclass"):
        VSpace.register(str)
