"""Covariances of Variables, and their sums and counts by bins."""

import numpy as np
import pytest
from agreement import agrees, assert_equal_parts

import tapegrad as tg

RNG = np.random.default_rng(0)
MATRICES = [RNG.normal(size=(3, 5)) for _ in range(4)]
VECTORS = [x[0] for x in MATRICES]
WEIGHTS = [RNG.uniform(size=(3, 5)) for _ in range(4)]
OF_COV = [
    {}, {"bias": True}, {"ddof": 0}, {"fweights": [1, 2, 0, 1, 3]}, {"aweights": VECTORS[0] ** 2},
    {"fweights": [1, 2, 0, 1, 3], "aweights": VECTORS[1] ** 2}, {"fweights": [3] * 5, "ddof": 2},
    {"aweights": VECTORS[1] ** 2, "ddof": 0},
]  # fmt: skip


@pytest.mark.parametrize("options", OF_COV, ids=str)
def test_cov(options):
    agrees(lambda x: np.cov(x, **options), [(x,) for x in MATRICES])
    agrees(lambda x: np.cov(x, **options), [(x,) for x in VECTORS])
    agrees(
        lambda x, y: np.cov(x, y, **options),
        [(x, y[:2]) for x, y in zip(MATRICES, MATRICES[::-1], strict=True)],
    )


def test_cov_of_columns_and_of_weights():
    calls = [(x,) for x in MATRICES]
    agrees(lambda x: np.cov(x, rowvar=False), calls)
    agrees(lambda x: np.cov(x, np.exp(x), rowvar=False), calls)
    agrees(lambda x: np.cov(x, x[:, 0] * x[:, 1], rowvar=False), calls)
    agrees(lambda x: np.cov(x, x**2, rowvar=False), [(x,) for x in VECTORS])
    agrees(
        lambda x, w: np.cov(x, aweights=w),
        [(x, w[0]) for x, w in zip(MATRICES, WEIGHTS, strict=True)],
    )


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of too few observations
def test_cov_at_the_edges():
    for x, options in [
        (VECTORS[0].astype("f4"), {}),
        (VECTORS[0].astype("f4"), {"dtype": "f4"}),
        (np.ones((2, 1)), {}),
        (np.zeros((0, 3)), {}),
    ]:
        assert_equal_parts(np.cov(tg.Variable(x), **options), np.cov(x, **options), 1e-6)


def test_corrcoef():
    calls = [(x,) for x in MATRICES]
    agrees(np.corrcoef, calls)
    agrees(lambda x: np.corrcoef(x, rowvar=False), calls)
    agrees(lambda x, y: np.corrcoef(x, y), [(x, y) for x, y in zip(MATRICES, WEIGHTS, strict=True)])
    agrees(np.corrcoef, [(x,) for x in VECTORS])
    # Where rounding leads out of the range, the second derivative is still there.
    y = VECTORS[0] - np.mean(VECTORS[0])
    found = tg.hessian(lambda x: np.corrcoef(x, y)[0, 1])(y)
    n = y / np.sqrt(y @ y)
    wanted = (np.outer(n, n) + 1 / len(y) - np.eye(len(y))) / (y @ y)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_the_sum_of_the_weights_of_an_average_has_its_dtype():
    x = MATRICES[0].astype("f4")
    for options in ({}, {"weights": np.arange(5)}, {"weights": [1.0, 2, 3, 4, 5]}):
        found = np.average(tg.Variable(x), 1, returned=True, **options)
        assert_equal_parts(found, np.average(x, 1, returned=True, **options), 1e-6)


def test_bincount():
    places = [0, 2, 2, 5, 2]
    agrees(lambda w: np.bincount(places, w), [(x,) for x in VECTORS])
    agrees(lambda w: np.bincount(places, w, minlength=9), [(x,) for x in VECTORS])
    w = VECTORS[0].astype("f4")
    assert_equal_parts(np.bincount(places, tg.Variable(w)), np.bincount(places, w), 1e-6)
    none = np.zeros(0, int)
    expected = np.bincount(none, np.zeros(0), 3)
    assert_equal_parts(np.bincount(none, tg.Variable(np.zeros(0)), 3), expected, 1e-15)
    compiled = tg.compile(lambda i, w: np.bincount(i, w))
    for k in range(6):
        i = (np.array(places) + k // 2) % 6
        np.testing.assert_allclose(compiled(i, VECTORS[k % 4]), np.bincount(i, VECTORS[k % 4]))
    for i in ([0, -1, 1, 1, 1], [0, 1], np.ones((5, 1), int)):
        with pytest.raises(ValueError):  # noqa: PT011 - of NumPy's own words, in part
            np.bincount(i, tg.Variable(VECTORS[0]))
    with pytest.raises(TypeError, match=r"astype\(int\)"):
        np.bincount(tg.Variable(VECTORS[0]), VECTORS[0])
