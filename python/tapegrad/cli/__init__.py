"""The command line: `tapegrad fit` and the demonstration."""
