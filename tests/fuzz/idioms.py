"""Texts of what numerical programs are made of beside calls and statements: linear algebra of what
was computed, complex numbers on the way to real ones, writes through ufuncs, Python's own tools.

Their places are those of templates.py. Imaginary numbers stand behind: `1j * np.float64(2.0)` is
a number of Python's own, and `1j * v` of a recorded one is NumPy's.
"""

HELPERS = {
    "square_of": "def square_of(v, n):\n    return 0.3 * np.sin(fit(v, (n, n)))\n",
    "regular": "def regular(v, n):\n    return square_of(v, n) + n * np.eye(n)\n",
    "definite": (
        "def definite(v, n):\n    a = square_of(v, n)\n"
        "    return a @ a.T + np.diag(1.0 + np.arange(n))\n"
    ),
    "Pair": "Pair = collections.namedtuple('Pair', 'a b')\n",
    "Model": "@dataclasses.dataclass\nclass Model:\n    w: object\n    b: object\n    n: int = 2\n",
    "dense": (
        "def dense(v, *, scale=0.5, shift=True, n=2):\n"
        "    return v * scale ** n + (1.0 if shift else 0.0)\n"
    ),
    "parts": "def parts(v):\n    for row in v:\n        yield np.sin(row) * 2.0\n",
}
LINEAR = [
    "np.linalg.inv(regular({0}, 3))", "np.linalg.solve(regular({0}, 2), fit({1}, (2,)))",
    "np.linalg.solve(regular({0}, 3).T, fit({1}, (3, 2)))", "np.linalg.det(regular({0}, 3))",
    "np.linalg.slogdet(definite({0}, 3))[1]", "np.linalg.cholesky(definite({0}, 3))",
    "np.linalg.eigh(definite({0}, 3))[0]", "np.abs(np.linalg.eigh(definite({0}, 2))[1])",
    "np.linalg.svd(regular({0}, 3), compute_uv=False)", "np.linalg.eigvalsh(definite({0}, 3))",
    "np.linalg.svd(fit({0}, (3, 2)) + np.eye(3, 2), full_matrices=False)[1]",
    "(lambda u, s, w: (u * s) @ w)(*np.linalg.svd(regular({0}, 2)))",
    "(lambda q, r: q @ r + r)(*np.linalg.qr(regular({0}, 3)))",
    "np.linalg.pinv(fit({0}, (3, 2)) + np.eye(3, 2))",
    "np.linalg.lstsq(fit({0}, (4, 2)) + np.eye(4, 2), fit({1}, (4,)), rcond=None)[0]",
    "np.linalg.matrix_power(regular({0}, 2), -1)", "np.linalg.norm(regular({0}, 2), 2)",
    "np.linalg.norm(regular({0}, 2), 'nuc')", "np.linalg.cond(regular({0}, 2))",
    "np.linalg.solve(np.stack([regular({0}, 2)] * 2), fit({1}, (2, 2, 1)))[..., 0]",
    "np.linalg.inv(np.stack([regular({0}, 2), definite({1}, 2)]))", "np.trace(definite({0}, 3))",
    "np.einsum('ij,j', regular({0}, 3), fit({1}, (3,)))",
    "np.einsum('ij,jk->ik', fit({0}, (2, 3)), fit({1}, (3, 2)))",
    "np.einsum('ij,ij->j', fit({0}, (2, 3)), fit({1}, (1, 3)))",
    "np.einsum('bij,bj->bi', fit({0}, (2, 2, 3)), fit({1}, (2, 3)))",
    "np.einsum('ii->i', regular({0}, 3))",
    "np.einsum('i,j,ij', {7}, {7}, np.outer({7}, {7}) * {2})",
    "np.einsum('...ij,...jk->...ik', fit({0}, (2, 2, 2)), fit({1}, (2, 3)))",
    "np.einsum(fit({0}, (2, 3)), [0, 1], fit({1}, (3,)), [1], [0])",
    "np.tensordot(fit({0}, (2, 2, 3)), fit({1}, (3, 2)), axes=([2, 1], [0, 1]))",
    "fit({0}, (2, 1, 2, 3)) @ fit({1}, (2, 3, 2))", "fit({0}, (3,)) @ fit({1}, (2, 3, 2))",
    "np.matmul(fit({0}, (2, 2, 3)), fit({1}, (3,)))",
    "np.matmul(fit({0}, (3, 2)).T, fit({1}, (3, 2)))", "np.kron(fit({0}, (2,)), fit({1}, (2, 2)))",
    "np.cross(fit({0}, (2, 3)), fit({1}, (3,)))", "np.linalg.eig(regular({0}, 2))[0].real.sum()",
    "np.linalg.multi_dot([regular({0}, 2), regular({1}, 2), fit({0}, (2,))])",
]  # fmt: skip
COMPLEX = [
    "np.abs(np.fft.fft({0}))", "np.fft.ifft(np.fft.fft({0}) * 1j).imag",
    "np.fft.irfft(np.fft.rfft({0}, axis=-1) * {2}, n=np.shape({0})[-1])",
    "np.fft.fft2(fit({0}, (2, 3))).real", "np.fft.fftshift(np.abs(np.fft.fft({0})) ** 2)",
    "np.fft.ifft2(np.fft.fft2(fit({0}, (2, 3))) * np.exp(1j * fit({1}, (2, 3)))).real",
    "np.fft.irfft(np.fft.rfft({0}, 8) * np.fft.rfft({1}, 8), 8)[..., :3]",
    "np.fft.hfft(fit({0}, (4,)) + 0.5j)[:2]", "np.fft.rfftn(fit({0}, (2, 3))).imag",
    "np.fft.fft({0}, norm='ortho').imag", "np.real(np.exp({0} * 1j) * {2})",
    "np.abs({0} + {2} * 1j)", "np.angle({0} + 2j)", "(({0} + {1} * 1j) * np.conj({0} - 1j)).real",
    "({0} + {2} * 1j).imag ** 2", "np.abs(np.exp({0} * (0.5 + 1j)) + 1.0) ** 2",
    "np.sqrt({0} + 0j + {2} * 2j).real", "np.log(2.5 + {0} * 1j).imag",
    "(1.0 / (2.0 + {0} * 1j)).imag",
    "np.abs(np.sum({0} * np.exp(2j * np.arange(np.size({0})).reshape(np.shape({0})))))",
    "(lambda z: (z * z.conj()).real)(np.cosh({0} + 0.3j))", "np.vdot({0} + 1j, {0} * 1j).imag",
    "np.linalg.solve(regular({0}, 2) + 1j, fit({1}, (2,))).real",
    "np.abs(np.linalg.det(regular({0}, 2) + 1j * np.eye(2)))",
    "np.einsum('i,i', fit({0}, (3,)) * 1j, fit({1}, (3,)) + 1j).real",
    "np.where({0} > 0, {0} + 1j, {0} * 2j).imag", "np.abs(np.array([{2}, {3}]) * 1j)",
    "(({0} * 1j) ** 2).real", "(({0} + 1j) ** -2).real", "np.abs((1 + 2j) ** {0})",
    "np.cumsum({0} + {0} * 1j).imag", "np.real(np.mean({0} * (1 + 1j), axis=0))",
    "np.stack([{0} + 1j, {0} * 1j]).real", "np.linalg.norm({0} + 1j)",
]  # fmt: skip
FUNCTIONAL = [
    "functools.reduce(lambda a, b: a * 0.5 + b, [{2}, {3}, 1.0])",
    "functools.partial(np.multiply, {2})({0})", "functools.reduce(np.add, list(fit({0}, (3, 2))))",
    "functools.reduce(np.matmul, [regular({0}, 2), regular({1}, 2)])",
    "sum(v * i for i, v in enumerate(fit({0}, (4,))))",
    "np.array([np.sum(r) for r in fit({0}, (3, 2))]) * 1.0",
    "np.stack([np.sin(a) * b for a, b in zip(fit({0}, (3, 2)), fit({1}, (3, 2)))])",
    "np.stack(list(map(np.tanh, fit({0}, (3, 2)))))", "np.stack(list(parts(fit({0}, (3, 2)))))",
    "np.apply_along_axis(lambda r: np.sum(r * r), 0, fit({0}, (2, 3)))",
    "np.apply_along_axis(np.cumsum, 1, fit({0}, (2, 3)))",
    "np.vectorize(lambda v: np.sin(v) * 2.0)({0})",
    "np.vectorize(lambda v, w: v * w + {2}, otypes=[float])({0}, 0.5)",
    "np.vectorize(lambda v: v * {2}, otypes='d')(np.arange(3.0))",
    "np.vectorize(lambda v: v if v > {2} else 0.0)({0})",
    "np.vectorize(np.dot, signature='(n),(n)->()')(fit({0}, (2, 3)), fit({1}, (3,)))",
    "np.apply_over_axes(np.sum, fit({0}, (2, 3)), [0, 1])",
    "np.frompyfunc(lambda v: v * 2.0, 1, 1)({0}).astype(float)",
    "max([{2}, {3}, 0.1], key=lambda v: v * v)", "sorted([{2}, {3}])[0]",
    "np.prod([v for v in fit({0}, (3,)) if v > 0] + [1.0])",
    "(lambda p: p.a * p.b)(Pair({0}, {2}))",
    "(lambda p: p._replace(b=2.0).a * p.b)(Pair({0}, {2}))",
    "(lambda m: m.w * m.n + m.b)(Model({0}, {2}))",
    "(lambda m: m.w * m.n + m.b)(dataclasses.replace(Model({0}, {2}), n=3))", "dense({0})",
    "dense({0}, scale={2}, shift=False)", "dense({0}, n=3)", "dense(*[{0}], **dict(scale={2}))",
    "(lambda d: d['a'] * 2.0 + d['b'][0])(dict(a={0}, b=[{2}, 1.0]))",
    "list({{'a': {0}, 'b': {1}}}.values())[0] * 2.0",
    "list(itertools.accumulate([{2}, {3}, 0.5], lambda a, b: a * b + 1.0))[-1]",
    "np.stack([a * b for a, b in itertools.product([{2}, 1.5], [{3}, 2.0])])",
    "[*fit({0}, (3,))][1] * 2.0", "next(iter(fit({0}, (2, 2)))) * 3.0",
    "(lambda a, *b: a * b[-1])(*fit({0}, (3,)))", "any(v > 0.2 for v in fit({0}, (3,))) * {2}",
    "operator.itemgetter(0)(fit({0}, (3, 2))) * 1.0", "operator.mul({0}, {2})", "{0}.__add__({2})",
    "np.sum([{2}, {3}]) * {0}",
]  # fmt: skip
ORDER = [
    "np.take_along_axis(fit({0}, (2, 3)), np.argsort(fit({1}, (2, 3)), axis=-1), -1)",
    "np.sort({0}, axis=0)[::-1]", "{0}[np.argsort({0}, axis=0)[0]]",
    "np.sort(fit({0}, (2, 3)), axis=None)[1:4:2]", "np.cumprod({0}, axis=0)",
    "np.diff({0}, n=2, axis=-1)", "np.diff({0}, axis=0, prepend=0.5)",
    "np.cumsum({0}, axis=-1)[..., ::-1]", "np.partition(fit({0}, (5,)), 2)[2]",
    "np.quantile({0}, 0.3, axis=0)", "np.median({0}, axis=-1)", "np.unique(np.round({0}, 1))",
    "np.maximum.accumulate({0})", "np.logaddexp.reduce({0})",
    "np.add.reduceat(fit({0}, (5,)), [0, 2, 3])", "np.subtract.outer({0}, {7})",
    "np.minimum.reduce({0}, axis=0)", "np.where({0} > 0, np.log(np.where({0} > 0, {0}, 1.0)), 0.0)",
    "np.where({0} > 0, np.sqrt({0}), {0})", "np.where({0} != 0, 1.0 / ({0} + 2.5), 0.0)",
    "np.where(np.abs({0}) > 0.1, np.sin({0}) / {0}, 1.0)",
    "np.polyfit([0.0, 1.0, 2.0, 3.5], fit({0}, (4,)), 1)",
    "np.polyval(np.polyfit(np.arange(4.0), fit({0}, (4,)), 2), {2})",
    "np.interp(np.array([0.2, 1.5]), [0.0, 1.0, 2.0], fit({0}, (3,)))",
    "np.interp(fit({0}, (2,)), np.cumsum(1.0 + fit({1}, (3,)) ** 2), [1.0, 0.5, 2.0])",
    "np.convolve(fit({0}, (4,)), fit({1}, (2,)), 'same')",
    "np.correlate(fit({0}, (4,)), fit({1}, (2,)), 'full')",
    "np.histogram(fit({0}, (4,)), bins=[-9.0, 0.0, 9.0], weights=fit({1}, (4,)))[0]",
    "np.bincount([0, 1, 1, 2], weights=fit({0}, (4,)))", "np.digitize({0}, [0.0, 0.5]) * {2}",
    "np.searchsorted([0.0, 0.5], {0}) * {2}", "np.gradient(fit({0}, (5,)), 0.5)",
    "np.concatenate(np.split(fit({0}, (6,)), 3)[::-1])",
    "np.concatenate([p * (i + 1) for i, p in enumerate(np.array_split(fit({0}, (5,)), 2))])",
    "np.stack(np.split(fit({0}, (4, 2)), 2))[::-1, 0]", "fit({0}, (6,))[5:0:-2]",
    "fit({0}, (4, 3))[::-2, ::2]", "fit({0}, (3, 3))[[0, 2], :][:, [1, 1]]",
    "fit({0}, (3, 3))[np.ix_([0, 2], [1, 0])]", "fit({0}, (3, 3))[[0, 1], [2, 2]]",
    "fit({0}, (2, 3, 2))[:, [0, 2], 1]", "fit({0}, (2, 3, 2))[0, :, [1, 0]]",
    "fit({0}, (2, 3))[fit({1}, (2, 3)) > 0]", "fit({0}, (2, 3))[:, np.array([True, False, True])]",
    "np.pad({0}, 1, mode='wrap')", "np.roll({0}, 1, axis=0) * {0}", "np.tile({0}, (2, 1))",
    "np.repeat({0}, [2] + [1] * (len({0}) - 1), axis=0)", "np.trapezoid({0}, dx=0.3)",
    "np.asfortranarray(fit({0}, (2, 3))).ravel(order='K')",
    "np.ascontiguousarray(fit({0}, (2, 3)).T)", "np.swapaxes(fit({0}, (2, 3, 2)), 0, 2)[::-1]",
    "np.lib.stride_tricks.sliding_window_view(fit({0}, (5,)), 3).mean(-1)",
    "np.random.default_rng(3).normal(size=np.shape({0})) * {0}", "np.float32(0.5) * {0}",
    "{0} * np.float32(1.5) + np.arange(3, dtype=np.float32)[0]",
    "{0}.astype(np.float32).astype(np.float64) * {0}", "{0} * True + {2} * np.int32(3)",
    "np.sum({0} > 0) * {0}", "np.count_nonzero({0} > 0.1) * {2}", "{0} // 1 + {0} % 1",
    "np.floor_divide({0}, 0.3) * {0}", "-{0} ** 2", "2 ** {0} ** 2 / 9.0",
    "np.empty((0, 2)).sum() + {0}", "np.concatenate([np.zeros(0), np.ravel({0})])",
    "np.sum(fit({0}, (0, 3)), axis=0)", "np.mean(np.stack([fit({0}, (2,))] * 3), axis=(0, 1))",
    "np.prod(fit({0}, (0,))) * {2}", "np.nan_to_num(np.where({0} > 0, {0}, np.nan))",
    "np.nansum(np.where({0} > 0, {0}, np.nan))", "np.clip({0}, {2} - 1.0, {2} + 1.0)",
    "np.average({0}, axis=0, weights=1.0 + np.arange(len({0})))", "np.cov(fit({0}, (2, 4)))",
    "np.corrcoef(fit({0}, (2, 4)))[0, 1]", "np.var({0}, axis=0, ddof=1)", "np.ptp({0}, axis=-1)",
    "np.meshgrid(fit({0}, (2,)), fit({1}, (3,)), indexing='ij')[1]",
    "np.fromfunction(lambda i, j: i * {2} + j, (2, 2))",
    "np.fromiter((v * 2 for v in [1.0, 2.0]), float) * {2}", "np.broadcast_to({2}, (2, 2)) * 1.0",
    "np.vander(fit({0}, (3,)), 3)", "np.triu(np.outer({0}, {0}), 1)",
    "np.select([{0} > 0.5, {0} > 0], [{0} * 2.0, {2} * {0}], 0.1)",
    "np.piecewise({0}, [{0} < 0, {0} >= 0], [lambda v: -v, lambda v: v * {2}])",
    "np.choose((np.ravel({0}) > 0).astype(int), [np.ravel({0}), 2.0])", "np.argmax({0}) * {2}",
    "{0}.swapaxes(0, -1).dot(fit({1}, (np.shape({0})[0],)))", "np.dot({0}, {0}.T)",
    "np.inner(fit({0}, (2, 3)), fit({1}, (3,)))",
    "np.hypot({0}, {2}) + np.arctan2({0}, 1.5 + {2} ** 2)",
    "np.linspace(0.5, 2.0, 9)[np.clip({0} * 3.0 + 4.0, 0.0, 8.0).astype(int)] * {0}",
    "({0} * 2.0).astype(np.int32) * {2} + {0}.astype(bool)", "np.array({0} * 3.0, dtype=int) * {2}",
    "np.full((2, 3), fit({0}, (3,))) * {2}", "np.full((2, 2), {2}) * {3}",
    "np.fromiter((v * {2} for v in fit({0}, (3,))), float)",
    "np.hstack(({2}, fit({0}, (3,)), 1.0))",
    "sum(v * v for v in np.nditer(fit({0}, (2, 2))))",
]  # fmt: skip
WRITES = [
    "np.add.at({0}, [0, 0], {2})", "np.multiply.at({0}, (0,), {2})",
    "np.subtract.at({0}, [0, -1, 0], 0.5)", "np.maximum.at({0}, [0], {2})", "{0}[::2] = {2}",
    "{0}[::-1] = {0} * 0.5", "{0}[{0} < 0] = -{0}[{0} < 0]", "{0}[[0, 0]] += {2}",
    "{0}[np.argsort({0}, axis=0)[0]] = {2}", "np.sqrt(np.abs({0}), out={0}, where={0} > 0)",
    "np.add({0}, {2}, out={0}, where={0} > 0)", "np.exp({0} * 0.1, out={0})",
    "np.multiply({0}, {1}, out={0}, where=np.asarray(True))",
    "np.matmul(np.eye(len({0})), {0}, out={0})", "{0}[np.arange(len({0})) % 2 == 0] *= {2}",
    "{0}[..., -1] -= {0}[..., 0]", "{0}.reshape(-1)[::2] = {2}", "{0}.ravel()[0] += {2}",
    "np.put_along_axis({0}, np.zeros(np.shape({0}[:1]), int), {2}, 0)",
    "np.divide({0}, 2.0, out={0}[...])", "{0}.partition(0)", "{0}.T[...] *= {2}",
    "{0}[None][0, 0] = {2}", "{0}[-1:], {0}[:1] = {0}[:1] * 1.0, {0}[-1:] * 1.0",
    "np.copyto({0}, {2}, where={0} > 0)", "{0} **= 2", "{0} /= 1.5 + {2} ** 2",
    "{0} @= np.eye(len({0}))", "{0} %= 0.8", "{0} //= 0.4", "np.put({0}, [0, -1], [{2}, {3}])",
    "np.random.default_rng(1).shuffle({0})", "{0}.flat = {2}", "{0}.flat[::2] = [{2}]",
    "np.cumsum({0}, axis=0, out={0})", "np.round({0}, 1, out={0})",
    "np.einsum('...->...', {0})[...] *= 2.0", "np.nan_to_num({0}, copy=False)",

]  # fmt: skip
BLOCKS = [
    "{4} = np.zeros(3)\nnp.add.at({4}, [0, 1, 1, 2], fit({0}, (4,)))",
    "{4} = np.empty((2, 3))\n{4}[0] = fit({0}, (3,))\n{4}[1, ::2] = {2}\n{4}[1, 1] = {3}",
    "{4} = np.zeros((3, 2), order='F')\n{4}[[0, 2]] = fit({0}, (2, 2))\n{4}[:, 1] += {2}",
    "{4} = np.zeros(4)\n{4}[{4} == 0] = fit({0}, (4,))\n{4}[{4} > 0.5] = {2}",
    "{4} = np.zeros(2, dtype=complex)\n{4}[0] = {2} + 1j\n{4}[1] = {3} * 1j\n{4} = np.abs({4} * "
    "{4})",
    "{4} = fit({0}, (3,)) + 1j\n{4} *= 1j\n{4}[0] = 0.0\n{4} = {4}.real",
    "{4} = {2}\nfor v_ in (v * 0.5 for v in fit({0}, (3,)) if v > 0):\n    {4} = {4} + v_ ** 2",
    "{4} = [fit({0}, (2,))]\nwhile len({4}) < 4:\n    {4}.append({4}[-1] * 0.5 + {2})\n{4} = "
    "np.concatenate({4})",
    "{4} = {2}\nfor i_ in range(20):\n    if abs({4} ** 2 - 2.0) < 1e-9:\n        break\n    {4} "
    "= {4} - ({4} ** 2 - 2.0) / (2.0 * {4} + 0.1)",
    "{4} = fit({0}, (2, 2))\nfor i_ in range(2):\n    for j_ in range(2):\n        {4}[i_, j_] "
    "+= {2} * i_ - j_",
    "{4} = np.ones(5)\nfor i_ in range(1, 4):\n    {4}[i_] = {4}[i_ - 1] * {2} + {4}[i_ + 1]",
    "{4} = fit({0}, (4,))\nfor i_ in range(3):\n    {4}[1:-1] = 0.5 * ({4}[:-2] + {4}[2:])",
    "{4} = 1.0\ntry:\n    {4} = np.linalg.inv(np.zeros((2, 2)) * {2})\nexcept "
    "np.linalg.LinAlgError:\n    {4} = {0} * 2.0",
    "try:\n    {4} = {0} * 2.0\n    {4}[0] = {2}\n    raise RuntimeError\nexcept RuntimeError:\n "
    "   {4} = {4} * {0}\nfinally:\n    {0} = {0} * 0.5",
    "{4} = {{}}\nfor i_, v_ in enumerate(fit({0}, (3,))):\n    {4}[i_ % 2] = {4}.get(i_ % 2, "
    "0.0) + v_\n{4} = {4}[0] * {4}[1]",
    "with np.errstate(all='ignore'):\n    {4} = np.where({0} > 0, np.log({0}), {2})",
    "{4} = collections.deque([{2}], maxlen=2)\nfor v_ in fit({0}, (3,)):\n    {4}.append({4}[-1] "
    "* 0.5 + v_)\n{4} = {4}[0] - {4}[1]",
    "m_ = Model({0}, {2})\nm_.w = m_.w * 2.0\nm_.b += 1.0\n{4} = m_.w + m_.b\ndel m_",
    "m_ = Model(np.zeros(3), 1.0)\nm_.w[1] = {2}\nm_.w += fit({0}, (3,))\n{4} = m_.w * m_.b\ndel "
    "m_",
    "{4} = np.ones((3, 2)).T * 2.0\n{4}.reshape(-1)[0] = 7.0\n{4}.ravel('K')[1] = 5.0\n{4} = {4} "
    "* {2}",
    "{4} = np.zeros((3, 2), order='F')[[2, 0]] + 1.0\n{4}.reshape(-1)[1] = 7.0\n{4}[0] += {2}",
    "{4}, _r = np.modf({0})\n{4} += {2}",
    "_a, *_b = fit({0}, (3, 2))\n_b[0][...] = {2}\n{4} = _a + _b[0] * _b[1]",
    "{4} = np.array([1.0, 2.0])\n{4} = {4} + {2}\n{4}[0] -= {3}",
    "{4} = np.full((2, 2), {2})\n{4}[np.diag_indices(2)] = fit({0}, "
    "(2,))\n{4}[np.triu_indices(2, 1)] *= 3.0",
    "_w = np.random.default_rng(7).normal(size=3)\n{4} = np.tanh(_w * {2})\ndel _w",
    "for _k in ('a', 'b'):\n    {0} = {0} * (2.0 if _k == 'a' else 0.25)\ndel _k",
    "{4} = lambda v: v * {2}\n{4} = {4}({4}({0}))",
    "_p = functools.partial(dense, scale={2})\n{4} = _p({0}) + _p({1}, n=1)\ndel _p",
    "def _rec(v, n):\n    return v if n == 0 else _rec(np.sin(v) * {2}, n - 1)\n\n\n{4} = "
    "_rec({0}, 3)",
    "{4} = np.zeros(6).reshape(2, 3)\n{4}.T[0] = {2}\n{4}.flat[-1] = {3}\n{4}[:, ::2] *= 2.0",
    "{4} = np.zeros_like({0}, dtype=float)\nfor i_ in np.ndindex(*np.shape({4})):\n    {4}[i_] = "
    "{0}[i_] * {2}",
    "for i_, v_ in np.ndenumerate(fit({0}, (2, 2))):\n    {2}\n{4} = v_ * i_[0]",
    "{4} = 0.0\nfor a_, b_ in zip(fit({0}, (3,)), reversed(fit({1}, (3,)))):\n    {4} += a_ * b_",
    "{4} = {2}\n_x = np.resize(fit({0}, (5,)), 40)\nfor v_ in _x:\n    {4} = 0.5 * {4} + np.sin(v_ "
    "* {3})\ndel _x",
    "{4} = 0.0\n_x = np.resize(fit({0}, (5,)), 48)\nfor i_ in range(47, -1, -1):\n    {4} += "
    "np.exp(-np.abs(_x[i_])) / (1.0 + _x[i_ - 1] ** 2)\ndel _x",
    "_y = [{2}]\n_x = np.resize(fit({0}, (5,)), 40)\nfor v_, w_ in zip(_x, reversed(_x)):\n    "
    "_y.append(np.tanh(_y[-1] * 0.5 + v_ / (2.0 + w_ * w_)))\n{4} = np.array(_y[1::2])\ndel _x, _y",
    "_y = np.zeros((12, 3))\nfor i_ in reversed(range(12)):\n    _y[i_] = np.tanh(fit({0}, (3,)) + "
    "i_) * _y[(i_ + 1) % 12, ::-1] + {2}\n{4} = _y[:, [0, 2]].sum(axis=0)\ndel _y",
    "{4} = np.zeros(0)\nfor i_ in range(9):\n    {4} = np.concatenate(({4}[:2], fit({0}, (3,)) * "
    "{2}, {4}[3:3]))\n{4} = {4}[1:]",
    "_t = np.resize(np.tanh(fit({0}, (7,))), (12, 4))\n{4} = {2}\nfor i_ in range(12):\n    {4} = "
    "np.sum(np.sin({4} * _t[i_, [0, 2, 2]]))\ndel _t",
    "{4} = dict(a=0.0, b=0.0)\nfor i_, v_ in enumerate(np.resize(fit({0}, (5,)), 66)):\n    "
    "{4}['ab'[i_ % 2]] += np.sqrt(1.0 + v_ * v_) * {2}\n{4} = {4}['a'] - {4}['b']",
]  # fmt: skip
NESTED = [
    "tg.grad(tg.compile(lambda q: np.sum(np.sin(q) * {2})))(np.ravel({0}))",
    "tg.vmap(tg.compile(tg.grad(lambda r: np.sum(r ** 3) * {2})))(fit({0}, (3, 2)))",
    "tg.grad(lambda q: np.sum(tg.vmap(lambda r: np.sin(r) * q)(fit({0}, (3,)))))({2})",
    "tg.jvp(tg.grad(lambda q: np.sum(q ** 3 * {2})), (fit({0}, (2,)),), (np.ones(2),))[1]",
    "tg.hessian(lambda q: tg.scan(lambda c, e: (np.sin(c * e) + {2}, c), q[0], q)[0])(fit({0}, "
    "(2,)))",
    "tg.scan(lambda c, e: (tg.checkpoint(lambda v: np.tanh(v + e * {2}))(c), c * e), fit({0}, "
    "(2,)), fit({1}, (3, 2)))[0]",
    "tg.scan(lambda c, e: (dict(a=c['a'] * 0.5 + e, b=c['b'] + c['a']), c['a']), dict(a={2}, "
    "b={3}), fit({0}, (3,)))[0]['b']",
    "tg.scan(lambda c, e: (np.where(c > 0, c * 0.5, e), c), {2}, fit({0}, (4,)), reverse=True)[1]",
    "tg.scan(lambda c, e: (tg.grad(lambda q: np.sum(np.sin(q * e)))(c), np.sum(c)), fit({0}, "
    "(2,)), fit({1}, (3,)))[1]",
    "tg.vmap(lambda r: tg.scan(lambda c, e: (c * 0.5 + e, c), {2}, r)[0])(fit({0}, (2, 3)))",
    "tg.checkpoint(lambda d: (d['a'] * {2}, d['b']))(dict(a={0}, b={1}))[0]",
    "tg.checkpoint(tg.compile(lambda q: np.exp(-q * q) * 2.0))({0})",
    "tg.compile(tg.checkpoint(lambda q: np.exp(-q * q) * 2.0))({0})",
    "tg.jacobian(lambda q: tg.checkpoint(np.sin)(q) * {2}, mode='reverse')(fit({0}, (2,)))",
    "tg.jacobian(lambda q: tg.scan(lambda c, e: (c * e, c + e), {2}, q)[1], "
    "mode='forward')(fit({0}, (3,)))",
    "tg.vmap(tg.hessian(lambda r: np.prod(r) * {2}))(fit({0}, (2, 2)))",
    "tg.vmap(tg.vmap(lambda a, b: a * b, in_axes=(0, None)), in_axes=(None, 0))(fit({0}, (2,)), "
    "fit({1}, (3,)))",
    "tg.vmap(lambda a, b: a * b + {2}, in_axes=(1, None), out_axes=1)(fit({0}, (2, 3)), fit({1}, "
    "(2,)))",
    "tg.vmap(lambda r: np.sort(r)[0] * r[-1])(fit({0}, (3, 2)))",
    "tg.vmap(lambda d: d['a'] @ d['b'])(dict(a=fit({0}, (3, 2)), b=fit({1}, (3, 2))))",
    "tg.vmap(lambda r: np.linalg.solve(np.outer(r, r) + 3 * np.eye(2), r))(fit({0}, (3, 2)))",
    "tg.vmap(lambda r: np.where(r > 0, np.log(np.abs(r) + 1e-3), r))(fit({0}, (4,)))",
    "tg.grad(lambda d: np.sum(d['a'] * d['b'][0]) * {2})(dict(a=fit({0}, (2,)), b=[fit({1}, "
    "(2,))]))['b'][0]",
    "tg.value_and_grad(lambda q, r: (np.sum(q * r) * {2}, q), argnum=1, has_aux=True)(fit({0}, "
    "(2,)), fit({1}, (2,)))[1]",
    "tg.grad(lambda q: tg.grad(lambda r: np.sum(r * r * q))(q * 1.0) @ q)(fit({0}, (2,)))",
    "tg.hvp(lambda q: np.sum(np.sin(q) * {2}), fit({0}, (2,)), fit({1}, (2,)))",
    "tg.vjp(lambda q: (np.sin(q), q * {2}), fit({0}, (2,)))[1]((np.ones(2), np.ones(2)))[0]",
    "tg.jvp(lambda q, r: np.outer(q, r) * {2}, (fit({0}, (2,)), {3}), (np.ones(2), 1.0))[1]",
    "tg.grad(lambda q: np.sum(tg.jvp(np.sin, (q,), (q * {2},))[1]))(fit({0}, (2,)))",
    "tg.elementwise_grad(tg.elementwise_grad(lambda q: q ** 3 * {2}))({0})",
    "tg.jacobian(tg.grad(lambda q: np.sum(np.exp(q) * {2}) * q[0]))(fit({0}, (2,)))",

    "tg.grad(lambda m: np.sum(m.w * m.b))(Model(fit({0}, (2,)), {2}, 1.0)).w",
    "tg.grad(lambda p: np.sum(p.a * p.b))(Pair(fit({0}, (2,)), {2})).b",
]  # fmt: skip
