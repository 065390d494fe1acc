"""Functions with derivatives of one's own."""

import numpy as np
import pytest
from torch_agreement import agree, needs_torch, numbers, ours, value_and_gradients

X = numbers(3, 2)


def classes(torch):
    class Scaled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y, factor, flag=None):
            ctx.save_for_backward(x, y)
            ctx.factor = factor
            return x * y * factor, (x + y).sum()

        @staticmethod
        def backward(ctx, g, h):
            x, y = ctx.saved_tensors
            return g * y * ctx.factor + h, g * x * ctx.factor + h, None, None

    class Clipped(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x.clamp(-1, 1)

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, g):
            return g * 3

    return Scaled, Clipped


@needs_torch
def test_values_and_gradients():
    def f(torch, x, y):
        scaled, clipped = classes(torch)
        a, b = scaled.apply(x, y, 2.0)
        c, _ = scaled.apply(x, y.detach(), 0.5, True)
        return a, b, c, clipped.apply(x)

    agree(value_and_gradients, f, X, numbers(3, 2, seed=1))


@needs_torch
def test_what_the_context_knows():
    def program(torch):
        seen = []

        class F(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, y):
                seen.append([x.requires_grad, torch.is_grad_enabled()])
                whole = x.floor()
                ctx.mark_non_differentiable(whole)
                ctx.save_for_backward(x)
                return x * y, whole

            @staticmethod
            def backward(ctx, g, h):
                seen.append(list(ctx.needs_input_grad))
                (x,) = ctx.saved_tensors
                return None, g * x

        x, y = torch.tensor(X), torch.tensor(X + 1, requires_grad=True)
        a, whole = F.apply(x, y)
        a.sum().backward()
        return [y.grad, whole, whole.requires_grad, seen[1]]

    agree(program)


def test_errors():
    class Bad(ours.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, g):
            return g

    x = ours.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"took 2 arguments and backward gave 1"):
        Bad.apply(x, x).sum().backward()


def test_gradcheck():
    scaled, clipped = classes(ours)
    x = ours.tensor(X, requires_grad=True)
    y = ours.tensor(X + 1, requires_grad=True)

    def f(x, y):
        return scaled.apply(x, y, 2.0)

    assert ours.autograd.gradcheck(f, (x, y))
    assert ours.autograd.gradgradcheck(f, (x, y))
    with pytest.raises(RuntimeError, match="the Jacobian of output 0 by input 0"):
        ours.autograd.gradcheck(clipped.apply, (x,))
    assert not ours.autograd.gradcheck(clipped.apply, (x,), raise_exception=False)


@needs_torch
def test_functional():
    def program(torch):
        F, x = torch.autograd.functional, torch.tensor(X)

        def f(x):
            return (x**3).sum(0)

        def g(x, y):
            return (x * y**2).sum()

        return [
            F.jacobian(f, x),
            F.jacobian(lambda x, y: x * y, (x, x + 1)),
            F.hessian(lambda x: (x**3).sum(), x),
            F.hessian(g, (x, x + 1)),
            F.vjp(f, x, torch.ones(2)),
            F.hvp(lambda x: (x**3).sum(), x, x),
            F.jvp(f, x, x),
        ]

    agree(program)


def test_anomaly():
    x = ours.zeros(2, requires_grad=True)
    with ours.autograd.detect_anomaly(), pytest.raises(Exception, match=r"(?i)nan|inf"):
        (ours.sqrt(x) * 0 / x).sum().backward()
    assert np.all(np.isfinite(x.detach().numpy()))


def test_what_a_function_may_not_do():
    class Dirty(ours.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x

    class Once(ours.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * x

        @staticmethod
        @ours.autograd.function.once_differentiable
        def backward(ctx, g):
            return g * 2

    x = ours.ones(2, requires_grad=True)
    with pytest.raises(NotImplementedError, match="return a new tensor"):
        Dirty.apply(x)
    assert ours.autograd.grad(Once.apply(x).sum(), x)[0].tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="@once_differentiable"):
        ours.autograd.grad(Once.apply(x * x).prod(), x, create_graph=True)
