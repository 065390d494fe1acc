"""`tf.GradientTape`, over `tg.grad` of Variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad.compat.tensorflow.dispatch import Mode, apply
from tapegrad.compat.tensorflow.training.gradients import UnconnectedGradients
from tapegrad.compat.tensorflow.v2.tensors import EagerTensor, Epoch, Variable, local, unwrap


class GradientTape:
    """Watches what is computed inside of `with`, for `gradient` and `jacobian` afterwards.

    >>> import tapegrad.compat.tensorflow.v2 as tf
    >>> x = tf.Variable(3.0)
    >>> with tf.GradientTape() as tape:
    ...     y = x**2
    >>> float(tape.gradient(y, x))
    6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self.persistent = persistent
        self.accessed = watch_accessed_variables
        self.watched: set[Any] = set()  # variables, and ids of tensors
        self._kept: list[Any] = []  # so that ids stay theirs
        self._epoch: Epoch | None = None
        self._used = False

    def __enter__(self) -> GradientTape:
        if local.epoch is None:
            local.epoch = Epoch()
        self._epoch = local.epoch
        local.tapes.append(self)
        return self

    def __exit__(self, *_: Any) -> None:
        local.tapes.remove(self)
        if not local.tapes:
            local.epoch = None

    def watch(self, tensor: Any) -> None:
        """Follows a tensor, or several, from here on."""
        for x in tensor if isinstance(tensor, list | tuple) else [tensor]:
            if not isinstance(x, EagerTensor):
                raise ValueError(
                    f"watch: {x!r} is {type(x).__name__}, and no tensor; tf.constant(x) is one"
                )
            if isinstance(x, Variable):
                self.watched.add(x)
                continue
            value = x.value()
            if not isinstance(value, tg.Variable):
                if np.asarray(value).dtype.kind != "f":
                    raise ValueError(f"watch: only floating tensors have gradients, not {x!r}")
                x.held, x.epoch = tg.Variable(value), local.epoch
            x.sources = x.sources | {id(x)}
            self.watched.add(id(x))
            self._kept.append(x)

    def watched_variables(self) -> tuple[Any, ...]:
        """The variables that were read."""
        return tuple(x for x in self.watched if isinstance(x, Variable))

    def reset(self) -> None:
        """Forgets what was watched."""
        self.watched.clear()

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """What is computed inside is not followed."""
        tapes, epoch = local.tapes, local.epoch
        local.tapes = [t for t in tapes if t is not self]
        local.epoch = epoch if local.tapes else None
        try:
            yield
        finally:
            local.tapes, local.epoch = tapes, epoch

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: str = UnconnectedGradients.NONE,
    ) -> Any:
        """The gradient of the sum of the target by each source, built like `sources`."""
        self._use()
        targets = _flat(target)
        seeds = [None] * len(targets) if output_gradients is None else _flat(output_gradients)
        found = [self._of_source(targets, seeds, x, unconnected_gradients) for x in _flat(sources)]
        return _rebuilt(sources, iter(found))

    def _use(self) -> None:
        if self._used and not self.persistent:
            raise RuntimeError(
                "gradient: this tape was asked once, which is all it keeps its content for; "
                "write tf.GradientTape(persistent=True)"
            )
        self._used = True

    def _leaves(self, x: Any) -> list[tg.Variable]:
        if isinstance(x, Variable):
            assert self._epoch is not None
            return self._epoch.leaves.get(x, []) if x in self.watched else []
        if not isinstance(x, EagerTensor):
            raise TypeError(f"a source must be a tensor or a variable, not {type(x).__name__}")
        return [x.held] if isinstance(x.held, tg.Variable) and x.sources else []

    def _of_source(self, targets: list[Any], seeds: list[Any], x: Any, unconnected: str) -> Any:
        leaves = self._leaves(x)
        own = {id(x)} if isinstance(x, Variable) or id(x) in self.watched else x.sources
        pairs = [
            (y, s)
            for y, s in zip(targets, seeds, strict=True)
            if isinstance(y, EagerTensor)
            and isinstance(y.held, tg.Variable)
            and not own.isdisjoint(y.sources)
        ]
        if not leaves or not pairs:
            if unconnected == UnconnectedGradients.ZERO:
                return Mode.wrap(np.zeros_like(x.numpy()))
            return None
        outputs = [y.held for y, _ in pairs]
        starts = [np.ones(np.shape(y.numpy())) if s is None else unwrap(s) for y, s in pairs]
        return _gradient(outputs, leaves, starts, frozenset().union(*[y.sources for y, _ in pairs]))

    def jacobian(self, target: Any, sources: Any, *_: Any, **__: Any) -> Any:
        """The derivatives of all elements of the target by all of each source."""
        self._use()
        found = []
        for x in _flat(sources):
            rows = []
            for k in np.ndindex(np.shape(target.numpy())):
                seed = np.zeros(np.shape(target.numpy()))
                seed[k] = 1.0
                rows.append(self._of_source([target], [seed], x, UnconnectedGradients.NONE))
            shape = (*np.shape(target.numpy()), *np.shape(x.numpy()))
            missing = any(r is None for r in rows)
            found.append(None if missing else apply(_stacked, (rows, shape), tensors=0))
        return _rebuilt(sources, iter(found))

    def batch_jacobian(self, target: Any, source: Any, *_: Any, **__: Any) -> Any:
        """For each row of the target its derivatives by the row of the source."""
        self._use()
        shape = np.shape(target.numpy())
        rows = []
        for k in np.ndindex(shape[1:]):
            seed = np.zeros(shape)
            seed[(slice(None), *k)] = 1.0
            rows.append(self._of_source([target], [seed], source, UnconnectedGradients.NONE))
        if any(r is None for r in rows):
            return None
        return apply(_batched, (rows, (*shape, *np.shape(source.numpy())[1:])), tensors=0)


