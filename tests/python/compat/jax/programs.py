"""Programs in JAX's way, each a function of the module `jax`: of JAX's, or of the one here.

They return nestings of arrays. `python programs.py` with JAX installed writes what JAX gives into
`expected.json`, with which the tests compare.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

EXPECTED = Path(__file__).with_name("expected.json")
PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[f.__name__] = f
    return f


def flat(jax: Any, tree: Any) -> list[Any]:
    return [np.asarray(x) for x in jax.tree_util.tree_leaves(tree)]


# Tutorials.


@program
def quickstart(jax):
    jnp = jax.numpy

    def selu(x, alpha=1.67, lmbda=1.05):
        return lmbda * jnp.where(x > 0, x, alpha * jnp.exp(x) - alpha)

    x = jnp.arange(5.0)
    fast = jax.jit(selu)
    total = lambda x: jnp.sum(1.0 / (1.0 + jnp.exp(-x)))
    return (
        [fast(x - k) for k in range(4)],
        jax.grad(total)(jnp.arange(3.0)),
        jax.grad(jax.jit(jax.grad(jax.jit(jax.grad(total)))))
        if False
        else jax.grad(lambda y: jnp.sum(jax.grad(total)(y)))(jnp.arange(3.0)),
        jax.jacfwd(jax.jacrev(total))(jnp.arange(3.0)),
    )


@program
def logistic_regression(jax):
    jnp = jax.numpy
    inputs = jnp.array([[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30],
                        [0.74, -2.49, 1.39]])  # fmt: skip
    targets = jnp.array([True, True, False, True])

    def predict(W, b, inputs):
        return 0.5 * (jnp.tanh((jnp.dot(inputs, W) + b) / 2) + 1)

    def loss(W, b):
        preds = predict(W, b, inputs)
        label_probs = preds * targets + (1 - preds) * (1 - targets)
        return -jnp.sum(jnp.log(label_probs))

    key, W_key, b_key = jax.random.split(jax.random.PRNGKey(0), 3)
    W, b = jax.random.normal(W_key, (3,)), jax.random.normal(b_key, ())
    value, (Wg, bg) = jax.value_and_grad(loss, (0, 1))(W, b)
    by_dict = jax.grad(lambda p: loss(p["W"], p["b"]))({"W": W, "b": b})
    hvp = lambda f, x, v: jax.grad(lambda x: jnp.vdot(jax.grad(f)(x), v))(x)
    return value, Wg, bg, by_dict, hvp(lambda W: loss(W, b), W, jnp.ones(3))


@program
def multilayer_perceptron(jax):
    jnp = jax.numpy

    def init(sizes, key):
        keys = jax.random.split(key, len(sizes))
        return [
            {"w": jax.random.normal(k, (n, m)) * jnp.sqrt(1.0 / m), "b": jnp.zeros((n,))}
            for m, n, k in zip(sizes[:-1], sizes[1:], keys)
        ]

    def predict(params, x):
        for layer in params[:-1]:
            x = jax.nn.relu(layer["w"] @ x + layer["b"])
        last = params[-1]
        return last["w"] @ x + last["b"]

    batched = jax.vmap(predict, in_axes=(None, 0))

    def loss(params, x, y):
        logits = batched(params, x)
        return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(logits), axis=-1))

    @jax.jit
    def update(params, x, y):
        value, grads = jax.value_and_grad(loss)(params, x, y)
        return value, jax.tree_util.tree_map(lambda p, g: p - 0.1 * g, params, grads)

    params = init([4, 5, 3], jax.random.PRNGKey(1))
    x = jax.random.normal(jax.random.PRNGKey(2), (8, 4))
    y = jax.nn.one_hot(jnp.arange(8) % 3, 3)
    values = []
    for _ in range(6):
        value, params = update(params, x, y)
        values.append(value)
    return values, params


@program
def ode_by_scan(jax):
    jnp = jax.numpy

    def field(y, t, p):
        return jnp.array([p[0] * y[0] - p[1] * y[0] * y[1], p[2] * y[0] * y[1] - p[3] * y[1]])

    def rk4(p, y0, ts):
        def step(y, t):
            h = ts[1] - ts[0]
            k1 = field(y, t, p)
            k2 = field(y + h / 2 * k1, t + h / 2, p)
            k3 = field(y + h / 2 * k2, t + h / 2, p)
            k4 = field(y + h * k3, t + h, p)
            y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            return y, y

        return jax.lax.scan(step, y0, ts)

    ts = jnp.linspace(0.0, 2.0, 21)
    p, y0 = jnp.array([1.0, 0.5, 0.3, 0.8]), jnp.array([2.0, 1.0])
    last, ys = rk4(p, y0, ts)
    loss = lambda p, y0: jnp.sum(rk4(p, y0, ts)[1][:, 0] ** 2)
    return last, ys, jax.grad(loss, argnums=(0, 1))(p, y0), jax.jit(jax.grad(loss))(p, y0)


@program
def fori_loop_with_at(jax):
    jnp = jax.numpy

    def fibonacci(x):
        buffer = jnp.zeros(10).at[0].set(x[0]).at[1].set(x[1])
        body = lambda i, b: b.at[i].set(b[i - 1] + 0.5 * b[i - 2])
        return jax.lax.fori_loop(2, 10, body, buffer)

    x = jnp.array([1.0, 2.0])
    return fibonacci(x), jax.jacrev(fibonacci)(x), jax.jit(fibonacci)(x)


@program
def custom_vjp_clip(jax):
    jnp = jax.numpy

    @jax.custom_vjp
    def clip_gradient(lo, hi, x):
        return x

    clip_gradient.defvjp(
        lambda lo, hi, x: (x, (lo, hi)),
        lambda res, g: (None, None, jnp.clip(g, res[0], res[1])),
    )
    f = lambda x: jnp.sum(jnp.sin(clip_gradient(-0.75, 0.75, x)))
    t = jnp.linspace(0, 10, 11)
    return jax.grad(f)(t), jax.vmap(jax.grad(lambda x: f(x)))(t), f(t)


@program
def custom_jvp_of_log1pexp(jax):
    jnp = jax.numpy

    @jax.custom_jvp
    def log1pexp(x):
        return jnp.log(1.0 + jnp.exp(x))

    @log1pexp.defjvp
    def rule(primals, tangents):
        (x,), (t,) = primals, tangents
        return log1pexp(x), (1 - 1 / (1 + jnp.exp(x))) * t

    @jax.custom_jvp
    def product(x, y):
        return jnp.sin(x) * y

    product.defjvps(lambda t, ans, x, y: jnp.cos(x) * t * y, lambda t, ans, x, y: jnp.sin(x) * t)
    return (
        jax.grad(log1pexp)(3.0),
        jax.vmap(jax.jit(jax.grad(log1pexp)))(jnp.arange(3.0)),
        jax.grad(log1pexp)(100.0),
        jax.grad(product, (0, 1))(2.0, 3.0),
        jax.jvp(product, (2.0, 3.0), (1.0, -1.0)),
    )


@program
def implicit_layer(jax):
    jnp = jax.numpy

    @partial(jax.custom_vjp, nondiff_argnums=(0,))
    def fixed_point(f, a, x_guess):
        def cond_fun(carry):
            x_prev, x = carry
            return jnp.abs(x_prev - x) > 1e-13

        def body_fun(carry):
            _, x = carry
            return x, f(a, x)

        _, x_star = jax.lax.while_loop(cond_fun, body_fun, (x_guess, f(a, x_guess)))
        return x_star

    def fwd(f, a, x_init):
        x_star = fixed_point(f, a, x_init)
        return x_star, (a, x_star)

    def rev(f, res, x_star_bar):
        a, x_star = res
        _, vjp_a = jax.vjp(lambda a: f(a, x_star), a)
        (a_bar,) = vjp_a(fixed_point(partial(rev_iter, f), (a, x_star, x_star_bar), x_star_bar))
        return a_bar, jnp.zeros_like(x_star)

    def rev_iter(f, packed, u):
        a, x_star, x_star_bar = packed
        _, vjp_x = jax.vjp(lambda x: f(a, x), x_star)
        return x_star_bar + vjp_x(u)[0]

    fixed_point.defvjp(fwd, rev)
    sqrt = lambda a: fixed_point(lambda a, x: 0.5 * (x + a / x), a, a)
    return sqrt(2.0), jax.grad(sqrt)(2.0), jax.grad(jax.grad(sqrt))(2.0)


@program
def recurrent_network(jax):
    jnp = jax.numpy
    k1, k2, k3, k4 = jax.random.split(jax.random.PRNGKey(3), 4)
    params = {
        "wx": jax.random.normal(k1, (6, 3)) * 0.4,
        "wh": jax.random.normal(k2, (6, 6)) * 0.4,
        "b": jnp.zeros(6),
        "out": jax.random.normal(k3, (2, 6)),
    }

    def run(params, xs):
        def cell(h, x):
            h = jnp.tanh(params["wx"] @ x + params["wh"] @ h + params["b"])
            return h, params["out"] @ h

        return jax.lax.scan(cell, jnp.zeros(6), xs)[1]

    xs = jax.random.normal(k4, (5, 7, 3))
    loss = lambda p: jnp.mean(jax.vmap(run, in_axes=(None, 0))(p, xs) ** 2)
    return loss(params), jax.grad(loss)(params), jax.jit(jax.grad(loss))(params)


@program
def pytree_classes(jax):
    jnp = jax.numpy

    @jax.tree_util.register_pytree_node_class
    class Spring:
        def __init__(self, stiffness, rest, name):
            self.stiffness, self.rest, self.name = stiffness, rest, name

        def tree_flatten(self):
            return (self.stiffness, self.rest), self.name

        @classmethod
        def tree_unflatten(cls, name, children):
            return cls(*children, name)

    @partial(jax.tree_util.register_dataclass, data_fields=["mass"], meta_fields=["power"])
    @dataclass
    class Body:
        mass: Any
        power: int

    class Special:
        def __init__(self, x, y):
            self.x, self.y = x, y

    jax.tree_util.register_pytree_node(
        Special, lambda s: ((s.x, s.y), None), lambda _, xs: Special(*xs)
    )

    def energy(spring, body, special):
        s = 0.5 * spring.stiffness * (body.mass**body.power - spring.rest) ** 2
        return jnp.sum(s) + special.x * special.y

    args = (
        Spring(2.0, jnp.array([0.5, 1.5]), "a"),
        Body(jnp.array([1.0, 2.0]), 2),
        Special(3.0, 4.0),
    )
    found = jax.grad(energy, argnums=(0, 1, 2))(*args)
    fast = jax.jit(jax.value_and_grad(energy))
    runs = [fast(*args) for _ in range(4)]
    other = jax.jit(energy)(args[0], Body(jnp.array([1.0, 2.0]), 3), args[2])
    doubled = jax.tree_util.tree_map(lambda x: 2 * x, args)
    mapped = jax.vmap(lambda b: b.mass * b.power)(args[1])
    return found, runs, other, doubled, mapped


# Transforms.


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
    f = lambda x, y: (jnp.sin(x) * y, {"s": jnp.sum(x)})
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
    loss = lambda w, x: jnp.tanh(w @ x) ** 2
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
    f = lambda x: jnp.sum(jnp.tanh(x) ** 2) + jnp.prod(x)
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
    branching = lambda c0: lax.scan(
        lambda c, x: (lax.cond(c > 1.0, lambda c: 0.5 * c, lambda c: 1.2 * c, c) + x, c),
        c0, jnp.ones(5) * 0.1)[0]  # fmt: skip
    mapped = lax.map(lambda x: jnp.sum(x) ** 2, jnp.arange(6.0).reshape(3, 2))
    scanned = lax.associative_scan(jnp.matmul, jnp.stack([jnp.eye(2) * k for k in (1.0, 2, 3)]))
    summed = lambda x: jnp.sum(lax.associative_scan(jnp.multiply, x) ** 2)
    total = lambda x: lax.fori_loop(0, 5, lambda i, s: s + x**i, 0.0)
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
    f = lambda z: jnp.sum(jnp.abs(z) ** 2 * jnp.real(z))
    g = lambda z: jnp.sin(z) * z**2
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
    f = lambda x: jnp.sum(x * jax.lax.stop_gradient(x) ** 2)
    return (
        jax.grad(f)(jnp.arange(3.0)),
        jax.grad(lambda x: jnp.sum(jnp.where(x > 1, x, jax.lax.stop_gradient(x) * 2)))(
            jnp.arange(3.0)
        ),
        jax.grad(lambda p: p["w"] * 2.0, allow_int=True)({"w": 2.0})["w"],
        jax.grad(jax.checkpoint(lambda x: jnp.sum(jnp.sin(x) ** 2)))(jnp.arange(3.0)),
        jax.grad(lambda x: jnp.sum(jax.remat(jnp.tanh)(x)))(jnp.arange(3.0)),
    )


# Modules.


@program
def activations(jax):
    jnp, nn = jax.numpy, jax.nn
    x = jnp.array([-4.0, -1.5, -0.3, 0.2, 0.7, 1.9, 7.0])
    names = ["relu", "relu6", "softplus", "sigmoid", "silu", "swish", "log_sigmoid", "elu", "celu",
             "selu", "gelu", "leaky_relu", "hard_tanh", "hard_sigmoid", "hard_silu", "soft_sign",
             "squareplus", "mish", "softmax", "log_softmax", "logsumexp", "standardize",
             "sparse_plus", "logmeanexp"]  # fmt: skip
    found = []
    for name in names:
        f = getattr(nn, name)
        found += [f(x), jax.grad(lambda x, f=f: jnp.sum(f(x) * jnp.cos(x)))(x)]
    exact = lambda x: jnp.sum(nn.gelu(x, approximate=False))
    return (
        found, jax.grad(exact)(x), nn.glu(x[:6]), nn.one_hot(jnp.array([2, 0]), 3),
        nn.logsumexp(x.at[0].set(-jnp.inf)), nn.logsumexp(x[:6].reshape(2, 3), axis=1, keepdims=True),
        jax.grad(nn.relu)(0.0), jax.scipy.special.logsumexp(x, b=jnp.abs(x)),
    )  # fmt: skip


@program
def random_numbers(jax):
    jnp, random = jax.numpy, jax.random
    key = random.PRNGKey(42)
    k1, k2 = random.split(key)
    many = random.split(key, 3)
    f32 = jnp.float32
    return (
        key, k1, many, random.split(key, (2, 2)), random.fold_in(key, 7), random.PRNGKey(2**40 + 5),
        random.bits(key, (3,), jnp.uint32), random.bits(key, (3,), jnp.uint64),
        random.uniform(key), random.uniform(key, (3,), minval=-1.0, maxval=2.0),
        random.uniform(key, (3,), f32), random.normal(key, (2, 3)), random.normal(key, (4,), f32),
        random.normal(k2, (100,)), random.randint(key, (10,), 0, 7),
        random.randint(key, (5,), -3, 300, jnp.int32), random.permutation(key, 10),
        random.permutation(key, jnp.arange(12.0).reshape(4, 3)),
        random.permutation(key, jnp.arange(12.0).reshape(4, 3), axis=1, independent=True),
        random.choice(key, 5, (4,)), random.choice(key, jnp.arange(10.0), (3,), replace=False),
        random.choice(key, 4, (6,), p=jnp.array([0.1, 0.2, 0.3, 0.4])),
        random.bernoulli(key, 0.3, (8,)), random.exponential(key, (3,)), random.gumbel(key, (3,)),
        random.categorical(key, jnp.log(jnp.array([[0.1, 0.9], [0.7, 0.3]]))),
        random.categorical(key, jnp.array([0.0, 1.0, 2.0]), shape=(5,)),
        random.laplace(key, (3,)), random.logistic(key, (3,)), random.cauchy(key, (3,)),
        random.truncated_normal(key, -1.0, 2.0, (4,)), random.rademacher(key, (5,)),
        random.pareto(key, 3.0, (2,)), random.normal(key, (2,), complex),
        random.multivariate_normal(key, jnp.zeros(2), jnp.array([[2.0, 0.5], [0.5, 1.0]]), (2,)),
        jax.vmap(lambda k: random.normal(k, (2,)))(many),
        [jax.jit(lambda k: random.uniform(k, (2,)) * 2)(k) for k in many],
        jax.grad(lambda s: jnp.sum(s * random.normal(key, (3,))))(2.0),
    )  # fmt: skip


@program
def variational_inference(jax):
    jnp, stats = jax.numpy, jax.scipy.stats
    data = jnp.array([1.2, 0.7, 2.1, 1.5])

    def log_joint(mu):
        return stats.norm.logpdf(mu, 0.0, 3.0) + jnp.sum(stats.norm.logpdf(data, mu, 1.0))

    def elbo(params, key):
        mean, log_scale = params
        eps = jax.random.normal(key, (16,))
        draws = mean + jnp.exp(log_scale) * eps
        return jnp.mean(jax.vmap(log_joint)(draws)) + log_scale

    keys = jax.random.split(jax.random.PRNGKey(0), 5)
    params, values = (jnp.array(0.0), jnp.array(0.0)), []
    step = jax.jit(jax.value_and_grad(elbo))
    for key in keys:
        value, grads = step(params, key)
        params = jax.tree.map(lambda p, g: p + 0.05 * g, params, grads)
        values.append(value)
    return params, values


@program
def trees(jax):
    jnp, tu = jax.numpy, jax.tree_util
    tree = {"b": [1.0, (2.0, None)], "a": jnp.arange(2.0)}
    leaves, structure = tu.tree_flatten(tree)
    vector, unravel = jax.flatten_util.ravel_pytree(tree)
    return (
        leaves, structure.unflatten(leaves), structure.num_leaves, vector, unravel(vector * 2),
        tu.tree_reduce(lambda a, b: a + jnp.sum(b), tree, 0.0),
        tu.tree_map(lambda x, y: x + y, tree, tree), tu.tree_all([True, 1]),
        tu.tree_transpose(tu.tree_structure([0, 0]), tu.tree_structure({"x": 0, "y": 0}),
                          [{"x": 1.0, "y": 2.0}, {"x": 3.0, "y": 4.0}]),
        jax.tree.map(lambda x: x * 2, {"k": (1.0, 2.0)}), jax.tree.leaves(tree),
        jax.grad(lambda v: jnp.sum(unravel(v)["a"] ** 2) * unravel(v)["b"][0])(vector),
    )  # fmt: skip


@program
def names_of_numpy(jax):
    jnp = jax.numpy
    x = jnp.array([[2.0, 0.5], [0.3, 1.5]])
    f = lambda a: jnp.sum(jnp.linalg.inv(a) ** 2) + jnp.linalg.slogdet(a)[1]
    return (
        jax.grad(f)(x), jnp.linalg.eigh(x @ x.T)[0], jnp.einsum("ij,jk->ik", x, x),
        jnp.clip(x, 0.4, 1.8), jnp.clip(x, max=1.0), jnp.where(x > 1, x, 0.0),
        jnp.concatenate([x, x], axis=1), jnp.array([x[0, 0], 2.0]), jnp.cumsum(x, axis=0),
        jnp.sort(jnp.array([3.0, 1.0, 2.0])), jnp.argsort(jnp.array([3.0, 1.0, 2.0])),
        x.mean(axis=0), x.T, x.reshape(-1), jnp.allclose(x, x), jnp.interp(0.5, jnp.arange(2.0), x[0]),
        jnp.full((2,), 3.0), jnp.eye(2), jnp.linspace(0, 1, 3), jnp.diag(x), jnp.outer(x[0], x[1]),
        jnp.vectorize(lambda a, b: a * b)(x, 2.0), jnp.fft.fft(x[0]), jnp.pad(x, 1),
        jnp.expand_dims(x, 0), jnp.squeeze(x[None]), jnp.tile(x, 2), jnp.trace(x), jnp.ptp(x),
        jax.grad(lambda t: jnp.sum(jnp.array([t, t**2, jnp.sin(t)])))(0.5), jnp.unique(jnp.array([2, 1, 2])),
        jax.lax.top_k(jnp.array([1.0, 3.0, 3.0, 2.0]), 3), jnp.fill_diagonal(x, 0.0, inplace=False),
    )  # fmt: skip


@program
def names_of_lax(jax):
    jnp, lax = jax.numpy, jax.lax
    x = jnp.arange(12.0).reshape(3, 4)
    v = jnp.array([0.5, 1.5, 2.5])
    return (
        lax.dynamic_slice(x, (1, 2), (2, 2)), lax.dynamic_slice(x, (9, -1), (2, 2)),
        lax.dynamic_update_slice(x, jnp.ones((2, 2)), (0, 3)),
        lax.dynamic_slice_in_dim(x, 1, 2, axis=1), lax.dynamic_index_in_dim(x, 1, keepdims=False),
        lax.dynamic_update_index_in_dim(x, jnp.zeros(4), 2, 0), lax.slice(x, (0, 1), (3, 4), (2, 1)),
        lax.slice_in_dim(x, 0, 2), lax.index_in_dim(x, 2, 1), lax.clamp(1.0, x, 5.0),
        lax.div(7, -2), lax.rem(-7.0, 3.0), lax.rsqrt(v), lax.integer_pow(v, 3), lax.erf(v),
        lax.lgamma(v), lax.logistic(v), lax.cumsum(x, 1), lax.cumsum(v, reverse=True), lax.cummax(v),
        lax.dot_general(x, x, (((1,), (1,)), ((), ()))), lax.rev(v, (0,)), lax.expand_dims(v, (0,)),
        lax.broadcast(v, (2,)), lax.broadcast_in_dim(v, (3, 2), (0,)), lax.select_n(v > 1, v, -v),
        jax.vmap(lambda i: lax.dynamic_slice(v, (i,), (2,)))(jnp.array([0, 1, 5])),
        jax.grad(lambda v: jnp.sum(lax.dynamic_slice(v, (1,), (2,)) ** 2))(v),
        jax.jit(lambda v, i: lax.dynamic_update_slice(v, jnp.zeros(1), (i,)))(v, 2),
    )  # fmt: skip


@program
def names_of_scipy(jax):
    jnp, special, stats, linalg = (
        jax.numpy, jax.scipy.special, jax.scipy.stats, jax.scipy.linalg,
    )  # fmt: skip
    v = jnp.array([0.5, 1.5, 2.5])
    a = jnp.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]])
    grad = lambda f: jax.grad(lambda v: jnp.sum(f(v)))(v)
    return (
        grad(special.gammaln), grad(special.erf), grad(special.expit), special.logit(v / 3),
        special.xlogy(v, v), grad(special.ndtri) if False else special.ndtri(v / 3),
        grad(special.i0e), stats.norm.cdf(v), grad(lambda v: stats.norm.logpdf(v, 1.0, 2.0)),
        grad(lambda v: stats.gamma.logpdf(v, 2.0)), grad(lambda v: stats.t.logpdf(v, 3.0)),
        stats.poisson.logpmf(jnp.array([1, 2]), 1.5), linalg.cho_solve(linalg.cho_factor(a), v),
        jax.grad(lambda a: jnp.sum(linalg.solve_triangular(a, v, lower=True)))(a),
        linalg.expm(a / 4), jax.grad(lambda v: linalg.solve(a, v).sum())(v),
        stats.multivariate_normal.logpdf(v, jnp.zeros(3), a),
    )  # fmt: skip


@program
def optimizers(jax):
    jnp = jax.numpy
    from importlib import import_module

    library = import_module(jax.__name__ + ".example_libraries.optimizers")
    f = lambda p: jnp.sum((p["w"] - 1.0) ** 2) + jnp.sin(p["b"])
    found = []
    for init, update, get_params in [
        library.sgd(0.1), library.momentum(0.1, 0.9), library.nesterov(0.1, 0.9),
        library.adagrad(0.1), library.rmsprop(0.1), library.rmsprop_momentum(0.1),
        library.adam(0.1), library.adamax(0.1),
        library.sgd(library.inverse_time_decay(0.1, 2, 0.5)),
    ]:  # fmt: skip
        state = init({"w": jnp.array([0.0, 3.0]), "b": jnp.array(0.5)})
        for i in range(4):
            state = update(i, jax.grad(f)(get_params(state)), state)
        found.append(get_params(state))
    clipped = library.clip_grads({"a": jnp.array([3.0, 4.0])}, 1.0)
    return found, clipped, library.l2_norm({"a": jnp.array([3.0, 4.0])})


@program
def initializers(jax):
    jnp, init = jax.numpy, jax.nn.initializers
    key = jax.random.PRNGKey(1)
    made = [
        init.normal(), init.uniform(), init.glorot_uniform(), init.glorot_normal(),
        init.he_normal(), init.he_uniform(), init.lecun_normal(), init.truncated_normal(),
        init.orthogonal(), init.constant(2.0),
    ]  # fmt: skip
    return [f(key, (3, 4), jnp.float64) for f in made]


@program
def kalman_filter(jax):
    jnp, lax = jax.numpy, jax.lax
    F = jnp.array([[1.0, 0.1], [0.0, 1.0]])
    H = jnp.array([[1.0, 0.0]])
    ys = jnp.sin(jnp.arange(10.0) / 3)

    def log_likelihood(params):
        q, r = jnp.exp(params)

        def step(carry, y):
            m, P = carry
            m, P = F @ m, F @ P @ F.T + q * jnp.eye(2)
            S = H @ P @ H.T + r
            K = jnp.linalg.solve(S, H @ P).T
            innovation = y - H @ m
            ll = -0.5 * (innovation @ jnp.linalg.solve(S, innovation) + jnp.linalg.slogdet(S)[1])
            return (m + K @ innovation, P - K @ S @ K.T), ll

        return jnp.sum(lax.scan(step, (jnp.zeros(2), jnp.eye(2)), ys)[1])

    p = jnp.array([-1.0, -0.5])
    return log_likelihood(p), jax.grad(log_likelihood)(p), jax.hessian(log_likelihood)(p)


@program
def newton_by_jit(jax):
    jnp = jax.numpy

    @jax.jit
    def newton_step(x, a):
        f = lambda x: jnp.array([x[0] ** 2 + x[1] ** 2 - a, x[0] - x[1]])
        return x - jnp.linalg.solve(jax.jacfwd(f)(x), f(x))

    x = jnp.array([1.0, 2.0])
    for _ in range(6):
        x = newton_step(x, 2.0)
    return x


@program
def gaussian_process(jax):
    jnp = jax.numpy
    X = jnp.linspace(-1, 1, 6)[:, None]
    y = jnp.sin(3 * X[:, 0])

    def kernel(a, b, log_scale):
        return jnp.exp(-0.5 * jnp.sum((a - b) ** 2) / jnp.exp(log_scale) ** 2)

    def gram(kernel, xs, ys):
        return jax.vmap(lambda x: jax.vmap(lambda y: kernel(x, y))(ys))(xs)

    def nll(params):
        K = gram(lambda a, b: kernel(a, b, params["scale"]), X, X)
        K = K + jnp.exp(params["noise"]) * jnp.eye(6)
        L = jax.scipy.linalg.cholesky(K, lower=True)
        alpha = jax.scipy.linalg.cho_solve((L, True), y)
        return 0.5 * y @ alpha + jnp.sum(jnp.log(jnp.diag(L)))

    params = {"scale": jnp.array(-0.5), "noise": jnp.array(-2.0)}
    return jax.value_and_grad(nll)(params), jax.jit(jax.grad(nll))(params)


@program
def pendulum_with_momentum(jax):
    jnp = jax.numpy

    def hamiltonian(q, p):
        return p**2 / 2 + (1 - jnp.cos(q))

    def leapfrog(state, _):
        q, p = state
        p = p - 0.05 * jax.grad(hamiltonian, 0)(q, p)
        q = q + 0.1 * jax.grad(hamiltonian, 1)(q, p)
        p = p - 0.05 * jax.grad(hamiltonian, 0)(q, p)
        return (q, p), hamiltonian(q, p)

    run = lambda q: jax.lax.scan(leapfrog, (q, jnp.array(0.0)), None, length=30)
    (q, p), energies = run(jnp.array(1.0))
    return q, p, energies, jax.grad(lambda q: run(q)[0][0])(jnp.array(1.0))


if __name__ == "__main__":
    import jax

    jax.config.update("jax_enable_x64", True)
    for name in ("flatten_util", "scipy", "nn", "example_libraries.optimizers", "scipy.stats"):
        __import__(f"jax.{name}")
    found = {}
    for name, f in PROGRAMS.items():
        leaves = flat(jax, f(jax))
        found[name] = [
            {"shape": x.shape, "dtype": str(x.dtype), "values": [
                [v.real, v.imag] if x.dtype.kind == "c" else v for v in x.ravel().tolist()]}
            for x in leaves
        ]  # fmt: skip
    EXPECTED.write_text(json.dumps(found, separators=(",", ":")) + "\n", "utf-8")
