"""GradBench's evals, their smallest cases through the protocol, against other formulas.

GradBench's own evals judge them too (see benchmarks/README.md), but need a checkout.
"""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from gradbench_messages import RUNS, asked

brentq = pytest.importorskip("scipy.optimize").brentq
Rotation = pytest.importorskip("scipy.spatial.transform").Rotation
multigammaln = pytest.importorskip("scipy.special").multigammaln

ROOT = Path(__file__).parents[2]
MODES = ("ff", "fr", "rf", "rr")


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def output(module, function, **values):
    answer = asked(module, function, values | RUNS)
    assert answer["success"], answer["error"]
    assert [timing["name"] for timing in answer["timings"]] == ["evaluate"] * 4
    assert all(timing["nanoseconds"] > 0 for timing in answer["timings"])
    return answer["output"]


def differences(f, x, step=1e-5):
    """df / dx by central differences: the axes of f's result, then those of x."""
    x = np.array(x, dtype=float)
    slopes = np.empty((*np.shape(f(x.tolist())), *x.shape))
    for place in np.ndindex(x.shape):
        shift = np.zeros_like(x)
        shift[place] = step
        there, back = (np.asarray(f((x + sign * shift).tolist())) for sign in (1, -1))
        slopes[(..., *place)] = (there - back) / (2 * step)
    return slopes


def close(found, wanted, tolerance=1e-10):
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def test_hello():
    answer = asked("hello", "square", 3.0)
    assert answer["output"] == 9.0
    assert len(answer["timings"]) == 1
    assert asked("hello", "double", 3)["output"] == 6.0


def test_lse():
    x = np.random.default_rng(1).normal(size=9)
    close(output("lse", "primal", x=x.tolist()), np.log(np.sum(np.exp(x))))
    close(output("lse", "gradient", x=x.tolist()), np.exp(x) / np.sum(np.exp(x)))
    close(output("lse", "gradient", x=[1000.0, 1000.0]), [0.5, 0.5])


def test_llsq():
    n, x = 5, np.random.default_rng(2).normal(size=4)
    t = -1.0 + 2.0 * np.arange(n) / (n - 1)
    powers = np.stack([t**j for j in range(4)], axis=1)
    missed = powers @ x - np.sign(t)
    close(output("llsq", "primal", x=x.tolist(), n=n), missed @ missed / 2)
    close(output("llsq", "gradient", x=x.tolist(), n=n), powers.T @ missed)


@pytest.mark.parametrize("s", [1, 3])
def test_ode(s):
    # A polynomial of fourth order, which the method integrates without an error.
    x = np.array([0.5, -1.5, 2.0, 0.75])
    wanted = np.cumprod(x) * [2.0 ** (i + 1) / math.factorial(i + 1) for i in range(4)]
    close(output("ode", "primal", x=x.tolist(), s=s), wanted)
    close(output("ode", "gradient", x=x.tolist(), s=s), wanted[-1] / x)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_det(size):
    A = np.random.default_rng(3).normal(size=(size, size))
    values = {"A": A.ravel().tolist(), "ell": size}
    close(output("det", "primal", **values), np.linalg.det(A))
    cofactors = np.linalg.det(A) * np.linalg.inv(A).T
    close(output("det", "gradient", **values), cofactors.ravel())


def test_det_needs_no_inverse():
    A = np.outer([1.0, 2.0, 3.0], [1.0, 1.0, 2.0]) + np.diag([0.0, 1.0, 0.0])
    gradient = np.reshape(output("det", "gradient", A=A.ravel().tolist(), ell=3), (3, 3))
    assert np.linalg.matrix_rank(A) == 2
    close(gradient, differences(np.linalg.det, A), 1e-8)


def test_kmeans():
    points = np.random.default_rng(4).normal(size=(12, 2))
    centroids = points[:3]
    distances = np.sum((points[:, None] - centroids) ** 2, axis=2)
    nearest = np.argmin(distances, axis=1)
    means = np.array([points[nearest == k].mean(axis=0) for k in range(3)])
    values = {"points": points.tolist(), "centroids": centroids.tolist()}
    close(output("kmeans", "cost", **values), np.sum(distances.min(axis=1)))
    close(output("kmeans", "dir", **values), centroids - means)


