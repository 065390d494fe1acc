"""Transforms of complex arguments and results: conventions, containers, programs, lanes."""

import warnings

import numpy as np
import pytest

import tapegrad as tg

Z = np.array([0.3 + 0.7j, -1.2 + 0.4j, 0.9 - 0.6j])


def energy(z):
    return np.sum(np.abs(z) ** 2 * np.cos(np.real(z)))


def differences(f, z, h=1e-6):
    """df/dx - i df/dy."""
    found = np.zeros(z.shape, complex)
    for i in np.ndindex(z.shape):
        e = np.zeros(z.shape)
        e[i] = h
        found[i] = (f(z + e) - f(z - e)) / (2 * h) - 1j * (f(z + 1j * e) - f(z - 1j * e)) / (2 * h)
    return found


def test_the_gradient_is_that_of_autograd():
    """df/dx - i df/dy, in all forms."""
    wanted = differences(energy, Z)
    np.testing.assert_allclose(tg.grad(energy)(Z), wanted, rtol=1e-8)
    value, found = tg.value_and_grad(energy)(Z)
    np.testing.assert_allclose(value, energy(Z), rtol=1e-15)
    np.testing.assert_allclose(found, wanted, rtol=1e-8)
    np.testing.assert_allclose(tg.jacobian(energy)(Z), wanted, rtol=1e-8)
    assert tg.grad(lambda z: z.real)(1j) == 1
    assert tg.grad(lambda z: z.imag)(1j) == -1j


def test_value_types_are_kept():
    assert type(tg.grad(np.abs)(1 + 1j)) is complex
    assert type(tg.grad(np.abs)(np.complex64(1 + 1j))) is np.complex64
    assert tg.grad(lambda z: np.sum(np.abs(z)))(Z.astype(np.complex64)).dtype == np.complex64
    assert type(tg.jvp(np.exp, (1j,), (1.0,))[1]) is complex
    doubled = tg.compile(lambda z: z * 2)
    for _ in range(4):
        assert type(doubled(1j)) is complex
        assert doubled(Z.astype(np.complex64)).dtype == np.complex64


def test_products_with_cotangents_and_tangents():
    value, pullback = tg.vjp(np.sin, Z)
    np.testing.assert_allclose(value, np.sin(Z))
    np.testing.assert_allclose(pullback(1 + Z)[0], (1 + Z) * np.cos(Z))
    np.testing.assert_allclose(pullback(np.ones(3))[0], np.cos(Z))  # a real cotangent
    np.testing.assert_allclose(tg.jvp(np.sin, (Z,), (1j * Z,))[1], np.cos(Z) * 1j * Z)
    np.testing.assert_allclose(tg.jvp(np.conj, (Z,), (1j * Z,))[1], np.conj(1j * Z))
    with pytest.raises(TypeError, match="the cotangent"):
        tg.vjp(np.abs, Z)[1](1j * np.ones(3))


def test_holomorphic_grad():
    cube = tg.holomorphic_grad(lambda z: z**3)
    np.testing.assert_allclose(cube(Z), 3 * Z**2)
    np.testing.assert_allclose(tg.holomorphic_grad(cube)(Z), 6 * Z)
    first, second = tg.holomorphic_grad(lambda a, b: a * b, argnum=(0, 1))(2j, 3 + 1j)
    assert (first, second) == (3 + 1j, 2j)
    with pytest.raises(TypeError, match="not complex"):
        tg.holomorphic_grad(np.sin)(1.0)
    with pytest.raises(TypeError, match="not complex"):
        tg.holomorphic_grad(np.abs)(1j)


def test_complex_results_of_a_gradient_are_refused_with_the_remedy():
    for transform in (tg.grad, tg.value_and_grad):
        with pytest.raises(TypeError, match=r"tg\.holomorphic_grad\(exp\)"):
            transform(np.exp)(1j)
    with pytest.raises(TypeError, match="complex"):
        tg.hvp(np.exp, 1j, 1j)


