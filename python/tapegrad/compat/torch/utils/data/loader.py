"""`DataLoader`: a data set in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tapegrad.compat.torch.core.call import is_tensor
from tapegrad.compat.torch.core.registry import FUNCTIONS
from tapegrad.compat.torch.utils.data.dataset import IterableDataset
from tapegrad.compat.torch.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler


def default_collate(batch: list[Any]) -> Any:
    """Items, as tensors with one more axis in front, in the items' own nesting."""
    first = batch[0]
    if is_tensor(first):
        return FUNCTIONS["stack"](batch)
    if isinstance(first, (np.ndarray, np.generic)):
        return FUNCTIONS["stack"]([FUNCTIONS["as_tensor"](np.asarray(x)) for x in batch])
    if isinstance(first, bool):
        return FUNCTIONS["tensor"](batch)
    if isinstance(first, float):
        return FUNCTIONS["tensor"](np.asarray(batch, np.float64))
    if isinstance(first, int):
        return FUNCTIONS["tensor"](batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, dict):
        return {k: default_collate([x[k] for x in batch]) for k in first}
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(list(part)) for part in zip(*batch, strict=True)))
    if isinstance(first, (list, tuple)):
        if len({len(x) for x in batch}) > 1:
            raise RuntimeError(
                f"default_collate: the items have {sorted({len(x) for x in batch})} parts; a "
                "batch is of items alike"
            )
        return [default_collate(list(part)) for part in zip(*batch, strict=True)]
    raise TypeError(
        f"default_collate: {type(first).__name__} makes no batch, as tensors, arrays, numbers, "
        "dicts and lists do; collate_fn= may"
    )


class DataLoader:
    """A data set in batches, in order or shuffled, loaded in this process.

    >>> import tapegrad.compat.torch as torch
    >>> data = torch.utils.data.TensorDataset(torch.arange(5))
    >>> [len(x) for (x,) in torch.utils.data.DataLoader(data, batch_size=2)]
    [2, 2, 1]
    """

    def __init__(
        self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None,
        sampler: Any = None, batch_sampler: Any = None, num_workers: int = 0,
        collate_fn: Any = None, pin_memory: bool = False, drop_last: bool = False,
        timeout: float = 0, worker_init_fn: Any = None, multiprocessing_context: Any = None,
        generator: Any = None, *, prefetch_factor: Any = None, persistent_workers: bool = False,
        pin_memory_device: str = "", in_order: bool = True,
    ) -> None:  # fmt: skip
        if sampler is not None and shuffle:
            raise ValueError(
                "DataLoader: sampler= and shuffle=True both say the order; one of them does"
            )
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler or drop_last):
            raise ValueError(
                "DataLoader: batch_sampler= says the batches, and so do batch_size, shuffle, "
                "sampler and drop_last; the first comes alone"
            )
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.num_workers, self.generator = num_workers, generator
        self._iterable = isinstance(dataset, IterableDataset)
        if sampler is None and not self._iterable:
            sampler = (
                RandomSampler(dataset, generator=generator) if shuffle
                else SequentialSampler(dataset)
            )  # fmt: skip
        self.sampler = sampler
        if batch_sampler is None and batch_size is not None and not self._iterable:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_sampler = batch_sampler
        if collate_fn is None:
            collate_fn = default_collate if batch_size is not None else lambda x: x
        self.collate_fn = collate_fn

    def __iter__(self) -> Iterator[Any]:
        if self._iterable:
            yield from self._in_turn()
        elif self.batch_sampler is None:
            for k in self.sampler:
                yield self.collate_fn(self.dataset[k])
        else:
            for indices in self.batch_sampler:
                yield self.collate_fn(self._items(indices))

    def _items(self, indices: list[int]) -> list[Any]:
        if hasattr(self.dataset, "__getitems__"):
            return list(self.dataset.__getitems__(indices))
        return [self.dataset[k] for k in indices]

    def _in_turn(self) -> Iterator[Any]:
        batch: list[Any] = []
        for item in self.dataset:
            if self.batch_size is None:
                yield self.collate_fn(item)
                continue
            batch.append(item)
            if len(batch) == self.batch_size:
                yield self.collate_fn(batch)
                batch = []
        if batch and not self.drop_last:
            yield self.collate_fn(batch)

    def __len__(self) -> int:
        if self._iterable:
            n = len(self.dataset)
            if self.batch_size is None:
                return n
            return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)
