"""Models of many points with few numbers each: compiled, they run as kernels over the points."""

import re
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tapegrad as tg

# Each takes the points' array u, of shape (n, rows, columns) in any memory order, and parameters.
STEPS = {
    "matmul": lambda u, p: u @ p["w"][: u.shape[2]],
    "stacked": lambda u, p: np.swapaxes(u, 1, 2) @ (u @ p["w"][: u.shape[2]]),
    "einsum": lambda u, p: np.einsum("nij,jk->nik", u, p["w"][: u.shape[2]]),
    "gram": lambda u, p: np.einsum("nij,nkj->nik", u, u),
    "bias": lambda u, p: u + p["b"][: u.shape[2]],
    "centers": lambda u, p: (u[:, :, None, :] - p["m"][:, : u.shape[2]])[:, :, 0] * 0.5,
    "distances": lambda u, p: np.sum((u[:, :, None, :] - p["m"][:, : u.shape[2]]) ** 2, axis=3),
    "square": lambda u, p: u * u / (1.0 + u.shape[1]),
    "tanh": lambda u, p: np.tanh(u),
    "bell": lambda u, p: np.exp(-u * u),
    "softmax": lambda u, p: _softmax(u),
    "largest": lambda u, p: u - 0.5 * np.max(u, axis=1, keepdims=True),
    "mean": lambda u, p: u - np.mean(u, axis=2, keepdims=True),
    "masked": lambda u, p: np.where(u > 0.1, u, p["b"][0] * u),
    "slice": lambda u, p: u[:, ::-1, : max(1, u.shape[2] - 1)],
    "pick": lambda u, p: u[:, :, [0, u.shape[2] - 1, 0]],
    "join": lambda u, p: np.concatenate([u, np.sin(u[:, :, :1])], axis=2),
    "stack": lambda u, p: np.stack([u[:, 0], u[:, -1] * p["b"][1]], axis=1),
    "turn": lambda u, p: np.swapaxes(u, 1, 2),
    "flat": lambda u, p: np.reshape(u, (u.shape[0], 1, -1)),
    "triangle": lambda u, p: u @ np.tril(p["w"])[: u.shape[2]],
    "running": lambda u, p: np.cumsum(u, axis=2),
    "whiten": lambda u, p: u - np.mean(u, axis=0),
    "share": lambda u, p: u / (1.0 + np.sum(u * u, axis=0)),
    "shift": lambda u, p: u[::-1],
    "logsumexp": lambda u, p: u - np.logaddexp.reduce(u, axis=2, keepdims=True),
    "vector": lambda u, p: u * p["y"][:, None, None],
    "ramp": lambda u, p: u * np.linspace(0.5, 1.5, u.shape[0])[:, None, None],
    "each": lambda u, p: np.where(np.arange(u.shape[0])[:, None, None] % 3 == 0, u, -u),
}
ENDS = {
    "sum": lambda u, p: np.sum(u),
    "mean": lambda u, p: np.mean(u * u),
    "vector": lambda u, p: np.sum(p["y"] * np.sum(u, axis=(1, 2))),
    "logs": lambda u, p: np.sum(np.log(1.0 + np.sum(u * u, axis=(1, 2)))),
}
MODEL = st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=6)


def _softmax(u):
    e = np.exp(u - np.max(u, axis=2, keepdims=True))
    return e / np.sum(e, axis=2, keepdims=True)


def model_of(steps, end, place, last=lambda u: u):
    def model(x, p):
        u = np.moveaxis(x, place, 0)
        for name in steps:
            u = STEPS[name](u[:, :6, :6], p)
        return ENDS[end](last(u), p)

    return model


