"""Random programs over complex arrays: names, views, writes, branches, in every mode."""

import linecache
import random
import warnings

import numpy as np
import pytest

import tapegrad as tg

P = np.array([0.5 - 0.2j, 1.1j, -0.7 + 0.3j, 0.2])
Q = np.array([1.0, -2.0, 0.5, 3.0])

STATEMENTS = [
    "y[{i}] = z[{j}] * y[{k}]", "y = y * {c}", "y = y + np.conj(z)", "y += {c}", "y *= z",
    "y[1:3] = y[0:2] + z[2:]", "y = np.where(Q > 0, y, np.sin(y))", "y.real[{i}] = z.imag[{j}]",
    "y.imag *= 0.5", "y = y / (np.abs(y) + 1)", "y = np.exp(1j * y.real)", "w = y[::2]; w *= 2",
    "y = np.roll(y, 1)", "y = np.concatenate([y[2:], z[:2]])", "y = np.stack([y, z]).sum(axis=0)",
    "y = y.reshape(2, 2).T.ravel()", "y = (y.reshape(2, 2) @ z.reshape(2, 2)).ravel()",
    "y = y - np.mean(y)", "y = np.cumsum(y) * 0.3", "y = y ** 2 * 0.1", "y[Q > 0] = {c}",
    "y = y[[3, 1, 0, 2]]", "y = np.real(y) + 1j * np.imag(z)", "y = np.abs(y) * z",
    "for k in range(4): y[k] = y[k] * y[k - 1]", "y = np.outer(y, z)[:, {i}]",
    "y = y * np.sum(y) * 0.1", "y = P * y", "y -= P", "y = np.sqrt(y * np.conj(y) + 1)",
    "if abs(y[0]) > 1: y = y * 0.5", "y = np.tanh(y)", "y[{i}:] = y[{i}:][::-1]", "y.T[{j}] = 1j",
    "y = np.linalg.solve(np.diag(z) + 3 * np.eye(4), y)", "np.add(y, z, out=y)",
    "t = y; t[{i}] += 1",
    "y = y.copy(); y[0] = 0", "y = np.einsum('i,j->i', y, z)",
    "y = np.prod(np.stack([y, z]), axis=0)",
]  # fmt: skip
CONSTANTS = ["2.0", "1j", "(0.5-1j)", "0.3", "np.complex64(1j)"]


def drawn(seed):
    rng = random.Random(seed)
    lines = ["def f(z):", "    y = z * 1.0"]
    for _ in range(rng.randint(2, 7)):
        i, j, k = (rng.randrange(4) for _ in range(3))
        text = rng.choice(STATEMENTS).format(i=i, j=j, k=k, c=rng.choice(CONSTANTS))
        parts = [text] if text.startswith(("for", "if")) else text.split("; ")
        lines += ["    " + part for part in parts]
    lines.append("    return np.sum(np.abs(y) ** 2 * Q) + np.real(np.sum(y * P))")
    return "\n".join(lines) + "\n"


def function_of(source):
    name = f"<complex program {hash(source)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    space = {"np": np, "P": P, "Q": Q}
    exec(compile(source, name, "exec"), space)
    return space["f"]


def differences(f, z, h=1e-6):
    found = np.zeros(4, complex)
    for i in range(4):
        e = np.zeros(4)
        e[i] = h
        found[i] = (f(z + e) - f(z - e)) / (2 * h) - 1j * (f(z + 1j * e) - f(z - 1j * e)) / (2 * h)
    return found


def near(found, wanted, tolerance):
    scale = 1 + np.max(np.abs(wanted))
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("seed", range(80))
@pytest.mark.filterwarnings("ignore")
def test_programs(seed):
    source = drawn(seed)
    f, rng = function_of(source), np.random.default_rng(seed)
    z, u = (rng.normal(size=4) + 1j * rng.normal(size=4) for _ in range(2))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        wanted = f(z.copy())
        if not np.isfinite(wanted) or abs(wanted) > 1e8:
            return
        value, gradient = tg.value_and_grad(f)(z)
        near(value, wanted, 1e-10)
        near(gradient, differences(f, z), 1e-4)
        near(tg.jvp(f, (z,), (u,))[1], np.real(np.sum(gradient * u)), 1e-9)
        slope, h = tg.grad(f), 1e-5
        near(tg.hvp(f, z, u), (slope(z + h * u) - slope(z - h * u)) / (2 * h), 1e-4)
        compiled = tg.compile(tg.value_and_grad(f))
        for k in range(4):
            point = z * (1 + 0.1 * k) if k < 3 else u
            for a, b in zip(compiled(point), tg.value_and_grad(f)(point), strict=True):
                near(a, b, 1e-9)
        if "if " not in source:
            lanes = tg.vmap(f)(np.stack([z, z * 0.5]))
            near(lanes, np.array([wanted, f(z * 0.5)]), 1e-9)
