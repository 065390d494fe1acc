"""Geodesy, kinetics, control, splines, strings, orbits, volatility, elements, scans, beams."""

import collections
import functools
import operator

import numpy as np

from everyday_programs.registry import program

rng = np.random.default_rng(4)


WGS_A, WGS_F = 6378.137, 1 / 298.257223563


@program(np.array([50.1, 8.7, 48.2, 16.4]))
def vincenty(p):
    lat1, lon1, lat2, lon2 = np.radians(p)
    b = WGS_A * (1 - WGS_F)
    U1, U2 = np.arctan((1 - WGS_F) * np.tan(lat1)), np.arctan((1 - WGS_F) * np.tan(lat2))
    L = lon2 - lon1
    lam = L
    su1, cu1, su2, cu2 = np.sin(U1), np.cos(U1), np.sin(U2), np.cos(U2)
    for _it in range(200):
        sl, cl = np.sin(lam), np.cos(lam)
        ss = np.hypot(cu2 * sl, cu1 * su2 - su1 * cu2 * cl)
        if ss == 0:
            return 0.0 * L
        cs = su1 * su2 + cu1 * cu2 * cl
        sig = np.arctan2(ss, cs)
        sa = cu1 * cu2 * sl / ss
        c2 = 1 - sa**2
        try:
            c2m = cs - 2 * su1 * su2 / c2
        except ZeroDivisionError:
            c2m = 0.0
        C = WGS_F / 16 * c2 * (4 + WGS_F * (4 - 3 * c2))
        prev, lam = (
            lam,
            L + (1 - C) * WGS_F * sa * (sig + C * ss * (c2m + C * cs * (-1 + 2 * c2m**2))),
        )
        if abs(lam - prev) < 1e-14:
            break
    u2 = c2 * (WGS_A**2 - b**2) / b**2
    A = 1 + u2 / 16384 * (4096 + u2 * (-768 + u2 * (320 - 175 * u2)))
    B = u2 / 1024 * (256 + u2 * (-128 + u2 * (74 - 47 * u2)))
    ds = (
        B
        * ss
        * (
            c2m
            + B / 4 * (cs * (-1 + 2 * c2m**2) - B / 6 * c2m * (-3 + 4 * ss**2) * (-3 + 4 * c2m**2))
        )
    )
    return b * A * (sig - ds) / 100


@program(np.array([4201.2, 168.0, 4780.1]))
def ecef_to_geodetic_bowring_loop(xyz):
    x, y, z = xyz
    e2 = WGS_F * (2 - WGS_F)
    lon = np.arctan2(y, x)
    p = np.sqrt(x * x + y * y)
    lat = np.arctan2(z, p * (1 - e2))
    n = 0
    while True:
        N = WGS_A / np.sqrt(1 - e2 * np.sin(lat) ** 2)
        h = p / np.cos(lat) - N
        new = np.arctan2(z, p * (1 - e2 * N / (N + h)))
        n += 1
        done = np.abs(new - lat) < 1e-15 or n > 30
        lat = new
        if done:
            break
    return np.degrees(lat) / 10 + np.degrees(lon) / 10 + h / 100


REACTIONS = [({"A": 1, "B": 1}, {"C": 1}), ({"C": 1}, {"D": 2}), ({"D": 1, "A": 2}, {"B": 1})]


SPECIES = sorted({s for r in REACTIONS for side in r for s in side})


@program(
    {
        "kf": np.array([1.2, 0.7, 0.3]),
        "kr": np.array([0.2, 0.4, 0.1]),
        "c0": np.array([1.0, 0.8, 0.3, 0.1]),
    }
)
def kinetics_reversible(p):
    S = np.zeros((len(SPECIES), len(REACTIONS)))
    for j, (left, right) in enumerate(REACTIONS):
        for s, n in left.items():
            S[SPECIES.index(s), j] -= n
        for s, n in right.items():
            S[SPECIES.index(s), j] += n

    def rate(c):
        conc = dict(zip(SPECIES, c, strict=False))
        v = []
        for (left, right), kf, kr in zip(REACTIONS, p["kf"], p["kr"], strict=False):
            f = functools.reduce(operator.mul, (conc[s] ** n for s, n in left.items()), kf)
            b = functools.reduce(operator.mul, (conc[s] ** n for s, n in right.items()), kr)
            v.append(f - b)
        return S @ np.array(v)

    c = p["c0"]
    for _ in range(12):
        k1 = rate(c)
        k2 = rate(c + 0.05 * k1)
        k3 = rate(c + 0.05 * k2)
        k4 = rate(c + 0.1 * k3)
        c = c + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return np.log(c).sum() + c @ np.arange(1.0, 5)


