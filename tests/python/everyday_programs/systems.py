"""Regression, mixtures, epidemics, reactions, power flow, images, wavelets, filters."""

import numpy as np

from everyday_programs.registry import program

rng = np.random.default_rng(7)
A5 = rng.normal(size=(5, 5))
X8 = rng.normal(size=(8, 3))
y8 = (X8[:, 0] > 0).astype(int)
y8f = X8 @ np.array([1.0, -2, 0.5]) + 0.1 * rng.normal(size=8)


# boosting / EM / bayes / epidemiology...
@program(np.array([0.1, 0.2, -0.1, 0.3]))
def logreg_bayes(w):
    z = X8 @ w[1:] + w[0]
    ll = np.where(y8, -np.log1p(np.exp(-z)), -np.log1p(np.exp(z)))
    prior = -0.5 * np.dot(w, w) / 10 - 0.5 * w.size * np.log(2 * np.pi * 10)
    H = (X8.T * (1 / (1 + np.exp(-z)) * (1 - 1 / (1 + np.exp(-z))))) @ X8 + np.eye(3) / 10
    return -(ll.sum() + prior) + 0.5 * np.linalg.slogdet(H).logabsdet


@program({"mu": np.array([-1.0, 1.0]), "logs": np.array([0.0, 0.2]), "pi": np.array([0.3, -0.3])})
def gmm_em_step(th):
    x = y8f[:, None]
    lp = -0.5 * ((x - th["mu"]) / np.exp(th["logs"])) ** 2 - th["logs"] - 0.5 * np.log(2 * np.pi)
    w = np.exp(th["pi"]) / np.exp(th["pi"]).sum()
    r = np.exp(lp) * w
    r /= r.sum(axis=1)[:, None]
    Nk = r.sum(0)
    mu = (r * x).sum(0) / Nk
    var = (r * (x - mu) ** 2).sum(0) / Nk
    return (mu**2).sum() + np.log(var).sum() + Nk.std()


@program(np.array([0.4, 0.1, 0.01]))
def seir_rk4(p):
    beta, gamma, i0 = p
    state = np.array([1 - i0, 0, i0, 0])
    traj = []

    def rhs(s):
        S, E, ill, _ = s
        return np.array(
            [-beta * S * ill, beta * S * ill - 0.2 * E, 0.2 * E - gamma * ill, gamma * ill]
        )

    for _ in range(12):
        k1 = rhs(state)
        k2 = rhs(state + k1 / 2)
        k3 = rhs(state + k2 / 2)
        k4 = rhs(state + k3)
        state = state + (k1 + 2 * k2 + 2 * k3 + k4) / 6
        traj.append(state.copy())
    traj = np.array(traj)
    return traj[:, 2].max() + np.log(traj[-1, 3])


@program(np.array([1.0, 0.5, 2.0]))
def chem_newton(k):
    x = np.array([0.1, 0.1])
    for _ in range(30):
        F = np.array([k[0] * x[0] ** 2 + x[1] - 1, k[1] * x[1] * x[0] + x[1] * k[2] - 0.5])
        J = np.array([[2 * k[0] * x[0], 1], [k[1] * x[1], k[1] * x[0] + k[2]]])
        dx = np.linalg.solve(J, -F)
        x = x + dx
        if np.linalg.norm(dx) < 1e-13:
            break
    return x[0] * x[1]


@program(np.array([0.1, 0.2, 0.05]), tolerance=1e-5)
def power_flow(load):
    Y = np.array(
        [[3 - 9j, -1 + 3j, -2 + 6j], [-1 + 3j, 2 - 6j, -1 + 3j], [-2 + 6j, -1 + 3j, 3 - 9j]]
    )
    V = np.ones(3, complex)
    for _ in range(20):
        for i in (1, 2):
            S = -(load[i] + 0.5j * load[0])
            V[i] = (np.conj(S / V[i]) - (Y[i] @ V - Y[i, i] * V[i])) / Y[i, i]
    return np.abs(V).sum() + np.angle(V[2])


@program(rng.normal(size=(4, 4)))
def deconv_fft(im):
    k = np.zeros((4, 4))
    k[:2, :2] = 0.25
    B = np.real(np.fft.ifft2(np.fft.fft2(im) * np.fft.fft2(k)))
    tv = np.abs(np.diff(im, axis=0)).sum() + np.abs(np.diff(im, axis=1)).sum()
    return ((B - np.eye(4)) ** 2).sum() + 0.1 * tv


@program(rng.normal(size=8))
def haar(x):
    c = []
    a = x
    while len(a) > 1:
        s, d = (a[0::2] + a[1::2]) / np.sqrt(2), (a[0::2] - a[1::2]) / np.sqrt(2)
        c.append(d)
        a = s
    c.append(a)
    w = np.concatenate(c[::-1])
    return np.sum(np.sign(w) * np.maximum(np.abs(w) - 0.1, 0) ** 2) + np.abs(w).sum()


@program(np.array([0.2, 0.5]))
def biquad(p):
    w0 = 2 * np.pi * p[0]
    al = np.sin(w0) / (2 * p[1])
    b = np.array([(1 - np.cos(w0)) / 2, 1 - np.cos(w0), (1 - np.cos(w0)) / 2])
    a = np.array([1 + al, -2 * np.cos(w0), 1 - al])
    b, a = b / a[0], a / a[0]
    x = np.sin(np.arange(20) * 0.5)
    y = np.zeros_like(x)
    d1 = d2 = 0.0
    for n in range(len(x)):
        y[n] = b[0] * x[n] + d1
        d1 = b[1] * x[n] - a[1] * y[n] + d2
        d2 = b[2] * x[n] - a[2] * y[n]
    H = np.polyval(b, np.exp(1j * np.linspace(0.1, 3, 5))) / np.polyval(
        a, np.exp(1j * np.linspace(0.1, 3, 5))
    )
    return (y**2).sum() + 20 * np.log10(np.abs(H)).sum() / 100
