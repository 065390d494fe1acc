import numpy as np
import pytest
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import ndimage

RNG = np.random.default_rng(4)
M, X = RNG.standard_normal((5, 6)), RNG.standard_normal(6)
AT = np.array([[0.3, 1.7, 3.6, 2.2], [4.4, 0.2, 2.7, 1.3]])
BEYOND = np.array([[-0.8, 1.7, 4.7, 2.2], [5.4, 0.2, -1.3, 6.6]])


@pytest.mark.parametrize("order", range(6))
def test_orders(order):
    holds(lambda x, at: ndimage.map_coordinates(x, at, order=order), (M, AT))


@pytest.mark.parametrize("mode", ["constant", "mirror", "reflect", "grid-wrap", "nearest", "wrap"])
@pytest.mark.parametrize("order", [0, 1, 2, 3, 5])
def test_modes(mode, order):
    holds(
        lambda x, at: ndimage.map_coordinates(x, at, order=order, mode=mode, cval=1.5),
        (M, BEYOND),
        single=False,
    )


def test_one_axis_without_filter():
    holds(
        lambda x, at: ndimage.map_coordinates(x, at[None], order=3, prefilter=False),
        (X, AT[1]),
        single=False,
    )
    holds(
        lambda x, at: ndimage.map_coordinates(x, at[None], order=1, mode="nearest"),
        (X, BEYOND[1]),
        single=False,
    )


def test_refusals():
    with pytest.raises(TypeError, match="mode='grid-constant' has no derivative; use one of"):
        ndimage.map_coordinates(tg.Variable(M), AT, mode="grid-constant")
    with pytest.raises(RuntimeError, match="coordinate array"):
        ndimage.map_coordinates(tg.Variable(M), AT[:1])
