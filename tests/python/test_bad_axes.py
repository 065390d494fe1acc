"""An axis that an array does not have: NumPy's own kind of error, which names the axis."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.testing import overrides

import tapegrad as tg

A = np.arange(6.0).reshape(2, 3) + 0.5
# What may stand before axis=, tried one after the other until NumPy complains about the axis.
ARGUMENTS: list[tuple[Any, ...]] = [
    (A,), (A, 1), (A, [0, 1]), (A, A), (A, 0.5), ([A, A],), (A, 0, 1), (A, np.zeros((2, 3), int)),
    ([True, False], A), (1.0, A), (sum, [0], A),
]  # fmt: skip


def cases() -> Iterator[tuple[Callable[..., Any], str, tuple[Any, ...]]]:
    functions = overrides.get_overridable_numpy_array_functions()
    for f in sorted(functions, key=lambda f: (f.__module__, f.__name__)):
        try:
            names = inspect.signature(f).parameters
        except ValueError:
            continue
        if (
            "indices_or_sections" in names
        ):  # NumPy's error depends on these, and is a plain IndexError
            continue
        for name in {"axis", "axes", "source", "axis1"} & set(names):
            for args in ARGUMENTS:
                if complains(f, name, args):
                    yield f, name, args
                    break


def complains(f: Callable[..., Any], name: str, args: tuple[Any, ...]) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call(f, name, args)
    except np.exceptions.AxisError:
        return True
    except Exception:  # which these arguments bring about without the axis
        return False
    return False


def call(f: Callable[..., Any], name: str, args: tuple[Any, ...]) -> Any:
    return f(*args, **{name: (0, 7) if name == "axes" else 7})


def variables(x: Any) -> Any:
    if isinstance(x, list):
        return [variables(y) for y in x]
    return tg.Variable(x) if isinstance(x, np.ndarray) and x.dtype == float else x


CASES = list(cases())


def test_many_are_tried() -> None:
    assert len(CASES) > 60


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("f", "name", "args"), CASES, ids=[f"{f.__name__}-{n}" for f, n, _ in CASES]
)
def test_axis_that_is_not_there(f: Callable[..., Any], name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(np.exceptions.AxisError, match="axis 7 is out of bounds"):
        call(f, name, tuple(variables(x) for x in args))
