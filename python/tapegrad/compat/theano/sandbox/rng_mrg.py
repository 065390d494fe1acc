"""`theano.sandbox.rng_mrg`: the same streams under another name."""

from tapegrad.compat.theano.tensor.shared_randomstreams import MRG_RandomStreams, RandomStreams

__all__ = ["MRG_RandomStreams", "RandomStreams"]
