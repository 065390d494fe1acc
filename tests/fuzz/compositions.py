"""Transforms inside of one another, other containers, layouts and shapes of the same argument.

Each check is a way to something that is known: the gradient of a program's loss at its points, its
second derivative along a direction, or the program's value. A program is held to a few of them,
which its text chooses.
"""

from __future__ import annotations

import collections
import dataclasses
import random
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import tapegrad as tg

Function = Callable[[Any], Any]
Pair = collections.namedtuple("Pair", "x rest")


@dataclasses.dataclass
class Box:
    """A container of the user's."""

    x: Any
    scale: float = 1.0


class Known(NamedTuple):
    """A loss that may be called often, what is known of it, and where."""

    loss: Function
    points: list[Any]  # of one shape
    direction: Any
    gradient: Function
    second: Function  # along the direction


def every_point(way: Callable[[Function], Function]) -> Callable[[Known], Any]:
    """A way to the gradient, at each point, by one function."""

    def found(k: Known) -> Any:
        gradient = way(k.loss)
        return [gradient(_copied(x)) for x in k.points * 2]

    return found


def of_all_lanes(way: Callable[[Function], Function]) -> Callable[[Known], Any]:
    def found(k: Known) -> Any:
        gradient, lanes = way(k.loss), np.stack(k.points)
        return [row for _ in range(4) for row in gradient(lanes.copy())]

    return found


def along(way: Callable[[Function, Any], Function]) -> Callable[[Known], Any]:
    def found(k: Known) -> Any:
        second = way(k.loss, k.direction)
        return [second(_copied(x)) for x in k.points * 2]

    return found


def _copied(x: Any) -> Any:
    return x.copy() if isinstance(x, np.ndarray) else x


def _summed_by_scan(loss: Function) -> Function:
    def total(rows: Any) -> Any:
        return tg.scan(lambda c, row: (c + loss(row), None), 0.0, rows)[0]

    return total


def _of_stacks(loss: Function) -> Function:
    return lambda rows: np.sum(tg.vmap(loss)(rows))


