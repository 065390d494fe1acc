"""Functions that are called with gradients: hooks of tensors, and gradients that are retained.

A hook of a leaf is called before the gradient is added to `.grad`. A hook of a computed tensor is
an identity in the record from then on, whose derivative calls it. Where the tensor was used before
it got its hook, the sweep is asked for its gradient too; the hook may look at it, not change it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.compat.torch.core import call
from tapegrad.compat.torch.core.graph import Node
from tapegrad.operations.custom import custom_vjp

# Computed tensors whose gradient someone waits for: they retain it, or their hook looks at it.
# By identity, since `==` of tensors compares their elements.
_waiting: dict[int, Any] = {}
_numbers = count()


def hooked(t: Any) -> None:
    """Lets `backward` find the gradient of a computed tensor, unless a hook hears of it anyway."""
    if t._late or not t._hooks:
        key = id(t)
        _waiting[key] = weakref.ref(t, lambda _: _waiting.pop(key, None))


def waiting() -> list[Any]:
    """The tensors that wait for their gradient."""
    return [t for t in (ref() for ref in list(_waiting.values())) if t is not None]


def gradient_of(value: Any) -> Any:
    """A gradient as the tensor that hooks get: recorded where the sweep is."""
    if type(value) is Variable:
        return call.new(value)
    return call.new(np.array(value))


def returned(hook: Callable[..., Any], given: Any, found: Any, shape: Any) -> Any:
    """What a hook returned in place of a gradient; None stands for what it was given."""
    if found is None:
        return given
    if not call.is_tensor(found) or tuple(found.shape) != tuple(shape):
        raise RuntimeError(
            f"hook {getattr(hook, '__name__', hook)!r} returned {found!r}; return a tensor of "
            f"shape {list(shape)} in place of the gradient, or None"
        )
    return found


def through(n: int, back: Callable[..., Any]) -> Callable[..., Any]:
    """The identity of n values, whose derivative is `back` of the tuple of cotangents."""

    def same(*values: Any) -> Any:
        return values if n > 1 else values[0]

    f = custom_vjp(same)

    def rule(_: Any, g: Any) -> Any:
        return back(g if n > 1 else (g,))

    f.defvjp(lambda *values: (same(*values), None), rule)
    return f


class Hook:
    """The handle of a hook: `remove()` takes it away."""

    def __init__(self, hooks: dict[int, Any], hook: Any) -> None:
        self.id = next(_numbers)
        self._hooks = hooks
        hooks[self.id] = hook

    def remove(self) -> None:
        """Takes the hook away."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> Hook:
        return self

    def __exit__(self, *args: object) -> None:
        self.remove()

    @classmethod
    def after(cls, t: Any, hook: Any) -> Hook:
        """For `register_post_accumulate_grad_hook`."""
        if not (t.requires_grad and t.is_leaf):
            raise RuntimeError(
                "register_post_accumulate_grad_hook: only a leaf with requires_grad=True has a "
                f".grad that accumulates; this tensor, of shape {list(t.shape)}, is not one; "
                "y.register_hook(hook) sees its gradient if it has one"
            )
        if t._after is None:
            t._after = {}
        return cls(t._after, hook)

    @classmethod
    def on_tensor(cls, t: Any, hook: Any) -> Hook:
        """For `register_hook`."""
        if not t.requires_grad:
            raise RuntimeError(
                f"register_hook: a tensor of shape {list(t.shape)} without requires_grad=True "
                "has no gradient for a hook; t.requires_grad_() asks for one"
            )
        if t._hooks is None:
            t._hooks = {}
            if not t.is_leaf:
                _watch(t)
        return cls(t._hooks, hook)


def called(hooks: dict[int, Any], g: Any) -> Any:
    """The gradient tensor `g` after all hooks."""
    for hook in list(hooks.values()):
        g = returned(hook, g, hook(g), g.shape)
    return g


def _watch(t: Any) -> None:
    if call.source(t).used:
        t._late = True
        hooked(t)
        return
    node, hooks, tensor = call.source(t), t._hooks, weakref.ref(t)

    def back(cotangents: Any) -> Any:
        g = called(hooks, gradient_of(cotangents[0]))
        kept = tensor()
        if kept is not None and kept._retains:
            _retain(kept, g)
        return (call.raw(g),)

    _waiting.pop(id(t), None)
    t._v = through(1, back)(call.cell(t))
    t._node = Node(node.name(), node.inputs, node.saved)


def _retain(t: Any, g: Any) -> None:
    t._grad = g if t._grad is None else t._grad + g


def looked_at(t: Any, g: Any) -> None:
    """Gives a waiting tensor its gradient."""
    if t._late:
        for hook in list(t._hooks.values()):
            if hook(g) is not None:
                raise RuntimeError(
                    f"hook {getattr(hook, '__name__', hook)!r} changes the gradient of a tensor "
                    "that was already used when it was registered: register it before the tensor "
                    "is used, or return None"
                )
    if t._retains:
        _retain(t, g)
