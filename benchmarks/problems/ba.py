"""The Jacobian of bundle adjustment, from the ADBench suite: every block of it.

An observation sees a point with a camera (rotation as axis times angle, centre, focal length,
principal point, two coefficients of radial distortion) and weighs the error in the image. Its two
residuals depend on 11 + 3 + 1 numbers, and the residual of its weight on one: 31 derivatives an
observation. Which of the sparse matrix's elements they are never changes, so the values are the
work. Cameras and points are drawn; no rotation is zero, so that the branch for it is left out.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import handwritten, kinds, peers
from benchmarks.problem import Case, Run, Target


@dataclass(frozen=True)
class Size:
    cameras: int
    points: int
    observations: int


SIZES = {
    "100 observations": Size(3, 25, 100),
    "1,000 observations": Size(10, 250, 1000),
    "31,843 observations": Size(49, 7776, 31_843),
    "287,451 observations": Size(93, 61_203, 287_451),
}
SUITE = "31,843 observations"

CASES = [
    Case(name, unit="ms", same_bits=True, big=size.observations > 100_000,
         target=Target(1.3, speedup=1.8) if name == SUITE else None, data=kinds.Task(size))
    for name, size in SIZES.items()
] + [
    Case(f"Jacobian over value, {name}", unit="x", threads=False,
         target=Target(3.8) if name == SUITE else None,
         data=kinds.Task(SIZES[name], kinds.VALUE_RATIO))
    for name in ("1,000 observations", SUITE)
] + [
    Case(f"first Jacobian, {SUITE}", unit="ms", threads=False, rounds=3,
         data=kinds.Task(SIZES[SUITE], kinds.FIRST_CALL)),
]  # fmt: skip


@functools.cache
def _data(size: Size) -> tuple[Any, ...]:
    """Cameras, points and weights; then what each observation sees: camera, point, place."""
    rng = np.random.default_rng(7)
    cameras = np.hstack([
        rng.uniform(0.2, 0.8, (size.cameras, 3)) * rng.choice([-1, 1], (size.cameras, 3)),
        rng.normal(0.0, 0.5, (size.cameras, 3)) - [0.0, 0.0, 8.0],
        rng.uniform(400.0, 800.0, (size.cameras, 1)),
        rng.normal(0.0, 5.0, (size.cameras, 2)),
        rng.normal(0.0, 0.05, (size.cameras, 2)),
    ])  # fmt: skip
    points = rng.uniform(-1.0, 1.0, (size.points, 3))
    weights = rng.uniform(0.5, 1.5, size.observations)
    by_camera = np.arange(size.observations) % size.cameras
    by_point = rng.integers(0, size.points, size.observations)
    features = rng.normal(0.0, 100.0, (size.observations, 2))
    return cameras, points, weights, by_camera, by_point, features


def _residuals(np: Any, camera: Any, point: Any, weight: Any, feature: Any) -> Any:
    """The two residuals of an observation, or of many along leading axes."""
    rotation, offset = camera[..., :3], point - camera[..., 3:6]
    angle = np.sqrt(np.sum(rotation**2, axis=-1))[..., None]
    axis = rotation / angle
    turned = (
        offset * np.cos(angle)
        + np.cross(axis, offset) * np.sin(angle)
        + axis * (np.sum(axis * offset, axis=-1)[..., None] * (1.0 - np.cos(angle)))
    )
    flat = turned[..., :2] / turned[..., 2:]
    square = np.sum(flat**2, axis=-1)[..., None]
    distortion = 1.0 + camera[..., 9:10] * square + camera[..., 10:11] * square**2
    seen = flat * distortion * camera[..., 6:7] + camera[..., 7:9]
    return weight[..., None] * (seen - feature)


def _errors(np: Any, camera: Any, point: Any, weight: Any, feature: Any) -> Any:
    return _residuals(np, camera, point, weight, feature), 1.0 - weight**2


def _blocks(result: Any) -> Any:
    """(observations, 2, 11), (.., 2, 3), (.., 2) for the residuals; (..) for the weights."""
    return [np.asarray(block) for block in result]


def tapegrad(case: Case) -> Run | None:
    import tapegrad as tg

    cameras, points, weights, by_camera, by_point, features = _data(case.data.size)

    def build() -> kinds.Functions:
        def errors(camera: Any, point: Any, weight: Any, feature: Any) -> Any:
            return _errors(np, camera, point, weight, feature)

        each_block, each = tg.vmap(tg.jacobian(errors, (0, 1, 2))), tg.vmap(errors)

        @tg.compile
        def jacobian(cameras: Any, points: Any, weights: Any, features: Any) -> Any:
            seen, of_weights = each_block(cameras[by_camera], points[by_point], weights, features)
            return *seen, of_weights[2]

        @tg.compile
        def value(cameras: Any, points: Any, weights: Any, features: Any) -> Any:
            return each(cameras[by_camera], points[by_point], weights, features)

        point = (cameras, points, weights, features)
        return kinds.Functions(lambda: jacobian(*point), lambda: value(*point))

    return kinds.run(case.data, build, _blocks)


def tapegrad_eager(case: Case) -> Run | None:
    """All observations at once; each of the two residuals is the seed of one reverse sweep."""
    import tapegrad as tg

    cameras, points, weights, by_camera, by_point, features = _data(case.data.size)

    def errors(camera: Any, point: Any, weight: Any) -> Any:
        return _errors(np, camera, point, weight, features)

    zeros = np.zeros((weights.size, 2))

    def jacobian() -> Any:
        _, pullback = tg.vjp(errors, cameras[by_camera], points[by_point], weights)
        rows = [pullback((seed, zeros[:, 0])) for seed in _seeds(weights.size)]
        *_, of_weights = pullback((zeros, np.ones(weights.size)))
        return *(np.stack(pair, axis=1) for pair in zip(*rows, strict=True)), of_weights

    def value() -> Any:
        return errors(cameras[by_camera], points[by_point], weights)

    return kinds.run(case.data, lambda: kinds.Functions(jacobian, value), _blocks)


def _seeds(observations: int) -> list[Any]:
    return [np.tile(row, (observations, 1)) for row in np.eye(2)]


def autograd(case: Case) -> Run | None:
    from autograd import make_vjp
    from autograd import numpy as anp

    cameras, points, weights, by_camera, by_point, features = _data(case.data.size)

    def residuals(at: Any) -> Any:
        camera, point, weight = at
        return _residuals(anp, camera, point, weight, features)

    def jacobian() -> Any:
        pullback, _ = make_vjp(residuals)((cameras[by_camera], points[by_point], weights))
        rows = [pullback(seed) for seed in _seeds(weights.size)]
        of_weights, _ = make_vjp(lambda weight: 1.0 - weight**2)(weights)
        blocks = (np.stack(pair, axis=1) for pair in zip(*rows, strict=True))
        return *blocks, of_weights(np.ones(weights.size))

    def value() -> Any:
        return _errors(np, cameras[by_camera], points[by_point], weights, features)

    return kinds.run(case.data, lambda: kinds.Functions(jacobian, value), _blocks)


def torch(case: Case) -> Run | None:
    return _torch(case, lambda f: f)


def torch_compile(case: Case) -> Run | None:
    fresh = case.data.kind == kinds.FIRST_CALL
    return _torch(case, lambda f: peers.torch_compile(f, fresh))


def _torch(case: Case, compiled: Any) -> Run | None:
    import torch

    data = [torch.from_numpy(array) for array in _data(case.data.size)]
    cameras, points, weights, by_camera, by_point, features = data

    def build() -> kinds.Functions:
        by_all = torch.func.jacrev(_torch_errors, (0, 1, 2))
        each_block, each = torch.func.vmap(by_all), torch.func.vmap(_torch_errors)

        def all_blocks(cameras: Any, points: Any, weights: Any) -> Any:
            seen, of_weights = each_block(cameras[by_camera], points[by_point], weights, features)
            return *seen, of_weights[2]

        def all_errors(cameras: Any, points: Any, weights: Any) -> Any:
            return each(cameras[by_camera], points[by_point], weights, features)

        jacobian, value = compiled(all_blocks), compiled(all_errors)
        point = (cameras, points, weights)
        return kinds.Functions(lambda: jacobian(*point), lambda: value(*point))

    return kinds.run(case.data, build, _blocks)


def _torch_errors(camera: Any, point: Any, weight: Any, feature: Any) -> Any:
    import torch

    rotation, offset = camera[:3], point - camera[3:6]
    angle = torch.sqrt(torch.sum(rotation**2))
    axis = rotation / angle
    turned = (
        offset * torch.cos(angle)
        + torch.linalg.cross(axis, offset) * torch.sin(angle)
        + axis * (torch.dot(axis, offset) * (1.0 - torch.cos(angle)))
    )
    flat = turned[:2] / turned[2]
    square = torch.sum(flat**2)
    distortion = 1.0 + camera[9] * square + camera[10] * square**2
    seen = flat * distortion * camera[6] + camera[7:9]
    return weight * (seen - feature), 1.0 - weight**2


def jax_jit(case: Case) -> Run | None:
    import jax

    data = [jax.numpy.asarray(array) for array in _data(case.data.size)]
    cameras, points, weights, by_camera, by_point, features = data

    def build() -> kinds.Functions:
        jax.clear_caches()
        errors = functools.partial(_errors, jax.numpy)
        each_block, each = jax.vmap(jax.jacrev(errors, (0, 1, 2))), jax.vmap(errors)

        @jax.jit
        def jacobian(cameras: Any, points: Any, weights: Any) -> Any:
            seen, of_weights = each_block(cameras[by_camera], points[by_point], weights, features)
            return *seen, of_weights[2]

        @jax.jit
        def value(cameras: Any, points: Any, weights: Any) -> Any:
            return each(cameras[by_camera], points[by_point], weights, features)

        point = (cameras, points, weights)
        return kinds.Functions(
            lambda: jax.block_until_ready(jacobian(*point)),
            lambda: jax.block_until_ready(value(*point)),
        )

    return kinds.run(case.data, build, _blocks)


def casadi(case: Case) -> Run | None:
    import casadi

    cameras, points, weights, by_camera, by_point, features = _data(case.data.size)
    count = weights.size

    def build() -> kinds.Functions:
        inputs = [casadi.SX.sym(*named) for named in (("c", 11), ("p", 3), ("w", 1), ("f", 2))]
        residuals, of_weight = _casadi_errors(*inputs)
        by_all = casadi.jacobian(residuals, casadi.vertcat(*inputs[:3]))
        blocks = [casadi.vec(casadi.densify(by_all)), casadi.jacobian(of_weight, inputs[2])]
        each_block = casadi.Function("blocks", inputs, blocks).map(count)
        each = casadi.Function("errors", inputs, [residuals, of_weight]).map(count)
        buffers = [np.empty((count, 30)), np.empty(count)], [np.empty((count, 2)), np.empty(count)]
        calls = [
            _casadi_call(f, *results)
            for f, results in ((each_block, buffers[0]), (each, buffers[1]))
        ]

        def point() -> Any:
            return cameras[by_camera], points[by_point], weights, features

        return kinds.Functions(lambda: calls[0](*point()), lambda: calls[1](*point()))

    def numbers(result: Any) -> Any:
        blocks = result[0].reshape(count, 15, 2).swapaxes(1, 2)
        return blocks[..., :11], blocks[..., 11:14], blocks[..., 14], result[1]

    return kinds.run(case.data, build, numbers)


def _casadi_call(function: Any, *results: Any) -> Any:
    """The function on arrays with a row per observation, without casadi's own matrices."""
    buffer, trigger = function.buffer()
    for index, result in enumerate(results):
        buffer.set_res(index, memoryview(result))

    def call(*arguments: Any) -> Any:
        for index, argument in enumerate(arguments):
            buffer.set_arg(index, memoryview(argument))
        trigger()
        return results

    return call


