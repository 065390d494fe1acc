"""Deferred expressions, on which the names of graph libraries are laid."""
