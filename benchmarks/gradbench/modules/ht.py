"""Hand tracking: what separates measured points from a posed hand, and its Jacobian.

A mesh hangs on bones. The 26 parameters are rotation and translation of the whole and four angles
for each of five fingers. A measured point belongs to a vertex; or, where `us` has coordinates, to a
point of a triangle, and its coordinates there are parameters as well.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import tapegrad as tg
from benchmarks.gradbench.function import Function, array, nested_list


class Model(NamedTuple):
    """Arrays of B bones and V vertices."""

    parents: tuple[int, ...]  # B; -1 for a root, and each after its parent
    relatives: Any  # (B, 4, 4): a bone's frame in its parent's, at rest
    inverses: Any  # (B, 4, 4): the inverse of its frame at rest
    vertices: Any  # (V, 4): at rest, with a 1
    weights: Any  # (V, B)
    mirrored: bool


def bone_angles(theta: Any, bones: int) -> Any:
    """A finger's first joint turns about two axes, its others about one, and its tip not at all."""
    angles = np.zeros_like(theta, shape=(bones, 3))
    for finger in range(5):
        first, bone = 6 + 4 * finger, 2 + 4 * finger
        angles[bone, :2] = theta[first : first + 2]
        angles[bone + 1 : bone + 3, 0] = theta[first + 2 : first + 4]
    return angles


def turns(angles: Any) -> Any:
    """A rotation about x, then y, then z, for each row of angles about x, z and y."""
    (cx, cz, cy), (sx, sz, sy) = np.cos(angles).T, np.sin(angles).T
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def rotation(vector: Any) -> Any:
    """The matrix of a rotation given as axis times angle."""
    angle = np.linalg.norm(vector)
    if angle < 1e-4:
        return np.eye(3)
    x, y, z = vector / angle
    s, c = np.sin(angle), np.cos(angle)
    return np.array([
        [x * x + (1 - x * x) * c, x * y * (1 - c) - z * s, x * z * (1 - c) + y * s],
        [x * y * (1 - c) + z * s, y * y + (1 - y * y) * c, y * z * (1 - c) - x * s],
        [x * z * (1 - c) - y * s, z * y * (1 - c) + x * s, z * z + (1 - z * z) * c],
    ])  # fmt: skip


def posed_vertices(theta: Any, model: Model) -> Any:
    bones = len(model.parents)
    motions = np.zeros_like(theta, shape=(bones, 4, 4))
    motions[:, :3, :3] = turns(bone_angles(theta, bones))
    motions[:, 3, 3] = 1.0
    relatives = model.relatives @ motions
    frames: list[Any] = []
    for bone, parent in enumerate(model.parents):
        frames.append(relatives[bone] if parent == -1 else frames[parent] @ relatives[bone])
    transforms = np.stack(frames) @ model.inverses
    blended = np.einsum("vb,bij->vij", model.weights, transforms[:, :3])
    positions = np.einsum("vij,vj->vi", blended, model.vertices)
    if model.mirrored:
        positions = positions * np.array([-1.0, 1.0, 1.0])
    return positions @ rotation(theta[:3]).T + theta[3:6]


def errors(theta: Any, us: Any, model: Model, seen: Any, points: Any) -> Any:
    """`seen` holds vertices, or the three corners of triangles."""
    vertices = posed_vertices(theta, model)
    if us is None:
        return np.ravel(points - vertices[seen])
    u, v = us[:, :1], us[:, 1:]
    corners = vertices[seen]
    on_hand = u * corners[:, 0] + v * corners[:, 1] + (1.0 - u - v) * corners[:, 2]
    return np.ravel(points - on_hand)


def jacobian(theta: Any, us: Any, model: Model, seen: Any, points: Any) -> Any:
    """For the coordinates two columns: each error depends on one pair, so all move at once."""
    if us is None:
        return tg.jacobian(errors)(theta, us, model, seen, points)

    def shifted(theta: Any, shift: Any) -> Any:
        return errors(theta, us + shift, model, seen, points)

    by_theta, by_shift = tg.jacobian(shifted, (0, 1))(theta, np.zeros(2))
    return np.concatenate([by_shift, by_theta], axis=1)


def _arguments(message_input: Any) -> tuple[Any, ...]:
    data = message_input["data"]
    hand = data["model"]
    arrays = ("base_relatives", "inverse_base_absolutes", "base_positions", "weights")
    model = Model(tuple(hand["parents"]), *(array(hand[k]) for k in arrays), hand["is_mirrored"])
    seen, us = np.array(data["correspondences"]), None
    if len(message_input["us"]):
        seen, us = np.array(hand["triangles"])[seen], array(message_input["us"])
    return array(message_input["theta"]), us, model, seen, array(data["points"])


FUNCTIONS = {
    "objective": Function(tg.compile(errors), _arguments, nested_list),
    "jacobian": Function(tg.compile(jacobian), _arguments, nested_list),
}
