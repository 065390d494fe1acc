"""Epidemics, ecology, trees of life, games, markets, decisions."""

import bisect
import heapq
import itertools
from collections import Counter, namedtuple
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from everyday_programs.registry import program

# --- phylogenetics: Felsenstein's pruning over a tree in Newick's notation
NEWICK = "((human:0,chimp:1):2,(gorilla:3,(orang:4,gibbon:5):6):7);"
SEQUENCES = {
    "human": "ACGTTA",
    "chimp": "ACGTTG",
    "gorilla": "ACGATA",
    "orang": "TCGATC",
    "gibbon": "TCCATC",
}


class Node:
    def __init__(self, children=(), name=None, branch=None):
        self.children, self.name, self.branch = list(children), name, branch

    @classmethod
    def parse(cls, text):
        stack, word = [[]], ""
        for c in text:
            if c == "(":
                stack.append([])
            elif c in ",);":
                if word:
                    name, _, branch = word.partition(":")
                    if name:
                        stack[-1].append(cls(name=name, branch=int(branch)))
                    else:
                        stack[-1][-1].branch = int(branch)
                word = ""
                if c == ")":
                    inner = stack.pop()
                    stack[-1].append(cls(inner))
            else:
                word += c
        return stack[0][0]

    def partial(self, model, lengths, site):
        if not self.children:
            return np.eye(4)["ACGT".index(SEQUENCES[self.name][site])]
        below = (model(lengths[c.branch]) @ c.partial(model, lengths, site) for c in self.children)
        return reduce(np.multiply, below)


class HKY:
    def __init__(self, kappa, freqs):
        self.kappa, self.pi = kappa, freqs / freqs.sum()

    @cached_property
    def decomposition(self):
        Q = np.ones((4, 4))
        for i, j in ((0, 2), (1, 3)):
            Q[i, j] = Q[j, i] = self.kappa
        Q = Q * self.pi
        np.fill_diagonal(Q, 0)
        Q -= np.diag(Q.sum(axis=1))
        Q /= -self.pi @ np.diag(Q)
        root = np.sqrt(self.pi)
        w, v = np.linalg.eigh(root[:, None] * Q / root)
        return w, v / root[:, None], (v * root[:, None]).T

    def __call__(self, t):
        w, left, right = self.decomposition
        return left @ np.diag(np.exp(w * t)) @ right


@program(
    {
        "kappa": 2.3,
        "freqs": np.array([1.0, 0.8, 1.2, 0.9]),
        "t": np.array([0.1, 0.12, 0.05, 0.2, 0.3, 0.28, 0.1, 0.07]),
    },
    tolerance=1e-5,
)
def felsenstein_pruning(p):
    tree, model = Node.parse(NEWICK), HKY(p["kappa"], p["freqs"])
    columns = Counter(zip(*SEQUENCES.values(), strict=True))
    logs = 0.0
    for column, times in columns.items():
        site = list(zip(*SEQUENCES.values(), strict=True)).index(column)
        logs += times * np.log(model.pi @ tree.partial(model, p["t"], site))
    return -logs


@program({"theta": 1.3, "growth": 0.4})
def coalescent(p):
    """Intervals between events out of a heap, as they come."""
    heap = [(t, n) for n, t in enumerate((0.7, 0.2, 1.9, 0.4, 1.1))]
    heapq.heapify(heap)
    before, log, k = 0.0, 0.0, len(heap) + 1
    while heap:
        now, _ = heapq.heappop(heap)
        pairs = k * (k - 1) / 2
        size = p["theta"] * np.exp(-p["growth"] * now)
        log += np.log(pairs / size)
        log -= pairs / p["theta"] * np.diff(np.expm1(p["growth"] * np.array([before, now])))[0]
        before, k = now, k - 1
    return log


@program({"beta": 0.6, "gamma": 0.25, "seed": 0.01, "mix": np.array([[1.0, 0.3], [0.2, 0.8]])})
def epidemic_delayed(p):
    """Two groups whose infections are delayed by a distribution of incubation times."""
    times = np.arange(1, 6)
    delay = times ** (2.0) * np.exp(-times)
    delay /= delay.sum()
    S, exposed = np.ones(2) - p["seed"], [np.full(2, p["seed"])]
    ill, curve = np.zeros(2), []
    for day in range(12):
        force = p["beta"] * p["mix"] @ ill
        new = S * -np.expm1(-force)
        S -= new
        exposed.append(new)
        onset = sum(w * exposed[-k] for k, w in enumerate(delay, 1) if k <= len(exposed))
        ill = ill * np.exp(-p["gamma"]) + onset
        curve.append(ill.sum())
        if day > 3 and curve[-1] < 1e-9:
            break
    peak = np.max(curve)
    return peak + np.log(np.array(curve)).mean()


