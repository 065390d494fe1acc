"""The Jacobian of hand tracking, from the ADBench suite: 26 parameters of a posed hand.

A mesh hangs on 22 bones, and the residuals are what separates measured points from vertices of
the posed mesh, or ("complicated") from points in its triangles, whose two coordinates each are
parameters too. Their block of the Jacobian is compressed into two columns, as in the suite. The
files are the suite's: `--data DIR`, where DIR holds `simple_small`, `simple_big` and so on
(`data/hand` of microsoft/ADBench, `evals/ht/data` of gradbench/gradbench).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import kinds, peers
from benchmarks.problem import Case, Run, Target, data_folder


@dataclass(frozen=True)
class Size:
    folder: str
    file: str

    def path(self, root: Path) -> Path:
        return root / self.folder / self.file

    def correspondences(self) -> int:
        return int(self.file.split("_c")[1].split(".")[0])


@dataclass(frozen=True)
class Hand:
    """Arrays of a file: bones B, vertices V, correspondences C."""

    parents: list[int]  # B; -1 for a root, which comes before its children
    relatives: Any  # (B, 4, 4): a bone's frame in its parent's, at rest
    inverses: Any  # (B, 4, 4): the inverse of its frame at rest
    vertices: Any  # (V, 4): at rest, with a 1
    weights: Any  # (V, B)
    seen: Any  # (C,) vertices, or (C, 3) corners of triangles
    within: Any  # (C, 2) coordinates in the triangle, or None
    points: Any  # (C, 3)
    theta: Any  # 26: rotation, translation, four angles for each of five fingers


SIZES = [
    Size("simple_small", "hand1_t26_c100.txt"),
    Size("simple_small", "hand6_t26_c1600.txt"),
    Size("complicated_small", "hand1_t26_c100.txt"),
    Size("complicated_small", "hand6_t26_c1600.txt"),
    Size("simple_big", "hand6_t26_c1600.txt"),
    Size("simple_small", "hand12_t26_c100000.txt"),
]
SUITE = SIZES[1]


def _name(size: Size) -> str:
    return f"{size.folder}, {size.correspondences():,} points"


CASES = [
    Case(_name(size), unit="ms", same_bits=True, target=Target(0.13) if size == SUITE else None,
         big=size.correspondences() > 10_000 or "big" in size.folder, data=kinds.Task(size))
    for size in SIZES
] + [
    Case(f"Jacobian over value, {_name(SUITE)}", unit="x", threads=False,
         data=kinds.Task(SUITE, kinds.VALUE_RATIO)),
]  # fmt: skip


def missing(case: Case) -> str | None:
    """Why the case cannot be run here."""
    folder = data_folder()
    if folder is None:
        return "needs the suite's files: --data DIR"
    path = case.data.size.path(folder)
    return None if path.exists() else f"no file {case.data.size.folder}/{path.name} in --data"


@functools.cache
def _data(size: Size) -> Hand:
    folder = data_folder()
    assert folder is not None
    path = size.path(folder)
    model = path.parent / "model"
    bones = np.loadtxt(model / "bones.txt", delimiter=":", usecols=range(1, 34), ndmin=2)
    rows = [line.split(":") for line in (model / "vertices.txt").read_text().splitlines()]
    vertices = np.array([[*map(float, row[:3]), 1.0] for row in rows])
    weights = np.zeros((len(rows), len(bones)))
    for v, row in enumerate(rows):
        for k in range(int(row[8])):
            weights[v, int(row[9 + 2 * k])] = float(row[10 + 2 * k])

    tokens = iter(path.read_text().split())
    count, parameters = int(next(tokens)), int(next(tokens))
    measured = np.array([next(tokens) for _ in range(4 * count)], dtype=float).reshape(count, 4)
    seen, within = measured[:, 0].astype(int), None
    if size.folder.startswith("complicated"):
        triangles = np.loadtxt(model / "triangles.txt", delimiter=":", dtype=int)
        seen = triangles[seen]
        within = np.array([next(tokens) for _ in range(2 * count)], dtype=float).reshape(count, 2)
    theta = np.array([next(tokens) for _ in range(parameters)], dtype=float)
    return Hand(
        bones[:, 0].astype(int).tolist(), bones[:, 1:17].reshape(-1, 4, 4),
        bones[:, 17:].reshape(-1, 4, 4), vertices, weights, seen, within, measured[:, 1:], theta,
    )  # fmt: skip


def _angle_places(bones: int) -> Any:
    """Where each bone's three angles stand in theta, after which comes a 0.

    A finger's first bone is fixed; the second bends in two directions, the others in one.
    """
    places = np.full((bones, 3), 26)
    for finger in range(5):
        first = 4 * finger + 2
        places[first, :2] = 4 * finger + 6, 4 * finger + 7
        places[first + 1, 0], places[first + 2, 0] = 4 * finger + 8, 4 * finger + 9
    return places


def _start(hand: Hand) -> Any:
    """Where the Jacobian is taken: theta, and a shift of the two coordinates in the triangles."""
    return hand.theta if hand.within is None else np.concatenate([hand.theta, np.zeros(2)])


def _distances(hand: Any, vertices: Any, at: Any) -> Any:
    """From each measured point to the posed hand; arrays of any library."""
    if hand.within is None:
        return (hand.points - vertices[hand.seen]).reshape(-1)
    within = hand.within + at[26:]
    u, v = within[:, :1], within[:, 1:]
    corners = [vertices[hand.seen[:, k]] for k in range(3)]
    on_hand = u * corners[0] + v * corners[1] + (1.0 - u - v) * corners[2]
    return (hand.points - on_hand).reshape(-1)


def _errors(np: Any, hand: Hand, at: Any) -> Any:
    theta = at[:26]
    vertices = _posed(np, hand, theta)
    return _distances(hand, vertices, at)


def _posed(np: Any, hand: Hand, theta: Any) -> Any:
    """The vertices of the posed mesh: each moves with the mean of its bones' motions."""
    bones = len(hand.parents)
    angles = np.concatenate([theta, np.zeros(1)])[_angle_places(bones)]
    turns = _turns(np, angles[:, 0], angles[:, 2], angles[:, 1])
    below = np.broadcast_to(np.array([[0.0, 0.0, 0.0, 1.0]]), (bones, 1, 4))
    motions = np.concatenate([turns, np.zeros((bones, 3, 1))], axis=2)
    relatives = hand.relatives @ np.concatenate([motions, below], axis=1)
    frames: list[Any] = []
    for bone, parent in enumerate(hand.parents):
        frames.append(relatives[bone] if parent < 0 else frames[parent] @ relatives[bone])
    transforms = np.stack(frames) @ hand.inverses
    blended = (hand.weights @ transforms.reshape((bones, 16))).reshape((-1, 4, 4))
    moved = np.sum(blended[:, :3] * hand.vertices[:, None, :], axis=2)
    return moved @ np.swapaxes(_rotation(np, theta[:3]), 0, 1) + theta[3:6]


