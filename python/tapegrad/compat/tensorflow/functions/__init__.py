"""Functions of tensors: of graphs and, at once, of eager tensors."""