def _casadi_errors(camera: Any, point: Any, weight: Any, feature: Any) -> Any:
    import casadi

    rotation, offset = camera[:3], point - camera[3:6]
    angle = casadi.norm_2(rotation)
    axis = rotation / angle
    turned = (
        offset * casadi.cos(angle)
        + casadi.cross(axis, offset) * casadi.sin(angle)
        + axis * (casadi.dot(axis, offset) * (1.0 - casadi.cos(angle)))
    )
    flat = turned[:2] / turned[2]
    square = casadi.sumsqr(flat)
    distortion = 1.0 + camera[9] * square + camera[10] * square**2
    seen = flat * distortion * camera[6] + camera[7:9]
    return weight * (seen - feature), 1.0 - weight**2


def cpp(case: Case) -> Run | None:
    if case.data.kind == kinds.FIRST_CALL:
        return None
    count = case.data.size.observations
    inputs = (case.data.size.cameras, count, *_data(case.data.size))
    blocks = [np.empty((count, *shape)) for shape in ((2, 11), (2, 3), (2,), ())]
    jacobian = handwritten.bind("ba", "jacobian", inputs, blocks)
    value = handwritten.bind("ba", "value", inputs, [np.empty((count, 2)), np.empty(count)])
    return kinds.run(case.data, lambda: kinds.Functions(jacobian, value), _blocks)
