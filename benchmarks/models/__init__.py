"""Models in several spellings: a file for each family, with a list MODELS."""
