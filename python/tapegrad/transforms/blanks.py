"""Arrays that take Variables: NumPy's creation functions while a function is differentiated.

A plain array can't hold a Variable. While a transform calls the user's function, and inside
`tg.patch_numpy()`, `np.zeros` and its like make *blanks*: Variables that count as plain arrays
until a Variable is written to them. What is computed of blanks alone is plain.

The functions are replaced in NumPy's own namespace, for as long as such a call lasts; in other
threads, and called by NumPy itself, they do what they did. A function whose code names none of
them, and calls nothing that is not known, is called without.
"""

from __future__ import annotations

import ast
import builtins
import dis
import functools
import itertools
import math
import os
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FrameType
from typing import Any, ParamSpec, TypeVar

import numpy as np

from tapegrad import _core, _math, _tree
from tapegrad._core import Variable

# Functions of shapes and numbers, whose results are new arrays.
CREATION = (
    "zeros", "ones", "empty", "full", "eye", "identity", "arange", "linspace", "logspace",
    "geomspace", "tri", "zeros_like", "ones_like", "empty_like", "full_like", "fromfunction",
    "fromiter", "copy",
)  # fmt: skip
# Functions that take what there is for an array.
CONVERSIONS = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray")
_originals: dict[str, Any] = {}
_replacements: dict[str, Any] = {}
_FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
# The modules whose code gets plain arrays: NumPy and this package, and libraries that hand what
# they make to code in C.
_LIBRARIES = frozenset(
    {"dask", "h5py", "jax", "jaxlib", "matplotlib", "numba", "pandas", "polars", "pyarrow", "scipy",
     "sklearn", "torch", "xarray"}
)  # fmt: skip
_FOLDERS = tuple(os.path.join(os.path.dirname(f), "") for f in (np.__file__, _core.__file__))
_MOST_KNOWN = 10_000

# Whether a place in code calls the function itself: by the code's address and the place. What is
# written in C, which may trust NumPy to give plain arrays, calls from its caller's place.
_places: dict[tuple[int, int], tuple[CodeType, bool]] = {}


def _is_active(name: str) -> bool:
    """Whether the call comes from this thread's block, and from a line of the user's Python."""
    if not _core.in_blank_block():
        return False
    frame = sys._getframe(2)
    key = id(frame.f_code), frame.f_lasti
    known = _places.get(key)
    if known is not None and known[0] is frame.f_code:
        return known[1]
    if len(_places) >= _MOST_KNOWN:
        _places.clear()
    found = _calls(frame, name)
    _places[key] = frame.f_code, found
    return found


def _calls(frame: FrameType, name: str) -> bool:
    """Whether the frame is at a call of NumPy's function of this name."""
    from tapegrad.numpy.refusals import expression_of

    if frame.f_code.co_filename.startswith(_FOLDERS):
        return False
    if str(frame.f_globals.get("__name__", "")).partition(".")[0] in _LIBRARIES:
        return False
    if frame.f_code.co_name == "__array__":  # which NumPy calls: only an array will do
        return False
    call = expression_of(frame)
    if not isinstance(call, ast.Call):
        return False
    if isinstance(call.func, ast.Name):
        return name in _spelled(frame, call.func.id)
    if not isinstance(call.func, ast.Attribute) or call.func.attr != name:
        return False
    if name not in frame.f_code.co_names:  # the source is not what was compiled
        return False
    owner = call.func.value
    return isinstance(owner, ast.Name) and _value(frame, owner.id) is np


def _value(frame: FrameType, name: str) -> Any:
    return frame.f_locals.get(name, frame.f_globals.get(name))


def _spelled(frame: FrameType, alias: str) -> set[str]:
    """The creation function that stands under this name."""
    value = _value(frame, alias)
    return {name for name, f in _replacements.items() if f is value}


def _blank(found: Any) -> Any:
    if type(found) is not np.ndarray:
        return found
    if found.dtype.char in "FD":
        from tapegrad.complex.parts import blank

        return blank(found)
    if found.dtype not in _FLOATS:
        return found
    return _core.blank(found)


def new(original: Callable[..., Any], active: Callable[[str], bool]) -> Callable[..., Any]:
    """`original`, whose results take Variables."""
    name = original.__name__
    promises_contents = not name.startswith("empty")

    @functools.wraps(original)
    def creation(*args: Any, **kwargs: Any) -> Any:
        found = original(*args, **kwargs)
        if not active(name):
            return found
        # What lies in fresh memory would differ between two recordings, and no program be trusted.
        if not promises_contents and type(found) is np.ndarray and found.dtype.kind in "biufc":
            found.fill(0)
        return _blank(found)

    return creation


