import integrate_cases
import numpy as np
import pytest
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy.spatial import distance


@pytest.mark.parametrize("name", integrate_cases.METRICS)
def test_metrics(name):
    for f, args in integrate_cases.distances(name):
        holds(f, args)


def test_points_that_coincide_have_no_derivative_there():
    x = np.array([[1.0, 2.0], [1.0, 2.0], [4.0, 6.0]])
    found = tg.grad(lambda x: np.sum(distance.pdist(x)))(x)
    np.testing.assert_allclose(found, [[-0.6, -0.8], [-0.6, -0.8], [1.2, 1.6]])


def test_square_forms():
    holds(distance.squareform, (np.array([1.0, 2.0, 3.0]),))
    holds(lambda x: distance.squareform(x, checks=False), (np.arange(9.0).reshape(3, 3),))
    with pytest.raises(ValueError, match="binomial"):
        distance.squareform(tg.Variable([1.0, 2.0]))


def test_metrics_without_derivative_are_named():
    with pytest.raises(TypeError, match=r"metric='hamming' has no derivative.*'euclidean'"):
        distance.cdist(tg.Variable(np.eye(2)), np.eye(2), "hamming")
    with pytest.raises(TypeError, match=r"write it over all pairs"):
        distance.pdist(tg.Variable(np.eye(2)), lambda u, v: np.sum(u * v))