def _turns(np: Any, x: Any, y: Any, z: Any) -> Any:
    """Rotations about x, then y, then z, along the first axis."""
    (cx, sx), (cy, sy), (cz, sz) = ((np.cos(angle), np.sin(angle)) for angle in (x, y, z))
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def _rotation(np: Any, vector: Any) -> Any:
    angle = np.sqrt(np.sum(vector**2))
    x, y, z = vector[0] / angle, vector[1] / angle, vector[2] / angle
    s, c = np.sin(angle), np.cos(angle)
    rows = [
        [x * x + (1 - x * x) * c, x * y * (1 - c) - z * s, x * z * (1 - c) + y * s],
        [x * y * (1 - c) + z * s, y * y + (1 - y * y) * c, y * z * (1 - c) - x * s],
        [x * z * (1 - c) - y * s, z * y * (1 - c) + x * s, z * z + (1 - z * z) * c],
    ]
    return np.stack([np.stack(row) for row in rows])


def tapegrad(case: Case) -> Run | None:
    import tapegrad as tg

    return _tapegrad(case, tg.compile)


def tapegrad_eager(case: Case) -> Run | None:
    return _tapegrad(case, lambda f: f)


def _tapegrad(case: Case, compiled: Any) -> Run | None:
    import tapegrad as tg

    hand = _data(case.data.size)
    at = _start(hand)

    def errors(at: Any) -> Any:
        return _errors(np, hand, at)

    jacobian, value = compiled(tg.jacobian(errors)), compiled(errors)
    return kinds.run(case.data, lambda: kinds.Functions(lambda: jacobian(at), lambda: value(at)))