def data_of(n, place, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    shape = [3, 4]
    shape.insert(place, n)
    p = {"w": (6, 4), "b": (6,), "m": (5, 6), "y": (n,)}
    return (
        rng.normal(size=shape).astype(dtype),
        {k: rng.normal(size=s).astype(dtype) for k, s in p.items()},
    )


def leaves(found):
    value, (by_x, by_p) = found
    return [value, by_x, *(by_p[k] for k in sorted(by_p))]


def check(f, x, p, tolerance=1e-11, passes=None, terms=0.0):
    """Compiled and plain agree; the kernels over many points that were made.

    They may differ by ten times what the last bit of each point makes of the plain result, and
    values by some last bits of the sum of `terms`, the sizes of what is added up: where the mean
    was taken off before, the sum is zero but for rounding.
    """
    both = tg.value_and_grad(f, (0, 1))
    compiled = tg.compile(both, passes=passes)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # falling back is allowed, being wrong is not
        expected = leaves(both(x, p))
        moved = leaves(both(np.nextafter(x, x.dtype.type(0)), p))
        for _ in range(3):
            found = leaves(compiled(x, p))
    rounding = 8 * np.finfo(np.float64).eps * (terms if np.isfinite(terms) else 0.0)
    for k, (a, b, c) in enumerate(zip(found, expected, moved, strict=True)):
        assert np.shape(a) == np.shape(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
        b = np.asarray(b, np.float64)
        finite = np.isfinite(b) & np.isfinite(np.asarray(c))
        scale = np.abs(b[finite]).max(initial=1.0)
        noise = np.abs(np.asarray(c)[finite] - b[finite]).max(initial=0.0) if tolerance else 0.0
        atol = tolerance * scale + 10 * noise + (rounding if k == 0 else 0.0)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=atol)
    return kernels(compiled)


def kernels(compiled):
    """Lengths of the kernels over one axis."""
    programs = compiled.inspect().signatures[0].programs
    text = programs[0].text if programs else ""
    return [(int(k), int(n)) for k, n in re.findall(r"kernel of (\d+) over \((\d+),\)", text)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MODEL, st.sampled_from(sorted(ENDS)), st.integers(0, 2), st.sampled_from([701, 1024]))
def test_random_models(steps, end, place, n):
    x, p = data_of(n, place)
    with np.errstate(all="ignore"):
        terms = model_of(steps, end, place, np.abs)(x, p)
    check(model_of(steps, end, place), x, p, terms=terms if end == "sum" else 0.0)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    "steps",
    [["distances", "ramp", "softmax"], ["stacked", "largest", "masked"], ["triangle", "logsumexp"],
     ["gram", "turn", "join", "pick"], ["gram", "share", "stacked", "softmax"]],
)  # fmt: skip
def test_models_become_kernels(steps, place):
    model = model_of(steps, "logs", place)
    found = check(model, *data_of(4001, place))
    assert max(found)[0] > 20
    assert max(found)[1] == 4001
    plain = check(model, *data_of(4001, place), passes={"batch": False}, tolerance=0)
    assert not plain or max(plain)[0] < 20


@pytest.mark.parametrize("n", [1, 2, 3, 255, 257])
def test_few_points(n):
    check(model_of(["distances", "softmax", "matmul"], "sum", 0), *data_of(n, 0))


def test_no_points():
    x, p = data_of(0, 0)
    assert check(model_of(["distances", "tanh"], "sum", 0), x, p) == []


def test_float32():
    x, p = data_of(4000, 0, np.float32)
    found = check(model_of(["distances", "softmax"], "logs", 0), x, p, tolerance=2e-4)
    assert max(found)[0] > 20


def test_strided_points():
    x, p = data_of(8000, 2)
    p["y"] = p["y"][::2]
    model = model_of(["distances", "softmax"], "logs", 2)
    assert max(check(model, x[:, ::-1, ::2], p))[0] > 20
    assert max(check(model, np.broadcast_to(x[:, :, :1], (3, 4, 4000)), p))[0] > 20


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number(bad):
    x, p = data_of(3000, 0)
    x[17, 1, 2] = bad
    x[18, 0] = bad
    x[19] = x[19, :1, :1]  # ties
    for steps in (["largest", "triangle"], ["logsumexp", "matmul"], ["distances", "softmax"]):
        for end in ("sum", "logs"):
            assert max(check(model_of(steps, end, 0), x, p))[0] > 20


def test_values_for_each_point_are_returned():
    x, p = data_of(3001, 1)
    model = model_of(["distances", "softmax"], "sum", 1)

    def f(x, p):
        u = np.moveaxis(x, 1, 0)
        shares = _softmax(STEPS["distances"](u, p))
        return shares, np.sum(shares, axis=2) > 0.5, np.swapaxes(shares, 0, 2), model(x, p)

    compiled = tg.compile(f)
    for _ in range(3):
        found = compiled(x, p)
    assert max(kernels(compiled))[0] > 20
    for a, b in zip(found, f(x, p), strict=True):
        assert np.shape(a) == np.shape(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)


