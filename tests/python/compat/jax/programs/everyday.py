"""Programs as people write them with JAX: training loops, networks, arrays."""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from compat.jax.programs.registry import program


class State(NamedTuple):
    params: Any
    velocity: Any
    step: Any


@program
def training_loop_with_minibatches(jax):
    jnp, random = jax.numpy, jax.random
    data = np.random.RandomState(0).randn(24, 5)
    labels = (data[:, 0] * data[:, 1] > 0).astype(int)

    def init(key):
        k1, k2 = random.split(key)
        return [
            (jax.nn.initializers.glorot_normal()(k1, (5, 6), jnp.float64), jnp.zeros((6,))),
            (random.normal(k2, (6, 2)) * 0.3, jnp.zeros(2)),
        ]

    def loss(params, batch):
        x, y = batch
        (w1, b1), (w2, b2) = params
        logits = jnp.dot(jnp.tanh(jnp.dot(x, w1) + b1), w2) + b2
        nll = -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(len(y)), y])
        return nll, {"accuracy": jnp.mean(jnp.argmax(logits, axis=-1) == y)}

    @jax.jit
    def step(state, batch):
        (value, aux), grads = jax.value_and_grad(loss, has_aux=True)(state.params, batch)
        velocity = jax.tree_util.tree_map(lambda v, g: 0.9 * v + g, state.velocity, grads)
        params = jax.tree_util.tree_map(lambda p, v: p - 0.1 * v, state.params, velocity)
        return State(params, velocity, state.step + 1), value, aux

    params = init(random.PRNGKey(0))
    state = State(params, jax.tree_util.tree_map(jnp.zeros_like, params), 0)
    seen = []
    for epoch in range(3):
        order = np.asarray(random.permutation(random.PRNGKey(epoch), len(data)))
        for batch in order.reshape(4, 6):
            state, value, aux = step(state, (data[batch], labels[batch]))
            seen.append((value, aux["accuracy"]))
    return state.params, state.step, seen


