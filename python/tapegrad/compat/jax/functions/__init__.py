"""JAX's functions of functions."""
