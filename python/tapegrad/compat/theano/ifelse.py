"""`theano.ifelse`: a choice of which one side is computed."""

from tapegrad.compat.theano.scan import ifelse

__all__ = ["ifelse"]
