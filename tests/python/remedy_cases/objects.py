"""Operators, Python's own functions, attributes and indices of a Variable."""

from remedy_cases.case import Case

ROWS = "[[x[0], 1.0], [0.5, x[1]]]"
FIT = "from numpy.polynomial import Polynomial; Polynomial.fit(x, x * x, 1"

CASES = [
    Case(
        f"np.asarray(np.matrix({ROWS}) * np.matrix([[1.0], [2.0]]))",
        "write np.array(rows), or the array itself, and a @ b for products",
        f"np.array({ROWS}) @ np.array([[1.0], [2.0]])",
    ),
    Case("np.matrix(q) * 2", "or the array itself", "q * 2", "q * 2"),
    Case(
        f"{FIT})(0.5)",
        "give rcond=len(x) * 2e-16",
        f"{FIT}, rcond=len(x) * 2e-16)(0.5)",
    ),
    # Operators and Python's functions.
    Case("int(x)", "int(v[0])", "x * int(x[2])", "x * 2"),
    Case("int(m)", "index it", "x * int(m[0, 2])", "x * int(m[0, 2])"),
    Case("bool(x)", "use v.any() or v.all()", "x if x.any() and x.all() else -x", "x"),
    Case("[5.0, 6.0, 7.0][b] * x", "use int(v)", "[5.0, 6.0, 7.0][int(b)] * x", "6.0 * x"),
    Case(
        "[[5.0, 6.0, 7.0][i] for i in range(x)]",
        "use int(v[i]) for each",
        "np.stack([[5.0, 6.0, 7.0][int(x[i])] * x[i] for i in range(3)])",
        "np.array([5.0, 6.0, 7.0]) * x",
    ),
    Case("~x", "~(v > 0)", "np.where(~(x > 1), x, -x)", "np.where(x > 1, -x, x)"),
    Case("pow(a, 2, 3)", "use a ** b % m", "a ** 2 % 3", "a * a % 3"),
    Case("f'{x:.3f}'", "f'{v[i]:.3f}'", "f'{x[1]:.3f}'", is_plain=True),
    Case("f'{x:.3f}'", "write f'{v}'", "len(f'{x}') > 0", is_plain=True),
    Case("x.item()", "name it, as in v.item(0)", "x.item(0)", "x[0]"),
    Case("x.item(0, 1)", "give 1, or one", "x.item(1)", "x[1]"),
    Case("np.stack([np.array(e) for e in x.tolist()])", "use list(v)", "np.stack(list(x))"),
    Case("x.tolist()", "tg.value(v).tolist()", "sum(tg.value(x).tolist())", "sum(x.tolist())"),
    Case("a in a", "write x == v", "0.7 == a", is_plain=True),
    Case(
        "y = x * 1; y += np.ones((2, 3))",
        "write y = y + v instead",
        "y = x * 1; y = y + np.ones((2, 3)); y",
    ),
    Case("pickle.dumps(x)", "pickle tg.value(v)", "pickle.loads(pickle.dumps(tg.value(x)))", "x"),
    Case(
        "pickle.dumps(x)",
        "or the leaves it was computed from",
        "w = tg.Variable(X); pickle.loads(pickle.dumps(w)).value",
        "x",
    ),
    Case(
        "x = x.astype(np.float32); np.array([x[0], 1.0])",
        "write np.stack([x[0], 1.0])",
        "x = x.astype(np.float32); np.stack([x[0], 1.0]).sum().dtype.itemsize",
        "np.array([np.float32(0.7), 1.0]).sum().dtype.itemsize",
        is_plain=True,
    ),
    # Attributes.
    Case(
        "x.shape = (3, 1)",
        "write v = v.reshape(shape)",
        "v = x; v = v.reshape((3, 1)); v",
        "x.reshape(3, 1)",
    ),
    Case(
        "x.dtype = np.float32",
        "write v = v.astype(np.float32)",
        "v = x; v = v.astype(np.float32); v",
        "x",
        rtol=1e-6,
    ),
    Case("x.value = a", "use v[...] = x", "v = x * 0; v[...] = a; v", "np.broadcast_to(a, 3)"),
    Case(
        "x.value = a",
        "v.value = tg.value(x)",
        "w = tg.Variable(1.0); w.value = tg.value(a); w.value",
        "a",
    ),
    Case(
        "x.value = 2.0", "assign v[...] = x to broadcast", "v = x * 1; v[...] = 2.0; v + x", "x + 2"
    ),
    Case(
        "x.value = np.ones(7)",
        "v = tg.Variable(x)",
        "v = tg.Variable(np.ones(7)); np.sum(v) * x",
        "7 * x",
    ),
    Case("del x[0]", "np.delete(v, i)", "np.delete(x, 0)"),
    Case(
        "v = a * 1; v[0] = 2.0",
        "v.value = x",
        "v = tg.Variable(1.0); v.value = 2.0; v.value * x",
        "2 * x",
    ),
    # Indices.
    Case("x[a]", "x[int(i)] of one position", "x[int(a)]", "x[0]"),
    Case(
        "x[x]",
        "x[tg.value(i).astype(int)] of an array",
        "x[tg.value(x).astype(int)]",
        "x[[0, 1, 2]]",
    ),
    Case("A[x]", "write A[tg.value(x).astype(int)]", "A[tg.value(x).astype(int)]", "A[[0, 1, 2]]"),
    Case(
        "v = x * 1; v[0] = x",
        "use value[0]",
        "v = x * 1; v[0] = (x * x)[0]; v",
        "np.append(x[0] ** 2, x[1:])",
    ),
    Case(
        "v = x * 1; v[0] = x[:1]",
        "value.reshape(())",
        "v = x * 1; v[0] = (x * x)[:1].reshape(()); v",
        "np.append(x[0] ** 2, x[1:])",
    ),
    Case(
        "v = x * 1; v[0] = 'one'",
        "float(text)",
        "v = x * 1; v[0] = float('1'); v",
        "np.append(1.0, x[1:])",
    ),
    Case(
        "v = x * 1; v[0] = 1j",
        "z.real and z.imag",
        "v = x * 1; v[0] = (1j).real; v",
        "np.append(0.0, x[1:])",
    ),
]
