"""The functions of scipy.stats.multivariate_normal on Variables."""

from tapegrad.compat.autograd.scipy.forwarding import forwarding

__getattr__, __dir__ = forwarding("stats.multivariate_normal")