def test_second_derivatives():
    direction = np.array([1j, 2.0, 1 - 1j])
    h, gradient = 1e-5, tg.grad(energy)
    wanted = (gradient(Z + h * direction) - gradient(Z - h * direction)) / (2 * h)
    np.testing.assert_allclose(tg.hvp(energy, Z, direction), wanted, rtol=1e-7)
    np.testing.assert_allclose(tg.jvp(gradient, (Z,), (direction,))[1], wanted, rtol=1e-7)
    twice = tg.grad(lambda z: np.sum(np.abs(tg.grad(energy)(z)) ** 2))
    norm = lambda z: np.sum(np.abs(gradient(z)) ** 2)  # noqa: E731 - a value
    np.testing.assert_allclose(twice(Z), differences(norm, Z), rtol=1e-6)


def test_jacobians():
    t = np.array([0.3, 0.7])
    wave = lambda t: np.exp(1j * t) * t[0]  # noqa: E731 - a value
    wanted = np.diag(1j * wave(t)) + np.outer(np.exp(1j * t), [1, 0])
    for mode in ("reverse", "forward", None):
        np.testing.assert_allclose(tg.jacobian(wave, mode=mode)(t), wanted)
    tree = tg.jacobian(lambda d: {"y": d["a"] * 1j, "x": d["a"]})({"a": t})
    np.testing.assert_allclose(tree["y"]["a"], 1j * np.eye(2))
    np.testing.assert_allclose(tree["x"]["a"], np.eye(2))
    rows = tg.jacobian(lambda z: np.abs(z) ** 2)(Z)
    np.testing.assert_allclose(rows, np.diag(2 * np.conj(Z)))
    with pytest.raises(TypeError, match=r"tg\.jacobian\(lambda x, y"):
        tg.jacobian(np.exp)(Z)
    with pytest.raises(TypeError, match=r"tg\.hessian\(lambda x, y"):
        tg.hessian(energy)(Z)
    h = tg.hessian(lambda x, y: energy(x + 1j * y), argnum=(0, 1))(Z.real, Z.imag)
    assert h[0][1].shape == (3, 3)


def test_containers_and_mixtures():
    params = {"w": Z, "b": 2.0, "c": (1j, np.ones(2, np.complex64))}

    def loss(p):
        found = np.sum(np.abs(p["w"] * p["b"] + p["c"][0]) ** 2)
        return found + np.sum(np.real(p["c"][1] * 1j) ** 2)

    found = tg.grad(loss)(params)
    np.testing.assert_allclose(found["w"], 4 * np.conj(2 * Z + 1j))
    assert type(found["b"]) is float
    assert type(found["c"][0]) is complex
    assert found["c"][1].dtype == np.complex64
    _, aux = tg.grad(lambda z: (energy(z), z * 2), has_aux=True)(Z)
    np.testing.assert_allclose(aux, Z * 2)


def test_programs():
    for f, x in (
        (tg.grad(energy), Z),
        (tg.value_and_grad(energy), Z),
        (tg.holomorphic_grad(np.tan), Z),
        (lambda z: {"a": np.exp(z), "b": (np.abs(z), 3)}, Z),
        (lambda z: tg.jvp(np.sin, (z,), (1j * z,))[1], Z),
        (lambda z: np.sqrt(z) * 1j, 1 + 2j),
        (lambda t: np.exp(1j * t), np.arange(3.0)),
    ):
        compiled = tg.compile(f)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for k in range(4):
                found, wanted = compiled(x * (1 + k)), f(x * (1 + k))
                for (_, a), (_, b) in zip(
                    tg._tree.leaves(found), tg._tree.leaves(wanted), strict=True
                ):
                    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)
        assert sum(s.replays for s in compiled.inspect().signatures) == 2


def test_programs_see_captured_complex_arrays_change():
    w = np.array([1 + 1j, 2.0, 3j])
    factor = 2 + 1j

    def f(z):
        return z * w * factor

    compiled = tg.compile(f)
    for k in range(8):
        np.testing.assert_allclose(compiled(Z), f(Z), rtol=1e-15)
        if k == 3:
            w[0] = 100j
        if k == 4:
            w = w * 2
        if k == 5:
            factor = 1j
        if k == 6:
            w.imag[1] = 7.0


