import mpmath as m
import numpy as np
import pytest

import tapegrad as tg

special = pytest.importorskip("scipy.special")

BRANCHES = [
    (0.7, 0), (-0.2, 0), (-0.2, -1), (-2.0, 0), (0.0, 0), (1e-9, 0), (50.0, 1), (1e10, 0),
]  # fmt: skip


@pytest.mark.parametrize(("z", "k"), BRANCHES)
def test_lambertw(z, k):
    w = special.lambertw(tg.Variable(z), k)
    assert tg.value(w) == special.lambertw(z, k)
    for part in (np.real, np.imag):

        def f(x, part=part):
            return part(special.lambertw(x, k))

        for n in (1, 2):
            f = tg.grad(f)
            with m.workdps(40):
                exact = part(complex(m.diff(lambda t: m.lambertw(t, k), m.mpf(z), n)))
            scale = abs(tg.value(w)) / abs(z) ** n if z else 1.0
            np.testing.assert_allclose(f(z), exact, rtol=1e-12, atol=1e-14 * scale)


def test_lambertw_of_complex_arguments():
    z = 0.3 - 0.8j
    slope = tg.holomorphic_grad(special.lambertw)(z)
    w = special.lambertw(z)
    np.testing.assert_allclose(slope, w / (z * (1 + w)), rtol=1e-13)
    second = tg.holomorphic_grad(tg.holomorphic_grad(special.lambertw))(z)
    with m.workdps(30):
        wanted = complex(m.diff(m.lambertw, m.mpc(z), 2))
    np.testing.assert_allclose(second, wanted, rtol=1e-12)


def test_wofz_of_complex_arguments():
    z = 0.7 + 0.4j
    np.testing.assert_allclose(
        tg.holomorphic_grad(special.wofz)(z),
        -2 * z * special.wofz(z) + 2j / np.sqrt(np.pi),
        rtol=1e-13,
    )


def test_lambertw_in_arrays_programs_and_lanes():
    x = np.linspace(0.1, 3.0, 5)

    def f(x):
        return np.sum(np.real(special.lambertw(x)) ** 2)

    w = special.lambertw(x).real
    wanted = 2 * w * w / (x * (1 + w))
    compiled = tg.compile(tg.grad(f))
    for _ in range(3):
        np.testing.assert_allclose(compiled(x), wanted, rtol=1e-13)
    lanes = tg.vmap(tg.grad(lambda x: np.real(special.lambertw(x)) ** 2))(x)
    np.testing.assert_allclose(lanes, wanted, rtol=1e-13)
    single = tg.grad(f)(x.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, wanted, rtol=1e-5)
