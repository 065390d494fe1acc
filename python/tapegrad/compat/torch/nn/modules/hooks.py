"""Hooks of modules: their handles, and the gradients that go in and out of a module."""

from __future__ import annotations

from itertools import count
from typing import Any

from tapegrad.compat.torch.core import call
from tapegrad.compat.torch.core.graph import NOTHING
from tapegrad.compat.torch.core.hooks import gradient_of, through

_numbers = count()


class Handle:
    """The handle of a hook: `remove()` takes it away."""

    def __init__(self, hooks: Any, hook: Any, prepend: bool = False) -> None:
        self._hooks, self.id = hooks, next(_numbers)
        hooks[self.id] = hook
        if prepend:
            hooks.move_to_end(self.id, last=False)

    def remove(self) -> None:
        """Takes the hook away."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *args: object) -> None:
        self.remove()


def _passed(name: str, tensors: list[Any], back: Any) -> list[Any]:
    """The same tensors, whose cotangents go through `back` together."""
    made = call.call(name, through(len(tensors), back), *tensors, saves=NOTHING)
    return list(made) if isinstance(made, tuple) else [made]


def _replaced(name: str, found: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
    if found is None:
        return given
    parts = found if isinstance(found, tuple) else (found,)
    if len(parts) != len(given):
        raise RuntimeError(f"{name} returned {len(parts)} gradients for {len(given)}")
    return tuple(parts)


def watched(module: Any, args: tuple[Any, ...], kwargs: Any) -> Any:
    """`module.forward`, with the module's backward hooks at its inputs and outputs."""
    out_gradients: list[Any] = []
    places = [k for k, x in enumerate(args) if call.is_tensor(x) and call.recorded(x)]

    def given(cotangents: Any) -> tuple[Any, ...]:
        full: list[Any] = [None] * len(args)
        for k, g in zip(places, cotangents, strict=True):
            full[k] = gradient_of(g)
        return tuple(full)

    def at_inputs(cotangents: Any) -> Any:
        found = given(cotangents)
        for hook in list(module._after_backward.values()):
            found = _replaced("backward hook", hook(module, found, tuple(out_gradients)), found)
        return tuple(call.raw(found[k]) for k in places)

    def at_outputs(cotangents: Any) -> Any:
        found = tuple(map(gradient_of, cotangents))
        for hook in list(module._before_backward.values()):
            found = _replaced("backward pre-hook", hook(module, found), found)
        out_gradients[:] = found
        if not places:
            nothing = (None,) * len(args)
            for hook in list(module._after_backward.values()):
                hook(module, nothing, found)
        return tuple(map(call.raw, found))

    if places:
        inside = _passed("BackwardHook", [args[k] for k in places], at_inputs)
        new_args = list(args)
        for k, x in zip(places, inside, strict=True):
            new_args[k] = x
        args = tuple(new_args)
    result = module.forward(*args, **kwargs)
    parts = list(result) if isinstance(result, tuple) else [result]
    at = [k for k, x in enumerate(parts) if call.is_tensor(x) and call.recorded(x)]
    if not at:
        return result
    for k, x in zip(at, _passed("BackwardHook", [parts[k] for k in at], at_outputs), strict=True):
        parts[k] = x
    return tuple(parts) if isinstance(result, tuple) else parts[0]
