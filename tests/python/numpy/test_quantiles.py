"""Quantiles of Variables, by every method."""

import numpy as np
import pytest
from agreement import agrees, assert_equal_parts

import tapegrad as tg
from tapegrad.numpy.quantiles import _BETWEEN, _WHOLE

RNG = np.random.default_rng(0)
METHODS = [*_WHOLE, *_BETWEEN]
MATRICES = [RNG.normal(size=(3, 5)) for _ in range(4)]
GAPS = np.where(RNG.uniform(size=(3, 5)) < 0.3, np.nan, 0.0)
FUNCTIONS = [(np.quantile, 0.0), (np.nanquantile, GAPS)]
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of NaN and infinity


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("function", "gaps"), FUNCTIONS)
def test_methods(function, gaps, method):
    for q in (0.3, [0.0, 0.5, 1.0], 1, np.float64(0.9)):
        calls = [(x,) for x in MATRICES]
        agrees(lambda x, q=q: function(x + gaps, q, axis=1, method=method), calls)
    agrees(lambda x: function(x + gaps, [[0.25, 0.6]], (1, 0), method=method, keepdims=True), calls)
    agrees(
        lambda x, q: function(x + gaps, q, 1, method=method),
        [(x, RNG.uniform(size=2)) for x in MATRICES],
    )
    if method in _BETWEEN and method != "averaged_inverted_cdf":  # else it is constant
        agrees(lambda q: function(MATRICES[0] + gaps, q, method=method), [(0.317,), (0.823,)])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("function", [np.quantile, np.nanquantile])
def test_places_at_ties_and_of_every_length(function, method):
    for n in range(1, 12):
        q = np.concatenate([np.linspace(0, 1, 21), np.arange(n + 1) / n])
        for more in ([], [np.inf], [-np.inf, np.inf], [np.nan]):
            x = np.append(RNG.integers(0, 4, n), more)
            with np.errstate(all="ignore"):
                expected = function(x, q, method=method)
            assert_equal_parts(function(tg.Variable(x), q, method=method), expected, 1e-15)


@pytest.mark.parametrize("q", [0.37, np.array([0.37]), np.array([0.37], "f4"), np.float32(0.37)])
def test_dtypes_are_numpys(q):
    x = MATRICES[0].astype("f4")
    for method in METHODS:
        expected = np.quantile(x, q, 1, method=method)
        assert_equal_parts(np.quantile(tg.Variable(x), q, 1, method=method), expected, 1e-6)


@pytest.mark.parametrize(("function", "gaps"), [(np.percentile, 0.0), (np.nanpercentile, GAPS)])
def test_weights(function, gaps):
    # The quantile 0 of older NumPy may have no weight.
    is_newer = tuple(map(int, np.__version__.split(".")[:2])) >= (2, 4)
    weights = RNG.uniform(size=(3, 5)) * (RNG.uniform(size=(3, 5)) < (0.8 if is_newer else 1.0))
    how = {"method": "inverted_cdf"}
    for q in (0.0, 30.0, [10, 20, 100.0]):
        agrees(
            lambda x, q=q: function(x + gaps, q, weights=weights, **how), [(x,) for x in MATRICES]
        )
        agrees(
            lambda x, w, q=q: function(x + gaps, q, 1, weights=w, **how),
            [(x, RNG.uniform(size=(3, 5))) for x in MATRICES],
        )
    if function is np.percentile:
        agrees(
            lambda x: function(x, 40.0, axis=1, weights=[0, 2, 0, 1, 3], **how),
            [(x,) for x in MATRICES],
        )


def test_slices_without_a_number():
    x = np.array([[np.nan, np.nan], [1.0, np.nan], [1.0, 2.0]])
    for weights in (None, np.ones((3, 2))):
        how = {"axis": 1, "method": "inverted_cdf", "weights": weights}
        assert_equal_parts(
            np.nanquantile(tg.Variable(x), [0.5, 0.2], **how),
            np.nanquantile(x, [0.5, 0.2], **how),
            1e-15,
        )
    empty = np.zeros((3, 0))
    expected = np.nanpercentile(empty, 50, axis=1)
    assert_equal_parts(np.nanpercentile(tg.Variable(empty), 50, axis=1), expected, 1e-15)
    assert_equal_parts(np.median(tg.Variable(np.zeros((0, 3))), axis=1), np.zeros(0), 1e-15)


def test_what_is_wrong_is_told():
    v = tg.Variable(MATRICES[0])
    for f, error, what in [
        (lambda: np.percentile(v, 101), ValueError, r"range \[0, 100\]"),
        (lambda: np.quantile(v, [0.5, np.nan]), ValueError, r"range \[0, 1\]"),
        (lambda: np.quantile(v, 0.5, method="best"), ValueError, "method="),
        (lambda: np.quantile(v, 0.5, weights=np.ones(4)), ValueError, "inverted_cdf"),
        (lambda: np.quantile(v[:, :0], 0.5), IndexError, "no quantile"),
    ]:
        with pytest.raises(error, match=what):
            f()
    for weights, what in [(-np.ones((3, 5)), "negative"), (np.zeros((3, 5)), "all zero")]:
        with pytest.raises(ValueError, match=what):
            np.quantile(v, 0.5, method="inverted_cdf", weights=weights)
