"""Bundle adjustment: the errors of what cameras see, and their sparse Jacobian.

A camera's eleven numbers are its rotation (axis times angle), centre, focal length, principal point
and two coefficients of radial distortion. An observation's two errors depend on its camera, its
point and its weight, and the error of its weight on that alone: 31 derivatives each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tapegrad as tg
from benchmarks.gradbench.function import Function, array, nested_list


def rotated(rotation: Any, point: Any) -> Any:
    square = np.sum(rotation**2)
    if square == 0.0:
        return point + np.cross(rotation, point)
    angle = np.sqrt(square)
    axis = rotation / angle
    cosine = np.cos(angle)
    along = axis * np.dot(axis, point) * (1.0 - cosine)
    return point * cosine + np.cross(axis, point) * np.sin(angle) + along


def projected(camera: Any, point: Any) -> Any:
    seen = rotated(camera[:3], point - camera[3:6])
    flat = seen[:2] / seen[2]
    square = np.sum(flat**2)
    distortion = 1.0 + camera[9] * square + camera[10] * square**2
    return flat * distortion * camera[6] + camera[7:9]


def errors(camera: Any, point: Any, weight: Any, feature: Any) -> tuple[Any, Any]:
    """Of one observation."""
    return weight * (projected(camera, point) - feature), 1.0 - weight**2


each_errors = tg.vmap(errors)
each_block = tg.vmap(tg.jacobian(errors, (0, 1, 2)))


@tg.compile
def all_errors(cameras: Any, points: Any, weights: Any, seen: Any, features: Any) -> Any:
    by_camera, by_point = seen[:, 0], seen[:, 1]
    return each_errors(cameras[by_camera], points[by_point], weights, features)


@tg.compile
def derivatives(cameras: Any, points: Any, weights: Any, seen: Any, features: Any) -> Any:
    """Row by row those of the errors, then those of the weights' errors."""
    by_camera, by_point = seen[:, 0], seen[:, 1]
    of_errors, of_weights = each_block(cameras[by_camera], points[by_point], weights, features)
    blocks = np.concatenate([of_errors[0], of_errors[1], of_errors[2][:, :, None]], axis=2)
    return np.concatenate([np.ravel(blocks), of_weights[2]])


def jacobian(cameras: Any, points: Any, weights: Any, seen: Any, features: Any) -> Any:
    """The sparse matrix: where each row begins, the columns, the values."""
    p = len(weights)
    first_point = cameras.size
    first_weight = first_point + points.size
    weight_columns = first_weight + np.arange(p)
    columns = np.empty(31 * p, dtype=int)
    blocks = columns[: 30 * p].reshape(p, 2, 15)
    blocks[..., :11] = (11 * seen[:, :1] + np.arange(11))[:, None]
    blocks[..., 11:14] = (first_point + 3 * seen[:, 1:] + np.arange(3))[:, None]
    blocks[..., 14] = weight_columns[:, None]
    columns[30 * p :] = weight_columns
    rows = np.concatenate([np.arange(0, 30 * p, 15), np.arange(30 * p, 31 * p + 1)])
    return rows, columns, derivatives(cameras, points, weights, seen, features)


def _arguments(message_input: Any) -> tuple[Any, ...]:
    n, m, p = (message_input[name] for name in "nmp")
    observations = np.arange(p)
    return (
        np.tile(array(message_input["cam"]), (n, 1)),
        np.tile(array(message_input["x"]), (m, 1)),
        np.full(p, message_input["w"]),
        np.stack([observations % n, observations % m], axis=1),
        np.tile(array(message_input["feat"]), (p, 1)),
    )


def _errors(result: Any) -> Any:
    """Of the first observation: the others are copies."""
    of_points, of_weights = result
    return {
        "reproj_error": {"elements": nested_list(of_points[0]), "repeated": len(of_points)},
        "w_err": {"element": float(of_weights[0]), "repeated": len(of_weights)},
    }


def _matrix(result: Any) -> Any:
    """The first two rows, which the others repeat, and the last element."""
    rows, columns, values = ([*nested_list(x[:30]), x[-1].item()] for x in result)
    return {"rows": rows, "cols": columns, "vals": values}


FUNCTIONS = {
    "objective": Function(all_errors, _arguments, _errors),
    "jacobian": Function(jacobian, _arguments, _matrix),
}
