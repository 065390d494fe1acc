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


# So many names are listed; of more, those like the one that was asked for.
_FEW = 12
_PAGE = "docs/moving_from_theano.md"


def refusing(where: str, names: Mapping[str, Any]) -> Callable[[str], Any]:
    """The `__getattr__` of a module: says which names there are, or where they are listed."""

    def missing(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        module = f"theano.{where}" if where else "theano"
        if name in _REMEDIES:
            raise AttributeError(f"{module}.{name} is not there: {_REMEDIES[name]}")
        from difflib import get_close_matches

        skipped = ("annotations", "Any", "Callable", "np", "operator", "refusing", "tg")
        own = sorted(n for n in names if not n.startswith("_") and n not in skipped)
        close = get_close_matches(name, own, 3, 0.6)
        hint = f"; did you mean {', '.join(close)}?" if close else ";"
        listed = (
            f"there are: {', '.join(own)}"
            if len(own) <= _FEW
            else f"{_PAGE} and dir({module}) list what there is"
        )
        raise AttributeError(f"{module}.{name} is not there{hint} {listed}")

    return missing
