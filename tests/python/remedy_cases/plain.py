"""A Variable among plain numbers and plain arrays: conversions, writes, dtypes."""

from remedy_cases.case import Case

CASES = [
    # Plain arrays and numbers.
    Case(
        "w = np.ones((2000, 3)); w.dot(x)",
        "recorded products or more; write w @ x",
        "w = np.ones((2000, 3)); w @ x",
    ),
    Case(
        "np.nanvar(x, ddof=a - 0.7)",
        "give a plain number, tg.value(v) of the Variable v",
        "np.nanvar(x, ddof=float(tg.value(a - 0.7)))",
        "np.nanvar(x, ddof=0.0)",
    ),
    Case("np.asarray(x)", "write x itself", "np.exp(x)", "np.exp(np.asarray(x))"),
    Case("np.array(x)", "x.copy() for a copy", "x.copy()"),
    Case("np.array(x, dtype=np.float64)", "x.astype(dtype)", "x.astype(np.float64)"),
    Case("np.array([x, x * x])", "write np.stack([x, x * x])", "np.stack([x, x * x])"),
    Case(
        "np.array([x, m[0]])",
        "or np.concatenate",
        "np.concatenate([x, m[0]])",
        "np.append(x, m[0])",
    ),
    Case(
        "np.add.reduce([x, 2 * x])",
        "write np.add.reduce(np.stack([x, 2 * x]))",
        "np.add.reduce(np.stack([x, 2 * x]))",
    ),
    Case("list(map(np.double, [x]))", "use np.stack or np.concatenate", "np.stack([x])"),
    Case("np.float32(x)", "write x.astype(np.float32)", "x.astype(np.float32)", "x", rtol=1e-6),
    Case("np.float64(a)", "write a.astype(np.float64)", "a.astype(np.float64)"),
    Case("np.longdouble(a)", "write a itself", "a * 2", "float(np.longdouble(a)) * 2"),
    Case(
        "np.lib.stride_tricks.as_strided(x, (2, 2), (8, 8))",
        "write it with functions that take Variables",
        "np.lib.stride_tricks.sliding_window_view(x, 2)",
    ),
    Case(
        "np.emath.sqrt(x - 1.0)",
        "write np.where(v > 0, np.sqrt(np.where(v > 0, v, 1.0)), 0.0) for the real part",
        "np.where(x > 1, np.sqrt(np.where(x > 1, x - 1.0, 1.0)), 0.0)",
        "np.emath.sqrt(x - 1.0).real",
    ),
    Case(
        "A[0].searchsorted(x)",
        "write np.searchsorted(A[0], x)",
        "np.searchsorted(A[0], x)",
        is_plain=True,
    ),
    Case(
        "A.repeat(x, axis=0)",
        "write np.repeat(a, tg.value(n).astype(int))",
        "np.repeat(np.outer(x, x), tg.value(x).astype(int), axis=0)",
        "np.repeat(np.outer(x, x), [0, 1, 2], axis=0)",
    ),
    Case(
        "np.take(A[0], x)",
        "write np.take(a, tg.value(i).astype(int))",
        "np.take(m[0], tg.value(x).astype(int))",
        "np.take(m[0], [0, 1, 2])",
    ),
    Case(
        "A.compress(x, axis=0)",
        "write np.compress(tg.value(v) != 0, a)",
        "np.compress(tg.value(x - a) != 0, np.outer(x, x), axis=0)",
        "np.outer(x, x)[1:]",
    ),
    Case(
        "z = np.zeros(3); z.put(1, a); z",
        "write a = tg.Variable(a) before it, and a.reshape(-1)[i] = v",
        "z = np.zeros(3); z = tg.Variable(z); z.reshape(-1)[1] = a; z",
    ),
    Case(
        "A[0].searchsorted(v=x)",
        ", the function, which takes Variables",
        "np.searchsorted(A[0], v=x)",
        is_plain=True,
    ),
    Case("float(a) * 2", "write a itself", "a * 2"),
    Case("complex(a).real", "write a itself", "a"),
    Case("[*map(float, x)][0]", "keep the Variable", "x[0]"),
    Case("math.exp(a)", "write np.exp(a)", "np.exp(a)"),
    Case("math.atan2(a, b)", "write np.arctan2(a, b)", "np.arctan2(a, b)"),
    Case("math.pow(a, 3)", "write np.power(a, 3)", "np.power(a, 3)"),
    Case("math.fsum([a, b])", "write np.sum([a, b])", "np.sum([a, b])"),
    Case("cmath.sqrt(a).real", "write np.sqrt(a)", "np.sqrt(a)"),
    Case("array.array('d', x)[1]", "keep the Variable", "x[1]"),
    Case(
        "fractions.Fraction(a)",
        "write float(tg.value(v)).as_integer_ratio()",
        "float(tg.value(a)).as_integer_ratio()",
        "a.as_integer_ratio()",
    ),
    Case("np.arange(a, a + 3)", "write start + step * np.arange(n)", "a + 1.0 * np.arange(3)"),
    Case(
        "np.fromiter((e * e for e in x), float)",
        "write np.stack(list(items))",
        "np.stack(list(e * e for e in x))",
    ),
    Case(
        "np.broadcast(x, m).shape",
        "write np.broadcast_shapes(v.shape, w.shape)",
        "np.broadcast_shapes(x.shape, m.shape)",
        is_plain=True,
    ),
    Case(
        "[*np.broadcast(x, m)]",
        "or np.broadcast_arrays(v, w)",
        "np.broadcast_arrays(x, m)[0]",
        "np.broadcast_arrays(x, m)[0]",
    ),
    Case(
        "np.random.default_rng(5).normal(x, 2.0)",
        "write loc + scale * np.random.default_rng(5).standard_normal(size)",
        "x + 2.0 * np.random.default_rng(5).standard_normal(3)",
    ),
    Case(
        "np.random.default_rng(5).uniform(x, 4.0)",
        "write low + (high - low) * np.random.default_rng(5).random(size)",
        "x + (4.0 - x) * np.random.default_rng(5).random(3)",
    ),
    Case(
        "np.random.default_rng(5).permutation(x)",
        "write v[np.random.default_rng(5).permutation(len(v))]",
        "x[np.random.default_rng(5).permutation(len(x))]",
    ),
    Case(
        "np.random.default_rng(5).exponential(x)",
        "write scale * np.random.default_rng(5).standard_exponential(size)",
        "x * np.random.default_rng(5).standard_exponential(3)",
    ),
    Case(
        "np.random.default_rng(5).lognormal(x, 0.5)",
        "write np.exp(mean + sigma * np.random.default_rng(5).standard_normal(size))",
        "np.exp(x + 0.5 * np.random.default_rng(5).standard_normal(3))",
    ),
    Case(
        "np.random.default_rng(5).poisson(a)",
        "call tg.value(v)",
        "np.random.default_rng(5).poisson(tg.value(a))",
        "np.random.default_rng(5).poisson(a)",
    ),
    # Functions of NumPy whose own code makes plain arrays.
    Case(
        "np.piecewise(np.ones(3), [[True, False, True]], [lambda y: y * a, 0.0])",
        "write x = tg.Variable(x) before it",
        "np.piecewise(tg.Variable(np.ones(3)), [[True, False, True]], [lambda y: y * a, 0.0])",
    ),
    Case(
        "np.apply_along_axis(lambda row: row * a, 0, A)",
        "write a = tg.Variable(a) before it",
        "np.apply_along_axis(lambda row: row * a, 0, tg.Variable(A))",
    ),
    Case(
        "np.bmat([[x, x * x]])",
        "write np.block([[v, w]])",
        "np.block([[x, x * x]])",
        "np.block([[x, x * x]])",
    ),
    Case(
        "np.r_['r', x, x * x]",
        "write numbers, as in np.r_['0,2', v, w]",
        "np.r_['0,2', x, x * x].reshape(1, -1)",
        "np.asarray(np.r_['r', x, x * x])",
    ),
    Case(
        "np.testing.assert_allclose(x, X)",
        "np.testing.assert_allclose(tg.value(v), ...)",
        "np.testing.assert_allclose(tg.value(x), X); 1",
        "1",
    ),
    Case("np.require(x)", "write v itself", "x"),
    Case("np.asarray_chkfinite(x)", "np.all(np.isfinite(v))", "assert np.all(np.isfinite(x)); x"),
    Case(
        "np.ma.masked_array(X, [0, 1, 0]) * x",
        "write np.where(mask, 0.0, a.data)",
        "np.where([0, 1, 0], 0.0, X) * x",
        "np.array([1, 0, 1]) * X * x",
    ),
    Case(
        "np.ma.masked_array(X, [0, 1, 0]) * x",
        "a.filled(x)",
        "np.ma.masked_array(X, [0, 1, 0]).filled(5.0) * x",
        "np.where([0, 1, 0], 5.0, X) * x",
    ),
    Case(
        "x * np.ma.masked_array(X, [0, 1, 0])",
        "use np.where(mask, 0, x.data)",
        "x * np.where([0, 1, 0], 0, X)",
        "np.array([1, 0, 1]) * X * x",
    ),
    Case(
        "np.asmatrix(A) * x", "write np.asarray(m) @ v", "np.asarray(np.asmatrix(A)) @ x", "A @ x"
    ),
    Case(
        "x @ np.asmatrix(A)", "use np.asarray(x), and @", "x @ np.asarray(np.asmatrix(A))", "x @ A"
    ),
    Case(
        "np.full(3, x)",
        "write np.broadcast_to(v, shape).copy()",
        "np.broadcast_to(x, (3,)).copy()",
    ),
    Case(
        "z = A.copy(); z.fill(a); z",
        "write z = np.broadcast_to(a, z.shape).copy()",
        "z = A.copy(); z = np.broadcast_to(a, z.shape).copy(); z",
    ),
    Case(
        "z = np.ones(3); other = z; z += x; z",
        ", which leaves other names as they are",
        "z = np.ones(3); other = z; z = z + x; z",
    ),
    Case(
        "z = np.ones(3); other = z; z += x; z",
        "make it a Variable where it is made, tg.Variable(np.zeros((3,)))",
        "z = tg.Variable(np.ones(3)); other = z; z += x; other",
    ),
    Case(
        "z = np.ones(3, int); z += x; z",
        "make it one of floats where it is made, as np.zeros((3,))",
        "z = np.ones((3,)); z += x; z",
        "x + 1",
    ),
    Case(
        "np.add.at(np.ones(2), [0, 1, 0], x)",
        "make it one before, y = tg.Variable(y)",
        "y = np.ones(2); y = tg.Variable(y); np.add.at(y, [0, 1, 0], x); y",
        "y = np.ones(2); np.add.at(y, [0, 1, 0], x); y",
    ),
    Case(
        "y = tg.Variable(np.ones(4)); np.add.at(y, x, 1.0)",
        "tg.value(i).astype(int)",
        "y = tg.Variable(np.ones(4)); np.add.at(y, tg.value(x).astype(int), x); y",
        "y = np.ones(4); np.add.at(y, [0, 1, 2], x); y",
    ),
    Case(
        "y = np.ones(3); np.copyto(y, x); y",
        "dst = tg.Variable(dst)",
        "y = tg.Variable(np.ones(3)); np.copyto(y, x); y",
    ),
    Case(
        "y = np.ones((3, 3)); np.fill_diagonal(y, x); y",
        "a = tg.Variable(a)",
        "y = tg.Variable(np.ones((3, 3))); np.fill_diagonal(y, x); y",
    ),
    Case(
        "y = tg.Variable(np.ones((2, 3, 2))); np.fill_diagonal(y, a)",
        "write a[i, j, k] = x of index arrays",
        "y = tg.Variable(np.ones((2, 3, 2))); y[[0, 1], [0, 1], [0, 1]] = a; y",
        "y = np.ones((2, 3, 2)); y[[0, 1], [0, 1], [0, 1]] = a; y",
    ),
    Case(
        "y = x * 1.0; np.put(y, x - a, 5.0)",
        "; pass tg.value(i).astype(int)",
        "y = x * 1.0; np.put(y, tg.value(x - a).astype(int), 5.0); y",
        "y = x * 1.0; np.put(y, (x - a).astype(int), 5.0); y",
    ),
    Case(
        "y = x * 1.0; np.put_along_axis(y, np.array([0, 2]), a, None)",
        "; write np.put(arr, indices, values)",
        "y = x * 1.0; np.put(y, np.array([0, 2]), a); y",
        "y = x * 1.0; np.put(y, np.array([0, 2]), a); y",
    ),
    Case(
        "np.lib.stride_tricks.sliding_window_view(x, 2, writeable=True)",
        "leave it out, and write to the array itself",
        "np.lib.stride_tricks.sliding_window_view(x, 2)",
    ),
    Case(
        "np.polymul(x, np.poly1d([2.0, 1.0]))",
        "; pass its array, p.coeffs",
        "np.polymul(x, np.poly1d([2.0, 1.0]).coeffs)",
        "np.polymul(x, [2.0, 1.0])",
    ),
    Case(
        "np.add(x, 1, out=np.zeros(3))",
        "take the result instead, y = np.add(...)",
        "y = np.add(x, 1); y",
    ),
    Case(
        "np.sum(m, axis=0, out=tg.Variable(np.zeros((1, 3))))",
        "pass an array of that shape, made in the differentiated function",
        "with tg.patch_numpy(): y = np.empty(m.shape[1:])\nnp.sum(m, axis=0, out=y); y",
        "np.sum(m, axis=0)",
    ),
    Case(
        "np.add(x, 1, out=np.zeros(3))",
        "pass a Variable as out=",
        "y = tg.Variable(np.zeros(3)); np.add(x, 1, out=y); y",
    ),
    # Dtypes and objects that hold no real numbers.
    Case("tg.Variable(x)", "use v itself", "x", "x"),
    Case("tg.Variable(x)", "tg.Variable(tg.value(v))", "tg.value(tg.Variable(tg.value(x)))", "x"),
    Case("tg.Variable([a, b])", "np.stack(the list)", "np.stack([a, b])", "x[:2]"),
    Case(
        "tg.Variable([1, 2])",
        "np.asarray(x, dtype=float)",
        "tg.Variable(np.asarray([1, 2], float)).value",
        "np.ones(2) * [1, 2]",
    ),
    Case("x - b'2'", "float(text)", "x - float(b'2')", "x - 2"),
    Case("x * '2'", "float(text)", "x * float('2')", "x * 2"),
    Case(
        "x + np.array(['1', '2', '3'])",
        "np.asarray(x).astype(float)",
        "x + np.asarray(np.array(['1', '2', '3'])).astype(float)",
        "x + [1, 2, 3]",
    ),
    Case(
        "x + np.array([1, 2, 3], 'm8[D]')",
        "np.asarray(x).astype(float)",
        "x + np.asarray(np.array([1, 2, 3], 'm8[D]')).astype(float)",
        "x + [1, 2, 3]",
    ),
    Case(
        "tg.Variable(np.float128(2) if hasattr(np, 'float128') else np.array(['2']))",
        "np.asarray(x).astype(float)",
        "x * np.asarray(np.longdouble(2)).astype(float)",
        "x * 2",
    ),
    Case(
        "tg.Variable({'p': 1.0, 'q': 2.0})",
        "np.array(list(x.values()))",
        "tg.Variable(np.array(list({'p': 1.0, 'q': 2.0}.values()))).value",
        "np.array([1.0, 2.0])",
    ),
    Case(
        "tg.Variable({1.0, 1.0})", "np.stack(list(x))", "np.stack(list({1.0, 1.0}))", is_plain=True
    ),
    Case(
        "np.add(x, x, dtype=int)",
        "tg.value(v).astype('int64')",
        "tg.value(x).astype('int64')",
        "x.astype(int)",
    ),
    Case(
        "tg.grad(lambda y: sum(np.nditer(y, flags=['c_index'])))(tg.value(x))",
        "write for i in np.ndindex(v.shape), with v[i]",
        "np.stack([x[i] for i in np.ndindex(x.shape)])",
        "x",
    ),
    Case("a.astype('f2')", "use float64 or float32", "a.astype('f4')", "a", rtol=1e-6),
    Case(
        "tg.Variable(1.0, dtype='f2')", "use float64, or float32", "x.astype('f4')", "x", rtol=1e-6
    ),
]
