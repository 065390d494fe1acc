"""Functions that do not act on both parts alike; importing this registers them."""

from tapegrad.complex.families import (  # noqa: F401 - they register functions
    decompositions,
    elements,
    fourier,
    linear_algebra,
    missing,
    order,
    polynomials,
    products,
    reductions,
    writes,
)
