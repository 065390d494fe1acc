"""What interpolators share: data along an axis, points of any shape, SciPy's own where plain."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.scipy.arrays import floats, ndim_of, normal_axis, shape_of
from tapegrad.scipy.functions import FUNCTIONS, Function, holds_variable, refuse_complex


class _Names(type):
    """Finds in SciPy's class what is asked of a class here: helpers, which take plain arrays."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_") or cls.__dict__.get("_scipys") is None:
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        return getattr(cls.__dict__["_scipys"], name)


class Interpolator(metaclass=_Names):
    """A function of points that is called as SciPy's own.

    Where data and points are plain, SciPy's own object answers; it has all other methods too.
    """

    _scipys: Any = None  # the class of SciPy

    def __init_subclass__(cls) -> None:
        if cls._scipys is None:  # a base of some of them
            return
        name = f"scipy.interpolate.{cls.__name__}"
        FUNCTIONS[name] = Function(name, cls._scipys, cls, {}, False)

    def _take(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Keeps the arguments, and SciPy's own object if they are plain."""
        self._name = f"scipy.interpolate.{type(self).__name__}"
        refuse_complex(self._name, (args, kwargs))
        plain = not holds_variable((args, kwargs))
        self._plain: Any = self._scipys(*args, **kwargs) if plain else None

    @property  # type: ignore[misc]  # mypy takes __class__ for a plain attribute
    def __class__(self) -> Any:
        """SciPy's class where the data are plain, which SciPy's functions of splines ask for."""
        return type(self) if vars(self).get("_plain") is None else self._scipys

    def __iter__(self) -> Any:
        raise TypeError(
            f"{self._name}: an interpolator has no items, and SciPy's functions of splines take "
            "plain ones; call the interpolator itself, f(x)"
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if self._plain is None:
            raise AttributeError(
                f"{self._name}: .{name} is there where the data are plain; of Variables call the "
                "interpolator itself"
            )
        return getattr(self._plain, name)


def data_along(x: Any, y: Any, axis: Any) -> tuple[Any, Any, int]:
    """Places, values with their axis first, and that axis; checked as SciPy checks them."""
    x, y = floats(x), floats(y)
    axis = normal_axis(axis, ndim_of(y))
    y = np.moveaxis(y, axis, 0)
    if ndim_of(x) != 1 or shape_of(x)[0] < 2:
        raise ValueError(f"`x` must be 1-dimensional with 2 elements or more, got {shape_of(x)}")
    if shape_of(x)[0] != shape_of(y)[0]:
        raise ValueError(
            f"The length of `y` along `axis`={axis} doesn't match the length of `x`: "
            f"{shape_of(y)[0]} and {shape_of(x)[0]}"
        )
    if np.any(x[1:] <= x[:-1]):
        raise ValueError("`x` must be strictly increasing sequence.")
    return x, y, axis


def raised(x: Any, n: int) -> Any:
    """`x` with n more axes behind."""
    return np.reshape(x, (*shape_of(x), *(1,) * n))


def placed(found: Any, n_points: int, axis: int) -> Any:
    """A result, axes of the points first, with these in the place of the axis of the data."""
    order = list(range(ndim_of(found)))
    points, rest = order[:n_points], order[n_points:]
    return np.transpose(found, [*rest[:axis], *points, *rest[axis:]])


def periodic(points: Any, first: Any, last: Any) -> Any:
    """Points moved by whole periods to where the data are."""
    return first + np.mod(points - first, last - first)
