"""Calls with complex numbers, as code that NumPy runs too.

`z` has shape (3,), `w` (2, 3), `s` (3, 3), `x` and `m` are the real parts of z and w; `c` is one
number. `p` and `q` are plain: complex and real arrays of shape (3,).
"""

import re

import numpy as np

# Functions that act on both parts alike; every one of them must be here (a test looks).
ALIKE = [
    "np.sum(z)", "np.sum(w, axis=0)", "np.sum(w, axis=1, keepdims=True)", "z.sum()",
    "np.sum(z, initial=2)", "np.sum(z, initial=1j)", "np.sum(x, dtype=complex) * z",
    "np.sum(z, where=q > 0)", "np.mean(z)", "np.mean(w, axis=1)", "w.mean(0)", "np.cumsum(z)",
    "np.cumsum(w, axis=1)", "np.trace(s)", "s.trace(1)", "np.linalg.trace(s)",
    "np.ediff1d(z, to_end=1j)", "np.gradient(z)", "np.gradient(w, axis=1)", "np.tril(s)",
    "np.triu(s, 1)", "np.diag(z)", "np.diag(s)", "np.diagflat(z)", "np.pad(z, 1)",
    "np.pad(z, (1, 2), constant_values=1j)", "np.pad(z, 1, mode='wrap')", "np.nan_to_num(z)",
    "np.round(z * 10) * 0 + z", "np.around(z, 1) * 0 + z", "np.trapezoid(z)",
    "np.trapezoid(z, dx=0.5)", "np.trapezoid(z, x=q)", "np.concatenate([z, z * 2])",
    "np.concatenate([z, x])", "np.concatenate([x, p, z])", "np.concatenate([x, p])",
    "np.stack([z, p])", "np.stack([x, z], axis=1)", "np.vstack([z, q])", "np.hstack([z, 1j])",
    "np.dstack([z, z])", "np.column_stack([z, x])", "np.append(z, 1j)", "np.append(x, z)",
    "np.block([[s, s], [s, s * 1j]])", "np.array_split(z, 2)[0]", "np.split(z, 3)[1]",
    "np.hsplit(w, 3)[0]", "np.vsplit(w, 2)[1]", "np.dsplit(w[None], 3)[0]", "np.diff(z)",
    "np.diff(z, prepend=1j)", "np.diff(w, axis=0)", "np.diagonal(s)", "s.diagonal(1)",
    "np.linalg.diagonal(s)", "np.take(z, [0, 2])", "z.take([1, 1])",
    "np.take_along_axis(w, np.array([[0], [2]]), axis=1)", "np.delete(z, 1)", "np.ravel(w)",
    "w.ravel()", "w.flatten()", "np.transpose(w)", "w.T", "w.transpose(1, 0)",
    "np.matrix_transpose(w)", "np.linalg.matrix_transpose(w)", "np.permute_dims(w, (1, 0))",
    "w.mT", "np.swapaxes(w, 0, 1)", "np.moveaxis(w, 0, 1)", "np.rollaxis(w, 1)",
    "np.expand_dims(z, 0)", "np.squeeze(z[None])", "z[None].squeeze()",
    "np.broadcast_to(z, (2, 3))", "np.broadcast_arrays(z, w)[0]", "np.meshgrid(z, q)[0]",
    "np.flip(z)", "np.fliplr(w)", "np.flipud(w)", "np.rot90(w)", "np.roll(z, 1)",
    "np.tile(z, 2)", "np.repeat(z, 2)", "z.repeat(2)", "np.resize(z, (2, 2))",
    "np.atleast_1d(c)", "np.atleast_2d(z)", "np.atleast_3d(z)", "np.reshape(w, (3, 2))",
    "w.reshape(3, 2)", "w.reshape(-1)", "np.copy(z)", "z.copy()",
    "np.lib.stride_tricks.sliding_window_view(z, 2)", "np.choose([0, 1, 0], [z, p])",
    "np.compress(q > 0, z)", "np.extract(q > 0, z)", "np.insert(z, 1, 1j)",
    "np.fft.fftshift(z)", "np.fft.ifftshift(w, axes=0)",
    "np.linspace(z, 1j, 4)", "np.polyadd(z, [1j, 2])", "np.polysub([1, 1, 1, 1], z)",
    "np.polyder(z)", "np.polyint(z)", "np.stack(np.unstack(w))",
]  # fmt: skip

