"""jax.example_libraries: optimizers."""
