"""Names of TensorFlow's that are not there, and what is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

_REMEDIES = {
    "contrib": "tf.layers, tf.nn and tf.train have what programs take from it most: "
    "tf.glorot_uniform_initializer for xavier_initializer, tf.nn.l2_loss for l2_regularizer",
    "keras.Model": "write the model as a function of tf.Variables; tf.GradientTape gives gradients "
    "and tf.keras.optimizers takes the steps",
    "keras.Sequential": "write layers as functions of variables, tf.nn.relu(tf.matmul(x, w) + b)",
    "keras.layers": "write layers as functions of variables, tf.nn.relu(tf.matmul(x, w) + b)",
    "keras.losses": "write the mean of tf.square(y - z), or of a cross entropy of tf.nn",
    "keras.metrics": "write the mean of what counts: tf.reduce_mean(tf.abs(y - z))",
    "keras.activations": "tf.nn has relu, softmax and others; tf.tanh and tf.sigmoid are there",
    "keras.initializers": "tf.random.normal(shape), tf.zeros(shape) and others are first values",
    "keras.regularizers": "tf.nn.l2_loss(w) is half the sum of squares, to be added to the loss",
    "keras.datasets": "read files with NumPy: np.load",
    "keras.utils": "tf.one_hot(labels, n) makes vectors of classes",
    "keras.Input": "in version 2 functions take arguments: write def f(x)",
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


# So many names are listed; of more, those like the one that was asked for.
_FEW = 12
_PAGE = "docs/moving_from_tensorflow.md"


def refusing(
    where: str, names: Callable[[], Iterable[str]] | Mapping[str, Any]
) -> Callable[[str], Any]:
    """The `__getattr__` of a module: says which names there are, or where they are listed."""

    def missing(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        module = f"tf.{where}" if where else "tf"
        remedy = _REMEDIES.get(f"{where}.{name}", _REMEDIES.get(name))
        if remedy:
            raise AttributeError(f"{module}.{name} is not there: {remedy}")
        from difflib import get_close_matches

        own = sorted(_public(names() if callable(names) else names))
        close = get_close_matches(name, own, 3, 0.6)
        hint = f"; did you mean {', '.join(close)}?" if close else ";"
        listed = (
            f"there are: {', '.join(own)}"
            if len(own) <= _FEW
            else f"{_PAGE} and dir({module}) list what there is"
        )
        raise AttributeError(f"{module}.{name} is not there{hint} {listed}")

    return missing


def _public(names: Iterable[str]) -> list[str]:
    skipped = {
        "annotations",
        "Any",
        "Callable",
        "Sequence",
        "Mapping",
        "Iterable",
        "Iterator",
        "np",
        "refusing",
        "tg",
    }
    return [n for n in names if not n.startswith("_") and n not in skipped]
