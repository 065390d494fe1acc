"""`torch.nn.utils`: clipping of gradients, parameters as one vector, padding of sequences."""

from tapegrad.compat.torch.nn.utils import rnn
from tapegrad.compat.torch.nn.utils.clip import (
    clip_grad_norm,
    clip_grad_norm_,
    clip_grad_value_,
    get_total_norm,
)
from tapegrad.compat.torch.nn.utils.vectors import parameters_to_vector, vector_to_parameters

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "get_total_norm",
    "parameters_to_vector",
    "rnn",
    "vector_to_parameters",
]
