"""Functions of NumPy: options and arguments that are refused."""

from remedy_cases.case import Case

CASES = [
    Case(
        "np.sqrt(x, where=x > 1)",
        "write np.where(mask, np.sqrt(...), other)",
        "np.where(x > 1, np.sqrt(x), 0.0)",
        "np.sqrt(np.maximum(x, 1)) * (x > 1)",
    ),
    Case("np.exp(x, signature='d->d')", "leave it out", "np.exp(x)"),
    Case("np.clip(x, 1, 2, signature='ddd->d')", "leave it out", "np.clip(x, 1, 2)"),
    Case(
        "np.einsum('i,i', x, x, dtype=np.float32)",
        "write casting='same_kind'",
        "np.einsum('i,i', x, x, dtype=np.float32, casting='same_kind') * 1.0",
        "np.einsum('i,i', x, x)",
        rtol=1e-6,
    ),
    Case(
        "np.clip(x, 1, 2, where=x > 1)",
        "write np.where(mask, np.clip(...), other)",
        "np.where(x > 1, np.clip(x, 1, 2), 0.0)",
        "np.clip(x, 1, 2) * (x > 1)",
    ),
    Case("np.matmul(A, x, keepdims=True)", "use axes=", "np.matmul(A, x, axes=[(0, 1), 0, 0])"),
    Case(
        "np.divide.reduce(x, where=x > 1)",
        "one has to specify 'initial'",
        "np.divide.reduce(x, where=x > 1, initial=8.0)",
    ),
    Case("np.isnat(x)", "write np.isnan(v)", "np.isnan(x)", "np.isnan(x)", is_plain=True),
    Case(
        "np.gcd(x, 2)",
        "np.gcd(np.asarray(tg.value(v), int), np.asarray(tg.value(w), int))",
        "np.gcd(np.asarray(tg.value(x), int), np.asarray(tg.value(2), int))",
        "np.gcd(x.astype(int), 2)",
    ),
    Case(
        "np.invert(x)",
        "np.invert(np.asarray(tg.value(v), int))",
        "np.invert(np.asarray(tg.value(x), int))",
        "np.invert(x.astype(int))",
    ),
    Case(
        "np.frompyfunc(lambda e: e * e, 1, 1)(x)", "write it with NumPy functions", "x * x", "x * x"
    ),
    Case(
        "np.frompyfunc(lambda e: e * e, 1, 1)(x)",
        "call it on the plain value, tg.value(v)",
        "np.frompyfunc(lambda e: e * e, 1, 1)(tg.value(x)).astype(float)",
        "x * x",
    ),
    Case(
        "np.sort_complex(x)",
        "call it on the plain value, tg.value(v)",
        "np.sort_complex(tg.value(x))",
        "np.sort_complex(x)",
    ),
    Case(
        "np.prod(np.linalg.eigvals(q))",
        "else write it with other NumPy functions",
        "np.linalg.det(q)",
        "np.real(np.prod(np.linalg.eigvals(q)))",
    ),
    Case(
        "np.savetxt('nowhere', x)",
        "call it on the plain value",
        "import io; f = io.StringIO(); np.savetxt(f, tg.value(x)); len(f.getvalue()) > 0",
        "True",
    ),
    # Reductions.
    Case("np.max(x, where=x > 1)", "where= needs initial=", "np.max(x, where=x > 1, initial=0.0)"),
    Case("np.var(x, ddof=1, correction=1)", "pass one of them", "np.var(x, ddof=1)"),
    Case(
        "np.cumulative_sum(m)",
        "np.cumulative_sum(v.ravel())",
        "np.cumulative_sum(m.ravel())",
        needs="cumulative_sum",
    ),
    Case(
        "np.cumulative_sum(m, axis=(0, 1))",
        "np.cumulative_sum(np.cumulative_sum(v, axis=0), axis=1)",
        "np.cumulative_sum(np.cumulative_sum(m, axis=0), axis=1)",
        "np.cumsum(np.cumsum(m, 0), 1)",
        needs="cumulative_sum",
    ),
    Case(
        "np.cumsum(m, axis=(0, 1))",
        "np.cumsum(np.cumsum(v, 0), 1)",
        "np.cumsum(np.cumsum(m, 0), 1)",
    ),
    Case("np.average(m, weights=[1, 2])", "need axis=", "np.average(m, weights=[1, 2], axis=0)"),
    Case("np.max(m[:, :0])", "test x.size first", "np.max(m[:, :0]) if m[:, :0].size else x", "x"),
    Case(
        "np.max(m[:, :0], axis=1)",
        "give an axis whose length is not 0",
        "np.append(x, np.max(m[:, :0], axis=0))",
        "x",
    ),
    # Shapes.
    Case("x + np.ones(2)", "x[:, None]", "x[:, None] + np.ones(2)"),
    Case("x + np.ones(2)", "np.expand_dims", "np.expand_dims(x, 1) + np.ones(2)"),
    Case("m + np.ones((3, 2))", "transpose one operand", "m.T + np.ones((3, 2))"),
    Case("np.reshape(x, (2, -1, -1))", "give one length as -1 at most", "np.reshape(m, (3, -1))"),
    Case("np.reshape(m, -1, order='K')", "give 'A'", "np.reshape(m, -1, order='A')", "m.ravel()"),
    Case(
        "z = np.broadcast_to(x, (2, 3)); z[0] = 1.0; z",
        "write to v.copy(), or to the array that it shows",
        "z = np.broadcast_to(x, (2, 3)).copy(); z[0] = 1.0; z",
    ),
    Case(
        "y = m * 1.0; y.__setitem__(0, y[1]); y",
        "or y[i] = y[j] in Python",
        "y = m * 1.0; y[0] = y[1]; y",
    ),
    Case(
        "x.view(np.int64)",
        "v[...] for the same elements, v.astype(dtype) for another dtype",
        "x.view()[...].astype(float)",
        "x.copy()",
    ),
    Case("np.concatenate([a, b])", "use np.stack", "np.stack([a, b])"),
    Case("np.array_split(a, 1)", "write v.reshape(1)", "np.array_split(a.reshape(1), 1)[0]"),
    Case("np.split(x, 2)", "np.array_split(v, 2)", "tuple(np.array_split(x, 2))"),
    Case(
        "np.repeat(x, [1, 2])",
        "give one count, or one for each position",
        "np.repeat(x, [1, 2, 0])",
    ),
    Case("np.repeat(x, [1, 2])", "give one count, or one for each position", "np.repeat(x, 2)"),
    Case(
        "np.pad(x, 1, mode='edges')",
        "use 'constant', 'edge', 'reflect', 'symmetric' or 'wrap'",
        "tuple(np.pad(x, 1, mode=k) for k in ('constant', 'edge', 'reflect', 'symmetric', 'wrap'))",
        "(np.pad(x, 1), np.append(x[0], np.append(x, x[2])), x[[1, 0, 1, 2, 1]], x[[0, 0, 1, "
        "2, 2]], x[[2, 0, 1, 2, 0]])",
    ),
    Case("np.where(x > 1, x)", "give both x and y, or neither", "np.where(x > 1, x, 0.0)"),
    Case("np.where(x > 1, x)", "or neither", "x[np.where(x > 1)]", "x[x > 1]"),
    Case(
        "np.select([x > 1], [x, -x])",
        "give as many of one as of the other",
        "np.select([x > 1, x <= 1], [x, -x])",
    ),
    Case(
        "np.take_along_axis(m, np.array([0, 1]), axis=1)",
        "use np.expand_dims(indices, axis)",
        "np.take_along_axis(m, np.expand_dims(np.array([0, 1]), 1), axis=1)",
        "np.array([m[0, :1], m[1, 1:2]])",
    ),
    # Products and equations.
    Case("m @ m", "a @ np.swapaxes(b, -1, -2) works", "m @ np.swapaxes(m, -1, -2)"),
    Case("x @ np.ones(4)", "shapes like (n, k) @ (k, m) work", "m @ np.ones((3, 4))"),
    Case("np.dot(m, m)", "transpose an operand with .T", "np.dot(m, m.T)"),
    Case("np.dot(m, m)", "shapes like (n, k) and (k, m) work", "np.dot(m, np.ones((3, 4)))"),
    Case("np.vdot(m, x)", "for matrix products use a @ b", "m @ x"),
    Case("np.cross(a, x)", "give vectors of length 3", "np.cross(A[0], x)"),
    Case(
        "np.cross(np.ones((3, 4)), np.outer(x, np.arange(4.0)))",
        "by axisa= and axisb=",
        "np.cross(A[:, :1] * np.arange(4.0), np.outer(x, np.arange(4.0) + 1), axisa=0, axisb=0)",
    ),
    Case("np.vecdot(a, b)", "use a * b for scalars", "a * b"),
    Case("np.matvec(x, x)", "for vectors use np.vecdot(a, b)", "np.vecdot(x, x)", needs="matvec"),
    Case(
        "np.matvec(m, np.ones(2))",
        "shapes like (..., m, n) and (..., n) work",
        "np.matvec(m, np.ones(3))",
        needs="matvec",
    ),
    Case(
        "np.vecmat(np.ones(3), m)",
        "shapes like (..., n) and (..., n, m) work",
        "np.vecmat(np.ones(2), m)",
        needs="vecmat",
    ),
    Case("np.tensordot(m, m, axes=1)", "axes=([1], [0])", "np.tensordot(m, m.T, axes=([1], [0]))"),
    Case(
        "np.einsum('ij,jk>ik', m, A)",
        "write the output as in 'ij,jk->ik'",
        "np.einsum('ij,jk->ik', m, A)",
    ),
    Case("np.einsum('i,i', m, m)", "add letters", "np.einsum('ij,ij', m, m)"),
    Case(
        "np.einsum('i,i', m, m)",
        "or '...' for the axes that broadcast",
        "np.einsum('...i,...i', m, m)",
    ),
    Case("np.einsum('...i,...i->', m, m)", "add '...' to it", "np.einsum('...i,...i->...', m, m)"),
    Case(
        "np.linalg.solve(q, m)",
        "use b[..., None]",
        "np.linalg.solve(np.stack([q, q]), m[..., None])[..., 0]",
    ),
    Case(
        "np.linalg.solve(q, np.ones(2))",
        "shapes like (n, n) and (n,) or (n, k) work",
        "np.linalg.solve(q, x)",
    ),
    Case(
        "np.linalg.inv(a * np.zeros((3, 3)))",
        "a + 1e-10 * np.eye(n)",
        "np.linalg.inv(np.outer(x, x) + 1e-2 * np.eye(3))",
        rtol=1e-6,
    ),
    Case(
        "np.linalg.inv(a * np.zeros((2, 2)))",
        "check np.linalg.cond(a)",
        "np.linalg.cond(tg.value(a * np.zeros((2, 2)))) > 1e16",
        "True",
    ),
    Case("np.linalg.inv(m)", "a.T @ a is square", "np.linalg.inv(m.T @ m + np.eye(3))"),
    Case(
        "np.linalg.cholesky(-q)", "add to the diagonal", "np.linalg.cholesky(-q + 1e2 * np.eye(3))"
    ),
    Case(
        "np.linalg.cholesky(-q)",
        "check np.linalg.eigvalsh(a)",
        "np.min(np.linalg.eigvalsh(tg.value(-q))) < 0",
        "True",
    ),
    Case(
        "w = tg.Variable(np.zeros((2, 2))); tg.grad(np.linalg.slogdet(w)[1], w)",
        "use np.linalg.det(a), whose derivative exists",
        "np.linalg.det(np.outer(x, x)) + a",
        "a",
        rtol=1e-6,
    ),
    Case(
        "w = tg.Variable(np.zeros((2, 2))); tg.grad(np.linalg.slogdet(w)[1], w)",
        "regularise, as in a + 1e-10 * np.eye(n)",
        "np.linalg.slogdet(np.outer(x, x) + 1e-2 * np.eye(3))[1]",
        rtol=1e-6,
    ),
    Case(
        "np.linalg.norm(m, 3)",
        "ord=None, 'fro', 'nuc', 2, -2, 1, -1, np.inf and -np.inf work",
        "tuple(np.linalg.norm(m, k) for k in (None, 'fro', 'nuc', 2, -2, 1, -1, np.inf, -np.inf))",
        "(s := np.linalg.svd(m)[1]) is None or (np.sqrt(np.sum(m * m)),) * 2 + (np.sum(s), s[0], "
        "s[-1], np.max(np.sum(m, 0)), np.min(np.sum(m, 0)), np.max(np.sum(m, 1)), "
        "np.min(np.sum(m, 1)))",
    ),
    Case(
        "np.linalg.svd(m)[1]",
        "write full_matrices=False",
        "np.linalg.svd(m, full_matrices=False)[1]",
        "np.linalg.svd(m)[1]",
    ),
    Case(
        "np.linalg.qr(q[:, :2], 'complete')",
        "write mode='reduced'",
        "np.linalg.qr(q[:, :2], mode='reduced')[1]",
        "np.linalg.qr(q[:, :2], 'r')",
    ),
    Case(
        "np.linalg.pinv(np.stack([m, m]), [1e-9, 1e-9, 1e-9])",
        "write one number, or one for each matrix",
        "np.linalg.pinv(np.stack([m, m]), [1e-9, 1e-9])",
        "np.linalg.pinv(np.stack([m, m]), 1e-9)",
    ),
    Case(
        "np.linalg.lstsq(q, x, [1e-9])",
        "write one number",
        "np.linalg.lstsq(q, x, 1e-9)[0]",
        "np.linalg.lstsq(q, x, 1e-9)[0]",
    ),
    Case(
        "np.linalg.lstsq(np.stack([q, q]), x)",
        "for stacks write np.linalg.pinv(a) @ b",
        "np.linalg.pinv(np.stack([q, q])) @ x",
    ),
    Case(
        "w = tg.Variable(np.zeros((3, 2))); tg.grad(np.sum(np.linalg.qr(w)[0]), w)",
        "leave out columns",
        "np.linalg.qr(np.outer(x, x)[:, :1])[1]",
    ),
    Case(
        "w = tg.Variable(np.zeros((3, 2))); tg.grad(np.sum(np.linalg.qr(w)[0]), w)",
        "or use np.linalg.svd(a, full_matrices=False)",
        "np.linalg.svd(m, full_matrices=False)[1]",
    ),
    Case(
        "np.linalg.svdvals(q * np.nan)",
        "check that np.all(np.isfinite(a))",
        "np.all(np.isfinite(tg.value(q)))",
        "True",
    ),
    Case(
        "np.linalg.norm(m, 3)",
        "and axis= selects vectors",
        "np.linalg.norm(m, 3, axis=1)",
        "np.sum(m ** 3, axis=1) ** (1 / 3)",
    ),
    Case(
        "np.linalg.norm(np.stack([m, m]), axis=(0, 1, 2))",
        "give one integer for vectors or two for matrices",
        "np.linalg.norm(np.stack([m, m]), axis=(1, 2))",
    ),
    Case(
        "np.linalg.norm(np.stack([m, m]), axis=(0, 1, 2))",
        "give one integer for vectors",
        "np.linalg.norm(np.stack([m, m]), axis=1)",
    ),
    Case("np.linalg.matrix_power(m, 2)", "for powers of elements write a ** n", "m ** 2"),
]
