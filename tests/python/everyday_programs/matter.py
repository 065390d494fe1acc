"""Molecules, lattices, particles, stars and fields."""

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass, field, replace

import numpy as np

from everyday_programs.registry import program

# --- Hartree-Fock of two electrons in s-type Gaussians (Szabo and Ostlund, appendix A)
EXPONENTS = np.array([0.168856, 0.623913, 3.42525])
WEIGHTS = np.array([0.444635, 0.535328, 0.154329])


def boys_zero(t):
    if t < 1e-8:
        return 1.0 - t / 3.0
    return 0.5 * np.sqrt(np.pi / t) * (1 - np.exp(-t) * tail(t)) if t > 12 else boys_series(t)


def tail(t):
    return 1 / np.sqrt(np.pi * t) * (1 - 1 / (2 * t))


def boys_series(t):
    term = 1.0
    total = 1.0
    k = 0
    while abs(term) > 1e-15 * abs(total):
        k += 1
        term *= 2 * t / (2 * k + 1)
        total += term
    return np.exp(-t) * total


class Shell:
    def __init__(self, center, zeta):
        self.center = np.asarray(center)
        self.primitives = [
            (a * zeta**2, w * (2 * a * zeta**2 / np.pi) ** 0.75)
            for a, w in zip(EXPONENTS, WEIGHTS, strict=True)
        ]


def overlap_kinetic(p, q):
    r2 = np.sum((p.center - q.center) ** 2)
    s = t = 0.0
    for (a, c), (b, d) in itertools.product(p.primitives, q.primitives):
        mu = a * b / (a + b)
        one = c * d * (np.pi / (a + b)) ** 1.5 * np.exp(-mu * r2)
        s += one
        t += mu * (3 - 2 * mu * r2) * one
    return s, t


def attraction(p, q, nuclei):
    r2 = np.sum((p.center - q.center) ** 2)
    v = 0.0
    for (a, c), (b, d) in itertools.product(p.primitives, q.primitives):
        at = (a * p.center + b * q.center) / (a + b)
        for z, where in nuclei:
            f = boys_zero((a + b) * np.sum((at - where) ** 2))
            v -= 2 * np.pi / (a + b) * z * c * d * np.exp(-a * b / (a + b) * r2) * f
    return v


def repulsion(p, q, r, s):
    total = 0.0
    pq, rs = np.sum((p.center - q.center) ** 2), np.sum((r.center - s.center) ** 2)
    for (a, ca), (b, cb) in itertools.product(p.primitives, q.primitives):
        x = (a * p.center + b * q.center) / (a + b)
        for (c, cc), (d, cd) in itertools.product(r.primitives, s.primitives):
            y = (c * r.center + d * s.center) / (c + d)
            n, m = a + b, c + d
            f = boys_zero(n * m / (n + m) * np.sum((x - y) ** 2))
            damp = np.exp(-a * b / n * pq - c * d / m * rs)
            total += ca * cb * cc * cd * 2 * np.pi**2.5 / (n * m * np.sqrt(n + m)) * damp * f
    return total


@program({"bond": 1.4, "zeta": np.array([1.24, 1.2])}, has_lanes=False, tolerance=1e-5)
def hartree_fock(p):
    nuclei = [(1.0, np.zeros(3)), (1.0, np.array([0.0, 0.0, p["bond"]]))]
    shells = [Shell(where, z) for (_, where), z in zip(nuclei, p["zeta"], strict=True)]
    n = len(shells)
    S, H = np.zeros((n, n)), np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            S[i, j], H[i, j] = overlap_kinetic(shells[i], shells[j])
            H[i, j] += attraction(shells[i], shells[j], nuclei)
            S[j, i], H[j, i] = S[i, j], H[i, j]
    table = {}
    G = np.empty((n,) * 4)
    for i, j, k, m in itertools.product(range(n), repeat=4):
        pair = tuple(sorted((tuple(sorted((i, j))), tuple(sorted((k, m))))))
        if pair not in table:
            table[pair] = repulsion(*(shells[x] for x in itertools.chain(*pair)))
        G[i, j, k, m] = table[pair]
    w, U = np.linalg.eigh(S)
    X = U @ np.diag(w**-0.5) @ U.T
    D, energy = np.zeros((n, n)), 0.0
    for _ in range(60):
        F = H + np.einsum("kl,ijkl->ij", D, G) - 0.5 * np.einsum("kl,ikjl->ij", D, G)
        last, energy = energy, 0.5 * np.sum(D * (H + F))
        if _ > 2 and abs(energy - last) < 1e-14:
            break
        _, C = np.linalg.eigh(X.T @ F @ X)
        C = X @ C
        D = 2 * np.outer(C[:, 0], C[:, 0])
    return energy + 1.0 / p["bond"]


