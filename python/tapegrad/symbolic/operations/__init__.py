"""What the operations of the registry are over SymPy expressions."""
