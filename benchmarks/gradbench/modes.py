"""Gradients by forward and by reverse mode, by the letters that GradBench gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tapegrad as tg


def forward_gradient(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A tangent for each element of the argument."""

    def gradient(x: Any) -> Any:
        return np.stack([tg.jvp(f, (x,), (seed,))[1] for seed in np.eye(x.size)])

    return gradient


GRADIENTS = {"f": forward_gradient, "r": tg.grad}
