"""Data sets: things with a length and items."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

from tapegrad.compat.torch.random import numpy_generator

T = TypeVar("T")


class Dataset(Generic[T]):
    """The base of data sets: `dataset[k]`, and `len(dataset)`."""

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__}: the class has no __getitem__(self, k), which gives item k"
        )

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T]):
    """The base of data sets that only give one item after the other."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(
            f"{type(self).__name__}: the class has no __iter__(self), which yields the items"
        )


class TensorDataset(Dataset[Any]):
    """Rows of tensors of one length."""

    def __init__(self, *tensors: Any) -> None:
        if len({len(t) for t in tensors}) > 1:
            raise ValueError(
                "TensorDataset: the first lengths differ, in shapes "
                f"{[list(t.shape) for t in tensors]}"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class ConcatDataset(Dataset[Any]):
    """Data sets one after the other."""

    def __init__(self, datasets: Sequence[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: no data sets are given")
        self.cumulative_sizes: list[int] = []
        total = 0
        for d in self.datasets:
            total += len(d)
            self.cumulative_sizes.append(total)

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        k = index + len(self) if index < 0 else index
        which = bisect.bisect_right(self.cumulative_sizes, k)
        return self.datasets[which][k - (self.cumulative_sizes[which - 1] if which else 0)]


class Subset(Dataset[Any]):
    """Some items of a data set."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[k] for k in index]]
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Any, lengths: Sequence[Any], generator: Any = None) -> list[Subset]:
    """Parts of the given lengths, or shares, drawn at random."""
    n = len(dataset)
    sizes = list(lengths)
    if math.isclose(sum(sizes), 1) and sum(sizes) <= 1 + 1e-9 and any(s < 1 for s in sizes):
        found = [math.floor(n * share) for share in sizes]
        for k in range(n - sum(found)):
            found[k % len(found)] += 1
        sizes = found
    if sum(sizes) != n:
        raise ValueError(
            f"random_split: the lengths {sizes} have {sum(sizes)} items together, and the data "
            f"set {n}"
        )
    order = numpy_generator(generator).permutation(n).tolist()
    parts, start = [], 0
    for size in sizes:
        parts.append(Subset(dataset, order[start : start + size]))
        start += size
    return parts