def _stacked(rows: list[Any], shape: tuple[int, ...]) -> Any:
    return np.reshape(np.stack(rows), shape)


def _batched(rows: list[Any], shape: tuple[int, ...]) -> Any:
    return np.reshape(np.stack(rows, axis=1), shape)


def _gradient(
    outputs: list[Any], leaves: list[Any], starts: list[Any], sources: frozenset[Any]
) -> Any:
    found = tg.grad(outputs, leaves, starts, record=local.epoch is not None)
    total = found[0]
    for g in found[1:]:
        total = total + g
    return Mode.wrap(total, sources)


def _flat(x: Any) -> list[Any]:
    if isinstance(x, list | tuple):
        return [leaf for e in x for leaf in _flat(e)]
    if isinstance(x, dict):
        return [leaf for e in x.values() for leaf in _flat(e)]
    return [x]


def _rebuilt(like: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(like, list | tuple):
        return type(like)([_rebuilt(e, leaves) for e in like])
    if isinstance(like, dict):
        return {key: _rebuilt(e, leaves) for key, e in like.items()}
    return next(leaves)


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` returns its value and a function of the upstream gradient, which is then used."""

    @wraps(f)
    def called(*args: Any) -> Any:
        def value(*plain: Any) -> Any:
            return unwrap(f(*[Mode.wrap(x) for x in plain])[0])

        def rule(k: int) -> Callable[..., Any]:
            def of(_: Any, *plain: Any) -> Callable[[Any], Any]:
                back = f(*[Mode.wrap(tg.value(x)) for x in plain])[1]

                def pulled(g: Any) -> Any:
                    found = back(Mode.wrap(g))
                    return unwrap(found[k] if isinstance(found, list | tuple) else found)

                return pulled

            return of

        primitive = tg.primitive(value)
        primitive.defvjp(*[rule(k) for k in range(len(args))])
        return apply(primitive, args, tensors=len(args))

    return called