@program(np.array([1.1, 0.4, 0.7]), has_second=False)
def gillespie_with_fixed_draws(p):
    """A stochastic run whose times carry the derivative, choices stay what they are."""
    rng = np.random.default_rng(3)
    birth, death, predation = p
    x, y, t, area = 8, 3, 0.0, 0.0
    for _ in range(15):
        rates = np.array([birth * x, predation * x * y * 0.1, death * y])
        total = rates.sum()
        wait = rng.standard_exponential() / total
        which = int(np.searchsorted(np.cumsum(rates) / total, rng.random()))
        t += wait
        area += x * wait
        x += (1, -1, 0)[which]
        y += (0, 1, -1)[which]
    return area / t + t


@program(np.array([[0.0, 1.5, 2.0], [0.6, 0.0, 0.0], [0.0, 0.7, 0.2]]), has_lanes=False)
def leslie_elasticity(A):
    def dominant(M):
        v, last = np.ones(3), 0.0
        while True:
            w = M @ v
            rate = np.linalg.norm(w)
            v = w / rate
            if abs(rate - last) < 1e-15:
                return rate, v
            last = rate

    (rate, stable), (_, value) = dominant(A), dominant(A.T)
    sensitivity = np.outer(value, stable) / (value @ stable)
    elasticity = A / rate * sensitivity
    return rate + np.sum(elasticity[[0, 0, 1, 2], [1, 2, 0, 1]] ** 2)


@dataclass
class Web:
    r: np.ndarray
    alpha: np.ndarray

    def __call__(self, n):
        return n * (self.r - self.alpha @ n)

    def jacobian(self, n):
        return np.diag(self.r - self.alpha @ n) - n[:, None] * self.alpha

    def equilibrium(self):
        n = np.full(len(self.r), 0.3)
        for _ in range(50):
            step = np.linalg.solve(self.jacobian(n), self(n))
            n = n - step
            if np.linalg.norm(step, np.inf) < 1e-13:
                return n
        raise RuntimeError("no equilibrium")


@program(
    {"r": np.array([1.0, 0.9, 1.1]), "a": np.array([[1, 0.2, 0.3], [0.4, 1, 0.1], [0.2, 0.3, 1]])}
)
def food_web_stability(p):
    web = Web(p["r"], p["a"])
    n = web.equilibrium()
    return np.max(np.linalg.eigvals(web.jacobian(n)).real) + n @ n


@program(np.array([[3.0, 0.5, 1.0], [1.0, 2.0, 0.2], [0.4, 1.5, 2.5]]))
def replicator(A):
    x = np.array([0.2, 0.5, 0.3])
    for _ in range(20):
        fitness = A @ x
        x = x * np.exp(0.1 * (fitness - x @ fitness))
        x /= x.sum()
    return x @ A @ x


@program({"A": np.array([[3.0, -1.0], [0.5, 2.0]]), "temper": 1.6})
def quantal_response(p):
    """The equilibrium of two players who err, by a damped fixed point."""

    def logit(u):
        e = np.exp((u - np.max(u)) / p["temper"])
        return e / e.sum()

    x = y = np.array([0.5, 0.5])
    gap, turns = np.inf, 0
    while gap > 1e-13 and turns < 200:
        turns += 1
        new_x, new_y = logit(p["A"] @ y), logit(-p["A"].T @ x)
        gap = max(np.abs(new_x - x).max(), np.abs(new_y - y).max())
        x, y = 0.5 * (x + new_x), 0.5 * (y + new_y)
    return x @ p["A"] @ y


@program(np.array([4.0, 2.5, 1.2, 3.3]))
def shapley(values):
    def worth(group):
        return np.sqrt(sum(values[i] for i in group)) if group else 0.0

    share = dict.fromkeys(range(4), 0.0)
    for order in itertools.permutations(range(4)):
        for k, player in enumerate(order):
            share[player] += (worth(order[: k + 1]) - worth(order[:k])) / 24
    return sum(s**2 for s in share.values())


