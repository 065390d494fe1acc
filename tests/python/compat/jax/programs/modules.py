"""Programs that call the names of JAX's modules."""

from importlib import import_module

from compat.jax.programs.registry import program


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

    def exact(x):
        return jnp.sum(nn.gelu(x, approximate=False))

    return (
        found, jax.grad(exact)(x), nn.glu(x[:6]), nn.one_hot(jnp.array([2, 0]), 3),
        nn.logsumexp(x.at[0].set(-jnp.inf)),
        nn.logsumexp(x[:6].reshape(2, 3), axis=1, keepdims=True),
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

    def f(a):
        return jnp.sum(jnp.linalg.inv(a) ** 2) + jnp.linalg.slogdet(a)[1]

    return (
        jax.grad(f)(x), jnp.linalg.eigh(x @ x.T)[0], jnp.einsum("ij,jk->ik", x, x),
        jnp.clip(x, 0.4, 1.8), jnp.clip(x, max=1.0), jnp.where(x > 1, x, 0.0),
        jnp.concatenate([x, x], axis=1), jnp.array([x[0, 0], 2.0]), jnp.cumsum(x, axis=0),
        jnp.sort(jnp.array([3.0, 1.0, 2.0])), jnp.argsort(jnp.array([3.0, 1.0, 2.0])),
        x.mean(axis=0), x.T, x.reshape(-1), jnp.allclose(x, x),
        jnp.interp(0.5, jnp.arange(2.0), x[0]),
        jnp.full((2,), 3.0), jnp.eye(2), jnp.linspace(0, 1, 3), jnp.diag(x), jnp.outer(x[0], x[1]),
        jnp.vectorize(lambda a, b: a * b)(x, 2.0), jnp.fft.fft(x[0]), jnp.pad(x, 1),
        jnp.expand_dims(x, 0), jnp.squeeze(x[None]), jnp.tile(x, 2), jnp.trace(x), jnp.ptp(x),
        jax.grad(lambda t: jnp.sum(jnp.array([t, t**2, jnp.sin(t)])))(0.5),
        jnp.unique(jnp.array([2, 1, 2])),
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
        lax.dynamic_update_index_in_dim(x, jnp.zeros(4), 2, 0),
        lax.slice(x, (0, 1), (3, 4), (2, 1)),
        lax.slice_in_dim(x, 0, 2), lax.index_in_dim(x, 2, 1), lax.clamp(1.0, x, 5.0),
        lax.div(7, -2), lax.rem(-7.0, 3.0), lax.rsqrt(v), lax.integer_pow(v, 3), lax.erf(v),
        lax.lgamma(v), lax.logistic(v), lax.cumsum(x, 1), lax.cumsum(v, reverse=True),
        lax.cummax(v),
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

    def grad(f):
        return jax.grad(lambda v: jnp.sum(f(v)))(v)

    return (
        grad(special.gammaln), grad(special.erf), grad(special.expit), special.logit(v / 3),
        special.xlogy(v, v), grad(lambda v: special.ndtri(v / 3)),
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
    library = import_module(jax.__name__ + ".example_libraries.optimizers")

    def f(p):
        return jnp.sum((p["w"] - 1.0) ** 2) + jnp.sin(p["b"])

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
