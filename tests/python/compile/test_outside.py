"""Whether calling a function changes what it reads from outside."""

import numpy as np
import pytest

from tapegrad.compile.outside import Outside
from tapegrad.compile.watch import UnwatchableError

COUNT = 0
DATA = np.zeros(3)


def counts():
    global COUNT
    COUNT += 1
    return COUNT


def test_what_changes_is_named():
    rng = np.random.default_rng(1)
    kept = []

    def draws():
        return rng.normal()

    def keeps():
        kept.append(1.0)

    def writes():
        DATA[0] += 1.0

    def reads():
        return DATA.sum() + len(kept) + COUNT

    for f, name in (
        (draws, "random numbers"),
        (keeps, "kept"),
        (writes, "DATA"),
        (counts, "COUNT"),
    ):
        outside = Outside([("f", f)])
        reads()
        assert outside.difference() == ""
        f()
        assert name in outside.difference()


def test_what_can_not_be_watched_is_refused():
    items = iter([1, 2])
    with pytest.raises(UnwatchableError, match="items"):
        Outside([("f", lambda: next(items))])
