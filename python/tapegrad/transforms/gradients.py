"""Derivatives by the reverse sweep: grad, value_and_grad, elementwise_grad, vjp."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, overload

import numpy as np

from tapegrad import _core, _tree
from tapegrad._core import Scope, Variable, gradient_of_call
from tapegrad._tree import Tree
from tapegrad.transforms.results import (
    check_seed,
    check_seeds,
    differentiable_outputs,
    ones_for,
    scalar_output,
    shape_of,
)
from tapegrad.transforms.trace import (
    Argnum,
    Trace,
    check_callable,
    conjugated,
    name_of,
    one_argnum,
    pack,
    positions,
    through_compile,
    warn_of_type_tests,
    warn_user,
    zeros_for,
)
from tapegrad.transforms.transformed import Transformed

if TYPE_CHECKING:
    from tapegrad.compile.compiled import Compiled

P = ParamSpec("P")
R = TypeVar("R")
Pullback = Callable[[Any], tuple[Any, ...]]


@overload
def grad(
    f: Compiled[P, Any],
    argnum: Argnum | None = None,
    *,
    argnums: Argnum | None = None,
    has_aux: bool = False,
) -> Compiled[P, Any]: ...
@overload
def grad(
    f: Callable[P, Any],
    argnum: Argnum | None = None,
    *,
    argnums: Argnum | None = None,
    has_aux: Literal[True],
) -> Callable[P, tuple[Any, Any]]: ...
@overload
def grad(
    f: Callable[P, Any],
    argnum: Argnum | None = None,
    *,
    argnums: Argnum | None = None,
    has_aux: bool = False,
) -> Callable[P, Any]: ...
@overload
def grad(
    f: Any = None,
    argnum: Any = None,
    seeds: Any = None,
    *,
    outputs: Any = None,
    wrt: Any = None,
    record: bool | None = None,
) -> Any: ...
def grad(
    f: Any = None,
    argnum: Any = None,
    seeds: Any = None,
    *,
    argnums: Argnum | None = None,
    has_aux: bool = False,
    outputs: Any = None,
    wrt: Any = None,
    record: bool | None = None,
) -> Any:
    """The gradient of a function, or of recorded Variables.

    `grad(f, argnum=0)` returns a function that takes the arguments of `f` and returns the
    gradient of its scalar result with respect to argument `argnum` (a tuple of gradients for a
    tuple of positions). Arguments may be any nesting of dict, list, tuple and dataclass; the
    gradient is built like the argument, each leaf with the argument's shape and dtype.
    `argnums` is another name of `argnum`. With `has_aux=True`, `f` returns a pair (value, aux), and
    the gradient function the pair (gradient, aux): `aux` may be anything.

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
    argnum = one_argnum("grad", argnum, argnums)
    warn_of_type_tests("grad", f)
    settings = {"argnum": argnum, "has_aux": has_aux}
    compiled = through_compile(f, grad, settings)
    if compiled is not None:
        return compiled
    name = name_of(f)
    label = f"grad({name})"

    def rest(scope: Scope, chosen: Any, variable: Variable, out: Any) -> Any:
        trace = Trace.of_call(label, scope, chosen, variable, out)
        return _swept("grad", name, trace, False)[1][0]

    usual = argnum if type(argnum) is int and argnum >= 0 and not has_aux else None

    def gradient(*args: Any, **kwargs: Any) -> Any:
        if usual is not None:
            found = gradient_of_call(f, args, kwargs, usual, False, rest)
            if found is not NotImplemented:
                return found
        value, found = _value_and_grad("grad", label, name, f, argnum, has_aux, args, kwargs)
        return (found, value[1]) if has_aux else found

    return Transformed(grad, f, settings, gradient)


@overload
def value_and_grad(
    f: Compiled[P, R],
    argnum: Argnum | None = None,
    *,
    argnums: Argnum | None = None,
    has_aux: bool = False,
) -> Compiled[P, tuple[R, Any]]: ...
@overload
def value_and_grad(
    f: Callable[P, R],
    argnum: Argnum | None = None,
    *,
    argnums: Argnum | None = None,
    has_aux: bool = False,
) -> Callable[P, tuple[R, Any]]: ...
def value_and_grad(
    f: Callable[P, R],
    argnum: Argnum | None = None,
    *,
    argnums: Argnum | None = None,
    has_aux: bool = False,
) -> Callable[P, tuple[R, Any]]:
    """Like `grad(f, argnum)`, but returns the pair (value, gradient).

    With `has_aux=True`, `f` returns a pair (value, aux), and the result is the pair of that pair
    and the gradient.

    >>> import tapegrad as tg
    >>> tg.value_and_grad(lambda x: x**3)(2.0)
    (8.0, 12.0)
    """
    check_callable("value_and_grad", f, "tg.value_and_grad(f)(x)")
    argnum = one_argnum("value_and_grad", argnum, argnums)
    settings = {"argnum": argnum, "has_aux": has_aux}
    compiled = through_compile(f, value_and_grad, settings)
    if compiled is not None:
        return compiled  # type: ignore[no-any-return]  # has the same signature
    name = name_of(f)
    label = f"value_and_grad({name})"

    def rest(scope: Scope, chosen: Any, variable: Variable, out: Any) -> tuple[Any, Any]:
        trace = Trace.of_call(label, scope, chosen, variable, out)
        value, found = _swept("value_and_grad", name, trace, False)
        return value, found[0]

    usual = argnum if type(argnum) is int and argnum >= 0 and not has_aux else None

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        if usual is not None:
            found = gradient_of_call(f, args, kwargs, usual, True, rest)
            if found is not NotImplemented:
                return found  # type: ignore[no-any-return]  # a pair
        return _value_and_grad("value_and_grad", label, name, f, argnum, has_aux, args, kwargs)

    return Transformed(value_and_grad, f, settings, value_and_gradient)


