"""Helpers of rules."""

import numpy as np
import pytest

from tapegrad.compat.autograd.numpy.numpy_vjps import (
    match_complex,
    replace_zero,
    unbroadcast,
    unbroadcast_f,
)
from tapegrad.compat.autograd.numpy.numpy_wrapper import metadata


@pytest.mark.parametrize("shape", [(), (3,), (1, 3), (2, 1), (2, 3), (1, 1)])
def test_unbroadcast_undoes_a_broadcast(shape):
    g = np.arange(6.0).reshape(2, 3)
    target = np.ones(shape)
    found = unbroadcast(g, metadata(target))
    assert np.shape(found) == shape
    assert np.sum(found) == np.sum(g)
    assert np.vdot(found, target) == np.vdot(g, np.broadcast_to(target, (2, 3)))
    assert np.array_equal(unbroadcast_f(target, lambda g: 2 * g)(g), 2 * found)


def test_real_targets_get_real_parts():
    assert unbroadcast(np.array([1 + 2j, 3.0]), metadata(1.0)) == 4.0
    assert unbroadcast(np.array([1 + 2j, 3.0]), metadata(1j)) == 4 + 2j
    assert match_complex(1.0, 2j) == 0.0
    assert match_complex(1j, 2.0) == 2 + 0j
    assert match_complex(1j, 2j) == 2j


def test_zeros_are_replaced():
    assert np.array_equal(replace_zero(np.array([0.0, 2.0]), 5.0), [5.0, 2.0])
