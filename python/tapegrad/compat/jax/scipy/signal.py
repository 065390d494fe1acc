"""jax.scipy.signal."""

from tapegrad.compat.jax.scipy.forwarding import module_of

__getattr__, __dir__ = module_of("signal")