GRADIENTS: dict[str, Callable[[Known], Any]] = {
    "grad of compile": every_point(lambda f: tg.grad(tg.compile(f))),
    "grad of checkpoint": every_point(lambda f: tg.grad(tg.checkpoint(f))),
    "compile of grad of checkpoint": every_point(lambda f: tg.compile(tg.grad(tg.checkpoint(f)))),
    "grad of checkpoint of compile": every_point(lambda f: tg.grad(tg.checkpoint(tg.compile(f)))),
    "jacobian, forward": every_point(lambda f: tg.jacobian(f, mode="forward")),
    "compile of jacobian, forward": every_point(
        lambda f: tg.compile(tg.jacobian(f, mode="forward"))
    ),
    "vjp in compile": every_point(lambda f: tg.compile(lambda x: tg.vjp(f, x)[1](1.0)[0])),
    "grad of a lane": every_point(lambda f: tg.grad(lambda x: np.sum(tg.vmap(f)(x[None])))),
    "grad of a scan of one": every_point(lambda f: tg.grad(lambda x: _summed_by_scan(f)(x[None]))),
    "grad of no grad": every_point(
        lambda f: tg.grad(lambda x: f(x) + 0.0 * np.sum(tg.value(tg.grad(f)(x))))
    ),
    "grad of a dict": every_point(
        lambda f: (
            lambda x: tg.grad(lambda d: f(d["a"][0]) * d["b"])({"a": [x, 1.0], "b": 1.0})["a"][0]
        )
    ),
    "compile of grad of a pair": every_point(
        lambda f: (lambda g: lambda x: g(Pair(x, (1.0, np.ones(2)))).x)(
            tg.compile(tg.grad(lambda p: f(p.x) * p.rest[0]))
        )
    ),
    "grad of a box": every_point(
        lambda f: lambda x: tg.grad(lambda box: f(box.x) * box.scale)(Box(x)).x
    ),
    "compile of grad with keywords": every_point(
        lambda f: (lambda g: lambda x: g(x, scale=1.0, flag=True))(
            tg.compile(tg.grad(lambda x, *, scale=2.0, flag=False, n=1: f(x) * scale * n * flag))
        )
    ),
    "grad by the second of two": every_point(
        lambda f: lambda x: tg.grad(lambda n, x, s=1.0: f(x) * n * s, argnum=1)(1, x)
    ),
    "vmap of grad": of_all_lanes(lambda f: tg.vmap(tg.grad(f))),
    "vmap of compile of grad": of_all_lanes(lambda f: tg.vmap(tg.compile(tg.grad(f)))),
    "compile of vmap of grad": of_all_lanes(lambda f: tg.compile(tg.vmap(tg.grad(f)))),
    "grad of vmap": of_all_lanes(lambda f: tg.grad(_of_stacks(f))),
    "compile of grad of vmap": of_all_lanes(lambda f: tg.compile(tg.grad(_of_stacks(f)))),
    "grad of vmap of checkpoint": of_all_lanes(lambda f: tg.grad(_of_stacks(tg.checkpoint(f)))),
    "grad of scan": of_all_lanes(lambda f: tg.grad(_summed_by_scan(f))),
    "compile of grad of scan": of_all_lanes(lambda f: tg.compile(tg.grad(_summed_by_scan(f)))),
    "grad of scan of checkpoint": of_all_lanes(
        lambda f: tg.grad(_summed_by_scan(tg.checkpoint(f)))
    ),
    "vmap over the last axis": of_all_lanes(
        lambda f: lambda rows: tg.vmap(tg.grad(f), in_axes=-1)(np.moveaxis(rows, 0, -1))
    ),
}
SECONDS: dict[str, Callable[[Known], Any]] = {
    "hvp": along(lambda f, d: lambda x: tg.hvp(f, x, d)),
    "compile of hvp": along(lambda f, d: tg.compile(lambda x: tg.hvp(f, x, d))),
    "jvp of grad of compile": along(
        lambda f, d: lambda x: tg.jvp(tg.grad(tg.compile(f)), (x,), (d,))[1]
    ),
    "compile of jvp of grad": along(
        lambda f, d: tg.compile(lambda x: tg.jvp(tg.grad(f), (x,), (d,))[1])
    ),
    "grad of jvp": along(lambda f, d: tg.grad(lambda x: tg.jvp(f, (x,), (d,))[1])),
    "compile of grad of jvp": along(
        lambda f, d: tg.compile(tg.grad(lambda x: tg.jvp(f, (x,), (d,))[1]))
    ),
    "grad of grad of checkpoint": along(
        lambda f, d: tg.grad(lambda x: np.sum(tg.grad(tg.checkpoint(f))(x) * d))
    ),
    "jvp of grad of vmap": along(
        lambda f, d: lambda x: tg.jvp(tg.grad(_of_stacks(f)), (x[None],), (d[None],))[1][0]
    ),
    "jvp of grad of scan": along(
        lambda f, d: lambda x: tg.jvp(tg.grad(_summed_by_scan(f)), (x[None],), (d[None],))[1][0]
    ),
    "compiled hessian": along(
        lambda f, d: (lambda h: lambda x: np.tensordot(h(x), d, np.ndim(d)))(
            tg.compile(tg.hessian(f))
        )
    ),
}


def _strided(x: Any) -> Any:
    wide = np.zeros(tuple(2 * n for n in x.shape), x.dtype)[
        tuple(slice(None, None, 2) for _ in x.shape)
    ]
    wide[...] = x
    return wide


def _read_only(x: Any) -> Any:
    x = x.copy()
    x.flags.writeable = False
    return x


# The same numbers, as they may lie in memory.
LAYOUTS: dict[str, Function] = {
    "Fortran": lambda x: np.asfortranarray(x.copy()),
    "backwards": lambda x: np.flip(np.flip(x).copy()),
    "strided": _strided,
    "transposed": lambda x: x.T.copy().T,
    "read only": _read_only,
    "big endian": lambda x: x.astype(x.dtype.newbyteorder()),
}


def other_shapes(x: Any) -> list[Any]:
    """Arrays of the same number of axes and other lengths, among them an empty one."""
    if np.ndim(x) == 0:
        return [x]
    return [np.concatenate([x, x[:1]]), x[:1].copy(), np.concatenate([x, x]), x[:0].copy()]


def drawn(source: str, n: int = 3) -> tuple[list[str], list[str], list[str]]:
    """Which ways to gradients and second derivatives, and which layouts, a text is held to."""
    rng = random.Random(zlib.crc32(source.encode()))
    return (
        rng.sample(list(GRADIENTS), n),
        rng.sample(list(SECONDS), max(n - 2, 1)),
        rng.sample(list(LAYOUTS), 2),
    )
