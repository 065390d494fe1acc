"""Transforms of functions: gradients, Jacobians, vmap, scan, checkpoint."""
