"""Derivatives by the reverse sweep: grad, value_and_grad, elementwise_grad, vjp."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from tapegrad import _core, _tree
from tapegrad._core import Scope, Variable
from tapegrad._tree import Tree
from tapegrad.transforms.trace import (
    Argnum,
    Trace,
    check_callable,
    name_of,
    pack,
    positions,
    through_compile,
    warn_user,
    zeros_for,
)


def grad(
    f: Any = None,
    argnum: Any = 0,
    seeds: Any = None,
    *,
    outputs: Any = None,
    wrt: Any = None,
    record: bool | None = None,
) -> Any:
    """The gradient of a function, or of recorded Variables.

    `grad(f, argnum=0)` returns a function that takes the arguments of `f` and returns the
    gradient of its scalar result with respect to argument `argnum` (a tuple of gradients for a
    tuple of positions). Arguments may be any nesting of dict, list, tuple and dataclass; the
    gradient is built like the argument, each leaf with the argument's shape and dtype.

    `grad(outputs, wrt, seeds=None)` sweeps from Variables: `outputs` and `wrt` are Variables or
    nestings of them, `seeds` holds a cotangent for each output (needed where an output is not a
    scalar). `record=True` records the sweep, so that its result can be differentiated again.

    Raises:
        TypeError: The result is no single number, or an argument has no derivative (a string, a
            flag, an array of integers).

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> tg.grad(lambda x: np.sum(np.sin(x) ** 2))(np.array([0.0, 0.5]))
    array([0.        , 0.84147098])
    >>> tg.grad(lambda p: p["w"] * 2.0 + p["b"])({"w": 1.0, "b": 3.0})
    {'w': 2.0, 'b': 1.0}
    >>> w = tg.Variable(3.0)
    >>> tg.grad(w * w, w)
    6.0
    """
    if outputs is not None or not callable(f):
        return _grad_of_variables(
            f if outputs is None else outputs, argnum if wrt is None else wrt, seeds, record
        )
    compiled = through_compile(f, lambda f: grad(f, argnum))
    if compiled is not None:
        return compiled
    name = name_of(f)
    label = f"grad({name})"

    @wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return _value_and_grad("grad", label, name, f, argnum, args, kwargs)[1]

    return gradient


def value_and_grad(f: Callable[..., Any], argnum: Argnum = 0) -> Callable[..., tuple[Any, Any]]:
    """Like `grad(f, argnum)`, but returns the pair (value, gradient).

    >>> import tapegrad as tg
    >>> tg.value_and_grad(lambda x: x**3)(2.0)
    (8.0, 12.0)
    """
    check_callable("value_and_grad", f, "tg.value_and_grad(f)(x)")
    compiled = through_compile(f, lambda f: value_and_grad(f, argnum))
    if compiled is not None:
        return compiled  # type: ignore[no-any-return]  # has the same signature
    name = name_of(f)
    label = f"value_and_grad({name})"

    @wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        return _value_and_grad("value_and_grad", label, name, f, argnum, args, kwargs)

    return value_and_gradient


def elementwise_grad(f: Callable[..., Any], argnum: Argnum = 0) -> Callable[..., Any]:
    """The gradient of the sum of all outputs of `f`.

    For a function that works on each element by itself, that is its derivative at each element.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> tg.elementwise_grad(np.tanh)(np.array([0.0, 1.0]))
    array([1.        , 0.41997434])
    """
    check_callable("elementwise_grad", f, "tg.elementwise_grad(f)(x)")
    compiled = through_compile(f, lambda f: elementwise_grad(f, argnum))
    if compiled is not None:
        return compiled  # type: ignore[no-any-return]  # has the same signature
    label = f"elementwise_grad({name_of(f)})"

    @wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        argnums, single = positions(label, argnum, args)
        with Scope() as scope:
            trace = Trace(label, scope, f, args, kwargs, argnums)
            outs = differentiable_outputs(trace)
            if _core.tracing():  # a seed of ones would hold for its length alone
                found = trace.like_arguments(reverse(trace, [np.sum(out) for out in outs], None))
            else:
                seeds = [ones_for(out) for out in outs]
                found = trace.like_arguments(reverse(trace, outs, seeds))
        return found[0] if single else tuple(found)

    return gradient


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of `f(*primals)` and its pullback.

    `pullback(cotangent)` takes a cotangent built like the value and returns a tuple with the
    product of cotangent and Jacobian for each argument. It may be called many times.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> value, pullback = tg.vjp(lambda x, y: x * y, np.array([1.0, 2.0]), 3.0)
    >>> value
    array([3., 6.])
    >>> pullback(np.array([1.0, 10.0]))
    (array([ 3., 30.]), 21.0)
    """
    check_callable("vjp", f, "tg.vjp(f, x)")
    label = f"vjp({name_of(f)})"
    with Scope() as scope:
        trace = Trace(label, scope, f, primals, {}, range(len(primals)))
        value = trace.result(trace.out)

    held = any(isinstance(x, Variable) for _, x in _tree.leaves(value))

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        matched = _tree.match(trace.out, pack(cotangent), "the cotangent", "the value")
        outs, seeds = [], []
        for (_, out), (path, seed) in zip(_tree.leaves(trace.out), matched, strict=True):
            checked = _check_seed(f"{label}: {path}", seed, shape_of(out))
            if isinstance(out, Variable):
                outs.append(out)
                seeds.append(checked)
        if not outs or not trace.variables:
            return tuple(trace.like_arguments(reverse(trace, outs, seeds)))
        # The scope is closed: record where the result depends on something outside.
        record = held or any(isinstance(seed, Variable) for seed in seeds)
        return tuple(trace.like_arguments(_core.grad(outs, trace.variables, seeds, record)))

    return value, pullback


