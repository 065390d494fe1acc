"""Functions of tensors inside tapegrad's own transforms, and what a call makes of its results."""

import numpy as np
from torch_agreement import ours

import tapegrad as tg
from tapegrad import numerical

W = np.random.default_rng(0).normal(size=(3, 3))
X = np.array([0.3, -0.2, 0.5])


def f(x):
    F = ours.nn.functional
    h = ours.tanh(F.linear(ours.as_tensor(x), ours.as_tensor(W)))
    return (F.log_softmax(h, -1) * h.relu() + h.clamp(-0.5, 2.0)).sum()._v


def plain(x):
    h = np.tanh(W @ x)
    logarithms = h - np.log(np.sum(np.exp(h)))
    return float(np.sum(logarithms * np.maximum(h, 0) + np.clip(h, -0.5, 2.0)))


def test_transforms():
    gradient = tg.grad(f)(X)
    np.testing.assert_allclose(gradient, numerical.grad(plain)(X), rtol=1e-6)
    np.testing.assert_allclose(tg.jvp(f, (X,), (X,))[1], gradient @ X, rtol=1e-12)
    hessian = tg.hessian(f)(X)
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-10)
    columns = [(tg.grad(f)(X + e) - tg.grad(f)(X - e)) / 2e-6 for e in 1e-6 * np.eye(3)]
    np.testing.assert_allclose(hessian, columns, atol=1e-8)


def test_lanes():
    points = np.stack([X, 2 * X, -X])
    np.testing.assert_allclose(tg.vmap(f)(points), [plain(x) for x in points], rtol=1e-12)
    each = tg.vmap(tg.grad(f))(points)
    np.testing.assert_allclose(each, [tg.grad(f)(x) for x in points], rtol=1e-12)


def test_programs():
    program = tg.compile(tg.value_and_grad(f))
    for k in range(1, 5):
        value, gradient = program(k * X)
        np.testing.assert_allclose(value, plain(k * X), rtol=1e-12)
        np.testing.assert_allclose(gradient, tg.grad(f)(k * X), rtol=1e-12)


def test_single_precision():
    x = ours.tensor(X, dtype=ours.float32, requires_grad=True)
    y = ours.nn.functional.gelu(x).sum() * 2.0 + x.std()
    y.backward()
    assert y.dtype == x.grad.dtype == ours.float32
