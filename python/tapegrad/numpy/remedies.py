"""How to write what is refused in code that keeps the derivative; tests run it."""

# What takes the place of functions of NumPy that no other library may override.
OWN_CALLS: dict[str, str] = {
    "arange": "write start + step * np.arange(n)",
    "broadcast": "write np.broadcast_shapes(v.shape, w.shape), or np.broadcast_arrays(v, w)",
    "fromiter": "write np.stack(list(items))",
}

# Random draws: what the call on standard numbers is; {} stands for the generator.
DRAWS: dict[str, str] = {
    "normal": "write loc + scale * {}.standard_normal(size)",
    "uniform": "write low + (high - low) * {}.random(size)",
    "exponential": "write scale * {}.standard_exponential(size)",
    "permutation": "write v[{}.permutation(len(v))] of the Variable v",
    "lognormal": "write np.exp(mean + sigma * {}.standard_normal(size))",
}

# Functions of math that NumPy has in other words: how many arguments those take, and the words.
MATH: dict[str, tuple[int, str]] = {
    "dist": (2, "np.linalg.norm(np.subtract({0}, {1}))"),
    "erf": (1, "scipy.special.erf({0})"),
    "erfc": (1, "scipy.special.erfc({0})"),
    "gamma": (1, "scipy.special.gamma({0})"),
    "hypot": (3, "np.linalg.norm([{0}, {1}, {2}])"),
    "isclose": (2, "np.isclose({0}, {1}, rtol=1e-9, atol=0.0)"),
    "lgamma": (1, "scipy.special.gammaln({0})"),
    "log": (2, "np.log({0}) / np.log({1})"),
    "sumprod": (2, "np.dot({0}, {1})"),
}

# What takes the place of functions that accept plain arrays alone.
LIBRARIES: dict[str, str] = {
    "np.full": "write np.broadcast_to(v, shape).copy()",
    "np.fill_diagonal": "write a = tg.Variable(a) before it",
    "np.repeat": "write np.repeat(a, tg.value(n).astype(int)) of the counts n",
    "np.take": "write np.take(a, tg.value(i).astype(int)) of the positions i",
    "np.compress": "write np.compress(tg.value(v) != 0, a) of the mask v",
    "np.put": "write a = tg.Variable(a) before it, and a.reshape(-1)[i] = v",
    "np.require": "write v itself, which NumPy functions take as they take an array",
    "np.asarray_chkfinite": "write v itself, and np.all(np.isfinite(v)) where it matters",
    "np.asmatrix": "write np.asarray(m) @ v, of the matrix m",
    "np.apply_along_axis": "write a = tg.Variable(a) before it",
    "np.piecewise": "write x = tg.Variable(x) before it",
    "np.matrix": "write np.array(rows), or the array itself, and a @ b for products",
    "np.bmat": "write np.block([[v, w]])",
    "scipy.integrate.dblquad": "write tapegrad.scipy.integrate.quad of what calls quad",
    "scipy.integrate.nquad": "write tapegrad.scipy.integrate.quad of what calls quad",
    "scipy.special.logsumexp": "write tapegrad.scipy.special.logsumexp(v)",
    "scipy.special.softmax": "write tapegrad.scipy.special.softmax(v)",
    "scipy.special.log_softmax": "write tapegrad.scipy.special.log_softmax(v)",
    "statistics.mean": "write np.mean(v)",
    "statistics.fmean": "write np.mean(v)",
    "statistics.geometric_mean": "write np.exp(np.mean(np.log(v)))",
    "statistics.harmonic_mean": "write 1 / np.mean(1 / v)",
    "statistics.variance": "write np.var(v, ddof=1)",
    "statistics.stdev": "write np.std(v, ddof=1)",
    "statistics.pvariance": "write np.var(v)",
    "statistics.pstdev": "write np.std(v)",
    "statistics.covariance": "write np.cov(v, w)[0, 1]",
    "statistics.correlation": "write np.corrcoef(v, w)[0, 1]",
    "statistics.linear_regression": "write np.polyfit(v, w, 1)",
    "random.choices": "write random.choices(items, tg.value(weights)), which has no derivative",
}
