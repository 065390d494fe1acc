import numpy as np
import pytest
import scipy
import scipy.stats
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import stats

X = np.array([[1.0, 2.0, 4.0, 3.5, 0.7], [2.5, 0.4, 1.1, 3.0, 1.9], [0.3, 2.2, 1.4, 0.9, 5.0]])
SCIPY = tuple(map(int, scipy.__version__.split(".")[:2]))
W = X[::-1] / 2.0
Y = np.array([0.5, 3.0, 1.0, 2.0, 0.6])

CALLS = {
    "gmean": (stats.gmean, (X,)),
    "gmean all": (lambda a: stats.gmean(a, axis=None, keepdims=True), (X,)),
    "gmean weights": (lambda a, w: stats.gmean(a, weights=w), (X, W)),
    "gmean list": (lambda a, b: stats.gmean([a, b]), (X, X[::-1].copy())),
    "hmean": (stats.hmean, (X,)),
    "hmean weights": (lambda a, w: stats.hmean(a, axis=0, weights=w), (X, W)),
    "pmean": (lambda a: stats.pmean(a, 2.5, axis=1, keepdims=True), (X,)),
    "pmean 0": (lambda a: stats.pmean(a, 0), (X,)),
    "zscore": (stats.zscore, (X,)),
    "zscore ddof": (lambda a: stats.zscore(a, axis=None, ddof=1), (X,)),
    "zmap": (lambda a, b: stats.zmap(a, b, axis=0, ddof=1), (X[:2], X)),
    "gzscore": (lambda a: stats.gzscore(a, axis=1), (X,)),
    "gstd": (lambda a: stats.gstd(a, axis=1), (X,)),
    "moment": (lambda a: stats.moment(a, 3), (X,)),
    "moment 0": (lambda a: stats.moment(a, 0, axis=None) + np.sum(a), (X,)),
    "moment 1": (lambda a: stats.moment(a) + a[0], (X,)),
    "moment center": (lambda a, c: stats.moment(a, 1, center=c), (X[0], np.array(0.7))),
    "moments": (lambda a: stats.moment(a, [2, 3], axis=1), (X,)),
    "skew": (stats.skew, (X,)),
    "skew unbiased": (lambda a: stats.skew(a, 1, False, keepdims=True), (X,)),
    "kurtosis": (lambda a: stats.kurtosis(a, axis=None), (X,)),
    "kurtosis Pearson": (lambda a: stats.kurtosis(a, 1, False, False), (X,)),
    "entropy": (stats.entropy, (X,)),
    "entropy relative": (lambda p, q: stats.entropy(p, q, 2.0, axis=1), (X, X[::-1].copy())),
    "variation": (lambda a: stats.variation(a, 1, ddof=1), (X,)),
    "sem": (lambda a: stats.sem(a, axis=1), (X,)),
    "sem all": (lambda a: stats.sem(a, axis=None, ddof=0), (X,)),
    "iqr": (stats.iqr, (X,)),
    "iqr normal": (lambda a: stats.iqr(a, 1, (80, 10), "normal", keepdims=True), (X,)),
    "median_abs_deviation": (lambda a: stats.median_abs_deviation(a, axis=1), (X,)),
    "median_abs_deviation all": (
        lambda a: stats.median_abs_deviation(a, axis=None, scale="normal"), (X,),
    ),
    "median_abs_deviation center": (
        lambda a: stats.median_abs_deviation(a, 0, np.mean, 2.0), (X + Y,),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_values_and_derivatives(name):
    f, args = CALLS[name]
    # Before SciPy 1.16 some of these are in double precision whatever the sample has.
    holds(f, args, rtol=1e-9, single=SCIPY >= (1, 16), single_rtol=2e-4)


def test_empty_and_negative_samples():
    for f in (stats.hmean, lambda a: stats.pmean(a, 2.0)):
        with np.errstate(all="ignore"):
            assert np.isnan(tg.value(f(tg.Variable([1.0, -2.0]))))


def test_refusals():
    a = tg.Variable(X)
    with pytest.raises(TypeError, match=r"scipy\.stats\.skew: nan_policy='omit' has no derivative"):
        stats.skew(a, nan_policy="omit")
    with pytest.raises(TypeError, match=r"stats\.gmean: .*call tapegrad\.scipy\.stats\.gmean"):
        scipy.stats.gmean(a)
    with pytest.raises(TypeError, match=r"scipy\.stats\.tmean: .*write it with NumPy functions"):
        stats.tmean(a)
    with pytest.raises(ValueError, match="finite"):
        stats.pmean(a, "two")
