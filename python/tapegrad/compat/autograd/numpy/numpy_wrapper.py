"""The functions of autograd.numpy that are not NumPy's own; every other name is NumPy's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import numpy as _np

from tapegrad import _core, _tree
from tapegrad.compat.autograd.tracer import getval, notrace_primitive
from tapegrad.transforms import blanks

numpy_version = _np.__version__


def _creation(name: str) -> Any:
    """NumPy's function, whose arrays take Variables while a function is differentiated."""
    return blanks.stand_in(name, lambda _: _core.in_blank_block())


def _conversion(name: str) -> Any:
    """NumPy's function, which joins Variables in lists."""
    plain = blanks.original(name)
    joining = blanks.stand_in(name, lambda _: True)

    @wraps(plain)
    def convert(A: Any, *args: Any, **kwargs: Any) -> Any:
        if _core.in_blank_block() or _holds_variables(A):
            return joining(A, *args, **kwargs)
        return plain(A, *args, **kwargs)

    return convert


def _of_iterable(name: str) -> Any:
    """NumPy's function of a list of arrays, which takes any iterable of arrays and lists."""
    plain = getattr(_np, name)

    @wraps(plain)
    def join(arrays: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        if not _tree.is_variable(arrays) and not isinstance(arrays, _np.ndarray):
            arrays = [array(item) if _holds_inside(item) else item for item in arrays]
        return plain(arrays, *args, **kwargs)

    return join


class _IntegerType(type):
    """The class of integer types that know Variables: NumPy's own type in every test."""

    of: type

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.of)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.of)


def wrap_intdtype(cls: Any) -> Any:
    """The integer type, which takes the value of a Variable: integers have no derivative."""

    def new(_: Any, *args: Any) -> Any:
        return cls(*map(getval, args))

    members = {"__new__": new, "of": cls, "__module__": cls.__module__, "__doc__": cls.__doc__}
    return _IntegerType(cls.__name__, (cls,), members)


def _holds_inside(a: Any) -> bool:
    return isinstance(a, (list, tuple)) and _holds_variables(a)


def _holds_variables(a: Any) -> bool:
    if _tree.is_variable(a):
        return True
    if isinstance(a, (list, tuple)):
        return any(map(_holds_variables, a))
    return type(a) is _np.ndarray and a.dtype == object and any(map(_holds_variables, a.flat))


_MADE: dict[str, Any] = {
    **{name: _creation(name) for name in blanks.CREATION},
    **{name: _conversion(name) for name in blanks.CONVERSIONS},
    **{
        name: _of_iterable(name)
        for name in ("column_stack", "concatenate", "dstack", "hstack", "stack", "vstack")
    },
    **{name: wrap_intdtype(getattr(_np, name)) for name in ("int8", "int16", "int32", "int64")},
}
_MADE["row_stack"] = _MADE["vstack"]
array: Callable[..., Any] = _MADE["array"]


def __getattr__(name: str) -> Any:
    found = _MADE.get(name)
    return getattr(_np, name) if found is None else found


def __dir__() -> list[str]:
    return sorted({*dir(_np), *_MADE, *globals()})


def where(condition: Any, *args: Any, **kwargs: Any) -> Any:
    """numpy.where; of Python's own numbers and lists alone, Python's own.

    >>> import tapegrad.compat.autograd.numpy as np
    >>> np.where([True, False], [1, 2], [3, 4])
    [1, 4]
    """
    if not args and not kwargs:
        return _np.where(condition)
    named = dict(zip(("x", "y"), args, strict=False)) | kwargs
    if len(named) != 2 or len(args) + len(kwargs) != 2:
        raise ValueError("where: give both or neither of x and y: np.where(condition, x, y)")
    found = _np.where(condition, named["x"], named["y"])
    if any(map(_is_numpys, (condition, *named.values()))) or not isinstance(found, _np.ndarray):
        return found
    return found.tolist()


def _is_numpys(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(map(_is_numpys, x))
    return _tree.is_variable(x) or isinstance(x, (_np.ndarray, _np.generic))


def make_diagonal(D: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Matrices with the last axis of `D` as their diagonal: what np.diagonal takes out."""
    if (offset, axis1, axis2) != (0, -1, -2):
        raise NotImplementedError(
            f"make_diagonal(D, offset={offset}, axis1={axis1}, axis2={axis2}): only offset=0, "
            "axis1=-1, axis2=-2 is there, as in Autograd; np.moveaxis moves the axes of its result"
        )
    return D[..., None] * _np.eye(_np.shape(D)[-1])


def concatenate_args(axis: int, *args: Any) -> Any:
    """numpy.concatenate of the arguments."""
    return _np.concatenate(args, axis)


def array_from_args(array_args: Any, array_kwargs: Any, *args: Any) -> Any:
    """numpy.array of the arguments."""
    return array(args, *array_args, **array_kwargs)


@notrace_primitive
def metadata(A: Any) -> Any:
    """Shape, number of axes, dtype and whether it is complex."""
    return _np.shape(A), _np.ndim(A), _np.result_type(A), _np.iscomplexobj(A)


def wrap_namespace(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Copies what `old` can be called: functions take Variables, or refuse them, as they are."""
    new.update({name: x for name, x in old.items() if callable(x) or isinstance(x, (float, int))})
