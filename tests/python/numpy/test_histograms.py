"""Histograms of Variables."""

import numpy as np
import pytest
from agreement import agrees, assert_equal_parts

import tapegrad as tg

RNG = np.random.default_rng(0)
MATRICES = [RNG.normal(size=(3, 5)) for _ in range(4)]
VECTORS = [x[0] for x in MATRICES]
WEIGHTS = [RNG.uniform(size=(3, 5)) for _ in range(4)]
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
        (lambda: np.histogram(v, "most"), ValueError, "most"),
        (lambda: np.histogram(v, 10**6, (1.0, np.nextafter(1.0, 2))), ValueError, "too many"),
        (lambda: np.histogram2d(v, v[:2]), ValueError, "y has 2"),
        (lambda: np.histogramdd([v, v], [2, 3, 4]), ValueError, "one for each column"),
        (lambda: np.histogram(v, 0), ValueError, "positive"),
        (lambda: np.histogram(v, [1, 0]), ValueError, "increase"),
        (lambda: np.histogram(v, range=(1, 0)), ValueError, "falls"),
        (lambda: np.histogram(v, range=(1, np.nan)), ValueError, "finite"),
        (lambda: np.histogram(v, weights=np.ones(3)), ValueError, "weights="),
    ]:
        with pytest.raises(error, match=what):
            f()


@pytest.mark.parametrize("bins", ["auto", "sqrt", "fd", "sturges", "scott", "rice", "doane"])
def test_numbers_of_bins_by_name(bins):
    for bounds in (None, (-1.0, 1.0)):
        for x in MATRICES:
            found = np.histogram(tg.Variable(x), bins, bounds)
            assert_equal_parts(found, np.histogram(x, bins, bounds), 1e-14)
    agrees(lambda x: np.histogram_bin_edges(x, bins), [(x,) for x in MATRICES], lanes=False)


OF_TWO = [
    {}, {"bins": 3}, {"bins": [2, 3]}, {"bins": [-1, 0, 0.5, 2]}, {"bins": 3, "density": True},
    {"bins": [[-1.0, 0, 1], [-2.0, 0, 0.5, 2]]}, {"bins": [2, [-2, 0, 0.5, 2]]},
    {"bins": [2, 3], "range": [None, (-2, 2)]},
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:compile")  # of counts, which are plain
@pytest.mark.parametrize("options", OF_TWO, ids=str)
def test_histograms_of_several_axes(options):
    for x in MATRICES:
        v, w = tg.Variable(x), WEIGHTS[0][0]
        for more in ({}, {"weights": w}):
            found = np.histogram2d(v[0], v[1], **options, **more)
            assert_equal_parts(found, np.histogram2d(x[0], x[1], **options, **more), 1e-14)
            if options is not OF_TWO[3]:  # which are the edges of both
                for args in ((v[:2].T, x[:2].T), ([v[0], v[1]], [x[0], x[1]])):
                    found, wanted = (np.histogramdd(a, **options, **more) for a in args)
                    assert_equal_parts(found, wanted, 1e-14)
    x = MATRICES[0]
    agrees(
        lambda w: np.histogram2d(x[0], x[1], weights=w[0], **options)[0], [(w,) for w in WEIGHTS]
    )
    compiled = tg.compile(lambda x, w: np.histogram2d(x[0], x[1], weights=w, **options))
    for x, w in zip(MATRICES * 2, WEIGHTS * 2, strict=True):
        wanted = np.histogram2d(x[0], x[1], weights=w[0], **options)
        assert_equal_parts(compiled(x, w[0]), wanted, 1e-13)


def test_edges_of_several_axes_keep_their_derivatives():
    for f in (lambda x: np.histogram2d(x[0], x[1], 3)[1:], lambda x: np.histogramdd(x.T, 2)[1]):
        tg.testing.check_grads(f, (MATRICES[0],))


@pytest.mark.parametrize("n", [3, 5, 6])
def test_weights_of_another_number_of_points(n):
    points = [0.5, 1.5, 2.5, 1.0]
    for f in (
        lambda w: np.histogram2d(points, points, 2, weights=w, density=True)[0],
        lambda w: np.histogramdd((points, points), 2, weights=w)[0],
    ):
        for way in (f, tg.jacobian(f), tg.compile(f)):
            with pytest.raises(ValueError, match="weights"):
                way(np.linspace(0.1, 1.0, n))
