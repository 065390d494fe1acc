"""What is known of dtypes and shapes before a graph is run.

Nothing is declared twice: a node is computed from samples of what it reads, once with every open
length 4 and once with 5. Where the shapes that come out differ, the length is open.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tapegrad.graph import control
from tapegrad.graph import operations as ops
from tapegrad.graph.nodes import Node


class UnknownError(Exception):
    """A placeholder without a shape is read, or the samples can't be computed with."""


def static(node: Node) -> tuple[np.dtype[Any] | None, tuple[int | None, ...] | None]:
    """The dtype and the shape of a node's value: None is unknown, a length None is open."""
    operation = node.operation
    if isinstance(operation, ops.Placeholder | ops.State):
        return operation.dtype, operation.shape
    try:
        one, other = (np.asarray(sample(node, n)) for n in (4, 5))
    except UnknownError:
        return _dtype_alone(node), None
    if one.ndim != other.ndim:
        return one.dtype, None
    lengths = zip(one.shape, other.shape, strict=True)
    return one.dtype, tuple(a if a == b else None for a, b in lengths)


def _dtype_alone(node: Node) -> np.dtype[Any] | None:
    """The dtype where shapes are unknown: that of a computation with numbers."""
    try:
        return np.asarray(sample(node, 0)).dtype
    except UnknownError:
        return None


def sample(node: Node, length: int) -> Any:
    """A value as the node might have. `length` 0 takes what has no shape as a number."""
    if length not in node.samples:
        for above in _ancestors(node, length):
            above.samples[length] = _sample_or_error(above, length)
    found = node.samples[length]
    if isinstance(found, UnknownError):
        raise found
    return found


def _sample_or_error(node: Node, length: int) -> Any:
    try:
        return _sample(node, length)
    except UnknownError as error:
        return error


def _ancestors(node: Node, length: int) -> list[Node]:
    """The node and all that it reads and that has no sample, in order."""
    found: dict[int, Node] = {}
    todo = [node]
    while todo:
        n = todo.pop()
        if n.index in found or length in n.samples:
            continue
        found[n.index] = n
        todo += n.inputs
        todo += [out for body in n.operation.bodies() for out in body.outputs]
        operation = n.operation
        if isinstance(operation, ops.Parameter) and operation.like is not None:
            todo.append(operation.like)
    return [found[index] for index in sorted(found)]


def _filled(template: Any, length: int) -> Any:
    if isinstance(template, Node):
        if length not in template.samples:
            raise UnknownError
        found = template.samples[length]
        if isinstance(found, UnknownError):
            raise found
        return found
    if isinstance(template, tuple):
        return tuple(_filled(x, length) for x in template)
    if isinstance(template, list):
        return [_filled(x, length) for x in template]
    if isinstance(template, dict):
        return {key: _filled(x, length) for key, x in template.items()}
    if isinstance(template, slice):
        return slice(*_filled((template.start, template.stop, template.step), length))
    return template


def _array(dtype: np.dtype[Any], shape: tuple[int | None, ...] | None, length: int) -> Any:
    if shape is None:
        if length:
            raise UnknownError
        return np.ones((), dtype)
    lengths = tuple(length if n is None else n for n in shape)
    if dtype.kind in "iub":
        return np.zeros(lengths, dtype)
    return np.full(lengths, 0.5, dtype)


def _sample(node: Node, length: int) -> Any:
    operation = node.operation
    if isinstance(operation, ops.Placeholder | ops.State):
        return _array(operation.dtype, operation.shape, length)
    if isinstance(operation, ops.Constant):
        return operation.value
    if isinstance(operation, ops.Assign | ops.Read):
        return _sample(operation.state, length)
    if isinstance(operation, ops.Gradients):
        return _filled(operation.xs, length)
    if isinstance(operation, control.Branch):
        return _filled(operation.branches[0].outputs, length)
    if isinstance(operation, control.Loop):
        return _filled(operation.start, length)
    if isinstance(operation, control.Scan):
        return _sample_scan(operation, length)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            if isinstance(operation, ops.Call) and not operation.foreign:
                args = _filled(operation.args, length)
                return operation.function(*args, **_filled(operation.kwargs, length))
            if isinstance(operation, ops.Parameter) and operation.like is not None:
                value = _filled(operation.like, length)
                return value if operation.item is None else operation.item(value)
            if isinstance(operation, ops.Draw):
                return operation.draw(np.random.default_rng(0), *_filled(operation.args, length))
        except Exception as error:
            raise UnknownError(str(error)) from None
    raise UnknownError


def _sample_scan(operation: control.Scan, length: int) -> Any:
    n = len(operation.start)
    if operation.sequences:
        steps = len(_filled(operation.sequences[0], length))
    elif isinstance(operation.length, Node):
        steps = length
    else:
        steps = int(operation.length)
    outputs = _filled(operation.body.outputs, length)
    return (*outputs[:n], *[np.stack([y] * max(steps, 1))[:steps] for y in outputs[n:]])
