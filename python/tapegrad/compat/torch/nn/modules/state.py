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
            raise TypeError(
                "load_state_dict: a state is a dict of names and tensors, not "
                f"{type(state_dict).__name__}"
            )
        own = self.state_dict(keep_vars=True)
        missing = [k for k in own if k not in state_dict]
        unexpected = [k for k in state_dict if k not in own]
        problems = []
        if strict and missing:
            names = ", ".join(f'"{k}"' for k in missing)
            problems.append(f"the state lacks {names}; strict=False leaves them as they are")
        if strict and unexpected:
            names = ", ".join(f'"{k}"' for k in unexpected)
            problems.append(
                f"the state has {names}, which the module has not; strict=False leaves them out"
            )
        problems += [
            f"{k} has shape {list(state_dict[k].shape)} in the state, and {list(t.shape)} in the "
            "module"
            for k, t in own.items()
            if k in state_dict and tuple(state_dict[k].shape) != tuple(t.shape)
        ]
        if problems:
            raise RuntimeError(
                f"load_state_dict: the state does not fit {type(self).__name__}:\n\t"
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