OTHERS = [
    "np.real(z)", "np.imag(z)", "z.real", "z.imag", "np.angle(z)", "np.angle(z, deg=True)",
    "np.angle(x)", "np.conj(z)", "z.conj()", "np.abs(z)", "abs(c)", "np.where(q > 0, z, x)",
    "np.where(q > 0, z, 1j)", "np.where(q > 0, x, 1j)", "np.where([True, False, True], z, p)",
    "np.select([q > 0, q < -5], [z, p])", "np.select([q > 0], [x], 1j)",
    "np.piecewise(z, [q > 0], [lambda t: t * t, 1j])",
    "np.piecewise(z, [q > 0, q < -5], [2j, lambda t: np.exp(t)])", "np.r_[z, 1j, x]",
    "np.c_[z, x]",
    "np.insert(z, 1, [1j, 2.0])", "np.apply_along_axis(lambda r: r * 1j, 0, x)",
    "np.prod(w, axis=1)", "np.prod(w, axis=0, keepdims=True)", "z.prod()",
    "np.prod(z, initial=1j)", "np.cumprod(z)", "np.cumprod(w, axis=0)", "np.var(z)",
    "np.var(w, axis=0, ddof=1)", "np.std(z)", "z.std()", "np.cov(z)", "np.cov(w)",
    "np.cov(z, p)", "np.corrcoef(w)", "np.interp(0.5, [0, 1, 2], z)",
    "np.interp(0.5, [0, 1, 2], z, left=1j)", "np.dot(z, z)", "np.dot(s, z)", "z.dot(p)",
    "x.dot(z)", "np.dot(x, p)", "s @ z", "s @ s", "x @ z", "p @ z", "z @ p", "s @ x", "m @ s",
    "np.matmul(s, z)", "np.vdot(z, p)", "np.vdot(p, z)", "np.vdot(w, w)", "np.inner(z, w)",
    "np.outer(z, p)", "np.outer(x, z)", "np.kron(z, z)", "np.cross(z, p)",
    "np.tensordot(s, w, axes=([0], [1]))", "np.linalg.tensordot(s, s)", "np.linalg.outer(z, z)",
    "np.linalg.matmul(s, s)", "np.linalg.vecdot(z, p)", "np.linalg.cross(z, p)",
    "np.convolve(z, p)", "np.convolve(z, q, mode='same')", "np.multiply.outer(z, p)",
    "np.add.reduce(w)", "np.multiply.reduce(z)", "np.add.accumulate(z)",
    "np.multiply.accumulate(z)", "np.add(z, 1, dtype=np.complex64)", "z.astype(np.complex64)",
    "x.astype(complex) * 1j", "np.exp(x, dtype=complex)", "np.float_power(z, 2)",
    "np.positive(z)", "np.maximum(z, p)", "np.minimum(z, p)", "np.fmax(z, p)", "np.fmin(z, p)",
    "z ** 2", "z ** -1", "z ** 3", "z ** 0.5", "z ** 1j", "2j ** z", "x ** 1j", "p ** x",
    "z ** z", "z / p", "p / z", "1 / z", "1j / x", "z - 1", "1 - z", "z * True", "-z", "+z",
    "z[1]", "z[::-1]", "z[q > 0]", "w[:, 1]", "w[1, [0, 2]]", "w[None, ..., 0]", "c * z",
    "c ** 2", "np.exp(1j * x)", "np.zeros_like(z) + z", "np.ones_like(z) * z",
    "np.full_like(z, 1j) * z", "np.einsum('ij,j->i', s, z)", "np.einsum('ij,jk,k', s, s, z)",
    "np.einsum('ii->i', s)", "np.einsum('ij->ji', w)", "np.einsum('i,i', x, z)",
    "np.einsum(s, [0, 1], z, [1], [0])", "np.sort(z)", "np.sort(w, axis=0)", "np.max(z)",
    "np.max(w, axis=1)", "np.min(w, axis=0, keepdims=True)", "np.max(z, initial=9)", "np.ptp(z)",
    "np.clip(z, -1, p)", "np.median(z)", "np.median(w, axis=1)", "np.sinc(z)",
    "np.real_if_close(z)", "np.real_if_close(z.real + 0j)", "np.polyval(z, x)",
    "np.roots(z)", "np.roots(np.append(w[0], [0, 0]))", "np.poly(s)", "np.poly(m[:, :2])",
    "np.roots(x * [1, 2, 3])", "np.linalg.eigvals(s)", "np.linalg.eig(s)[0]",
    "np.linalg.eig(s)[1]", "np.linalg.eigvals(np.stack([s, s * 1j]))", "np.linalg.eig(m @ m.T)[1]",
    "np.linalg.eigvals(s.real + 0j)", "abs(np.linalg.eigh(s)[1])", "np.linalg.eigh(s, 'U')[0]",
    "np.linalg.svd(w)[1]", "abs(np.linalg.svd(w)[2])", "np.matmul(*np.linalg.svd(w, False)[::2])",
    "abs(np.linalg.svd(w.T)[0])", "np.linalg.svd(s @ s.conj().T, hermitian=True)[1]",
    "np.linalg.qr(w.T, 'complete')[0][:, :2]", "np.linalg.qr(w.T, 'complete')[1]",
    "np.polyval([1, 2j, 3], z)", "np.polyval(z, z)", "np.poly(z)", "np.polymul(z, p)",
    "np.polydiv(z, p[:2])[0]", "np.polydiv(q, z[:2])[1]",
    "np.polydiv(z[:2], q)[1]", "np.polyfit(q, z, 1)", "np.polyfit(x, z, 1, w=q**2 + 1)",
    "np.polyfit(z, p, 1)", "np.polyfit(z, s, 2, full=True)[0]", "np.vander(z)",
    "np.vander(z, 2, increasing=True)", "np.correlate(z, p, 'full')",
    "np.linalg.multi_dot([s, s, z])", "np.linalg.matrix_power(s, 3)",
    "np.linalg.matrix_power(s, -2)", "np.linalg.matrix_power(s, 0) + s", "np.linalg.solve(s, z)",
    "np.linalg.solve(s, s.T)", "np.linalg.solve(m @ m.T + np.eye(2), w)",
    "np.linalg.solve(s, x)", "np.linalg.inv(s)", "np.linalg.inv(np.stack([s, s * 1j]))",
    "np.linalg.pinv(w)", "np.linalg.det(s)", "np.linalg.det(np.stack([s, s * 1j]))",
    "np.linalg.slogdet(s)[0]", "np.linalg.slogdet(s)[1]",
    "np.linalg.cholesky(s @ s.conj().T + np.eye(3))", "np.linalg.svdvals(w)",
    "np.linalg.svd(w, compute_uv=False)", "np.linalg.eigvalsh(s)", "np.linalg.eigvalsh(s, 'U')",
    "np.fft.fft(z)", "np.fft.fft(w, 5, 0, 'ortho')", "np.fft.ifft(z)", "np.fft.ifft(w, n=2)",
    "np.fft.rfft(x)", "np.fft.irfft(z)", "np.fft.irfft(w, 5, norm='forward')", "np.fft.hfft(z)",
    "np.fft.hfft(z, 5, norm='ortho')", "np.fft.ihfft(x)", "np.fft.fft2(w)", "np.fft.ifft2(s)",
    "np.fft.rfft2(m)", "np.fft.irfft2(w)", "np.fft.irfft2(s, (3, 4))", "np.fft.fftn(w[None])",
    "np.fft.fftn(s, (2, 4), (1, 0))", "np.fft.ifftn(s, norm='forward')", "np.fft.rfftn(m)",
    "np.fft.irfftn(s[None], axes=(0, 2))", "np.fft.fft(z.astype(np.complex64))",
    "np.linalg.norm(z)", "np.linalg.norm(z, 1)", "np.linalg.norm(w)", "np.linalg.norm(w, 2)",
    "np.linalg.norm(s, 'nuc')", "np.linalg.norm(w, axis=1)", "np.linalg.vector_norm(w)",
    "np.linalg.matrix_norm(s)", "np.average(z)", "np.average(w, axis=1, weights=q)",
    "np.average(z, weights=x)", "np.average(z, weights=q, returned=True)[1]",
    "np.cumulative_sum(z)", "np.cumulative_sum(w, axis=1, include_initial=True)",
    "np.cumulative_prod(z)", "np.nansum(z * r)", "np.nanprod(z * r)", "np.nancumsum(z * r)",
    "np.nancumprod(z * r)", "np.nanmean(w * r, axis=1)", "np.nanvar(w * r, axis=1)",
    "np.nanstd(z * r)", "np.unique(z)", "np.union1d(z, p)", "np.trim_zeros(z * (q > 0))",
    "np.linalg.lstsq(s, z)[0]", "np.linalg.lstsq(w.T, p)[1]", "np.linalg.lstsq(w.T, p)[3]",
    "np.linalg.tensorsolve(s[:, None], z[:, None])", "np.linalg.tensorinv(s, 1)",
    "np.linalg.cond(s)", "np.real(np.linalg.cond(s, 1))", "np.apply_along_axis(np.sum, 1, w)",
    "np.apply_along_axis(np.cumsum, 0, w)", "np.apply_over_axes(np.sum, s, [0, 1])",
    "np.vstack([z * 0 + 1j, z])", "np.sort_complex(z)", "np.partition(z, 1)", "np.amax(z)",
    "np.amin(z)", "np.astype(z, np.complex64)", "np.linalg.qr(s)[0]", "np.linalg.qr(s)[1]",
    "np.linalg.qr(w)[0]", "np.linalg.qr(w.T)[0]", "np.linalg.qr(w.T)[1]", "np.linalg.qr(w, 'r')",
    "np.linalg.qr(np.stack([s, s * 1j])).Q", "np.emath.sqrt(z)", "np.emath.log(z)",
    "np.emath.log2(z)", "np.emath.log10(z)", "np.emath.arccos(z)", "np.emath.arcsin(z)",
    "np.emath.arctanh(z)", "np.emath.power(z, 2)", "np.emath.power(x, p)", "np.emath.logn(2, z)",
    "np.logspace(z, 1j, 4)",
]  # fmt: skip

