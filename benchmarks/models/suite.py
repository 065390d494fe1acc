"""As in the ADBench suite: a mixture of Gaussians, bundle adjustment, a skin on bones."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.model import Model, Spelling
from benchmarks.problems import ba, gmm

# The mixture: N points, d 10, K 25.

D, K = 10, 25


def _mixture_data(n: int) -> tuple[Any, ...]:
    return gmm._data(gmm.Size(n, D, K))


def _mixture_whitened(alphas: Any, means: Any, icf: Any, x: Any) -> Any:
    return gmm._log_posterior(np, functools.partial(gmm._logsumexp, np), alphas, means, icf, x)


def _mixture_rest(alphas: Any, icf: Any, terms: Any, n: int) -> Any:
    """What follows from the terms (n, K) of the points."""
    top = np.max(terms, axis=1, keepdims=True)
    likelihood = np.sum(top[:, 0] + np.log(np.sum(np.exp(terms - top), axis=1)))
    squares = np.sum(np.exp(icf[:, :D]) ** 2) + np.sum(icf[:, D:] ** 2)
    prior = -0.5 * gmm.GAMMA**2 * squares + gmm._constant(gmm.Size(n, D, K))
    return likelihood - n * np.log(np.sum(np.exp(alphas))) + prior


def _mixture_components(alphas: Any, means: Any, icf: Any, x: Any) -> Any:
    """A component at a time, its factor written row by row."""
    columns = []
    for k in range(K):
        L = np.zeros((D, D))
        at = D
        for j in range(D):
            L[j, j] = np.exp(icf[k, j])
            L[j + 1 :, j] = icf[k, at : at + D - j - 1]
            at += D - j - 1
        z = (x - means[k]) @ L.T
        columns.append(alphas[k] + np.sum(icf[k, :D]) - 0.5 * np.sum(z**2, axis=1))
    return _mixture_rest(alphas, icf, np.stack(columns, axis=1), len(x))


def _mixture_einsum(alphas: Any, means: Any, icf: Any, x: Any) -> Any:
    """Factors filled by index arrays, products by subscripts."""
    L = np.zeros((K, D, D))
    columns, rows = np.triu_indices(D, 1)
    L[:, rows, columns] = icf[:, D:]
    L[:, np.arange(D), np.arange(D)] = np.exp(icf[:, :D])
    z = np.einsum("kij,nkj->nki", L, x[:, None, :] - means)
    terms = alphas + icf[:, :D].sum(axis=1) - 0.5 * (z * z).sum(axis=-1)
    return _mixture_rest(alphas, icf, terms, len(x))


def _mixture_jax(jax: Any, alphas: Any, means: Any, icf: Any, x: Any) -> Any:
    def logsumexp(values: Any) -> Any:
        return jax.scipy.special.logsumexp(values, axis=0)

    return gmm._log_posterior(jax.numpy, logsumexp, alphas, means, icf, x)


# Bundle adjustment: the sum of squared residuals, by cameras, points and weights.


def _adjustment_data(n: int) -> tuple[Any, ...]:
    return ba._data(ba.Size(max(2, n // 50), max(3, n // 4), n))


def _adjustment_gathered(
    cameras: Any, points: Any, weights: Any, by_camera: Any, by_point: Any, seen: Any
) -> Any:
    errors, of_weights = ba._errors(np, cameras[by_camera], points[by_point], weights, seen)
    return np.sum(errors**2) + np.sum(of_weights**2)


def _adjustment_mapped(
    cameras: Any, points: Any, weights: Any, by_camera: Any, by_point: Any, seen: Any
) -> Any:
    """An observation as a function of its own, mapped."""
    import tapegrad as tg

    def one(camera: Any, point: Any, weight: Any, seen: Any) -> Any:
        axis_angle, centre, focal = camera[:3], camera[3:6], camera[6]
        angle = np.sqrt(np.sum(axis_angle**2))
        axis, offset = axis_angle / angle, point - centre
        turned = offset * np.cos(angle) + np.cross(axis, offset) * np.sin(angle)
        turned = turned + axis * (axis @ offset) * (1 - np.cos(angle))
        flat = turned[:2] / turned[2]
        square = flat @ flat
        flat = flat * (1 + camera[9] * square + camera[10] * square**2)
        error = weight * (flat * focal + camera[7:9] - seen)
        return np.sum(error**2) + (1 - weight**2) ** 2

    return np.sum(tg.vmap(one)(cameras[by_camera], points[by_point], weights, seen))


def _adjustment_columns(
    cameras: Any, points: Any, weights: Any, by_camera: Any, by_point: Any, seen: Any
) -> Any:
    """Every coordinate as an array of its own."""
    a, b, c, u, v, w, focal, p, q, first, second = cameras[by_camera].T
    x, y, z = points[by_point].T
    angle = np.sqrt(a * a + b * b + c * c)
    a, b, c, x, y, z = a / angle, b / angle, c / angle, x - u, y - v, z - w
    cosine, sine = np.cos(angle), np.sin(angle)
    along = (a * x + b * y + c * z) * (1 - cosine)
    depth = z * cosine + (a * y - b * x) * sine + c * along
    right = (x * cosine + (b * z - c * y) * sine + a * along) / depth
    down = (y * cosine + (c * x - a * z) * sine + b * along) / depth
    square = right**2 + down**2
    scale = focal * (1 + first * square + second * square**2)
    errors = (right * scale + p - seen[:, 0]) ** 2 + (down * scale + q - seen[:, 1]) ** 2
    return np.sum(weights**2 * errors) + np.sum((1 - weights**2) ** 2)


def _adjustment_jax(
    jax: Any, cameras: Any, points: Any, weights: Any, by_camera: Any, by_point: Any, seen: Any
) -> Any:
    jnp = jax.numpy
    errors, of_weights = ba._errors(jnp, cameras[by_camera], points[by_point], weights, seen)
    return jnp.sum(errors**2) + jnp.sum(of_weights**2)


# A chain of bones that turns and carries a skin, as in hand tracking.

BONES = 6


def _skin_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    skin = np.concatenate((rng.normal(size=(n, 3)), np.ones((n, 1))), axis=1)
    weights = rng.dirichlet(np.ones(BONES), n)
    return 0.3 * rng.normal(size=BONES), skin, weights, rng.normal(size=(n, 3))


def _frames(angles: Any) -> Any:
    """(4, 4) each: a turn about z and a step along x, after the bone before."""
    frames, now = [], np.eye(4)
    for k in range(BONES):
        c, s = np.cos(angles[k]), np.sin(angles[k])
        turn = [[c, -s, 0.0, 1.0], [s, c, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
        now = now @ np.array(turn)
        frames.append(now)
    return frames


def _skin_batched(angles: Any, skin: Any, weights: Any, goal: Any) -> Any:
    placed = skin @ np.swapaxes(np.stack(_frames(angles)), 1, 2)  # bones, vertices, 4
    return np.sum((np.sum(weights.T[:, :, None] * placed, axis=0)[:, :3] - goal) ** 2)


def _skin_bones(angles: Any, skin: Any, weights: Any, goal: Any) -> Any:
    """A bone at a time."""
    placed = np.zeros(goal.shape)
    for k, frame in enumerate(_frames(angles)):
        placed = placed + weights[:, k : k + 1] * (skin @ frame[:3].T)
    return np.sum((placed - goal) ** 2)


def _skin_blended(angles: Any, skin: Any, weights: Any, goal: Any) -> Any:
    """Frames are blended for each vertex first."""
    blended = np.tensordot(weights, np.array(_frames(angles)), axes=1)
    return np.sum((np.einsum("nij,nj->ni", blended, skin)[:, :3] - goal) ** 2)


def _skin_jax(jax: Any, angles: Any, skin: Any, weights: Any, goal: Any) -> Any:
    jnp, now, frames = jax.numpy, jax.numpy.eye(4), []
    for k in range(BONES):
        c, s = jnp.cos(angles[k]), jnp.sin(angles[k])
        turn = [[c, -s, 0.0, 1.0], [s, c, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
        now = now @ jnp.array(turn)
        frames.append(now)
    placed = skin @ jnp.swapaxes(jnp.stack(frames), 1, 2)
    return jnp.sum((jnp.sum(weights.T[:, :, None] * placed, axis=0)[:, :3] - goal) ** 2)


MODELS = [
    Model("mixture", _mixture_data, (
        Spelling("whitened, batched", _mixture_whitened),
        Spelling("a component at a time", _mixture_components),
        Spelling("index arrays and einsum", _mixture_einsum),
    ), sizes=(10, 3000), usual=300, wrt=(0, 1, 2), jax=_mixture_jax),
    Model("adjustment", _adjustment_data, (
        Spelling("rows gathered", _adjustment_gathered),
        Spelling("mapped", _adjustment_mapped),
        Spelling("columns", _adjustment_columns),
    ), sizes=(20, 10_000), usual=1000, wrt=(0, 1, 2), jax=_adjustment_jax),
    Model("skin", _skin_data, (
        Spelling("batched", _skin_batched),
        Spelling("a bone at a time", _skin_bones),
        Spelling("frames blended", _skin_blended),
    ), sizes=(10, 5000), usual=500, jax=_skin_jax),
]  # fmt: skip