def full(original: Callable[..., Any], active: Callable[[str], bool]) -> Callable[..., Any]:
    """The same of `np.full`, which may be filled with Variables."""

    @functools.wraps(original)
    def filled(
        shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", **kwargs: Any
    ) -> Any:
        if not active("full"):
            return original(shape, fill_value, dtype, order, **kwargs)
        packed = _joined(fill_value) if dtype is None or np.dtype(dtype).kind in "fc" else None
        if packed is None:
            return _blank(original(shape, fill_value, dtype, order, **kwargs))
        lengths = shape if isinstance(shape, (tuple, list)) else (shape,)
        if dtype is not None and packed.dtype != np.dtype(dtype):
            packed = packed.astype(dtype)
        return np.broadcast_to(packed, lengths).copy(order)

    return filled


def fromiter(original: Callable[..., Any], active: Callable[[str], bool]) -> Callable[..., Any]:
    """The same of `np.fromiter`, whose items may be Variables."""

    @functools.wraps(original)
    def taken(iter: Any, dtype: Any, count: Any = -1, **kwargs: Any) -> Any:
        if not active("fromiter"):
            return original(iter, dtype, count, **kwargs)
        items = list(iter if count < 0 else itertools.islice(iter, count))
        packed = _joined(items) if np.dtype(dtype).kind in "fc" else None
        if packed is None or packed.ndim != 1 or len(items) < count:
            return _blank(original(items, dtype, count, **kwargs))
        return packed.astype(dtype)

    return taken


def nditer(original: Callable[..., Any], active: Callable[[str], bool]) -> Callable[..., Any]:
    """`np.nditer`, which goes through the elements of Variables too."""

    @functools.wraps(original, updated=())
    def elements(op: Any, *args: Any, **kwargs: Any) -> Any:
        arrays = op if isinstance(op, (list, tuple)) else (op,)
        if not any(map(_tree.is_variable, arrays)) or not active("nditer"):
            return original(op, *args, **kwargs)
        if args or kwargs or any(map(_tree.is_complex, arrays)):
            raise TypeError(
                "np.nditer(v, ...): of a Variable it takes no flags; write for i in "
                "np.ndindex(v.shape), with v[i] for an element"
            )
        rows = [np.ravel(x) for x in np.broadcast_arrays(*arrays)]
        return iter(rows[0]) if op is arrays[0] else zip(*rows, strict=True)

    return elements


