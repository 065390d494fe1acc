"""Reductions of Variables that leave NaN out."""

import numpy as np
import pytest
from agreement import agrees, assert_equal_parts

import tapegrad as tg

RNG = np.random.default_rng(0)
GAPS = np.where(RNG.uniform(size=(3, 4)) < 0.3, np.nan, 0.0)
SHAPES = [RNG.normal(size=(3, 4)) for _ in range(4)]
MASK = RNG.uniform(size=(3, 4)) < 0.7
REDUCTIONS = [
    np.nansum, np.nanprod, np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd, np.nanmedian,
]  # fmt: skip
AXES = [{}, {"axis": 1}, {"axis": (0, 1), "keepdims": True}, {"axis": 0, "keepdims": True}]
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of empty slices


@pytest.mark.parametrize("options", AXES)
@pytest.mark.parametrize("function", REDUCTIONS, ids=lambda f: f.__name__)
def test_axes(function, options):
    agrees(lambda x: function(x + GAPS, **options), [(x,) for x in SHAPES])


@pytest.mark.parametrize("function", REDUCTIONS, ids=lambda f: f.__name__)
def test_gaps_that_change_from_call_to_call(function):
    holes = [np.where(np.roll(np.isnan(GAPS), k, 1), np.nan, x) for k, x in enumerate(SHAPES)]
    agrees(lambda x: function(x, axis=1), [(x,) for x in holes], smooth=False)


@pytest.mark.parametrize("function", REDUCTIONS, ids=lambda f: f.__name__)
def test_slices_without_a_number_and_single_precision(function):
    for x in (
        np.array([[np.nan, np.nan], [1.0, np.nan], [1.0, 2.0]]),
        (SHAPES[0] + GAPS).astype("f4"),
        np.array(np.nan),
        np.array(2.0),
    ):
        axis = 1 if x.ndim else None
        assert_equal_parts(function(tg.Variable(x), axis), function(x, axis), 1e-5)


@pytest.mark.parametrize("function", REDUCTIONS[:-1], ids=lambda f: f.__name__)
def test_where(function):
    more = {"initial": 0.1} if function in (np.nanmax, np.nanmin) else {}
    agrees(lambda x: function(x + GAPS, 1, where=MASK, **more), [(x,) for x in SHAPES])
    if more:
        with pytest.raises(ValueError, match=rf"np\.{function.__name__}: where= needs initial="):
            function(tg.Variable(SHAPES[0]), where=MASK)


@pytest.mark.parametrize("function", [np.nancumsum, np.nancumprod])
def test_running(function):
    for options in AXES[:2]:
        agrees(lambda x, options=options: function(x + GAPS, **options), [(x,) for x in SHAPES])


def test_spread():
    for f in (
        lambda x: np.nanvar(x + GAPS, axis=0, ddof=0.5),
        lambda x: np.nanstd(x + GAPS, axis=(0, 1), ddof=1, dtype=float),
        lambda x: np.nanvar(x + GAPS, 1, mean=np.nanmean(x + GAPS, 1, keepdims=True)),
    ):
        agrees(f, [(x,) for x in SHAPES])
    np.testing.assert_array_equal(tg.grad(np.nanstd)(np.array([2.0, 2.0])), 0)  # as of np.std
    mask = np.array([True, True, False])
    np.testing.assert_array_equal(tg.grad(lambda x: np.std(x, where=mask))(np.ones(3)), 0)


def test_the_derivative_at_a_gap_is_zero():
    x = SHAPES[0] + GAPS
    for function in REDUCTIONS:
        found = tg.grad(function)(x)
        np.testing.assert_array_equal(tg.value(found)[np.isnan(x)], 0)
