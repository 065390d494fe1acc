"""np.interp, np.gradient and np.unwrap on Variables."""

import numpy as np
import pytest
from agreement import agrees, assert_equal_parts

import tapegrad as tg

RNG = np.random.default_rng(0)
XP, FP = np.sort(RNG.uniform(0, 5, 6)), RNG.normal(size=6)
AT = [RNG.uniform(-0.5, 5.5, 7) for _ in range(4)]


def curves(n=6):
    return [(x, np.sort(RNG.uniform(0, 5, n)), RNG.normal(size=n)) for x in AT]


@pytest.mark.parametrize(
    ("f", "calls"),
    [
        (lambda x: np.interp(x, XP, FP), [(x,) for x in AT]),
        (np.interp, curves()),
        (lambda x, xp, fp: np.interp(x, xp, fp, period=3.0), curves()),
        (
            lambda x, xp, fp, p: np.interp(x, xp[::-1], fp, period=p),
            [(*c, 2.5 + k / 8) for k, c in enumerate(curves())],
        ),
        (
            lambda x, y: np.interp(x, XP, FP, left=y, right=y * y),
            [(x, y) for x, y in zip(AT, (0.5, 1.0, -2.0, 3.0), strict=True)],
        ),
        (
            lambda fp: np.interp([[0.0, 2.0], [XP[2], XP[-1]]], XP, fp),
            [(c[2],) for c in curves()],
        ),
        (lambda x: np.interp(x, [1.0], [2.0]), [(np.array([0.0, 3.0]),)] * 2),
        (lambda x: np.interp(x, XP, FP), [(1.25,), (2.25,)]),
    ],
)
def test_interp(f, calls):
    agrees(f, calls)


@pytest.mark.parametrize(
    ("xp", "fp"),
    [
        (XP, FP),
        ([-np.inf, 0, 1, 1, np.inf], [1, 1, 2, 3, np.inf]),
        ([0, 1, 1], [1, 2, 5]),
        ([0, 1, 2], [1, np.nan, 5]),
        ([0, 1, 2], [1, np.inf, np.inf]),
    ],
)
def test_interp_at_points_and_of_what_is_not_finite(xp, fp):
    x = np.array([np.nan, -np.inf, np.inf, -3.0, 0.0, 0.5, 1.0, 1.5, 2.0, *XP])
    assert_equal_parts(np.interp(tg.Variable(x), xp, fp), np.interp(x, xp, fp), 1e-15)
    assert_equal_parts(tg.compile(lambda x: np.interp(x, xp, fp))(x), np.interp(x, xp, fp), 1e-15)


def test_interp_has_the_derivative_of_the_piece_to_the_right():
    slopes = np.diff(FP) / np.diff(XP)
    found = tg.elementwise_grad(lambda x: np.interp(x, XP, FP))(np.array([*XP, XP[0] - 1, 9.0]))
    np.testing.assert_allclose(found, [*slopes, slopes[-1], 0.0, 0.0])


def test_interp_is_of_double_precision_as_numpys_is():
    x, fp = AT[0].astype("f4"), FP.astype("f4")
    found = np.interp(tg.Variable(x), XP, tg.Variable(fp))
    assert_equal_parts(found, np.interp(x, XP, fp), 1e-15)


def test_a_captured_table_that_changes_is_followed(tmp_path):
    path = tmp_path / "of_users.py"
    path.write_text("def f(w):\n    return np.interp(P * w, T, Y) + np.interp(P, T, Y * w)\n")
    names = {"np": np, "T": XP.copy(), "Y": FP.copy(), "P": AT[0].copy()}
    exec(compile(path.read_text(), str(path), "exec"), names)
    compiled = tg.compile(names["f"])
    for k in range(8):
        names["T"] += (k > 2) * 0.25
        names["Y"] *= 1 + (k > 3)
        names["P"] -= (k > 5) * 0.5
        np.testing.assert_allclose(compiled(1.5), names["f"](1.5), rtol=1e-13)


PLANES = [RNG.normal(size=(4, 5)) for _ in range(3)]


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize(
    ("f", "calls"),
    [
        (lambda m, **o: np.gradient(m, **o), [(m,) for m in PLANES]),
        (lambda m, **o: np.gradient(m, 0.5, axis=1, **o), [(m,) for m in PLANES]),
        (lambda m, **o: np.gradient(m, 2, [0.0, 1, 1.5, 3, 4], **o), [(m,) for m in PLANES]),
        (lambda m, **o: np.gradient(m, [0, 2, 4, 6], axis=-2, **o), [(m,) for m in PLANES]),
        (
            lambda m, x, **o: np.gradient(m, x, axis=-1, **o),
            [(m, np.cumsum(np.exp(m[0]))) for m in PLANES],
        ),
        (
            lambda m, h, **o: np.gradient(m, h, axis=(1, 0), **o),
            [(m, 1.0 + k) for k, m in enumerate(PLANES)],
        ),
        (lambda x, **o: np.gradient([1, 2, 4, 7, 3], x, **o), [(np.exp(m[0]),) for m in PLANES]),
        (lambda x, **o: np.gradient(x, x * x, **o), [(np.arange(3.0) + k,) for k in (1, 2, 3)]),
    ],
)
def test_gradient(f, calls, edge_order):
    agrees(lambda *args: f(*args, edge_order=edge_order), calls, rtol=1e-12)


@pytest.mark.parametrize(
    ("f", "calls"),
    [
        (np.unwrap, [(5 * m[0],) for m in PLANES]),
        (lambda p: np.unwrap(p, 2.0, 0, period=3.0), [(5 * m,) for m in PLANES]),
        (lambda p, t: np.unwrap(p, period=t), [(5 * m[0], 2.0 + m[0, 0] ** 2) for m in PLANES]),
    ],
)
def test_unwrap(f, calls):
    agrees(f, calls)


def test_unwrap_at_half_a_period_and_in_single_precision():
    for p in (
        np.array([0, 2, 0, -2, 4, 6, -8.0]), np.zeros(0), np.zeros(1), np.array([0, 9, -2], "f4"),
    ):  # fmt: skip
        found = np.unwrap(tg.Variable(p), period=4.0)
        assert_equal_parts(found, np.unwrap(p, period=4.0), 1e-6)
        np.testing.assert_array_equal(
            tg.grad(lambda p: np.sum(np.unwrap(p, period=4.0)))(p), np.ones(len(p))
        )
