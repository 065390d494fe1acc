"""Our names give the numbers of PyTensor, Theano's successor, and where that is, its own."""

import os

import numpy as np
import pytest
import theano_programs as programs

SAVED = programs.saved()


def test_every_program_has_numbers():
    assert sorted(SAVED) == sorted(programs.PROGRAMS)


def assert_near(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, map(np.asarray, expected), strict=True):
        assert a.shape == b.shape
        assert np.allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_numbers(name):
    assert_near(programs.ours(name), SAVED[name])


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_numbers_of_pytensor_itself(name):
    os.environ.setdefault("PYTENSOR_FLAGS", "cxx=,linker=py")
    pytest.importorskip("pytensor", reason="PyTensor is not installed; its numbers are saved")
    assert_near(programs.originals(name), SAVED[name])
