"""Gradients as nodes, steps of optimisers, files."""
