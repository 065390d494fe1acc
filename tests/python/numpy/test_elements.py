"""Elements of a float32 Variable in arrays of objects that NumPy would make float64."""

import numpy as np
import pytest

import tapegrad as tg

ELEMENTS = tg.Variable(np.array([1.0, 2.0], np.float32))
BESIDE = [1.0, 2.0]


@pytest.mark.parametrize(
    ("make", "remedy"),
    [
        (lambda v: np.array([v[0], 1.0]), lambda v: np.stack([v[0], 1.0])),
        (lambda v: np.array([v[0], np.float64(1)]), lambda v: np.stack([v[0], np.float64(1)])),
        (lambda v: np.array([v[0], BESIDE[0]]), lambda v: np.stack([v[0], BESIDE[0]])),
        (
            lambda v: np.asarray([[v[0], -1], [v[1], 1]]),
            lambda v: np.stack([[v[0], -1], [v[1], 1]]),
        ),
    ],
)
def test_elements_of_other_precision_than_numpys_array_are_named(make, remedy):
    expected = make(np.array([1.0, 2.0], np.float32))
    with pytest.warns(UserWarning, match=rf"of {expected.dtype}.*np\.stack") as seen:
        found = make(ELEMENTS)
    assert len(seen) == 1
    assert np.exp(found).dtype == np.exp(expected).dtype
    right = remedy(ELEMENTS)
    assert right.dtype == expected.dtype == right.sum().dtype
    np.testing.assert_array_equal(tg.value(right), expected)


def test_elements_of_one_precision_make_arrays_without_a_word():
    for make in (
        lambda v: np.array([v[0], v[1]]),
        lambda v: np.array([v[0], np.float32(2.0)]),
        lambda v: np.array([v[0], True]),
    ):
        assert tg.value(make(ELEMENTS).sum()).dtype == np.float32
