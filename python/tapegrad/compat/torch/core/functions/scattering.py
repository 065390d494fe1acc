"""Elements put and added at positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.compat.torch.core.call import call, is_tensor, raw
from tapegrad.compat.torch.core.functions.indexing import checked, places_of
from tapegrad.compat.torch.core.graph import CHOICE, NOTHING
from tapegrad.compat.torch.core.operands import cast, meet
from tapegrad.compat.torch.core.registry import public


@public(in_place=True)
def scatter(
    input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Any:
    """With `src`, or a number, at each position of `index` along `dim`."""
    if reduce is not None:
        if reduce != "add":
            raise NotImplementedError(f"scatter(reduce={reduce!r}): write scatter_reduce, or loops")
        return scatter_add(input, dim, index, src)
    dim %= input.ndim
    a = checked("scatter", index, input.shape, dim)
    given = value if src is None else src
    part = tuple(slice(n) for n in a.shape)

    def compute(x: Any, *s: Any) -> Any:
        made = x.copy()
        made[places_of(a, dim, x.shape)] = s[0][part] if s else given
        return made

    if is_tensor(given) and type(raw(given)) is Variable and type(raw(input)) is not Variable:
        return call("Scatter", lambda s: _recordable(input, lambda x: compute(x, s)), given)
    return call("Scatter", compute, input, *([given] if is_tensor(given) else []), saves=CHOICE)


def _recordable(input: Any, f: Any) -> Any:
    return f(Variable(input.plain()))


def _added(input: Any, given: Any, places: Any, name: str) -> Any:
    """`input` with `given` added at `places`, which may repeat."""
    shape = input.shape
    size = int(np.prod(shape, dtype=int))
    flat = np.broadcast_to(
        np.ravel_multi_index(np.broadcast_arrays(*places), tuple(shape)), given.shape
    )

    def compute(x: Any, s: Any) -> Any:
        x, s = meet([x, s])
        if s.dtype.kind != "f":
            total = np.zeros(size, s.dtype)
            np.add.at(total, flat.ravel(), s.ravel())
        else:
            total = np.bincount(flat.ravel(), np.reshape(s, (-1,)), size)
            total = cast(total, s.dtype)
        return x + np.reshape(total, tuple(shape))

    return call(name, compute, input, given, saves=NOTHING)


@public(in_place=True)
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """With `src` added at each position of `index` along `dim`."""
    dim %= input.ndim
    a = checked("scatter_add", index, input.shape, dim)
    part = src[tuple(slice(n) for n in a.shape)]
    return _added(input, part, places_of(a, dim, input.shape), "ScatterAdd")


@public(in_place=True)
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """With slices of `source` added at the given positions along `dim`."""
    dim %= input.ndim
    a = checked("index_add", index, input.shape, dim)
    grids = list(np.ogrid[tuple(slice(n) for n in source.shape)])
    grids[dim] = a.reshape([-1 if k == dim else 1 for k in range(source.ndim)])
    return _added(input, source * alpha if alpha != 1 else source, grids, "IndexAdd")


@public(in_place=True)
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """With a number at the given positions along `dim`."""
    made = input.clone()
    made[(*[slice(None)] * (dim % input.ndim), index)] = value
    return made


@public(in_place=True)
def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """With slices of `source` at the given positions along `dim`."""
    made = input.clone()
    made[(*[slice(None)] * (dim % input.ndim), index)] = source
    return made


@public(in_place=True)
def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """With `values` at the given indices."""
    if accumulate:
        places = [i.plain() for i in indices]
        shape = np.broadcast_shapes(*(p.shape for p in places))
        return _added(input, values.expand(*shape), places, "IndexPut")
    made = input.clone()
    made[tuple(indices)] = values
    return made
