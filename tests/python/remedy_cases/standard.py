"""Functions of Python's own modules, which compute with plain numbers."""

from remedy_cases.case import Case

CASES = [
    Case("math.log(a, b)", "write np.log(a) / np.log(b)", "np.log(a) / np.log(b)"),
    Case(
        "math.dist(x[:2], x[1:])",
        "write np.linalg.norm(np.subtract(x[:2], x[1:]))",
        "np.linalg.norm(np.subtract(x[:2], x[1:]))",
    ),
    Case(
        "math.hypot(a, b, 3.0)",
        "write np.linalg.norm([a, b, 3.0])",
        "np.linalg.norm([a, b, 3.0])",
    ),
    Case(
        "math.isclose(a, 2.0)",
        "write np.isclose(a, 2.0, rtol=1e-9, atol=0.0)",
        "np.isclose(a, 2.0, rtol=1e-9, atol=0.0)",
        is_plain=True,
    ),
    *(
        Case(
            f"math.{name}(a)",
            f"write scipy.special.{theirs}(a)",
            f"import scipy.special; scipy.special.{theirs}(a)",
            module="scipy",
        )
        for name, theirs in (
            ("erf", "erf"),
            ("erfc", "erfc"),
            ("gamma", "gamma"),
            ("lgamma", "gammaln"),
        )
    ),
    Case("abs(complex(a, b))", "write a + 1j * b", "abs(a + 1j * b)"),
    Case("abs(complex(a, b - 1))", "write a + 1j * (b - 1)", "abs(a + 1j * (b - 1))"),
    Case("['%f'][0] % a", "write f'{a:f}'", "f'{a:f}'", is_plain=True),
    Case("'%f' % x", "format each element", "'%f' % x[0]", is_plain=True, plain="'%f' % x[0]"),
    Case("statistics.mean(x)", "write np.mean(v)", "np.mean(x)"),
    Case("statistics.fmean(x)", "write np.mean(v)", "np.mean(x)"),
    Case(
        "statistics.geometric_mean(x)",
        "write np.exp(np.mean(np.log(v)))",
        "np.exp(np.mean(np.log(x)))",
    ),
    Case("statistics.harmonic_mean(x)", "write 1 / np.mean(1 / v)", "1 / np.mean(1 / x)"),
    Case("statistics.variance(x)", "write np.var(v, ddof=1)", "np.var(x, ddof=1)"),
    Case("statistics.stdev(x)", "write np.std(v, ddof=1)", "np.std(x, ddof=1)"),
    Case("statistics.pvariance(x)", "write np.var(v)", "np.var(x)"),
    Case("statistics.pstdev(x)", "write np.std(v)", "np.std(x)"),
    Case(
        "statistics.covariance(x, X * X)",
        "write np.cov(v, w)[0, 1]",
        "np.cov(x, X * X)[0, 1]",
    ),
    Case(
        "statistics.correlation(x, X * X)",
        "write np.corrcoef(v, w)[0, 1]",
        "np.corrcoef(x, X * X)[0, 1]",
    ),
    Case(
        "[*statistics.linear_regression(x, X * X)][0]",
        "write np.polyfit(v, w, 1)",
        "np.polyfit(x, X * X, 1)[0]",
    ),
    Case(
        "statistics.NormalDist(0.0, 1.0).cdf(a)",
        "write it with NumPy functions",
        "import scipy.special; scipy.special.ndtr(a)",
        module="scipy",
    ),
    Case(
        "random.seed(3); random.choices([1.0, 2.0], x[:2])[0]",
        "write random.choices(items, tg.value(weights))",
        "random.seed(3); random.choices([1.0, 2.0], tg.value(x[:2]))[0]",
        is_plain=True,
    ),
    Case(
        "random.seed(3); random.gammavariate(a, 2.0)",
        "draw standard numbers, and shift and scale them",
        "random.seed(3); 2.0 * random.gammavariate(tg.value(a), 1.0)",
        is_plain=True,
    ),
]
