import inspect

import numpy as np
import pytest
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import ndimage

RNG = np.random.default_rng(6)
M, K, EVEN = RNG.standard_normal((5, 4)), RNG.standard_normal((3, 3)), RNG.standard_normal((2, 3))
CUBE = RNG.standard_normal((3, 4, 3))


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
@pytest.mark.parametrize("name", ["correlate", "convolve"])
def test_weights_in_several_axes(name, mode):
    f = getattr(ndimage, name)
    holds(lambda x, w: f(x, w, mode=mode, cval=0.4), (M, K))
    holds(lambda x, w: f(x, w, mode=mode, origin=(0, 1)), (M, EVEN))
    holds(lambda x, w: f(x, w, origin=-1), (M, K))


@pytest.mark.parametrize("name", ["sobel", "prewitt"])
def test_edges(name):
    f = getattr(ndimage, name)
    holds(f, (M,))
    holds(lambda x: f(x, 0, mode="constant", cval=0.3), (CUBE,))


def test_means_and_second_derivatives():
    holds(ndimage.uniform_filter, (M,))
    holds(lambda x: ndimage.uniform_filter(x, (3, 2), mode="wrap", origin=(1, 0)), (M,),
          single_rtol=1e-4)  # fmt: skip
    holds(ndimage.laplace, (M,))
    holds(lambda x: ndimage.laplace(x, mode=["wrap", "nearest"]), (M,))
    holds(lambda x: ndimage.gaussian_laplace(x, 0.8), (M,))
    holds(lambda x: ndimage.gaussian_laplace(x, (0.8, 0.6), truncate=2.0), (M,))
    holds(lambda x: ndimage.gaussian_gradient_magnitude(x, 0.7), (M,))


def test_weights_that_do_not_fit():
    x = tg.Variable(M)
    with pytest.raises(RuntimeError, match="incorrect shape"):
        ndimage.correlate(x, np.ones(3))
    with pytest.raises(ValueError, match="invalid origin"):
        ndimage.convolve(x, K, origin=2)
    with pytest.raises(RuntimeError, match="boundary mode not supported"):
        ndimage.correlate(x, K, mode="round")
    if "axes" in inspect.signature(ndimage.correlate).parameters:
        with pytest.raises(TypeError, match=r"axes=.* give weights an axis of length 1"):
            ndimage.correlate(x, np.ones(3), axes=(1,))
        found = ndimage.correlate(x, np.ones((1, 3)))
        np.testing.assert_allclose(tg.value(found), ndimage.correlate(M, np.ones(3), axes=(1,)))
    with pytest.raises(TypeError, match=r"scipy\.ndimage\.sobel: output="):
        ndimage.sobel(x, output=np.empty((5, 4)))
