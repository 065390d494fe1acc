"""Programs that put functions of functions, loops and writes of JAX to work."""

from functools import partial

from compat.jax.programs.registry import program


@program
def gradients_of_trees(jax):
    jnp = jax.numpy

    def f(p, x, scale):
        return scale * jnp.sum(p["a"][0] * x**2) + p["b"] * p["a"][1], {"seen": x, "n": 2}

    p = {"b": 2.0, "a": (jnp.array([1.0, 2.0]), 3.0)}
    x = jnp.array([0.5, -1.0])
    return (
        jax.grad(f, has_aux=True)(p, x, 2.0),
        jax.value_and_grad(f, argnums=(1, 0), has_aux=True)(p, x, scale=2.0),
        jax.grad(f, argnums=-1, has_aux=True)(p, x, 2.0)[0],
        jax.jacrev(lambda p, x: {"y": p["a"][0] * x}, argnums=(0, 1))(p, x),
        jax.jacfwd(lambda p, x: [p["a"][0] * x, p["b"]], argnums=1)(p, x),
        jax.jacfwd(f, has_aux=True)(p, x, 2.0),
        jax.hessian(lambda p: jnp.sum(p["a"] ** 3) * p["b"])({"a": x, "b": 2.0}),
        jax.hessian(lambda x, y: jnp.sum(x**2) * y, argnums=(0, 1))(x, 3.0),
    )


@program
def forward_and_reverse(jax):
    jnp = jax.numpy

    def f(x, y):
        return (jnp.sin(x) * y, {"s": jnp.sum(x)})

    x, y = jnp.array([0.5, 1.0]), 2.0
    value, pullback = jax.vjp(f, x, y)
    out, tangent = jax.jvp(f, (x, y), (jnp.ones(2), 0.5))
    value2, linear = jax.linearize(f, x, y)
    transposed = jax.linear_transpose(lambda x: jnp.array([[1.0, 2.0], [3.0, 4.0]]) @ x, x)
    value3, pullback3, aux = jax.vjp(lambda x: (x**2, x + 1), x, has_aux=True)
    return (
        value, pullback((jnp.ones(2), {"s": 1.0})), out, tangent, value2,
        linear(jnp.ones(2), 0.5), transposed(jnp.array([1.0, -1.0])),
        value3, pullback3(jnp.ones(2)), aux,
        jax.jvp(lambda x: (x**2, 3.0), (2.0,), (1.0,), has_aux=True),
    )  # fmt: skip


@program
def per_example_gradients(jax):
    jnp = jax.numpy
    w = jnp.array([0.5, -1.0, 2.0])
    X = jax.random.normal(jax.random.PRNGKey(5), (4, 3))

    def loss(w, x):
        return jnp.tanh(w @ x) ** 2

    per = jax.vmap(jax.grad(loss), in_axes=(None, 0))(w, X)
    columns = jax.vmap(lambda a, b: a @ b, in_axes=(1, 1), out_axes=0)(X, X)
    trees = jax.vmap(
        lambda p, x: {"y": p["w"] @ x + p["b"]},
        in_axes=({"b": None, "w": 0}, None),
        out_axes={"y": 1},
    )({"w": jnp.ones((4, 2, 3)), "b": jnp.array([1.0, 2.0])}, w)
    jacobians = jax.vmap(jax.jacfwd(lambda x: jnp.array([x[0] * x[1], jnp.sin(x[2])])))(X)
    nested = jax.vmap(jax.vmap(lambda a, b: a * b, (0, None)), (None, 0))(X[0], X[1])
    sized = jax.vmap(lambda x: x**2, in_axes=None, axis_size=3)(2.0)
    return per, columns, trees, jacobians, nested, sized


