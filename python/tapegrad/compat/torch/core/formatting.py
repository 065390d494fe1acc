"""How a tensor is shown."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.torch.core import dtypes

_OPTIONS: dict[str, Any] = {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80}


def set_printoptions(
    precision: int | None = None,
    threshold: int | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Digits and lengths of what `print(tensor)` shows."""
    given = {
        "precision": precision, "threshold": threshold, "edgeitems": edgeitems,
        "linewidth": linewidth, "sci_mode": sci_mode,
    }  # fmt: skip
    if profile == "default":
        _OPTIONS.clear()
        _OPTIONS.update(precision=4, threshold=1000, edgeitems=3, linewidth=80)
    _OPTIONS.update({k: v for k, v in given.items() if v is not None})


def _floats(a: Any) -> Any:
    finite = a[np.isfinite(a)]
    sizes = np.abs(finite[finite != 0]).astype(float)
    digits = _OPTIONS["precision"]
    whole = bool(np.all(finite == np.floor(finite)))
    sci = _OPTIONS.get("sci_mode")
    if sci is None and sizes.size:
        wide = sizes.max() / sizes.min() > 1000
        sci = sizes.max() >= 1e8 or (not whole and (wide or sizes.min() < 1e-4))
        sci = sci or (whole and wide and sizes.max() >= 1e8)
    if sci:
        return lambda x: f"{x:.{digits}e}"
    if whole:
        return lambda x: f"{x:.0f}." if np.isfinite(x) else str(float(x))
    return lambda x: f"{x:.{digits}f}"


def text_of(t: Any) -> str:
    """PyTorch's `repr` of a tensor."""
    a, d = t.plain(), t.dtype
    plain = {"int64", "bool", dtypes.get_default_dtype()._name}
    parts = []
    if a.size == 0:
        parts.append("[]" if a.ndim == 1 else f"[], size={tuple(a.shape)}")
    else:
        if d.category == 2:
            form = _floats(a)
        elif d.category == 0:

            def form(x: Any) -> Any:
                return str(bool(x))

        else:

            def form(x: Any) -> Any:
                return str(int(x))

        shown = [form(x) for x in (a.ravel() if a.size <= _OPTIONS["threshold"] else _edges(a))]
        usual = [text for text in shown if text[-1] not in "nf"] or shown  # nan and inf are not
        width = max(map(len, usual))
        parts.append(
            np.array2string(
                a,
                separator=", ",
                prefix="tensor(",
                formatter={"all": lambda x: f"{form(x):>{width if a.ndim else 0}}"},
                threshold=_OPTIONS["threshold"],
                edgeitems=_OPTIONS["edgeitems"],
                max_line_width=_OPTIONS["linewidth"],
            )
        )
    if d._name not in plain:
        parts.append(f"dtype={d}")
    if t.grad_fn is not None:
        parts.append(f"grad_fn=<{t.grad_fn.name()}>")
    elif t.requires_grad:
        parts.append("requires_grad=True")
    return f"tensor({', '.join(parts)})"


def _edges(a: Any) -> Any:
    n = _OPTIONS["edgeitems"]
    for axis in range(a.ndim):
        if a.shape[axis] > 2 * n:
            a = np.take(a, [*range(n), *range(-n, 0)], axis)
    return a.ravel()