def test_programs_write_to_complex_arguments():
    @tg.compile
    def step(z):
        z[0] = z[1] * 2
        z.imag[2] = 7.0
        return np.sum(z)

    for _ in range(4):
        z = Z.copy()
        total = step(z)
        wanted = np.array([2 * Z[1], Z[1], Z[2].real + 7j])
        np.testing.assert_allclose(z, wanted)
        np.testing.assert_allclose(total, np.sum(wanted))
    assert sum(s.replays for s in step.inspect().signatures) > 0


def test_branches_on_complex_values():
    @tg.compile
    def f(z):
        return z * 2 if abs(z) > 2 else z.conjugate()

    for z in (1 + 1j, 1 + 1j, 1 + 1j, 3 + 4j, 3 + 4j, 3 + 4j, 1j, 5j):
        assert f(z) == (z * 2 if abs(z) > 2 else z.conjugate())


def test_lanes():
    points = np.stack([Z, 2 * Z, 1j * Z])
    np.testing.assert_allclose(
        tg.vmap(tg.grad(energy))(points), [tg.grad(energy)(z) for z in points]
    )
    found = tg.vmap(lambda z, w: np.dot(z, w), in_axes=(1, None))(points.T, Z)
    np.testing.assert_allclose(found, points @ Z)
    moved = tg.vmap(lambda z: z * 1j, out_axes=1)(points)
    np.testing.assert_allclose(moved, (points * 1j).T)
    g = tg.grad(lambda z: np.sum(np.abs(tg.vmap(lambda row: row * row[0])(z)) ** 2))
    plain = lambda z: np.sum(np.abs(z * z[:, :1]) ** 2)  # noqa: E731 - a value
    np.testing.assert_allclose(g(points), differences(plain, points), rtol=1e-6, atol=1e-7)


def test_checkpoints_and_scans():
    block = lambda z: np.exp(z * 0.3) * z  # noqa: E731 - a value
    plain = tg.grad(lambda z: energy(block(z)))(Z)
    np.testing.assert_allclose(tg.grad(lambda z: energy(tg.checkpoint(block)(z)))(Z), plain)

    def rolled(z):
        carry, ys = tg.scan(lambda c, x: (c * x + 1j, c), z[0], z)
        return np.abs(carry) ** 2 + np.sum(np.abs(ys))

    def looped(z):
        c, total = z[0], 0.0
        for x in z:
            total = total + np.abs(c)
            c = c * x + 1j
        return np.abs(c) ** 2 + total

    np.testing.assert_allclose(rolled(Z), looped(Z))
    np.testing.assert_allclose(tg.grad(rolled)(Z), differences(looped, Z), rtol=1e-7)


def test_check_grads_takes_complex_functions():
    tg.testing.check_grads(lambda z: np.sin(z) * np.conj(z) + np.abs(z), (Z,))
    tg.testing.check_grads(lambda z, t: {"a": np.exp(1j * t) * z, "b": np.log(z)}, (Z, 0.3))

    def wrong(z):
        return z * tg.stop_gradient(z)

    with pytest.raises(AssertionError):
        tg.testing.check_grads(wrong, (Z,))


def test_optimisers_go_down():
    target = 2 - 1j
    for rule in (tg.optim.sgd(0.2), tg.optim.adam(0.1), tg.optim.adagrad(0.5)):
        params, state = {"z": 0j}, rule.init({"z": 0j})
        for _ in range(200):
            gradients = tg.grad(lambda p: np.abs(p["z"] - target) ** 2)(params)
            params, state = rule.update(params, gradients, state)
        assert abs(params["z"] - target) < 1e-2
        assert type(params["z"]) is complex


def test_value_and_stop_gradient():
    z = tg.Variable(Z)
    np.testing.assert_array_equal(tg.value({"a": z})["a"], Z)
    assert tg.grad(lambda z: np.real(z * tg.stop_gradient(z)))(1 + 1j) == 1 + 1j
