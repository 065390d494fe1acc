"""Our names give TensorFlow's numbers: those that it gave, and where it is installed, gives.

Update rules, losses, functions, their gradients, loops and tapes are in `tensorflow_programs.py`.
"""

import os

import numpy as np
import pytest
import tensorflow_programs as programs

SAVED = programs.saved()
NAMES = [*programs.V1, *programs.V2]


def test_every_program_has_numbers():
    assert sorted(SAVED) == sorted(NAMES)


def assert_near(found, expected, name):
    near = programs.tolerance(name)
    assert len(found) == len(expected)
    for a, b in zip(found, map(np.asarray, expected), strict=True):
        assert a.shape == b.shape
        assert np.allclose(a, b, rtol=near, atol=near / 10)


@pytest.mark.parametrize("name", NAMES)
def test_numbers(name):
    assert_near(programs.ours(name), SAVED[name], name)


@pytest.mark.parametrize("name", NAMES)
def test_numbers_of_tensorflow_itself(name):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed; its numbers are saved")
    assert_near(programs.originals(name), SAVED[name], name)
