"""TensorFlow's update rules, as functions of arrays: new variable, then new slots.

They are those of its kernels: where epsilon stands, what accumulators start with, and how Adam's
bias correction is folded into the rate (the form before section 2.1 of Kingma and Ba, 2015) are
TensorFlow's, not those of `tapegrad.optim`.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def descent(x: Any, g: Any, rate: Any) -> Any:
    """X - rate * g."""
    return (x - rate * g,)


def momentum(x: Any, g: Any, rate: Any, speed: Any, decay: Any, nesterov: bool) -> Any:
    """The speed is a decaying sum of gradients; Nesterov looks one step ahead."""
    speed = decay * speed + g
    step = rate * g + rate * decay * speed if nesterov else rate * speed
    return x - step, speed


def adagrad(x: Any, g: Any, rate: Any, squares: Any) -> Any:
    """By the root of the sum of squares, which starts at 0.1; there is no epsilon."""
    squares = squares + g * g
    return x - rate * g / np.sqrt(squares), squares


def adagrad_with_epsilon(x: Any, g: Any, rate: Any, squares: Any, epsilon: Any) -> Any:
    """The same with epsilon outside of the root: `tf.keras.optimizers.Adagrad`."""
    squares = squares + g * g
    return x - rate * g / (np.sqrt(squares) + epsilon), squares


def adadelta(x: Any, g: Any, rate: Any, squares: Any, steps: Any, rho: Any, epsilon: Any) -> Any:
    """By the root of the ratio of mean squared steps and gradients."""
    squares = rho * squares + (1.0 - rho) * g * g
    step = np.sqrt(steps + epsilon) / np.sqrt(squares + epsilon) * g
    steps = rho * steps + (1.0 - rho) * step * step
    return x - rate * step, squares, steps


def rmsprop(
    x: Any, g: Any, rate: Any, squares: Any, speed: Any, rho: Any, decay: Any, epsilon: Any
) -> Any:
    """By the root of the mean square, with epsilon inside; the mean starts at 1."""
    squares = rho * squares + (1.0 - rho) * g * g
    speed = decay * speed + rate * g / np.sqrt(squares + epsilon)
    return x - speed, squares, speed


def rmsprop_centered(
    x: Any,
    g: Any,
    rate: Any,
    squares: Any,
    speed: Any,
    mean: Any,
    rho: Any,
    decay: Any,
    epsilon: Any,
) -> Any:
    """By the root of the variance."""
    squares = rho * squares + (1.0 - rho) * g * g
    mean = rho * mean + (1.0 - rho) * g
    speed = decay * speed + rate * g / np.sqrt(squares - mean * mean + epsilon)
    return x - speed, squares, speed, mean


def adam(
    x: Any,
    g: Any,
    rate: Any,
    m: Any,
    v: Any,
    power1: Any,
    power2: Any,
    beta1: Any,
    beta2: Any,
    epsilon: Any,
) -> Any:
    """`epsilon` is added to the root of the moment that is not corrected: "epsilon hat"."""
    corrected = rate * np.sqrt(1.0 - power2) / (1.0 - power1)
    m = beta1 * m + (1.0 - beta1) * g
    v = beta2 * v + (1.0 - beta2) * g * g
    return x - corrected * m / (np.sqrt(v) + epsilon), m, v


def adamax(
    x: Any, g: Any, rate: Any, m: Any, u: Any, power1: Any, beta1: Any, beta2: Any, epsilon: Any
) -> Any:
    """Adam with the largest decayed gradient in place of the root."""
    m = beta1 * m + (1.0 - beta1) * g
    u = np.maximum(beta2 * u, np.abs(g))
    return x - rate / (1.0 - power1) * m / (u + epsilon), m, u


def ftrl(x: Any, g: Any, rate: Any, squares: Any, linear: Any, power: Any, l1: Any, l2: Any) -> Any:
    """Follow the regularised leader: McMahan et al., 2013."""
    more = squares + g * g
    sigma = (more ** (-power) - squares ** (-power)) / rate
    linear = linear + g - sigma * x
    quadratic = more ** (-power) / rate + 2.0 * l2
    found = np.where(np.abs(linear) > l1, (np.sign(linear) * l1 - linear) / quadratic, 0.0)
    return found, more, linear


# Rates that depend on the number of steps.


def exponential(rate: Any, step: Any, steps: Any, factor: Any, staircase: bool) -> Any:
    """Rate * factor ** (step / steps)."""
    turns = step / steps
    return rate * factor ** (np.floor(turns) if staircase else turns)


def natural_exponential(rate: Any, step: Any, steps: Any, factor: Any, staircase: bool) -> Any:
    """Rate * exp(-factor * step / steps)."""
    turns = step / steps
    return rate * np.exp(-factor * (np.floor(turns) if staircase else turns))


def inverse_time(rate: Any, step: Any, steps: Any, factor: Any, staircase: bool) -> Any:
    """Rate / (1 + factor * step / steps)."""
    turns = step / steps
    return rate / (1.0 + factor * (np.floor(turns) if staircase else turns))


def polynomial(rate: Any, step: Any, steps: Any, end: Any, power: Any, cycle: bool) -> Any:
    """From `rate` to `end` in so many steps, and again from there if it cycles."""
    if cycle:
        total = steps * np.maximum(1.0, np.ceil(step / steps))
        turns = step / total
    else:
        turns = np.minimum(step, steps) / steps
    return (rate - end) * (1.0 - turns) ** power + end


def cosine(rate: Any, step: Any, steps: Any, alpha: Any) -> Any:
    """Half a cosine, from `rate` to `alpha * rate`."""
    turns = np.minimum(step, steps) / steps
    return rate * ((1.0 - alpha) * 0.5 * (1.0 + np.cos(np.pi * turns)) + alpha)


def piecewise(step: Any, boundaries: Any, values: Any) -> Any:
    """values[0] up to and with the first boundary, values[1] up to the second, and so on."""
    found = values[-1]
    for bound, value in zip(reversed(boundaries), reversed(values[:-1]), strict=True):
        found = np.where(step <= bound, value, found)
    return found
