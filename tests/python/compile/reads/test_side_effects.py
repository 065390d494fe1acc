"""Whether calling a function changes what it reads from outside."""

import numpy as np
import pytest

from tapegrad.compile.reads.side_effects import SideEffects
from tapegrad.compile.reads.snapshot import Snapshot, UnwatchableError

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
        effects = SideEffects(Snapshot([("f", f)]))
        reads()
        assert effects.found() == ""
        f()
        assert name in effects.found()


def test_what_can_not_be_watched_is_refused():
    items = iter([1, 2])
    with pytest.raises(UnwatchableError, match="items"):
        SideEffects(Snapshot([("f", lambda: next(items))]))
