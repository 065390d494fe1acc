"""What the universal functions of scipy.special do with Variables."""
