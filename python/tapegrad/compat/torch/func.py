"""`torch.func`: functions of functions, over tapegrad's own transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.compat.torch.core.call import is_tensor, new, raw
from tapegrad.compat.torch.core.modes import enable_grad
from tapegrad.compat.torch.refusals import refusing
from tapegrad.transforms import gradients, jacobians
from tapegrad.transforms.vmap import vmap as _vmap

__getattr__ = refusing(
    __name__,
    {
        "linearize": "torch.func.jvp(f, primals, tangents) computes value and tangent together",
        "functionalize": "writes in place are recorded; call the function itself",
    },
)
__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "stack_module_state",
    "vjp",
    "vmap",
]


def _mapped(f: Callable[[Any], Any], x: Any) -> Any:
    """`f` of each leaf of dicts, lists and tuples."""
    if isinstance(x, dict):
        return {k: _mapped(f, v) for k, v in x.items()}
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(_mapped(f, v) for v in x))
    if isinstance(x, (list, tuple)):
        return type(x)(_mapped(f, v) for v in x)
    return f(x)


def _open(x: Any) -> Any:
    return _mapped(lambda v: raw(v) if is_tensor(v) else v, x)


def _close(x: Any) -> Any:
    def closed(v: Any) -> Any:
        return new(v) if isinstance(v, (Variable, np.ndarray, np.generic, float)) else v

    return _mapped(closed, x)


def _of_values(f: Callable[..., Any], has_aux: bool = False) -> Callable[..., Any]:
    """`f`, a function of tensors, as a function of values."""

    def inner(*args: Any, **kwargs: Any) -> Any:
        with enable_grad():
            out = f(*_close(args), **_close(kwargs))
        return _open(out)

    return inner


def _to_tensors(transform: Callable[..., Any]) -> Callable[..., Any]:
    def outer(*args: Any, **kwargs: Any) -> Any:
        return _close(transform(*_open(args), **_open(kwargs)))

    return outer


def _checked(f: Callable[..., Any], has_aux: bool) -> Callable[..., Any]:
    """`f`, which has to give one number."""

    def inner(*args: Any, **kwargs: Any) -> Any:
        out = f(*args, **kwargs)
        value = out[0] if has_aux else out
        if not is_tensor(value):
            raise RuntimeError(
                "grad: a gradient is of a function that returns a tensor, and this one returned "
                f"{type(value).__name__}"
            )
        if value.numel() != 1 or value.ndim:
            raise RuntimeError(
                "grad: a gradient is of a function that returns a scalar tensor, and this one "
                f"returned shape {list(value.shape)}; write f(x).sum(), or torch.func.jacrev(f)"
            )
        return out

    return inner


def _numbers(argnums: Any) -> Any:
    return tuple(argnums) if isinstance(argnums, (tuple, list)) else argnums


def grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives the gradient of `func`.

    >>> import tapegrad.compat.torch as torch
    >>> torch.func.grad(torch.func.grad(torch.sin))(torch.tensor(0.5, dtype=torch.double)).item()
    -0.479425538604203
    """
    f = _of_values(_checked(func, has_aux))
    return _to_tensors(gradients.grad(f, _numbers(argnums), has_aux=has_aux))


def grad_and_value(
    func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that gives (gradient, value), or (gradient, (value, aux))."""
    f = _of_values(_checked(func, has_aux))
    both = gradients.value_and_grad(f, _numbers(argnums), has_aux=has_aux)

    def turned(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return gradient, value

    return _to_tensors(turned)


def jacrev(
    func: Callable[..., Any], argnums: Any = 0, *, has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """The function that gives all derivatives of `func`."""
    if has_aux:
        raise NotImplementedError("jacrev(has_aux=True): call the function once more for aux")
    f = jacobians.jacobian(_of_values(func), _numbers(argnums))
    return _to_tensors(f)


def jacfwd(
    func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False, *,
    randomness: str = "error",
) -> Callable[..., Any]:  # fmt: skip
    """The same as `jacrev`: which sweep is used follows from the shapes."""
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """The function that gives all second derivatives of `func`."""
    return jacfwd(jacrev(func, argnums), argnums)


def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False,
    has_aux: bool = False,
) -> Any:  # fmt: skip
    """(value, tangent) of `func`."""
    if has_aux:
        raise NotImplementedError("jvp(has_aux=True): call the function once more for aux")
    f = _of_values(func)
    return tuple(_close(jacobians.jvp(f, tuple(_open(primals)), tuple(_open(tangents)))))


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """(value, the function from a cotangent to those of the inputs)."""
    if has_aux:
        raise NotImplementedError("vjp(has_aux=True): call the function once more for aux")
    value, pullback = gradients.vjp(_of_values(func), *_open(primals))

    def back(*cotangents: Any, retain_graph: bool = True, create_graph: bool = False) -> Any:
        given = _open(cotangents)
        return _several(_close(pullback(given[0] if len(given) == 1 else given)))

    return _close(value), back


def _several(found: Any) -> Any:
    return found if isinstance(found, tuple) else (found,)


def vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error",
    *, chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """`func` over one more axis of its arguments and results."""
    return _to_tensors(_vmap(_of_values(func), in_axes=in_dims, out_axes=out_dims))


def functional_call(
    module: Any, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: Any = None, *,
    tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """A module's call with other tensors in place of its parameters and buffers."""
    given = parameter_and_buffer_dicts
    if not isinstance(given, dict):
        given = {k: v for part in given for k, v in part.items()}
    places = []
    for name, value in given.items():
        path, _, key = name.rpartition(".")
        owner = module.get_submodule(path)
        table = next((t for t in (owner._parameters, owner._buffers) if key in t), None)
        if table is None:
            raise RuntimeError(f"functional_call: {type(module).__name__} has no tensor {name!r}")
        places.append((table, key, table[key]))
        table[key] = value
    try:
        inputs = () if args is None else args if isinstance(args, tuple) else (args,)
        return module(*inputs, **(kwargs or {}))
    finally:
        for table, key, former in places:
            table[key] = former


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(parameters, buffers) of models of one kind, stacked by name."""
    from tapegrad.compat.torch.core.registry import FUNCTIONS

    def stacked(tables: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            k: FUNCTIONS["stack"]([t[k].detach() for t in tables]).requires_grad_(
                tables[0][k].requires_grad
            )
            for k in tables[0]
        }

    return (
        stacked([dict(m.named_parameters()) for m in models]),
        stacked([dict(m.named_buffers()) for m in models]),
    )
