"""`tf.keras`: its optimisers; its models are written as functions of variables."""

from __future__ import annotations

from tapegrad.compat.tensorflow.refusals import refusing
from tapegrad.compat.tensorflow.v2 import optimizers

__all__ = ["optimizers"]

__getattr__ = refusing("keras", dict.fromkeys(__all__))
