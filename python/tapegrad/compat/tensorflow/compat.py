"""`tf.compat`: both versions by name, `tf.compat.v1` and `tf.compat.v2`."""

from __future__ import annotations

from tapegrad.compat import tensorflow as v1
from tapegrad.compat.tensorflow import v2
from tapegrad.compat.tensorflow.refusals import refusing

__all__ = ["v1", "v2"]

__getattr__ = refusing("compat", dict.fromkeys(__all__))
