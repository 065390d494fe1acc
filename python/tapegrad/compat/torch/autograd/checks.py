"""Derivatives against central differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad.compat.torch.core.backward import grad
from tapegrad.compat.torch.core.call import is_tensor, new
from tapegrad.compat.torch.core.modes import no_grad


class GradcheckError(RuntimeError):
    """A derivative is not what differences say."""


def _outputs(out: Any) -> list[Any]:
    given = [out] if is_tensor(out) else list(out)
    return [o for o in given if is_tensor(o) and o.requires_grad]


def _differences(f: Any, inputs: Any, x: Any, k: int, eps: float) -> Any:
    """Columns of the Jacobian of output k by x, by central differences."""
    flat = np.array(x.plain()).ravel()
    columns = []
    for j in range(flat.size):
        values = []
        for h in (eps, -eps):
            moved = flat.copy()
            moved[j] += h
            given = [new(moved.reshape(x.shape)) if y is x else y for y in inputs]
            with no_grad():
                out = f(*given)
            part = out if is_tensor(out) else list(out)[k]
            values.append(part.plain().ravel().astype(float))
        columns.append((values[0] - values[1]) / (2 * eps))
    return np.array(columns)


def gradcheck(
    func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5,
    rtol: float = 1e-3, raise_exception: bool = True, nondet_tol: float = 0.0,
    check_undefined_grad: bool = True, check_grad_dtypes: bool = False,
    check_batched_grad: bool = False, check_forward_ad: bool = False, fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:  # fmt: skip
    """Whether the derivatives of a function are what central differences say; raises if not.

    >>> import tapegrad.compat.torch as torch
    >>> x = torch.tensor([0.5, 1.0], dtype=torch.double, requires_grad=True)
    >>> torch.autograd.gradcheck(torch.sin, (x,))
    True
    """
    given = (inputs,) if is_tensor(inputs) else tuple(inputs)
    wrt = [x for x in given if is_tensor(x) and x.requires_grad]
    if not wrt:
        raise ValueError(
            f"gradcheck: {len(given)} inputs, and none with requires_grad=True; "
            "x.requires_grad_() asks for a derivative"
        )
    result = func(*given)
    for k, out in enumerate(_outputs(result)):
        rows = []
        for j in range(out.numel()):
            seed = np.zeros(out.numel(), out._v.dtype)
            seed[j] = 1.0
            rows.append(
                grad(
                    out, wrt, new(seed.reshape(out.shape)), retain_graph=True, allow_unused=True,
                    materialize_grads=True,
                )
            )  # fmt: skip
        for m, x in enumerate(wrt):
            analytical = np.array([r[m].plain().ravel() for r in rows]).T
            numerical = _differences(func, given, x, k, eps)
            if not np.allclose(analytical, numerical, rtol, atol):
                if not raise_exception:
                    return False
                raise GradcheckError(
                    f"gradcheck: the Jacobian of output {k} by input {m} is\n{analytical}\n"
                    f"and that of differences\n{numerical}\n"
                )
    return True


def gradgradcheck(
    func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6,
    atol: float = 1e-5, rtol: float = 1e-3, raise_exception: bool = True, **given: Any,
) -> bool:  # fmt: skip
    """Whether second derivatives are what central differences of the first ones say."""
    parts = (inputs,) if is_tensor(inputs) else tuple(inputs)
    places = [k for k, x in enumerate(parts) if is_tensor(x) and x.requires_grad]

    def first(*xs: Any) -> Any:
        from tapegrad.compat.torch.core.modes import enable_grad

        with enable_grad():
            inner = [
                x if not is_tensor(x) or x.requires_grad or k not in places
                else x.detach().clone().requires_grad_()
                for k, x in enumerate(xs)
            ]  # fmt: skip
            outs = _outputs(func(*inner))
            seeds = grad_outputs or [
                new(np.linspace(0.5, 1.5, o.numel()).astype(o._v.dtype).reshape(o.shape))
                for o in outs
            ]
            return grad(
                outs, [inner[k] for k in places], seeds, create_graph=True, allow_unused=True,
                materialize_grads=True,
            )  # fmt: skip

    return gradcheck(first, parts, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception)
