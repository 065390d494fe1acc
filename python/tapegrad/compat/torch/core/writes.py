"""Writes into tensors: what may be written where, and that it is counted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable
from tapegrad.compat.torch.core import dtypes
from tapegrad.compat.torch.core.call import A_NUMBER, cell, raw, source, store
from tapegrad.compat.torch.core.graph import Node, callers_line, leaf_node
from tapegrad.compat.torch.core.modes import MODES
from tapegrad.compat.torch.core.operands import broadcast_complaint


def check_writable(t: Any, name: str) -> None:
    """Raises where PyTorch refuses a write in place, and where its gradient would be lost here."""
    content = cell(t)
    if type(content) is not Variable:
        if not content.flags.writeable:
            raise RuntimeError(
                f"{name}: an in-place operation on a tensor of shape {list(content.shape)} "
                "that only shows "
                "another one: a recorded result without its gradient, or elements that are "
                "repeated by expand; write to a copy of it, x = x.clone()"
            )
        return
    if t._cut:
        return
    if MODES.recording:
        if t.is_leaf:
            raise RuntimeError(
                f"{name}: an in-place operation on a leaf of shape {list(content.shape)} "
                "with requires_grad=True, which would no longer be the leaf that gets the "
                "gradient. Write it inside torch.no_grad(), or to a copy, x = x.clone()"
            )
        if _views_a_leaf(t):
            raise RuntimeError(
                f"{name}: an in-place operation on a view, of shape {list(content.shape)}, of "
                "a leaf with requires_grad=True, which would no longer be the leaf that gets the "
                "gradient. Write it inside torch.no_grad(), or to a copy, x = x.clone()"
            )
    elif not t.is_leaf:
        raise RuntimeError(
            f"{name}: an in-place operation, without recording, on a recorded result: its "
            "derivative would "
            "be that of the old content; write to a copy, x = x.detach().clone()"
        )


def _views_a_leaf(t: Any) -> bool:
    if t._store is None or t._store.written is not None:
        return False
    node = t._node
    while node is not None and node.leaf is None and len(node.inputs) == 1:
        if node._name not in _VIEWS:
            return False
        node = node.inputs[0]
    leaf = node.variable if node is not None and node.leaf is not None else None
    return leaf is not None and leaf._store is t._store


_VIEWS = frozenset(
    f"{name}Backward0"
    for name in (
        "Alias", "View", "Select", "Slice", "T", "Transpose", "Permute", "Squeeze", "Unsqueeze",
        "Expand", "Unfold", "Diagonal", "AsStrided", "Split", "Unbind", "Flatten",
    )
)  # fmt: skip


def _variable_cell(t: Any) -> Variable:
    """Makes a plain tensor's memory recordable, for all tensors that show it."""
    content = cell(t)
    if type(content) is Variable:
        return content
    if t._link is not None:
        base = t._link[0]
        _variable_cell(base)
        return cell(t)  # type: ignore[no-any-return]  # which followed its base
    if t._outside:
        raise RuntimeError(
            "a tensor that shares its memory with a NumPy array (from_numpy, or numpy()) can't "
            "hold a recorded value, which the array would not show; write to a copy, x = x.clone()"
        )
    t._v = Variable(content)
    return t._v  # type: ignore[no-any-return]  # attributes of tensors are untyped


def require_gradient(t: Any) -> None:
    """Makes a plain tensor a leaf."""
    content = cell(t)
    if type(content) is Variable:
        t._cut = False
        return
    if content.dtype.kind != "f":
        raise RuntimeError(
            "requires_grad_: only tensors of floating point have gradients, and this one is "
            f"{dtypes.of_numpy(content.dtype)}; write x.float()"
        )
    t._outside = False  # the leaf has a copy (docs/moving_from_pytorch.md)
    if t._link is not None:
        t._link = None
        t._store = None
    t._v = Variable(content)
    t._leaf = True
    t._cut = False
    t._node = leaf_node(t)


def put(t: Any, key: Any, value: Any, name: str, node: Node | None, reset: bool = False) -> None:
    """Writes an array, a Variable or a number at `key`, and counts the write."""
    content = cell(t)
    if type(value) is Variable and content.dtype.kind != "f":
        value = np.asarray(_core.value(value))
    if type(value) is Variable:
        if t._cut:
            raise RuntimeError(
                "a recorded value can't be written to a detached tensor, which has no "
                "gradient; write value.detach(), or to a copy, x = x.clone()"
            )
        content = _variable_cell(t)
    content[key] = value
    kept = store(t)
    kept.version += 1
    kept.where = callers_line()
    if type(value) is Variable and node is not None:
        t._node = kept.written = node
    elif type(content) is Variable and not t._cut and not t.is_leaf and MODES.recording:
        t._node = kept.written = Node(name, (source(t),))


def write(t: Any, result: Any, name: str) -> Any:
    """Puts a new tensor's content into `t`: the second half of every in-place operation."""
    value = raw(result)
    content = cell(t)
    if dtypes.of_numpy(value.dtype).category > dtypes.of_numpy(content.dtype).category:
        raise RuntimeError(
            f"{name}: a result of "
            f"{dtypes.title(dtypes.of_numpy(value.dtype))} would be cut to the tensor's "
            f"{dtypes.title(dtypes.of_numpy(content.dtype))}; write it out of "
            "place, x = x + 1.5 for x += 1.5"
        )
    if value.shape != content.shape:
        broadcast_complaint(
            name, np.broadcast_to(0, value.shape), np.broadcast_to(0, content.shape)
        )
        if np.broadcast_shapes(value.shape, content.shape) != content.shape:
            raise RuntimeError(
                f"{name}: a result of shape {list(value.shape)} does not fit the tensor's "
                f"{list(content.shape)}; x = x + y makes a new one"
            )
    node, kept = result._node, store(t)
    put(t, ..., value, name, node)
    if node is not None:
        # What the operation saved of `t` is its own copy; what it saved of its result is `t` now.
        own, out = (kept, result._store)
        node.saved = tuple(
            (kept, kept.version, *rest) if s is out else (A_NUMBER if s is own else (s, v, *rest))
            for s, v, *rest in node.saved
        )
    return t


def in_place(name: str, f: Callable[..., Any], t: Any, *args: Any, **kwargs: Any) -> Any:
    """`t` with the content of `f(t, ...)`."""
    check_writable(t, name)
    return write(t, f(t, *args, **kwargs), name)


def in_place_of(name: str, f: Callable[..., Any]) -> Callable[..., Any]:
    """The method `name` that writes what the function `f` gives."""
    made = partial(in_place, name, f)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return made(self, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"`{name[:-1]}` in place."
    return method
