"""Sweeps under PyTorch's conditions: what is added up, freed, refused, and who hears of it."""

import re

import numpy as np
import pytest
from torch_agreement import agree, needs_torch, numbers, ours, theirs

import tapegrad as tg

X = numbers(3)


@needs_torch
def test_gradients_add_up():
    def program(torch):
        x = torch.tensor(X, requires_grad=True)
        y = x * 2
        y.sum().backward(retain_graph=True)
        kept = x.grad
        (y * y).sum().backward()
        found = [x.grad.clone(), kept]
        x.grad.zero_()
        x.exp().backward(torch.tensor([1.0, 2.0, 3.0]))
        torch.autograd.backward([x.sin().sum(), x.cos().sum()])
        return [*found, x.grad, x.is_leaf, y.is_leaf, y.requires_grad, x.detach().requires_grad]

    agree(program)


@needs_torch
@pytest.mark.filterwarnings("ignore:Using backward")
def test_higher_orders():
    def program(torch):
        x = torch.tensor(X, requires_grad=True)
        (g,) = torch.autograd.grad((x**4).sum(), x, create_graph=True)
        (h,) = torch.autograd.grad(g.sum(), x, create_graph=True)
        (t,) = torch.autograd.grad((h * g).sum(), x, retain_graph=True)
        penalty = ((g.norm() - 1) ** 2) + h.sum()
        penalty.backward()
        first = x.grad.clone()
        x.grad = None
        (x**3).sum().backward(create_graph=True)
        (x.grad * x).sum().backward()
        return [g, h, t, first, x.grad]

    agree(program, rtol=1e-9)


@needs_torch
def test_hooks():
    def program(torch):
        seen, others = [], []
        x = torch.tensor(X, requires_grad=True)
        first = x.register_hook(lambda g: g * 2)
        x.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.clone()))
        y = x * 3
        y.retain_grad()
        y.register_hook(lambda g: seen.append(g.clone()))
        y.register_hook(lambda g: g.clamp(-1, 1))
        z = y * y
        late = z * 1.5
        z.register_hook(lambda g: others.append(g.clone()))
        late.sum().backward()
        first.remove()
        (x * x).sum().backward()
        return [seen, others, x.grad, y.grad]

    agree(program)


def test_a_late_hook_may_not_change_the_gradient():
    x = ours.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    z = y.sum()
    y.register_hook(lambda g: g * 0)
    with pytest.raises(RuntimeError, match="register it before the tensor is used"):
        z.backward()


@needs_torch
def test_parts_of_a_graph():
    def program(torch):
        x = torch.tensor(X, requires_grad=True)
        w = torch.tensor(X + 1, requires_grad=True)
        with torch.no_grad():
            constant = x * w
        y = (x * w).detach() + x + constant
        frozen = w.requires_grad_(False)
        z = (y * frozen).sum()
        z.backward()
        w.requires_grad_(True)
        (x * w).sum().backward(inputs=[w])
        u = torch.tensor(1.0, requires_grad=True)
        found = torch.autograd.grad((x * w).sum(), [x, u], allow_unused=True)
        with torch.no_grad(), torch.enable_grad():
            inside = (x * 2).requires_grad
        with torch.set_grad_enabled(False):
            off = (x * 2).requires_grad
        return [
            x.grad,
            w.grad,
            found[0],
            found[1] is None,
            constant.requires_grad,
            inside,
            off,
            torch.is_grad_enabled(),
        ]

    agree(program)


# What is raised, what of the text is ours, and what of it PyTorch's; None where it is the same.
RAISES = [
    ("scalar outputs", None, lambda t, x: (x * 2).backward()),
    ("grad_fn", None, lambda t, x: t.ones(1).backward()),
    ("operation on a leaf", "a leaf Variable that requires", lambda t, x: x.add_(1)),
    ("operation on a view, of shape [], of a leaf", "a view of a leaf", lambda t, x: x[0].mul_(2)),
    ("detach().numpy()", None, lambda t, x: x.numpy()),
    ("floating point", None, lambda t, x: t.arange(3).requires_grad_()),
    ("leaf", None, lambda t, x: (x * 2).requires_grad_(False)),
    (
        "gradient 0 has shape [2], and output 0",
        "torch.Size([2]) and output[0]",
        lambda t, x: (x * 2).backward(t.ones(2)),
    ),
    (
        "allow_unused=True",
        None,
        lambda t, x: t.autograd.grad(x.sum(), t.ones(2, requires_grad=True)),
    ),
    ("a second time", None, lambda t, x: twice((x * x).sum())),
    ("in-place", "inplace", lambda t, x: changed(x.exp()).sum().backward()),
    (
        "at version 0, and it is at version 1 now",
        "at version 1; expected version 0",
        lambda t, x: changed_operand(t, x),
    ),
    (
        "of Float would be cut to the tensor's Long",
        "output type Long",
        lambda t, x: t.ones(2, dtype=t.long).add_(1.5),
    ),
]


def twice(y):
    y.backward()
    y.backward()


def changed(y):
    y.add_(1)
    return y


def changed_operand(torch, x):
    data = torch.ones(3)
    loss = (x * data).sum()
    data.mul_(3)
    loss.backward()


