import numpy as np
import pytest

from tapegrad.cli import regression
from tapegrad.cli.regression import Problem, article


def problem(x, y, lr, epochs, start=(1.0, 1.0)):
    nothing = np.zeros(0)
    return Problem(np.array(x, float), np.array(y, float), nothing, nothing, start, lr, epochs)


def test_gradients_agree_three_ways_and_with_the_formula():
    given = article()
    w, b = given.start
    residual = w * given.x + b - given.y
    expected = [np.mean(residual * given.x), np.mean(residual)]
    found = regression.gradients(given)
    assert list(found) == ["numerical differences", "forward mode", "reverse mode"]
    np.testing.assert_allclose(found["numerical differences"], expected, rtol=1e-7)
    np.testing.assert_allclose(found["forward mode"], expected, rtol=1e-12)
    np.testing.assert_allclose(found["reverse mode"], expected, rtol=1e-12)


def test_losses_start_at_the_start_and_have_one_entry_per_epoch():
    sample, batch, newton = regression.fits(article())
    assert sample.losses[0] == batch.losses[0] == newton.losses[0] == pytest.approx(47.0465041307)
    assert (len(sample.losses), len(batch.losses), len(newton.losses)) == (101, 101, 2)
    assert np.all(np.diff(batch.losses) < 0)
    assert not sample.diverged
    assert not batch.diverged
    assert not newton.diverged


@pytest.mark.parametrize(
    "x", [[0.1, 0.2, 0.3], [-30, 5, 80, 81], [1000, 1001], [1e-3, 2e-3], [-1e6, 1e6, 5]]
)
def test_stable_step_is_the_border_for_the_batch(x):
    border = regression.stable_step(np.array(x, float))
    y = np.sin(x)
    below, above = (
        regression.batch_descent(problem(x, y, factor * border, 400)) for factor in (0.99, 1.01)
    )
    assert not below.diverged
    assert below.losses[-1] < below.losses[0]
    assert above.diverged
    assert above.losses[-1] > above.losses[0]


@pytest.mark.parametrize("seed", range(20))
def test_suggested_step_converges_by_sample_too(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(rng.normal() * 10, 10 ** rng.uniform(-2, 3), size=rng.integers(2, 30))
    step = regression.suggested_step(x)
    border = regression.stable_step(x)
    assert 0.3 * border < step <= 0.5 * border
    assert border <= 2 * len(x) / np.max(x**2 + 1) * (1 + 1e-12)
    assert regression._epoch_growth(x, step) < 1
    fit = regression.sample_descent(problem(x, 2 * x - 1, step, 50))
    assert not fit.diverged
    assert fit.losses[-1] < fit.losses[0]


def test_sample_descent_beyond_its_border_is_reported():
    # Two points: the sufficient bound 2 n / max(x^2 + 1) is 4 / 101; well past it the passes grow.
    x, y = np.array([-10.0, 10.0]), np.array([1.0, 2.0])
    assert regression._epoch_growth(x, 3.9 / 101) < 1 < regression._epoch_growth(x, 4.2 / 101)
    assert not regression.sample_descent(problem(x, y, 3.9 / 101, 100)).diverged
    with np.errstate(all="ignore"):
        assert regression.sample_descent(problem(x, y, 4.2 / 101, 100)).diverged
        far = regression.sample_descent(problem(x, y, 1e30, 100))
    assert far.diverged
    assert len(far.losses) < 101


def test_a_start_at_the_minimum_is_no_divergence():
    x, y = np.array([1.0, 2.0, 4.0]), np.array([1.0, -1.0, 2.0])
    w, b = np.polyfit(x, y, 1)
    sample = regression.sample_descent(problem(x, y, 0.05, 50, (float(w), float(b))))
    assert sample.losses[-1] > sample.losses[0]  # per-sample steps circle around the minimum
    assert not sample.diverged
    batch = regression.batch_descent(problem(x, y, 0.05, 50, (float(w), float(b))))
    assert not batch.diverged
