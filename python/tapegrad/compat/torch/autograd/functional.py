"""`torch.autograd.functional`: derivatives of functions, the forms before `torch.func`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tapegrad.compat.torch.core.backward import grad
from tapegrad.compat.torch.core.call import is_tensor, new
from tapegrad.compat.torch.core.modes import enable_grad

F = TypeVar("F", bound=Callable[..., Any])


def _recording(f: F) -> F:
    return enable_grad()(f)  # type: ignore[no-any-return]  # a mode that decorates


def _prepared(inputs: Any, create_graph: bool) -> tuple[bool, list[Any]]:
    single = is_tensor(inputs)
    given = [inputs] if single else list(inputs)
    if create_graph:
        return single, [
            x * 1 if x.requires_grad else x.detach().clone().requires_grad_() for x in given
        ]
    return single, [x.detach().clone().requires_grad_() for x in given]


def _of(single: bool, parts: Any) -> Any:
    return parts[0] if single else tuple(parts)


def _swept(out: Any, xs: list[Any], seed: Any, keep: bool, record: bool) -> list[Any]:
    if not out.requires_grad:
        return [x.detach() * 0 for x in xs]
    found = grad(out, xs, seed, retain_graph=keep or record, create_graph=record, allow_unused=True)
    return [x.detach() * 0 if g is None else g for x, g in zip(xs, found, strict=True)]


@_recording
def _not_strict(name: str, strict: bool) -> None:
    if strict:
        raise NotImplementedError(
            f"torch.autograd.functional.{name}: strict=True is not there; what a result does not "
            "depend on has zeros for its derivative, so look for these"
        )


def jacobian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """All derivatives of a function's results by its inputs."""
    _not_strict("jacobian", strict)
    from tapegrad.compat.torch.core.registry import FUNCTIONS

    single, xs = _prepared(inputs, create_graph)
    result = func(*xs)
    outs = [result] if is_tensor(result) else list(result)
    blocks = []
    for out in outs:
        rows: list[list[Any]] = [[] for _ in xs]
        for k in range(out.numel()):
            seed = np.zeros(out.numel(), out._v.dtype)
            seed[k] = 1.0
            found = _swept(out, xs, new(seed.reshape(out.shape)), True, create_graph)
            for row, g in zip(rows, found, strict=True):
                row.append(g)
        blocks.append(
            _of(single, [
                FUNCTIONS["stack"](row).reshape(*out.shape, *x.shape)
                for row, x in zip(rows, xs, strict=True)
            ])
        )  # fmt: skip
    return blocks[0] if is_tensor(result) else tuple(blocks)


@_recording
def hessian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, outer_jacobian_strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """All second derivatives of a function that gives one number."""
    _not_strict("hessian", strict)
    single = is_tensor(inputs)

    def gradient(*xs: Any) -> Any:
        found = _swept(func(*xs).reshape(()), list(xs), None, True, True)
        return _of(single, found)

    return jacobian(gradient, inputs, create_graph)


@_recording
def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
    strict: bool = False,
) -> Any:  # fmt: skip
    """(result, cotangents of the inputs)."""
    _not_strict("vjp", strict)
    single, xs = _prepared(inputs, create_graph)
    out = func(*xs)
    found = grad(out, xs, v, create_graph=create_graph, allow_unused=True, materialize_grads=True)
    return out if create_graph else out.detach(), _of(single, found)


@_recording
def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
    strict: bool = False,
) -> Any:  # fmt: skip
    """(result, its tangent)."""
    _not_strict("jvp", strict)
    from tapegrad.compat.torch import func as functions

    given = (inputs,) if is_tensor(inputs) else tuple(inputs)
    tangents = (v,) if is_tensor(v) else tuple(v)
    return functions.jvp(func, given, tangents)


@_recording
def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
    strict: bool = False,
) -> Any:  # fmt: skip
    """(value, Hessian times a vector)."""
    _not_strict("hvp", strict)
    single, xs = _prepared(inputs, create_graph)
    out = func(*xs)
    first = grad(out, xs, create_graph=True, allow_unused=True, materialize_grads=True)
    seeds = [v] if is_tensor(v) else list(v)
    total: Any = 0
    for g, s in zip(first, seeds, strict=True):
        total = total + (g * s).sum()
    found = _swept(total, xs, None, create_graph, create_graph)
    return out if create_graph else out.detach(), _of(single, found)


vhp = hvp
