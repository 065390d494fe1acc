"""Tensors: arrays and Variables under PyTorch's habits."""
