"""Functions of one vector, for the tests of lengths: one for each way of reading a shape."""

import numpy as np

import tapegrad as tg

WEIGHTS = np.array([0.5, -1.0, 2.0])

# Whatever serves them, they give what plain code gives, at every length.
ANY = {
    "LL": lambda x: x * float(x.shape[0] * x.shape[0]),
    "vec": lambda x: np.linalg.norm(np.outer(x, x)),
    "norm1": lambda x: np.linalg.norm(x, 1) * x,
    "hstack": lambda x: np.hstack([x, x, [1.0]]),
    "vstack": lambda x: np.vstack([x, x * 2]),
    "colstack": lambda x: np.column_stack([x, x * x]),
    "block": lambda x: np.block([[x[:, None], x[:, None] * 2]]),
    "kron": lambda x: np.kron(x, WEIGHTS),
    "kron2": lambda x: np.kron(x, x),
    "avg": lambda x: np.average(x),
    "avgw": lambda x: np.average(x, weights=np.exp(x)),
    "cumprod": lambda x: np.cumprod(1 + 0.1 * x),
    "ptp": lambda x: np.ptp(x) * x,
    "prod": lambda x: np.prod(1 + 0.1 * x) * x,
    "diffn": lambda x: np.diff(x, n=2),
    "diffp": lambda x: np.diff(x, prepend=0.0),
    "diffm": lambda x: np.diff(np.outer(x, x), axis=0, prepend=0.0),
    "ediff": lambda x: np.ediff1d(x),
    "padedge": lambda x: np.pad(x, (2, 1), mode="edge"),
    "padv": lambda x: np.pad(x, 1, constant_values=x[0]),
    "rollax": lambda x: np.roll(np.outer(x, WEIGHTS), 1, axis=0),
    "rot": lambda x: np.rot90(np.outer(x, WEIGHTS)),
    "trace": lambda x: np.trace(np.outer(x, x)) * x,
    "diagonal": lambda x: np.diagonal(np.outer(x, x), 1),
    "triu": lambda x: np.triu(np.outer(x, x), 1),
    "tensordot": lambda x: np.tensordot(np.outer(x, WEIGHTS), np.outer(WEIGHTS, x), 1),
    "einsum": lambda x: np.einsum("i,j,k->ik", x, WEIGHTS, x),
    "multi": lambda x: np.linalg.multi_dot(
        [np.outer(WEIGHTS, x), np.outer(x, WEIGHTS), np.outer(WEIGHTS, x)]
    ),
    "solve": lambda x: np.linalg.solve(np.outer(x, x) * 0.1 + np.diag(np.exp(x)), x),
    "det": lambda x: np.linalg.slogdet(np.outer(x, x) * 0.1 + np.diag(np.exp(x)))[1],
    "chol": lambda x: np.linalg.cholesky(np.outer(x, x) + np.diag(np.exp(x))),
    "inv": lambda x: np.linalg.inv(np.outer(x, x) + np.diag(np.exp(x))),
    "mp": lambda x: np.linalg.matrix_power(np.outer(x, x) * 0.1, 3),
    "mp0": lambda x: np.linalg.matrix_power(np.outer(x, x) * 0.1, 0) * x,
    "meanw": lambda x: np.mean(x, where=x > 0),
    "sumi": lambda x: np.sum(x, initial=2.0) * x,
    "maxi": lambda x: np.max(x, initial=0.3) * x,
    "nansum": lambda x: np.nansum(x) * x,
    "nanmean": lambda x: np.nanmean(x) * x,
    "sinc": lambda x: np.sinc(x),
    "ravelF": lambda x: np.ravel(np.outer(x, WEIGHTS), order="F"),
    "flatten": lambda x: np.outer(x, WEIGHTS).flatten(),
    "swap": lambda x: np.swapaxes(np.outer(x, WEIGHTS)[None], 0, 2),
    "bcast": lambda x: np.broadcast_to(x, (4, *np.shape(x))),
    "barr": lambda x: np.broadcast_arrays(x, 2.0)[1] * x,
    "vander": lambda x: np.vander(x, 3),
    "polyval": lambda x: np.polyval(WEIGHTS, x),
    "polyx": lambda x: np.polyval(x, 0.5),
    "insert": lambda x: np.insert(x, 1, x[0]),
    "delete": lambda x: np.delete(x, 1),
    "split2": lambda x: np.array_split(x, [2])[1],
    "vecnorm": lambda x: np.linalg.vector_norm(np.outer(x, WEIGHTS), axis=0),
    "choose": lambda x: np.choose([0], [x[:1], x[-1:]]),
    "select": lambda x: np.select([x > 0.5, x > 0], [x, x * x], 0.0),
    "compress": lambda x: np.compress([True, False, True], x),
    "extract": lambda x: np.extract(np.array([True, False]), x),
    "take": lambda x: np.take(x, [0, -1, 1]),
    "takew": lambda x: np.take(x, [20, -30], mode="wrap"),
    "takec": lambda x: np.take(x, [20, -30], mode="clip"),
    "ta": lambda x: np.take_along_axis(np.outer(x, WEIGHTS), np.array([[1]]), 1),
    "cross": lambda x: np.cross(np.outer(x, WEIGHTS), WEIGHTS),
    "linsp": lambda x: np.linspace(x, 2 * x, 3),
    "fill": lambda x: np.full_like(x, x[0]) * x,
    "zl": lambda x: np.zeros_like(x, shape=(3,)) + x[:3],
    "lse": lambda x: np.logaddexp.reduce(np.outer(x, WEIGHTS), axis=0),
    "accum": lambda x: np.add.accumulate(x),
    "outer_u": lambda x: np.subtract.outer(x, x),
    "ix": lambda x: x[:, None][::-1][1:],
    "sl": lambda x: x[3::-1],
    "sl2": lambda x: x[-1:0:-1],
    "sl3": lambda x: x[-2::-2],
    "sl4": lambda x: x[1:9:3],
    "jac": lambda x: tg.jacobian(lambda y: np.outer(y, WEIGHTS).sum(axis=1) * y)(x),
    "egrad": lambda x: tg.elementwise_grad(lambda y: np.sin(y) * np.sum(y))(x),
    "hess": lambda x: tg.hessian(lambda y: np.sum(np.sin(y) * y[0]))(x),
    "vmapg": lambda x: tg.vmap(tg.grad(lambda t: np.sin(t) * t))(x),
}
if hasattr(np, "unstack"):  # from NumPy 2.1 on
    ANY["unstack"] = lambda x: sum(np.unstack(x))
    ANY["cumsum2"] = lambda x: np.cumulative_sum(x, include_initial=True)

