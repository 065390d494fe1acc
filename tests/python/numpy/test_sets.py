"""Elements of Variables that are chosen by value: sets, partitions, arrays without their zeros."""

import numpy as np
import pytest
from agreement import agrees, assert_equal_parts

import tapegrad as tg

RNG = np.random.default_rng(0)
VECTORS = [RNG.normal(size=6) for _ in range(4)]
MATRICES = [RNG.normal(size=(3, 4)) for _ in range(4)]
TIES = [RNG.integers(0, 4, 9) * 1.0 for _ in range(4)]
PAIRS = [(RNG.integers(0, 4, 9) * 1.0, RNG.integers(1, 6, 5) * 1.0) for _ in range(4)]
NAN = np.array([np.nan, 1.0, np.nan, 2.0, 1.0])
EDGES = [NAN, np.zeros(0), np.zeros((0, 3)), np.array(3.0), NAN[[0, 2]], np.array([0.0, -0.0])]
SETS = [np.intersect1d, np.union1d, np.setdiff1d, np.setxor1d]
# Programs that the warning tells of hold for one choice of elements.
pytestmark = pytest.mark.filterwarnings("ignore:compile")


def test_unique_in_programs_and_lanes():
    agrees(np.unique, [(x,) for x in VECTORS])
    agrees(lambda x: np.unique(x.T), [(x,) for x in MATRICES])
    agrees(np.unique, [(x,) for x in TIES[:1] * 3], smooth=False)
    # The first of those that are equal is taken.
    found = tg.grad(lambda x: np.sum(np.unique(x) ** 2))(np.array([3.0, 1.0, 3.0]))
    np.testing.assert_array_equal(found, [6.0, 2.0, 0.0])


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.unique(x, True, True, True),
        lambda x: np.unique(x, return_counts=True),
        lambda x: np.unique(x, return_inverse=True, equal_nan=False),
        lambda x: np.sort(np.unique_values(x)),
        np.unique_all,
        np.unique_counts,
        np.unique_inverse,
    ],
)
def test_parts_of_unique(function):
    for x in [*TIES, *EDGES]:
        assert_equal_parts(function(tg.Variable(x)), function(x), 1e-15)
        assert type(function(tg.Variable(x))) in (type(function(x)), tg.Variable)


def test_unique_rows():
    rows = [np.array([[1.0, 2.0], [0.0, 1.0], [1.0, 2.0]]) * k for k in (1, 2, 3)]
    for axis in (0, 1, -1):
        f = tg.compile(lambda x, axis=axis: np.unique(x, axis=axis) ** 2)
        for x in rows * 2:
            np.testing.assert_array_equal(f(x), np.unique(x, axis=axis) ** 2)
    tg.testing.check_grads(lambda x: np.unique(x, axis=1), (MATRICES[0],))
    found = np.unique(tg.Variable(rows[0]), True, True, axis=0)
    assert_equal_parts(found, np.unique(rows[0], True, True, axis=0), 1e-15)
    with pytest.raises(np.exceptions.AxisError):
        np.unique(tg.Variable(VECTORS[0]), axis=1)


@pytest.mark.parametrize("function", SETS, ids=lambda f: f.__name__)
def test_sets(function):
    agrees(function, PAIRS, smooth=False, lanes=False)
    for other in ([1.0, 2, 2, 7, 3], []):
        for x, _ in PAIRS:
            for args in ((x, np.array(other)), (np.array(other), x)):
                expected = function(*args)
                for k in (0, 1):
                    given = [tg.Variable(a) if i == k else a for i, a in enumerate(args)]
                    assert_equal_parts(function(*given), expected, 1e-15)
    for args in ((NAN, NAN[:1]), (NAN[1:2], np.zeros(0)), (np.zeros(0), np.zeros(0))):
        assert_equal_parts(function(*map(tg.Variable, args)), function(*args), 1e-15)
    tg.testing.check_grads(lambda x: function(x, np.append(x[:2], 9.0)), (VECTORS[0],))
    if function is not np.union1d:
        tg.testing.check_grads(
            lambda x: function(x, np.append(x[:2], 9.0), assume_unique=True), (VECTORS[0],)
        )


def test_what_both_have_is_that_of_the_variable():
    x = np.array([1.0, 2.0, 3.0])
    for f in (lambda x: np.intersect1d(x, [3.0, 1.0]), lambda x: np.intersect1d([3.0, 1.0], x)):
        np.testing.assert_array_equal(tg.grad(lambda x, f=f: np.sum(f(x) ** 2))(x), [2, 0, 6])
    found = np.intersect1d(tg.Variable(x), [3.0, 1.0, 3.0], return_indices=True)
    assert_equal_parts(found, np.intersect1d(x, [3.0, 1.0, 3.0], return_indices=True), 1e-15)


@pytest.mark.parametrize("kth", [0, -1, 2, [0, 2]])
@pytest.mark.parametrize("axis", [-1, 0, None])
def test_partition(axis, kth):
    def at_kth(x):
        return np.take(np.partition(x, kth, axis), kth, 0 if axis is None else axis)

    agrees(at_kth, [(x,) for x in MATRICES])


def test_partition_parts_the_elements():
    for x in VECTORS:
        found = tg.value(np.partition(tg.Variable(x), 2))
        np.testing.assert_array_equal(np.sort(found), np.sort(x))
        assert max(found[:2]) <= found[2] <= min(found[3:])
    for kth in (9, -9, 0.5):
        with pytest.raises((ValueError, TypeError)):
            np.partition(tg.Variable(VECTORS[0]), kth)
    with pytest.raises(ValueError, match="order="):
        np.partition(tg.Variable(VECTORS[0]), 1, order="name")


@pytest.mark.parametrize("trim", ["fb", "f", "b"])
def test_trim_zeros(trim):
    agrees(
        lambda x: np.trim_zeros(np.concatenate([[0.0, 0.0], x, [0.0]]), trim),
        [(x,) for x in VECTORS],
    )
    for x in (np.zeros(3), np.zeros(0), np.array([0.0, 0.0, 1.0, 0.0, 2.0, 0.0])):
        assert_equal_parts(np.trim_zeros(tg.Variable(x), trim), np.trim_zeros(x, trim), 1e-15)
    compiled = tg.compile(lambda x: np.trim_zeros(x, trim) ** 2)
    for x in TIES * 2:
        np.testing.assert_array_equal(compiled(x), np.trim_zeros(x, trim) ** 2)
    with pytest.raises(ValueError, match="trim="):
        np.trim_zeros(tg.Variable(VECTORS[0]), "x")
