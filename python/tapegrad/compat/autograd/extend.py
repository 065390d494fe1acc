"""What programs extend Autograd with: vector spaces, and functions with rules of their own."""

from tapegrad.compat.autograd.primitives import (
    JVPNode,
    VJPNode,
    def_linear,
    defjvp,
    defjvp_argnum,
    defjvp_argnums,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
    primitive,
    register_notrace,
)
from tapegrad.compat.autograd.refusals import refusing
from tapegrad.compat.autograd.tracer import Box, notrace_primitive
from tapegrad.compat.autograd.vspaces import VSpace, vspace

__all__ = [
    "Box",
    "JVPNode",
    "VJPNode",
    "VSpace",
    "def_linear",
    "defjvp",
    "defjvp_argnum",
    "defjvp_argnums",
    "defvjp",
    "defvjp_argnum",
    "defvjp_argnums",
    "notrace_primitive",
    "primitive",
    "register_notrace",
    "vspace",
]

__getattr__ = refusing(__name__)
