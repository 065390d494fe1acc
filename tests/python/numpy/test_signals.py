"""np.convolve and np.correlate on Variables."""

import numpy as np
import pytest
from agreement import agrees, assert_equal_parts

import tapegrad as tg

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("mode", ["valid", "same", "full"])
@pytest.mark.parametrize("function", [np.convolve, np.correlate])
@pytest.mark.parametrize(
    ("n", "m"), [(7, 3), (3, 7), (6, 4), (4, 4), (30, 20), (20, 31), (1, 1), (5, 1), (1, 4)]
)
def test_all_lengths_and_modes(function, mode, n, m):
    calls = [(RNG.normal(size=n), RNG.normal(size=m)) for _ in range(3)]
    agrees(lambda a, v: function(a, v, mode), calls, smooth=n * m < 100)


def test_long_kernels():
    calls = [(RNG.normal(size=40), RNG.normal(size=19)) for _ in range(3)]
    agrees(np.convolve, calls, smooth=False)
    tg.testing.check_grads(lambda a: np.convolve(a, calls[0][1], "valid"), (calls[0][0],))


def test_one_of_them_plain_or_a_number_or_of_single_precision():
    agrees(lambda a: np.convolve([1, 2, 3], a), [(RNG.normal(size=4),) for _ in range(3)])
    agrees(lambda a: np.correlate(a, [1, 2]), [(RNG.normal(size=4),) for _ in range(3)])
    agrees(lambda a: np.convolve(a, [1.0, 2.0]), [(2.0,), (3.0,)])
    a = RNG.normal(size=5).astype("f4")
    assert_equal_parts(np.convolve(tg.Variable(a), a), np.convolve(a, a), 1e-6)


def test_what_is_wrong_is_told():
    v = tg.Variable(np.ones(3))
    for f, what in [
        (lambda: np.convolve(v, v, "most"), "mode="),
        (lambda: np.convolve(v, []), "np.convolve: .*not empty"),
        (lambda: np.correlate(v, np.eye(2)), r"np.correlate: .*\(2, 2\)"),
        (lambda: np.correlate(v, 2.0), "two vectors"),
    ]:
        with pytest.raises(ValueError, match=what):
            f()