@program({"m": 1.3, "l": 0.6, "q": np.array([1.0, 0.5]), "r": 0.2})
def lqr_riccati(p):
    dt = 0.1
    A = np.eye(2)
    A[0, 1] = dt
    A = A + np.array([[0, 0], [9.81 / p["l"] * dt, 0]])
    B = np.array([[0.0], [dt / (p["m"] * p["l"] ** 2)]])
    Q, R = np.diag(p["q"]), np.array([[p["r"]]])
    P = Q
    gains = collections.deque(maxlen=3)
    for _k in range(40):
        K = np.linalg.solve(R + B.T @ P @ B, B.T @ P @ A)
        P = Q + A.T @ P @ (A - B @ K)
        gains.append(K)
    x = np.array([[0.2], [0.0]])
    cost = 0
    for K in gains:
        u = -K @ x
        cost += np.squeeze(x.T @ Q @ x + u.T @ R @ u)
        x = A @ x + B @ u
    return cost + np.trace(P)


@program(np.array([0.8, -0.4, 0.3]))
def mpc_projected(p):
    H = 6
    x0 = np.array([p[0], p[1]])
    u = np.zeros(H)
    F = np.array([[1, 0.2], [0, 1]])
    G = np.array([0.02, 0.2])
    Phi = np.vstack([np.linalg.matrix_power(F, i + 1) for i in range(H)])
    Gam = np.zeros((2 * H, H))
    for i in range(H):
        for j in range(i + 1):
            Gam[2 * i : 2 * i + 2, j] = np.linalg.matrix_power(F, i - j) @ G
    Hm = Gam.T @ Gam + p[2] ** 2 * np.eye(H)
    step = 1 / np.linalg.norm(Hm, 2)
    for _ in range(25):
        g = Hm @ u + Gam.T @ (Phi @ x0)
        u = np.clip(u - step * g, -0.5, 0.9)
    return u @ u + np.sum((Phi @ x0 + Gam @ u) ** 2)


@program(rng.normal(size=(6, 2)))
def catmull_rom(P):
    M = 0.5 * np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]])
    t, w = np.polynomial.legendre.leggauss(4)
    t = (t + 1) / 2
    np.vander(t, 4, increasing=True)[:, 1:]
    dT = np.stack([np.ones_like(t), 2 * t, 3 * t * t], 1)
    L = 0.0
    for a, b, c, d in zip(P, P[1:], P[2:], P[3:], strict=False):
        coef = M @ np.array([a, b, c, d])
        vel = dT @ coef[1:]
        L += np.sum(w / 2 * np.hypot(*vel.T))
    return L


NOISE = rng.uniform(-1, 1, 9)


@program(np.array([0.5, 0.97]))
def karplus_strong(p):
    out = np.zeros(40) + 0 * p[0]
    out[:9] = NOISE
    for i in range(9, 40):
        view = out[i - 9 : i - 7]
        out[i] = p[1] * (p[0] * view[0] + (1 - p[0]) * view[1])
    head, tail = out[:20], out[20:]
    tail *= 1.5
    return np.sum(out**2) + head @ tail


def stumpff(z):
    if z > 1e-6:
        s = np.sqrt(z)
        return (1 - np.cos(s)) / z, (s - np.sin(s)) / s**3
    if z < -1e-6:
        s = np.sqrt(-z)
        return (1 - np.cosh(s)) / z, (np.sinh(s) - s) / s**3
    return 0.5 - z / 24, 1 / 6 - z / 120


