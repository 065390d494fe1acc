"""L-BFGS: a direction from the last steps (Nocedal and Wright, algorithm 7.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tapegrad.compat.torch.core.modes import enable_grad, no_grad
from tapegrad.compat.torch.core.writes import put
from tapegrad.compat.torch.optim.line_search import strong_wolfe
from tapegrad.compat.torch.optim.optimizer import Optimizer


class LBFGS(Optimizer):
    """L-BFGS with a fixed rate, or `line_search_fn="strong_wolfe"`; `step` needs a closure."""

    def __init__(
        self, params: Iterable[Any], lr: float = 1, max_iter: int = 20,
        max_eval: int | None = None, tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9,
        history_size: int = 100, line_search_fn: str | None = None,
    ) -> None:  # fmt: skip
        if line_search_fn not in (None, "strong_wolfe"):
            raise RuntimeError(
                f"LBFGS: line_search_fn is None or 'strong_wolfe', not {line_search_fn!r}"
            )
        super().__init__(
            params,
            {
                "lr": lr, "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
                "history_size": history_size, "line_search_fn": line_search_fn,
            },
        )  # fmt: skip
        if len(self.param_groups) != 1:
            raise ValueError(
                "LBFGS: one group of parameters has one direction, and here are "
                f"{len(self.param_groups)} groups"
            )
        self._params = self.param_groups[0]["params"]

    def _gradient(self) -> Any:
        parts = [
            np.zeros(p.numel(), p._v.dtype) if p.grad is None else p.grad.plain().ravel()
            for p in self._params
        ]
        return np.concatenate(parts)

    def _place(self) -> list[Any]:
        return [np.array(p.plain()) for p in self._params]

    def _go(self, start: list[Any], t: float, d: Any) -> None:
        at = 0
        for p, x in zip(self._params, start, strict=True):
            put(p, ..., np.asarray(x + t * d[at : at + x.size].reshape(x.shape), x.dtype), "", None)
            at += x.size

    def _direction(self, state: dict[str, Any], g: Any) -> Any:
        steps, changes = state["old_stps"], state["old_dirs"]
        ratios = [1.0 / (y @ s) for y, s in zip(changes, steps, strict=True)]
        q = -g
        weights = [0.0] * len(steps)
        for k in range(len(steps) - 1, -1, -1):
            weights[k] = (steps[k] @ q) * ratios[k]
            q = q - weights[k] * changes[k]
        d = q * state["H_diag"]
        for k in range(len(steps)):
            d = d + steps[k] * (weights[k] - (changes[k] @ d) * ratios[k])
        return d

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Up to `max_iter` iterations; `closure` computes the loss and its gradient."""
        if closure is None:
            raise TypeError("LBFGS.step() needs a closure that calls backward() and gives the loss")
        with no_grad(), np.errstate(all="ignore"):
            return self._iterate(enable_grad()(closure))

    def _iterate(self, closure: Callable[[], Any]) -> Any:
        group, state = self.param_groups[0], self.state[self._params[0]]
        state.setdefault("n_iter", 0)
        state.setdefault("func_evals", 0)
        first = closure()
        loss, calls = float(first), 1
        state["func_evals"] += 1
        g = self._gradient()
        if np.abs(g).max() <= group["tolerance_grad"]:
            return first
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                d = -g
                state.update(old_dirs=[], old_stps=[], H_diag=1.0)
            else:
                y, s = g - state["prev_flat_grad"], state["d"] * state["t"]
                if y @ s > 1e-10:
                    if len(state["old_dirs"]) == group["history_size"]:
                        state["old_dirs"].pop(0)
                        state["old_stps"].pop(0)
                    state["old_dirs"].append(y)
                    state["old_stps"].append(s)
                    state["H_diag"] = (y @ s) / (y @ y)
                d = self._direction(state, g)
            state.update(prev_flat_grad=g, d=d)
            before = loss
            rate = float(group["lr"])
            t = min(1.0, 1.0 / np.abs(g).sum()) * rate if state["n_iter"] == 1 else rate
            slope = g @ d
            if slope > -group["tolerance_change"]:
                break
            more = 0
            if group["line_search_fn"] is not None:
                start = self._place()

                def along(t: float, start: Any = start, d: Any = d) -> tuple[float, Any]:
                    self._go(start, t, d)
                    return float(closure()), self._gradient()

                loss, g, t, more = strong_wolfe(along, t, d, loss, g, slope)
                self._go(start, t, d)
            else:
                self._go(self._place(), t, d)
                if iteration != group["max_iter"]:
                    loss, g, more = float(closure()), self._gradient(), 1
            state["t"] = t
            calls += more
            state["func_evals"] += more
            small = np.abs(g).max() <= group["tolerance_grad"]
            if iteration == group["max_iter"] or calls >= group["max_eval"] or small:
                break
            if np.abs(d * t).max() <= group["tolerance_change"]:
                break
            if abs(loss - before) < group["tolerance_change"]:
                break
        return first
