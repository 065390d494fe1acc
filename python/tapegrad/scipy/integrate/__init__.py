"""scipy.integrate with derivatives; what has none here is SciPy's own."""

from tapegrad.scipy.functions import others_of
from tapegrad.scipy.integrate.adaptive import quad
from tapegrad.scipy.integrate.initial_values import odeint, solve_ivp
from tapegrad.scipy.integrate.sampled import (
    cumulative_simpson,
    cumulative_trapezoid,
    fixed_quad,
    romb,
    simpson,
    trapezoid,
)

__all__ = [
    "cumulative_simpson",
    "cumulative_trapezoid",
    "fixed_quad",
    "odeint",
    "quad",
    "romb",
    "simpson",
    "solve_ivp",
    "trapezoid",
]

__getattr__ = others_of("scipy.integrate")
