import numpy as np
import pytest
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import spatial

RNG = np.random.default_rng(12)
A, B = RNG.standard_normal((4, 3)), RNG.standard_normal((5, 3))


@pytest.mark.filterwarnings("ignore:.*is deprecated in favor of")  # both, from SciPy 1.18 on
@pytest.mark.parametrize("p", [1, 2.0, 3.0, np.inf])
def test_distances(p):
    holds(lambda a, b: spatial.distance_matrix(a, b, p), (A, B), single=False)
    holds(lambda a, b: spatial.minkowski_distance(a, b, p), (A, B[:4]), single=False)
    holds(lambda a, b: spatial.minkowski_distance(a, b, p), (A[0], B[1]), single=False)


def test_best_fits():
    holds(spatial.procrustes, (A, B[:4]), single=False)


def test_points_that_do_not_fit():
    with pytest.raises(ValueError, match="rows of the same length"):
        spatial.distance_matrix(tg.Variable(A), B[:, :2])
    with pytest.raises(ValueError, match="same shape"):
        spatial.procrustes(tg.Variable(A), B)
    with pytest.raises(ValueError, match="unique points"):
        spatial.procrustes(tg.Variable(np.ones((3, 2))), np.eye(3, 2))
