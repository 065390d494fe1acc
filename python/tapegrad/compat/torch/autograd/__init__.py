"""`torch.autograd`: derivatives, functions of one's own, checks by differences."""

from tapegrad.compat.torch.autograd import functional
from tapegrad.compat.torch.autograd.checks import gradcheck, gradgradcheck
from tapegrad.compat.torch.autograd.function import Function
from tapegrad.compat.torch.autograd.modes import (
    Variable,
    backward,
    detect_anomaly,
    enable_grad,
    grad,
    inference_mode,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
)
from tapegrad.compat.torch.refusals import refusing

__all__ = [
    "Function",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]

__getattr__ = refusing(
    __name__,
    {
        "profiler": "Python's cProfile shows the calls; docs/performance.md of tapegrad says more",
        "graph": "tensor.grad_fn, grad_fn.next_functions and tensor.register_hook are there",
        "forward_ad": "torch.func.jvp(f, primals, tangents) does the same",
    },
)
