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


OF_HISTOGRAM = [
    {}, {"bins": 4}, {"bins": 3, "range": (-1, 1)}, {"bins": [-1, 0, 0.5, 2]},
    {"bins": 4, "density": True}, {"bins": [-1, 0, 0.5, 2], "density": True},
]  # fmt: skip


@pytest.mark.parametrize("options", OF_HISTOGRAM, ids=str)
def test_histogram(options):
    of_data = "range" not in options and np.ndim(options.get("bins", 10)) == 0
    if of_data:
        agrees(lambda x: np.histogram(x, **options), [(x,) for x in MATRICES], smooth=False)
        agrees(lambda x: np.histogram(x, **options)[1], [(x,) for x in MATRICES])
    for x in (RNG.integers(-3, 3, (5, 6)) * 1.0, VECTORS[0].astype("f4"), np.ones(3)):
        assert_equal_parts(
            np.histogram(tg.Variable(x), **options), np.histogram(x, **options), 1e-6
        )
        w = np.abs(x) + 1
        found = np.histogram(tg.Variable(x), weights=w, **options)
        assert_equal_parts(found, np.histogram(x, weights=w, **options), 1e-6)
    agrees(lambda w: np.histogram(VECTORS[0], weights=w[0], **options), [(w,) for w in WEIGHTS])
    counts = tg.compile(lambda x: (np.histogram(x, **options)[0], x * x))
    for x in MATRICES * 2:
        assert_equal_parts(counts(x), (np.histogram(x, **options)[0], x * x), 1e-14)


def test_histograms_at_the_edges():
    for x, bins in [(np.zeros(0), 10), (np.array([np.nan, 1.0, 2.0, 0.5]), [0, 1, 2])]:
        assert_equal_parts(np.histogram(tg.Variable(x), bins), np.histogram(x, bins), 1e-15)
    v = tg.Variable(VECTORS[0])
    assert not isinstance(np.histogram(v, [0, 1, 2])[0], tg.Variable)
    for f, error, what in [
        (lambda: np.histogram(v, "auto"), TypeError, r"tg\.value\(v\), 'auto'"),
        (lambda: np.histogram(v, 0), ValueError, "positive"),
        (lambda: np.histogram(v, [1, 0]), ValueError, "increase"),
        (lambda: np.histogram(v, range=(1, 0)), ValueError, "falls"),
        (lambda: np.histogram(v, range=(1, np.nan)), ValueError, "finite"),
        (lambda: np.histogram(v, weights=np.ones(3)), ValueError, "weights="),
    ]:
        with pytest.raises(error, match=what):
            f()
