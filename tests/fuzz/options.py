"""Calls with axes, `keepdims`, `out`, `where` and the like, in every spelling, of an array `x`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

_REDUCTIONS = ["sum", "prod", "max", "min", "mean", "var", "std"]
_CALLS = [
    "np.add.reduce(x, 0)", "np.add.reduce(x, None)", "np.add.reduce(x, axis=(), keepdims=True)",
    "np.multiply.reduce(x, -1, keepdims=True)", "np.maximum.reduce(x, 0, initial=0.2)",
    "np.minimum.reduce(x, None)", "np.logaddexp.reduce(x, 0)", "np.add.accumulate(x, 0)",
    "np.multiply.accumulate(x, axis=-1)", "np.add.reduce(x, 0, where=x > 0)",
    "np.logical_and.reduce(x > 0, 0)", "np.add.outer(x, x[0])", "np.subtract.outer(2.0, x)",
    "np.any(x > 0, 0)", "np.all(x, axis=-1, keepdims=True)", "(x > 0).any(0)", "(x > 0).sum(-1)",
    "(x > 0).mean(0)", "np.count_nonzero(x, axis=0)",
    "np.count_nonzero(x > 0, axis=-1, keepdims=True)", "np.median(x, 0)",
    "np.median(x, -1, keepdims=True)", "np.ptp(x, 0)", "np.average(x, 0)",
    "np.average(x, -1, weights=np.arange(1.0, x.shape[-1] + 1))", "np.take(x, [0, -1], 0)",
    "np.take(x, 0, axis=-1)", "x.take([0, 0])", "np.take_along_axis(x, np.argsort(x, 0), 0)",
    "np.compress([True, False], x, 0)", "np.extract(x > 0, x)", "np.delete(x, 0, 0)",
    "np.insert(x, 0, 1.0, 0)", "np.append(x, x, 0)", "np.repeat(x, 2, 0)", "x.repeat([1, 2], 0)",
    "np.tile(x, (2, 1))", "np.roll(x, 1)", "np.roll(x, (1, -1), (0, -1))", "np.flip(x, 0)",
    "np.rot90(np.atleast_2d(x))", "np.diff(x, axis=0)", "np.diff(x, 2, -1)",
    "np.trapezoid(x, axis=0)", "np.cross(x, x[::-1])", "np.linalg.norm(x, axis=0)",
    "np.linalg.norm(x, 1, -1, True)", "np.linalg.norm(x, np.inf, 0)", "np.linalg.norm(x, 0, 0)",
    "np.linalg.norm(x, 'fro')", "np.linalg.norm(x, -np.inf, -1)", "np.linalg.norm(x, 2.5, -1)",
    "np.squeeze(x, 0)", "np.squeeze(x[None], 0)", "np.expand_dims(x, (0, -1))",
    "np.moveaxis(x, 0, -1)", "np.swapaxes(x, 0, -1)", "np.broadcast_to(x, (2,) + x.shape)",
    "np.reshape(x, -1, order='F')", "x.reshape(1, -1)", "x.ravel('F')", "x.flatten(order='F')",
    "x.T", "np.transpose(x)", "x.mT if x.ndim > 1 else x", "np.split(x, [1], 0)[0]",
    "np.array_split(x, 3)[1]", "np.hsplit(x, 1)[0]", "np.unstack(x)[0]",
    "np.unstack(x, axis=-1)[-1]", "np.stack([x, x], -1)", "np.concatenate([x, x], -1)",
    "np.concatenate([x, x], None)", "np.vstack([x, x])", "np.dstack([x, x])",
    "np.column_stack([x, x])", "np.block([[x], [x]])", "np.pad(x, 1)", "np.pad(x, 1, mode='edge')",
    "np.pad(x, 1, mode='reflect')", "np.tril(x)", "np.triu(x, 1)", "np.diag(x)",
    "np.trace(np.atleast_2d(x))", "np.clip(x, None, 0.5)", "np.clip(x, -0.5, None)",
    "x.clip(max=0.5)", "np.clip(x, x - 1, 0.2)", "np.nonzero(x)", "np.flatnonzero(x)",
    "np.round(x, 1)", "x.round()", "np.nan_to_num(x)", "np.sign(x)", "np.abs(x)", "abs(x)",
    "x.conj()", "x.real", "x.imag", "np.real(x)", "np.imag(x)", "x.copy()", "x.astype(np.float32)",
    "x.astype(int)", "x.astype(bool)", "x.size", "x.ndim", "len(x)", "list(x)[0]",
    "[v for v in x][-1]", "x[0]", "x[-1]", "x[..., 0]", "x[None]", "x[x > 0]", "x[[0, -1]]",
    "x[1:][0]", "x[::-1]", "x[:, None]", "x[..., None]", "x[()]", "x[np.newaxis, ...]",
    "np.einsum('...i->...', x)", "np.einsum('...i,...i', x, x)", "np.einsum('i...->i', x)",
    "np.dot(x, x.T)", "np.inner(x, x)", "np.vdot(x, x)", "np.outer(x, x)", "x @ x.T",
    "np.tensordot(x, x.T, 1)", "np.kron(x, [1.0, 2.0])", "np.interp(0.5, [0.0, 1.0], x[:2])",
    "np.searchsorted(np.arange(3.0), x)", "np.digitize(x, [0.0, 1.0])", "np.vander(x)",
    "np.polyval(x, 0.5)", "np.convolve(x, [1.0])", "np.fmax(x, 0.1)", "np.fmin(x, x[0])",
    "np.hypot(x, 1.0)", "np.arctan2(x, 2.0)", "np.ldexp(x, 2)", "np.frexp(x)", "np.modf(x)",
    "np.divmod(x, 0.7)", "divmod(x, 0.7)", "divmod(2.0, 1.0 + x * x)", "x // 0.7", "x % 0.7",
    "2.0 // (1.0 + x * x)", "x ** 3", "x ** -1", "x ** 0", "x ** 0.5", "2 ** x", "pow(x, 2)",
    "x ** x.astype(int)", "-x", "+x", "~(x > 0)", "(x > 0) ^ (x < 1)", "(x > 0) * 2",
    "(x > 0) + (x > 0.5)", "x == x", "x != 0", "x < x[0]", "not np.any(x)", "bool(np.all(x > -9))",
    "int(np.sum(x))", "np.isclose(x, 0.3)", "np.allclose(x, x)", "np.array_equal(x, x)",
    "np.isfinite(x)", "np.isnan(x)", "np.ndim(x)", "np.size(x)", "np.size(x, 0)",
    "np.result_type(x, 1.0)", "x.dtype == np.float64", "np.zeros_like(x) + 1",
    "np.ones_like(x) * x", "np.full_like(x, 2.0) * x", "np.linspace(0.0, x, 3)",
    "np.linspace(x, 1.0, 3, endpoint=False)", "np.linspace(0.0, x, 3, axis=-1)",
    "np.meshgrid(x, x)", "np.broadcast_arrays(x, 1.0)", "np.atleast_1d(x)", "np.atleast_2d(x)",
    "np.atleast_3d(x)", "np.select([x > 0.5, x > 0], [x, x * 2], -1.0)",
    "np.choose([0] * len(x), [x, x * 2])", "np.piecewise(x, [x > 0], [1.0, 2.0])",
    "np.heaviside(x, 0.5)", "np.sinc(x)", "np.unwrap(x)", "np.gradient(x)", "np.cov(x)",
    "np.corrcoef(x)", "np.histogram(x)", "np.quantile(x, 0.3)", "np.nanmean(x)", "np.nansum(x, 0)",
    "np.nanmax(x)", "np.nanstd(x)", "np.nanvar(x, 0)", "np.nancumsum(x)", "np.nanprod(x)",
    "np.emath.sqrt(x * x)", "np.fix(x)", "np.trunc(x)", "np.nextafter(x, 9.0)",
    "np.float_power(x * x, 1.5)", "np.cbrt(x)", "np.deg2rad(x)", "np.logaddexp(x, 0)",
    "np.logaddexp2(x, x)", "np.exp2(x)", "np.expm1(x)", "np.signbit(x)", "np.copysign(1.0, x)",
    "np.positive(x)", "np.square(x)", "np.reciprocal(x)", "np.linalg.det(x @ x.T + np.eye(len(x)))",
    "np.linalg.inv(np.outer(x, x) + 9 * np.eye(x.size))",
    "np.linalg.solve(np.outer(x, x) + 9 * np.eye(x.size), x.ravel())",
    "np.linalg.eigvalsh(np.outer(x, x))",
    "np.linalg.eigh(np.outer(x, x) + np.diag(np.arange(x.size)))",
    "np.linalg.svd(np.outer(x, x) + np.diag(np.arange(1.0, x.size + 1)))",
    "np.linalg.qr(np.outer(x, x) + np.eye(x.size))",
    "np.linalg.cholesky(np.outer(x, x) + np.eye(x.size))",
    "np.linalg.slogdet(np.outer(x, x) + np.eye(x.size))",
    "np.linalg.matrix_power(np.outer(x, x), 2)", "np.linalg.pinv(np.outer(x, x))",
    "np.linalg.matrix_rank(np.outer(x, x))",
    "np.linalg.lstsq(np.outer(x, x) + np.eye(x.size), x.ravel())[0]",
    "np.linalg.multi_dot([np.outer(x, x), np.outer(x, x), x.ravel()])",
]  # fmt: skip
# Where NumPy takes a sequence, a list or an array of objects that holds Variables.
_SEQUENCES = [
    "[x[0], x[-1]]", "(x, 2.0 * x)", "[[x[0], x[-1]], [x[-1], 1.5 * x[0]]]", "list(x)",
    "[np.sum(x), 1, np.max(x)]", "np.array([np.sum(x), 1.0, np.min(x)])",
    "np.array([[np.sum(x), 2], [0.5, np.mean(x)]]).T",
]  # fmt: skip
_OF_SEQUENCES = [
    "np.mean({})", "np.mean({}, axis=0)", "np.sum({}, 0)", "np.std({})", "np.var({}, axis=-1)",
    "np.max({})", "np.min({}, 0)", "np.prod({})", "np.median({})", "np.cumsum({})", "np.ptp({})",
    "np.average({}, axis=0)", "np.percentile({}, 30)", "np.sort({})", "np.argmax({})",
    "np.diff({})", "np.exp({})", "np.abs({})", "np.tanh({})", "np.hypot({}, 1.5)",
    "np.maximum({}, 0.2)", "np.add({0}, {0})", "np.isfinite({})", "np.shape({})", "np.ndim({})",
    "np.linalg.norm({})", "np.dot({}, 2.0)", "np.outer({0}, {0})", "np.inner({0}, {0})",
    "np.transpose({})", "np.ravel({})", "np.flip({})", "np.reshape({}, -1)", "np.tile({}, 2)",
    "np.repeat({}, 2)", "np.roll({}, 1)", "np.clip({}, -0.5, 0.5)", "np.round({}, 1)",
    "np.where(np.greater({0}, 0.1), {0}, 0.5)", "np.concatenate([np.ravel({}), [1.0]])",
    "np.stack({})", "np.vstack({})", "np.append({}, 2.0)", "np.atleast_2d({})", "np.pad({}, 1)",
    "np.linalg.det(np.outer({0}, {0}) + np.eye(np.size({0})))", "np.trapezoid({})",
    "np.interp(0.3, [0.0, 1.0], np.ravel({})[:2])", "np.r_[np.ravel({}), 1.0]",
    "np.polyval({}, 0.5)",
    "np.linalg.solve([[3.0, np.sum({0})], [0.1, 2.0]], [np.mean({0}), 1.0])", "np.nansum({})",
]  # fmt: skip
_OWN_CODE = [
    "np.r_[x[0], x[-1]]", "np.r_[x, x[::-1]]", "np.r_['-1', x, x]", "np.r_[1:3, np.sum(x)]",
    "np.r_[np.min(x) : np.max(x) : 3j]", "np.c_[x, x]", "np.c_[x[0], x[-1]]",
    "np.ones((2, x.shape[0])).dot(x) * 1.0", "np.ones(x.shape[0]).dot(x).sum() * 1.0",
    "np.ones((2, x.shape[0])).dot(x).mean() * 1.0", "np.exp(np.ones((3, x.shape[0])).dot(x)).T",
    "np.array([np.sum(x), 1.0]).mean() * 1.0", "np.array([np.sum(x), 1.0, 2.0]).std() * 1.0",
    "np.pad(x, 2, 'linear_ramp', end_values=1)", "np.pad(x, 1, 'mean')", "np.pad(x, 3, 'maximum')",
    "np.pad(x, 2, 'median', stat_length=2)", "np.pad(x, 3, 'reflect', reflect_type='odd')",
    "np.pad(x, 2, 'symmetric', reflect_type='odd')", "np.linalg.pinv(np.outer(x, x), 0.1)",
    "np.linalg.pinv(np.outer(x, x) + np.eye(x.size), 0.5)", "x.compress([True, False], 0)",
    "np.linalg.pinv(np.outer(x, x) + np.eye(x.size), hermitian=True)", "x.argpartition(1)",
    "np.linalg.svd(np.outer(x, x) + np.eye(x.size), False, False, True)",
    "np.einsum('...i,...i', x, x, dtype=np.float64)", "np.einsum('...i->i...', x, order='F')",
    "np.emath.log(1.0 + x * x)", "np.emath.power(1.0 + x * x, -2)", "np.emath.arcsin(np.tanh(x))",
    "np.polynomial.Polynomial([1.0, np.sum(x), 0.5])(0.3) * 1.0",
    "np.polynomial.chebyshev.chebval(0.3, [np.sum(x), np.mean(x)]) * 1.0",
    "np.polynomial.legendre.legmul([1.0, np.sum(x)], [np.max(x), 2.0]) * 1.0",
]  # fmt: skip
# What they are called on in test_fuzz.py: vectors, matrices, numbers, empty arrays, float32.
POINTS = {
    "vector": "[np.array([0.3, -1.2, 2.0, 0.7]), np.array([1.1, 0.4, -0.7, 0.2])]",
    "matrix": "[np.array([[0.3, -1.2, 2.0], [1.1, 0.4, -0.7]]), np.eye(2, 3) - 0.2]",
    "number": "[np.float64(0.3), np.float64(-0.7), np.float64(1.4)]",
    "no axes": "[np.array(0.3), np.array(-0.7), np.array(1.4)]",
    "empty": "[np.zeros((0, 3))]",
    "single": "[np.array([[0.3, -1.2, 2.0], [1.1, 0.4, -0.7]], np.float32)]",
}


def calls() -> Iterator[str]:
    """The texts."""
    for name in _REDUCTIONS:
        for axis, keepdims in product(("None", "0", "-1", "(0,)", "()", "(0, -1)"), (False, True)):
            yield f"np.{name}(x, axis={axis}, keepdims={keepdims})"
            yield f"x.{name}(axis={axis}, keepdims={keepdims})"
        initial = ", initial=0.5" if name in ("max", "min") else ""
        yield f"np.{name}(x, where=x > 0{initial})"
        yield f"np.{name}(x, out=np.zeros_like(np.{name}(x)))"
        yield f"np.{name}(x, 0, out=np.zeros_like(x[0]))"
    for name, axis in product(("cumsum", "cumprod"), ("None", "0", "-1")):
        yield from (f"np.{name}(x, axis={axis})", f"x.{name}({axis})")
        yield f"np.{name}(x, {axis}, np.float64)"
    for name, axis in product(("argmax", "argmin"), ("None", "0", "-1")):
        yield from (f"np.{name}(x, axis={axis})", f"x.{name}({axis})")
        yield f"np.{name}(x, {axis}, keepdims=True)"
    for name, axis in product(("sort", "argsort"), ("None", "0", "-1")):
        yield from (f"np.{name}(x, axis={axis})", f"np.{name}(x, {axis}, kind='stable')")
    yield from _CALLS
    yield from _OWN_CODE
    for text in _OF_SEQUENCES:
        yield from (text.format(sequence) for sequence in _SEQUENCES)
