"""The functions of scipy.stats.t on Variables."""

from tapegrad.compat.autograd.scipy.forwarding import forwarding

__getattr__, __dir__ = forwarding("stats.t")
