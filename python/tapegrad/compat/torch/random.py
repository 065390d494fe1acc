"""Random tensors from NumPy's generators: they repeat with a seed; the bits are not PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.torch.core import dtypes
from tapegrad.compat.torch.core.call import is_tensor, new
from tapegrad.compat.torch.core.functions.filling import filled_in_place
from tapegrad.compat.torch.core.functions.shapes import lengths
from tapegrad.compat.torch.core.registry import public, register

_FIRST_SEED = 67280421310721  # a program without a seed repeats, as PyTorch's does


class Generator:
    """A source of random numbers with a state of its own.

    >>> import tapegrad.compat.torch as torch
    >>> g = torch.Generator().manual_seed(0)
    >>> bool((torch.rand(3, generator=g) < 1).all())
    True
    """

    def __init__(self, device: Any = "cpu") -> None:
        dtypes.check_device(device)
        self.manual_seed(_FIRST_SEED)

    def manual_seed(self, seed: int) -> Generator:
        """Starts anew from a seed."""
        self._seed = int(seed)
        self.numpy = np.random.Generator(np.random.PCG64(abs(self._seed)))
        return self

    def initial_seed(self) -> int:
        """The seed that it started from."""
        return self._seed

    def seed(self) -> int:
        """Starts anew from a seed of the system's."""
        self.manual_seed(int(np.random.SeedSequence().entropy % 2**63))  # type: ignore[operator]  # an int
        return self._seed

    def get_state(self) -> Any:
        """Its state, for `set_state`."""
        return {"seed": self._seed, "state": self.numpy.bit_generator.state}

    def set_state(self, state: Any) -> None:
        """Goes on from a state."""
        self._seed = state["seed"]
        self.numpy.bit_generator.state = state["state"]


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Starts the default generator anew from a seed."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Starts the default generator from a seed of the system's."""
    return default_generator.seed()


def initial_seed() -> int:
    """The default generator's seed."""
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """The default generator's state."""
    return default_generator.get_state()


def set_rng_state(state: Any) -> None:
    """Lets the default generator go on from a state."""
    default_generator.set_state(state)


def numpy_generator(generator: Generator | None) -> Any:
    """NumPy's generator behind one of ours, or the default one."""
    return (generator or default_generator).numpy


def made(a: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """A tensor of drawn numbers."""
    dtypes.check_device(device)
    kind = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    t = new(np.asarray(a).astype(kind.numpy))
    return t.requires_grad_() if requires_grad else t


def _shaped(name: str, draw: Any) -> None:
    def function(
        *size: Any,
        generator: Any = None,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        layout: Any = None,
        pin_memory: bool = False,
    ) -> Any:
        a = draw(numpy_generator(generator), lengths(size))
        return made(a, dtype, device, requires_grad)

    def like(
        input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
        generator: Any = None, layout: Any = None, memory_format: Any = None,
    ) -> Any:  # fmt: skip
        a = draw(numpy_generator(generator), tuple(input.shape))
        return made(a, input.dtype if dtype is None else dtype, device, requires_grad)

    function.__name__ = name
    function.__doc__ = f"Random numbers of the given lengths ({name})."
    like.__doc__ = f"`{name}` of another tensor's shape and dtype."
    register(name, function, method=False)
    register(f"{name}_like", like, method=False)


_shaped("rand", lambda g, shape: g.random(shape))
_shaped("randn", lambda g, shape: g.standard_normal(shape))


@public(method=False)
def randint(
    low: int, high: Any = None, size: Any = None, *, generator: Any = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """Random integers from `low` (or 0) up to but without `high`."""
    if size is None:
        low, high, size = 0, low, high
    a = numpy_generator(generator).integers(low, high, tuple(size))
    return made(a, dtypes.BY_NAME["int64"] if dtype is None else dtype, device, requires_grad)


@public(method=False)
def randint_like(input: Any, low: int, high: Any = None, **given: Any) -> Any:
    """`randint` of another tensor's shape and dtype."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, tuple(input.shape), dtype=given.pop("dtype", input.dtype), **given)


@public(method=False)
def randperm(n: int, *, generator: Any = None, dtype: Any = None, device: Any = None) -> Any:
    """The integers below n in random order."""
    a = numpy_generator(generator).permutation(n)
    return made(a, dtypes.BY_NAME["int64"] if dtype is None else dtype, device)


@public(method=False)
def normal(
    mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Any = None, dtype: Any = None
) -> Any:
    """Normal numbers of the given means and deviations."""
    if size is None:
        shape = np.broadcast_shapes(*(tuple(x.shape) if is_tensor(x) else () for x in (mean, std)))
    else:
        shape = tuple(size)
    values = [x.plain() if is_tensor(x) else x for x in (mean, std)]
    kinds = [x.dtype for x in (mean, std) if is_tensor(x)]
    a = values[0] + values[1] * numpy_generator(generator).standard_normal(shape)
    return made(a, dtype or (kinds[0] if kinds else None))


@public()
def bernoulli(input: Any, p: Any = None, *, generator: Any = None) -> Any:
    """Ones with the given probabilities, else zeros."""
    chance = input.plain() if p is None else p
    return made(numpy_generator(generator).random(tuple(input.shape)) < chance, input.dtype)


@public()
def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: Any = None
) -> Any:
    """Indices, drawn with the given weights."""
    g, weights = numpy_generator(generator), input.plain().astype(float)
    rows = np.atleast_2d(weights)
    drawn = []
    for row in rows:
        if not replacement and np.count_nonzero(row) < num_samples:
            raise RuntimeError(
                f"multinomial: {num_samples} draws without replacement of "
                f"{np.count_nonzero(row)} weights that are not zero; pass replacement=True"
            )
        drawn.append(g.choice(len(row), num_samples, replacement, row / row.sum()))
    found = np.stack(drawn).astype(np.int64)
    return new(found if weights.ndim == 2 else found[0])


@public(method=False)
def poisson(input: Any, generator: Any = None) -> Any:
    """Poisson numbers of the given rates."""
    return made(numpy_generator(generator).poisson(input.plain()), input.dtype)


def _in_place(name: str, draw: Any) -> None:
    def f(self: Any, *args: Any, generator: Any = None, **kwargs: Any) -> Any:
        a = draw(numpy_generator(generator), tuple(self.shape), *args, **kwargs)
        return made(a, self.dtype)

    filled_in_place(name, f)


_in_place("normal_", lambda g, s, mean=0.0, std=1.0: mean + std * g.standard_normal(s))
_in_place(
    "uniform_",
    lambda g, s, a=0.0, b=1.0, **k: (
        k.get("from", a) + ((k.get("to", b)) - k.get("from", a)) * g.random(s)
    ),
)
_in_place("bernoulli_", lambda g, s, p=0.5: g.random(s) < (p.plain() if is_tensor(p) else p))
_in_place("exponential_", lambda g, s, lambd=1.0: g.exponential(1.0 / lambd, s))
_in_place("random_", lambda g, s, a=0, b=None: g.integers(*((0, a) if b is None else (a, b)), s))
