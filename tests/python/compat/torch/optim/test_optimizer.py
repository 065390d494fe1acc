"""Optimisers move parameters as PyTorch's do, step by step."""

import copy
import re

import numpy as np
import pytest
from torch_agreement import agree, needs_torch, numbers, ours

OPTIMISERS = {
    "SGD": [
        {"lr": 0.1},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        {"lr": 0.1, "momentum": 0.5, "dampening": 0.3, "weight_decay": 0.1, "maximize": True},
    ],
    "Adam": [
        {},
        {"lr": 0.05, "betas": (0.8, 0.9), "weight_decay": 0.1},
        {"lr": 0.05, "amsgrad": True, "maximize": True},
    ],
    "AdamW": [{"lr": 0.05}, {"lr": 0.05, "weight_decay": 0.3, "amsgrad": True}],
    "RMSprop": [{}, {"centered": True, "momentum": 0.9, "alpha": 0.9}, {"weight_decay": 0.1}],
    "Adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5},
    ],
    "Adadelta": [{}, {"rho": 0.8, "eps": 1e-4, "weight_decay": 0.1}],
    "Adamax": [{}, {"weight_decay": 0.1, "betas": (0.8, 0.9)}],
    "NAdam": [{}, {"weight_decay": 0.1, "decoupled_weight_decay": True}],
    "RAdam": [{}, {"betas": (0.8, 0.9), "weight_decay": 0.1}],
    "Rprop": [{}, {"etas": (0.4, 1.5)}],
    "LBFGS": [
        {},
        {"lr": 0.5, "max_iter": 4},
        {"line_search_fn": "strong_wolfe"},
        {"history_size": 2, "line_search_fn": "strong_wolfe"},
    ],
}
ROWS = [(name, k) for name, rows in OPTIMISERS.items() for k in range(len(rows))]


def rosenbrock(torch, w, b):
    return ((1 - w) ** 2).sum() + 5 * ((w[1:] - w[:-1] ** 2) ** 2).sum() + (b * w.sum()) ** 2


@needs_torch
@pytest.mark.parametrize(("name", "k"), ROWS)
def test_steps(name, k):
    def program(torch):
        w = torch.tensor(numbers(4), requires_grad=True)
        b = torch.tensor(0.5, requires_grad=True)
        optimizer = getattr(torch.optim, name)([w, b], **OPTIMISERS[name][k])
        path = []

        def closure():
            optimizer.zero_grad()
            loss = rosenbrock(torch, w, b)
            loss.backward()
            return loss

        for _ in range(12):
            loss = optimizer.step(closure)
            path += [loss.detach().clone(), w.detach().clone(), b.detach().clone()]
        return path

    # NAdam keeps a product in single precision.
    agree(program, rtol=1e-5 if name == "NAdam" else 1e-8 if name == "LBFGS" else 1e-10)


@needs_torch
def test_groups_states_and_clipping():
    def program(torch):
        model = torch.nn.Linear(3, 2)
        with torch.no_grad():
            model.weight.copy_(torch.tensor(numbers(2, 3)))
            model.bias.fill_(0.5)
        optimizer = torch.optim.SGD(
            [
                {"params": [model.weight], "lr": 0.2, "momentum": 0.5},
                {"params": model.bias, "weight_decay": 0.1},
            ],
            lr=0.1,
            momentum=0.9,
        )
        norms = []
        for _ in range(4):
            optimizer.zero_grad(set_to_none=False)
            (model(torch.tensor(numbers(5, 3))) ** 2).sum().backward()
            norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0))
            torch.nn.utils.clip_grad_value_([model.bias], 0.2)
            optimizer.step()
        state = copy.deepcopy(optimizer.state_dict())
        twin = torch.optim.SGD([{"params": [model.weight]}, {"params": model.bias}], lr=1.0)
        twin.load_state_dict(copy.deepcopy(state))
        twin.step()
        groups = [
            {k: v for k, v in g.items() if k in ("lr", "momentum", "params", "weight_decay")}
            for g in state["param_groups"]
        ]
        vector = torch.nn.utils.parameters_to_vector(model.parameters())
        return [norms, list(model.parameters()), state["state"], groups, vector]

    agree(program)


def test_known_values():
    w = ours.tensor([1.0, -2.0], requires_grad=True)
    optimizer = ours.optim.Adam([w], lr=0.1)
    (w * w).sum().backward()
    optimizer.step()
    np.testing.assert_allclose(w.detach().numpy(), [0.9, -1.9], rtol=1e-6)
    assert set(optimizer.state_dict()["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}
    optimizer.zero_grad()
    assert w.grad is None


def test_errors():
    w = ours.ones(2, requires_grad=True)
    for bad, text in (
        (lambda: ours.optim.SGD(w, lr=0.1), "iterable of tensors"),
        (lambda: ours.optim.SGD([], lr=0.1), "no parameters"),
        (lambda: ours.optim.SGD([w * 2], lr=0.1), "non-leaf"),
        (lambda: ours.optim.SGD([w], lr=-1), "learning rate is -1"),
        (lambda: ours.optim.Adam([w], betas=(1.5, 0.9)), "beta parameter at index 0"),
        (
            lambda: ours.optim.SGD([{"params": [w]}, {"params": [w]}], lr=0.1),
            "in two groups",
        ),
        (lambda: ours.optim.SGD([w], lr=0.1, nesterov=True), "momentum > 0 and dampening 0"),
        (lambda: ours.optim.LBFGS([w]).step(), "needs a closure"),
    ):
        with pytest.raises((TypeError, ValueError), match=re.escape(text)):
            bad()
