"""Functions that make tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable
from tapegrad.compat.torch.core import dtypes
from tapegrad.compat.torch.core.call import call, is_tensor, new
from tapegrad.compat.torch.core.functions.shapes import lengths
from tapegrad.compat.torch.core.registry import FUNCTIONS, public, register


def _finished(a: Any, dtype: Any, device: Any, requires_grad: bool) -> Any:
    dtypes.check_device(device)
    kind = None if dtype is None else dtypes.as_dtype(dtype).numpy
    t = new(a if kind is None or a.dtype == kind else a.astype(kind))
    dtypes.of_numpy(t._v.dtype)
    return t.requires_grad_() if requires_grad else t


def _plain(data: Any) -> Any:
    """An array of numbers, lists and tensors; Python's floats in the default dtype."""
    if is_tensor(data):
        return np.array(data.plain())
    if type(data) is Variable:
        return np.array(_core.value(data))
    if isinstance(data, (np.ndarray, np.generic)):
        return np.array(data)
    if isinstance(data, (list, tuple)) and any(map(is_tensor, data)):
        data = [x.tolist() if is_tensor(x) else x for x in data]
    try:
        a = np.array(data)
    except ValueError:
        a = np.array(None)
    if a.dtype.kind not in "biuf":
        raise ValueError(
            f"tensor(): data of type {type(data).__name__} makes no rectangular array of numbers; "
            "check the lengths of its lists"
        )
    if a.dtype == np.float64 and not _holds_float64(data):
        a = a.astype(dtypes.get_default_dtype().numpy)
    return a


def _holds_float64(data: Any) -> bool:
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, np.ndarray)


@public(method=False)
def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:  # fmt: skip
    """A new tensor of numbers, nested lists or arrays: always a copy.

    >>> import tapegrad.compat.torch as torch
    >>> torch.tensor([[1.0, 2.0], [3.0, 4.0]]).shape
    torch.Size([2, 2])
    """
    return _finished(_plain(data), dtype, device, requires_grad)


@public(method=False)
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
    """The tensor itself, or one that shares an array's memory, where the dtype is right."""
    if is_tensor(data):
        return data if dtype is None else data.to(dtype)
    if type(data) is Variable:
        made = new(data)
        return made if dtype is None else made.to(dtype)
    if isinstance(data, np.ndarray):
        shared = from_numpy(data)
        return shared if dtype is None else shared.to(dtype)
    return tensor(data, dtype=dtype, device=device)


register("asarray", as_tensor, method=False)


@public(method=False)
def from_numpy(ndarray: Any) -> Any:
    """A tensor that shares an array's memory."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(
            f"from_numpy: {type(ndarray).__name__} is no NumPy array; torch.tensor(x) takes "
            "numbers and lists"
        )
    dtypes.of_numpy(ndarray.dtype)
    t = new(ndarray.view(np.ndarray))
    t._outside = True
    return t


def _of_lengths(name: str, make: Any) -> None:
    def function(
        *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False,
        layout: Any = None, pin_memory: bool = False, memory_format: Any = None,
    ) -> Any:  # fmt: skip
        shape = lengths(size if size else ((),))
        kind = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)
        return _finished(make(shape, kind.numpy), None, device, requires_grad)

    def like(
        input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
        layout: Any = None, memory_format: Any = None,
    ) -> Any:  # fmt: skip
        kind = input.dtype if dtype is None else dtypes.as_dtype(dtype)
        return _finished(make(tuple(input.shape), kind.numpy), None, device, requires_grad)

    def of_kind(self: Any, *size: Any, dtype: Any = None, **given: Any) -> Any:
        return function(*size, dtype=self.dtype if dtype is None else dtype, **given)

    function.__name__ = name
    function.__doc__ = f"A tensor of the given lengths ({name})."
    like.__doc__ = f"`{name}` of another tensor's shape and dtype."
    of_kind.__doc__ = f"`{name}` of this tensor's dtype."
    register(name, function, method=False)
    register(f"{name}_like", like, method=False)
    register(f"new_{name}", of_kind, function=False)


_of_lengths("zeros", np.zeros)
_of_lengths("ones", np.ones)
_of_lengths("empty", np.zeros)
empty, zeros = FUNCTIONS["empty"], FUNCTIONS["zeros"]


@public(method=False)
def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """One value everywhere."""
    value = fill_value.item() if is_tensor(fill_value) else fill_value
    if dtype is None:
        dtype = dtypes.as_dtype(type(value)) if type(value) in (bool, int, float) else None
    shape = lengths((size,))
    return _finished(np.full(shape, value), dtype, device, requires_grad)


@public(method=False)
def full_like(input: Any, fill_value: Any, *, dtype: Any = None, **given: Any) -> Any:
    """One value in another tensor's shape and dtype."""
    return full(
        tuple(input.shape), fill_value, dtype=input.dtype if dtype is None else dtype, **given
    )


