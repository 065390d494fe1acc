"""Programs as people write them with JAX: samplers, solvers, simulations."""

from compat.jax.programs.registry import program


@program
def hamiltonian_monte_carlo(jax):
    jnp, lax, random = jax.numpy, jax.lax, jax.random

    def logp(q):
        return -0.5 * jnp.sum(q**2 * jnp.array([1.0, 4.0])) - 0.1 * jnp.sum(q**4)

    def leapfrog(q, p, eps=0.2):
        p = p + 0.5 * eps * jax.grad(logp)(q)

        def body(_, carry):
            q, p = carry
            q = q + eps * p
            return q, p + eps * jax.grad(logp)(q)

        q, p = lax.fori_loop(0, 4, body, (q, p))
        return q, p - 0.5 * eps * jax.grad(logp)(q)

    def step(q, key):
        k1, k2 = random.split(key)
        p = random.normal(k1, q.shape)
        q2, p2 = leapfrog(q, p)
        rate = jnp.exp(logp(q2) - 0.5 * p2 @ p2 - logp(q) + 0.5 * p @ p)
        accepted = random.uniform(k2) < rate
        q = jnp.where(accepted, q2, q)
        return q, (q, accepted)

    q, (draws, accepted) = lax.scan(step, jnp.ones(2), random.split(random.PRNGKey(1), 20))
    return q, draws, accepted.mean()


@program
def policy_gradient(jax):
    jnp, random = jax.numpy, jax.random

    def episode(theta, key):
        def step(carry, key):
            position, total = carry
            logits = jnp.stack([theta[0] * position, theta[1]])
            action = random.categorical(key, jax.lax.stop_gradient(logits))
            total = total + jax.nn.log_softmax(logits)[action]
            position = position + jnp.where(action == 0, -0.5, 0.5)
            return (position, total), -jnp.abs(position)

        (_, logp), rewards = jax.lax.scan(step, (1.0, 0.0), random.split(key, 6))
        return logp * jax.lax.stop_gradient(rewards.sum())

    keys = random.split(random.PRNGKey(2), 4)
    theta = jnp.array([0.3, -0.2])

    def objective(theta):
        return jnp.mean(jax.vmap(episode, (None, 0))(theta, keys))

    return objective(theta), jax.grad(objective)(theta)


@program
def hidden_markov_model(jax):
    jnp = jax.numpy
    observed = jnp.array([0, 1, 1, 2, 0, 2, 2])

    def log_likelihood(p):
        transitions = jax.nn.log_softmax(p["transitions"], axis=1)
        emissions = jax.nn.log_softmax(p["emissions"], axis=1)
        first = jax.nn.log_softmax(p["first"]) + emissions[:, observed[0]]

        def step(alpha, o):
            alpha = jax.scipy.special.logsumexp(alpha[:, None] + transitions, axis=0)
            alpha = alpha + jnp.take(emissions, o, axis=1)
            return alpha, alpha

        alpha, alphas = jax.lax.scan(step, first, observed[1:])
        return jax.scipy.special.logsumexp(alpha), alphas

    p = {
        "first": jnp.array([0.1, 0.2]), "transitions": jnp.array([[0.5, 0.1], [0.3, 0.9]]),
        "emissions": jnp.array([[0.1, 0.4, 0.2], [1.0, -0.3, 0.1]]),
    }  # fmt: skip
    return jax.value_and_grad(log_likelihood, has_aux=True)(p)


@program
def n_bodies(jax):
    jnp = jax.numpy
    masses = jnp.array([1.0, 0.5, 0.2])

    def potential(q):
        d = q[:, None, :] - q[None, :, :]
        r2 = jnp.sum(d**2, axis=-1) + jnp.eye(3)
        pairs = masses[:, None] * masses[None, :] / jnp.sqrt(r2)
        return -0.5 * jnp.sum(jnp.fill_diagonal(pairs, 0.0, inplace=False))

    @jax.jit
    def step(state, _):
        q, v = state
        a = -jax.grad(potential)(q) / masses[:, None]
        v = v + 0.01 * a
        q = q + 0.01 * v
        return (q, v), potential(q) + 0.5 * jnp.sum(masses[:, None] * v**2)

    q = jnp.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    v = jnp.array([[0.0, 0.0], [0.0, 1.0], [-0.7, 0.0]])

    def final(v):
        return jax.lax.scan(step, (q, v), None, length=20)

    (q1, v1), energy = final(v)
    return q1, v1, energy, jax.jacrev(lambda v: final(v)[0][0][1])(v)


