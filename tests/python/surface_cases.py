"""What each NumPy function is called on; several calls where options differ."""

import numpy as np
from domain_calls import DOMAIN_CALLS
from fourier_calls import FOURIER_CALLS
from numpy.lib.stride_tricks import sliding_window_view
from polynomial_calls import POLYNOMIAL_CALLS

X = np.array([[0.3, -1.2, 2.0], [1.1, 0.4, -0.7]])
Y = np.array([[0.5, 0.25, -1.5], [0.75, 2.5, 1.25]])
V = np.array([0.5, -1.5, 2.5, 1.0])
S = np.array([[2.0, 0.5, 0.1], [0.3, 1.5, 0.2], [0.1, 0.4, 1.0]])
MASK = X > 0
NUMPY = tuple(map(int, np.__version__.split(".")[:2]))
GAPS = np.array([[1.5, np.nan, 2.0], [-0.5, 0.75, np.nan]])


def _frame(row, widths, axis, options):
    """Writes a border, as np.pad asks a function to."""
    first, last = widths
    row[:first] = options["factor"] * row[first]
    row[len(row) - last :] = row[first] * row[first] + axis


# Differentiable functions of the table.
CALLS = {
    **FOURIER_CALLS,
    **DOMAIN_CALLS,
    np.sum: [
        (lambda x: np.sum(x, dtype=float), X),
        (lambda x: np.sum(x, 0, keepdims=True), X),
    ],
    np.prod: [(lambda x: np.prod(x, 1, initial=2.0, where=MASK), X)],
    np.max: [
        (lambda x: np.max(x, 1, initial=1.0), X),
        (lambda x: np.max(x[:0], initial=1.5) * x[0], V),
    ],
    np.min: [(lambda x: np.min(x, 0, keepdims=True), X)],
    np.amax: [(np.amax, X)],
    np.amin: [(np.amin, X)],
    np.ptp: [(lambda x: np.ptp(x, 0, keepdims=True), X)],
    np.mean: [
        (lambda x: np.mean(x, (0, 1), keepdims=True), X),
        (lambda x: np.mean(x, 1, where=MASK), X),
    ],
    np.var: [
        (lambda x: np.var(x, 1, correction=1), X),
        (lambda x: np.var(x, 1, mean=np.mean(x, 1, keepdims=True)), X),
        (lambda x: np.var(x, 0, where=[[True], [True]], ddof=1), X),
    ],
    np.std: [(lambda x: np.std(x, ddof=1), X), (lambda x: np.std(x, 1, where=np.abs(X) > 0.35), X)],
    np.cumsum: [(lambda x: np.cumsum(x, 1, dtype=float), X)],
    np.cumprod: [(np.cumprod, X)],
    np.average: [
        (np.average, X),
        (lambda x: np.average(x, 0, weights=[1.0, 3.0], keepdims=True), X),
        (lambda x: np.average(x, 1, weights=Y + 4, returned=True), X),
    ],
    np.nansum: [(np.nansum, GAPS[0])],
    np.nanprod: [(np.nanprod, GAPS[0])],
    np.nanmean: [(lambda x: np.nanmean(x, 0), GAPS)],
    np.nanmax: [
        (lambda x: np.nanmax(x, 1), GAPS),
        (lambda x: np.nanmax(np.where(MASK, x, np.nan), 0, keepdims=True), X),
        (lambda x: np.nanmax(np.where(MASK, x, np.nan), initial=0.5, where=MASK), X),
    ],
    np.nanmin: [
        (np.nanmin, GAPS),
        (lambda x: np.nanmin(np.where(MASK, x, np.nan), axis=(0, 1)), X),
    ],
    np.nanvar: [
        (lambda x: np.nanvar(x, 1, ddof=1), GAPS),
        (lambda x: np.nanvar(np.where(MASK, x, np.nan), 1, correction=1, keepdims=True), X),
        (
            lambda x: np.nanvar(
                np.where(MASK, x, np.nan), mean=np.nanmean(x), where=[[True], [False]]
            ),
            X,
        ),
    ],
    np.nanstd: [
        (np.nanstd, GAPS),
        (lambda x: np.nanstd(np.where(MASK, x, np.nan), 1, ddof=0.5), X),
    ],
    np.nancumsum: [(np.nancumsum, GAPS), (lambda x: np.nancumsum(np.where(MASK, x, np.nan), 1), X)],
    np.nancumprod: [
        (np.nancumprod, GAPS),
        (lambda x: np.nancumprod(np.where(MASK, x, np.nan), 0), X),
    ],
    np.trapezoid: [
        (lambda x: np.trapezoid(x, dx=0.5), X),
        (lambda x: np.trapezoid(x, [0.0, 1.0], axis=0), X),
        (lambda x: np.trapezoid(x, np.cumsum(np.exp(x), 1), axis=1), X),
    ],
    np.interp: [
        (lambda x: np.interp(x, [-1.0, 0.0, 1.5], [2.0, 5.0, 1.0]), X),
        (lambda x: np.interp(0.1, np.sort(x), x * x, left=x[0]), V),
        (lambda x: np.interp(x, x * x + 0.05, x, period=1.6), V),
    ],
    np.gradient: [
        (np.gradient, X),
        (lambda x: np.gradient(x, 0.5, [0.0, 1.0, 3.0], edge_order=1), X),
        (lambda x: np.gradient(x, x * x, edge_order=2), V),
    ],
    np.unwrap: [
        (lambda x: np.unwrap(5.0 * x), V),
        (lambda x: np.unwrap(x, 1.2, axis=0, period=x[0, 0] + 2), X),
    ],
    np.convolve: [
        (lambda x: np.convolve(x, x[:3]), V),
        (lambda x: np.convolve([1.0, 2.0], x, "same"), V),
        (lambda x: np.convolve(x, np.append(x, np.arange(14)), "valid"), V),
    ],
    np.correlate: [
        (lambda x: np.correlate(x, [1.0, 3.0]), V),
        (lambda x: np.correlate(x[:2], x, "full"), V),
        (lambda x: np.correlate(np.repeat(x, 5), np.repeat(x, 5), "same"), V),
    ],
    np.cov: [
        (np.cov, X),
        (lambda x: np.cov(x, x[0] * x[1], ddof=0, fweights=[1, 0, 2], aweights=[0.5, 1, 3]), X),
        (lambda x: np.cov(x, Y, rowvar=False, bias=True), X),
        (lambda x: np.cov(V, aweights=x * x), V),
    ],
    np.corrcoef: [
        (np.corrcoef, X),
        (lambda x: np.corrcoef(x, np.exp(x)), V),
        (np.corrcoef, V),
    ],
    np.bincount: [
        (lambda x: np.bincount([0, 2, 2, 5], x), V),
        (lambda x: np.bincount([1, 0, 1, 1], x, minlength=4), V),
    ],
    np.histogram: [
        (lambda x: np.histogram(x, 4)[1], X),
        (lambda x: np.histogram(V, [-2.0, 0.0, 1.0, 3.0], weights=x, density=True)[0], V),
    ],
    np.histogram_bin_edges: [(lambda x: np.histogram_bin_edges(x, "sturges"), X)],
    np.histogram2d: [
        (lambda x: np.histogram2d(x[0], x[1], [2, 3])[2], X),
        (lambda x: np.histogram2d(V, V[::-1], 2, weights=x, density=True)[0], V),
    ],
    np.histogramdd: [(lambda x: np.histogramdd(S, 2, [None, (0, 1), None], weights=x)[0], S[0])],
    np.i0: [(np.i0, X), (lambda x: np.i0(20 * x), V)],
    np.angle: [(np.angle, X), (lambda x: np.angle(x, deg=True), V)],
    np.real_if_close: [(np.real_if_close, X)],
    np.linalg.matmul: [(lambda x: np.linalg.matmul(x, S), X)],
    np.dot: [(lambda x: np.dot(x, S), X), (lambda x: np.dot(2.0, x), X), (lambda x: x.dot(S), X)],
    np.vdot: [(lambda x: np.vdot(x, Y), X)],
    np.inner: [(lambda x: np.inner(x, Y), X)],
    np.outer: [(lambda x: np.outer(x, Y), X)],
    np.linalg.outer: [(lambda x: np.linalg.outer(x, [1.0, 2.0]), V)],
    np.kron: [(lambda x: np.kron(x, S), X), (lambda x: np.kron(V, x), X)],
    np.cross: [
        (lambda x: np.cross(x, Y), X),
        (lambda x: np.cross(x[0], Y, axisa=0, axisb=1, axisc=0), X),
    ],
    np.linalg.cross: [(lambda x: np.linalg.cross(x, Y), X)],
    np.linalg.vecdot: [(lambda x: np.linalg.vecdot(x, Y, axis=0), X)],
    np.tensordot: [(lambda x: np.tensordot(x, S, 1), X)],
    np.linalg.tensordot: [(lambda x: np.linalg.tensordot(x, Y, axes=((0, 1), (0, 1))), X)],
    np.einsum: [(lambda x: np.einsum("ij,jk,ik", x, S, x, optimize=True), X)],
    np.trace: [(np.trace, S), (lambda x: x.trace(1), S)],
    np.linalg.trace: [(lambda x: np.linalg.trace(x, offset=1), S)],
    np.diagonal: [(lambda x: x.diagonal(-1), S)],
    np.linalg.diagonal: [(np.linalg.diagonal, S)],
    np.linalg.solve: [(lambda x: np.linalg.solve(x, [1.0, 2.0, 3.0]), S)],
    np.linalg.inv: [(np.linalg.inv, S)],
    np.linalg.det: [(np.linalg.det, S)],
    np.linalg.slogdet: [(lambda x: np.linalg.slogdet(x).logabsdet, S)],
    np.linalg.cholesky: [(lambda x: np.linalg.cholesky(x @ x.T), S)],
    np.linalg.norm: [
        (np.linalg.norm, X),
        (lambda x: np.linalg.norm(x, 1, axis=0, keepdims=True), X),
    ],
    np.linalg.vector_norm: [(lambda x: np.linalg.vector_norm(x, keepdims=True), X)],
    np.linalg.matrix_norm: [(np.linalg.matrix_norm, X)],
    np.linalg.eigh: [(lambda x: np.linalg.eigh(x @ x.T).eigenvectors, S)],
    np.linalg.eigvalsh: [(lambda x: np.linalg.eigvalsh(x @ x.T, "U"), S)],
    np.linalg.svd: [
        (lambda x: np.linalg.svd(x, full_matrices=False).Vh, X),
        (lambda x: np.linalg.svd(x, compute_uv=False), X),
    ],
    np.linalg.eig: [(lambda x: np.linalg.eig(x @ x.T + np.eye(2)).eigenvectors, X)],
    np.linalg.eigvals: [(lambda x: np.linalg.eigvals(x @ x.T), X)],
    np.linalg.svdvals: [(np.linalg.svdvals, X)],
    np.linalg.qr: [(lambda x: np.linalg.qr(x.T).R, X), (lambda x: np.linalg.qr(x, mode="r"), X)],
    np.linalg.pinv: [
        (lambda x: np.linalg.pinv(x, rtol=None), X),
        (lambda x: np.linalg.pinv(x, 1e-10), X),
    ],
    np.linalg.lstsq: [
        (lambda x: np.linalg.lstsq(x.T, np.ones((3, 2)))[1], X),
        (lambda x: np.linalg.lstsq(S, x.T, rcond=-1)[0], X),
    ],
    np.linalg.cond: [
        (np.linalg.cond, X),
        (lambda x: np.linalg.cond(x, -2), X),
        (lambda x: np.linalg.cond(x, "fro"), S),
    ],
    np.polyfit: [
        (lambda x: np.polyfit([0.5, 1.0, 3.0], x.T, 1, w=[1.0, 2.0, 1.0], cov=True), X),
        (lambda x: np.polyfit(x, x**3, 1, full=True)[0], V),
        (lambda x: np.polyfit(x, x**3, 1, cov="unscaled"), V),
    ],
    np.linalg.multi_dot: [(lambda x: np.linalg.multi_dot([X[0], x, S @ x, V[:3]]), S)],
    np.linalg.matrix_power: [
        (lambda x: np.linalg.matrix_power(x, 3), S),
        (lambda x: np.linalg.matrix_power(x, 0) + x, S),
    ],
    np.linalg.tensorsolve: [
        (lambda x: np.linalg.tensorsolve(np.eye(6).reshape(2, 3, 2, 3) * 2 + 0.1, x), X)
    ],
    np.linalg.tensorinv: [(lambda x: np.linalg.tensorinv(x, ind=1), S)],
    np.reshape: [
        (lambda x: np.reshape(x, -1), X),
        (lambda x: x.reshape(3, 2), X),
        (lambda x: x.reshape((3, -1), order="F"), X),
    ],
    np.ravel: [(np.ravel, X), (lambda x: x.ravel(order="F"), X), (lambda x: x.flatten(), X)],
    np.transpose: [
        (lambda x: x.T, X),
        (lambda x: x.transpose(1, 0), X),
        (lambda x: x.transpose((1, 0)), X),
    ],
    np.matrix_transpose: [(np.matrix_transpose, X), (lambda x: x.mT, X)],
    np.linalg.matrix_transpose: [(np.linalg.matrix_transpose, X)],
    np.swapaxes: [(lambda x: x.swapaxes(0, 1), X)],
    np.moveaxis: [(lambda x: np.moveaxis(x, 0, -1), X)],
    np.rollaxis: [(lambda x: np.rollaxis(x, 1), X), (lambda x: np.rollaxis(x, 0, 2), X)],
    np.expand_dims: [(lambda x: np.expand_dims(x, -1), X)],
    np.squeeze: [(lambda x: x[None].squeeze(0), X)],
    np.broadcast_to: [(lambda x: np.broadcast_to(x, (2, 4)), V)],
    np.broadcast_arrays: [(lambda x: tuple(np.broadcast_arrays(x, x[:1], 1.0)), X)],
    np.meshgrid: [(lambda x: tuple(np.meshgrid(x, x[:2], sparse=True, indexing="ij")), V)],
    np.flip: [(lambda x: np.flip(x, (0, 1)), X)],
    np.fliplr: [(np.fliplr, X)],
    np.flipud: [(np.flipud, X)],
    np.rot90: [
        (np.rot90, X),
        (lambda x: np.rot90(x, 2), X),
        (lambda x: np.rot90(x, -1, (1, 0)), X),
        (lambda x: np.rot90(x, 4), X),
    ],
    np.roll: [(lambda x: np.roll(x, (1, 2), axis=1), X), (lambda x: np.roll(x, -1), X)],
    np.tile: [(lambda x: np.tile(x, 3), V)],
    np.repeat: [(lambda x: x.repeat(2, axis=0), X), (lambda x: np.repeat(x, [1, 0, 2, 1]), V)],
    np.resize: [(lambda x: np.resize(x, (3, 3)), X)],
    np.pad: [
        (lambda x: np.pad(x, 1), X),
        (lambda x: np.pad(x, ((0, 0), (1, 2)), mode="wrap"), X),
        (lambda x: np.pad(x, (1, 2), constant_values=x[0]), V),
        (lambda x: np.pad(x, ((1, 2), (0, 3)), "linear_ramp", end_values=((1, 2), (3, 4))), X),
        (lambda x: np.pad(x, (1, 2), "linear_ramp", end_values=x[0]), V),
        (lambda x: np.pad(x, 2, "maximum"), X),
        (lambda x: np.pad(x, 2, "minimum", stat_length=1), X),
        (lambda x: np.pad(x, ((2, 0), (1, 4)), "mean", stat_length=((1, 2), (9, 2))), X),
        (lambda x: np.pad(x, (1, 2), "median", stat_length=3), V),
        (lambda x: np.pad(x, ((0, 5), (3, 1)), "reflect", reflect_type="odd"), X),
        (lambda x: np.pad(x, (9, 2), "symmetric", reflect_type="odd"), V),
        (lambda x: np.pad(x[:1], 3, "reflect", reflect_type="odd"), V),
        (lambda x: np.pad(x, 2, _frame, factor=3.0), X),
    ],
    np.atleast_1d: [(lambda x: np.atleast_1d(x[0]), V)],
    np.atleast_2d: [(np.atleast_2d, V)],
    np.atleast_3d: [(np.atleast_3d, X), (np.atleast_3d, V)],
    np.copy: [(np.copy, X), (lambda x: x.copy(), X)],
    np.astype: [(lambda x: np.astype(x, float), X), (lambda x: x.astype("f8"), X)],
    np.concatenate: [
        (lambda x: np.concatenate(x), X),
        (lambda x: np.concatenate([x, 2 * x], dtype=float), X),
    ],
    np.stack: [(lambda x: np.stack([x, x], -1), X)],
    np.vstack: [
        (lambda x: np.vstack([x, x[0]]), X),
        (lambda x: np.vstack((x[0], x[:, None])), V),
    ],
    np.hstack: [
        (lambda x: np.hstack([x, x]), V),
        (lambda x: np.hstack((x, x)), X),
        (lambda x: np.hstack((x[0], x[1:], 1.0)), V),
    ],
    np.dstack: [(lambda x: np.dstack([x, x]), V)],
    np.column_stack: [(lambda x: np.column_stack([x, x]), V)],
    np.append: [(lambda x: np.append(x, [1.0]), X)],
    np.block: [
        (lambda x: np.block([[x, x], [1.0 * np.ones((1, 3)), x[:1]]]), X),
        (lambda x: np.block([x[0], x]), V),
    ],
    np.split: [(lambda x: tuple(np.split(x, [1, 3])), V)],
    np.array_split: [(lambda x: tuple(np.array_split(x, 3)), V)],
    np.hsplit: [(lambda x: tuple(np.hsplit(x, 3)), X), (lambda x: tuple(np.hsplit(x, 2)), V)],
    np.vsplit: [(lambda x: tuple(np.vsplit(x, 2)), X)],
    np.dsplit: [(lambda x: tuple(np.dsplit(x[None], 3)), X)],
    np.diff: [
        (np.diff, X),
        (lambda x: np.diff(x, 2, prepend=x[0], append=[1.0, 2.0]), V),
        (lambda x: np.diff(x, 0), V),
    ],
    np.ediff1d: [(lambda x: np.ediff1d(x, to_end=[1.0], to_begin=x[0]), X)],
    np.where: [(lambda x: np.where(x > 0, x, -x), X)],
    np.clip: [
        (lambda x: np.clip(x, -0.5, 1.5), X),
        (lambda x: x.clip(0.0), X),
        (lambda x: np.clip(x, 0.0, 1.0, dtype=float, casting="same_kind", order="C"), X),
        (lambda x: np.clip(x, 0.0, 1.0, out=x * 3.0, where=x < 0.35), X),
    ],
    np.take: [
        (lambda x: x.take([0, -1], axis=1), X),
        (lambda x: np.take(x, 1, 0), X),
        (lambda x: np.take(x, [9, -9], mode="clip"), V),
    ],
    np.take_along_axis: [
        (lambda x: np.take_along_axis(x, np.argsort(x, 1), 1), X),
        (lambda x: np.take_along_axis(x, np.array([3, 0]), None), X),
    ],
    np.compress: [(lambda x: np.compress([True, False], x, axis=0), X)],
    np.extract: [(lambda x: np.extract(MASK, x), X)],
    np.select: [(lambda x: np.select([x > 1, x > 0], [x * x, 2 * x]), X)],
    np.choose: [(lambda x: np.choose([1, 0, 1, 0], [x, x * x]), V)],
    np.sort: [(np.sort, X), (lambda x: np.sort(x, axis=None), X)],
    np.median: [(np.median, X), (lambda x: np.median(x, 1, keepdims=True), X)],
    np.nanmedian: [
        (np.nanmedian, GAPS),
        (lambda x: np.nanmedian(np.where(MASK, x, np.nan), 1, keepdims=True), X),
    ],
    np.quantile: [
        (lambda x: np.quantile(x, [0.1, 0.75], axis=(1, 0), keepdims=True), X),
        (lambda x: np.quantile(x[:3], x[3] / 3, method="hazen"), V),
        (lambda x: np.quantile(x, 0.4, 1, method="inverted_cdf", weights=np.exp(x)), X),
    ],
    np.percentile: [
        (lambda x: np.percentile(x, [[10, 100]], 0, method="midpoint"), X),
        (lambda x: np.percentile(x, 61, method="nearest"), X),
    ],
    np.nanquantile: [
        (lambda x: np.nanquantile(x, 0.3), GAPS),
        (lambda x: np.nanquantile(np.where(MASK, x, np.nan), [0.1, 0.8], -1), X),
    ],
    np.nanpercentile: [
        (lambda x: np.nanpercentile(x, 70, 1, keepdims=True), GAPS),
        (lambda x: np.nanpercentile(np.where(MASK, x, np.nan), 25, method="median_unbiased"), X),
    ],
    np.unique: [
        (lambda x: np.unique(np.append(x, x[:2])), V),
        (lambda x: np.unique(np.stack([x[1], x[0], x[1]]), axis=0, return_counts=True)[0], X),
        (lambda x: np.unique(x, return_inverse=True)[0], X),
    ],
    np.unique_values: [(lambda x: np.sort(np.unique_values(x)), X)],
    np.unique_counts: [(lambda x: np.unique_counts(x).values, X)],
    np.unique_inverse: [(lambda x: np.unique_inverse(x).values, X)],
    np.unique_all: [(lambda x: np.unique_all(np.append(x, x)).values, X)],
    np.intersect1d: [
        (lambda x: np.intersect1d(x[:3], x[1:]), V),
        (lambda x: np.intersect1d(np.append(x, 9.0), x[[3, 0]]), V),
        (lambda x: np.intersect1d(x, x[::2], True, return_indices=True)[0], V),
    ],
    np.union1d: [(lambda x: np.union1d(x, [0.25, x[0]]), V)],
    np.setdiff1d: [(lambda x: np.setdiff1d(x, [9.0]), V), (lambda x: np.setdiff1d(x, x[:1]), V)],
    np.setxor1d: [(lambda x: np.setxor1d(x, np.append(x[1:3], [7.0, 7.0])), V)],
    np.partition: [
        (lambda x: np.sort(np.partition(x, 2)[:2]), V),
        (lambda x: np.partition(x, [0, 1], axis=0)[0], X),
        (lambda x: np.partition(x, 3, axis=None)[3], X),
    ],
    np.trim_zeros: [
        (lambda x: np.trim_zeros(np.append(0.0 * x, x)), V),
        (lambda x: np.trim_zeros(np.pad(x[0], 1), "b"), X),
    ],
    np.tril: [(np.tril, S)],
    np.triu: [(lambda x: np.triu(x, 1), X)],
    np.diag: [(np.diag, V), (lambda x: np.diag(x, -2), V), (np.diag, S)],
    np.diagflat: [(np.diagflat, X)],
    np.delete: [(lambda x: np.delete(x, [0, 2], 1), X)],
    np.insert: [
        (lambda x: np.insert(x, 1, x[0] * 2, axis=0), X),
        (lambda x: np.insert(x, [0, 2], [5.0, 6.0]), V),
        (lambda x: np.insert(x, 2, 9.0), V),
    ],
    np.nan_to_num: [
        (lambda x: np.nan_to_num(x, nan=3.0, posinf=9.0), np.array([1.0, np.nan, np.inf, 2.0]))
    ],
    np.round: [
        (lambda x: np.round(x, 1), X),
        (lambda x: x.round(), X),
        (lambda x: np.round(x * 100, -1), X),
    ],
    np.around: [(lambda x: np.around(x, 2), X)],
    np.fix: [(lambda x: np.fix(1.1 * x), X)],
    np.sinc: [(np.sinc, V)],
    np.polyval: [(lambda x: np.polyval(x, 0.5), V), (lambda x: np.polyval([1.0, 2.0], x), V)],
    np.vander: [(np.vander, V), (lambda x: np.vander(x, 3, increasing=True), V)],
    np.linspace: [
        (lambda x: np.linspace(x[0], x[1], 5), V),
        (lambda x: np.linspace(x, 1.0, 3, endpoint=False, axis=-1), V),
        (lambda x: np.linspace(x, Y, 4, retstep=True), X),
        (lambda x: np.linspace([1.0, 2.0], x[:2], 1, axis=1), V),
        (lambda x: np.linspace(x, x * 2, 0, endpoint=False), V),
    ],
    np.logspace: [
        (lambda x: np.logspace(x[0], x[1], 5), V),
        (lambda x: np.logspace(x, 1.0, 3, False, 2.0, axis=-1), X),
        (lambda x: np.logspace(x, 2 * x, 4, base=np.exp(x), axis=1), V),
        (lambda x: np.logspace(0.5, 1.0, 3, base=np.exp(x[:, None])), V),
    ],
    np.geomspace: [
        (lambda x: np.geomspace(x[0], x[2], 5), V),
        (lambda x: np.geomspace(x, 2 * x, 4, axis=1), X),
        (lambda x: np.geomspace(x, 2 * x, 3, False), V),
        (lambda x: np.geomspace(-2.0, -np.exp(x), 1), V),
    ],
    np.polyadd: [
        (lambda x: np.polyadd(x, [1.0, 2.0]), V),
        (lambda x: np.polyadd([1.0], x * x), V),
        (lambda x: np.polyadd(x[:2], x[2:]), V),
    ],
    np.polysub: [
        (lambda x: np.polysub(x, [1.0, 2.0]), V),
        (lambda x: np.polysub([1.0, 2.0], x), V),
        (lambda x: np.polysub(3.0, x[0]), V),
    ],
    np.polymul: [
        (lambda x: np.polymul(x, x[:2]), V),
        (lambda x: np.polymul([0.0, 0.0, 2.0], x), V),
        (lambda x: np.polymul(np.append([0.0, 0.0], x), x[1:]), V),
        (lambda x: np.polymul(x * x, [0.0, 0.0]), V),
    ],
    np.polydiv: [
        (lambda x: np.polydiv(x, x[:2] + 3), V),
        (lambda x: np.polydiv(x[:2], [1.0, 2.0, 3.0]), V),
        (lambda x: np.polydiv([1.0, 2.0, 3.0, 0.5], x[1:3]), V),
        (lambda x: np.polydiv(np.polymul(x, [1.0, -2.0]), x), V),
    ],
    np.polyder: [
        (np.polyder, V),
        (lambda x: np.polyder(x * x, 2), V),
        (lambda x: np.polyder(x, m=0) * x, V),
    ],
    np.polyint: [
        (np.polyint, V),
        (lambda x: np.polyint(x, 2, [3.0, 4.0]), V),
        (lambda x: np.polyint(x, m=3, k=x[0]), V),
    ],
    np.poly: [
        (np.poly, V),
        (lambda x: np.poly([x[0], x[1] * 2.0, 3.0]), V),
        (lambda x: np.poly(np.outer(x, [1.0, 2.0, 5.0, 3.0][: len(x)]) + np.diag(x)), V),
    ],
    np.sort_complex: [(np.sort_complex, V), (lambda x: np.sort_complex(x * 2.0), S)],
    np.roots: [
        (lambda x: np.roots(np.poly(x)), V),
        (lambda x: np.roots(np.concatenate(([0.0], np.poly(x), [0.0, 0.0]))), V),
    ],
    sliding_window_view: [
        (lambda x: sliding_window_view(x, 2), V),
        (lambda x: sliding_window_view(x, (2, 2)) ** 2, X),
        (lambda x: sliding_window_view(x, 3, -1), X),
        (lambda x: sliding_window_view(x.T, (2, 1), axis=(0, 0)), X),
        (lambda x: sliding_window_view(x, (), ()) * x, X),
        (lambda x: sliding_window_view(x, 4) @ x, V),
    ],
    np.ix_: [(lambda x: np.ix_(x, x[:2] * 2.0, [1.0]), V)],
    np.piecewise: [
        (lambda x: np.piecewise(x, [x < 0, x > 1], [np.exp, lambda y: y**3, 7.0]), X),
        (lambda x: np.piecewise(x, [x < 0, x < 0.75], [lambda y: y * np.sum(y), np.square]), V),
        (lambda x: np.piecewise(x, x > 0, [lambda y, k, m: k * y**m, 2.0], 3.0, m=2), V),
        (lambda x: np.piecewise(x, [True, False, True, True], [np.sin, np.cos]), V),
        (lambda x: np.piecewise(x[0], [x[0] < 0, x[0] >= 0], [np.negative, np.square]), V),
    ],
    np.apply_along_axis: [
        (lambda x: np.apply_along_axis(np.sum, 0, x * x), X),
        (lambda x: np.apply_along_axis(np.sort, -1, x), X),
        (lambda x: np.apply_along_axis(lambda r, k, m: np.outer(r, r) * k + m, 1, x, 2, m=1), X),
        (lambda x: np.apply_along_axis(np.outer, 1, x[None, :, None] * S, x[0]), X),
    ],
    np.apply_over_axes: [
        (lambda x: np.apply_over_axes(np.sum, x * x, (0, -1)), X),
        (lambda x: np.apply_over_axes(np.cumsum, x, 1), X),
    ],
    np.zeros_like: [(lambda x: np.zeros_like(x) + x, X)],
    np.ones_like: [(lambda x: np.ones_like(x, shape=(2,)) * x[0, 0], X)],
    np.empty_like: [(lambda x: 0 * np.empty_like(x) + x, X)],
    np.full_like: [(lambda x: np.full_like(x, x[0]), V), (lambda x: np.full_like(x, 2.0) * x, V)],
    np.real: [(np.real, X), (lambda x: x.real, X)],
    np.imag: [(lambda x: np.imag(x) + x, X)],
}
if NUMPY >= (2, 1):
    CALLS[np.clip] += [
        (lambda x: np.clip(x, min=0.0, max=1.0), X),
        (lambda x: np.clip(x, None, None), X),
    ]
    CALLS |= {
        np.cumulative_sum: [(lambda x: np.cumulative_sum(x, axis=1, include_initial=True), X)],
        np.cumulative_prod: [(lambda x: np.cumulative_prod(x, axis=0), X), (np.cumulative_prod, V)],
        np.unstack: [(lambda x: np.unstack(x, axis=1), X)],
    }
if NUMPY >= (2, 4):
    CALLS[np.pad].append((lambda x: np.pad(x, {-1: (1, 2)}, mode="wrap"), X))
if NUMPY >= (2, 5):
    CALLS[np.sort] += [
        (lambda x: np.sort(x, descending=True), X),
        (lambda x: np.sort(x, 0, descending=True, stable=True), np.array([[1.0], [np.nan], [2.0]])),
    ]
if NUMPY >= (2, 4):  # from which on they ask others
    CALLS |= POLYNOMIAL_CALLS
