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


U, V, W = np.array([0.3, 1.2, 0.7]), np.array([1.1, 0.5, 0.9]), np.array([0.5, 1.5, 1.0])
OF_TWO = (
    "euclidean", "sqeuclidean", "cityblock", "chebyshev", "minkowski", "cosine", "correlation",
    "canberra", "braycurtis",
)  # fmt: skip


@pytest.mark.parametrize("name", OF_TWO)
def test_distances_of_two_vectors(name):
    f = getattr(distance, name)
    holds(f, (U, V))
    holds(lambda u, v, w: f(u, v, w=w), (U, V, W), single_rtol=1e-4)


def test_distances_of_two_vectors_with_their_own_options():
    holds(lambda u, v: distance.minkowski(u, v, 3.0), (U, V))
    holds(lambda u, v: distance.correlation(u, v, centered=False), (U, V))
    holds(lambda u, v, s: distance.seuclidean(u, v, s), (U, V, W))
    holds(lambda u, v, s: distance.mahalanobis(u, v, np.outer(s, s) + np.eye(3)), (U, V, W))
    holds(distance.jensenshannon, (U, V), single_rtol=1e-4)
    holds(lambda u, v: distance.jensenshannon(u, v, 2.0), (U, V), single_rtol=1e-4)
    holds(
        lambda u, v: distance.jensenshannon(u, v, axis=1, keepdims=True),
        (np.outer(U, W), np.outer(V, U)),
        single_rtol=1e-4,
    )
    with pytest.raises(ValueError, match="should be 1-D"):
        distance.euclidean(tg.Variable(np.eye(2)), np.ones(2))
    with pytest.raises(ValueError, match="non-negative"):
        distance.cosine(tg.Variable(U), V, -W)
