"""The state of a module: `state_dict` and `load_state_dict`."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from typing import Any

from tapegrad.compat.torch.core.modes import no_grad

IncompatibleKeys = namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])


class StateOfModule:
    """What `Module` saves and loads."""

    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _transient: set[str]

    def state_dict(
        self, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """All parameters and lasting buffers by name; they share the module's memory."""
        found: dict[str, Any] = OrderedDict() if destination is None else destination
        for name, t in self._own_state().items():
            found[prefix + name] = t if keep_vars else t.detach()
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(found, f"{prefix}{name}.", keep_vars)
        return found

    def _own_state(self) -> dict[str, Any]:
        own = {**self._parameters}
        own |= {k: b for k, b in self._buffers.items() if k not in self._transient}
        return {k: t for k, t in own.items() if t is not None}

    def load_state_dict(
        self, state_dict: Any, strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copies a state into the module; with `strict`, its names must be the module's."""
        if not hasattr(state_dict, "keys"):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        own = self.state_dict(keep_vars=True)
        missing = [k for k in own if k not in state_dict]
        unexpected = [k for k in state_dict if k not in own]
        problems = []
        if strict and missing:
            names = ", ".join(f'"{k}"' for k in missing)
            problems.append(f"Missing key(s) in state_dict: {names}. ")
        if strict and unexpected:
            names = ", ".join(f'"{k}"' for k in unexpected)
            problems.append(f"Unexpected key(s) in state_dict: {names}. ")
        problems += [
            f"size mismatch for {k}: copying a param with shape {state_dict[k].shape!r} from "
            f"checkpoint, the shape in current model is {t.shape!r}."
            for k, t in own.items()
            if k in state_dict and tuple(state_dict[k].shape) != tuple(t.shape)
        ]
        if problems:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}:\n\t"
                + "\n\t".join(problems)
            )
        with no_grad():
            for k, t in own.items():
                if k in state_dict:
                    if assign:
                        t.data = state_dict[k].detach().clone()
                    else:
                        t.copy_(state_dict[k])
        return IncompatibleKeys(missing, unexpected)