def mixture(d, k, n):
    rng = np.random.default_rng(5)
    shapes = {"alpha": k, "mu": (k, d), "q": (k, d), "l": (k, d * (d - 1) // 2), "x": (n, d)}
    arrays = {name: (0.5 * rng.normal(size=shape)).tolist() for name, shape in shapes.items()}
    return {"d": d, "k": k, "n": n, "m": 2, "gamma": 1.5, **arrays}


def density(d, k, n, m, gamma, alpha, mu, q, l, x):  # noqa: E741 -- the eval's names
    """The logarithm of the posterior by the definitions of its factors."""
    shares = np.exp(alpha) / np.sum(np.exp(alpha))
    precisions = []
    for diagonal, below in zip(q, l, strict=True):
        Q, rest = np.diag(np.exp(diagonal)), iter(below)
        for j in range(d):
            for i in range(j + 1, d):
                Q[i, j] = next(rest)
        precisions.append(Q.T @ Q)
    total, freedom = 0.0, d + m + 1
    for point in x:
        factors = []
        for share, mean, precision in zip(shares, mu, precisions, strict=True):
            off = np.subtract(point, mean)
            scale = np.sqrt(np.linalg.det(precision) / (2 * np.pi) ** d)
            factors.append(share * scale * np.exp(-off @ precision @ off / 2))
        total += np.log(np.sum(factors))
    for precision in precisions:
        total += (freedom - d - 1) / 2 * np.log(np.linalg.det(precision))
        total -= gamma**2 * np.trace(precision) / 2
        total -= freedom * d / 2 * np.log(2) - freedom * d * np.log(gamma)
        total -= multigammaln(freedom / 2, d)
    return total


@pytest.mark.parametrize("d", [1, 3])
def test_gmm(d):
    values = mixture(d, k=2, n=4)
    close(output("gmm", "objective", **values), density(**values))
    found = output("gmm", "jacobian", **values)
    assert list(found) == ["alpha", "mu", "q", "l"]
    for name, gradient in found.items():
        slopes = differences(lambda x, name=name: density(**{**values, name: x}), values[name])
        close(gradient, slopes, 1e-7)


def network_loss(main_params, extra_params, state, sequence):
    """Cell by cell: the weights are diagonal, only the loss sees several bits."""
    bits, layers = len(sequence[0]), len(main_params) // 2
    hidden, cell = np.array(state[::2]), np.array(state[1::2])
    total = 0.0
    for now, after in itertools.pairwise(sequence):
        predicted = np.empty(bits)
        for i in range(bits):
            x = now[i] * extra_params[0][i]
            for k in range(layers):
                w = [main_params[2 * k][g * bits + i] for g in range(4)]
                b = [main_params[2 * k + 1][g * bits + i] for g in range(4)]
                drive = [x, hidden[k, i], x, hidden[k, i]]
                sums = [w[g] * drive[g] + b[g] for g in range(4)]
                forget, take, give = (1 / (1 + math.exp(-sums[g])) for g in range(3))
                cell[k, i] = cell[k, i] * forget + take * math.tanh(sums[3])
                x = hidden[k, i] = give * math.tanh(cell[k, i])
            predicted[i] = x * extra_params[1][i] + extra_params[2][i]
        scaled = predicted - np.log(np.sum(np.exp(predicted)) + 2)
        total += np.dot(after, scaled)
    return -total / (bits * (len(sequence) - 1))


def test_lstm():
    rng = np.random.default_rng(6)
    shapes = {"main_params": (4, 12), "extra_params": (3, 3), "state": (4, 3)}
    values = {name: rng.uniform(size=shape).tolist() for name, shape in shapes.items()}
    values["sequence"] = rng.integers(0, 2, (6, 3)).astype(float).tolist()
    close(output("lstm", "objective", **values), network_loss(**values))
    slopes = [
        differences(lambda x, name=name: network_loss(**{**values, name: x}), values[name]).ravel()
        for name in ("main_params", "extra_params")
    ]
    close(output("lstm", "jacobian", **values), np.concatenate(slopes), 1e-8)


def projected(cam, x):
    turned = Rotation.from_rotvec(cam[:3]).apply(np.subtract(x, cam[3:6]))
    flat = turned[:2] / turned[2]
    square = flat @ flat
    return flat * (1 + cam[9] * square + cam[10] * square**2) * cam[6] + cam[7:9]


@pytest.mark.parametrize("turn", [[0.1, -0.2, 0.3], [0.0, 0.0, 0.0]])
def test_ba(turn):
    cam = np.array([*turn, 0.2, 0.1, -5.0, 1.5, 0.4, -0.3, 0.05, -0.01])
    x, w, feat = np.array([0.3, -0.6, 0.8]), 0.7, np.array([0.1, 0.2])
    n, m, p = 2, 3, 7
    values = {"n": n, "m": m, "p": p, "cam": cam.tolist(), "x": x.tolist(), "w": w}
    values["feat"] = feat.tolist()
    found = output("ba", "objective", **values)
    assert found["reproj_error"]["repeated"] == found["w_err"]["repeated"] == p
    close(found["reproj_error"]["elements"], w * (projected(cam, x) - feat))
    close(found["w_err"]["element"], 1 - w**2)

    by_camera = differences(lambda cam: w * projected(cam, x), cam)
    by_point = differences(lambda x: w * projected(cam, x), x)
    by_weight = projected(cam, x) - feat
    rows = [[*by_camera[k], *by_point[k], by_weight[k]] for k in range(2)]
    found = output("ba", "jacobian", **values)
    close(found["vals"], [*rows[0], *rows[1], -2 * w], 1e-8)
    columns = [*range(11), *range(11 * n, 11 * n + 3), 11 * n + 3 * m]
    assert found["cols"] == [*columns, *columns, 11 * n + 3 * m + p - 1]
    starts = [*range(0, 2 * 15 * p, 15), *range(2 * 15 * p, 2 * 15 * p + p + 1)]
    assert found["rows"] == [*starts[:30], starts[-1]]


def hand(within):
    """Bones in a chain of random frames; at rest, its vertices are where they are drawn."""
    rng = np.random.default_rng(8)
    bones, count, seen = 22, 9, 4
    relatives = np.tile(np.eye(4), (bones, 1, 1))
    relatives[:, :3, :3] = Rotation.random(bones, random_state=9).as_matrix()
    relatives[:, :3, 3] = rng.normal(size=(bones, 3))
    parents = [-1, *range(bones - 1)]
    frames = []
    for bone, parent in enumerate(parents):
        frames.append(relatives[bone] if parent < 0 else frames[parent] @ relatives[bone])
    weights = rng.uniform(size=(count, bones))
    model = {
        "bone_count": bones, "bone_names": [f"bone {k}" for k in range(bones)],
        "parents": parents, "base_relatives": relatives.tolist(),
        "inverse_base_absolutes": np.linalg.inv(frames).tolist(),
        "base_positions": np.hstack([rng.normal(size=(count, 3)), np.ones((count, 1))]).tolist(),
        "weights": (weights / weights.sum(axis=1, keepdims=True)).tolist(),
        "triangles": [[0, 1, 2], [3, 4, 5], [6, 7, 8]], "is_mirrored": False,
    }  # fmt: skip
    correspondences = [2, 0, 1, 0] if within else [7, 3, 0, 8]
    points = rng.normal(size=(seen, 3)).tolist()
    us = rng.uniform(size=(seen, 2)).tolist() if within else []
    data = {"model": model, "correspondences": correspondences, "points": points}
    return {"theta": (0.3 * rng.normal(size=26)).tolist(), "data": data, "us": us}


def test_ht_at_rest():
    values = hand(within=False)
    shift = [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]
    values["theta"] = [*shift, *[0.0] * 20]
    data = values["data"]
    at_rest = np.array(data["model"]["base_positions"])[data["correspondences"], :3]
    found = output("ht", "objective", **values)
    close(np.reshape(found, (-1, 3)), data["points"] - at_rest - shift[3:])
    data["model"]["is_mirrored"] = True
    found = output("ht", "objective", **values)
    close(np.reshape(found, (-1, 3)), data["points"] - at_rest * [-1, 1, 1] - shift[3:])


def test_ht_turns_as_a_whole():
    values = hand(within=True)
    turn = Rotation.from_rotvec([0.3, -0.2, 0.4])
    values["theta"] = [*turn.as_rotvec(), *[0.0] * 23]
    data = values["data"]
    corners = np.array(data["model"]["triangles"])[data["correspondences"]]
    vertices = np.array(data["model"]["base_positions"])[:, :3]
    shares = np.array([[u, v, 1 - u - v] for u, v in values["us"]])
    on_hand = np.einsum("pc,pcj->pj", shares, vertices[corners])
    found = np.reshape(output("ht", "objective", **values), (-1, 3))
    close(found, data["points"] - turn.apply(on_hand))


@pytest.mark.parametrize("within", [False, True])
def test_ht_jacobian(within):
    values = hand(within)

    def errors(**changed):
        return asked("ht", "objective", {**values, **changed, "min_runs": 1, "min_seconds": 0})[
            "output"
        ]

    by_theta = differences(lambda theta: errors(theta=theta), values["theta"])
    found = np.array(output("ht", "jacobian", **values))
    close(found[:, -26:], by_theta, 1e-7)
    assert np.all(np.any(by_theta != 0, axis=0))  # every parameter moves something
    assert found.shape == (12, 28 if within else 26)
    if within:
        by_us = differences(lambda us: errors(us=us), values["us"])  # (errors, points, 2)
        own = by_us[np.arange(12), np.arange(12) // 3]
        close(found[:, :2], own, 1e-7)
        assert np.count_nonzero(by_us) == np.count_nonzero(own)


def crossing(w):
    """Where the particle meets the axis, with the force written down by hand."""
    charges = np.array([[10.0, 10.0 - w], [10.0, 0.0]])
    x, velocity = np.array([0.0, 8.0]), np.array([0.75, 0.0])
    while True:
        away = x - charges
        force = np.sum(away / np.linalg.norm(away, axis=1)[:, None] ** 3, axis=0)
        x = x + 0.1 * velocity
        if x[1] <= 0:
            return x[0] - x[1] / velocity[1] * velocity[0]
        velocity = velocity + 0.1 * force


@pytest.mark.parametrize("mode", MODES)
def test_particle(mode):
    answer = asked("particle", mode, {"w": 0.0, "min_runs": 1, "min_seconds": 0})
    assert answer["success"], answer["error"]
    close(answer["output"], brentq(crossing, -1.0, 1.0), 1e-4)


@pytest.mark.parametrize("mode", MODES)
def test_saddle(mode):
    values = {"start": [0.5, -0.25], "min_runs": 1, "min_seconds": 0}
    answer = asked("saddle", mode, values)
    assert answer["success"], answer["error"]
    close(answer["output"], np.zeros(4), 2e-5)


def test_the_descent_stops_as_specified():
    from benchmarks.gradbench.descent import argmax, argmin

    steps = []

    def slope(x):
        steps.append(x[0])
        return 2 * x

    end = argmin(lambda x: np.sum(x**2), slope, np.array([1.0]))
    assert 0 < end[0] < 1e-4
    falls = -np.diff(steps)
    # ten steps of 1e-5 along the slope, ten of twice that, and so on
    close(falls[:20], np.repeat([1e-5, 2e-5], 10) * 2 * steps[:20])
    assert argmin(lambda x: np.sum(x**2), slope, np.zeros(1)) == 0
    above = argmax(lambda x: -np.sum(x**2), lambda x: -2 * x, np.array([1.0]))
    assert above == end


def test_letters_are_modes(monkeypatch):
    from benchmarks.gradbench.modes import GRADIENTS

    import tapegrad as tg

    def f(x):
        return x[0] * x[1] ** 2

    x = np.array([3.0, 5.0])
    for gradient in GRADIENTS.values():
        close(gradient(f)(x), [25.0, 30.0])
    monkeypatch.setattr(tg, "jvp", None)
    assert GRADIENTS["r"](f)(x)[0] == 25.0
    with pytest.raises(TypeError):
        GRADIENTS["f"](f)(x)