def _value_and_grad(
    transform: str,
    label: str,
    name: str,
    f: Callable[..., Any],
    argnum: Argnum,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[Any, Any]:
    argnums, single = positions(label, argnum, args)
    with Scope() as scope:
        trace = Trace(label, scope, f, args, kwargs, argnums)
        out = scalar_output(transform, name, trace.out)
        outs = [out] if isinstance(out, Variable) else []
        seeds = [ones_for(out)] if outs and out.ndim else None  # an array of one element
        found = trace.like_arguments(reverse(trace, outs, seeds))
        value = scope.result(out) if outs else out
    return value, found[0] if single else tuple(found)


def scalar_output(transform: str, name: str, out: Any) -> Any:
    """`out` if it is one number, which is all that a gradient is made from."""
    if isinstance(out, Variable):
        if out.ndim == 0 or out.size == 1:
            return out
        shape = tuple(out.shape)
    elif isinstance(out, (int, float, np.number)):
        return out
    elif isinstance(out, np.ndarray) and out.dtype.kind in "fiu":
        if out.size == 1:
            return out
        shape = out.shape
    else:
        hint = "is the return missing?" if out is None else "return one number"
        raise TypeError(f"{transform}: {name} returned {_tree.describe(out)}; {hint}")
    raise TypeError(
        f"{transform}: {name} returned shape {shape}, and a gradient needs a single number: "
        f"return np.sum(...) of it, or call tg.jacobian({name}) for every derivative, "
        f"tg.elementwise_grad({name}) for the derivative of its sum"
    )


def reverse(trace: Trace, outs: list[Variable], seeds: list[Any] | None) -> list[Any]:
    """The gradient at each of the trace's variables; zeros and a warning where nothing flows."""
    if not trace.variables:
        return []
    if not outs:
        warn_constant(trace)
        return [zeros_for(v) for v in trace.variables]
    gradients = trace.scope.grad(outs, trace.variables, seeds)
    if not trace.scope.reached:
        warn_constant(trace)
    return gradients


def warn_constant(trace: Trace) -> None:
    """Warns that the result does not depend on what is differentiated."""
    warn_user(
        f"{trace.label}: the result does not depend on the differentiated argument, so its "
        "derivative is zero. If it should, look for a value taken outside the record (tg.value, "
        "tg.stop_gradient, int(), a comparison)."
    )


def differentiable_outputs(trace: Trace) -> list[Variable]:
    """The Variables in the result; raises TypeError for a result that is no number at all."""
    found = _tree.leaves(trace.out, "the result")
    if not found:
        raise TypeError(
            f"{trace.label}: the function returned {_tree.describe(trace.out)}; "
            "is the return missing?"
        )
    for path, x in found:
        if not isinstance(x, (Variable, np.ndarray, np.generic, int, float)) or (
            isinstance(x, np.ndarray) and x.dtype.kind not in "fiub"
        ):
            raise TypeError(
                f"{trace.label}: {path} is {_tree.describe(x)}; return numbers and arrays, in "
                "dicts, lists, tuples or dataclasses"
            )
    return [x for _, x in found if isinstance(x, Variable)]


def ones_for(out: Variable) -> Any:
    """The seed that sums all elements of `out`."""
    return np.ones(out.shape, out.dtype) if out.ndim else 1.0


def _check_seed(label: str, seed: Any, shape: tuple[int, ...]) -> Any:
    if isinstance(seed, int) and not isinstance(seed, bool):
        seed = float(seed)
    if isinstance(seed, np.ndarray) and seed.dtype.kind in "iu":
        seed = seed.astype(float)
    if isinstance(seed, (np.ndarray, np.floating, float, Variable)) and (
        not isinstance(seed, np.ndarray) or seed.dtype.kind == "f"
    ):
        given = tuple(seed.shape) if isinstance(seed, (np.ndarray, Variable)) else ()
        if given == tuple(shape):
            return seed
        raise ValueError(
            f"{label} has shape {given}, and must have the shape {tuple(shape)} of what it belongs "
            "to; np.broadcast_to makes it so"
        )
    raise TypeError(f"{label} is {_tree.describe(seed)}; pass a float or an array of floats")


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a Variable, an array or a number."""
    return tuple(x.shape) if isinstance(x, Variable) else np.shape(x)


def check_seeds(label: str, like: list[Any], matched: list[tuple[str, Any]]) -> list[Any]:
    """Each of `matched` as a float or float array, with the shape of its counterpart."""
    return [
        _check_seed(f"{label}: {path}", seed, x.shape)
        for (path, seed), x in zip(matched, like, strict=True)
    ]


def _grad_of_variables(outputs: Tree, wrt: Tree, seeds: Tree, record: bool | None) -> Any:
    outs = _variables("output", "outputs", pack(outputs))
    if wrt is None or isinstance(wrt, int):
        raise TypeError(
            "grad: say with respect to which Variables: tg.grad(loss, w) or tg.grad(loss, [w, b]); "
            "for a function, tg.grad(f)(x)"
        )
    targets = _variables("wrt", "wrt", wrt)
    starts = None
    if seeds is not None:
        matched = _tree.match(outputs, pack(seeds), "seeds", "outputs")
        starts = check_seeds("grad", outs, matched)
    found = _core.grad(outs, targets, starts, record)
    return _tree.fill(wrt, iter(found))


def _variables(path: str, what: str, tree: Tree) -> list[Variable]:
    found = _tree.leaves(tree, path)
    for where, x in found:
        if not isinstance(x, Variable):
            raise TypeError(
                f"grad: {where} is {_tree.describe(x)}, not a Variable; call tg.grad(outputs, wrt) "
                "with recorded Variables, or tg.grad(f)(x) with a function"
            )
    if not found:
        raise TypeError(f"grad: {what} holds no Variable; call tg.grad(loss, [w, b])")
    return [x for _, x in found]
