"""Densities and entropies are PyTorch's; draws have the right moments."""

import numpy as np
import pytest
from torch_agreement import agree, needs_torch, numbers, ours, value_and_gradient

A, B = numbers(4, low=0.3, high=2.0), numbers(4, seed=1, low=0.3, high=2.0)
SHARE = numbers(4, low=0.1, high=0.9)

ROWS = {
    "Normal": lambda D, t, a, b: (D.Normal(a, b), a * 0.3 + 0.1),
    "Laplace": lambda D, t, a, b: (D.Laplace(a, b), a * 0.3 + 0.1),
    "Uniform": lambda D, t, a, b: (D.Uniform(-a, b), a * 0.1),
    "Exponential": lambda D, t, a, b: (D.Exponential(a), b),
    "Gamma": lambda D, t, a, b: (D.Gamma(a, b), a + b),
    "Beta": lambda D, t, a, b: (D.Beta(a, b), t.tensor(SHARE)),
    "Poisson": lambda D, t, a, b: (D.Poisson(a), t.tensor([0.0, 1.0, 2.0, 5.0])),
    "Bernoulli": lambda D, t, a, b: (D.Bernoulli(logits=a - b), t.tensor([0.0, 1.0, 1.0, 0.0])),
    "Bernoulli p": lambda D, t, a, b: (D.Bernoulli(a / (a + b)), t.tensor([0.0, 1.0, 1.0, 0.0])),
    "Categorical": lambda D, t, a, b: (D.Categorical(logits=t.outer(a, b)), t.tensor([0, 3, 1, 1])),
    "Categorical p": lambda D, t, a, b: (D.Categorical(t.outer(a, b)), t.tensor([0, 3, 1, 1])),
}


@needs_torch
@pytest.mark.parametrize("name", ROWS)
def test_densities(name):
    def f(t, a, b):
        d, x = ROWS[name](t.distributions, t, a, b)
        parts = [d.log_prob(x)]
        if name not in ("Gamma", "Beta", "Poisson"):
            parts.append(d.entropy())
        if not name.startswith("Categorical"):
            parts += [d.mean, d.variance, d.stddev]
        return tuple(parts)

    agree(value_and_gradient, f, A, B, rtol=1e-9)


@needs_torch
def test_divergences():
    def f(t, a, b):
        D = t.distributions
        return (
            D.kl_divergence(D.Normal(a, b), D.Normal(b, a)),
            D.kl_divergence(D.Categorical(a), D.Categorical(b)),
            D.kl_divergence(D.Bernoulli(logits=a), D.Bernoulli(logits=b)),
        )

    agree(value_and_gradient, f, A, B)


def test_draws():
    D = ours.distributions
    ours.manual_seed(0)
    for name in ROWS:
        d, _ = ROWS[name](D, ours, ours.tensor(A), ours.tensor(B))
        x = d.sample((20_000,)).double()
        assert x.shape == (20_000, 4)
        if not name.startswith("Categorical"):
            np.testing.assert_allclose(x.mean(0).numpy(), d.mean.numpy(), atol=0.08)
            np.testing.assert_allclose(x.var(0).numpy(), d.variance.numpy(), rtol=0.12)
    shares = (D.Categorical(ours.tensor([1.0, 3.0])).sample((4000,)) == 1).double().mean()
    assert abs(float(shares) - 0.75) < 0.03


def test_gradients_flow_through_rsample():
    D = ours.distributions
    loc = ours.zeros(3, requires_grad=True)
    scale = ours.ones(3, requires_grad=True)
    x = D.Normal(loc, scale).rsample((5,))
    x.sum().backward()
    assert loc.grad.tolist() == [5.0] * 3
    np.testing.assert_allclose(scale.grad.numpy(), x.detach().sum(0).numpy(), rtol=1e-5)
    assert not D.Normal(loc, scale).sample().requires_grad


def test_refusals():
    D = ours.distributions
    with pytest.raises(ValueError, match="scale must be positive"):
        D.Normal(0.0, -1.0)
    with pytest.raises(ValueError, match="one of the two, and here it is neither"):
        D.Categorical()
    with pytest.raises(NotImplementedError, match="write the mean of"):
        D.kl_divergence(D.Normal(0.0, 1.0), D.Laplace(0.0, 1.0))
    with pytest.raises(NotImplementedError, match=r"draw with sample\(\)"):
        D.Gamma(1.0, 1.0).rsample()
    with pytest.raises(AttributeError, match=r"write d.log_prob\(x\).sum"):
        _ = D.Independent
