"""What programs ask of devices, and options that are refused where they would change a result."""

import numpy as np
import pytest

import tapegrad.compat.torch as torch
import tapegrad.compat.torch.nn.functional as F  # noqa: N812 - PyTorch's habit
from tapegrad.compat.torch import nn

X, Y = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 0.0])


def test_there_is_the_processor_alone():
    assert not torch.cuda.is_available()
    assert torch.cuda.device_count() == 0
    torch.cuda.empty_cache()
    torch.cuda.synchronize()
    with pytest.raises(AttributeError, match=r"torch\.cuda\.Stream"):
        _ = torch.cuda.Stream


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"size_average": False}, 5.0),
        ({"size_average": True}, 2.5),
        ({"reduce": False}, [1.0, 4.0]),
        ({"reduce": True, "size_average": False}, 5.0),
    ],
)
def test_old_flags_of_losses(flags, expected):
    words = {5.0: "sum", 2.5: "mean"}
    with pytest.warns(UserWarning, match=r"write reduction='"):
        found = F.mse_loss(X, Y, **flags)
    np.testing.assert_allclose(found.numpy(), expected)
    with pytest.warns(UserWarning, match=r"write reduction='"):
        found = nn.MSELoss(**flags)(X, Y)
    np.testing.assert_allclose(found.numpy(), expected)
    with pytest.warns(UserWarning, match=r"write reduction='"):
        weighted = nn.BCELoss(**flags)
    assert weighted.reduction == ("none" if isinstance(expected, list) else words[expected])


def test_diagonals_that_wrap():
    found = torch.zeros(5, 2).fill_diagonal_(1.0, wrap=True)
    expected = np.zeros((5, 2))
    np.fill_diagonal(expected, 1.0, wrap=True)
    np.testing.assert_array_equal(found.numpy(), expected)


def test_hooks_of_steps_are_taken_away():
    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    seen = []
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append("before"))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append("after"))
    optimizer.step()
    before.remove()
    optimizer.step()
    assert seen == ["before", "after", "after"]


def test_whether_a_gradient_is_kept():
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    assert not y.retains_grad
    y.retain_grad()
    assert y.retains_grad
    z = (x * 3).detach_()
    assert not z.requires_grad
    assert z.is_leaf


def test_functions_one_after_the_other():
    x = torch.tensor([0.3, 0.7], requires_grad=True)
    found = torch.utils.checkpoint.checkpoint_sequential([torch.sin, torch.exp], 2, x)
    found.sum().backward()
    at = x.detach().numpy()
    np.testing.assert_allclose(x.grad.numpy(), np.exp(np.sin(at)) * np.cos(at), rtol=1e-6)


def test_hooks_of_modules_by_their_older_name():
    layer = nn.Linear(2, 1)
    seen = []
    handle = layer.register_backward_hook(lambda m, gi, go: seen.append(go[0].shape))
    layer(torch.ones(3, 2)).sum().backward()
    handle.remove()
    layer(torch.ones(3, 2)).sum().backward()
    assert [tuple(s) for s in seen] == [(3, 1)]


class Both(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, keep):
        ctx.set_materialize_grads(keep)
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * 2, None


W = torch.ones(1, requires_grad=True)
REFUSED = [
    (lambda: Both.apply(W, False), r"set_materialize_grads\(False\)"),
    (lambda: torch.optim.SGD([W], lr=0.1, differentiable=True), "SGD: differentiable=True"),
    (lambda: torch.optim.Adam([W], differentiable=True), "Adam: differentiable=True"),
    (lambda: torch.optim.RMSprop([W], differentiable=True), "RMSprop: differentiable=True"),
    (
        lambda: torch.autograd.functional.jacobian(lambda x: x, W, strict=True),
        r"functional\.jacobian: strict=True",
    ),
    (
        lambda: F.interpolate(torch.ones(1, 1, 4), scale_factor=2, recompute_scale_factor=True),
        "recompute_scale_factor=True",
    ),
    (lambda: F.embedding(torch.tensor([0]), torch.ones(2, 2), sparse=True), "sparse=True"),
    (
        lambda: torch.optim.lr_scheduler.ReduceLROnPlateau(torch.optim.SGD([W], 0.1)).step(1.0, 3),
        "epoch=3 is not there",
    ),
]


@pytest.mark.parametrize(("call", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_options_that_would_change_a_result(call, says):
    with pytest.raises(NotImplementedError, match=says):
        call()


def test_zeros_for_outputs_that_were_not_used():
    x = torch.tensor([3.0], requires_grad=True)
    Both.apply(x, True).sum().backward()
    assert x.grad.tolist() == [2.0]


def test_what_is_said_of_wrong_arguments():
    with pytest.raises(TypeError, match=r"SGD: params are an iterable of tensors or dicts, not 3"):
        torch.optim.SGD(3, lr=0.1)
    with pytest.raises(TypeError, match="StepLR: int is not an Optimizer"):
        torch.optim.lr_scheduler.StepLR(3, 1)
    with pytest.raises(TypeError, match="arange: 'a' is no number"):
        torch.arange("a")
    with pytest.raises(RuntimeError, match=r"the input has 3 axes, or 4 with the batch.* \[2\]"):
        F.max_pool2d(X, 2)
