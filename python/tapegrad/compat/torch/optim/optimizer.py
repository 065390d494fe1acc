"""What all optimisers share: parameter groups, state, and how a parameter is moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import numpy as np

from tapegrad.compat.torch.core.call import is_tensor, new
from tapegrad.compat.torch.core.hooks import Hook
from tapegrad.compat.torch.core.modes import enable_grad, no_grad
from tapegrad.compat.torch.core.writes import put

REQUIRED = object()


class Optimizer:
    """The base of all optimisers: `update(p, g, state, group)` gives the parameter's new value."""

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if is_tensor(params):
            raise TypeError(
                f"{type(self).__name__}: params are an iterable of tensors or dicts, and here is "
                "a single tensor; write [p]"
            )
        self.defaults = defaults
        self.state: dict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._hooks: dict[str, dict[int, Any]] = {"before": {}, "after": {}}
        if not isinstance(params, Iterable):
            raise TypeError(
                f"{type(self).__name__}: params are an iterable of tensors or dicts, not "
                f"{params!r}; write model.parameters()"
            )
        given = list(params)
        if not given:
            raise ValueError(
                f"{type(self).__name__}: no parameters; model.parameters() of a module with "
                "layers has some"
            )
        if not isinstance(given[0], dict):
            given = [{"params": given}]
        for group in given:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds parameters with options of their own."""
        group = dict(param_group)
        params = group["params"]
        if isinstance(params, set):
            raise TypeError(
                f"{type(self).__name__}: a set has no order, by which a state is loaded; "
                "list(params) has"
            )
        group["params"] = [params] if is_tensor(params) else list(params)
        group["params"] = [p[1] if isinstance(p, tuple) else p for p in group["params"]]
        for p in group["params"]:
            if not is_tensor(p):
                raise TypeError(
                    f"{type(self).__name__}: a parameter is a tensor, and here is "
                    f"{type(p).__name__}"
                )
            if not p.is_leaf:
                raise ValueError(
                    f"{type(self).__name__}: a parameter of shape {list(p.shape)} is a non-leaf "
                    "tensor, computed from others, and a step changes leaves; "
                    "p.detach().requires_grad_() is a leaf"
                )
        seen = {id(p) for g in self.param_groups for p in g["params"]}
        if seen & set(map(id, group["params"])):
            raise ValueError(
                f"{type(self).__name__}: a parameter is in two groups, and would take two steps"
            )
        for name, value in self.defaults.items():
            group.setdefault(name, value)
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Takes the gradients away, or makes them zero."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if set_to_none:
                    p.grad = None
                else:
                    if p.grad.requires_grad:
                        p.grad = p.grad.detach().clone()
                    p.grad.zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Moves the parameters by their gradients; gives what `closure` gives, if there is one."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for hook in [*self._hooks["before"].values()]:
            hook(self, (), {})
        with no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self._move(p, group)
        for hook in [*self._hooks["after"].values()]:
            hook(self, (), {})
        return loss

    def _move(self, p: Any, group: dict[str, Any]) -> None:
        value, g = p.plain(), p.grad.plain()
        if group.get("maximize"):
            g = -g
        with np.errstate(all="ignore"):
            moved = self.update(value, g, self.state[p], group)
        put(p, ..., np.asarray(moved, value.dtype), "", None)

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> Any:
        """The parameter's new value; `state` is its own, and starts empty."""
        raise NotImplementedError(f"{type(self).__name__}.update(p, g, state, group), or step()")

    def register_step_pre_hook(self, hook: Any) -> Hook:
        """Calls `hook(optimizer, args, kwargs)` before each step."""
        return Hook(self._hooks["before"], hook)

    def register_step_post_hook(self, hook: Any) -> Hook:
        """Calls `hook(optimizer, args, kwargs)` after each step."""
        return Hook(self._hooks["after"], hook)

    def state_dict(self) -> dict[str, Any]:
        """State and options, with numbers in place of the parameters."""
        places: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for p in group["params"]:
                places[id(p)] = len(places)
            packed = {k: v for k, v in group.items() if k != "params"}
            groups.append({**packed, "params": [places[id(p)] for p in group["params"]]})
        state = {places[id(p)]: s for p, s in self.state.items() if id(p) in places}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from a state."""
        groups = deepcopy(state_dict["param_groups"])
        if len(groups) != len(self.param_groups):
            raise ValueError(
                f"load_state_dict: the state has {len(groups)} groups of parameters, and the "
                f"optimiser {len(self.param_groups)}"
            )
        own = [p for group in self.param_groups for p in group["params"]]
        for group, loaded in zip(self.param_groups, groups, strict=True):
            if len(group["params"]) != len(loaded["params"]):
                raise ValueError(
                    f"load_state_dict: a group of the state has {len(loaded['params'])} "
                    f"parameters, and the optimiser's {len(group['params'])}"
                )
            group.update({k: v for k, v in loaded.items() if k != "params"})
        self.state = defaultdict(dict)
        for k, s in deepcopy(state_dict["state"]).items():
            self.state[own[int(k)]] = s

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for k, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {k}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def kept(state: dict[str, Any], name: str, like: Any, start: float = 0.0) -> Any:
    """An array of the state, to be written in place; made at the first step."""
    if name not in state:
        state[name] = new(np.full(like.shape, start, like.dtype))
    return state[name]._v


def keep(state: dict[str, Any], name: str, value: Any) -> Any:
    """Puts an array into the state."""
    state[name] = new(np.array(value))
    return state[name]._v


def count(state: dict[str, Any]) -> int:
    """The number of this step."""
    step = kept(state, "step", np.zeros((), np.float32))
    step += 1
    return int(step)


def not_through_steps(optimizer: Any, differentiable: Any) -> None:
    """Refuses to let a gradient through steps, which are plain here."""
    if differentiable:
        raise NotImplementedError(
            f"{type(optimizer).__name__}: differentiable=True is not there; steps are plain. "
            "Write the update with tensors, w = w - lr * g, of g from torch.autograd.grad"
        )


def check(**rules: tuple[Any, bool]) -> None:
    """Raises for the first option that is out of range."""
    for name, (value, holds) in rules.items():
        if not holds:
            raise ValueError(f"{name.replace('_', ' ')} is {value}, outside its range")
