"""Signals, soundings of the ground, pictures, controllers, and recipes of numerical analysis."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from everyday_programs.registry import program

rng = np.random.default_rng(0)
SIGNAL = np.cos(0.7 * np.arange(24)) + 0.3 * rng.normal(size=24)


# --- signals
@program(SIGNAL[:12].copy())
def burg_spectrum(x):
    """Reflection coefficients one after the other; the spectrum of the model that they give."""
    forward, backward = x[1:], x[:-1]
    a, power = np.ones(1), np.mean(x**2)
    for _ in range(3):
        k = -2 * (forward @ backward) / (forward @ forward + backward @ backward)
        a = np.append(a, 0) + k * np.append(a, 0)[::-1]
        power *= 1 - k**2
        forward, backward = (forward + k * backward)[1:], (backward + k * forward)[:-1]
    w = np.linspace(0.1, 3, 9)
    response = np.array([np.polyval(a[::-1], np.exp(-1j * v)) for v in w])
    return np.sum(np.log(power / np.abs(response) ** 2))


@program({"r": np.array([2.0, 0.9, 0.5, 0.2])})
def levinson_durbin(p):
    r = p["r"]
    a, e = np.array([1.0]), r[0]
    for m in range(1, len(r)):
        k = -sum(a[i] * r[m - i] for i in range(m)) / e
        longer = np.zeros(m + 1)
        longer[:m] += a
        longer[1:] += k * a[::-1]
        a, e = longer, e * (1 - k * k)
    return e + np.abs(np.roots(a)).prod()


@program(np.array([0.3, 1.1, -0.4]))
def goertzel_and_window(p):
    def goertzel(x, f):
        c = 2 * np.cos(2 * np.pi * f)
        s1 = s2 = 0.0
        for v in x:
            s1, s2 = v + c * s1 - s2, s1
        return s1**2 + s2**2 - c * s1 * s2

    window = 0.5 - p[0] * np.cos(2 * np.pi * np.arange(24) / 23)
    x = window * (SIGNAL * p[1] + p[2])
    return sum(goertzel(x, f) for f in (0.05, 0.11, 0.2)) / 24


@program(np.array([0.4, 0.9]))
def phase_vocoder(p):
    """Frames by a generator, stretched in time, added up again where they lie."""

    def frames(x, n, hop) -> Iterator[np.ndarray]:
        for start in range(0, len(x) - n + 1, hop):
            yield x[start : start + n]

    window = np.hanning(8)
    spectra = [np.fft.rfft(window * f) for f in frames(SIGNAL * p[1], 8, 2)]
    out, phase = np.zeros(40), np.angle(spectra[0])
    for k, (before, now) in enumerate(itertools.pairwise(spectra)):
        phase = phase + (1 + p[0]) * np.angle(now * np.conj(before))
        out[3 * k : 3 * k + 8] += window * np.fft.irfft(np.abs(now) * np.exp(1j * phase))
    return np.sum(out**2)


# --- soundings
@program({"rho": np.log(np.array([100.0, 10.0, 300.0])), "h": np.array([200.0, 400.0])})
def magnetotellurics(p):
    """Wait's recursion from the half-space up."""
    rho, apparent = np.exp(p["rho"]), []
    for period in 10.0 ** np.arange(-2, 2):
        omega = 2 * np.pi / period
        Z = np.sqrt(1j * omega * 4e-7 * np.pi * rho[-1])
        for r, h in zip(rho[-2::-1], p["h"][::-1], strict=True):
            own = np.sqrt(1j * omega * 4e-7 * np.pi * r)
            back = (own - Z) / (own + Z) * np.exp(-2 * own / r * h)
            Z = own * (1 - back) / (1 + back)
        apparent.append((abs(Z) ** 2 / (omega * 4e-7 * np.pi), np.angle(Z)))
    rho_a, phase = np.array(apparent).T
    return np.mean(np.log(rho_a)) + phase @ phase


