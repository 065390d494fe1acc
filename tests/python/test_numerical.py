import numpy as np
import pytest

from tapegrad import numerical


def test_scalars_and_arrays_of_any_shape():
    assert numerical.grad(np.sin)(0.5) == pytest.approx(np.cos(0.5), abs=1e-9)
    assert isinstance(numerical.grad(np.sin)(1), float)
    x = np.arange(6.0).reshape(2, 3) + 1
    for array in (x, x.T, x[::-1, ::2], x.astype(np.float32), x.astype(int)):
        found = numerical.grad(lambda v: np.sum(v**3))(array)
        assert found.shape == array.shape
        np.testing.assert_allclose(found, 3.0 * array**2, rtol=1e-7)
    assert numerical.grad(lambda v: np.sum(v))(np.zeros((0, 3))).shape == (0, 3)


def test_the_argument_is_chosen_and_left_unchanged():
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    found = numerical.grad(lambda a, b, scale: scale * np.sum(a * b), argnum=1)(x, y, scale=2)
    np.testing.assert_allclose(found, 2 * x, rtol=1e-8)
    np.testing.assert_array_equal(y, [3.0, 4.0])


def test_a_function_that_writes_its_argument_is_harmless():
    def f(v):
        v[0] *= 2
        return v[0]

    np.testing.assert_allclose(numerical.grad(f)(np.array([3.0, 1.0])), [2.0, 0.0], rtol=1e-9)


def test_steps_scale_with_the_argument_and_can_be_given():
    assert numerical.grad(lambda v: v * v)(1e12) == pytest.approx(2e12, rel=1e-8)
    assert numerical.grad(lambda v: v**3, step=0.5)(2.0) == pytest.approx(12.25, rel=1e-14)


def test_errors_name_the_remedy():
    with pytest.raises(TypeError, match=r"shape \(2,\); it must return a single number"):
        numerical.grad(np.sin)(np.ones(2))
    with pytest.raises(TypeError, match="argument 0 has dtype complex128"):
        numerical.grad(np.abs)(1j)
