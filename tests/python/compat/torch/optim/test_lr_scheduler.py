"""Schedules give PyTorch's rates, epoch by epoch."""

import pytest
from torch_agreement import agree, needs_torch, ours

SCHEDULES = {
    "StepLR": lambda s, o: s.StepLR(o, step_size=3, gamma=0.5),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, milestones=[2, 5, 5, 9], gamma=0.3),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, gamma=0.9),
    "ConstantLR": lambda s, o: s.ConstantLR(o, factor=0.5, total_iters=4),
    "LinearLR": lambda s, o: s.LinearLR(o, start_factor=0.1, total_iters=6),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o, total_iters=8, power=2.0),
    "LambdaLR": lambda s, o: s.LambdaLR(o, lambda e: 0.95**e),
    "LambdaLR each": lambda s, o: s.LambdaLR(o, [lambda e: 0.95**e, lambda e: 1 / (1 + e)]),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda e: 0.9),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, T_max=5, eta_min=0.01),
    "WarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, max_lr=[0.5, 0.2], total_steps=20),
    "OneCycleLR three": lambda s, o: s.OneCycleLR(
        o, max_lr=0.5, epochs=4, steps_per_epoch=5, three_phase=True, anneal_strategy="linear"
    ),
    "SequentialLR": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9)], milestones=[4]
    ),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler(
        [s.LinearLR(o, 0.5, total_iters=4), s.ExponentialLR(o, 0.9)]
    ),
}


@needs_torch
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", SCHEDULES)
def test_rates(name):
    def program(torch):
        a, b = torch.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True)
        optimizer = torch.optim.SGD(
            [{"params": [a]}, {"params": [b], "lr": 0.4}], lr=0.1, momentum=0.9
        )
        schedule = SCHEDULES[name](torch.optim.lr_scheduler, optimizer)
        rates = []
        for _ in range(18):
            rates.append([[g["lr"], g["momentum"]] for g in optimizer.param_groups])
            optimizer.step()
            schedule.step()
            rates.append(list(schedule.get_last_lr()))
        return rates

    agree(program)


@needs_torch
@pytest.mark.parametrize(
    "options",
    [
        {"patience": 1},
        {"mode": "max", "factor": 0.5, "patience": 0, "threshold": 0.1},
        {"patience": 0, "cooldown": 2, "min_lr": 0.02, "threshold_mode": "abs", "factor": 0.3},
    ],
)
def test_plateaus(options):
    def program(torch):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        rates = []
        for x in (3.0, 2.0, 2.0, 2.5, 1.9999, 1.0, 1.0, 1.05, 0.5, 0.6, 0.7, 0.8):
            schedule.step(torch.tensor(x))
            rates.append(optimizer.param_groups[0]["lr"])
        return rates

    agree(program)


def test_a_state_goes_on():
    w = ours.zeros(1, requires_grad=True)
    schedules = [
        ours.optim.lr_scheduler.StepLR(ours.optim.SGD([w], lr=1.0), 2, 0.1) for _ in range(2)
    ]
    for _ in range(3):
        schedules[0].step()
    schedules[1].load_state_dict(schedules[0].state_dict())
    assert schedules[1].last_epoch == 3
    assert schedules[1].get_last_lr() == [0.1]
