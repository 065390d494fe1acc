"""Programs as tutorials of JAX have them."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from compat.jax.programs.registry import program


@program
def quickstart(jax):
    jnp = jax.numpy

    def selu(x, alpha=1.67, lmbda=1.05):
        return lmbda * jnp.where(x > 0, x, alpha * jnp.exp(x) - alpha)

    x = jnp.arange(5.0)
    fast = jax.jit(selu)

    def total(x):
        return jnp.sum(1.0 / (1.0 + jnp.exp(-x)))

    return (
        [fast(x - k) for k in range(4)],
        jax.grad(total)(jnp.arange(3.0)),
        jax.grad(jax.jit(jax.grad(jax.jit(jax.grad(total)))))(1.0),
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

    _key, W_key, b_key = jax.random.split(jax.random.PRNGKey(0), 3)
    W, b = jax.random.normal(W_key, (3,)), jax.random.normal(b_key, ())
    value, (Wg, bg) = jax.value_and_grad(loss, (0, 1))(W, b)
    by_dict = jax.grad(lambda p: loss(p["W"], p["b"]))({"W": W, "b": b})

    def hvp(f, x, v):
        return jax.grad(lambda x: jnp.vdot(jax.grad(f)(x), v))(x)

    return value, Wg, bg, by_dict, hvp(lambda W: loss(W, b), W, jnp.ones(3))


@program
def multilayer_perceptron(jax):
    jnp = jax.numpy

    def init(sizes, key):
        keys = jax.random.split(key, len(sizes))
        return [
            {"w": jax.random.normal(k, (n, m)) * jnp.sqrt(1.0 / m), "b": jnp.zeros((n,))}
            for m, n, k in zip(sizes[:-1], sizes[1:], keys, strict=False)
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

    def loss(p, y0):
        return jnp.sum(rk4(p, y0, ts)[1][:, 0] ** 2)

    return last, ys, jax.grad(loss, argnums=(0, 1))(p, y0), jax.jit(jax.grad(loss))(p, y0)


@program
def fori_loop_with_at(jax):
    jnp = jax.numpy

    def fibonacci(x):
        buffer = jnp.zeros(10).at[0].set(x[0]).at[1].set(x[1])

        def body(i, b):
            return b.at[i].set(b[i - 1] + 0.5 * b[i - 2])

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

    def f(x):
        return jnp.sum(jnp.sin(clip_gradient(-0.75, 0.75, x)))

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

    def sqrt(a):
        return fixed_point(lambda a, x: 0.5 * (x + a / x), a, a)

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

    def loss(p):
        return jnp.mean(jax.vmap(run, in_axes=(None, 0))(p, xs) ** 2)

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
        def f(x):
            return jnp.array([x[0] ** 2 + x[1] ** 2 - a, x[0] - x[1]])

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

    def run(q):
        return jax.lax.scan(leapfrog, (q, jnp.array(0.0)), None, length=30)

    (q, p), energies = run(jnp.array(1.0))
    return q, p, energies, jax.grad(lambda q: run(q)[0][0])(jnp.array(1.0))