@program({"reward": np.array([[0.1, 1.0], [0.5, 0.2], [0.9, 0.3]]), "discount": 0.85, "slip": 0.2})
def policy_iteration(p):
    n_states, n_actions = p["reward"].shape
    P = np.zeros((n_actions, n_states, n_states))
    for s in range(n_states):
        P[0, s, (s + 1) % 3] += 1 - p["slip"]
        P[0, s, s] += p["slip"]
        P[1, s, (s - 1) % 3] += 1 - p["slip"]
        P[1, s, s] += p["slip"]
    policy = [0] * n_states
    while True:
        Pp = np.array([P[a, s] for s, a in enumerate(policy)])
        r = np.array([p["reward"][s, a] for s, a in enumerate(policy)])
        V = np.linalg.solve(np.eye(n_states) - p["discount"] * Pp, r)
        Q = p["reward"] + p["discount"] * np.einsum("ast,t->sa", P, V)
        better = [int(a) for a in np.argmax(Q, axis=1)]
        if better == policy:
            break
        policy = better
    return np.dot(V, [0.5, 0.3, 0.2])


# --- markets
Quote = namedtuple("Quote", "maturity rate")


class Curve:
    def __init__(self, quotes):
        self.times, self.logs = [0.0], [0.0]
        for q in sorted(quotes):
            self.add(q)

    def discount(self, t):
        i = min(max(bisect.bisect_left(self.times, t), 1), len(self.times) - 1)
        (a, b), (x, y) = self.times[i - 1 : i + 1], self.logs[i - 1 : i + 1]
        return np.exp(x + (y - x) * (t - a) / (b - a))

    def add(self, q):
        self.times.append(q.maturity)
        self.logs.append(-q.rate * q.maturity)
        for _ in range(20):
            coupons = [self.discount(t) for t in np.arange(0.5, q.maturity + 0.25, 0.5)]
            miss = q.rate * 0.5 * sum(coupons) + coupons[-1] - 1
            slope = coupons[-1] * (1 + q.rate * 0.5)
            self.logs[-1] -= miss / slope
            if abs(miss) < 1e-14:
                break


@program(np.array([0.02, 0.025, 0.031, 0.033]))
def bootstrap_of_swaps(rates):
    curve = Curve(Quote(m, r) for m, r in zip((0.5, 1.0, 2.0, 3.0), rates, strict=True))
    forward = np.log(curve.discount(1.25) / curve.discount(2.75)) / 1.5
    return 100 * forward + curve.discount(1.7)


@program({"spot": 100.0, "vol": 0.25, "rate": 0.03}, has_lanes=False, has_second=False)
def longstaff_schwartz(p):
    rng = np.random.default_rng(7)
    z = rng.standard_normal((4, 24))
    z = np.concatenate([z, -z], axis=1)
    dt = 0.25
    steps = (p["rate"] - p["vol"] ** 2 / 2) * dt + p["vol"] * np.sqrt(dt) * z
    paths = p["spot"] * np.exp(np.cumsum(steps, axis=0))
    cash = np.maximum(102 - paths[-1], 0)
    for s in paths[-2::-1]:
        cash = cash * np.exp(-p["rate"] * dt)
        money = np.flatnonzero(s < 102)
        if len(money) > 4:
            basis = np.vander(s[money] / 100, 3)
            coef, *_ = np.linalg.lstsq(basis, cash[money], rcond=None)
            stop = 102 - s[money] > basis @ coef
            cash[money[stop]] = (102 - s[money])[stop]
    return np.exp(-p["rate"] * dt) * cash.mean()


@program(
    {
        "mu": np.array([0.06, 0.09, 0.05]),
        "L": np.array([[0.2, 0, 0], [0.05, 0.25, 0], [0.02, 0.1, 0.15]]),
    }
)
def markowitz_active_set(p):
    """Weights may not be negative: assets leave until all that stay are held."""
    cov = p["L"] @ p["L"].T
    held = list(range(3))
    while held:
        sub = cov[np.ix_(held, held)]
        w = np.linalg.solve(sub, p["mu"][held])
        w = w / w.sum()
        out = [i for i, x in zip(held, w, strict=True) if x <= 0]
        if not out:
            break
        with suppress(ValueError):
            for i in out:
                held.remove(i)
    return w @ p["mu"][held] / np.sqrt(w @ sub @ w)


@program(np.array([0.05, 0.1, 0.85, 1.1]), has_second=False)
def garch_with_students_t(p):
    omega, alpha, beta, scale = p
    r = np.random.default_rng(5).standard_t(6, size=25) * 0.9
    h, loglik = np.var(r), 0.0
    for x in r:
        loglik += -0.5 * np.log(h) - 3.5 * np.log1p(x * x / (5 * scale * h))
        h = omega + alpha * x**2 + beta * h
    return -loglik / len(r)
