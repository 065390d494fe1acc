"""JAX's names."""

from remedy_cases.case import Case

J = "from tapegrad.compat import jax; import tapegrad.compat.jax.numpy as jnp; lax = jax.lax; "
P = "import dataclasses; P = dataclasses.make_dataclass('P', ['w', 's']); "


def of(refused, told, remedy, plain="2 * x"):
    """A case whose remedy gives something with a derivative."""
    return Case(f"{J}\n{refused}", told, f"{J}\n{remedy}", plain)


def plain_of(refused, told, remedy, plain):
    """A case of what has no derivative, or is one already."""
    return Case(f"{J}\n{refused}", told, f"{J}\n{remedy}", plain, is_plain=True)


CASES = [
    # Arrays.
    of("x = jnp.zeros(3); x[1] = 2.0", "never written to; write x = x.at[1].set(v)",
       "x = x.at[1].set(2.0); x", "np.array([x[0], 2.0, x[2]])"),
    of("v = jnp.zeros(3); v.fill(2.0)", "x.at[index].set(values) makes a changed one",
       "x.at[:].multiply(2.0)"),
    of("jnp.array([1, 2, 3]).at[0].set(x[0])", "make x of floats: x.astype(float)",
       "jnp.array([1, 2, 3]).astype(float).at[0].set(x[0])", "np.array([x[0], 2.0, 3.0])"),
    of("jnp.ones(3).at[7].get(mode='clip')", "write jnp.clip(i, 0, len(x) - 1)",
       "i = jnp.array([1, 7]); x.at[jnp.clip(i, 0, len(x) - 1)].get()", "x[[1, 2]]"),
    of("jnp.ones(3).at[7].get(mode='fill', fill_value=5.0)",
       "or jnp.where(i < len(x), ..., fill)",
       "i = jnp.array([1, 7]); jnp.where(i < len(x), x[jnp.clip(i, 0, len(x) - 1)], 5.0)",
       "np.array([x[1], 5.0])"),
    # Transforms.
    of("jax.grad(lambda t: t * t)(x)", "return jnp.sum(...) of it",
       "jax.grad(lambda t: jnp.sum(t * t))(x)"),
    of("jax.grad(lambda t: t * t)(x)", "or call jax.jacrev or jax.jacfwd",
       "jax.jacrev(lambda t: t * t)(x) + jax.jacfwd(lambda t: t * t)(x)", "np.diag(4 * x)"),
    of("jax.grad(lambda t: t * 1j)(a)", "return a real number of it",
       "jax.grad(lambda t: (t * t * 1j).imag)(a)", "2 * a"),
    of("jax.grad(lambda t: t * t)(a * 1j)", "or give holomorphic=True if the function is",
       "jax.grad(lambda t: t * t, holomorphic=True)(a * 1j).imag", "2 * a"),
    of("jax.grad(lambda t: 3)(a)", "integers have no derivative; return a float",
       "jax.grad(lambda t: 3.0 * t)(a) + 0 * a", "np.array(3.0)"),
    of("jax.grad(lambda t: t * t)(3)", "pass floats (2.0, x.astype(float))",
       "jax.grad(lambda t: t * t * a)(3.0)", "6 * a"),
    of("jax.grad(lambda n, t: n * t * t)(3, a)", "choose other arguments by argnums=",
       "jax.grad(lambda n, t: n * t * t, argnums=1)(3, a)", "6 * a"),
    of("jax.grad(lambda p: p[0] * p[1] ** 2)((3, a))", "call jax.grad(..., allow_int=True)",
       "jax.grad(lambda p: p[0] * p[1] ** 2, allow_int=True)((3, a))[1]", "6 * a"),
    of("jax.grad(lambda t: t * t, holomorphic=True)(a)", "pass it as complex (x + 0j)",
       "jax.grad(lambda t: t * t, holomorphic=True)(a + 0j).real", "2 * a"),
    of("jax.grad(lambda t: t * t, holomorphic=True)(a)", "or leave it out",
       "jax.grad(lambda t: t * t)(a)", "2 * a"),
    of("jax.grad(lambda t: abs(t) ** 2, holomorphic=True)(a * 1j)", "leave it out",
       "-jax.grad(lambda t: abs(t) ** 2)(a * 1j).imag", "2 * a"),
    of("jax.jvp(jnp.sin, x, x)", "give a tuple, jax.jvp(f, (x,), (t,))",
       "jax.jvp(lambda t: t * t, (x,), (jnp.ones(3),))[1]"),
    of("jax.vmap(lambda t: t * 2, in_axes=None)(x)", "name an axis in in_axes",
       "jax.vmap(lambda t: t * 2, in_axes=0)(x)"),
    of("jax.vmap(lambda t: t * 2, in_axes=None)(a)", "or give axis_size=",
       "jax.vmap(lambda t: t * 2, in_axes=None, axis_size=2)(a)", "np.array([2 * a, 2 * a])"),
    of("jax.vmap(lambda t, u: t * u)(x, jnp.array([2.0]))", "give the same number to all",
       "jax.vmap(lambda t, u: t * u)(x, jnp.array([2.0] * 3))"),
    of("jax.vmap(lambda t, u: t * u[0])(x, jnp.array([2.0]))",
       "or None in in_axes for what is the same for every lane",
       "jax.vmap(lambda t, u: t * u[0], in_axes=(0, None))(x, jnp.array([2.0]))"),
    of("jax.jit(3.0)", "call jax.jit(f)(x)", "jax.jit(lambda t: t * 2)(x)"),
    of("jax.jit(lambda n, t: n[0] * t, static_argnums=0)([2], x)",
       "give a number, a string or a tuple of them",
       "jax.jit(lambda n, t: n[0] * t, static_argnums=0)((2,), x)"),
    of("jax.jit(lambda n, t: n[0] * t, static_argnums=0)([2], x)",
       "or leave it out of the static ones", "jax.jit(lambda n, t: n[0] * t)([2], x)"),
    of("jax.custom_jvp(3.0)", "write @jax.custom_jvp above one",
       "@jax.custom_jvp\ndef f(t): return t * 2\n"
       "f.defjvp(lambda p, t: (f(*p), 2 * t[0]))\nf(x)"),
    of("jax.custom_vjp(lambda t: t * 2)(x)", "has no rule yet; call <lambda>.defvjp(fwd, bwd)",
       "f = jax.custom_vjp(lambda t: t * 2)\n"
       "f.defvjp(lambda t: (t * 2, None), lambda kept, g: (2 * g,))\nf(x)"),
    # lax, numpy, nn, ops, trees.
    of("lax.switch(0, [], x)", "give a list of functions",
       "lax.switch(0, [lambda t: t * 2, lambda t: t], x)"),
    of("lax.associative_scan(lambda p, q: (p[0] + q[0], p[1] + q[1]), (x, x[:2]))",
       "give arrays of one length",
       "lax.associative_scan(lambda p, q: (p[0] + q[0], p[1] + q[1]), (x, x))[1]",
       "np.cumsum(x)"),
    of("lax.cond(True, 1.0, 2.0)", "call lax.cond(pred, true_fun, false_fun, *operands)",
       "lax.cond(True, lambda t: t * 2, lambda t: t, x)"),
    of("lax.dynamic_slice(x, (0, 0), (2,))", "give one of each for every axis",
       "lax.dynamic_slice(x, (0,), (2,))", "x[:2]"),
    of("jax.nn.softmax(x, where=x > 1)", "jnp.where(mask, x, -jnp.inf)",
       "mask = x > 1; jax.nn.softmax(jnp.where(mask, x, -jnp.inf))",
       "(x > 1) * np.exp(x) / np.sum((x > 1) * np.exp(x))"),
    of("jax.nn.logsumexp(x, where=x > 1)", "jnp.where(mask, a, -jnp.inf)",
       "mask = x > 1; jax.nn.logsumexp(jnp.where(mask, x, -jnp.inf))",
       "np.log(np.sum((x > 1) * np.exp(x)))"),
    of("jax.nn.standardize(x, where=x > 1)", "give mean and variance",
       "v = x[1:]; jax.nn.standardize(x, mean=v.mean(), variance=v.var(), epsilon=0.0)",
       "(x - np.mean(x[1:])) / np.std(x[1:])"),
    of("jnp.sin(x, out=np.zeros(3))", "take the result, y = jnp.sin(...)",
       "y = jnp.sin(x); y", "np.sin(x)"),
    of("jnp.where(x > 1, x)", "give both x and y", "jnp.where(x > 1, x, 2 * x)",
       "np.where(x > 1, x, 2 * x)"),
    of("jnp.where(x > 1, x)", "or neither of them", "x[jnp.where(x > 1)]", "x[1:]"),
    of("jnp.fill_diagonal(jnp.zeros((3, 3)), x)", "call it with inplace=False and take the result",
       "jnp.fill_diagonal(jnp.zeros((3, 3)), x, inplace=False)", "np.diag(x)"),
    of("jnp.put_along_axis(jnp.zeros(3), jnp.array([1]), x[:1], 0)",
       "put_along_axis: arrays are never written to; call it with inplace=False and take",
       "jnp.put_along_axis(jnp.zeros(3), jnp.array([1]), x[:1], 0, inplace=False)",
       "np.array([0.0, x[0], 0.0])"),
    of("jax.ops.segment_sum(x, jnp.array([0, 1]))", "give one for each row",
       "jax.ops.segment_sum(x, jnp.array([0, 1, 1]))", "np.array([x[0], x[1] + x[2]])"),
    of(P + "jax.tree_util.register_dataclass(P, data_fields=['w'])",
       "give both data_fields and meta_fields",
       P + "jax.tree_util.register_dataclass(P, data_fields=['w'], meta_fields=['s'])\n"
       "jax.grad(lambda p: jnp.sum(p.w ** p.s))(P(x, 2)).w"),
    of(P + "jax.tree_util.register_dataclass(P, data_fields=['w'])", "or neither",
       P + "jax.tree_util.register_dataclass(P)\n"
       "jax.grad(lambda p: jnp.sum(p.w * p.s))(P(x, 2 * x)).w"),
    of("class P:\n    def __init__(self, w, s): self.w, self.s = w, s\n"
       "jax.tree_util.register_pytree_node(\n"
       "    P, lambda p: ((p.w,), p.s), lambda s, w: P(w[0], s))\n"
       "tg.compile(lambda p: p.w * p.s[0])(P(X, [2.0]))",
       "has no hash, by which programs are told apart; make it of numbers, strings and tuples",
       "class P:\n    def __init__(self, w, s): self.w, self.s = w, s\n"
       "jax.tree_util.register_pytree_node(\n"
       "    P, lambda p: ((p.w,), p.s), lambda s, w: P(w[0], s))\n"
       "f = tg.compile(lambda p: p.w * p.s[0]); [f(P(x, (2.0,))) for _ in 'ab'][1]"),
    # Random numbers.
    plain_of("jax.random.choice(jax.random.PRNGKey(0), 3, (5,), replace=False)", "draw fewer",
             "jnp.sort(jax.random.choice(jax.random.PRNGKey(0), 3, (3,), replace=False))",
             "np.arange(3)"),
    plain_of("jax.random.choice(jax.random.PRNGKey(0), 3, (5,), replace=False)",
             "or give replace=True",
             "len(jax.random.choice(jax.random.PRNGKey(0), 3, (5,), replace=True))", "5"),
    plain_of("jax.random.normal(3)", "make keys with jax.random.PRNGKey(seed) and",
             "jax.random.normal(jax.random.split(jax.random.PRNGKey(3))[0]).shape == ()", "True"),
    # What is not there.
    plain_of("jax.make_jaxpr", "jax.jit(f).inspect() shows the programs of tg.compile",
             "f = jax.jit(lambda t: t * 2); f(X); '1 recording' in str(f.inspect()[0])", "True"),
    of("jax.export", "call jax.jit(f) in each", "jax.jit(lambda t: t * 2)(x)"),
    of("lax.axis_index", "pass jnp.arange(n) as one more argument of the mapped function",
       "jax.vmap(lambda t, i: t * i)(x, jnp.arange(3))", "x * np.arange(3)"),
    of("lax.all_gather", "return the value: jax.vmap stacks those of all lanes",
       "jax.vmap(lambda t: t * 2)(x)"),
    plain_of("jax.debug.callback", "call the function itself: it runs when a program is recorded",
             "kept = []; f = jax.jit(lambda t: kept.append(t.shape) or t * 2); f(X); kept[0]",
             "X.shape"),
]  # fmt: skip