@pytest.mark.parametrize(("text", "of_theirs", "f"), RAISES)
def test_errors(text, of_theirs, f):
    for torch in (ours, theirs) if theirs is not None else (ours,):
        said = text if torch is ours else of_theirs or text
        x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        with pytest.raises(RuntimeError, match=re.escape(said)):
            f(torch, x)


def test_the_line_of_a_change_is_named():
    x = ours.tensor([1.0, 2.0], requires_grad=True)
    w = ours.ones(2)
    loss = (x * w).sum()
    w[0] = 5.0  # the line
    with open(__file__, encoding="utf-8") as file:
        line = next(
            k for k, text in enumerate(file, 1) if text.rstrip().endswith("= 5.0  # the line")
        )
    with pytest.raises(RuntimeError, match=rf"test_backward\.py:{line}\b"):
        loss.backward()


FREED = {
    "x * 2": True,
    "x + 1": False,
    "x.sum()": False,
    "x ** 2": True,
    "x.mean()": False,
    "-x": False,
    "x.clone()": False,
    "x[0]": False,
    "x.relu()": True,
    "x.exp()": True,
    "x.cumsum(0)": False,
    "x.max()": True,
    "x.view(3, 1).t()": False,
    "torch.cat([x, x])": False,
    "x.softmax(0)": True,
    "x.index_select(0, torch.tensor([0]))": True,
    "x.flip(0)": False,
    "x.double()": False,
    "x.norm()": True,
    "x @ x.detach()": True,
    "x.masked_fill(x > 0, 0.0)": True,
    "x.sort()[0]": True,
    "x.roll(1)": False,
}


@pytest.mark.parametrize("text", FREED)
def test_what_a_second_sweep_needs(text):
    for torch in (ours, theirs) if theirs is not None else (ours,):
        x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        y = eval(text, {"x": x, "torch": torch}).sum()
        y.backward()
        if FREED[text]:
            with pytest.raises(RuntimeError, match="a second time"):
                y.backward()
        else:
            y.backward()


def test_updates_keep_a_leaf():
    w = ours.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(3):
        (w * w).sum().backward()
        with ours.no_grad():
            w -= 0.1 * w.grad
            w.grad.zero_()
    assert w.is_leaf
    np.testing.assert_allclose(w.detach().numpy(), np.array([1.0, 2.0]) * 0.8**3, rtol=1e-6)
    w.data.mul_(2)
    w.data = w.data + 1
    w.detach().sub_(1)
    np.testing.assert_allclose(w.detach().numpy(), np.array([2.0, 4.0]) * 0.8**3, rtol=1e-6)
    assert w.is_leaf
    assert w.requires_grad


def test_detached_results_are_for_reading():
    x = ours.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    with pytest.raises(RuntimeError, match=r"x = x.clone\(\)"):
        y.detach()[0] = 1.0
    with pytest.raises(RuntimeError, match=r"x.detach\(\).clone\(\)"), ours.no_grad():
        y.add_(1)
    with pytest.raises(RuntimeError, match="no gradient"):
        x.detach().copy_(y)


def test_numpy_and_variables_meet():
    x = ours.tensor([0.5, 1.0], dtype=ours.float64, requires_grad=True)
    np.sin(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.cos([0.5, 1.0]))
    x.grad = None
    np.stack([x, x * 2]).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    assert np.concatenate([ours.ones(2), ours.zeros(1)]).tolist() == [1.0, 1.0, 0.0]


def test_gradients_of_variables_that_are_no_tensors():
    x = ours.tensor([0.5, 1.0], dtype=ours.float64, requires_grad=True)
    v = tg.Variable(np.array([1.0, 2.0]))
    u = tg.Variable(3.0)
    for _ in range(2):
        (ours.as_tensor(v * u) * x + x * v).sum().backward()
    assert x.grad.tolist() == [8.0, 16.0]
    np.testing.assert_allclose(v.grad, [4.0, 8.0])
    assert u.grad == pytest.approx(2 * 2.5)


def test_other_content_for_a_computed_tensor():
    x = ours.tensor([0.5, 1.0], requires_grad=True)
    y = x * 2
    with pytest.raises(RuntimeError, match=r"write x = value.detach\(\)"):
        y.data = ours.zeros(2)


def test_long_chains():
    x = ours.tensor(1.0, dtype=ours.float64, requires_grad=True)
    y = x
    for _ in range(30_000):
        y = y + x
    y.backward()
    assert float(x.grad) == 30_001.0
    del y


@needs_torch
def test_a_detached_tensor_shows_later_writes():
    def program(torch):
        x = torch.tensor(X, requires_grad=True)
        y = x * 2
        d = y.detach()
        first = d[1:]
        y[2] = x[0]
        y += 1
        found = [d.clone(), first.clone(), first * d[:2], y]
        y.sum().backward()
        return [*found, x.grad]

    agree(program)


def test_a_detached_tensor_keeps_no_graph():
    x = ours.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    view, d = y.view(2, 1), y.detach()
    del y
    assert d.tolist() == [2.0, 4.0]
    view += 1
    with pytest.raises(RuntimeError, match=r"x = y.detach\(\).clone\(\)"):
        d.tolist()
