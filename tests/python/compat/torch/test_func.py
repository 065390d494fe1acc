"""Functions of functions are PyTorch's."""

import numpy as np
import pytest
from torch_agreement import agree, give, needs_torch, numbers, ours

X = numbers(3)


@needs_torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_transforms():
    def program(torch):
        F = torch.func
        x, m = torch.tensor(X), torch.tensor(numbers(4, 3))

        def f(x):
            return (x**3).sum() + x[0] * x[1].sin()

        def g(x, y):
            return (x * y).sum()

        value, pull = F.vjp(lambda x: x.exp(), x)
        return [
            F.grad(f)(x),
            F.grad(g, argnums=(0, 1))(x, x + 1),
            F.grad_and_value(f)(x),
            F.hessian(f)(x),
            F.jacrev(lambda x: x.sin() * x.sum())(x),
            F.jacfwd(lambda x: x.sin() * x.sum())(x),
            F.vmap(f)(m),
            F.vmap(g, in_dims=(0, None))(m, x),
            F.vmap(F.grad(f))(m),
            F.jvp(torch.sin, (x,), (x,)),
            value,
            pull(x),
            F.grad(lambda x: (f(x), x * 2), has_aux=True)(x),
            F.vmap(lambda x: x.softmax(0), out_dims=1)(m),
            F.vmap(lambda x: torch.relu(x).max(0).values)(m),
            F.grad(F.grad(lambda x: x.sin()))(x[0]),
            F.vmap(F.jacrev(torch.tanh))(m),
            F.vmap(torch.dot)(m, m),
        ]

    agree(program)


@needs_torch
def test_gradients_of_each_sample():
    def program(torch):
        model = give(
            torch,
            torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)),
        )
        params = {k: v.detach() for k, v in model.named_parameters()}

        def loss(params, x, y):
            out = torch.func.functional_call(model, params, (x.unsqueeze(0),))
            return torch.nn.functional.cross_entropy(out, y.unsqueeze(0))

        x, y = torch.tensor(numbers(5, 3)), torch.tensor([0, 1, 1, 0, 1])
        each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(params, x, y)
        return [each, list(model.parameters())]

    agree(program)


def test_known_values_and_errors():
    x = ours.tensor([1.0, 2.0])
    assert ours.func.grad(lambda x: (x**2).sum())(x).tolist() == [2.0, 4.0]
    assert ours.vmap(lambda x: x * 2)(x).tolist() == [2.0, 4.0]
    np.testing.assert_allclose(
        ours.func.hessian(lambda x: (x**3).sum())(x).numpy(), [[6, 0], [0, 12]]
    )
    with pytest.raises(RuntimeError, match="write f"):
        ours.func.grad(lambda x: x * 2)(x)
    with pytest.raises(AttributeError, match=r"func\.linearize is not there"):
        _ = ours.func.linearize