def autograd(case: Case) -> Run | None:
    """By forward mode, a column at a time: its `jacobian` would sweep back for every row."""
    from autograd import make_jvp
    from autograd import numpy as anp

    hand = _data(case.data.size)
    at = _start(hand)
    errors = functools.partial(_errors, anp, hand)

    def jacobian() -> Any:
        along = make_jvp(errors)(at)
        return np.stack([along(seed)[1] for seed in np.eye(at.size)], axis=1)

    return kinds.run(case.data, lambda: kinds.Functions(jacobian, lambda: errors(at)))


def torch(case: Case) -> Run | None:
    return _torch(case, lambda f: f)


def torch_compile(case: Case) -> Run | None:
    return _torch(case, peers.torch_compile)


def _torch(case: Case, compiled: Any) -> Run | None:
    import torch

    hand = _data(case.data.size)
    arrays = {name: value for name, value in vars(hand).items() if isinstance(value, np.ndarray)}
    tensors = {name: torch.from_numpy(value) for name, value in arrays.items()}
    on_tensors = Hand(**{**vars(hand), **tensors})
    places = torch.from_numpy(_angle_places(len(hand.parents)))
    at = torch.from_numpy(_start(hand))

    def errors(at: Any) -> Any:
        return _torch_errors(on_tensors, places, at)

    jacobian, value = compiled(torch.func.jacfwd(errors)), compiled(errors)
    return kinds.run(case.data, lambda: kinds.Functions(lambda: jacobian(at), lambda: value(at)))


def _torch_errors(hand: Hand, places: Any, at: Any) -> Any:
    import torch

    theta, bones = at[:26], len(hand.parents)
    angles = torch.cat([theta, theta.new_zeros(1)])[places]
    turns = _turns(torch, angles[:, 0], angles[:, 2], angles[:, 1])
    motions = torch.cat([turns, theta.new_zeros((bones, 3, 1))], dim=2)
    below = torch.eye(4, dtype=theta.dtype)[3:].expand(bones, 1, 4)
    relatives = hand.relatives @ torch.cat([motions, below], dim=1)
    frames: list[Any] = []
    for bone, parent in enumerate(hand.parents):
        frames.append(relatives[bone] if parent < 0 else frames[parent] @ relatives[bone])
    transforms = torch.stack(frames) @ hand.inverses
    blended = (hand.weights @ transforms.reshape(bones, 16)).reshape(-1, 4, 4)
    moved = (blended[:, :3] * hand.vertices[:, None, :]).sum(dim=2)
    vertices = moved @ _rotation(torch, theta[:3]).T + theta[3:6]
    return _distances(hand, vertices, at)


def jax_jit(case: Case) -> Run | None:
    import jax

    hand = _data(case.data.size)
    at = jax.numpy.asarray(_start(hand))
    errors = functools.partial(_errors, jax.numpy, hand)
    jacobian, value = jax.jit(jax.jacfwd(errors)), jax.jit(errors)
    functions = kinds.Functions(
        lambda: jacobian(at).block_until_ready(), lambda: value(at).block_until_ready()
    )
    return kinds.run(case.data, lambda: functions)
