"""What a compiled function reads besides its arguments, and whether it is still the same."""
