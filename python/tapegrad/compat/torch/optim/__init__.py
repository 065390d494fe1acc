"""`torch.optim`: optimisers and schedules.

>>> import tapegrad.compat.torch as torch
>>> w = torch.tensor([1.0], requires_grad=True)
>>> optimizer = torch.optim.Adam([w], lr=0.1)
>>> (w * w).sum().backward()
>>> optimizer.step()
>>> w
tensor([0.9000], requires_grad=True)
"""

from tapegrad.compat.torch.optim import lr_scheduler
from tapegrad.compat.torch.optim.adam import Adam, Adamax, AdamW, NAdam, RAdam
from tapegrad.compat.torch.optim.adaptive import Adadelta, Adagrad, RMSprop, Rprop
from tapegrad.compat.torch.optim.lbfgs import LBFGS
from tapegrad.compat.torch.optim.optimizer import Optimizer
from tapegrad.compat.torch.optim.sgd import SGD
from tapegrad.compat.torch.refusals import refusing

__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
]

__getattr__ = refusing(
    __name__,
    {
        "ASGD": "write SGD, and keep a mean of the parameters in the loop",
        "SparseAdam": "gradients are dense here: write Adam",
        "Adafactor": "write Adam",
    },
)