@program(1.0 + 0.1 * rng.normal(size=(5, 5)), has_second=False, has_lanes=False)
def eikonal_fast_sweeping(slowness):
    n, h = len(slowness), 0.2
    t = np.full((n + 2, n + 2), 1e3)
    t[1, 1] = 0.0
    for _ in range(2):
        for rows in (range(1, n + 1), range(n, 0, -1)):
            for columns in (range(1, n + 1), range(n, 0, -1)):
                for i in rows:
                    for j in columns:
                        a, b = min(t[i - 1, j], t[i + 1, j]), min(t[i, j - 1], t[i, j + 1])
                        f = slowness[i - 1, j - 1] * h
                        if abs(a - b) >= f:
                            new = min(a, b) + f
                        else:
                            new = (a + b + np.sqrt(2 * f * f - (a - b) ** 2)) / 2
                        if new < t[i, j]:
                            t[i, j] = new
    return np.sum(t[1:-1, 1:-1] ** 2)


@program(
    {"x": np.array([[1.0, -0.5], [2.0, 1.2], [1.5, 2.8], [-0.4, 1.9], [-0.8, 0.3]]), "rho": 0.7}
)
def gravity_of_polygon(p):
    """Talwani's line integral around a body, seen from stations above."""
    corners = p["x"] + np.array([0.0, 3.0])
    total = 0.0
    for station in (-1.0, 0.5, 2.0):
        at = corners - np.array([station, 0.0])
        for (x1, z1), (x2, z2) in zip(at, np.roll(at, -1, axis=0), strict=True):
            dx, dz = x2 - x1, z2 - z1
            area = (x1 * z2 - x2 * z1) / (dx**2 + dz**2)
            turn = math.pi / 2 - np.arctan2(x1, z1) - (math.pi / 2 - np.arctan2(x2, z2))
            total += area * (dx * turn + dz * 0.5 * np.log((x2**2 + z2**2) / (x1**2 + z1**2)))
    return (p["rho"] * total) ** 2


# --- pictures
def sphere(center, radius):
    return lambda p: np.linalg.norm(p - center) - radius


def smooth_union(*shapes, k=0.3):
    def distance(p):
        parts = np.array([s(p) for s in shapes])
        return -k * np.log(np.sum(np.exp(-parts / k)))

    return distance


@program(
    {"center": np.array([0.2, 0.1, 0.0]), "radius": 0.8, "light": np.array([1.0, 2.0, -1.5])},
    has_second=False,
)
def ray_marching(p):
    scene = smooth_union(sphere(p["center"], p["radius"]), lambda q: q[1] + 1.0)
    eye, shade = np.array([0.0, 0.4, -3.0]), 0.0
    for u, v in ((0.0, 0.0), (0.1, -0.05), (-0.15, 0.1)):
        ray = np.array([u, v, 1.0]) / np.sqrt(1 + u * u + v * v)
        t = 0.0
        for _ in range(12):
            t = t + scene(eye + t * ray)
        hit = eye + t * ray
        normal = np.array([scene(hit + e) - scene(hit - e) for e in 1e-3 * np.eye(3)])
        normal /= np.linalg.norm(normal)
        to_light = p["light"] - hit
        to_light = to_light / np.sqrt(to_light @ to_light)
        half = to_light - ray
        shade += max(0.0, normal @ to_light) + 0.2 * (normal @ half / np.linalg.norm(half)) ** 8
    return shade


@program(rng.normal(size=(4, 4, 2)))
def bezier_patch_area(net):
    """De Casteljau in both directions; the area by sums over small squares."""

    def between(points, t):
        while len(points) > 1:
            points = [(1 - t) * a + t * b for a, b in itertools.pairwise(points)]
        return points[0]

    def at(u, v):
        return between([between(list(row), v) for row in net], u)

    grid = np.array([[at(u, v) for v in (0, 0.5, 1)] for u in (0, 0.5, 1)])
    du, dv = np.diff(grid, axis=0)[:, :-1], np.diff(grid, axis=1)[:-1]
    cross = du[..., 0] * dv[..., 1] - du[..., 1] * dv[..., 0]
    return np.sqrt(cross**2 + 0.1).sum()


# --- controllers
@dataclass
class Pid:
    kp: float
    ki: float
    kd: float
    limit: float = 3.0
    integral: float = 0.0
    last: float | None = None
    log: list = field(default_factory=list)

    def __call__(self, error, dt):
        slope = 0.0 if self.last is None else (error - self.last) / dt
        wanted = self.kp * error + self.ki * (self.integral + error * dt) + self.kd * slope
        u = np.clip(wanted, -self.limit, self.limit)
        if u == wanted:
            self.integral += error * dt
        self.last = error
        self.log.append(u)
        return u


