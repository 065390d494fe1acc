"""Vector spaces: of floats, arrays, complex numbers and any nesting of containers of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad.compat.autograd.refusals import refuse

__all__ = ["ArrayVSpace", "ComplexArrayVSpace", "ContainerVSpace", "VSpace", "vspace"]


class VSpace:
    """What values of one kind have in common: `vspace(x)` of any of them."""

    iscomplex = False
    shape: Any
    size: Any

    def zeros(self) -> Any:
        """The zero."""
        return self._make(np.zeros)

    def ones(self) -> Any:
        """A one in every place; of complex numbers, 1 + 1j."""
        return self._make(np.ones)

    def randn(self) -> Any:
        """Standard normal numbers, from NumPy's global generator as Autograd's are."""
        return self._make(lambda shape, dtype: np.array(np.random.randn(*shape)).astype(dtype))

    def add(self, x: Any, y: Any) -> Any:
        """The sum."""
        return self._map(lambda a, b: a + b, x, y)

    def mut_add(self, x: Any, y: Any) -> Any:
        """The sum; None counts as zero."""
        return y if x is None else self.add(x, y)

    def scalar_mul(self, x: Any, a: Any) -> Any:
        """The product with a number."""
        return self._map(lambda b: b * a, x)

    def inner_prod(self, x: Any, y: Any) -> Any:
        """The inner product; of complex numbers, the real one of their parts."""
        raise NotImplementedError(f"{type(self).__name__} has no inner_prod(x, y)")

    def covector(self, x: Any) -> Any:
        """The conjugate: what leads from a direction to a derivative and back."""
        return self._map(np.conj, x) if self.iscomplex else x

    def standard_basis(self) -> Iterator[Any]:
        """The unit vectors, of complex numbers 1 and 1j in each place."""
        raise NotImplementedError(f"{type(self).__name__} has no standard_basis()")

    def _make(self, make: Callable[..., Any]) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define _make()")

    def _map(self, f: Callable[..., Any], *xs: Any) -> Any:
        return f(*xs)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # equal by content, as containers are

    def __repr__(self) -> str:
        return f"{type(self).__name__}_{self.__dict__}"

    @classmethod
    def register(cls, value_type: Any, vspace_maker: Any = None) -> None:
        """Raises: the values of a derivative are numbers, arrays and containers."""
        refuse("VSpace.register", value_type)


class ArrayVSpace(VSpace):
    """Arrays of one shape and dtype, and numbers."""

    def __init__(self, value: Any) -> None:
        known = _tree.is_variable(value)
        found = value if known else np.asarray(value)
        self.shape = tuple(found.shape)
        self.dtype = found.dtype

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return int(np.prod(self.shape))

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    def inner_prod(self, x: Any, y: Any) -> Any:
        """The sum of the products."""
        return np.dot(np.ravel(x), np.ravel(y))

    def standard_basis(self) -> Iterator[Any]:
        """A one in one place."""
        return self._units(1)

    def _make(self, make: Callable[..., Any]) -> Any:
        return make(self.shape, dtype=self.dtype)

    def _units(self, *numbers: complex) -> Iterator[Any]:
        for place in np.ndindex(*self.shape):
            for number in numbers:
                unit = np.zeros(self.shape, self.dtype)
                unit[place] = number
                yield unit


class ComplexArrayVSpace(ArrayVSpace):
    """Complex arrays and numbers: a real space of twice the size."""

    iscomplex = True

    @property
    def size(self) -> int:
        """How many real numbers there are."""
        return 2 * super().size

    def inner_prod(self, x: Any, y: Any) -> Any:
        """The real part of conj(x) y, summed."""
        return np.real(np.dot(np.conj(np.ravel(x)), np.ravel(y)))

    def standard_basis(self) -> Iterator[Any]:
        """1 and 1j in one place."""
        return self._units(1, 1j)

    def _make(self, make: Callable[..., Any]) -> Any:
        real, imag = super()._make(make), super()._make(make)
        return real + 1j * imag


class ContainerVSpace(VSpace):
    """Lists, tuples, dicts and what is made like them; `shape` holds the spaces of the parts."""

    def __init__(self, value: Any) -> None:
        parts = _tree.children(value) or []
        self.shape = _tree.rebuild(value, [vspace(part) for _, part in parts])
        self._set_facts()

    @property
    def size(self) -> int:
        """How many real numbers there are."""
        return sum(space.size for space in self._parts(self.shape))

    def inner_prod(self, x: Any, y: Any) -> Any:
        """The sum over the parts."""
        parts = zip(self._parts(self.shape), self._parts(x), self._parts(y), strict=True)
        return sum(space.inner_prod(a, b) for space, a, b in parts)

    def covector(self, x: Any) -> Any:
        """Each part's."""
        pairs = zip(self._parts(self.shape), self._parts(x), strict=True)
        return self._like([space.covector(part) for space, part in pairs])

    def standard_basis(self) -> Iterator[Any]:
        """Each part's, the other parts zero."""
        for i, space in enumerate(self._parts(self.shape)):
            for unit in space.standard_basis():
                zeros = self._parts(self.zeros())
                yield self._like([*zeros[:i], unit, *zeros[i + 1 :]])

    def _make(self, make: Callable[..., Any]) -> Any:
        return self._like([space._make(make) for space in self._parts(self.shape)])

    def _map(self, f: Callable[..., Any], *xs: Any) -> Any:
        spaces = self._parts(self.shape)
        columns = zip(spaces, *map(self._parts, xs), strict=True)
        return self._like([space._map(f, *column) for space, *column in columns])

    def _parts(self, x: Any) -> list[Any]:
        if isinstance(self.shape, dict):  # whose keys may stand in another order
            return [x[key] for key in self.shape]
        return [part for _, part in _tree.children(x) or []]

    def _like(self, parts: list[Any]) -> Any:
        return _tree.rebuild(self.shape, parts)

    def _set_facts(self) -> None:
        if any(space.iscomplex for space in self._parts(self.shape)):
            self.iscomplex = True


def vspace(value: Any) -> VSpace:
    """The vector space that a float, an array, a complex number or a container belongs to.

    >>> import numpy as np
    >>> from tapegrad.compat.autograd.extend import vspace
    >>> vspace([1.0, np.zeros((2, 3))]).size
    7
    """
    if _tree.is_complex(value):
        return ComplexArrayVSpace(value)
    if _tree.children(value) is not None:
        return ContainerVSpace(value)
    if _tree.is_variable(value) or isinstance(value, (np.ndarray, float, np.floating)):
        if np.iscomplexobj(value):
            return ComplexArrayVSpace(value)
        return ArrayVSpace(value)
    raise TypeError(
        f"vspace: {_tree.describe(value)} belongs to no vector space; pass a float, an array, a "
        "complex number or a container of them"
    )
