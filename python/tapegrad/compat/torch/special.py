"""`torch.special`: functions of elements under SciPy's names."""

from __future__ import annotations

from typing import Any

from tapegrad.compat.torch.core.call import call
from tapegrad.compat.torch.core.functions.elementwise import applied
from tapegrad.compat.torch.core.functions.reductions import log_softmax, logsumexp, softmax
from tapegrad.compat.torch.core.registry import FUNCTIONS
from tapegrad.compat.torch.refusals import refusing

__getattr__ = refusing(__name__)

erf, erfc, exp2, expm1 = (FUNCTIONS[k] for k in ("erf", "erfc", "exp2", "expm1"))
expit, logit, log1p, xlogy = (FUNCTIONS[k] for k in ("sigmoid", "logit", "log1p", "xlogy"))
gammaln, digamma = FUNCTIONS["lgamma"], FUNCTIONS["digamma"]
psi = digamma

__all__ = [
    "digamma", "entr", "erf", "erfc", "exp2", "expit", "expm1", "gammaln", "log1p", "log_ndtr",
    "log_softmax", "logit", "logsumexp", "ndtr", "psi", "softmax", "xlogy",
]  # fmt: skip


def ndtr(input: Any) -> Any:
    """The normal distribution function."""
    return call("SpecialNdtr", applied("ndtr"), input)


def log_ndtr(input: Any) -> Any:
    """The logarithm of the normal distribution function."""
    return ndtr(input).log()


def entr(input: Any) -> Any:
    """`-x log(x)`."""
    return call("SpecialEntr", applied("entr"), input)
