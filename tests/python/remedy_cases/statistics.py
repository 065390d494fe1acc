"""Of sampled curves, order and moments."""

from remedy_cases.case import Case

CASES = [
    Case(
        "np.interp(x, np.array([2.0, 0.0, 1.0]), m[0])",
        "pass xp[i] and fp[i]",
        "p = np.array([2.0, 0.0, 1.0]); i = np.argsort(p); np.interp(x, p[i], m[0][i])",
        "p = np.array([2.0, 0.0, 1.0]); i = np.argsort(p); np.interp(x, p[i], m[0][i])",
    ),
    Case(
        "np.gradient(m, 1.0, 2.0, 3.0)",
        "give one number, or one for each axis",
        "np.stack(np.gradient(m, 1.0, 2.0))",
    ),
    Case(
        "np.gradient(m, [0.0, 1.0, 2.0], axis=0)",
        "a position for each element along the axis",
        "np.gradient(m, [0.0, 1.0], axis=0)",
    ),
    Case(
        "np.quantile(x, 0.3, weights=[1, 2, 3])",
        "give method='inverted_cdf' too",
        "np.quantile(x, 0.3, weights=[1, 2, 3], method='inverted_cdf')",
        "np.quantile(x, 0.3, weights=[1, 2, 3], method='inverted_cdf')",
    ),
    Case(
        "np.cov(x, fweights=[1, 2])",
        "give one number for each",
        "np.cov(x, fweights=[1, 2, 1])",
        "np.cov(x, fweights=[1, 2, 1])",
    ),
    Case(
        "np.bincount(np.rint(x), x)",
        "tg.value(x).astype(int)",
        "np.bincount(np.rint(tg.value(x)).astype(int), x)",
        "np.bincount(np.rint(x).astype(int), x)",
    ),
    Case(
        "np.bincount([0, 1], x)",
        "give one for each",
        "np.bincount([0, 1, 1], x)",
    ),
    Case(
        "np.histogram(m, 3, weights=x)",
        "give one for each element",
        "np.histogram(X, 3, weights=x)[0]",
        "np.histogram(X, 3, weights=x)[0]",
    ),
    Case(
        "np.histogramdd(m, 3, weights=x)",
        "give one for each point",
        "np.histogramdd(m, 3, weights=x[:2])[0]",
        "np.histogramdd(m, 3, weights=x[:2])[0]",
    ),
    Case(
        "np.histogramdd(m, [3, 2], weights=x[:2])",
        "give one for each column",
        "np.histogramdd(m, [3, 2, 3], weights=x[:2])[0]",
        "np.histogramdd(m, [3, 2, 3], weights=x[:2])[0]",
    ),
]
