"""How to write what a refused function computes, in code that keeps the derivative.

Each text of `CALLS` is code as it can be run, of the call that stands before it; a test runs it.
"""

_NUMBERS = "x[~np.isnan(x)]"
_UNIQUE = "x[np.unique(tg.value(x), return_index=True)[1]]"


def _quantile(fraction: str, x: str = "x") -> str:
    return (
        f"s = np.sort({x}); t = {fraction} * (len(s) - 1); i = min(int(t), len(s) - 2); "
        "s[i] + (t - i) * (s[i + 1] - s[i])"
    )


def _convolution(x: str, k: str) -> str:
    return f"sum(np.pad({x} * {k}[j], (j, len({k}) - 1 - j)) for j in range(len({k})))"


def _padded(sign: str) -> str:
    return f"np.pad(x, (max(len(y) - len(x), 0), 0)) {sign} np.pad(y, (max(len(x) - len(y), 0), 0))"


def _fourier(frequencies: str) -> str:
    return (
        f"w = -2 * np.pi * np.outer(np.arange({frequencies}), np.arange(len(x))) / len(x); "
        "(np.cos(w) @ x, np.sin(w) @ x)"
    )


def _solver(name: str, transform: str) -> str:
    return (
        f"start at the plain value: {name}(f, tg.value(x), jac=tg.{transform}(f)), with "
        f"lambda q: tg.value(f(q)) and lambda q: tg.value(tg.{transform}(f)(q)) where f reads "
        "Variables"
    )


# Function: the call in mind, and the code that does the same.
CALLS: dict[str, tuple[str, str]] = {
    "np.apply_along_axis": ("(f, 1, x)", "np.stack([f(row) for row in x])"),
    "np.apply_over_axes": ("(np.sum, x, (0, 1))", "np.sum(x, axis=(0, 1), keepdims=True)"),
    "np.bincount": ("(i, x)", "y = tg.Variable(np.zeros(np.max(i) + 1)); np.add.at(y, i, x); y"),
    "np.convolve": ("(x, y)", _convolution("x", "y")),
    "np.correlate": (
        "(x, y)",
        "np.stack([np.sum(x[i:i + len(y)] * y) for i in range(len(x) - len(y) + 1)])",
    ),
    "np.cov": (
        "(x)",
        "c = x - np.mean(x, axis=-1, keepdims=True); c @ c.T / (x.shape[-1] - 1)",
    ),
    "np.corrcoef": (
        "(x)",
        "c = x - np.mean(x, axis=-1, keepdims=True); s = np.sqrt(np.sum(c * c, axis=-1)); "
        "c @ c.T / np.outer(s, s)",
    ),
    "np.gradient": (
        "(x)",
        "np.concatenate([x[1:2] - x[:1], (x[2:] - x[:-2]) / 2, x[-1:] - x[-2:-1]])",
    ),
    "np.i0": (
        "(x)",
        "np.mean(np.exp(x[..., None] * np.cos(np.pi * (np.arange(64) + 0.5) / 64)), axis=-1)",
    ),
    "np.interp": (
        "(t, x, y)",
        "t = np.clip(t, x[0], x[-1]); i = np.clip(np.searchsorted(x, t), 1, len(x) - 1); "
        "y[i - 1] + (y[i] - y[i - 1]) * (t - x[i - 1]) / (x[i] - x[i - 1])",
    ),
    "np.intersect1d": (
        "(x, y)",
        "x[np.intersect1d(tg.value(x), tg.value(y), return_indices=True)[1]]",
    ),
    "np.setdiff1d": ("(x, y)", f"u = {_UNIQUE}; u[~np.isin(tg.value(u), tg.value(y))]"),
    "np.setxor1d": (
        "(x, y)",
        "z = np.concatenate([x, y]); "
        "np.sort(z[np.isin(tg.value(z), np.setxor1d(tg.value(x), tg.value(y)))])",
    ),
    "np.union1d": (
        "(x, y)",
        "z = np.concatenate([x, y]); z[np.unique(tg.value(z), return_index=True)[1]]",
    ),
    "np.unique": ("(x)", _UNIQUE),
    "np.unique_values": ("(x)", _UNIQUE),
    "np.logspace": ("(a, b, n)", "10.0 ** np.linspace(a, b, n)"),
    "np.geomspace": ("(a, b, n)", "np.exp(np.linspace(np.log(a), np.log(b), n))"),
    "np.nancumprod": ("(x)", "np.cumprod(np.where(np.isnan(x), 1.0, x))"),
    "np.nancumsum": ("(x)", "np.cumsum(np.where(np.isnan(x), 0.0, x))"),
    "np.nanmax": ("(x)", f"np.max({_NUMBERS})"),
    "np.nanmin": ("(x)", f"np.min({_NUMBERS})"),
    "np.nanmedian": ("(x)", f"np.median({_NUMBERS})"),
    "np.nanstd": ("(x)", f"np.std({_NUMBERS})"),
    "np.nanvar": ("(x)", f"np.var({_NUMBERS})"),
    "np.percentile": ("(x, q)", _quantile("q / 100")),
    "np.quantile": ("(x, q)", _quantile("q")),
    "np.nanpercentile": ("(x, q)", _quantile("q / 100", _NUMBERS)),
    "np.nanquantile": ("(x, q)", _quantile("q", _NUMBERS)),
    "np.partition": ("(x, 1)", "x[np.argpartition(x, 1)]"),
    "np.piecewise": ("(x, [c], [f, g])", "np.where(c, f(x), g(x))"),
    "np.place": ("(x, c, y)", "x[c] = np.resize(y, np.sum(c)); x"),
    "np.put": ("(x, i, y)", "x[i] = y; x"),
    "np.put_along_axis": ("(x, i, y, 0)", "x[i] = y; x"),
    "np.putmask": ("(x, c, y)", "x[c] = y[c]; x"),
    "np.poly": (
        "(x)",
        "p = np.ones(1); [p := np.append(p, 0.0) - r * np.append(0.0, p) for r in x][-1]",
    ),
    "np.polyadd": ("(x, y)", _padded("+")),
    "np.polysub": ("(x, y)", _padded("-")),
    "np.polymul": ("(x, y)", _convolution("x", "y")),
    "np.polyder": ("(x)", "x[:-1] * np.arange(len(x) - 1, 0, -1)"),
    "np.polyint": ("(x)", "np.append(x / np.arange(len(x), 0, -1), 0.0)"),
    "np.real_if_close": ("(x)", "x"),
    "np.trim_zeros": ("(x)", "i = np.flatnonzero(tg.value(x)); x[i[0]:i[-1] + 1]"),
    "np.unwrap": ("(x)", "x + np.unwrap(tg.value(x)) - tg.value(x)"),
    "np.fft.fft": ("(x)", _fourier("len(x)")),
    "np.fft.rfft": ("(x)", _fourier("len(x) // 2 + 1")),
    "np.fft.fftshift": ("(x)", "np.roll(x, len(x) // 2)"),
    "np.fft.ifftshift": ("(x)", "np.roll(x, -(len(x) // 2))"),
}

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
    "lognormal": "write np.exp(mean + sigma * {}.standard_normal(size))",
}