register(
    "new_full",
    lambda self, size, fill_value, dtype=None, **given: full(
        size, fill_value, dtype=self.dtype if dtype is None else dtype, **given
    ),
    function=False,
)
register(
    "new_tensor",
    lambda self, data, dtype=None, **given: tensor(
        data, dtype=self.dtype if dtype is None else dtype, **given
    ),
    function=False,
)


@public(method=False)
def arange(
    start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """Numbers from `start` (or 0) up to but without `end`."""
    start, end = (0, start) if end is None else (start, end)
    start, end, step = (x.item() if is_tensor(x) else x for x in (start, end, step))
    for bound in (start, end, step):
        if not isinstance(bound, (int, float, np.number)):
            raise TypeError(f"arange: {bound!r} is no number; write torch.arange(start, end, step)")
    if dtype is None:
        whole = all(isinstance(x, (int, np.integer)) for x in (start, end, step))
        dtype = dtypes.BY_NAME["int64"] if whole else dtypes.get_default_dtype()
    n = max(int(np.ceil((end - start) / step)), 0)
    return _finished(start + np.arange(n) * step, dtype, device, requires_grad)


@public("range", method=False)
def range_of(start: Any, end: Any, step: Any = 1, **given: Any) -> Any:
    """Numbers from `start` up to and with `end`."""
    given.setdefault("dtype", dtypes.get_default_dtype())
    return arange(start, end + step / 2, step, **given)


@public(method=False)
def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """`steps` numbers at equal distances, both ends included."""
    kind = dtypes.get_default_dtype() if dtype is None else dtype
    first, last = (x.item() if is_tensor(x) else x for x in (start, end))
    return _finished(np.linspace(first, last, steps), kind, device, requires_grad)


@public(method=False)
def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, **given: Any
) -> Any:
    """`base` to the power of `linspace`."""
    kind = dtypes.get_default_dtype() if dtype is None else dtype
    return _finished(
        np.logspace(start, end, steps, base=base), kind, None, **{"requires_grad": False, **given}
    )


@public(method=False)
def eye(
    n: int, m: Any = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """Ones on the diagonal."""
    kind = dtypes.get_default_dtype() if dtype is None else dtype
    return _finished(np.eye(n, m), kind, device, requires_grad)


@public(method=False)
def scalar_tensor(s: Any, **given: Any) -> Any:
    """A tensor of one number without axes."""
    given.setdefault("dtype", dtypes.get_default_dtype())
    return tensor(s, **given)


def _triangle(name: str, f: Any) -> None:
    def function(row: int, col: int, offset: int = 0, **given: Any) -> Any:
        return new(np.stack(f(row, offset, col)).astype(np.int64))

    function.__name__ = name
    function.__doc__ = f"NumPy's {name}, as two rows of indices."
    register(name, function, method=False)


_triangle("tril_indices", np.tril_indices)
_triangle("triu_indices", np.triu_indices)


@public(method=False)
def combinations(input: Any, r: int = 2) -> Any:
    """All choices of r elements."""
    from itertools import combinations as choices

    places = np.array(list(choices(range(len(input)), r)), np.int64).reshape(-1, r)
    return call("Index", lambda x: x[places], input)


@public(method=False)
def hann_window(window_length: int, periodic: bool = True, **given: Any) -> Any:
    """A raised cosine."""
    n = window_length + bool(periodic)
    return tensor(
        np.hanning(n)[:window_length], dtype=given.get("dtype") or dtypes.get_default_dtype()
    )


def of_kind(name: str) -> Any:
    """`torch.FloatTensor` and its like: of a list, or of the given lengths."""

    def make(*args: Any) -> Any:
        kind = dtypes.BY_NAME[name]
        if len(args) == 1 and not isinstance(args[0], int):
            return tensor(args[0], dtype=kind)
        return empty(*(args or (0,)), dtype=kind)

    make.__doc__ = f"A tensor of {name}, of a list or of the given lengths."
    return make
