"""The regression of the article: a line, its error, and three ways to fit it with exact gradients.

The error of a line y = w*x + b on n points is sum((w*x + b - y)**2) / (2*n).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tapegrad as tg
from tapegrad import numerical

Array = NDArray[np.float64]

TRAIN_X = np.array([3.3, 4.4, 5.5, 6.71, 6.93, 4.168, 9.779, 6.182, 7.59,
                    2.167, 7.042, 10.791, 5.313, 7.997, 5.654, 9.27, 3.1])  # fmt: skip
TRAIN_Y = np.array([1.7, 2.76, 2.09, 3.19, 1.694, 1.573, 3.366, 2.596, 2.53,
                    1.221, 2.827, 3.465, 1.65, 2.904, 2.42, 2.94, 1.3])  # fmt: skip
TEST_X = np.array([6.83, 4.668, 8.9, 7.91, 5.7, 8.7, 3.1, 2.1])
TEST_Y = np.array([1.84, 2.273, 3.2, 2.831, 2.92, 3.24, 1.35, 1.03])


class InputError(ValueError):
    """What the user gave cannot be used; the command prints it without a traceback."""


@dataclass(frozen=True)
class Problem:
    """Points to fit, points to test on (possibly none), and how to descend."""

    x: Array
    y: Array
    test_x: Array
    test_y: Array
    start: tuple[float, float]
    lr: float = 0.01
    epochs: int = 100

    def loss(self, params: Any) -> Any:
        """The training error of `params`: (w, b) as a pair or as one array."""
        w, b = params[0], params[1]
        return np.sum(np.power(self.x * w + b - self.y, 2)) / (2 * len(self.x))

    def train_error(self, w: float, b: float) -> float:
        """The mean of the squares, halved, over the training points."""
        return _error(w, b, self.x, self.y)

    def test_error(self, w: float, b: float) -> float | None:
        """The same over the test points; None where there are none."""
        return _error(w, b, self.test_x, self.test_y) if len(self.test_x) else None


@dataclass
class Fit:
    """A fitted line; `losses` holds the training error at the start and after each pass."""

    name: str
    w: float
    b: float
    losses: list[float]
    test_error: float | None = None
    seconds: float = 0.0
    diverged: bool = False

    @property
    def train_error(self) -> float:
        """The training error at the end."""
        return self.losses[-1]


def article() -> Problem:
    """The article's 17 points, started from RandomState(0)'s first two draws."""
    return Problem(TRAIN_X, TRAIN_Y, TEST_X, TEST_Y, random_start(0))


def random_start(seed: int) -> tuple[float, float]:
    """Two standard normal draws of `RandomState(seed)`."""
    w, b = np.random.RandomState(seed).randn(2)
    return float(w), float(b)


def gradients(problem: Problem) -> dict[str, Array]:
    """The gradient at the start, three ways."""
    start = np.array(problem.start)

    def forward(direction: Array) -> float:
        _, tangent = tg.jvp(problem.loss, (start,), (direction,))
        return float(tangent)

    return {
        "numerical differences": np.asarray(numerical.grad(problem.loss)(start)),
        "forward mode": np.array([forward(direction) for direction in np.eye(2)]),
        "reverse mode": np.asarray(tg.grad(problem.loss)(start)),
    }


def fits(problem: Problem) -> Iterator[Fit]:
    """Each method from the same start, one by one as they finish."""
    check_solvable(problem)
    for method in (sample_descent, batch_descent, newton):
        with np.errstate(all="ignore"):  # a diverging fit is reported, not warned about
            begin = time.perf_counter()
            fit = method(problem)
            fit.seconds = time.perf_counter() - begin
            fit.test_error = problem.test_error(fit.w, fit.b)
        yield fit


def sample_descent(problem: Problem) -> Fit:
    """Stochastic gradient descent, one point a step, with Variables: the TensorFlow listing."""
    w = tg.Variable(problem.start[0], name="w")
    b = tg.Variable(problem.start[1], name="b")
    optimizer = tg.optim.SGD([w, b], lr=problem.lr)
    points = list(zip(problem.x.tolist(), problem.y.tolist(), strict=True))
    two_n = 2 * len(points)
    losses = [problem.train_error(*problem.start)]
    for _ in range(problem.epochs):
        for x, y in points:
            loss = (x * w + b - y) ** 2 / two_n
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        losses.append(problem.train_error(float(w.value), float(b.value)))
        if not math.isfinite(losses[-1]):
            break
    fit = Fit("per-sample SGD", float(w.value), float(b.value), losses)
    fit.diverged = _grew(losses) and _epoch_growth(problem.x, problem.lr) > 1
    return fit


def batch_descent(problem: Problem) -> Fit:
    """Full-batch gradient descent on a plain NumPy loss: the Autograd listing."""
    gradient = tg.elementwise_grad(problem.loss)
    w, b = problem.start
    losses = [problem.train_error(w, b)]
    for _ in range(problem.epochs):
        slope_w, slope_b = gradient((w, b))
        w -= float(slope_w) * problem.lr
        b -= float(slope_b) * problem.lr
        losses.append(problem.train_error(w, b))
        if not math.isfinite(losses[-1]):
            break
    fit = Fit("full-batch descent", w, b, losses)
    fit.diverged = _grew(losses) and problem.lr >= stable_step(problem.x)
    return fit


def newton(problem: Problem) -> Fit:
    """One Newton step with the exact Hessian: the error is quadratic, so this is its minimum."""
    start = np.array(problem.start)
    step = np.linalg.solve(tg.hessian(problem.loss)(start), tg.grad(problem.loss)(start))
    w, b = (float(value) for value in start - step)
    losses = [problem.train_error(*problem.start), problem.train_error(w, b)]
    return Fit("Newton", w, b, losses)


def stable_step(x: Array) -> float:
    """The step size below which descent converges, by batch and by sample.

    Full batch: the error's Hessian H is the mean of u u' over u = (x, 1), and descent contracts
    for steps below 2 / lambda_max(H). A sample's step multiplies the distance to the minimum by
    I - (lr/n) u u', which lengthens nothing while lr <= 2 n / |u|^2. The first bound is the
    smaller of the two, since n lambda_max(H) = lambda_max(sum u u') >= max |u|^2.
    """
    return float(2 / np.linalg.eigvalsh(_hessian(x))[-1])


def suggested_step(x: Array) -> float:
    """Half the stable bound, rounded down to two digits: it prints short and converges."""
    half = stable_step(x) / 2
    unit = 10.0 ** (math.floor(math.log10(half)) - 1)
    return float(f"{math.floor(half / unit * (1 + 1e-12)) * unit:.2g}")


def default_step(x: Array) -> float:
    """The article's step of 0.01, or the suggested one where that would diverge."""
    with np.errstate(all="ignore"):
        matrix = _hessian(x)
    if len(x) < 2 or not np.all(np.isfinite(matrix)):
        return 0.01  # refused later, with the reason
    return min(0.01, suggested_step(x))


def is_far(fit: Fit, best: Fit) -> bool:
    """Whether a fit's error is above the least one by more than a tenth of the way from the start.

    A start that is as good as the minimum is near it.
    """
    way = fit.losses[0] - best.train_error
    return fit.train_error - best.train_error > max(0.1 * way, 0.1 * best.train_error)


def check_solvable(problem: Problem) -> None:
    """Raises InputError where no single line fits best, or the numbers cannot be squared."""
    x = problem.x
    if len(x) < 2:
        raise InputError(f"{len(x)} row of data: a line needs at least two")
    if np.all(x == x[0]):
        raise InputError(
            f"all {len(x)} values of x equal {x[0]:g}: the Hessian is singular, so no single line "
            "fits best; give at least two different values of x"
        )
    with np.errstate(all="ignore"):
        matrix = _hessian(x)
        sums = np.array([*matrix.ravel(), problem.train_error(*problem.start)])
    if not np.all(np.isfinite(sums)):
        raise InputError("the values are too large to square in float64: rescale x and y")
    # The matrix is scaled to a unit diagonal first: large units of x alone do not make it
    # singular.
    scale = np.sqrt(np.diag(matrix))
    if not np.all(scale > 0) or np.linalg.eigvalsh(matrix / np.outer(scale, scale))[0] < 1e-13:
        raise InputError(
            f"the values of x span only {np.ptp(x):.3g} around {np.mean(x):.6g}: the Hessian is "
            "singular to working precision; subtract the mean from x and rescale it first"
        )


def _hessian(x: Array) -> Array:
    points = np.stack([x, np.ones_like(x)])
    matrix: Array = (points / len(x)) @ points.T
    return matrix


def _error(w: float, b: float, x: Array, y: Array) -> float:
    return float(np.sum((x * w + b - y) ** 2) / (2 * len(x)))


def _grew(losses: list[float]) -> bool:
    return not losses[-1] <= losses[0]


def _epoch_growth(x: Array, lr: float) -> float:
    """The spectral radius of the linear map that one pass of sample steps applies."""
    matrix = np.eye(2)
    for value in x:
        u = np.array([value, 1.0])
        matrix = matrix - (lr / len(x)) * np.outer(u, u @ matrix)
        if not np.all(np.isfinite(matrix)):
            return math.inf
    return float(np.max(np.abs(np.linalg.eigvals(matrix))))
