"""The names of PyTorch, over tapegrad's own derivatives.

>>> import tapegrad.compat.torch as torch
>>> x = torch.tensor(3.0, requires_grad=True)
>>> (x**2).backward()
>>> x.grad
tensor(6.)
"""

from __future__ import annotations

import math

from tapegrad.compat.torch import creation, random
from tapegrad.compat.torch.core.dtypes import (
    BY_NAME,
    device,
    dtype,
    finfo,
    get_default_dtype,
    iinfo,
    set_default_dtype,
)
from tapegrad.compat.torch.core.formatting import set_printoptions
from tapegrad.compat.torch.core.functions import FUNCTIONS, METHODS, with_out
from tapegrad.compat.torch.core.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from tapegrad.compat.torch.core.size import Size
from tapegrad.compat.torch.core.tensor import Tensor, attach
from tapegrad.compat.torch.devices import (
    Absent,
    Backends,
    compile,
    get_num_threads,
    set_num_threads,
    use_deterministic_algorithms,
)
from tapegrad.compat.torch.random import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from tapegrad.compat.torch.refusals import refusing
from tapegrad.compat.torch.serialization import load, save

attach()
globals().update({k: with_out(f) if k in METHODS else f for k, f in FUNCTIONS.items()})
globals().update(BY_NAME)

from tapegrad.compat.torch import (  # noqa: E402 - they need the functions and the dtypes above
    autograd,
    distributions,
    func,
    linalg,
    nn,
    optim,
    special,
    utils,
)

__all__ = [
    "Generator",
    "Size",
    "Tensor",
    "autograd",
    "backends",
    "compile",
    "cuda",
    "default_generator",
    "device",
    "distributions",
    "dtype",
    "enable_grad",
    "finfo",
    "func",
    "get_default_dtype",
    "get_num_threads",
    "get_rng_state",
    "iinfo",
    "inference_mode",
    "initial_seed",
    "is_grad_enabled",
    "linalg",
    "load",
    "manual_seed",
    "nn",
    "no_grad",
    "optim",
    "random",
    "save",
    "seed",
    "set_default_dtype",
    "set_grad_enabled",
    "set_num_threads",
    "set_printoptions",
    "set_rng_state",
    "special",
    "use_deterministic_algorithms",
    "utils",
    "vmap",
    *FUNCTIONS,
    *BY_NAME,
]

pi, e, inf, nan = math.pi, math.e, math.inf, math.nan
newaxis = None
__version__ = "2.13.0"  # whose numbers the tests compare with
strided = "torch.strided"
contiguous_format = preserve_format = channels_last = None
backends, cuda, mps, xpu = Backends(), Absent("cuda"), Absent("mps"), Absent("xpu")
vmap = func.vmap


FloatTensor, DoubleTensor = creation.of_kind("float32"), creation.of_kind("float64")
LongTensor, IntTensor = creation.of_kind("int64"), creation.of_kind("int32")
BoolTensor, ByteTensor = creation.of_kind("bool"), creation.of_kind("uint8")

_HALF = "tensors are float32 or float64: write torch.float32"
_COMPLEX = "tensors are real: complex numbers are tg.ComplexVariable's (docs/complex.md)"
_TEXT = {
    **dict.fromkeys(("float16", "half", "bfloat16", "HalfTensor", "amp", "autocast"), _HALF),
    **dict.fromkeys(
        ("complex64", "complex128", "cfloat", "cdouble", "complex", "view_as_complex"), _COMPLEX
    ),
    "distributed": "there is one process",
    "jit": "call the function itself",
    "fx": "call the function itself",
    "onnx": "call the function itself",
    "sparse": "tensors are dense: gather, scatter_add and index_add do the same",
    "sparse_coo_tensor": "tensors are dense: gather, scatter_add and index_add do the same",
    "multiprocessing": "tapegrad uses all processors by itself: torch.set_num_threads",
    "fft": "tg's np.fft functions differentiate (docs/fourier.md)",
    "vision": "torchvision is not there",
}
__getattr__ = refusing(__name__, _TEXT)