def conversion(original: Callable[..., Any], active: Callable[[str], bool]) -> Callable[..., Any]:
    """`original`, which joins Variables in lists, and whose new arrays take Variables."""
    name, copies = original.__name__, original.__name__ == "array"
    own_order = {"ascontiguousarray": "C", "asfortranarray": "F"}.get(name)

    @functools.wraps(original)
    def convert(a: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not active(name):
            return original(a, dtype, *args, **kwargs)
        packed = _joined(a) if dtype is None or np.dtype(dtype).kind in "fciub" else None
        if packed is None and (dtype is None or np.dtype(dtype) == np.int64):
            packed = _joined_integers(a)
        if packed is None:
            found = original(a, dtype, *args, **kwargs)
            return _blank(found) if found is not a and found.flags.owndata else found
        if dtype is not None and packed.dtype != np.dtype(dtype):
            packed = packed.astype(dtype)
            if not _tree.is_variable(packed):  # integers, which are plain
                return original(packed, dtype, *args, **kwargs)
        from tapegrad.numpy.layout import lying_in

        copy = kwargs.pop("copy", copies or None)
        ndmin = kwargs.pop("ndmin", 1 if own_order else 0)
        order = own_order or kwargs.pop("order", args[0] if args else None)
        packed = lying_in(packed, order, copy and packed is a)
        if copy is False and packed is not a:
            original([0.0], copy=False)  # raises NumPy's error
        if packed is a and not a.ndim:
            packed = a.reshape((1,))[0, ...]  # an array of no axes, where `a` may be a number
        missing = ndmin - packed.ndim
        return packed[(None,) * missing + (...,)] if missing > 0 else packed

    return convert


def _joined(a: Any) -> Any:
    """`a` as a Variable where it is one or holds some; None where all of it is plain.

    Recorded integers and masks are plain data: see _joined_integers.
    """
    if _tree.is_variable(a):
        return a if a.dtype.kind in "fc" else None
    if isinstance(a, (list, tuple)) and _core.holds_complex(a):
        from tapegrad.complex.parts import operand_of

        found = operand_of(a)
        return found if _tree.is_variable(found) else None
    if _holds_floats(a):
        from tapegrad.numpy.operands import lift

        return lift(a)
    return None


def _joined_integers(a: Any) -> Any:
    """A list of recorded whole numbers as one array; NumPy's own function learns all other data."""
    if not isinstance(a, (list, tuple)):
        return None
    from tapegrad.numpy.operands import joined_integers

    return joined_integers(a)


def _holds_floats(a: Any) -> bool:
    if type(a) is Variable:
        return a.dtype.kind == "f"
    if isinstance(a, (list, tuple)):
        return any(map(_holds_floats, a))
    if isinstance(a, np.ndarray):
        return a.dtype == object and any(map(_holds_floats, a.flat))
    return False


_OWN = {"full": full, "fromiter": fromiter, "nditer": nditer}
_ALL = (*CREATION, *CONVERSIONS, "nditer")


def stand_in(name: str, active: Callable[[str], bool]) -> Callable[..., Any]:
    """What stands for NumPy's function of this name, where a call of it is active."""
    make = _OWN.get(name) or (new if name in CREATION else conversion)
    made = make(_originals[name], active)
    setattr(made, "replaces", _originals[name])  # noqa: B010 - mypy knows none of functions
    return made


def _prepare() -> None:
    for name in _ALL:
        _originals[name] = getattr(np, name)
        _replacements[name] = stand_in(name, _is_active)


_prepare()


P = ParamSpec("P")
R = TypeVar("R")
_NAMES = frozenset(_ALL)


@functools.cache
def _harmless() -> frozenset[str]:
    """Attributes that create no array: of NumPy, of its arrays and of this package."""
    of = (np, np.ndarray, np.linalg, math, sys.modules["tapegrad"])
    return frozenset(name for x in of for name in dir(x)) - _NAMES


# Types of what a name may stand for without creating an array when it is called.
_PLAIN = [
    np.ufunc, type(np.sum), BuiltinFunctionType, Variable, np.ndarray, np.float64, np.float32,
    float, int, bool, str, bytes, complex, slice, range, type(None), type(...), np.bool, np.int64,
    np.int32,
]  # fmt: skip


def _facts(code: CodeType) -> tuple[bool, tuple[str, ...]]:
    """Whether what code names may create arrays, and the global names that it reads."""
    loads = (i for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    used = dict.fromkeys(i.argval for i in loads)
    creates = not _NAMES.isdisjoint(code.co_names)
    creates = creates or not _harmless().issuperset(set(code.co_names).difference(used))
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            inner_creates, names = _facts(inner)
            creates = creates or inner_creates
            used |= dict.fromkeys(names)
    return creates, tuple(used)


_block = _core.BlankBlock(
    [(vars(np), _originals, _replacements), (vars(math), _math.ORIGINALS, _math.REPLACEMENTS)],
    _facts,
    _PLAIN,
    [np, np.linalg, builtins, sys.modules["tapegrad"]],
    _LIBRARIES | sys.stdlib_module_names | {"numpy", "tapegrad"},
    [_core.Forwarding, _core.Replayer],
)
_core.serve_calls(_block)
_blocks: dict[bool, Any] = {True: _block, False: _core.NoBlanks()}


# call(f, args, kwargs) is `f(*args, **kwargs)`, with arrays that take Variables where it may make
# some.
call: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any] = _block.call


class patch_numpy:  # noqa: N801 - it is called as a function is
    """Inside the block, arrays that NumPy's creation functions make take Variables.

    Transforms do the same while they call a function; the block is for Variables outside of them.
    `np.zeros`, `ones`, `empty`, `full`, `eye`, `arange`, `linspace` and the like, and `np.array`,
    `np.asarray` of lists that hold Variables: for this thread only, and where they are called as
    attributes of NumPy's module, or by a global name of the module that entered the block
    (`from numpy import zeros`). The arrays are plain, and what is computed of them is, until a
    Variable is written to them. Also a decorator.

    In `with tg.patch_numpy(False):` transforms leave NumPy's functions as they are.

    >>> import numpy as np, tapegrad as tg
    >>> @tg.patch_numpy()
    ... def f(x):
    ...     y = np.zeros(2)
    ...     y[0] = x[0] * x[1]
    ...     rotation = np.array([[np.cos(x[0]), -np.sin(x[0])], [np.sin(x[0]), np.cos(x[0])]])
    ...     return np.sum(rotation @ y)
    >>> tg.grad(f)(np.array([0.0, 2.0]))
    array([2., 0.])
    """

    def __init__(self, on: bool = True) -> None:
        if not isinstance(on, bool):
            raise TypeError(
                f"patch_numpy takes True or False, not {on!r}; call tg.patch_numpy() in a with "
                "statement, or as a decorator: @tg.patch_numpy()"
            )
        self._on = on

    def __enter__(self) -> None:
        _blocks[self._on].__enter__()
        if self._on:
            _block.take(sys._getframe(1).f_globals)

    def __exit__(self, *error: object) -> None:
        _blocks[self._on].__exit__(*error)

    def __call__(self, f: Callable[P, R]) -> Callable[P, R]:
        """`f`, called inside a block of its own."""

        @functools.wraps(f)
        def within(*args: P.args, **kwargs: P.kwargs) -> R:
            with _blocks[self._on]:
                if self._on:
                    _block.take(getattr(f, "__globals__", {}))
                return f(*args, **kwargs)

        return within


def original(name: str) -> Any:
    """NumPy's own function of this name, inside a block too."""
    return _originals.get(name) or getattr(np, name)


@functools.cache
def function(name: str) -> Any:
    """What `tapegrad.numpy` has under a name: NumPy's own, or the function whose arrays fill."""
    return stand_in(name, lambda _: True) if name in _NAMES else getattr(np, name)