@program({"r": np.array([1.0, 0.1, 0.05]), "v": np.array([-0.1, 0.95, 0.2]), "dt": 1.7})
def universal_kepler(p):
    r0v, v0v = p["r"], p["v"]
    r0, v0 = np.linalg.norm(r0v), np.linalg.norm(v0v)
    vr = r0v @ v0v / r0
    al = 2 / r0 - v0**2
    chi = np.sqrt(abs(al)) * p["dt"] * 1.0
    ratio = 1.0
    n = 0
    while abs(ratio) > 1e-13 and n < 50:
        C, S = stumpff(al * chi**2)
        F = r0 * vr * chi**2 * C + (1 - al * r0) * chi**3 * S + r0 * chi - p["dt"]
        dF = r0 * vr * chi * (1 - al * chi**2 * S) + (1 - al * r0) * chi**2 * C + r0
        ratio = F / dF
        chi = chi - ratio
        n += 1
    C, S = stumpff(al * chi**2)
    C, S = stumpff(al * chi**2)
    f = 1 - chi**2 / r0 * C
    g = p["dt"] - chi**3 * S
    r = f * r0v + g * v0v
    return r @ np.array([1.0, 2, -1]) + np.linalg.norm(np.cross(r, v0v))


@program(np.array([0.03, 0.035, 0.2, 0.5, -0.3, 0.4]))
def sabr(p):
    f, k, alpha, beta, rho, nu = p
    lfk = np.log(f / k)
    fk = (f * k) ** ((1 - beta) / 2)
    z = nu / alpha * fk * lfk
    x = np.log((np.sqrt(1 - 2 * rho * z + z * z) + z - rho) / (1 - rho))
    zx = z / x if abs(lfk) > 1e-8 else 1.0
    num = alpha * (
        1
        + (
            (1 - beta) ** 2 / 24 * alpha**2 / fk**2
            + rho * beta * nu * alpha / 4 / fk
            + (2 - 3 * rho**2) / 24 * nu**2
        )
        * 2
    )
    den = fk * (1 + (1 - beta) ** 2 / 24 * lfk**2 + (1 - beta) ** 4 / 1920 * lfk**4)
    return num / den * zx


NODES = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.4]])
TRI = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])


@program({"k": np.array([1.0, 2, 0.5, 1.5]), "f": 0.7, "xy": np.array([0.5, 0.4])})
def fem_poisson(p):
    nodes = np.array(NODES)
    nodes = np.concatenate([NODES[:4], p["xy"][None]])
    K = np.zeros((5, 5))
    F = np.zeros(5)
    for e, tri in enumerate(TRI):
        X = nodes[tri]
        J = np.stack([X[1] - X[0], X[2] - X[0]])
        area = np.linalg.det(J) / 2
        G = np.linalg.solve(J, np.array([[-1, 1, 0], [-1, 0, 1.0]]))
        Ke = p["k"][e] * area * G.T @ G
        np.add.at(K, (tri[:, None], tri[None]), Ke)
        np.add.at(F, tri, p["f"] * area / 3)
    free = [1, 2, 4]
    u = np.linalg.solve(K[np.ix_(free, free)], F[free])
    return F[free] @ u * 10


@program(rng.random((5, 5)))
def tomography(img):
    s = 0.0
    for th in np.linspace(0.1, np.pi, 4):
        c, sn = np.cos(th), np.sin(th)
        g = np.linspace(-1.4, 1.4, 5)
        xx = 2 + g[None] * c - g[:, None] * sn
        yy = 2 + g[None] * sn + g[:, None] * c
        x0, y0 = np.floor(xx).astype(int), np.floor(yy).astype(int)
        fx, fy = xx - x0, yy - y0
        ok = (x0 >= 0) & (x0 < 4) & (y0 >= 0) & (y0 < 4)
        x0, y0 = x0.clip(0, 3), y0.clip(0, 3)
        v = (
            img[y0, x0] * (1 - fx) * (1 - fy)
            + img[y0, x0 + 1] * fx * (1 - fy)
            + img[y0 + 1, x0] * (1 - fx) * fy
            + img[y0 + 1, x0 + 1] * fx * fy
        )
        proj = np.where(ok, v, 0).sum(axis=0)
        s += np.sum(np.exp(-proj) ** 2)
    return s


AM = rng.normal(size=(8, 3)) + 1j * rng.normal(size=(8, 3))
YM = np.abs(AM @ np.array([1, 0.5j, -0.3])) ** 2


@program({"re": np.array([0.9, 0.1, -0.2]), "im": np.array([0.1, 0.4, 0.05])})
def phase_retrieval(p):
    z = p["re"] + 1j * p["im"]
    for _ in range(2):
        Az = AM @ z
        g = AM.conj().T @ ((np.abs(Az) ** 2 - YM) * Az) / 8
        z = z - 0.01 * g
    return np.mean((np.abs(AM @ z) ** 2 - YM) ** 2) / 10


