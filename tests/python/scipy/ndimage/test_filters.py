import numpy as np
import pytest
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import ndimage

RNG = np.random.default_rng(4)
X, M, W = RNG.standard_normal(7), RNG.standard_normal((5, 4)), np.array([0.3, -0.5, 1.1, 0.2])
MODES = ("reflect", "mirror", "nearest", "wrap", "constant", "grid-wrap")


@pytest.mark.parametrize("mode", MODES)
def test_correlations(mode):
    for f in (ndimage.correlate1d, ndimage.convolve1d):
        for origin in (-1, 0, 1):
            holds(
                lambda x, w, f=f, o=origin: f(x, w, 0, mode=mode, cval=0.7, origin=o),
                (M, W),
                single_rtol=1e-4,
            )


def test_uniform_and_gaussian():
    holds(lambda x: ndimage.uniform_filter1d(x, 3), (X,))
    for order in range(4):
        holds(
            lambda x, s, k=order: ndimage.gaussian_filter1d(x, s, order=k, radius=3),
            (X, np.array(1.1)),
            single=False,
        )
    holds(lambda x: ndimage.gaussian_filter(x, 0.8), (M,))
    holds(lambda x: ndimage.gaussian_filter(x, (0.8, 1.1), order=(1, 0), truncate=2.0), (M,))
    holds(lambda x: ndimage.gaussian_filter(x, 0.7, axes=(1,), mode="wrap"), (M,))


def test_refusals():
    with pytest.raises(TypeError, match=r"scipy\.ndimage\.gaussian_filter: output="):
        ndimage.gaussian_filter(tg.Variable(M), 1.0, output=np.empty((5, 4)))
    with pytest.raises(ValueError, match="Invalid origin"):
        ndimage.correlate1d(tg.Variable(X), W, origin=3)