@program
def attention(jax):
    jnp = jax.numpy
    keys = jax.random.split(jax.random.PRNGKey(0), 5)
    p = {n: jax.random.normal(k, (8, 8)) / 3 for n, k in zip("qkvo", keys, strict=False)}
    x = jax.random.normal(keys[4], (6, 8))

    def norm(x, eps=1e-5):
        mean = jnp.mean(x, axis=-1, keepdims=True)
        return (x - mean) * jax.lax.rsqrt(jnp.var(x, axis=-1, keepdims=True) + eps)

    def layer(p, x, heads=2):
        n, d = x.shape
        q, k, v = (jnp.reshape(norm(x) @ p[c], (n, heads, d // heads)) for c in "qkv")
        scores = jnp.einsum("qhd,khd->hqk", q, k) / jnp.sqrt(d // heads)
        mask = jnp.tril(jnp.ones((n, n), dtype=bool))
        weights = jax.nn.softmax(jnp.where(mask[None], scores, -jnp.inf), axis=-1)
        out = jnp.einsum("hqk,khd->qhd", weights, v).reshape(n, d)
        return x + jax.nn.gelu(out @ p["o"])

    def loss(p):
        return jnp.mean(layer(p, layer(p, x)) ** 2)

    return loss(p), jax.grad(loss)(p), jax.jit(jax.grad(loss))(p)["q"]


@program
def lstm(jax):
    jnp = jax.numpy
    k1, k2 = jax.random.split(jax.random.PRNGKey(7))
    W = jax.random.normal(k1, (3 + 4, 16)) * 0.3
    xs = jax.random.normal(k2, (9, 3))

    def cell(W, carry, x):
        h, c = carry
        i, f, g, o = jnp.split(jnp.concatenate([x, h]) @ W, 4)
        c = jax.nn.sigmoid(f + 1) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    def loss(W):
        _, hs = jax.lax.scan(partial(cell, W), (jnp.zeros(4), jnp.zeros(4)), xs)
        back = jax.lax.scan(partial(cell, W), (jnp.zeros(4), jnp.zeros(4)), xs, reverse=True)[1]
        return jnp.sum(hs * back)

    return loss(W), jax.grad(loss)(W)


@program
def gradients_by_hand_in_lists(jax):
    jnp = jax.numpy
    from_list = [(jnp.ones((2, 3)) * 0.1 * (k + 1), jnp.zeros(2)) for k in range(1)]

    def predict(params, x):
        for w, b in params:
            x = jnp.maximum(0, jnp.dot(w, x) + b)
        return jnp.sum(x)

    for _ in range(3):
        grads = jax.grad(predict)(from_list, jnp.array([1.0, 2.0, 3.0]))
        from_list = [
            (w - 0.01 * dw, b - 0.01 * db)
            for (w, b), (dw, db) in zip(from_list, grads, strict=True)
        ]
    return from_list


@program
def adam_over_trees(jax):
    jnp, tree_map = jax.numpy, jax.tree_util.tree_map

    @partial(jax.tree_util.register_dataclass, data_fields=["m", "v", "t"], meta_fields=["rate"])
    @dataclass
    class Adam:
        m: Any
        v: Any
        t: Any
        rate: float = 0.05

    @jax.jit
    def update(state, params, grads):
        t = state.t + 1
        m = tree_map(lambda m, g: 0.9 * m + 0.1 * g, state.m, grads)
        v = tree_map(lambda v, g: 0.99 * v + 0.01 * g * g, state.v, grads)
        size = state.rate * jnp.sqrt(1 - 0.99**t) / (1 - 0.9**t)
        params = tree_map(lambda p, m, v: p - size * m / (jnp.sqrt(v) + 1e-8), params, m, v)
        return Adam(m, v, t, state.rate), params

    def loss(p):
        return jnp.sum((p["a"] - 2) ** 2) + jnp.abs(p["b"]["c"]) ** 1.5

    params = {"a": jnp.array([0.0, 5.0]), "b": {"c": jnp.array(1.0)}}
    zeros = tree_map(jnp.zeros_like, params)
    state = Adam(zeros, zeros, jnp.array(0.0))
    for _ in range(12):
        state, params = update(state, params, jax.grad(loss)(params))
    return params, state


@program
def variational_autoencoder(jax):
    jnp, random = jax.numpy, jax.random
    k1, k2, k3, k4 = random.split(random.PRNGKey(4), 4)
    p = {"enc": random.normal(k1, (4, 4)) * 0.5, "dec": random.normal(k2, (2, 4)) * 0.5}
    x = (random.uniform(k3, (5, 4)) > 0.5).astype(jnp.float64)

    def loss(p, key):
        mean, log_var = jnp.split(x @ p["enc"], 2, axis=-1)
        z = mean + jnp.exp(0.5 * log_var) * random.normal(key, mean.shape)
        logits = z @ p["dec"]
        rec = jnp.sum(x * jax.nn.softplus(-logits) + (1 - x) * jax.nn.softplus(logits), -1)
        kl = -0.5 * jnp.sum(1 + log_var - mean**2 - jnp.exp(log_var), axis=-1)
        return jnp.mean(rec + kl)

    fast = jax.jit(jax.value_and_grad(loss))
    return [fast(p, key) for key in random.split(k4, 4)]


@program
def beam_search_and_masks(jax):
    jnp, lax = jax.numpy, jax.lax
    scores = jax.random.normal(jax.random.PRNGKey(9), (3, 5))
    lengths = jnp.array([2, 5, 3])
    mask = jnp.arange(5)[None, :] < lengths[:, None]
    masked = jnp.where(mask, scores, -jnp.inf)
    values, places = lax.top_k(masked, 2)
    best = jnp.take_along_axis(scores, places, axis=1)
    pooled = jnp.sum(jnp.where(mask, scores, 0.0), axis=1) / lengths
    pick = jax.vmap(lambda row, n: lax.dynamic_index_in_dim(row, n - 1, keepdims=False))
    return values, best, pooled, pick(scores, lengths), jnp.argsort(-masked, axis=1)[:, 0]


@program
def interpolation_and_bins(jax):
    jnp = jax.numpy
    x = jnp.array([0.1, 0.5, 0.9, 1.4])
    knots, heights = jnp.array([0.0, 1.0, 2.0]), jnp.array([1.0, 3.0, 2.0])

    def f(h):
        return jnp.sum(jnp.interp(x, knots, h) ** 2)

    return (
        jax.grad(f)(heights), jnp.searchsorted(knots, x), jnp.digitize(x, knots),
        jnp.histogram(x, bins=3, range=(0.0, 1.5))[0],
        jnp.select([x < 0.3, x < 1.0], [x, 2 * x], 0.0),
        jnp.piecewise(x, [x < 0.5, x >= 0.5], [lambda x: -x, lambda x: x**2]),
        jnp.convolve(x, jnp.array([1.0, -1.0])), jnp.diff(x), jnp.gradient(x),
        jnp.polyval(heights, x),
        jnp.quantile(x, 0.3), jnp.median(x), jnp.cov(jnp.stack([x, x**2])), jnp.cross(x[:3], x[1:]),
        jnp.meshgrid(x[:2], x[2:])[0], jnp.bincount(jnp.array([0, 1, 1])), jnp.isclose(x, x + 1e-9),
    )  # fmt: skip


@program
def segments(jax):
    jnp = jax.numpy
    data, ids = jnp.array([1.0, 2.0, 3.0, 4.0]), jnp.array([0, 2, 0, 2])

    def total(d):
        return jnp.sum(jax.ops.segment_sum(d, ids, num_segments=3) ** 2)

    return (
        jax.ops.segment_sum(data, ids, 3), jax.ops.segment_max(data, ids, 3),
        jax.ops.segment_min(data, ids, num_segments=3), jax.ops.segment_prod(data, ids, 3),
        jax.grad(total)(data),
    )  # fmt: skip


@program
def decompositions(jax):
    jnp = jax.numpy
    a = jax.random.normal(jax.random.PRNGKey(3), (4, 3))
    s = a.T @ a + jnp.eye(3)

    def nuclear(a):
        return jnp.sum(jnp.linalg.svd(a, compute_uv=False))

    def whitened(s):
        return jnp.sum(jnp.linalg.inv(jnp.linalg.cholesky(s)))

    def powered(s):
        return jnp.sum(jnp.linalg.matrix_power(s, 3))

    return (
        jax.grad(nuclear)(a), jax.grad(whitened)(s), jax.grad(powered)(s),
        jax.grad(lambda s: jnp.linalg.eigvalsh(s)[0])(s), jax.grad(jnp.linalg.det)(s),
        jax.grad(lambda a: jnp.sum(jnp.linalg.pinv(a) ** 2))(a), jnp.linalg.matrix_rank(a),
        jnp.linalg.lstsq(a, jnp.ones(4))[0], jax.grad(lambda a: jnp.linalg.norm(a))(a),
        jax.grad(lambda a: jnp.sum(jnp.linalg.norm(a, axis=1)))(a),
    )  # fmt: skip


@program
def types_and_casts(jax):
    jnp = jax.numpy
    x = jnp.arange(4, dtype=jnp.float32)

    def f(x: jax.Array) -> jax.Array:
        assert x.dtype == jnp.float32
        assert isinstance(x, jnp.ndarray)
        return jnp.sum(x.astype(jnp.float64) ** 2) / x.size

    return (
        jax.grad(f)(x), (x * 2).dtype == jnp.float32, jnp.sum(x), jnp.mean(x > 1), x.astype(int),
        jnp.asarray([1, 2]) / 2, jnp.int32(3) + jnp.arange(2, dtype=jnp.int32),
        jnp.zeros((2,), jnp.int32).at[0].add(1), jnp.bool_(True), jnp.float32(1.5) * x,
        jnp.result_type(x) == jnp.float32, len(x), x.ndim, x.shape[0], [float(v) for v in x],
    )  # fmt: skip
