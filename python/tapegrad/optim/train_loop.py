"""`tg.optim.train`: epochs of compiled training steps, run without Python between them."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad._core import TrainLoop, TrainStep, Variable, watching
from tapegrad._tree import Tree
from tapegrad.compile.call import Call
from tapegrad.compile.compiled import Compiled
from tapegrad.optim.rules import Rule
from tapegrad.transforms.gradients import value_and_grad
from tapegrad.transforms.trace import check_callable, check_leaf, name_of
from tapegrad.transforms.transformed import Transformed

_MOST_ROWS = 1_000_000  # of permutations that are drawn ahead
_MOST_KEPT = 4  # steps by loss
_MOST_MADE = 32
_KEPT = "__tapegrad_training__"
_DTYPES = "?bBhHiIlLqQfd"


def train(
    loss: Callable[..., Any],
    params: Tree,
    data: Tree,
    *,
    optimizer: Rule,
    epochs: int = 1,
    batch_size: int | None = None,
    shuffle: bool = True,
    rng: np.random.Generator | int | None = None,
    callback: Callable[[int, float, Tree], object] | None = None,
) -> tuple[Tree, np.ndarray[Any, Any]]:
    """Trains parameters on the rows of `data`; gives them and the mean loss of each epoch.

    A step is value, gradient and update in one compiled program: two of the first are recorded, and
    from then on whole epochs run without Python.

    Args:
        loss: `loss(params, *batch)`, a scalar, written in NumPy.
        params: Floats and float arrays in any nesting of dict, list, tuple and dataclass. Python
            floats beside float32 arrays are taken as float32.
        data: A tuple of arrays (or of nestings of them) with equal first lengths, the rows; a
            single array or dict goes to the loss as one argument.
        optimizer: A rule: `tg.optim.sgd(0.01)`, `tg.optim.adam()` ...
        epochs: How often all rows are gone through.
        batch_size: Rows of a step; None takes all of them. The last batch of an epoch may be
            shorter. Rows keep their axis: with batch_size=1, a column of numbers arrives as arrays
            of shape (1,).
        shuffle: Whether each epoch takes the rows in a new order, drawn from `rng`. Where a step
            takes all rows, they stay as they are.
        rng: A NumPy generator or a seed; None draws anew at each call.
        callback: `callback(epoch, mean_loss, params)`, called after each epoch, counted from 0. An
            exception from it ends the training and passes through.

    Returns:
        The parameters, and an array of the mean loss of each epoch: each batch's loss, as it was
        before the update, counted with the batch's number of rows.

    Raises:
        TypeError, ValueError: Parameters, data or settings that do not fit.
        FloatingPointError: The loss is NaN or infinite; the message names epoch and batch.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> x = np.linspace(-1.0, 1.0, 50)
    >>> def loss(p, x, y):
    ...     return np.mean((p["w"] * x + p["b"] - y) ** 2)
    >>> start = {"w": 0.0, "b": 0.0}
    >>> fitted, history = tg.optim.train(
    ...     loss, start, (x, 3.0 * x + 1.0), optimizer=tg.optim.sgd(0.1), epochs=50,
    ...     batch_size=10, rng=0)
    >>> round(fitted["w"], 3), round(fitted["b"], 3), len(history)
    (3.0, 1.0, 50)
    """
    check_callable("train", loss, "tg.optim.train(loss, params, (x, y), optimizer=...)")
    if not (callable(getattr(optimizer, "init", None)) and hasattr(optimizer, "update")):
        raise TypeError(
            f"train: optimizer is {_tree.describe(optimizer)}, which has no init and update; pass "
            "a rule, as in optimizer=tg.optim.sgd(0.01)"
        )
    epochs = _count("epochs", epochs, 0)
    run = _Training(loss, _checked_params(params), data, optimizer, batch_size)
    generator = np.random.default_rng(rng) if shuffle and run.n_batches > 1 else None
    return run.through(epochs, generator, callback)


class _Training:
    """One call of `train`."""

    def __init__(
        self, loss: Callable[..., Any], params: Tree, data: Tree, optimizer: Rule,
        batch_size: int | None,
    ) -> None:  # fmt: skip
        self._data, columns = _columns(data)
        self._names = [path for path, _ in columns]
        self._arrays = [x for _, x in columns]
        self._rows = len(self._arrays[0])
        size = self._rows if batch_size is None else _count("batch_size", batch_size, 1)
        self._size = min(size, self._rows)
        self.n_batches = -(-self._rows // self._size)
        # Only the nesting of this is read: the values themselves are in the loop.
        self._carried = (params, optimizer.init(params))
        leaves = [x for _, x in _tree.leaves(self._carried)]
        self._loop = TrainLoop(leaves, self._arrays, self._size)
        self._step = _step_of(loss, optimizer)
        self._keys: list[Any] = [None, None]
        for last, rows in enumerate((self._size, self._rows % self._size)):
            if rows:
                batch = _tree.fill(self._data, iter([x[:rows] for x in self._arrays]))
                self._keys[last] = _key((*self._carried, *batch))

    def through(
        self,
        epochs: int,
        rng: np.random.Generator | None,
        callback: Callable[[int, float, Tree], object] | None,
    ) -> tuple[Tree, np.ndarray[Any, Any]]:
        loop = self._loop
        while loop.epoch < epochs:
            until = epochs
            if callback is not None:
                until = loop.epoch + 1
            elif rng is not None:
                until = min(epochs, loop.epoch + max(1, _MOST_ROWS // self._rows))
            if rng is not None:
                drawn = [rng.permutation(self._rows) for _ in range(loop.epoch, until)]
                loop.set_order(np.concatenate(drawn))
            for last in (False, True):
                self._find_programs(last)
            while loop.epoch < until:
                status = loop.run(until)
                if status == "unserved":
                    self._step_in_python()
                elif status == "not finite":
                    self._complain(loop.bad_loss)
            if callback is not None:
                callback(loop.epoch - 1, loop.losses[-1], self._now()[0])
        return self._now()[0], np.array(loop.losses, float)

    def _now(self) -> tuple[Tree, Tree]:
        carried: tuple[Tree, Tree] = _tree.fill(self._carried, iter(self._loop.carried))
        return carried

    def _step_in_python(self) -> None:
        loop = self._loop
        last = bool(loop.in_last)
        batch = _tree.fill(self._data, iter(loop.next_batch()))
        args = (*self._now(), *batch)
        value, *carried = self._step.compiled(*args)
        if not np.isfinite(value):
            self._complain(value)
        self._carried = (carried[0], carried[1])
        loop.commit(float(value), [x for _, x in _tree.leaves(self._carried)])
        self._keys[last] = _key((*self._now(), *batch))
        self._find_programs(last)

    def _find_programs(self, last: bool) -> None:
        """The programs that stand for the step now, if any."""
        # Under tg.detect_anomaly every step runs in Python.
        found = [] if watching() else self._step.programs(self._keys[last])
        self._loop.set_steps(found, last)

    def _complain(self, value: float) -> None:
        loop = self._loop
        broken = [
            name
            for name, x in zip(self._names, self._arrays, strict=True)
            if x.dtype.kind == "f" and not np.all(np.isfinite(x))
        ]
        remedy = "lower the learning rate, or look at what the loss does there (log, division)"
        if broken:
            remedy = f"{broken[0]} holds values that are not finite: remove those rows"
        raise FloatingPointError(
            f"train: the loss is {value} at epoch {loop.epoch}, batch {loop.batch} of "
            f"{self.n_batches} (counted from 0); {remedy}"
        )


class _Step:
    """A compiled training step, with its programs as the loop takes them."""

    def __init__(self, loss: Callable[..., Any], optimizer: Rule) -> None:
        def step(params: Tree, state: Tree, *batch: Tree) -> tuple[Any, Tree, Tree]:
            value, gradients = value_and_grad(loss)(params, *batch)
            params, state = optimizer.update(params, gradients, state)
            return value, params, state

        step.__qualname__ = f"train({name_of(loss)})"
        self.loss = loss
        self.optimizer = optimizer
        self.compiled = Compiled(step)
        self._made: dict[int, tuple[Any, TrainStep]] = {}  # by the program that each is made of

    def programs(self, key: Any) -> list[tuple[TrainStep, Any]]:
        """Those that stand now for calls of this signature, with what they capture."""
        found = []
        for trusted in self.compiled.programs_for(key):
            if not trusted.gives_outputs_alone():
                continue
            made = self._made.get(id(trusted))
            if made is None:
                if len(self._made) >= _MOST_MADE:
                    self._made.clear()
                made = trusted, TrainStep(trusted.program, trusted.recording)
                self._made[id(trusted)] = made
            found.append((made[1], trusted.captures))
        return found


def _step_of(loss: Callable[..., Any], optimizer: Rule) -> _Step:
    """The step of these two: kept with the loss, so that another call need not record again."""
    space = getattr(loss, "__dict__", None)
    if not isinstance(loss, (FunctionType, Transformed)) or not isinstance(space, dict):
        return _Step(loss, optimizer)
    kept = space.get(_KEPT)
    if kept is None or kept[0] is not loss:  # a wrapper may have it of the function inside
        kept = space[_KEPT] = (loss, [])
    for step in kept[1]:
        if step.optimizer == optimizer:
            return step  # type: ignore[no-any-return]  # kept as Any
    kept[1][:] = [_Step(loss, optimizer), *kept[1][: _MOST_KEPT - 1]]
    return kept[1][0]  # type: ignore[no-any-return]  # kept as Any


def _key(args: tuple[Any, ...]) -> Any:
    call = Call(args, {})
    return None if call.unsupported or call.has_variables else call.key


def _count(name: str, x: Any, least: int) -> int:
    if isinstance(x, bool) or not isinstance(x, (int, np.integer)) or x < least:
        raise ValueError(f"train: {name} must be an integer of at least {least}, got {x!r}")
    return int(x)


def _checked_params(params: Tree) -> Tree:
    leaves = []
    found = _tree.leaves(params, "params")
    single = any(getattr(x, "dtype", None) == np.float32 for _, x in found)
    for path, x in found:
        if isinstance(x, Variable):
            raise TypeError(f"train: {path} is a Variable; pass tg.value(params)")
        leaf = check_leaf("train", x, path)
        if np.ndim(leaf) == 0:
            narrow = leaf.dtype == np.float32 if isinstance(leaf, np.ndarray) else single
            leaf = np.float32(leaf) if narrow else float(leaf)
        leaves.append(leaf)
    if not leaves:
        raise ValueError(
            f"train: params is {_tree.describe(params)}, without a number or array to train"
        )
    return _tree.fill(params, iter(leaves))


def _columns(data: Tree) -> tuple[tuple[Tree, ...], list[tuple[str, np.ndarray[Any, Any]]]]:
    """The arguments of the loss after the parameters, and the arrays in them."""
    several = isinstance(data, (tuple, list))
    parts = [_arrays(x) for x in data] if several else [_arrays(data)]
    found = []
    for i, part in enumerate(parts):
        found += _tree.leaves(part, f"data[{i}]" if several else "data")
    if not found:
        raise ValueError("train: data holds no array; pass a tuple of arrays, as in (x, y)")
    for path, x in found:
        if x.ndim == 0:
            raise ValueError(
                f"train: {path} is a single number, and data are arrays of rows; pass a tuple of "
                "arrays, as in (x, y), and fixed numbers in the loss itself"
            )
        if x.dtype.char not in _DTYPES or not x.dtype.isnative:
            raise TypeError(
                f"train: {path} is {_tree.describe(x)}; pass float64, float32, integers or bools "
                "(x.astype(float) converts)"
            )
    first_path, first = found[0]
    for path, x in found:
        if len(x) != len(first):
            raise ValueError(
                f"train: {first_path} has {len(first)} rows and {path} has {len(x)} (shapes "
                f"{first.shape} and {x.shape}); data need equal first lengths"
            )
    if not len(first):
        raise ValueError(f"train: {first_path} has no rows (shape {first.shape}); pass some data")
    return tuple(parts), found


def _arrays(part: Tree) -> Tree:
    if isinstance(part, list) or part is None:
        return np.asarray(part)
    if _tree.is_leaf(part):
        return np.asarray(part)
    return _tree.rebuild(part, [_arrays(x) for _, x in _tree.children(part) or []])
