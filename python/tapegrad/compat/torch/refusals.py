"""Names of PyTorch that are not there, and what to write instead."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from typing import Any

_PAGE = "docs/moving_from_pytorch.md lists what is there"


def refusing(module: str, remedies: dict[str, str] | None = None) -> Callable[[str], Any]:
    """The `__getattr__` of a module, which refuses by name, with what does the same."""

    def missing(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        short = module.replace("tapegrad.compat.", "")
        remedy = (remedies or {}).get(name)
        if remedy is None:
            there = [n for n in vars(sys.modules[module]) if not n.startswith("_")]
            near = difflib.get_close_matches(name, there, 3, 0.7)
            remedy = f"near it there is {', '.join(near)}; {_PAGE}" if near else _PAGE
        raise AttributeError(f"{short}.{name} is not there: {remedy}")

    return missing
