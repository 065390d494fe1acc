"""TensorFlow's names: those of version 1, in which a graph is made first and run later.

>>> import tapegrad.compat.tensorflow as tf
>>> x, w = tf.placeholder("float"), tf.Variable(2.0)
>>> y = x * w**2
>>> (slope,) = tf.gradients(y, [w])
>>> with tf.Session() as sess:
...     sess.run(tf.global_variables_initializer())
...     print(sess.run([y, slope], feed_dict={x: 3.0}))
[np.float64(12.0), np.float64(12.0)]
"""

from __future__ import annotations

from typing import Any

from tapegrad.compat.tensorflow import errors
from tapegrad.compat.tensorflow.dispatch import Mode as _Mode
from tapegrad.compat.tensorflow.dtypes import (
    DType,
    as_dtype,
    double,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from tapegrad.compat.tensorflow.dtypes import bool_ as bool
from tapegrad.compat.tensorflow.functions import (
    initializers,
    layers,
    linalg,
    losses,
    math,
    nn,
    random,
)
from tapegrad.compat.tensorflow.functions.arrays import (
    boolean_mask,
    broadcast_to,
    cast,
    concat,
    expand_dims,
    eye,
    fill,
    gather,
    gather_nd,
    identity,
    lin_space,
    linspace,
    matrix_transpose,
    one_hot,
    ones,
    ones_like,
    pack,
    pad,
    rank,
    reshape,
    reverse,
    sequence_mask,
    shape,
    size,
    split,
    squeeze,
    stack,
    stop_gradient,
    tile,
    to_double,
    to_float,
    to_int32,
    to_int64,
    transpose,
    unpack,
    unstack,
    where,
    zeros,
    zeros_like,
)
from tapegrad.compat.tensorflow.functions.arrays import range_ as range
from tapegrad.compat.tensorflow.functions.arrays import slice_ as slice
from tapegrad.compat.tensorflow.functions.control import (
    Print,
    case,
    cond,
    control_dependencies,
    foldl,
    foldr,
    group,
    map_fn,
    no_op,
    py_func,
    scan,
    while_loop,
)
from tapegrad.compat.tensorflow.functions.control import tuple_ as tuple
from tapegrad.compat.tensorflow.functions.initializers import (
    constant_initializer,
    glorot_normal_initializer,
    glorot_uniform_initializer,
    ones_initializer,
    orthogonal_initializer,
    random_normal_initializer,
    random_uniform_initializer,
    truncated_normal_initializer,
    variance_scaling_initializer,
    zeros_initializer,
)
from tapegrad.compat.tensorflow.functions.linalg import (
    cholesky,
    diag,
    diag_part,
    matrix_determinant,
    matrix_inverse,
    matrix_solve,
    norm,
    trace,
)
from tapegrad.compat.tensorflow.functions.math import (
    abs,
    acos,
    acosh,
    add,
    add_n,
    argmax,
    argmin,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    ceil,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    cos,
    cosh,
    cumprod,
    cumsum,
    div,
    divide,
    einsum,
    equal,
    exp,
    expm1,
    floor,
    floor_div,
    floordiv,
    floormod,
    global_norm,
    greater,
    greater_equal,
    is_finite,
    is_inf,
    is_nan,
    less,
    less_equal,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    matmul,
    maximum,
    minimum,
    mod,
    mul,
    multiply,
    neg,
    negative,
    not_equal,
    pow,
    realdiv,
    reciprocal,
    reduce_all,
    reduce_any,
    reduce_logsumexp,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_prod,
    reduce_sum,
    rint,
    round,
    rsqrt,
    sigmoid,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    squared_difference,
    sub,
    subtract,
    tan,
    tanh,
    tensordot,
    truediv,
)
from tapegrad.compat.tensorflow.functions.random import (
    multinomial,
    random_normal,
    random_shuffle,
    random_uniform,
    set_random_seed,
    truncated_normal,
)
from tapegrad.compat.tensorflow.lengths import Dimension, TensorShape
from tapegrad.compat.tensorflow.refusals import refusing as _refusing
from tapegrad.compat.tensorflow.scopes import (
    AUTO_REUSE,
    VariableScope,
    get_variable,
    get_variable_scope,
    variable_scope,
)
from tapegrad.compat.tensorflow.session import InteractiveSession, Session, get_default_session
from tapegrad.compat.tensorflow.tensors import (
    Graph,
    Operation,
    Tensor,
    constant,
    convert_to_tensor,
    get_default_graph,
    placeholder,
    placeholder_with_default,
    reset_default_graph,
)
from tapegrad.compat.tensorflow.training import train
from tapegrad.compat.tensorflow.training.gradients import (
    AggregationMethod,
    UnconnectedGradients,
    gradients,
    hessians,
)
from tapegrad.compat.tensorflow.variables import (
    GraphKeys,
    Variable,
    add_to_collection,
    assign,
    assign_add,
    assign_sub,
    get_collection,
    global_variables,
    global_variables_initializer,
    is_variable_initialized,
    local_variables,
    local_variables_initializer,
    report_uninitialized_variables,
    scatter_add,
    scatter_sub,
    scatter_update,
    trainable_variables,
    variables_initializer,
)

initialize_all_variables = global_variables_initializer
all_variables = global_variables
__version__ = "1.15.0"
VERSION = __version__


class ConfigProto:
    """Settings of a session, of which none has an effect."""

    def __init__(self, **settings: Any) -> None:
        self.gpu_options = type("GPUOptions", (), {})()
        for name, value in settings.items():
            setattr(self, name, value)


class GPUOptions:
    """Settings of a device that is not there."""

    def __init__(self, **settings: Any) -> None:
        for name, value in settings.items():
            setattr(self, name, value)


def name_scope(name: str | None, default_name: str | None = None, values: Any = None) -> Any:
    """Names of nodes made inside begin with `name/`."""
    return get_default_graph().name_scope(default_name if name is None else name)


def executing_eagerly() -> Any:
    """Whether tensors have their values at once."""
    return _Mode.eager


def enable_eager_execution(*_: Any, **__: Any) -> None:
    """From here on tensors have their values at once, as in version 2."""
    from tapegrad.compat.tensorflow import v2

    v2.enable()


def disable_v2_behavior() -> None:
    """Graphs are made first and run later: the way this module works anyway."""
    _Mode.set_everywhere(False)


disable_eager_execution = disable_v2_behavior


_MODULES = ("compat", "v2")
_OF_VERSION_2 = ("GradientTape", "custom_gradient", "keras", "optimizers")


def __getattr__(name: str) -> Any:
    if name in _MODULES or name in _OF_VERSION_2:
        from importlib import import_module

        module = name if name in _MODULES else "v2"
        found = import_module(f"tapegrad.compat.tensorflow.{module}")
        return found if name in _MODULES else getattr(found, name)
    return _missing(name)


def __dir__() -> list[str]:
    return sorted({*__all__, *_MODULES, *_OF_VERSION_2, "__version__"})


_missing = _refusing("", __dir__)
__all__ = [n for n in globals() if not n.startswith("_") and n not in ("annotations", "Any")]
