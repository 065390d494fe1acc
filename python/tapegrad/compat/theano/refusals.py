"""Names of Theano's that are not there, and what is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_REMEDIES = {
    "sparse": "dense arrays, or a tapegrad program with SciPy's sparse matrices: tg.grad(f)",
    "Op": "tg.primitive makes an operation of a function and its derivative",
    "gof": "tg.primitive makes an operation of a function and its derivative",
    "gpuarray": "there is no graphics card; the name of the device has no effect",
    "typed_list": "a Python list of expressions",
    "conv": "T.nnet.conv2d is not there; tapegrad.compat.tensorflow has tf.nn.conv2d",
    "conv2d": "tapegrad.compat.tensorflow has tf.nn.conv2d",
    "signal": "tapegrad.compat.tensorflow has tf.nn.max_pool",
    "pool": "tapegrad.compat.tensorflow has tf.nn.max_pool",
    "pydotprint": "theano.printing.debugprint prints the same as text",
}


def refusing(where: str, names: Mapping[str, Any]) -> Callable[[str], Any]:
    """The `__getattr__` of a module: says which names there are."""

    def missing(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        shown = f"theano.{where}.{name}" if where else f"theano.{name}"
        if name in _REMEDIES:
            raise AttributeError(f"{shown} is not there: {_REMEDIES[name]}")
        from difflib import get_close_matches

        skipped = ("annotations", "Any", "Callable", "np", "tg", "operator")
        own = sorted(n for n in names if not n.startswith("_") and n not in skipped)
        close = get_close_matches(name, own, 3, 0.6)
        hint = f"; did you mean {', '.join(close)}?" if close else "."
        raise AttributeError(f"{shown} is not there{hint} There are: {', '.join(own)}")

    return missing
