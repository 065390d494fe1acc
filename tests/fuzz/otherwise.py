"""A program's transforms inside of one another, and other arguments than its points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import compositions
import numpy as np
from results import FoundError, compare, copied, outcome, plain, weighed

import tapegrad as tg


def composed(checker: Any, ways: int = 3) -> None:
    """Transforms inside of one another give what each gives alone."""
    x = checker.points[0]
    here = outcome(lambda: [float(plain(checker.loss(0)(x))) for x in checker.points])
    if here.error is not None or not np.all(np.isfinite(here.value)) or np.size(x) == 0:
        return
    loss = weighed(checker.program.fresh(1)["f"])
    d = np.cos(1.0 + np.arange(np.size(x))).reshape(np.shape(x)).astype(x.dtype)[()]
    known = compositions.Known(
        lambda x: loss(copied(x) if not isinstance(x, tg.Variable) else x.copy()),
        checker.points, d, tg.grad(checker.loss(0)),
        lambda x: tg.jvp(tg.grad(checker.loss(0)), (x,), (d,))[1],
    )  # fmt: skip
    first, second, _ = compositions.drawn(checker.source, ways)
    if not counts_as_number(checker, here.value):
        first, second = ([n for n in names if not of_rows(n)] for names in (first, second))
    for names, table, way, tolerance in (
        (first, compositions.GRADIENTS, known.gradient, 1e-8),
        (second, compositions.SECONDS, known.second, 1e-7),
    ):
        expected = checker.derived("grad", lambda way=way: [way(x) for x in checker.points])
        if expected.error is not None:
            return
        for name in names:
            found = checker.derived(name, lambda name=name, table=table: table[name](known))
            if found.error is None:
                for i, g in enumerate(found.value):
                    e = expected.value[i % len(checker.points)]
                    checker.compare(name, np.asarray(g), np.asarray(e), tolerance)


def of_rows(name: str) -> bool:
    """Whether this way goes through the rows of a stack of points."""
    return any(word in name for word in ("lane", "vmap", "scan"))


def counts_as_number(checker: Any, values: list[float]) -> bool:
    """Whether a program gives the same of a number as of an array without axes.

    A row of a stack of the latter is a number: what it writes to copies of one is lost.
    """
    if np.ndim(checker.points[0]) or not isinstance(checker.points[0], np.ndarray):
        return True
    found = outcome(lambda: [float(plain(checker.loss(0)(x[()]))) for x in checker.points])
    return found.error is None and bool(np.allclose(found.value, values, 1e-6, 0.0))


def called_otherwise(checker: Any) -> None:
    """Other layouts and lengths of the argument, in compiled functions and gradients."""
    ours, theirs = checker.program.fresh(), checker.program.fresh()
    f, x = tg.compile(ours["f"]), checker.points[0]
    layouts = [compositions.LAYOUTS[name] for name in compositions.drawn(checker.source)[2]]
    calls = [x, *compositions.other_shapes(x), x]
    if np.ndim(x):
        calls += [lay(x) for lay in layouts] * 2
        calls += [y.astype(np.float32) for y in checker.points]
        laid_out(checker, layouts)
    for a in calls * 2:
        given, like = copied(a), copied(a)
        expected = outcome(lambda like=like: theirs["f"](like))
        found = checker.attempt("otherwise", lambda given=given: f(given), expected.error)
        single = a.dtype == np.float32
        if not is_smooth(theirs["f"], a, expected.value):
            continue
        if expected.error is None and found.error is None:
            compare(
                "otherwise", found.value, expected.value,
                5e-3 if single or checker.is_single else 1e-8, types=not single,
            )  # fmt: skip
        elif expected.error is not None and found.error is None:
            if isinstance(expected.error, np.linalg.LinAlgError):
                return
            raise FoundError("otherwise no error", f"no {type(expected.error).__name__}")


def is_smooth(f: Callable[[Any], Any], x: Any, value: Any) -> bool:
    """Whether rounding does not decide what comes out."""
    near = outcome(lambda: f((x * (1 + 10 * np.finfo(x.dtype).eps)).astype(x.dtype)))
    try:
        compare("", near.value, value, 1e-4, types=False)
    except FoundError:
        return False
    return True


def laid_out(checker: Any, layouts: list[Callable[[Any], Any]]) -> None:
    expected = outcome(lambda: tg.grad(checker.loss(0))(checker.points[0]))
    if expected.error is not None or np.size(checker.points[0]) == 0:
        return
    for lay in layouts:
        loss = weighed(checker.program.fresh(1)["f"])
        found = checker.derived(
            "layout", lambda lay=lay, loss=loss: tg.grad(loss)(lay(checker.points[0]))
        )
        if found.error is None:
            checker.compare("layout", found.value, expected.value, 1e-8)