@program({"kappa": 1.5, "theta": 0.04, "sig": 0.3, "rho": -0.6, "v0": 0.05})
def heston_cos_method(p):
    N = 24
    a, b = -1.5, 1.5
    k = np.arange(N)
    u = k * np.pi / (b - a)
    T = 0.5
    i = 1j
    d = np.sqrt((p["rho"] * p["sig"] * i * u - p["kappa"]) ** 2 + p["sig"] ** 2 * (i * u + u**2))
    g = (p["kappa"] - p["rho"] * p["sig"] * i * u - d) / (
        p["kappa"] - p["rho"] * p["sig"] * i * u + d
    )
    C = (
        p["kappa"]
        * p["theta"]
        / p["sig"] ** 2
        * (
            (p["kappa"] - p["rho"] * p["sig"] * i * u - d) * T
            - 2 * np.log((1 - g * np.exp(-d * T)) / (1 - g))
        )
    )
    D = (
        (p["kappa"] - p["rho"] * p["sig"] * i * u - d)
        / p["sig"] ** 2
        * ((1 - np.exp(-d * T)) / (1 - g * np.exp(-d * T)))
    )
    phi = np.exp(C + D * p["v0"])
    chi = (
        np.cos(u * (b - a)) * np.exp(b)
        - np.cos(u * -a) * 1.0
        + u * np.sin(u * (b - a)) * np.exp(b)
        - u * np.sin(u * -a)
    ) / (1 + u**2)
    psi = np.where(k == 0, b, (np.sin(u * (b - a)) - np.sin(u * -a)) / np.where(k == 0, 1, u))
    V = 2 / (b - a) * (chi - psi)
    w = np.r_[0.5, np.ones(N - 1)]
    return np.sum(w * np.real(phi * np.exp(-i * u * a)) * V)


@program(np.array([1.3, 0.4, 0.7]), has_lanes=False)
def schrodinger_numerov_shoot(p):
    def psi_end(E):
        x = np.linspace(-3, 3, 61)
        h = x[1] - x[0]
        k = 2 * (E - 0.5 * p[0] * x**2 - p[1] * x**4 * 0.1)
        y = [0.0, 1e-3]
        for i in range(1, 60):
            y.append(
                (2 * (1 - 5 * h * h / 12 * k[i]) * y[i] - (1 + h * h / 12 * k[i - 1]) * y[i - 1])
                / (1 + h * h / 12 * k[i + 1])
            )
        return y[-1]

    a, b = 0.3, 1.0
    fa, fb = psi_end(a), psi_end(b)
    for _ in range(12):
        c = b - fb * (b - a) / (fb - fa)
        a, fa, b, fb = b, fb, c, psi_end(c)
        if abs(b - a) < 1e-12:
            break
    return b


@program(np.array([300.0, 0.8, 1.2]))
def peng_robinson_cubic(p):
    T, P_, w = p[0] / 300, p[1], p[2] * 0.1
    kap = 0.37464 + 1.54226 * w - 0.26992 * w * w
    al = (1 + kap * (1 - np.sqrt(T))) ** 2
    A, B = 0.45 * al * P_ / T**2, 0.08 * P_ / T
    r = np.roots(np.array([1.0, B - 1, A - 3 * B * B - 2 * B, -A * B + B * B + B**3]))
    z = np.real(r[np.abs(np.imag(r)) < 1e-9]).max()
    return (
        z
        - 1
        - np.log(z - B)
        - A / (2 * np.sqrt(2) * B) * np.log((z + (1 + np.sqrt(2)) * B) / (z + (1 - np.sqrt(2)) * B))
    )


@program(rng.normal(size=(2, 4)))
def complex_beamforming(w):
    z = w[0] + 1j * w[1]
    th = np.linspace(-1, 1, 9)
    A = np.exp(1j * np.pi * np.outer(np.arange(4), np.sin(th)))
    B = np.abs(z.conj() @ A) ** 2
    R = A @ A.conj().T / 9 + 0.1 * np.eye(4)
    v = np.linalg.solve(R, z)
    cap = 1 / np.real(np.vdot(z, v))
    return B[4] / B.sum() + cap + np.linalg.eigvalsh(R + np.outer(z, z.conj()))[-1]
