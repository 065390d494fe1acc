"""Tensors that have their values at once, variables, and the tapes that watch them.

A tensor holds a plain array, or inside of tapes a `tg.Variable`; outside of all tapes nothing is
recorded. Tapes that are open together share one `Epoch`, which knows the leaf that stands for each
variable.
"""

from __future__ import annotations

import itertools
import threading
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad.compat.tensorflow.dispatch import Mode, Operators, apply
from tapegrad.compat.tensorflow.dtypes import DType, as_dtype, numpy_dtype
from tapegrad.compat.tensorflow.lengths import TensorShape
from tapegrad.compat.tensorflow.tensors import constant_value

_NOTHING: frozenset[Any] = frozenset()
_names = itertools.count()


class Epoch:
    """A time in which tapes are open: the leaves of each variable that was read in it."""

    def __init__(self) -> None:
        self.leaves: dict[Variable, list[tg.Variable]] = {}


class _Local(threading.local):
    def __init__(self) -> None:
        self.tapes: list[Any] = []
        self.epoch: Epoch | None = None


local = _Local()


class EagerTensor(Operators):
    """A number or an array; `numpy()` is it."""

    __slots__ = ("epoch", "held", "sources")

    def __init__(self, value: Any, sources: frozenset[Any] = _NOTHING) -> None:
        recorded = isinstance(value, tg.Variable)
        self.held = value if recorded else _plain(value)
        self.sources = sources if recorded else _NOTHING
        self.epoch = local.epoch

    def value(self) -> Any:
        """What functions compute with: recorded where a tape that is open knows it."""
        if self.epoch is not local.epoch or local.epoch is None:
            return self.numpy()
        return self.held

    def numpy(self) -> Any:
        """The plain value."""
        return _plain(tg.value(self.held))

    @property
    def dtype(self) -> DType:
        """The dtype."""
        return as_dtype(np.asarray(self.numpy()).dtype)

    @property
    def shape(self) -> TensorShape:
        """The shape."""
        return TensorShape(np.shape(self.numpy()))

    def get_shape(self) -> TensorShape:
        """The same as `shape`."""
        return self.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return int(np.ndim(self.numpy()))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self.numpy(), dtype)

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __index__(self) -> int:
        return int(np.asarray(self.numpy()).__index__())

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __len__(self) -> int:
        return len(self.numpy())

    def __iter__(self) -> Any:
        return iter([self[k] for k in range(len(self))])

    def __format__(self, spec: str) -> str:
        return format(self.numpy(), spec) if spec else str(self)

    def __eq__(self, other: object) -> Any:
        return apply(np.equal, (self, other), tensors=2, cuts=True)

    def __ne__(self, other: object) -> Any:
        return apply(np.not_equal, (self, other), tensors=2, cuts=True)

    __hash__ = None  # type: ignore[assignment]  # as in TensorFlow

    def __str__(self) -> str:
        return f"tf.Tensor({self.numpy()}, shape={self.shape}, dtype={self.dtype})"

    def __repr__(self) -> str:
        return f"<tf.Tensor: shape={self.shape}, dtype={self.dtype}, numpy={self.numpy()!r}>"


class Variable(EagerTensor):
    """A tensor that can be given other values."""

    __slots__ = ("name", "trainable")

    def __init__(
        self,
        initial_value: Any,
        trainable: bool = True,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        dtype: Any = None,
        **_: Any,
    ) -> None:
        start = initial_value() if callable(initial_value) else initial_value
        value = start.numpy() if isinstance(start, EagerTensor) else constant_value(start, dtype)
        if dtype is not None:
            value = np.asarray(value, numpy_dtype(dtype))[()]
        super().__init__(np.array(value)[()])
        self.trainable = trainable
        self.name = f"{name or 'Variable'}:0"

    def value(self) -> Any:
        """What functions compute with: a leaf of the tapes that are open."""
        epoch = local.epoch
        watching = [t for t in local.tapes if self in t.watched or (t.accessed and self.trainable)]
        if epoch is None or not watching or np.asarray(self.held).dtype.kind != "f":
            return self.held
        for tape in watching:
            tape.watched.add(self)
        leaves = epoch.leaves.setdefault(self, [])
        if not leaves or self.epoch is not epoch:
            leaves.append(tg.Variable(np.array(self.held)[()]))
            self.epoch = epoch
        return leaves[-1]

    def assign(self, value: Any, *_: Any, **__: Any) -> Variable:
        """Gives it a value of its shape."""
        found = value.numpy() if isinstance(value, EagerTensor) else value
        made = np.array(found, np.asarray(self.held).dtype)
        if made.shape != np.shape(self.held):
            raise ValueError(
                f"assign: a value of shape {made.shape} for {self.name!r}, whose shape is "
                f"{np.shape(self.held)}"
            )
        self.held, self.epoch = made[()], None
        return self

    def assign_add(self, delta: Any, *_: Any, **__: Any) -> Variable:
        """Adds to it."""
        return self.assign(self.numpy() + np.asarray(delta))

    def assign_sub(self, delta: Any, *_: Any, **__: Any) -> Variable:
        """Subtracts from it."""
        return self.assign(self.numpy() - np.asarray(delta))

    def read_value(self) -> Any:
        """The present value as a tensor."""
        return Mode.wrap(self.value(), sources_of(self))

    def __eq__(self, other: object) -> Any:
        return apply(np.equal, (self, other), tensors=2, cuts=True)

    def __hash__(self) -> int:  # type: ignore[override]  # a tensor has none
        return id(self)

    def ref(self) -> Any:
        """A key of dicts."""
        return id(self)

    def __repr__(self) -> str:
        return (
            f"<tf.Variable {self.name!r} shape={self.shape} dtype={self.dtype.name}, "
            f"numpy={self.numpy()!r}>"
        )

    __str__ = __repr__


def _plain(x: Any) -> Any:
    return np.asarray(x)[()] if not isinstance(x, np.ndarray | np.generic) else x


def sources_of(x: Any) -> frozenset[Any]:
    """What a tensor depends on: ids of variables and of watched tensors."""
    if isinstance(x, Variable):
        return frozenset([id(x)])
    return x.sources if isinstance(x, EagerTensor) else _NOTHING


def unwrap(x: Any) -> Any:
    """What functions compute with."""
    return x.value() if isinstance(x, EagerTensor) else x


_modes: Any = type(Mode)
_modes.eager_types = (EagerTensor,)
_modes.wrap = EagerTensor
_modes.unwrap = staticmethod(unwrap)
_modes.sources = staticmethod(sources_of)
