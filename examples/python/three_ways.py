"""One gradient, three ways: numerical differences, forward mode, reverse mode.

Run it: python examples/python/three_ways.py
"""

import numpy as np

import tapegrad as tg
from tapegrad import numerical


def f(x):
    """Any NumPy program will do, loops and branches included."""
    total = 0.0
    for i in range(len(x)):
        total = total + (np.sin(x[i]) * x[i - 1] if i % 2 else np.exp(-(x[i] ** 2)))
    return total


x = np.array([0.3, -1.2, 0.7, 2.0])

# Two calls of f for each element, and half the digits are lost.
differences = numerical.grad(f)(x)

# Forward mode: one pass for each element, each gives the slope along one direction.
forward = np.array([tg.jvp(f, (x,), (direction,))[1] for direction in np.eye(len(x))])

# Reverse mode: one pass for all elements.
reverse = tg.grad(f)(x)

for name, slopes in [("differences", differences), ("forward", forward), ("reverse", reverse)]:
    error = np.max(np.abs(slopes - reverse))
    print(f"{name:<12}{np.array2string(slopes, precision=10)}  off by {error:.1e}")