@program
def hessian_vector_products(jax):
    jnp = jax.numpy

    def f(x):
        return jnp.sum(jnp.tanh(x) ** 2) + jnp.prod(x)

    x, v = jnp.array([0.3, -0.5, 1.2]), jnp.array([1.0, 0.5, -1.0])
    forward_over_reverse = jax.jvp(jax.grad(f), (x,), (v,))[1]
    reverse_over_reverse = jax.grad(lambda x: jnp.vdot(jax.grad(f)(x), v))(x)
    reverse_over_forward = jax.grad(lambda x: jax.jvp(f, (x,), (v,))[1])(x)
    gauss_newton = jax.vjp(jnp.tanh, x)[1](jax.jvp(jnp.tanh, (x,), (v,))[1])
    third = jax.grad(lambda t: jax.grad(lambda s: jax.grad(lambda r: jnp.sin(r))(s))(t))(0.4)
    return forward_over_reverse, reverse_over_reverse, reverse_over_forward, gauss_newton, third


@program
def choices(jax):
    jnp, lax = jax.numpy, jax.lax

    def f(x):
        y = lax.cond(x > 1.0, lambda v: v**2, lambda v: 3.0 * v, x)
        return lax.switch(1, [jnp.sin, jnp.cos, jnp.tan], y) + lax.select(x > 0, x, -x)

    def collatz(n):
        return lax.while_loop(
            lambda c: c[0] != 1,
            lambda c: (
                lax.cond(c[0] % 2 == 0, lambda v: v // 2, lambda v: 3 * v + 1, c[0]),
                c[1] + 1,
            ),
            (n, 0),
        )

    def power(x, n):
        return lax.while_loop(lambda c: c[1] < n, lambda c: (c[0] * x, c[1] + 1), (1.0, 0))[0]

    xs = jnp.array([0.5, 2.0, 1.0])
    return (
        [jax.grad(f)(x) for x in (0.5, 2.0)],
        jax.vmap(f)(xs),
        jax.vmap(jax.grad(f))(xs),
        jax.jit(f)(2.0),
        collatz(7)[1],
        jax.vmap(power, in_axes=(0, 0))(xs, jnp.array([1, 2, 3])),
        jax.vmap(lambda i: lax.switch(i, [jnp.sin, jnp.cos], 0.5))(jnp.array([0, 1, 7])),
        jax.jvp(lambda x: power(x, 3), (2.0,), (1.0,)),
    )


@program
def loops(jax):
    jnp, lax = jax.numpy, jax.lax

    def cumulative(xs):
        return lax.scan(lambda c, x: (c + x["a"], {"sum": c, "prod": c * x["b"]}), 0.0, xs)

    xs = {"a": jnp.arange(4.0), "b": jnp.ones(4) * 2}
    backwards = lax.scan(lambda c, x: (0.5 * c + x, c), 1.0, jnp.arange(3.0), reverse=True)
    counted = lax.scan(lambda c, _: (c * 2, c), 1.0, None, length=4)

    def branching(c0):
        return lax.scan(
            lambda c, x: (lax.cond(c > 1.0, lambda c: 0.5 * c, lambda c: 1.2 * c, c) + x, c),
            c0, jnp.ones(5) * 0.1)[0]  # fmt: skip

    mapped = lax.map(lambda x: jnp.sum(x) ** 2, jnp.arange(6.0).reshape(3, 2))
    scanned = lax.associative_scan(jnp.matmul, jnp.stack([jnp.eye(2) * k for k in (1.0, 2, 3)]))

    def summed(x):
        return jnp.sum(lax.associative_scan(jnp.multiply, x) ** 2)

    def total(x):
        return lax.fori_loop(0, 5, lambda i, s: s + x**i, 0.0)

    return (
        cumulative(xs), backwards, counted, branching(0.9), jax.grad(branching)(0.9), mapped,
        scanned, jax.grad(summed)(jnp.array([1.0, 2.0, 0.5, 3.0])), total(2.0),
        jax.jvp(total, (2.0,), (1.0,)),
        lax.associative_scan(jnp.add, jnp.arange(5.0), reverse=True),
    )  # fmt: skip


@program
def at_updates(jax):
    jnp = jax.numpy
    x = jnp.arange(6.0).reshape(2, 3)
    i = jnp.array([0, 0, 2])

    def f(v):
        y = jnp.zeros(4).at[i].add(v)
        y = y.at[1].set(v[0] * v[1])
        y = y.at[2:].multiply(v[2])
        y = y.at[0].divide(2.0).at[3].power(2.0).at[0].min(5.0).at[1].max(-10.0)
        return jnp.sum(y**2)

    v = jnp.array([1.0, 2.0, 3.0])
    return (
        x.at[0].set(9.0), x.at[:, 1].add(1.0), x.at[1, 2].multiply(3.0), x.at[x > 2].set(0.0),
        x.at[0, i].add(1.0), x.at[i[:2], i[1:]].get(), x.at[0].apply(jnp.sin),
        x.at[1].subtract(v), f(v), jax.grad(f)(v), jax.jit(f)(v), jax.hessian(f)(v),
        jax.vmap(lambda k, r: r.at[k].set(7.0))(jnp.array([0, 2]), x),
    )  # fmt: skip


@program
def names_that_share_an_array(jax):
    jnp = jax.numpy

    def f(x):
        y = x
        y += 1.0
        z = y
        z *= x
        return jnp.sum(x * y + z)

    x = jnp.array([1.0, 2.0])
    kept = x
    x -= 5.0
    return jax.grad(f)(kept), jax.jit(f)(kept), kept, x


@program
def static_arguments(jax):
    jnp = jax.numpy

    @partial(jax.jit, static_argnames=("n", "activation"))
    def net(x, n=2, activation="tanh"):
        for _ in range(n):
            x = getattr(jnp, activation)(x)
        return x

    power = jax.jit(lambda x, n: x**n, static_argnums=1)
    x = jnp.array([0.5, 1.5])
    return net(x), net(x, n=3), net(x, 1, activation="sin"), power(x, 3), jax.grad(power)(2.0, 2)


@program
def steps_that_count(jax):
    jnp = jax.numpy

    @jax.jit
    def adam_step(i, w, m, v, g):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        mhat, vhat = m / (1 - 0.9 ** (i + 1)), v / (1 - 0.999 ** (i + 1))
        return w - 0.1 * mhat / (jnp.sqrt(vhat) + 1e-8), m, v

    w = jnp.array([1.0, -2.0])
    m, v = jnp.zeros(2), jnp.zeros(2)
    for i in range(20):
        w, m, v = adam_step(i, w, m, v, 2 * w)
    return w, m, v


@program
def complex_numbers(jax):
    jnp = jax.numpy
    z = jnp.array([1.0 + 2.0j, 0.5 - 1.0j])

    def f(z):
        return jnp.sum(jnp.abs(z) ** 2 * jnp.real(z))

    def g(z):
        return jnp.sin(z) * z**2

    value, pullback = jax.vjp(g, z[0])
    return (
        jax.grad(f)(z), jax.grad(g, holomorphic=True)(z[0]), jax.jacfwd(g, holomorphic=True)(z),
        jax.jacrev(g, holomorphic=True)(z), value, pullback(jnp.array(1.0 + 1.0j)),
        jax.jvp(g, (z[0],), (1.0j + 0.0,)),
        jax.vjp(lambda z: jnp.conj(z) * 2.0, z[0])[1](jnp.array(0.5 - 1.0j)),
        jax.grad(lambda t: jnp.real(jnp.exp(1j * t) * t))(0.7),
    )  # fmt: skip


@program
def constants_and_flags(jax):
    jnp = jax.numpy

    def f(x):
        return jnp.sum(x * jax.lax.stop_gradient(x) ** 2)

    return (
        jax.grad(f)(jnp.arange(3.0)),
        jax.grad(lambda x: jnp.sum(jnp.where(x > 1, x, jax.lax.stop_gradient(x) * 2)))(
            jnp.arange(3.0)
        ),
        jax.grad(lambda p: p["w"] * 2.0, allow_int=True)({"w": 2.0})["w"],
        jax.grad(jax.checkpoint(lambda x: jnp.sum(jnp.sin(x) ** 2)))(jnp.arange(3.0)),
        jax.grad(lambda x: jnp.sum(jax.remat(jnp.tanh)(x)))(jnp.arange(3.0)),
    )