# What takes the place of functions that accept plain arrays alone.
LIBRARIES: dict[str, str] = {
    "np.full": "write np.broadcast_to(v, shape).copy()",
    "np.full_like": "write np.broadcast_to(v, a.shape).copy()",
    "np.fill_diagonal": "write a = tg.Variable(a) before it",
    "np.repeat": "write np.repeat(a, tg.value(n).astype(int)) of the counts n",
    "np.take": "write np.take(a, tg.value(i).astype(int)) of the positions i",
    "np.compress": "write np.compress(tg.value(v) != 0, a) of the mask v",
    "np.put": "write a = tg.Variable(a) before it, and a.reshape(-1)[i] = v",
    "np.require": "write v itself, which NumPy functions take as they take an array",
    "np.asarray_chkfinite": "write v itself, and np.all(np.isfinite(v)) where it matters",
    "np.asmatrix": "write np.asarray(m) @ v, of the matrix m",
    "np.ndenumerate": "write ((i, v[i]) for i in np.ndindex(v.shape))",
    "np.vectorize": "write np.stack([f(x) for x in v])",
    "scipy.linalg.solve": "write np.linalg.solve(a, b)",
    "scipy.linalg.inv": "write np.linalg.inv(a)",
    "scipy.linalg.det": "write np.linalg.det(a)",
    "scipy.linalg.norm": "write np.linalg.norm(a)",
    "scipy.linalg.cholesky": "write np.linalg.cholesky(a), transposed for the upper triangle",
    "scipy.linalg.solve_triangular": "write np.linalg.solve(np.tril(a), b), or np.triu(a)",
    "scipy.linalg.eigh": "write np.linalg.eigh(a)",
    "scipy.linalg.svd": "write np.linalg.svd(a, full_matrices=False)",
    "scipy.linalg.qr": "write np.linalg.qr(a)",
    "scipy.linalg.lstsq": "write np.linalg.lstsq(a, b)[0]",
    "scipy.linalg.pinv": "write np.linalg.pinv(a)",
    "scipy.optimize.minimize": _solver("minimize", "grad"),
    "scipy.optimize.root": _solver("root", "jacobian"),
    "scipy.optimize.least_squares": _solver("least_squares", "jacobian"),
    "scipy.integrate.trapezoid": "write np.trapezoid(y, x)",
    "scipy.integrate.simpson": (
        "write h / 3 * (y[0] + 4 * np.sum(y[1:-1:2]) + 2 * np.sum(y[2:-1:2]) + y[-1])"
    ),
    "scipy.integrate.quad": (
        "write t, w = np.polynomial.legendre.leggauss(20); "
        "(b - a) / 2 * np.sum(w * f((b - a) / 2 * t + (a + b) / 2))"
    ),
    "scipy.special.logsumexp": "write np.logaddexp.reduce(v)",
    "scipy.special.softmax": "write e = np.exp(v - np.max(v)); e / np.sum(e)",
    "scipy.special.log_softmax": "write v - np.logaddexp.reduce(v)",
    "scipy.spatial.cdist": "write np.sqrt(np.sum((x[:, None] - y) ** 2, axis=-1))",
    "scipy.signal.convolve": "write " + _convolution("x", "y"),
    "scipy.fft.fft": "write " + _fourier("len(x)"),
}

# Universal functions of scipy.special.
SPECIAL: dict[str, str] = {
    "boxcox": "(v**w - 1) / w",
    "entr": "-v * np.log(v)",
    "exp10": "10.0**v",
    "expit": "1 / (1 + np.exp(-v))",
    "log_expit": "-np.logaddexp(0, -v)",
    "logit": "np.log(v) - np.log1p(-v)",
    "rel_entr": "v * np.log(v / w)",
    "xlog1py": "np.where(v == 0, 0.0, v * np.log1p(w))",
    "xlogy": "np.where(v == 0, 0.0, v * np.log(w))",
}


def of(name: str) -> str:
    """What to write instead of a NumPy function; "" where nothing short does the same."""
    if name not in CALLS:
        return ""
    call, code = CALLS[name]
    return f"{name}{call} is the same as: {code}"
