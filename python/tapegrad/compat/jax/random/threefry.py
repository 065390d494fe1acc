"""The bits of JAX's keys: Threefry-2x32 with 20 rounds.

Salmon, Moraes, Dror and Shaw, Parallel Random Numbers: As Easy as 1, 2, 3 (SC 2011). Counters are
the places of the numbers, 64 bits each, as JAX has it by default (`jax_threefry_partitionable`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["bits", "fold_in", "seed", "split"]

Words = np.ndarray[Any, np.dtype[np.uint32]]
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.uint32(0x1BD11BDA)


def _hash(key: Words, high: Words, low: Words) -> tuple[Words, Words]:
    """Two words of 32 bits for each counter."""
    schedule = (key[0], key[1], key[0] ^ key[1] ^ _PARITY)
    with np.errstate(over="ignore"):  # numbers wrap around
        x, y = high + schedule[0], low + schedule[1]
        for group in range(5):
            for turn in _ROTATIONS[group % 2]:
                x = x + y
                y = (y << np.uint32(turn)) | (y >> np.uint32(32 - turn))
                y = x ^ y
            x = x + schedule[(group + 1) % 3]
            y = y + schedule[(group + 2) % 3] + np.uint32(group + 1)
    return x, y


def _counters(shape: tuple[int, ...]) -> tuple[Words, Words]:
    places = np.arange(int(np.prod(shape)), dtype=np.uint64).reshape(shape)
    return (places >> np.uint64(32)).astype(np.uint32), places.astype(np.uint32)


def seed(number: int) -> Words:
    """The key of a number: its high and its low 32 bits."""
    number = int(number) & 0xFFFF_FFFF_FFFF_FFFF
    return np.array([number >> 32, number & 0xFFFF_FFFF], dtype=np.uint32)


def split(key: Words, shape: tuple[int, ...]) -> Words:
    """Keys of this shape, which differ from each other and from `key`."""
    return np.stack(_hash(key, *_counters(shape)), axis=-1)


def fold_in(key: Words, number: int) -> Words:
    """The key of a key and a number of 32 bits."""
    high, low = seed(int(number) & 0xFFFF_FFFF)
    found: Words = np.stack(_hash(key, high[None], low[None]), axis=-1)[0]
    return found


def bits(key: Words, width: int, shape: tuple[int, ...]) -> Any:
    """Unsigned integers of this many bits."""
    high, low = _hash(key, *_counters(shape))
    if width == 64:
        return (high.astype(np.uint64) << np.uint64(32)) | low.astype(np.uint64)
    return (high ^ low).astype({8: np.uint8, 16: np.uint16, 32: np.uint32}[width])
