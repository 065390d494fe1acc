"""Other libraries' names for what tapegrad does: a program moves by changing its import."""
