"""The functions of scipy.stats.chi2 on Variables."""

from tapegrad.compat.autograd.scipy.forwarding import forwarding

__getattr__, __dir__ = forwarding("stats.chi2")
