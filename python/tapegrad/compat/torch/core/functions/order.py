"""Extremes with their places, sorting, and what follows from the order of elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.torch.core.call import call, is_tensor, new, raw, view
from tapegrad.compat.torch.core.functions.arithmetic import maximum_of, minimum_of
from tapegrad.compat.torch.core.functions.reductions import check_dim
from tapegrad.compat.torch.core.graph import CHOICE
from tapegrad.compat.torch.core.registry import public, register, values_and_indices

max_result, min_result, median_result = map(values_and_indices, ("max", "min", "median"))
sort_result, topk_result = values_and_indices("sort"), values_and_indices("topk")


def picked(name: str, input: Any, indices: Any, dim: int, keepdim: bool) -> Any:
    """The elements at `indices` (with an axis of length one at `dim`) of each line along `dim`."""

    def compute(x: Any) -> Any:
        found = np.take_along_axis(x, indices, dim)
        return found if keepdim else np.squeeze(found, dim)

    return call(name, compute, input, saves=CHOICE)


def _along(input: Any, dim: int, keepdim: bool, f: Any, result: Any) -> Any:
    check_dim(result.__name__, dim, input.ndim)
    if input.ndim == 0:
        return result(input.clone(), new(np.zeros((), np.int64)))
    a = raw(input)
    indices = np.expand_dims(f(a, dim), dim)
    values = picked("Select", input, indices, dim, keepdim)
    return result(values, new(indices if keepdim else np.squeeze(indices, dim)))


@public("max")
def max_of(input: Any, dim: Any = None, keepdim: bool = False, **given: Any) -> Any:
    """The largest element; along `dim` the pair (values, indices); of two tensors the larger."""
    if is_tensor(dim) or "other" in given:
        return maximum_of(input, given.get("other", dim))
    dim = given.get("axis", dim)
    if dim is None:
        return call("Max", np.max, input)
    return _along(input, dim, keepdim, lambda a, d: np.argmax(a, d), max_result)


@public("min")
def min_of(input: Any, dim: Any = None, keepdim: bool = False, **given: Any) -> Any:
    """The smallest element; along `dim` the pair (values, indices); of two tensors the smaller."""
    if is_tensor(dim) or "other" in given:
        return minimum_of(input, given.get("other", dim))
    dim = given.get("axis", dim)
    if dim is None:
        return call("Min", np.min, input)
    return _along(input, dim, keepdim, lambda a, d: np.argmin(a, d), min_result)


def _running(name: str, f: Any) -> None:
    def function(input: Any, dim: int) -> Any:
        a = input.plain()
        best = f.accumulate(a, axis=dim)
        shape = [1] * a.ndim
        shape[dim] = a.shape[dim]
        places = np.broadcast_to(np.arange(a.shape[dim]).reshape(shape), a.shape)
        indices = np.maximum.accumulate(np.where(a == best, places, 0), axis=dim)
        kind = values_and_indices(name)
        return kind(picked(name.title(), input, indices, dim, True), new(indices))

    function.__name__ = name
    function.__doc__ = f"Running extremes along `dim`, and where they are ({name})."
    register(name, function)


_running("cummax", np.maximum)
_running("cummin", np.minimum)


@public()
def median(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The median, the lower one of two; along `dim` the pair (values, indices)."""
    if dim is None:
        flat = view("View", input, lambda x: np.reshape(x, (-1,)), True)
        return _along(flat, 0, False, _middle, median_result).values
    return _along(input, dim, keepdim, _middle, median_result)


def _middle(a: Any, dim: int) -> Any:
    return np.take(np.argsort(a, axis=dim, kind="stable"), (a.shape[dim] - 1) // 2, axis=dim)


@public()
def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The pair (values, indices), sorted along `dim`."""
    indices = argsorted(input.plain(), dim, descending)
    return sort_result(picked("Sort", input, indices, dim, True), new(indices))


def argsorted(a: Any, dim: int, descending: bool) -> Any:
    """Indices that sort, equal elements in their order."""
    if not a.ndim:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(a, axis=dim, kind="stable")
    turned = np.argsort(np.flip(a, dim), axis=dim, kind="stable")
    return np.ascontiguousarray(np.flip(a.shape[dim] - 1 - turned, dim))


@public()
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The indices that sort along `dim`."""
    return new(argsorted(input.plain(), dim, descending))


@public()
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The pair (values, indices) of the k largest, or smallest, along `dim`."""
    length = input.shape[dim]
    if k > length:
        raise RuntimeError(
            f"topk: k is {k}, and dim {dim} of shape {list(input.shape)} has {length} elements"
        )
    indices = np.take(argsorted(input.plain(), dim, largest), np.arange(k), axis=dim)
    return topk_result(picked("Topk", input, indices, dim, True), new(indices))


@public()
def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The k-th smallest element along `dim`, and where it is."""
    kind = values_and_indices("kthvalue")
    return _along(input, dim, keepdim, lambda a, d: np.take(argsorted(a, d, False), k - 1, d), kind)
