"""Minimise the Rosenbrock function by Newton's method with exact gradients and Hessians.

Run it: python examples/python/newton_hessian.py
"""

import numpy as np

import tapegrad as tg


def rosenbrock(x):
    """A curved valley; the minimum is 0 at (1, 1, ..., 1)."""
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


gradient = tg.grad(rosenbrock)
hessian = tg.hessian(rosenbrock)

x = np.array([-1.2, 1.0])
for step in range(20):
    slope = gradient(x)
    print(f"step {step}: f = {rosenbrock(x):.3e}, |gradient| = {np.linalg.norm(slope):.3e}")
    if np.linalg.norm(slope) < 1e-12:
        break
    x = x - np.linalg.solve(hessian(x), slope)

print(f"minimum at {np.round(x, 12)}")
