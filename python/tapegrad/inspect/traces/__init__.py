"""What a table of a computation trace is made of."""
