"""The names of torch.autograd that only pass on."""

import pytest
from torch_agreement import agree, needs_torch, numbers, ours


@needs_torch
def test_modes():
    def program(torch):
        A = torch.autograd
        x = A.Variable(torch.tensor(numbers(3)), requires_grad=True)
        y = A.Variable(x * 2)
        A.backward([(y * x).sum(), (x * x).sum()])
        A.backward((x * 3,), (torch.ones(3),))
        with A.no_grad(), A.enable_grad():
            inside = (x * 2).requires_grad

        @torch.no_grad()
        def plain(x):
            return (x * 2).requires_grad

        @torch.inference_mode()
        def other(x):
            return (x * 2).requires_grad

        torch.set_grad_enabled(False)
        off = torch.is_grad_enabled()
        torch.set_grad_enabled(True)
        return [
            x.grad,
            y,
            y.requires_grad,
            inside,
            plain(x),
            other(x),
            off,
            torch.is_grad_enabled(),
        ]

    agree(program)


def test_what_a_constructor_is_given_is_not_dropped():
    with pytest.raises(TypeError, match="requires_grad"):
        ours.Tensor([1.0], requires_grad=True)
    assert ours.Tensor([1, 2]).tolist() == [1.0, 2.0]
    assert ours.Tensor(2, 3).shape == (2, 3)