def test_large_products_stay():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2000, 64)), rng.normal(size=(64, 64))
    compiled = tg.compile(tg.grad(lambda w, x: np.sum(np.tanh(x @ w))))
    for _ in range(3):
        compiled(w, x)
    assert "matmul" in compiled.inspect().signatures[0].programs[0].text


def test_bits_do_not_depend_on_the_threads():
    x, p = data_of(5003, 0)
    compiled = tg.compile(tg.value_and_grad(model_of(["distances", "softmax"], "logs", 0), (0, 1)))
    for _ in range(3):
        compiled(x, p)
    before = tg.get_num_threads()
    found = []
    for threads in (1, 2, 3):
        tg.set_num_threads(threads)
        found.append(leaves(compiled(x, p)))
    tg.set_num_threads(before)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            assert np.array_equal(a, b)


def test_rows_that_are_stacked_are_written_by_the_kernel():
    def turn(angle, point):
        c, s = np.cos(angle[0]), np.sin(angle[0])
        return np.stack([c * point[0] - s * point[1], s * point[0] + angle[1] * point[1]])

    jacobians = tg.vmap(tg.jacobian(turn, (0, 1)))
    compiled = tg.compile(jacobians)
    rng = np.random.default_rng(5)
    angles, points = rng.normal(size=(20000, 2)), rng.normal(size=(20000, 2))
    for _ in range(4):
        for got, want in zip(compiled(angles, points), jacobians(angles, points), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-13)
    assert compiled.inspect().signatures[0].programs[0].n_steps <= 2


PRODUCTS = {
    "matmul": lambda x, w: x @ w.T,
    "einsum": lambda x, w: np.einsum("nj,kj->nk", x, w),
    "dot": lambda x, w: np.dot(x, w.T),
    "sum": lambda x, w: (x[:, None] * w).sum(-1),
    "tensordot": lambda x, w: np.tensordot(x, w, axes=(1, 1)),
    "stacked": lambda x, w: (w @ x[:, :, None])[:, :, 0],
    "distances": lambda x, w: ((x[:, None] - w) ** 2).sum(-1),
    "triangle": lambda x, w: x @ np.tril(w @ w.T)[: x.shape[1], : x.shape[1]],
    "squares": lambda x, w: np.sum((x @ w.T) ** 2, axis=1, keepdims=True),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", PRODUCTS)
def test_spellings_of_products(name, dtype):
    rng = np.random.default_rng(7)
    x, w = rng.normal(size=(1003, 9)).astype(dtype), rng.normal(size=(11, 9)).astype(dtype)

    def model(x, p):
        y = PRODUCTS[name](x, p)
        y = y - np.max(y, axis=1, keepdims=True)
        return np.sum(np.log(np.sum(np.exp(y), axis=1) + np.sum(y * y, axis=1)))

    both = tg.value_and_grad(model, (0, 1))
    compiled = tg.compile(both)
    want, slopes = both(x, w)
    for _ in range(3):
        value, found = compiled(x, w)
    tolerance = 1e-11 if dtype == np.float64 else 2e-4
    assert found[0].dtype == dtype
    for a, b in zip([value, *found], [want, *slopes], strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * np.abs(b).max())
    assert kernels(compiled)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_joined_results_are_written_by_the_kernel(dtype):
    def errors(angle, point):
        c, s = np.cos(angle[0]), np.sin(angle[0])
        return np.stack([c * point[0] - s * point[1], s * point[0] + angle[1] * point[1]])

    def values(angles, points):
        by_angle, by_point = tg.vmap(tg.jacobian(errors, (0, 1)))(angles, points)
        blocks = np.concatenate([by_angle, by_point], axis=2)
        return np.concatenate([np.ravel(blocks), np.ravel(by_point)])

    compiled = tg.compile(values)
    rng = np.random.default_rng(5)
    for n in (3000, 3000, 3000, 5001, 5001, 5001):
        angles = rng.normal(size=(n, 2)).astype(dtype)
        points = rng.normal(size=(n, 2)).astype(dtype)
        found = compiled(angles, points)
        assert found.dtype == dtype
        tolerance = 1e-13 if dtype == np.float64 else 1e-5
        np.testing.assert_allclose(found, values(angles, points), rtol=tolerance, atol=tolerance)
        kept = found.copy()
        compiled(points, angles)
        assert np.array_equal(found, kept)  # the next run has a result of its own
    assert "concatenate" not in compiled.inspect().signatures[0].programs[0].text