@overload
def elementwise_grad(
    f: Compiled[P, Any], argnum: Argnum | None = None, *, argnums: Argnum | None = None
) -> Compiled[P, Any]: ...
@overload
def elementwise_grad(
    f: Callable[P, Any], argnum: Argnum | None = None, *, argnums: Argnum | None = None
) -> Callable[P, Any]: ...
def elementwise_grad(
    f: Callable[..., Any], argnum: Argnum | None = None, *, argnums: Argnum | None = None
) -> Callable[..., Any]:
    """The gradient of the sum of all outputs of `f`.

    For a function that works on each element by itself, that is its derivative at each element.
    Of complex outputs, the real parts are summed: for a holomorphic function that is df/dz.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> tg.elementwise_grad(np.tanh)(np.array([0.0, 1.0]))
    array([1.        , 0.41997434])
    """
    check_callable("elementwise_grad", f, "tg.elementwise_grad(f)(x)")
    argnum = one_argnum("elementwise_grad", argnum, argnums)
    settings = {"argnum": argnum}
    compiled = through_compile(f, elementwise_grad, settings)
    if compiled is not None:
        return compiled  # type: ignore[no-any-return]  # has the same signature
    label = f"elementwise_grad({name_of(f)})"

    def gradient(*args: Any, **kwargs: Any) -> Any:
        argnums, single = positions(label, argnum, args)
        with Scope() as scope:
            trace = Trace(label, scope, f, args, kwargs, argnums)
            trace.out = _tree.map_complex(lambda z: z.real, trace.out)
            outs = differentiable_outputs(trace)
            if _core.tracing():  # a seed of ones would hold for its length alone
                found = trace.gradients(reverse(trace, [np.sum(out) for out in outs], None))
            else:
                seeds = [ones_for(out) for out in outs]
                found = trace.gradients(reverse(trace, outs, seeds))
        return found[0] if single else tuple(found)

    return Transformed(elementwise_grad, f, settings, gradient)


@overload
def vjp(f: Callable[..., R], *primals: Any) -> tuple[R, Pullback]: ...
@overload
def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool) -> tuple[Any, ...]: ...
def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of `f(*primals)` and its pullback.

    `pullback(cotangent)` takes a cotangent built like the value and returns a tuple with the
    product of cotangent and Jacobian for each argument. It may be called many times.
    With `has_aux=True`, `f` returns a pair (value, aux), and the result is (value, pullback, aux).

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
        trace = Trace(label, scope, f, primals, {}, range(len(primals)), has_aux)
        value, aux = trace.result(trace.out), trace.aux_result() if has_aux else None

    held = any(isinstance(x, Variable) for _, x in _tree.leaves(value))

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        seed = _tree.map_complex(conjugated, pack(cotangent))
        matched = _tree.match(trace.out, seed, "the cotangent", "the value", label)
        outs, seeds = [], []
        for (_, out), (path, seed) in zip(_tree.leaves(trace.out), matched, strict=True):
            checked = check_seed(f"{label}: {path}", seed, shape_of(out))
            if isinstance(out, Variable):
                outs.append(out)
                seeds.append(checked)
        if not outs or not trace.variables:
            return tuple(trace.gradients(reverse(trace, outs, seeds)))
        # The scope is closed: record where the result depends on something outside.
        record = held or any(isinstance(seed, Variable) for seed in seeds)
        return tuple(trace.gradients(_core.grad(outs, trace.variables, seeds, record)))

    return (value, pullback, aux) if has_aux else (value, pullback)


def _value_and_grad(
    transform: str,
    label: str,
    name: str,
    f: Callable[..., Any],
    argnum: Argnum,
    has_aux: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[Any, Any]:
    argnums, single = positions(label, argnum, args)
    with Scope() as scope:
        trace = Trace(label, scope, f, args, kwargs, argnums, has_aux)
        value, found = _swept(transform, name, trace, has_aux)
    return value, found[0] if single else tuple(found)


def _swept(transform: str, name: str, trace: Trace, has_aux: bool) -> tuple[Any, list[Any]]:
    """Value and gradients of a call, while its scope is open."""
    out = scalar_output(transform, name, trace.out)
    outs = [out] if isinstance(out, Variable) else []
    seeds = [ones_for(out)] if outs and out.ndim else None  # an array of one element
    found = trace.gradients(reverse(trace, outs, seeds))
    value = trace.scope.result(out) if outs and transform != "grad" else out  # which leaves it
    return (value, trace.aux_result()) if has_aux else value, found


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


def _grad_of_variables(outputs: Tree, wrt: Tree, seeds: Tree, record: bool | None) -> Any:
    outs = _variables("output", "outputs", pack(outputs))
    if wrt is None or isinstance(wrt, int):
        raise TypeError(
            "grad: say with respect to which Variables: tg.grad(loss, w) or tg.grad(loss, [w, b]); "
            "for a function, tg.grad(f)(x)"
        )
    targets = _variables("wrt", "wrt", wrt)
    starts = None
    if seeds is None and _tree.has_complex(outputs):
        raise TypeError(
            "grad: an output is complex, and a gradient is made from a real number: give its real "
            "part, tg.grad(z.real, w), or seeds"
        )
    if seeds is not None:
        seeds = _tree.map_complex(conjugated, pack(seeds))
        matched = _tree.match(outputs, seeds, "seeds", "outputs", "grad")
        starts = check_seeds("grad", outs, matched)
    found = _core.grad(outs, targets, starts, record)
    return _tree.map_complex(conjugated, _tree.fill(wrt, iter(found)))


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