# Each is served at every length, from two recordings.
SERVED = {
    "elementwise": lambda x: np.exp(-x * x) + np.sin(x),
    "sum": np.sum,
    "mean": np.mean,
    "var": np.var,
    "std": np.std,
    "ddof": lambda x: np.var(x, ddof=1) + np.std(x, ddof=1),
    "logsumexp": lambda x: x - np.logaddexp.reduce(x),
    "max": lambda x: x * np.max(x) - np.min(x),
    "cumsum": np.cumsum,
    "flip": lambda x: x[::-1] * np.flip(x),
    "roll": lambda x: np.roll(x, 3) * x,
    "tail": lambda x: np.sum(x[1:] * x[:-1]),
    "last": lambda x: x[-1] * x[0] * x,
    "last two": lambda x: x[-2:] * 2.0,
    "diff": np.diff,
    "trapezoid": lambda x: np.trapezoid(x * x, x),
    "ones": lambda x: np.ones_like(x) * x + np.zeros_like(x),
    "full": lambda x: np.full_like(x, 3.0) - x,
    "tile": lambda x: np.tile(x, 3),
    "repeat": lambda x: np.repeat(x, 2),
    "pad": lambda x: np.pad(x, (2, 1)),
    "concatenate": lambda x: np.concatenate([x, [1.0, 2.0], x]),
    "stack": lambda x: np.stack([x, x * x], axis=1),
    "outer": lambda x: np.outer(x, x) @ x,
    "ravel": lambda x: np.ravel(np.outer(x, x)),
    "dot": lambda x: (x @ x) * x,
    "pairs": lambda x: x[:, None] - x,
    "column": lambda x: np.reshape(x, (-1, 1)) * WEIGHTS,
    "einsum": lambda x: np.einsum("i,j->ij", x, WEIGHTS),
    "where": lambda x: np.where(x > 0.1, x, 0.5 * x),
    "clip": lambda x: np.clip(x, -0.5, 0.5),
    "norm": lambda x: x / np.linalg.norm(x),
    "softmax": lambda x: np.exp(x - np.max(x)) / np.sum(np.exp(x - np.max(x))),
    "branch": lambda x: x * 2.0 if np.sum(x * 0.0) == 0 else x,
    "write": lambda x: _written(x),
    "diag": lambda x: np.diag(x) @ x,
    "tril": lambda x: np.tril(np.outer(x, x)),
    "newaxis": lambda x: x[None, :, None] * WEIGHTS,
    "sort": np.sort,
    "sort rows": lambda x: np.sort(np.outer(x, WEIGHTS), axis=1),
    "sort columns": lambda x: np.sort(np.outer(x, WEIGHTS), axis=0),
    "sort in place": lambda x: _sorted(x),
    "argsort": lambda x: x * x[np.argsort(x)],
    "ranks": lambda x: x * np.argsort(np.argsort(x, kind="stable")),
    "median": lambda x: np.median(x) * x,
    "median of rows": lambda x: np.median(np.outer(x, WEIGHTS), axis=1, keepdims=True) * x,
    "median of columns": lambda x: np.median(np.outer(x, WEIGHTS), axis=0),
    "argmax": lambda x: x[np.argmax(x)] * x - x[np.argmin(x * x) - 1],
    "argmax of rows": lambda x: np.take_along_axis(
        np.outer(x, WEIGHTS), np.argmax(np.outer(x, WEIGHTS), axis=1, keepdims=True), 1
    ),
    "argmax number": lambda x: x * np.argmax(x),
    "searchsorted": lambda x: WEIGHTS[0] * x * np.searchsorted([-1.0, 0.0, 0.5], x),
    "interpolate": lambda x: _interpolated(x),
    "digitize": lambda x: x * np.digitize(x, [-0.5, 0.0, 0.5]),
    "split": lambda x: np.split(np.concatenate([x, x * x]), 2)[1],
    "split at": lambda x: np.split(x, [1])[1],
    "split columns": lambda x: np.hsplit(np.outer(x, [1.0, 2.0, 3.0, 4.0]), 2)[1],
    "meshgrid": lambda x: np.meshgrid(x, x * x)[1],
    "meshgrid ij": lambda x: np.meshgrid(x, WEIGHTS, indexing="ij", sparse=True)[0],
    "linspace": lambda x: np.linspace(x, 2.0 * x, 3),
    "count": lambda x: np.sum(x > 0.0) * x,
    "count_nonzero": lambda x: (
        x * (np.count_nonzero(x > 0.0, axis=0) + 1) / (2.0 + np.count_nonzero(x < 0.0, axis=0))
    ),
    "share": lambda x: np.mean(x > 0.0) * x,
    "mean where": lambda x: np.mean(x, where=x > -9.0),
    "var where": lambda x: np.var(x, where=x > -9.0) + np.sum(x, where=x > 0.0),
    "isclose": lambda x: np.where(np.isclose(x, 0.25, atol=0.5), x, 2.0 * x),
    "nan_to_num": np.nan_to_num,
    "sinc": np.sinc,
    "transpose": lambda x: np.outer(x, WEIGHTS).T @ x,
    "hstack": lambda x: np.hstack([x, x * x]),
    "column_stack": lambda x: np.column_stack([x, x * x]),
    "vstack": lambda x: np.vstack([x, x * x]),
    "append": lambda x: np.append(x, 1.0),
    "zeros_like": lambda x: np.zeros_like(x) + x,
    "full_like": lambda x: np.full_like(x, x[0]) * x,
    "average": lambda x: np.average(x, weights=np.exp(x)),
    "norms": lambda x: np.linalg.norm(x, 1) + np.linalg.norm(x, np.inf),
    "tensordot": lambda x: np.tensordot(x, x, 1) * np.inner(x, x) * np.vdot(x, x),
    "triangles": lambda x: np.triu(np.outer(x, x), 1) + np.trace(np.outer(x, x)),
    "select": lambda x: np.select([x > 0.5, x > 0.0], [x, x * x], 0.0),
    "polynomial": lambda x: np.polyval(WEIGHTS, x) + np.vander(x, 3)[:, 1],
    "cumprod": lambda x: np.cumprod(1.0 + 0.1 * x) + np.prod(1.0 + 0.1 * x),
    "roll rows": lambda x: np.roll(np.outer(x, WEIGHTS), -1, axis=0),
    "any": lambda x: x * np.any(x > 9.0),
    "nanmean": lambda x: np.nanmean(x) + np.nansum(x),
    "delete": lambda x: np.delete(x, 1) * np.delete(x, -1),
    "pad edge": lambda x: np.pad(x, (2, 1), mode="edge"),
    "pad reflect": lambda x: np.pad(x, 1, mode="reflect"),
    "pad symmetric": lambda x: np.pad(np.outer(x, WEIGHTS), ((1, 2), (3, 0)), mode="symmetric"),
    "pad wrap": lambda x: np.pad(x, (0, 2), mode="wrap"),
    "vmap": lambda x: tg.vmap(lambda t: np.sin(t) * np.sum(t * WEIGHTS))(x),
}


def _sorted(x):
    y = x * 2.0
    y.sort()
    return y * x


def _interpolated(x):
    ends, values = np.array([-2.0, 0.0, 1.0, 2.5]), np.array([1.0, 3.0, 2.0, 5.0])
    i = np.clip(np.searchsorted(ends, x) - 1, 0, 2)

    def at(table, i):
        return np.take_along_axis(table, i, 0)  # which NumPy hands on: table[i] it does not

    t = (x - at(ends, i)) / (at(ends, i + 1) - at(ends, i))
    return at(values, i) * (1.0 - t) + at(values, i + 1) * t


def _written(x):
    y = x * 1.0
    y[0] = 3.0
    y[-1] *= x[1]
    y[1:] += x[:-1]
    return y
