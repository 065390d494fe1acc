"""A module for each of the evals of GradBench."""
