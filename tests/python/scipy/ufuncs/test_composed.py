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


def modfresnel(x, sign):
    f = m.quad(lambda t: m.exp(sign * 1j * (x + t * m.exp(sign * 1j * m.pi / 4)) ** 2), [0, 4, 12])
    f *= m.exp(sign * 1j * m.pi / 4)
    return f, m.exp(-sign * 1j * (x * x + m.pi / 4)) * f / m.sqrt(m.pi)


def of_hankel(kind, scaled):
    function = m.hankel1 if kind == 1 else m.hankel2
    turn = -1j if kind == 1 else 1j
    return lambda x: (function(m.mpf(1.5), x) * (m.exp(turn * x) if scaled else 1),)


COMPLEX = {
    "kelvin": (special.kelvin, lambda x: (
        m.ber(0, x) + 1j * m.bei(0, x), m.ker(0, x) + 1j * m.kei(0, x),
        m.diff(lambda t: m.ber(0, t), x) + 1j * m.diff(lambda t: m.bei(0, t), x),
        m.diff(lambda t: m.ker(0, t), x) + 1j * m.diff(lambda t: m.kei(0, t), x),
    )),
    "modfresnelp": (special.modfresnelp, lambda x: modfresnel(x, 1)),
    "modfresnelm": (special.modfresnelm, lambda x: modfresnel(x, -1)),
    "hankel1": (lambda x: (special.hankel1(1.5, x),), of_hankel(1, False)),
    "hankel2": (lambda x: (special.hankel2(1.5, x),), of_hankel(2, False)),
    "hankel1e": (lambda x: (special.hankel1e(1.5, x),), of_hankel(1, True)),
    "hankel2e": (lambda x: (special.hankel2e(1.5, x),), of_hankel(2, True)),
}  # fmt: skip


def slope_of(f):
    return lambda t: tg.jvp(f, (t,), (1.0,))[1]


@pytest.mark.parametrize("name", COMPLEX)
@pytest.mark.parametrize("x", [0.3, 1.7, 3.2])
def test_complex_results(name, x):
    f, reference = COMPLEX[name]
    count = len(f(x))
    for k in range(count):
        assert tg.value(f(tg.Variable(x))[k]) == f(x)[k]

        def g(t, k=k):
            return f(t)[k]

        for n in (1, 2):
            g = slope_of(g)
            with m.workdps(25):
                exact = complex(m.diff(lambda t, k=k: reference(t)[k], m.mpf(x), n))
            np.testing.assert_allclose(g(x), exact, rtol=1e-11)


@pytest.mark.parametrize("name", ["hankel1", "hankel2", "hankel1e", "hankel2e"])
def test_hankel_functions_by_the_order_and_by_both(name):
    tg.testing.check_grads(lambda v, x: getattr(special, name)(v, x).real, (1.3, 2.1))
    tg.testing.check_grads(lambda v, x: getattr(special, name)(v, x).imag, (1.3, 2.1))
