"""tg.grad and its kin, tg.vmap, tg.scan, tg.checkpoint."""

from remedy_cases.case import Case

SQUARES = "lambda y: np.sum(y * y)"
LANES = "np.arange(3)"

CASES = [
    Case(
        "tg.grad(lambda y: y * y)(X)", "return np.sum(...) of it", f"tg.grad({SQUARES})(X)", "2 * x"
    ),
    Case(
        "tg.grad(lambda y: y * y)(X)",
        "or call tg.jacobian(<lambda>)",
        "tg.jacobian(lambda y: y * y)(X)",
        "np.diag(2 * x)",
    ),
    Case(
        "tg.grad(lambda y: y * y)(X)",
        "tg.elementwise_grad(<lambda>) for the derivative of its sum",
        "tg.elementwise_grad(lambda y: y * y)(X)",
        "2 * x",
    ),
    Case(
        "tg.grad(lambda y: {'out': np.sum(y)})(X)",
        "return one number",
        f"tg.grad({SQUARES})(X)",
        "2 * x",
    ),
    Case(
        "tg.grad(lambda y: True)(X)", "a flag has no derivative", f"tg.grad({SQUARES})(X)", "2 * x"
    ),
    Case("tg.grad(lambda y: None)(X)", "is the return missing?", f"tg.grad({SQUARES})(X)", "2 * x"),
    Case(
        "tg.jacobian(lambda y: 'text')(X)",
        "return numbers and arrays",
        "tg.jacobian(lambda y: {'s': np.sum(y * y)})(X)['s']",
        "2 * x",
    ),
    Case(
        "tg.grad(np.sum(x), 1)", "for a function, tg.grad(f)(x)", f"tg.grad({SQUARES})(X)", "2 * x"
    ),
    Case(
        "tg.hessian(5.0)",
        "is not a function; call tg.hessian(f)(x)",
        f"tg.hessian({SQUARES})(X)",
        "2 * np.eye(3)",
    ),
    Case(
        "tg.grad(np.sum)(np.array([1, 2]))",
        "pass it as floats (x.astype(float))",
        "tg.grad(np.sum)(np.array([1, 2]).astype(float))",
        "np.ones(2)",
    ),
    Case(
        "tg.grad(lambda n, y: np.sum(n * y))(np.array([1, 2, 3]), X)",
        "leave it out of argnum",
        "tg.grad(lambda n, y: np.sum(n * y), argnum=1)(np.array([1, 2, 3]), X)",
        "np.array([1.0, 2.0, 3.0])",
    ),
    Case(
        "tg.grad(lambda y: y * y)(np.float16(2))",
        "pass float(x)",
        "tg.grad(lambda y: y * y)(float(np.float16(2)))",
        "4.0",
    ),
    Case(
        "tg.grad(np.sum)(np.array(['a']))",
        "pass an array of floats",
        "tg.grad(np.sum)(np.array(['1']).astype(float))",
        "np.ones(1)",
    ),
    Case(
        "tg.grad(lambda y, way: np.sum(y), argnum=1)(X, np.array(['a']))",
        "or leave it out of argnum",
        "tg.grad(lambda y, way: np.sum(y * y))(X, np.array(['a']))",
        "2 * x",
    ),
    Case(
        "tg.grad(lambda way, y: np.sum(y))('up', X)",
        "other things by argnum=",
        "tg.grad(lambda way, y: np.sum(y * y), argnum=1)('up', X)",
        "2 * x",
    ),
    Case(
        "tg.grad(lambda way, y: np.sum(y))('up', X)",
        "a closure or a keyword",
        "tg.grad(lambda y, way: np.sum(y * y))(X, way='up')",
        "2 * x",
    ),
    Case(
        "tg.grad(lambda way, y: np.sum(y))('up', X)",
        "in dicts, lists, tuples or dataclasses",
        "tg.grad(lambda p: np.sum(p['y'] * p['y']))({'y': X})['y']",
        "2 * x",
    ),
    Case(
        "tg.grad(lambda on, y: np.sum(y))(True, X)",
        "leave it out of the differentiated arguments (argnum=",
        "tg.grad(lambda on, y: np.sum(y * y), argnum=1)(True, X)",
        "2 * x",
    ),
    Case(
        "tg.grad(lambda y: np.sum(y))(None)",
        "pass a number, an array or a nesting",
        f"tg.grad({SQUARES})(X)",
        "2 * x",
    ),
    Case(
        "tg.grad(lambda y, z: np.sum(y * z), argnum=1)(X, z=X)",
        "pass it by position",
        "tg.grad(lambda y, z: np.sum(y * z), argnum=1)(X, X)",
        "x",
    ),
    Case(
        "tg.grad(lambda y, z: np.sum(y * z), argnum=2)(X, X)",
        "or choose another with argnum=",
        "tg.grad(lambda y, z: np.sum(y * z), argnum=1)(X, X)",
        "x",
    ),
    Case(
        "tg.grad(lambda y, z: np.sum(y * z), 'z')(X, X)",
        "give the position of an argument, as in argnum=0",
        "tg.grad(lambda y, z: np.sum(y * y * z), argnum=0)(X, X)",
        "2 * x * x",
    ),
    Case(
        "tg.grad(lambda y, z: np.sum(y * z), 'z')(X, X)",
        "or several, argnum=(0, 1)",
        "tg.grad(lambda y, z: np.sum(y * y * z), argnum=(0, 1))(X, X)",
        "(2 * x * x, x * x)",
    ),
    Case(
        "tg.grad(np.sum, argnum=0, argnums=0)(X)",
        "give one of them",
        "tg.grad(lambda y: np.sum(y * y), argnum=0)(X)",
        "2 * x",
    ),
    Case(
        "tg.grad(np.sum)(np.ma.masked_array(X))",
        "pass np.asarray of it",
        f"tg.grad({SQUARES})(np.asarray(np.ma.masked_array(X)))",
        "2 * x",
    ),
    Case(
        "tg.grad(lambda y: y * 1.0 if type(y) is float else 0.0 * y)(2.0)",
        "write isinstance(x, float)",
        "tg.grad(lambda y: y * y if isinstance(y, float) else 0.0 * y)(2.0)",
        "4.0",
    ),
    Case(
        "tg.grad(lambda y: np.sum(y) if type(y) is np.ndarray else 0.0)(X)",
        "or isinstance(x, np.ndarray)",
        "tg.grad(lambda y: np.sum(y * y) if isinstance(y, np.ndarray) else 0.0)(X)",
        "2 * x",
    ),
    Case(
        "tg.jvp(np.sum, X, X)",
        "call tg.jvp(f, (x,), (t,))",
        f"tg.jvp({SQUARES}, (X,), (np.ones(3),))[1]",
        "2 * np.sum(x)",
    ),
    Case(
        "tg.jvp(np.sum, (X,), (1.0,))",
        "np.broadcast_to makes it so",
        f"tg.jvp({SQUARES}, (X,), (np.broadcast_to(1.0, 3),))[1]",
        "2 * np.sum(x)",
    ),
    Case(
        "tg.vjp(lambda y: y * y, X)[1]('one')",
        "pass a float or an array of floats",
        "tg.vjp(lambda y: y * y, X)[1](np.ones(3))[0]",
        "2 * x",
    ),
    Case(
        "tg.checkpoint(3.0)",
        "call tg.checkpoint(f)(x)",
        f"tg.grad(tg.checkpoint({SQUARES}))(X)",
        "2 * x",
    ),
    Case(
        "def f(y): y[0] = 0.0; return np.sum(y * y)\ntg.grad(tg.checkpoint(f))(X)",
        "call the function as it is",
        "def f(y): y[0] = 0.0; return np.sum(y * y)\ntg.grad(f)(X.copy())",
        "np.append(0.0, 2 * x[1:])",
    ),
    Case(
        "def f(y): y[0] = 0.0; return np.sum(y * y)\ntg.grad(tg.checkpoint(f))(X)",
        "or return the new value instead",
        "def f(y): y = y.copy(); y[0] = 0.0; return np.sum(y * y)\ntg.grad(tg.checkpoint(f))(X)",
        "np.append(0.0, 2 * x[1:])",
    ),
    # tg.vmap.
    Case(
        f"tg.vmap(lambda i, y: X[i] * y)({LANES}, X)",
        "a plain t[i] as tg.Variable(t)[i]",
        f"tg.vmap(lambda i, y: tg.Variable(X)[i] * y)({LANES}, x)",
        "np.array([0.7, 1.9, 2.6]) * x",
    ),
    Case(
        "tg.vmap(lambda y: y * y if y > 1 else y)(X)",
        "write the branch with np.where(condition, a, b)",
        "tg.vmap(lambda y: np.where(y > 1, y * y, y))(x)",
        "np.where(x > 1, x * x, x)",
    ),
    Case(
        "tg.vmap(lambda y: 'text')(X)",
        "return numbers and arrays",
        "tg.vmap(lambda y: {'s': y * y})(x)['s']",
        "x * x",
    ),
    Case(
        "tg.vmap(lambda y, z: y * z, in_axes=('rows', 0))(X, X)",
        "give an integer, None, or a nesting",
        "tg.vmap(lambda y, z: y * z, in_axes=(None, 0))(x, X)",
        "np.outer([0.7, 1.9, 2.6], x)",
    ),
    Case(
        "tg.vmap(lambda y, z: y * z, in_axes=(0, 0))(X)",
        "give one for each",
        "tg.vmap(lambda y, z: y * z, in_axes=(0, 0))(x, X)",
        "x * [0.7, 1.9, 2.6]",
    ),
    Case(
        "tg.vmap(lambda y, z: y * z)(X, 2.0)",
        "give None in in_axes",
        "tg.vmap(lambda y, z: y * z, in_axes=(0, None))(x, 2.0)",
        "2 * x",
    ),
    Case(
        "tg.vmap(lambda y: y * y, out_axes=None)(X)",
        "give the axis that shall count them",
        "tg.vmap(lambda y: y * y, out_axes=0)(x)",
        "x * x",
    ),
    # tg.scan.
    Case(
        "tg.scan(lambda c, e: (c * e, c), 1.0, X, checkpoints=0)",
        "give an integer from 1 on",
        "tg.scan(lambda c, e: (c * e, c), 1.0, x, checkpoints=1)[0]",
        "np.prod(x)",
    ),
    Case(
        "tg.scan(lambda c, e: (c * 2, c), 1.0)",
        "say how many steps: length=n",
        "tg.scan(lambda c, e: (c * 2, c), a, length=3)[0]",
        "8 * a",
    ),
    Case(
        "tg.scan(lambda c, e: c * e, 1.0, X)",
        "return a pair (carry, y), y=None",
        "tg.scan(lambda c, e: (c * e, None), 1.0, x)[0]",
        "np.prod(x)",
    ),
    Case(
        "tg.scan(lambda c, e: (c, c), 'text', X)",
        "pass numbers and arrays",
        "tg.scan(lambda c, e: ({'p': c['p'] * e}, None), {'p': 1.0}, x)[0]['p']",
        "np.prod(x)",
    ),
    Case(
        "tg.scan(lambda c, e: (c * e if e > 1 else c, None), 1.0, x)",
        "write the choice with np.where",
        "tg.scan(lambda c, e: (np.where(e > 1, c * e, c), None), 1.0, x)[0]",
        "x[1] * x[2]",
    ),
    Case(
        "tg.scan(lambda c, e: (c + e * np.random.default_rng().random(), None), 0.0, x)",
        "pass what changes from step to step in xs",
        "tg.scan(lambda c, e: (c + e[0] * e[1], None), 0.0, (x, "
        "np.random.default_rng(5).random(3)))[0]",
        "x @ np.random.default_rng(5).random(3)",
    ),
    Case(
        "tg.scan(lambda c, e: (c * 3, None), 1, X[[0] * 50])",
        "compute with floats",
        "tg.scan(lambda c, e: (c * 3, None), a, X[[0] * 50])[0]",
        "3.0 ** 50 * a",
    ),
    Case(
        "tg.scan(lambda c, e: (c * 3, None), 1, X[[0] * 50])",
        "or with arrays of integers, which wrap around",
        "tg.scan(lambda c, e: (c * 3, None), np.ones(1, int), X[[0] * 50])[0]",
        "np.ones(1, int) * np.array(3) ** 50",
    ),
    Case(
        f"tg.grad({SQUARES}, ())(X)",
        " names no argument; give a position, argnum=0",
        f"tg.grad({SQUARES}, argnum=0)(X)",
        "2 * X",
    ),
    Case(
        "tg.vmap(lambda y: y * y, out_axes=1)(X)",
        " axes with its lanes; give one from ",
        "tg.vmap(lambda y: y * y, out_axes=0)(X)",
        "x * x",
    ),
    Case(
        f"tg.vmap(lambda k, y: y.__setitem__(k, 1.0) or y * 2.0, in_axes=(0, None))({LANES}, X)",
        "writes to an argument that is the same for every lane; write to a copy",
        f"tg.vmap(lambda k, y: np.where({LANES} == k, 1.0, y) * x, in_axes=(0, None))({LANES}, x)",
        f"np.stack([np.where({LANES} == k, 1.0, x) * x for k in range(3)])",
    ),
    Case(
        "tg.grad(lambda x: (lambda y: np.sum("
        "tg.vmap(lambda v: y.__setitem__(0, v) or np.sum(y))(x)))(2.0 * x))(X)",
        ", which can't be done for every lane; write to a copy, v.copy(), or return the new value",
        "tg.grad(lambda x: (lambda y: np.sum(tg.vmap("
        "lambda v: (lambda z: z.__setitem__(0, v) or np.sum(z))(y.copy()))(x)))(2.0 * x))(X)",
        "np.array([1.0, *[1.0 + 2.0 * len(X)] * (len(X) - 1)])",
    ),
]