# --- molecular dynamics with cells and a list of neighbours
@dataclass
class Box:
    length: float
    cutoff: float = 1.6
    pairs: list = field(default_factory=list)

    def rebuild(self, x):
        n = int(self.length // self.cutoff)
        cells = defaultdict(list)
        for i, at in enumerate(x):
            cells[tuple(int(c // (self.length / n)) % n for c in at)].append(i)
        self.pairs.clear()
        near = list(itertools.product((-1, 0, 1), repeat=2))
        for cell, members in cells.items():
            for shift in near:
                other = tuple((c + s) % n for c, s in zip(cell, shift, strict=True))
                self.pairs += [(i, j) for i in members for j in cells.get(other, ()) if i < j]
        self.pairs = sorted(set(self.pairs))

    def forces(self, x, eps):
        f, u = np.zeros_like(x), 0.0
        for i, j in self.pairs:
            d = x[i] - x[j]
            d -= self.length * np.round(d / self.length)
            r2 = d @ d
            if r2 >= self.cutoff**2:
                continue
            s6 = 1 / r2**3
            u += 4 * eps * s6 * (s6 - 1)
            pull = 24 * eps * s6 * (2 * s6 - 1) / r2 * d
            f[i] += pull
            f[j] -= pull
        return f, u


@program({"eps": 0.9, "kick": np.array([0.3, -0.2])}, has_lanes=False)
def molecular_dynamics(p):
    side = np.arange(4) * 1.2 + 0.3
    x = np.array([(a, b) for a in side for b in side])
    v = np.array(0.1 * np.random.default_rng(0).normal(size=x.shape))
    v[5] += p["kick"]
    v -= v.mean(axis=0)
    box = Box(4.8)
    box.rebuild(x)
    f, u = box.forces(x, p["eps"])
    for step in range(6):
        v = v + 0.5 * 0.01 * f
        x = (x + 0.01 * v) % box.length
        if step % 3 == 2:
            box.rebuild(x)
        f, u = box.forces(x, p["eps"])
        v = v + 0.5 * 0.01 * f
    return u + 0.5 * (v**2).sum()


@program({"q": np.array([1.0, -1.1, 0.6, -0.5]), "alpha": 0.9})
def ewald(p):
    r = np.array([[0.1, 0.2, 0.3], [1.1, 0.4, 0.2], [0.3, 1.2, 1.4], [1.3, 1.5, 0.9]])
    L, a, q = 2.0, p["alpha"], p["q"]
    real = 0.0
    for shift in itertools.product((-1, 0, 1), repeat=3):
        for i, j in itertools.product(range(4), repeat=2):
            if i == j and not any(shift):
                continue
            d = np.linalg.norm(r[i] - r[j] + L * np.array(shift))
            real += 0.5 * q[i] * q[j] * math.erfc(0.8 * d) / d
    far = 0.0
    for n in itertools.product(range(-2, 3), repeat=3):
        if n == (0, 0, 0):
            continue
        k = 2 * np.pi / L * np.array(n)
        k2 = k @ k
        s = np.sum(q * np.exp(1j * (r @ k)))
        far += 2 * np.pi / L**3 * np.exp(-k2 / (4 * a**2)) / k2 * abs(s) ** 2
    return real + far - a / np.sqrt(np.pi) * np.sum(q**2)


@program(np.array([0.8, 0.3]))
def ising_transfer_matrix(p):
    J, h = p
    spins = list(itertools.product([-1, 1], repeat=3))
    T = np.empty((len(spins), len(spins)))
    for i, a in enumerate(spins):
        for j, b in enumerate(spins):
            bonds = sum(x * y for x, y in zip(a, b, strict=True))
            bonds += sum(a[k] * a[(k + 1) % 3] + b[k] * b[(k + 1) % 3] for k in range(3)) / 2
            T[i, j] = np.exp(J * bonds + h * (sum(a) + sum(b)) / 2)
    v = np.ones(len(spins)) / np.sqrt(len(spins))
    change = 1.0
    while change > 1e-14:
        w = T @ v
        w /= np.linalg.norm(w)
        change = np.linalg.norm(w - v)
        v = w
    return np.log(v @ T @ v) / 3


@program(np.array([2.7, 0.4]))
def graphene_bands(p):
    t, overlap = p
    total = 0.0
    for kx, ky in np.random.default_rng(1).uniform(-2, 2, (6, 2)):
        f = 1 + np.exp(1j * kx) + np.exp(1j * (kx + ky) / 2)
        H = np.array([[0, -t * f], [-t * np.conj(f), 0.3]])
        S = np.array([[1, overlap * f / 4], [overlap * np.conj(f) / 4, 1]])
        L = np.linalg.cholesky(S)
        inv = np.linalg.inv(L)
        total = total + np.linalg.eigvalsh(inv @ H @ inv.conj().T)[0]
    return total / 6


@dataclass(frozen=True)
class State:
    rho: np.ndarray
    mom: np.ndarray
    ene: np.ndarray
    gamma: float = 1.4

    @property
    def velocity(self):
        return self.mom / self.rho

    @property
    def pressure(self):
        return (self.gamma - 1) * (self.ene - 0.5 * self.mom * self.velocity)

    @property
    def sound(self):
        return np.sqrt(self.gamma * self.pressure / self.rho)

    def flux(self):
        u = self.velocity
        return np.stack([self.mom, self.mom * u + self.pressure, u * (self.ene + self.pressure)])


@program({"left": np.array([1.0, 1.0]), "gamma": 1.4}, has_lanes=False)
def shock_tube_hll(p):
    n = 16
    x = (np.arange(n) + 0.5) / n
    rho = np.where(x < 0.5, p["left"][0], 0.125)
    pres = np.where(x < 0.5, p["left"][1], 0.1)
    s = State(rho, np.zeros(n), pres / (p["gamma"] - 1), p["gamma"])
    for _ in range(5):
        U, F = np.array([s.rho, s.mom, s.ene]), s.flux()
        sl = np.minimum(s.velocity[:-1] - s.sound[:-1], s.velocity[1:] - s.sound[1:])
        sr = np.maximum(s.velocity[:-1] + s.sound[:-1], s.velocity[1:] + s.sound[1:])
        star = (sr * F[:, :-1] - sl * F[:, 1:] + sl * sr * (U[:, 1:] - U[:, :-1])) / (sr - sl)
        face = np.where(sl > 0, F[:, :-1], np.where(sr < 0, F[:, 1:], star))
        U[:, 1:-1] -= 0.02 * n / 2 * np.diff(face, axis=1)
        s = replace(s, rho=U[0], mom=U[1], ene=U[2])
    return np.sum(s.rho * x) + np.sum(s.pressure**2)


@program(np.array([1.5, 0.3]), has_second=False, has_lanes=False)
def polytrope(p):
    """The Lane-Emden equation until the density is gone, by steps whose length adapts."""
    index, h = p[0], 0.05
    xi, y = 1e-3, np.array([1.0, 0.0])

    def slope(xi, y):
        return np.array([-y[1] / xi**2, np.abs(y[0]) ** index * np.sign(y[0]) * xi**2])

    while True:
        k1 = slope(xi, y)
        k2 = slope(xi + h / 2, y + h / 2 * k1)
        k3 = slope(xi + h / 2, y + h / 2 * k2)
        k4 = slope(xi + h, y + h * k3)
        new = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        if new[0] < 0:
            break
        xi, y = xi + h, new
    return xi + y[0] / slope(xi, y)[0] * -1 + p[1] * y[1]


@program(np.array([0.6, 1.3, 0.2]))
def multigrid(p):
    def smooth(u, f, h, times):
        for _ in range(times):
            for colour in (1, 2):
                inner = u[colour - 1 : -2 : 2] + u[colour + 1 :: 2]
                u[colour:-1:2] = 0.5 * (inner + h * h * f[colour:-1:2])
        return u

    def cycle(u, f, h):
        if len(u) <= 3:
            u[1] = 0.5 * (u[0] + u[2] + h * h * f[1])
            return u
        u = smooth(u, f, h, 2)
        r = np.zeros_like(u)
        r[1:-1] = f[1:-1] + (u[2:] - 2 * u[1:-1] + u[:-2]) / h**2
        coarse = np.zeros(len(u) // 2 + 1)
        coarse[1:-1] = (r[1:-2:2] + 2 * r[2:-1:2] + r[3::2]) / 4
        e = cycle(np.zeros_like(coarse), coarse, 2 * h)
        u[::2] += e
        u[1::2] += 0.5 * (e[1:] + e[:-1])
        return smooth(u, f, h, 2)

    x = np.linspace(0, 1, 17)
    f = p[0] * np.sin(np.pi * x) + p[1] * x**2
    u = np.zeros(17)
    u[-1] = p[2]
    for _ in range(3):
        u = cycle(u, f, x[1])
    return np.sum(u**2)


@program(np.array([[0.4, 0.1], [0.2, 0.9], [0.8, 0.3], [0.1, 0.7]]))
def barnes_hut(points):
    """Potential of a tree: nodes are dicts, far ones count as their centre."""

    def build(items, corner, size):
        node = {"mass": sum(m for m, _ in items), "size": size}
        node["at"] = sum(m * x for m, x in items) / node["mass"]
        if len(items) > 1:
            halves = defaultdict(list)
            for m, x in items:
                halves[tuple(bool(v) for v in x > corner + size / 2)].append((m, x))
            node["kids"] = [
                build(part, corner + np.array(key) * size / 2, size / 2)
                for key, part in sorted(halves.items())
            ]
        return node

    def potential(node, x):
        d = np.sqrt(((x - node["at"]) ** 2).sum() + 0.01)
        if "kids" not in node or node["size"] / d < 0.7:
            yield -node["mass"] / d
        else:
            for kid in node["kids"]:
                yield from potential(kid, x)

    tree = build([(1.0 + 0.1 * i, x) for i, x in enumerate(points)], np.zeros(2), 1.0)
    return sum(sum(potential(tree, x)) for x in points)


@program({"k": np.array([2.0, 0.7, 0.1]), "x0": np.array([1.0, 0.2, 0.0])})
def stiff_kinetics(p):
    """Implicit Euler with Newton's method and a Jacobian by complex steps."""

    def rate(x):
        a, b, c = x
        k1, k2, k3 = p["k"]
        return np.array([-k1 * a + k3 * b * c, k1 * a - k3 * b * c - k2 * b**2, k2 * b**2])

    def jacobian(x, h=1e-20):
        return np.column_stack([np.imag(rate(x + 1j * h * e)) / h for e in np.eye(3)])

    x = p["x0"]
    for _ in range(4):
        old, dx = x, np.ones(3)
        while np.linalg.norm(dx) > 1e-12:
            dx = np.linalg.solve(np.eye(3) - 0.3 * jacobian(x), old + 0.3 * rate(x) - x)
            x = x + dx
    return x @ np.array([1.0, 2.0, 3.0])
