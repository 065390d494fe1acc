"""Which arrays may share memory."""

import numpy as np

from tapegrad.compile.extents import Extents


def test_as_numpy_says():
    rng = np.random.default_rng(3)
    base, other = np.zeros((6, 8)), np.zeros(40, np.float32)
    views = [base, other, base.T, base[::-1, ::-2], np.zeros(()), np.zeros(0), base[2:2]]
    for _ in range(60):
        i, k = sorted(rng.integers(0, 7, 2))
        j, m = sorted(rng.integers(0, 41, 2))
        views += [base[i:k, j // 6 : m // 6], other[j:m], other[m:j:-1], base[i % 6]]
    extents = Extents(views)
    for x in views:
        assert extents.meeting(x) == sum(np.may_share_memory(x, y) for y in views)
    assert Extents([]).meeting(base) == 0