@program(np.array([4.0, 1.5, 0.3]), has_second=False)
def pid_with_antiwindup(gains):
    control, x, v, cost = Pid(*gains), 0.0, 0.0, 0.0
    for _ in range(30):
        u = control(1.0 - x, 0.05)
        v += 0.05 * (u - 0.8 * v - 2 * np.sin(x))
        x += 0.05 * v
        cost += 0.05 * ((1 - x) ** 2 + 0.01 * u**2)
    return cost + 0.1 * np.std(control.log)


@program(
    {"A": np.array([[1.0, 0.1], [-0.05, 0.97]]), "B": np.array([[0.0], [0.1]]), "q": 2.0},
    has_lanes=False,
)
def riccati_to_the_end(p):
    A, B, Q, R = p["A"], p["B"], p["q"] * np.eye(2), np.array([[0.5]])
    P, change = Q, 1.0
    while change > 1e-12:
        K = np.linalg.solve(R + B.T @ P @ B, B.T @ P @ A)
        new = Q + A.T @ P @ (A - B @ K)
        change = np.linalg.norm(new - P) / np.linalg.norm(P)
        P = new
    return np.trace(P) + np.max(np.abs(np.linalg.eigvals(A - B @ K)))


# --- recipes
@program(np.array([1.3, 0.4]))
def romberg(p):
    def f(x):
        return np.exp(-p[0] * x) * np.sin(p[1] * x + 1)

    table = {(0, 0): 0.5 * 2.0 * (f(0.0) + f(2.0))}
    for n in range(1, 12):
        h = 2.0 / 2**n
        table[n, 0] = 0.5 * table[n - 1, 0] + h * sum(f(h * k) for k in range(1, 2**n, 2))
        for m in range(1, n + 1):
            table[n, m] = table[n, m - 1] + (table[n, m - 1] - table[n - 1, m - 1]) / (4**m - 1)
        if abs(table[n, n] - table[n - 1, n - 1]) < 1e-12:
            return table[n, n]
    raise ArithmeticError("no convergence")


@program(np.array([[2.0, 0.3, 0.1], [0.3, 1.0, 0.4], [0.1, 0.4, 3.0]]), tolerance=1e-5)
def jacobi_rotations(A):
    A = (A + A.T) / 2
    V = np.eye(3)
    while np.sqrt(np.sum(np.tril(A, -1) ** 2)) > 1e-13:
        for i, j in ((0, 1), (0, 2), (1, 2)):
            if abs(A[i, j]) < 1e-300:
                continue
            theta = (A[j, j] - A[i, i]) / (2 * A[i, j])
            t = np.sign(theta) / (abs(theta) + np.hypot(1, theta))
            c = 1 / np.sqrt(1 + t * t)
            J = np.eye(3)
            J[i, i] = J[j, j] = c
            J[i, j], J[j, i] = t * c, -t * c
            A, V = J.T @ A @ J, V @ J
    return np.log(np.diag(A)) @ (V[0] ** 2)


@program(np.array([0.8, 1.7]))
def chebyshev_collocation(p):
    """u'' = p0 exp(u) + p1 x with zero ends, by a matrix of derivatives and Newton's method."""
    n = 8
    x = np.cos(np.pi * np.arange(n + 1) / n)
    c = np.r_[2, np.ones(n - 1), 2] * (-1) ** np.arange(n + 1)
    D = np.outer(c, 1 / c) / (x[:, None] - x + np.eye(n + 1))
    D -= np.diag(D.sum(axis=1))
    D2 = (D @ D)[1:-1, 1:-1]
    u = np.zeros(n - 1)
    try:
        for _ in range(20):
            r = D2 @ u - p[0] * np.exp(u) - p[1] * x[1:-1]
            step = np.linalg.solve(D2 - np.diag(p[0] * np.exp(u)), r)
            u -= step
            if np.abs(step).max() < 1e-13:
                raise StopIteration
    except StopIteration:
        pass
    return np.sum(u**2) + (D @ np.pad(u, 1))[0]
