"""jax.scipy.linalg."""

from tapegrad.compat.jax.scipy.forwarding import module_of

__getattr__, __dir__ = module_of("linalg")
