import numpy as np
import pytest
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import ndimage

RNG = np.random.default_rng(8)
X, M = RNG.standard_normal(7), RNG.standard_normal((5, 4))
FOOT = np.array([[0, 1, 0], [1, 1, 1]])


@pytest.mark.parametrize("name", ["maximum_filter", "minimum_filter", "median_filter"])
def test_windows(name):
    f = getattr(ndimage, name)
    holds(lambda x: f(x, 3), (M,))
    holds(lambda x: f(x, (2, 3), mode="wrap", origin=(0, -1)), (M,))
    holds(lambda x: f(x, footprint=FOOT, mode="constant", cval=0.1), (M,))


def test_ranks():
    holds(lambda x: ndimage.rank_filter(x, 1, 3), (M,))
    holds(lambda x: ndimage.rank_filter(x, -2, footprint=FOOT), (M,))
    for percentile in (0, 30, 100, -20):
        holds(lambda x, p=percentile: ndimage.percentile_filter(x, p, 3), (M,))


@pytest.mark.parametrize("name", ["maximum_filter1d", "minimum_filter1d"])
def test_along_one_axis(name):
    f = getattr(ndimage, name)
    holds(lambda x: f(x, 3), (X,))
    holds(lambda x: f(x, 4, 0, mode="nearest", origin=1), (M,))


@pytest.mark.parametrize("name", ["maximum_filter", "minimum_filter", "median_filter"])
def test_axes(name):
    f = getattr(ndimage, name)
    for axes in ((0,), (0, 1), (1, 0)):
        size = (3, 2)[: len(axes)]
        found = f(tg.Variable(M), size, axes=axes)
        np.testing.assert_allclose(tg.value(found), f(M, size, axes=axes))


def test_arguments_that_do_not_fit():
    x = tg.Variable(M)
    with pytest.raises(RuntimeError, match="no footprint or filter size"):
        ndimage.maximum_filter(x)
    with pytest.raises(RuntimeError, match="rank not within"):
        ndimage.rank_filter(x, 9, 3)
    with pytest.raises(RuntimeError, match="invalid percentile"):
        ndimage.percentile_filter(x, 101, 3)
    with pytest.raises(RuntimeError, match="footprint has shape"):
        ndimage.median_filter(x, footprint=np.ones(3))
