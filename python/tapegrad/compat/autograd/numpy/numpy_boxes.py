"""ArrayBox: what Autograd's programs ask for where they test for a traced array."""

from tapegrad.compat.autograd.refusals import refusing
from tapegrad.compat.autograd.tracer import ArrayBox, Box

__all__ = ["ArrayBox", "Box"]

__getattr__ = refusing(__name__)