# tests/python/complex/test_elementary.py
ELEMENTARY = [
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "square", "reciprocal", "sin",
    "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh",
    "arctanh", "sign", "conjugate", "negative", "positive", "rint",
]  # fmt: skip

# Statements that write to a copy of z.
WRITES = [
    "np.put(z, [0, 2], 1j)", "np.place(z, z.real > 0, [1j, 2])", "np.copyto(z, 1 + 1j)",
    "np.putmask(z, z.imag > 0, 3)", "np.add(z, 1j, out=z)", "z.fill(2j)", "z.sort()",
    "np.multiply(z, 2, out=z, where=z.real > 0)", "z[z.real > 0] = 1j", "z[::2] = z[0]",
    "np.put_along_axis(z, np.array([1]), 2j, 0)",
    "s = np.outer(z, z); np.fill_diagonal(s, 1j); z[:] = s[0]",
    "y = np.empty_like(z); y[...] = z * 2; z[:] = y", "z.real[1] = 5", "z.imag += 1", "z -= z[0]",
]  # fmt: skip

# Plain results.
PLAIN = [
    "np.iscomplexobj(z)", "np.isrealobj(z)", "np.iscomplex(z)", "np.isreal(z)", "np.shape(w)",
    "np.size(w)", "np.ndim(w)", "np.array_equal(z, z)", "np.isclose(z, p)", "np.allclose(z, z)",
    "z == p", "z != p", "np.isnan(z)", "np.isinf(z)", "np.isfinite(z)", "z < p", "z >= p",
    "np.logical_and(z, p)", "np.logical_not(z)", "np.nonzero(z)[0]", "np.count_nonzero(z)",
    "np.any(z)", "np.all(z)", "np.argsort(z)", "np.argmax(z)", "np.argmin(z)", "z.argmax()",
    "z.dtype", "z.shape", "len(w)", "w.size", "z.nbytes", "z.itemsize", "bool(c)",
    "np.result_type(z, 1)", "np.flatnonzero(z)", "np.argwhere(z)", "isinstance(z, np.ndarray)",
    "np.array2string(z)", "np.linalg.matrix_rank(s)", "np.searchsorted([-1, 0, 1 + 1j], z)",
    "np.tril_indices_from(s)[0]", "np.triu_indices_from(s)[0]", "np.diag_indices_from(s)[0]",
    "np.shares_memory(z, z.real)", "np.may_share_memory(z, z * 1)", "np.lexsort((z,))",
    "np.isin(z, p)", "np.array_equiv(z, z)", "np.array_repr(z)", "np.array_str(z)",
    "np.argpartition(z, 1)", "z <= p", "z > p", "np.logical_or(z, p)", "np.logical_xor(z, p)",
]  # fmt: skip


