"""Update rules as pure functions of parameters, gradients and a state.

A rule's state is a dict: trees built like the parameters, and where the rule or the schedule of its
rate counts steps, `"step"`, the number of steps made so far as a float. Everything is NumPy code,
so a training step can be compiled as a whole.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias

import numpy as np

from tapegrad import _core, _tree
from tapegrad._tree import Tree
from tapegrad.transforms.trace import conjugated

Rate: TypeAlias = float | Callable[[Any], Any]
State: TypeAlias = dict[str, Any]


class Rule(ABC):
    """What `sgd`, `adam`, `adamw`, `rmsprop` and `adagrad` give.

    `init(params)` makes the state, `update(params, gradients, state)` gives the next parameters
    and state and changes nothing that it was given. Both take any nesting of dict, list, tuple and
    dataclass of floats and float arrays; the gradients are nested like the parameters. A complex
    parameter moves against the conjugate of its gradient, which is the steepest way down.
    """

    _slots: ClassVar[tuple[str, ...]] = ()

    def __init__(self, lr: Rate, **settings: float) -> None:
        name = type(self).__name__.lstrip("_")
        if not callable(lr):
            lr = _checked(name, "lr", lr)
        self._parts = (name, lr, *settings.items())  # what a compiled function watches
        self._lr = lr
        self._counts = callable(lr)

    @staticmethod
    def _compiles(x: Rule) -> Any:
        return x._parts

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._parts == self._parts

    def __hash__(self) -> int:
        return hash(self._parts)

    def __repr__(self) -> str:
        settings = "".join(f", {key}={value!r}" for key, value in self._parts[2:])  # type: ignore  # texts come first, numbers after
        return f"{self._parts[0]}(lr={self._lr!r}{settings})"

    def init(self, params: Tree) -> State:
        """The state before the first step."""
        leaves = [x for _, x in _tree.leaves(params)]
        state: State = {}
        if self._counts:
            state["step"] = _first_count(params)
        for name in self._slots:
            state[name] = _tree.fill(params, iter([_zeros(x) for x in leaves]))
        return state

    def update(self, params: Tree, gradients: Tree, state: State) -> tuple[Tree, State]:
        """The parameters and the state after one more step.

        TypeError where gradients or state are nested otherwise than the parameters.
        """
        return self._update(params, gradients, state, None)

    def _update(
        self, params: Tree, gradients: Tree, state: State, extra: Any
    ) -> tuple[Tree, State]:
        leaves = [x for _, x in _tree.leaves(params)]
        if _tree.has_complex(params):  # whose parts move as real numbers do
            gradients = _tree.map_complex(conjugated, gradients)
        slopes = [x for _, x in _tree.match(params, gradients, "gradients", "params")]
        slots = []
        for name in (("step",) if self._counts else ()) + self._slots:
            if name not in state:
                raise self._no_state(name)
        for name in self._slots:
            found = _tree.match(params, state[name], f"state[{name!r}]", "params")
            slots.append([x for _, x in found])
        before = state["step"] if self._counts else None
        lr = self._lr(before) if callable(self._lr) else self._lr
        after = None if before is None else before + 1.0
        extra = after if extra is None else extra
        moved: list[Any] = []
        for p, g, *old in zip(leaves, slopes, *slots, strict=True):
            now = self._move(p, g, old, lr, extra)
            moved.append([_plain(x, was) for x, was in zip(now, (p, *old), strict=True)])
        new_state: State = {} if after is None else {"step": _plain(after, before)}
        for k, name in enumerate(self._slots):
            new_state[name] = _tree.fill(params, iter([x[k + 1] for x in moved]))
        return _tree.fill(params, iter([x[0] for x in moved])), new_state

    def _no_state(self, name: str) -> TypeError:
        return TypeError(
            f"{self._parts[0]}: the state has no {name!r}; start with state = "
            f"optimizer.init(params)"
        )

    @abstractmethod
    def _move(self, p: Any, g: Any, old: list[Any], lr: Any, extra: Any) -> tuple[Any, ...]:
        """A parameter and its part of the state, moved.

        `extra`: what `_update` was given, else the number of the step, 1.0 for the first.
        """


class _sgd(Rule):  # noqa: N801 - shows under the name of its function
    def __init__(
        self, lr: Rate, momentum: float, dampening: float, nesterov: bool, weight_decay: float
    ) -> None:
        self._momentum = _checked("sgd", "momentum", momentum)
        self._weight_decay = _checked("sgd", "weight_decay", weight_decay)
        self._dampening = _checked("sgd", "dampening", dampening, least=-math.inf)
        self._nesterov = bool(nesterov)
        if nesterov and (momentum == 0 or dampening != 0):
            raise ValueError(
                "sgd: nesterov needs momentum > 0 and dampening = 0, got "
                f"momentum={momentum} and dampening={dampening}"
            )
        super().__init__(
            lr, momentum=self._momentum, dampening=self._dampening, nesterov=self._nesterov,
            weight_decay=self._weight_decay,
        )  # fmt: skip
        self._slots = ("velocity",) if self._momentum else ()  # type: ignore[misc]  # a class attribute elsewhere
        self._counts = self._counts or bool(self._momentum and self._dampening)

    def _move(self, p: Any, g: Any, old: list[Any], lr: Any, extra: Any) -> tuple[Any, ...]:
        if self._weight_decay:
            g = g + self._weight_decay * p
        if not self._momentum:
            return (p - lr * g,)
        if self._dampening:
            kept = (1 - self._dampening) * g
            v = np.where(extra == 1.0, g, self._momentum * old[0] + kept)
        else:
            v = self._momentum * old[0] + g
        return p - lr * (g + self._momentum * v if self._nesterov else v), v


class _adam(Rule):  # noqa: N801 - as above
    _slots = ("mean", "square")

    def __init__(
        self, lr: Rate, betas: tuple[float, float], eps: float, decay: float = 0.0
    ) -> None:
        name = type(self).__name__.lstrip("_")
        try:
            first, second = betas
        except (TypeError, ValueError):
            raise ValueError(
                f"{name}: betas must be two numbers, as in betas=(0.9, 0.999), got {betas!r}"
            ) from None
        self._betas = tuple(_checked(name, "betas", b, below=1) for b in (first, second))
        self._eps = _checked(name, "eps", eps)
        self._decay = _checked(name, "weight_decay", decay)
        super().__init__(
            lr, beta1=self._betas[0], beta2=self._betas[1], eps=self._eps, weight_decay=self._decay
        )

    def init(self, params: Tree) -> State:
        zero = _first_count(params)
        return {**super().init(params), "correction": (zero, zero)}

    def update(self, params: Tree, gradients: Tree, state: State) -> tuple[Tree, State]:
        if "correction" not in state:
            raise self._no_state("correction")
        # 1 - b**t, as the running mean of ones: without cancellation, also in float32.
        pairs = zip(self._betas, state["correction"], strict=True)
        correction = tuple(b * c + (1 - b) for b, c in pairs)
        params, state = self._update(params, gradients, state, correction)
        return params, {**state, "correction": correction}

    def _move(self, p: Any, g: Any, old: list[Any], lr: Any, extra: Any) -> tuple[Any, ...]:
        b1, b2 = self._betas
        m = b1 * old[0] + (1 - b1) * g
        v = b2 * old[1] + (1 - b2) * (g * g)
        d = (m / extra[0]) / (np.sqrt(v / extra[1]) + self._eps)
        if self._decay:
            d = d + self._decay * p
        return p - lr * d, m, v


class _adamw(_adam):  # noqa: N801 - as above
    pass


class _rmsprop(Rule):  # noqa: N801 - as above
    _slots = ("square",)

    def __init__(self, lr: Rate, decay: float, eps: float) -> None:
        self._decay = _checked("rmsprop", "decay", decay, below=1)
        self._eps = _checked("rmsprop", "eps", eps)
        super().__init__(lr, decay=self._decay, eps=self._eps)

    def _move(self, p: Any, g: Any, old: list[Any], lr: Any, extra: Any) -> tuple[Any, ...]:
        v = self._decay * old[0] + (1 - self._decay) * (g * g)
        return p - lr * g / (np.sqrt(v) + self._eps), v


class _adagrad(Rule):  # noqa: N801 - as above
    _slots = ("square",)

    def __init__(self, lr: Rate, eps: float) -> None:
        self._eps = _checked("adagrad", "eps", eps)
        super().__init__(lr, eps=self._eps)

    def _move(self, p: Any, g: Any, old: list[Any], lr: Any, extra: Any) -> tuple[Any, ...]:
        v = old[0] + g * g
        return p - lr * g / (np.sqrt(v) + self._eps), v


def sgd(
    lr: Rate,
    momentum: float = 0.0,
    dampening: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
) -> Rule:
    """Stochastic gradient descent, with (Nesterov) momentum and L2 weight decay.

    The rule of the class `SGD`, to the bit: g = grad + weight_decay * p;
    v = momentum * v + (1 - dampening) * g, and v = g at the first step;
    p - lr * v, or p - lr * (g + momentum * v) with nesterov
    (Sutskever et al., "On the importance of initialization and momentum in deep learning",
    ICML 2013, with the rate outside the velocity).

    `lr` is a number of at least 0, or a function of the number of steps made so far (a float).
    ValueError for settings out of range.

    >>> import tapegrad as tg
    >>> optimizer = tg.optim.sgd(lr=0.5)
    >>> params = {"w": 1.0}
    >>> state = optimizer.init(params)
    >>> gradients = tg.grad(lambda p: p["w"] ** 2)(params)
    >>> optimizer.update(params, gradients, state)
    ({'w': 0.0}, {})
    """
    return _sgd(lr, momentum, dampening, nesterov, weight_decay)


def adam(lr: Rate = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8) -> Rule:
    """Adam: Kingma and Ba, "Adam: a method for stochastic optimization" (ICLR 2015), algorithm 1.

    m = b1 * m + (1 - b1) * g; v = b2 * v + (1 - b2) * g**2;
    p - lr * (m / (1 - b1**t)) / (sqrt(v / (1 - b2**t)) + eps) at the t-th step.

    `lr` is a number of at least 0, or a function of the number of steps made so far (a float).
    The state keeps 1 - b**t as `"correction"`.

    >>> import tapegrad as tg
    >>> optimizer = tg.optim.adam(lr=0.1)
    >>> w, state = optimizer.update(1.0, 4.0, optimizer.init(1.0))
    >>> round(w, 6), sorted(state)
    (0.9, ['correction', 'mean', 'square'])
    """
    return _adam(lr, betas, eps)


def adamw(
    lr: Rate = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> Rule:
    """Adam with decoupled weight decay: Loshchilov and Hutter (ICLR 2019), algorithm 2.

    As `adam`, and lr * weight_decay * p is taken away besides (the decay scales with the rate).

    >>> import tapegrad as tg
    >>> optimizer = tg.optim.adamw(lr=0.1, weight_decay=0.5)
    >>> w, state = optimizer.update(1.0, 4.0, optimizer.init(1.0))
    >>> round(w, 6)
    0.85
    """
    return _adamw(lr, betas, eps, weight_decay)


def rmsprop(lr: Rate = 1e-2, decay: float = 0.9, eps: float = 1e-8) -> Rule:
    """RMSProp: Tieleman and Hinton, "Neural networks for machine learning", lecture 6e (2012).

    v = decay * v + (1 - decay) * g**2; p - lr * g / (sqrt(v) + eps).

    >>> import tapegrad as tg
    >>> optimizer = tg.optim.rmsprop(lr=0.1, decay=0.75, eps=0.0)
    >>> optimizer.update(1.0, 4.0, optimizer.init(1.0))
    (0.8, {'square': 4.0})
    """
    return _rmsprop(lr, decay, eps)


def adagrad(lr: Rate = 1e-2, eps: float = 1e-10) -> Rule:
    """Adagrad: Duchi, Hazan and Singer, JMLR 12 (2011), the diagonal rule of figure 1.

    v = v + g**2; p - lr * g / (sqrt(v) + eps).

    >>> import tapegrad as tg
    >>> optimizer = tg.optim.adagrad(lr=0.5, eps=0.0)
    >>> optimizer.update(1.0, 4.0, optimizer.init(1.0))
    (0.5, {'square': 16.0})
    """
    return _adagrad(lr, eps)


def _checked(rule: str, name: str, x: Any, least: float = 0.0, below: float = math.inf) -> float:
    try:
        number = float(x)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and least <= number < below):
        range_ = f" of at least {least:g}" if least > -math.inf else ""
        range_ += f" and below {below:g}" if below < math.inf else ""
        extra = " or a function of the step counter" if name == "lr" else ""
        raise ValueError(f"{rule}: {name} must be a finite number{range_}{extra}, got {x!r}")
    return number


def _first_count(params: Tree) -> Any:
    """Zero, in float32 where a parameter is: it must not widen what it is computed with."""
    leaves = _tree.leaves(params)
    single = any(getattr(x, "dtype", None) == np.float32 for _, x in leaves)
    return np.float32(0) if single else 0.0


def _zeros(x: Any) -> Any:
    if getattr(x, "ndim", 0):
        return np.zeros(x.shape, x.dtype)
    return np.float32(0) if getattr(x, "dtype", None) == np.float32 else 0.0


def _plain(x: Any, was: Any) -> Any:
    """An array of no axes as a number, which stays a Python float where it was one."""
    if type(x) is np.ndarray and x.ndim == 0:
        x = x[()]
    return _core.as_float(x) if was.__class__ is float else x
