"""What programs extend Autograd with: vector spaces, and functions with rules of their own."""

from tapegrad.compat.autograd.core import VSpace, vspace
from tapegrad.compat.autograd.refusals import refusing
from tapegrad.compat.autograd.tracer import Box, notrace_primitive

__all__ = ["Box", "VSpace", "notrace_primitive", "vspace"]

__getattr__ = refusing(__name__)