def is_possible(code):
    """Whether this NumPy has the functions."""
    return all(hasattr(np, name) for name in re.findall(r"np\.(\w+)", code))


ALIKE, OTHERS, PLAIN = (list(filter(is_possible, calls)) for calls in (ALIKE, OTHERS, PLAIN))

_rng = np.random.default_rng(7)


def _complex(*shape):
    return _rng.normal(size=shape) + 1j * _rng.normal(size=shape)


W = _complex(2, 3)
S = _complex(3, 3)
P = _complex(3)
Q = np.array([0.5, -1.0, 2.0])
R = np.array([1.0, np.nan, 2.0])


FUNCTIONS = set()


class Seen(np.ndarray):
    """An array that notes which functions are called with it."""

    def __array_function__(self, func, types, args, kwargs):
        FUNCTIONS.add(func)
        return seen(func(*unseen(args), **unseen(kwargs)))

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        FUNCTIONS.add(ufunc)
        return seen(getattr(ufunc, method)(*unseen(inputs), **unseen(kwargs)))


def seen(x):
    """`x` with every array and number of NumPy's as one that is noted."""
    if isinstance(x, dict):
        return {name: seen(y) for name, y in x.items()}
    if type(x) in (tuple, list):
        return type(x)(map(seen, x))
    return np.asarray(x).view(Seen) if isinstance(x, (np.ndarray, np.generic)) else x


def unseen(x):
    """The reverse."""
    if isinstance(x, dict):
        return {name: unseen(y) for name, y in x.items()}
    if type(x) in (tuple, list):
        return type(x)(map(unseen, x))
    return x.view(np.ndarray) if isinstance(x, Seen) else x


def functions_of(calls):
    """The functions and universal functions of NumPy that these calls reach, as NumPy runs them."""
    names = names_of(np.array([0.3 + 0.7j, -1.2 + 0.4j, 0.9 - 0.6j]))
    FUNCTIONS.clear()
    for code in calls:
        exec(code, seen(names))
    return set(FUNCTIONS)


def names_of(z):
    """The names of the code, of which all but p and q are computed from `z`."""
    scale = np.sum(z)
    w = W + scale * np.array([[0.1, 0.2j, 0.3], [1j, 0.2, -0.1]])
    return {
        "np": np, "z": z, "w": w, "s": S + z * 0.5 + z[:, None], "x": np.real(z) + 2.5,
        "m": np.real(w), "c": z[0] * 1j, "p": P, "q": Q, "r": R,
    }  # fmt: skip
