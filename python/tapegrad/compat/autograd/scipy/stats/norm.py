"""The functions of scipy.stats.norm on Variables."""

from tapegrad.compat.autograd.scipy.forwarding import forwarding

__getattr__, __dir__ = forwarding("stats.norm")
