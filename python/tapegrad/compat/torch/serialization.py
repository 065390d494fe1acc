"""`save` and `load`: Python's pickle of tensors, containers and plain data."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from tapegrad.compat.torch.core import dtypes

_PLAIN = {
    ("collections", "OrderedDict"), ("collections", "defaultdict"), ("builtins", "dict"),
    ("builtins", "set"), ("builtins", "complex"), ("builtins", "slice"),
}  # fmt: skip
_ARRAYS = {"_reconstruct", "ndarray", "dtype", "scalar", "_frombuffer"}


class _PlainUnpickler(pickle.Unpickler):
    """Makes tensors, arrays and plain containers alone: nothing else is called."""

    def find_class(self, module: str, name: str) -> Any:
        ours = __name__.rpartition(".")[0]
        known = (module, name) in _PLAIN
        known = known or (module.split(".")[0] == "numpy" and name in _ARRAYS)
        known = known or (module, name) in {
            (f"{ours}.core.tensor", "_rebuilt"), (f"{ours}.core.tensor", "Tensor"),
            (f"{ours}.core.size", "Size"), (f"{ours}.nn.parameter", "Parameter"),
            (f"{ours}.nn.parameter", "Buffer"), (f"{ours}.core.dtypes", "_by_name"),
        }  # fmt: skip
        if not known:
            raise pickle.UnpicklingError(
                f"load: {module}.{name} is neither a tensor nor plain data; pass "
                "weights_only=False if you trust the file, or save model.state_dict()"
            )
        return super().find_class(module, name)


def save(
    obj: Any, f: Any, pickle_module: Any = None, pickle_protocol: int = 4, **given: Any
) -> None:
    """Writes an object to a file, by Python's pickle; PyTorch doesn't read it."""
    if hasattr(f, "write"):
        pickle.dump(obj, f, pickle_protocol)
        return
    with Path(f).open("wb") as file:
        pickle.dump(obj, file, pickle_protocol)


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool = True,
    **given: Any,
) -> Any:
    """Reads what `save` wrote; with `weights_only`, tensors and plain data alone."""
    if isinstance(map_location, (str, dtypes.device)):
        dtypes.check_device(map_location)
    if not hasattr(f, "read"):
        with Path(f).open("rb") as file:
            return load(file, weights_only=weights_only)
    if f.read(2) == b"PK":
        raise pickle.UnpicklingError(
            "load: this file was written by PyTorch itself; read it there, and save "
            "{k: v.numpy() for k, v in state.items()} with numpy.savez"
        )
    f.seek(-2, 1)
    return (_PlainUnpickler if weights_only else pickle.Unpickler)(f).load()