@program
def conjugate_gradients(jax):
    jnp, lax = jax.numpy, jax.lax

    def cg(A, b):
        def cond(c):
            _, r, _, k = c
            return (jnp.linalg.norm(r) > 1e-12) & (k < 50)

        def body(c):
            x, r, p, k = c
            Ap = A(p)
            alpha = (r @ r) / (p @ Ap)
            r2 = r - alpha * Ap
            return x + alpha * p, r2, r2 + (r2 @ r2) / (r @ r) * p, k + 1

        return lax.while_loop(cond, body, (jnp.zeros_like(b), b, b, 0))

    def f(x):
        return jnp.sum(jnp.cosh(x)) + 0.5 * jnp.sum(x) ** 2

    x = jnp.array([0.1, -0.4, 0.8])

    def hvp(v):
        return jax.jvp(jax.grad(f), (x,), (v,))[1]

    step, _, _, count = cg(hvp, -jax.grad(f)(x))
    return step, count, jax.jit(lambda b: cg(hvp, b)[0])(x)


@program
def vector_calculus(jax):
    jnp = jax.numpy

    def field(x):
        return jnp.array([x[0] * x[1], jnp.sin(x[2]), x[0] ** 2])

    def divergence(x):
        return jnp.trace(jax.jacfwd(field)(x))

    def curl(x):
        J = jax.jacfwd(field)(x)
        return jnp.array([J[2, 1] - J[1, 2], J[0, 2] - J[2, 0], J[1, 0] - J[0, 1]])

    def laplacian(f):
        return lambda x: jnp.trace(jax.hessian(f)(x))

    xs = jax.random.uniform(jax.random.PRNGKey(0), (5, 3))
    return (
        jax.vmap(divergence)(xs), jax.vmap(curl)(xs),
        jax.vmap(laplacian(lambda x: jnp.exp(-jnp.sum(x**2))))(xs),
        jax.grad(lambda x: divergence(x) ** 2)(xs[0]),
    )  # fmt: skip


@program
def heat_equation(jax):
    jnp = jax.numpy

    def solve(kappa, u):
        def step(u, _):
            lap = jnp.roll(u, 1, 0) + jnp.roll(u, -1, 0) + jnp.roll(u, 1, 1) + jnp.roll(u, -1, 1)
            u = u + kappa * (lap - 4 * u)
            u = u.at[0, :].set(0.0).at[-1, :].set(0.0).at[:, 0].set(1.0)
            return u, None

        return jax.lax.scan(step, u, None, length=15)[0]

    u = jnp.zeros((6, 5)).at[2, 3].set(3.0)

    def loss(kappa):
        return jnp.mean(solve(kappa, u) ** 2)

    return solve(0.1, u), jax.value_and_grad(loss)(0.1), jax.jacfwd(loss)(0.1)


@program
def kepler_by_implicit_differentiation(jax):
    jnp = jax.numpy

    @jax.custom_jvp
    def anomaly(M, e):
        def body(_, E):
            return E - (E - e * jnp.sin(E) - M) / (1 - e * jnp.cos(E))

        return jax.lax.fori_loop(0, 12, body, M)

    @anomaly.defjvp
    def rule(primals, tangents):
        (M, e), (dM, de) = primals, tangents
        E = anomaly(M, e)
        return E, (dM + jnp.sin(E) * de) / (1 - e * jnp.cos(E))

    M = jnp.linspace(0.1, 3.0, 4)
    return (
        jax.vmap(anomaly, (0, None))(M, 0.3),
        jax.vmap(jax.grad(anomaly, (0, 1)), (0, None))(M, 0.3),
        jax.vmap(jax.grad(jax.grad(anomaly, 1), 0), (0, None))(M, 0.3),
        jax.jit(jax.jacfwd(lambda e: anomaly(M[1], e)))(0.3),
    )
