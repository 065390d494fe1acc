"""Names of TensorFlow's that are not there, and what is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_REMEDIES = {
    "contrib": "tf.layers, tf.nn and tf.train have what programs take from it most: "
    "tf.glorot_uniform_initializer for xavier_initializer, tf.nn.l2_loss for l2_regularizer",
    "keras": "tapegrad.compat.tensorflow.v2.optimizers has its optimisers",
    "data": "feed NumPy arrays, of which x[i:j] is a batch",
    "summary": "sess.run(loss) gives numbers; keep them in a list",
    "estimator": "write the loop: for batch in batches: sess.run(train, feed_dict=...)",
    "image": "prepare images with NumPy or SciPy before they are fed",
    "app": "call main() yourself",
    "flags": "argparse of the standard library",
    "logging": "logging of the standard library",
    "gfile": "open() of Python",
    "device": "there is one device; leave the `with` out",
    "SparseTensor": "feed a dense array, or indices for tf.nn.embedding_lookup",
    "placeholder": "in version 2 functions take arguments: write def f(x)",
    "Session": "in version 2 tensors have their values at once",
    "float16": "float32 and float64 have derivatives",
    "half": "float32 and float64 have derivatives",
    "complex64": "tapegrad differentiates complex numbers in NumPy programs: tg.grad(f)",
    "complex128": "tapegrad differentiates complex numbers in NumPy programs: tg.grad(f)",
    "string": "feed numbers",
    "function": "tg.compile(f) compiles functions of NumPy's arrays",
    "SyncReplicasOptimizer": "there is one machine",
    "MonitoredTrainingSession": "tf.Session, and tf.train.Saver to save what it holds",
    "AdagradDAOptimizer": "tf.train.AdagradOptimizer",
    "ProximalGradientDescentOptimizer": "tf.train.FtrlOptimizer has regularisation",
    "ProximalAdagradOptimizer": "tf.train.FtrlOptimizer has regularisation",
}


def refusing(where: str, names: Mapping[str, Any]) -> Callable[[str], Any]:
    """The `__getattr__` of a module: says which names there are."""

    def missing(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        shown = f"tf.{where}.{name}" if where else f"tf.{name}"
        if name in _REMEDIES:
            raise AttributeError(f"{shown} is not there: {_REMEDIES[name]}")
        from difflib import get_close_matches

        own = [n for n in names if not n.startswith("_")]
        close = get_close_matches(name, own, 3, 0.6)
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        raise AttributeError(
            f"{shown} is not there{hint} There are: {', '.join(sorted(_public(names)))}"
        )

    return missing


def _public(names: Mapping[str, Any]) -> list[str]:
    skipped = {"annotations", "Any", "Callable", "Sequence", "Mapping", "Iterator", "np", "tg"}
    return [n for n in names if not n.startswith("_") and n not in skipped]
