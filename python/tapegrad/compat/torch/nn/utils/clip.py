"""Clipping of gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapegrad.compat.torch.core.call import is_tensor, new
from tapegrad.compat.torch.core.modes import no_grad


def _gradients(parameters: Any) -> list[Any]:
    given = [parameters] if is_tensor(parameters) else parameters
    return [p.grad for p in given if p.grad is not None]


def get_total_norm(
    tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: Any = None,
) -> Any:  # fmt: skip
    """The norm of all tensors' elements together."""
    parts = [t.plain() for t in ([tensors] if is_tensor(tensors) else tensors)]
    if not parts:
        return new(np.zeros((), np.float32))
    norms = np.stack([np.linalg.norm(a.ravel(), norm_type) for a in parts])
    total = np.asarray(np.linalg.norm(norms, norm_type))
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"clip_grad_norm_: the norm of order {norm_type} of all gradients is {total}; "
            "error_if_nonfinite=False scales by it all the same"
        )
    return new(total)


def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: Any = None,
) -> Any:  # fmt: skip
    """Scales all gradients so that their norm together is `max_norm` at most; gives the norm."""
    found = _gradients(parameters)
    total = get_total_norm(found, norm_type, error_if_nonfinite)
    scale = min(float(max_norm) / (float(total) + 1e-6), 1.0) if found else 1.0
    if not math.isfinite(float(total)):
        scale = float(max_norm) / (float(total) + 1e-6)
    with no_grad():
        for g in found:
            g.mul_(scale)
    return total


clip_grad_norm = clip_grad_norm_


def clip_grad_value_(parameters: Any, clip_value: float, foreach: Any = None) -> None:
    """Moves each element of the gradients into [-clip_value, clip_value]."""
    with no_grad():
        for g in _gradients(parameters):
            g.clamp_(-float(clip_value), float(clip_value))
