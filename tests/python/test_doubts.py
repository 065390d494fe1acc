"""Derivatives that rest on a convention or hide an overflow are right, NaN, or warn."""

import warnings

import numpy as np
import pytest

import tapegrad as tg

norm = np.linalg.norm
ZERO = np.zeros(2)


def hidden(f, *args):
    """What f(*args) gives, and the texts of its RuntimeWarnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = f(*args)
    return result, [str(w.message) for w in caught if w.category is RuntimeWarning]


SECOND = {
    "hessian": tg.hessian,
    "jacobian of grad": lambda f: tg.jacobian(tg.grad(f)),
    "rows of grad": lambda f: (
        lambda x: np.stack([tg.grad(lambda y, k=k: tg.grad(f)(y)[k])(x) for k in range(x.size)])
    ),
    "jvp of grad": lambda f: (
        lambda x: np.stack(
            [tg.jvp(tg.grad(f), (x,), (row,))[1] for row in np.eye(x.size, dtype=x.dtype)]
        )
    ),
    "hvp": lambda f: (
        lambda x: np.stack([tg.hvp(f, x, row) for row in np.eye(x.size, dtype=x.dtype)])
    ),
    "recording of compile": lambda f: tg.compile(tg.hessian(f)),
}

# Where the right second derivative is not what the conventions give.
TIPS = {
    "norm**2": (lambda v: norm(v) ** 2, ZERO),
    "norm * norm": (lambda v: norm(v) * norm(v), ZERO),
    "norm along an axis": (lambda v: np.sum(norm(v.reshape(2, 1), axis=1) ** 2), ZERO),
    "norm of order 3": (lambda v: norm(v, ord=3) ** 2, ZERO),
    "norm": (norm, ZERO),
    "bell": (lambda v: np.exp(-(norm(v - 1.0) ** 2)), np.ones(2)),
    "hypot": (lambda v: np.hypot(v[0], v[1]) ** 2, ZERO),
    "std": (lambda v: np.std(v) ** 2, np.ones(3)),
    "abs": (lambda v: np.sum(np.abs(v) ** 2), ZERO),
    "sqrt of squares": (lambda v: np.sqrt(np.sum(v * v)) ** 2, ZERO),
    "sqrt": (lambda v: np.sum(np.sqrt(v * v) ** 2), ZERO),
    "power": (lambda v: np.sum(((v * v) ** 0.75) ** (4 / 3)), ZERO),
    "cbrt": (lambda v: np.sum(np.cbrt(v * v) ** 3), ZERO),
    "steep": (lambda v: np.sum(v * v) ** 0.5 * np.sum(v * v) ** 0.25 * (v @ v) ** 0.25, ZERO),
    "steep beside std": (lambda v: np.maximum((v @ v) ** 0.25, 0.0) ** 2 * np.std(v), ZERO),
    "angle": (lambda v: np.arctan2(v[1], v[0]) ** 3 * np.sum(v * v) ** 0.5 * norm(v), ZERO),
    "arctan2": (lambda v: np.arctan2(v[0], v[1]) * np.hypot(v[0], v[1]), ZERO),
}

# Where it is, though a tip is on the way: no warning.
SOUND = {
    "norm**3": (lambda v: norm(v) ** 3, ZERO, np.zeros((2, 2))),
    "norm**4": (lambda v: norm(v) ** 4, ZERO, np.zeros((2, 2))),
    "sum of squares": (lambda v: np.sum(v * v), ZERO, 2 * np.eye(2)),
    "var": (np.var, np.ones(2), np.array([[0.5, -0.5], [-0.5, 0.5]])),
    "sum of abs": (lambda v: np.sum(np.abs(v)), ZERO, np.zeros((2, 2))),
    "abs**3": (lambda v: np.sum(np.abs(v) ** 3), ZERO, np.zeros((2, 2))),
    "branch": (lambda v: np.where(norm(v) > 0, norm(v) ** 2, 0.0), ZERO, np.zeros((2, 2))),
    "beside the tip": (lambda v: norm(v) ** 2, np.array([3.0, 4.0]), 2 * np.eye(2)),
    "pole": (lambda v: np.sum(np.sqrt(v)), ZERO, np.diag([-np.inf, -np.inf])),
}


@pytest.mark.parametrize("second", SECOND.values(), ids=list(SECOND))
@pytest.mark.parametrize(("f", "x"), TIPS.values(), ids=list(TIPS))
def test_a_second_derivative_at_a_tip_warns(f, x, second):
    for point in (x, x.astype(np.float32)):
        found, texts = hidden(second(f), point)
        assert texts or np.isnan(found).all()
        assert all("tip of a cone" in text for text in texts)


@pytest.mark.parametrize("second", SECOND.values(), ids=list(SECOND))
@pytest.mark.parametrize(("f", "x", "right"), SOUND.values(), ids=list(SOUND))
def test_a_second_derivative_that_is_right_does_not_warn(f, x, right, second):
    found, texts = hidden(second(f), x)
    assert not texts
    np.testing.assert_allclose(found, right, atol=1e-12)


@pytest.mark.parametrize(("f", "x"), TIPS.values(), ids=list(TIPS))
def test_first_derivatives_at_a_tip_do_not_warn(f, x):
    for first in (tg.grad(f), tg.jacobian(f), tg.compile(tg.grad(f))):
        found, texts = hidden(first, x)
        assert not texts
        np.testing.assert_array_equal(found, np.zeros_like(x))


def test_a_tangent_of_a_tangent_at_a_tip_warns():
    def slope(x):
        return tg.jvp(TIPS["norm**2"][0], (x,), (np.ones(2),))[1]

    _, texts = hidden(tg.jvp, slope, (ZERO,), (np.ones(2),))
    assert len(texts) == 1
    assert "norm is at the tip" in texts[0]


def softplus(x):
    return np.log(1 + np.exp(x))


def log_of_sum(x):
    return np.log(np.sum(np.exp(x)))


def backward(f, x):
    v = tg.Variable(x)
    f(v).backward()
    return v.grad


@pytest.mark.parametrize(
    "derivative",
    [
        lambda f, x: tg.grad(f)(x),
        lambda f, x: tg.value_and_grad(f)(x),
        lambda f, x: tg.elementwise_grad(f)(x),
        lambda f, x: tg.jacobian(f)(x),
        lambda f, x: tg.vjp(f, x)[1](1.0),
        lambda f, x: tg.compile(tg.grad(f))(x),
        backward,
    ],
)
@pytest.mark.parametrize(("f", "x"), [(softplus, 800.0), (log_of_sum, np.array([800.0, 1.0]))])
def test_a_zero_that_hides_an_overflow_warns(f, x, derivative):
    _, texts = hidden(derivative, f, x)
    assert len(texts) == 1
    assert "infinite or NaN derivative of exp" in texts[0]
    assert "np.logaddexp" in texts[0]


def test_gradients_of_variables_warn_of_overflow():
    x = tg.Variable(np.float32(100.0))
    _, texts = hidden(tg.grad, softplus(x), x)
    assert len(texts) == 1


def test_a_warning_as_an_error_leaves_grad_as_it_was():
    x = tg.Variable(800.0)
    y = softplus(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="logaddexp"):
            y.backward()
    assert x.grad is None


def test_the_warning_stands_at_the_users_line():
    with pytest.warns(RuntimeWarning, match="logaddexp") as caught:
        tg.grad(softplus)(800.0)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("f", "x", "right"),
    [
        (lambda x: np.logaddexp(0, x), 800.0, 1.0),
        (np.logaddexp.reduce, np.array([800.0, 1.0]), [1.0, 0.0]),
        (lambda x: 1 / (1 + np.exp(-x)), -800.0, 0.0),  # a finite value
        (np.log, 0.0, np.inf),
        (lambda x: np.sum(np.where(x > 0, np.log(x), 0.0)), np.array([0.0, 2.0]), [0.0, 0.5]),
        (lambda x: x * np.inf, 2.0, np.inf),
    ],
)
def test_what_hides_nothing_does_not_warn(f, x, right):
    found, texts = hidden(tg.grad(f), x)
    assert not texts
    np.testing.assert_allclose(found, right)


INSIDE = (
    norm,
    lambda v: norm(v, ord=3),
    lambda v: np.hypot(v[0], v[1]),
    lambda v: np.sqrt(np.sum(v * v)),
    lambda v: np.abs(v[0]),
    lambda v: np.abs(v[0] - 2 * v[1]),
    lambda v: np.sqrt(v[1] * v[1]),
    lambda v: (v @ v) ** 0.5,
    lambda v: (v @ v) ** 0.25,
    lambda v: np.cbrt(v @ v),
    np.std,
    lambda v: np.arctan2(v[1], v[0]),
    lambda v: v[0],
)
OUTSIDE = (
    lambda t: t,
    lambda t: t * t,
    lambda t: t**2,
    lambda t: t**3,
    lambda t: t**4,
    lambda t: np.exp(-t * t),
    np.cos,
    np.cosh,
    lambda t: np.sin(t) ** 2,
    lambda t: np.log1p(t * t),
    lambda t: np.sqrt(1 + t),
)


def second_differences(f, h):
    a, b = np.eye(2) * h

    def mixed(p, q):
        return (f(p + q) - f(p - q) - f(q - p) + f(-p - q)) / (4 * h * h)

    return np.array([[mixed(a, a), mixed(a, b)], [mixed(b, a), mixed(b, b)]])


def test_random_programs_with_tips_are_right_or_warn():
    rng = np.random.default_rng(5)
    told = quiet = 0
    for _ in range(400):
        parts = [
            (OUTSIDE[rng.integers(len(OUTSIDE))], INSIDE[rng.integers(len(INSIDE))])
            for _ in range(rng.integers(1, 4))
        ]
        join = np.add if rng.integers(2) else np.multiply

        def f(v, parts=parts, join=join):
            first, *rest = [outer(inner(v)) for outer, inner in parts]
            for term in rest:
                first = join(first, term)
            return first

        with np.errstate(all="ignore"):
            near, nearer = second_differences(f, 1e-3), second_differences(f, 5e-4)
        if not np.allclose(near, nearer, atol=1e-3, rtol=1e-3):
            continue  # there is no second derivative
        for second in (tg.hessian(f), tg.jacobian(tg.grad(f))):
            found, texts = hidden(second, ZERO)
            if not texts and np.isfinite(found).all():
                np.testing.assert_allclose(found, near, atol=5e-3)
        told, quiet = told + bool(texts), quiet + (not texts)
    assert told > 50
    assert quiet > 50
