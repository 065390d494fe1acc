"""Jacobians, Hessians and directional derivatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

import numpy as np

from tapegrad import _core, _tree
from tapegrad._core import Scope, Variable, jacobian_of_call, tangent_of_call
from tapegrad._tree import Tree
from tapegrad.transforms.gradients import reverse, warn_constant
from tapegrad.transforms.results import (
    check_seeds,
    differentiable_outputs,
    ones_for,
    scalar_output,
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
    zeros_for,
)
from tapegrad.transforms.transformed import Transformed

if TYPE_CHECKING:
    from tapegrad.compile.compiled import Compiled

P = ParamSpec("P")
R = TypeVar("R")


@overload
def jacobian(
    f: Compiled[P, Any],
    argnum: Argnum | None = None,
    *,
    argnums: Argnum | None = None,
    has_aux: bool = False,
    mode: str | None = None,
) -> Compiled[P, Any]: ...
@overload
def jacobian(
    f: Callable[P, Any],
    argnum: Argnum | None = None,
    *,
    argnums: Argnum | None = None,
    has_aux: bool = False,
    mode: str | None = None,
) -> Callable[P, Any]: ...
def jacobian(
    f: Callable[..., Any],
    argnum: Argnum | None = None,
    *,
    argnums: Argnum | None = None,
    has_aux: bool = False,
    mode: str | None = None,
) -> Callable[..., Any]:
    """All first derivatives of `f` with respect to argument `argnum`.

    Every leaf of the result of `f` is replaced by a tree built like the argument, whose leaves
    have shape `output.shape + argument.shape`. Sweeps run in reverse where there are no more
    outputs than inputs, else forward; `mode="reverse"` or `"forward"` chooses. With `has_aux=True`,
    `f` returns a pair (value, aux), and the result is (jacobian, aux). Of complex numbers, either
    the arguments or the results may be some (docs/complex.md).

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> tg.jacobian(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 5.0]))
    array([[5., 0., 1.],
           [0., 5., 2.]])
    """
    check_callable("jacobian", f, "tg.jacobian(f)(x)")
    if mode not in (None, "reverse", "forward"):
        raise ValueError(f"jacobian: mode is 'reverse', 'forward' or None, not {mode!r}")
    argnum = one_argnum("jacobian", argnum, argnums)
    settings = {"argnum": argnum, "has_aux": has_aux, "mode": mode}
    compiled = through_compile(f, jacobian, settings)
    if compiled is not None:
        return compiled  # type: ignore[no-any-return]  # has the same signature
    label = f"jacobian({name_of(f)})"
    return Transformed(jacobian, f, settings, _derivatives(label, f, argnum, has_aux, mode))


@overload
def hessian(
    f: Compiled[P, Any],
    argnum: Argnum | None = None,
    *,
    argnums: Argnum | None = None,
    has_aux: bool = False,
) -> Compiled[P, Any]: ...
@overload
def hessian(
    f: Callable[P, Any],
    argnum: Argnum | None = None,
    *,
    argnums: Argnum | None = None,
    has_aux: bool = False,
) -> Callable[P, Any]: ...
def hessian(
    f: Callable[..., Any],
    argnum: Argnum | None = None,
    *,
    argnums: Argnum | None = None,
    has_aux: bool = False,
) -> Callable[..., Any]:
    """All second derivatives of `f` with respect to argument `argnum`.

    Forward over reverse. For an array argument of shape `s` the result has shape
    `output.shape + s + s`; for a container it is nested twice. With `has_aux=True`, `f` returns a
    pair (value, aux), and the result is (hessian, aux).

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> tg.hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]))
    array([[10.,  6.],
           [ 6.,  0.]])
    """
    check_callable("hessian", f, "tg.hessian(f)(x)")
    argnum = one_argnum("hessian", argnum, argnums)
    settings = {"argnum": argnum, "has_aux": has_aux}
    compiled = through_compile(f, hessian, settings)
    if compiled is not None:
        return compiled  # type: ignore[no-any-return]  # has the same signature
    label = f"hessian({name_of(f)})"

    first = _derivatives(label, f, argnum, has_aux, "reverse")
    second = _derivatives(label, first, argnum, has_aux, "forward", warn=False)
    return Transformed(hessian, f, settings, second)


@overload
def jvp(f: Callable[..., R], primals: Any, tangents: Any) -> tuple[R, Any]: ...
@overload
def jvp(
    f: Callable[..., Any], primals: Any, tangents: Any, *, has_aux: bool
) -> tuple[Any, ...]: ...
def jvp(
    f: Callable[..., Any], primals: Any, tangents: Any, *, has_aux: bool = False
) -> tuple[Any, ...]:
    """The value of `f(*primals)` and its derivative in the direction `tangents`.

    `primals` is the tuple of arguments; `tangents` is built like it, leaf shapes included. With
    `has_aux=True`, `f` returns a pair (value, aux), and the result is (value, derivative, aux).

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> tg.jvp(np.sin, (0.0,), (2.0,))
    (0.0, 2.0)
    """
    check_callable("jvp", f, "tg.jvp(f, (x,), (t,))")
    label = f"jvp({name_of(f)})"
    for word, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise TypeError(
                f"{label}: {word} is {_tree.describe(given)}, not the tuple of "
                f"{'arguments' if word == 'primals' else 'their tangents'}; "
                "call tg.jvp(f, (x,), (t,))"
            )
    if not has_aux and type(primals) is tuple and type(tangents) is tuple:

        def rest(scope: Scope, chosen: Any, variable: Variable, out: Any) -> tuple[Any, Any]:
            return _pushed(Trace.of_call(label, scope, chosen, variable, out), list(tangents))

        pair = tangent_of_call(f, primals, tangents, rest)
        if pair is not NotImplemented:
            return pair  # type: ignore[no-any-return]  # of the core, which knows no types
    with Scope() as scope:
        trace = Trace(label, scope, f, primals, {}, range(len(primals)), has_aux)
        matched = _tree.match(
            tuple(trace.chosen), tuple(pack(tangents)), "tangents", "primals", label
        )
        pair = _pushed(trace, check_seeds(label, trace.variables, matched))
        return (*pair, trace.aux_result()) if has_aux else pair


def _pushed(trace: Trace, directions: list[Any]) -> tuple[Any, Any]:
    """The value of a call and its derivative in these directions."""
    outs = differentiable_outputs(trace)
    if outs:
        found = iter(trace.scope.jvp(outs, trace.variables, directions))
    else:
        warn_constant(trace)
        found = iter(())
    result = [
        next(found) if isinstance(x, Variable) else _zeros(np.shape(x), _precision(x))
        for _, x in _tree.leaves(trace.out)
    ]
    return trace.result(trace.out), _tree.fill(trace.out, iter(result))


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The Hessian of the scalar function `f` at `x`, times `v`: forward over reverse.

    `x` may be any nesting of containers, `v` is built like it, and so is the result.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> tg.hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([6., 0.])
    """
    check_callable("hvp", f, "tg.hvp(f, x, v)")

    def rest(scope: Scope, chosen: Any, variable: Variable, out: Any) -> Any:
        return _gradient_of(f, Trace.of_call(f"hvp({name_of(f)})", scope, chosen, variable, out))

    product = _core.hessian_product(f, x, v, rest)
    if product is not NotImplemented:
        return product
    label = f"hvp({name_of(f)})"
    with Scope() as outer:
        given: list[Tree] = []

        def gradient(point: Any) -> Any:
            with Scope() as inner:
                return _gradient_of(f, Trace(label, inner, f, (point,), {}, (0,)))

        trace = Trace(label, outer, gradient, (x,), {}, (0,))
        given = trace.chosen
        matched = _tree.match(given[0], pack(v), "v", "x", label)
        directions = check_seeds(label, trace.variables, matched)
        found = [g for _, g in _tree.leaves(trace.out)]
        outs = [g for g in found if isinstance(g, Variable)]
        tangents = iter(outer.jvp(outs, trace.variables, directions) if outs else [])
        result = [
            next(tangents) if isinstance(g, Variable) else zeros_for(leaf)
            for g, leaf in zip(found, trace.variables, strict=True)
        ]
        return _tree.fill(given[0], iter(result))


def _gradient_of(f: Callable[..., Any], trace: Trace) -> Any:
    out = scalar_output("hvp", name_of(f), trace.out)
    outs = [out] if isinstance(out, Variable) else []
    return trace.gradients(reverse(trace, outs, [ones_for(out) for out in outs]))[0]


def _derivatives(
    label: str,
    f: Callable[..., Any],
    argnum: Argnum,
    has_aux: bool,
    mode: str | None,
    warn: bool = True,
) -> Callable[..., Any]:
    """The function of all derivatives of `f`."""
    usual = argnum if type(argnum) is int and argnum >= 0 and not has_aux else None

    def rest(scope: Scope, chosen: Any, variable: Variable, out: Any) -> Any:
        return _all_of(Trace.of_call(label, scope, chosen, variable, out), True, mode, warn)

    def derivatives(*args: Any, **kwargs: Any) -> Any:
        if usual is not None:
            found = jacobian_of_call(f, args, kwargs, usual, mode, rest)
            if found is not NotImplemented:
                return found
        argnums, single = positions(label, argnum, args)
        with Scope() as scope:
            trace = Trace(label, scope, f, args, kwargs, argnums, has_aux)
            found = _all_of(trace, single, mode, warn)
            return (found, trace.aux_result()) if has_aux else found

    return derivatives


def _all_of(trace: Trace, single: bool, mode: str | None, warn: bool) -> Any:
    """All derivatives of a call, of which a single argument may have been chosen."""
    outs = differentiable_outputs(trace)
    if warn and not outs:
        warn_constant(trace)
    if trace.is_complex and (not warn or _tree.has_complex(trace.out)):
        raise TypeError(_of_complex(trace.label))
    blocks = iter(_blocks(trace.scope, outs, trace.variables, mode))
    filled = []
    for _, x in _tree.leaves(trace.out):
        if isinstance(x, Variable):
            block = next(blocks)
        else:
            block = [_zeros(np.shape(x) + tuple(v.shape), v.dtype) for v in trace.variables]
        trees = trace.like_arguments(block)
        filled.append(trees[0] if single else tuple(trees))
    return of_rows(trace.out, iter(filled))


def of_rows(out: Tree, rows: Iterator[Tree]) -> Tree:
    """A tree like `out` of derivatives, of which `rows` has one tree for each real leaf."""
    if _tree.is_complex(out):
        re, im = next(rows), next(rows)
        pairs = zip(_tree.leaves(re), _tree.leaves(im), strict=True)
        return _tree.fill(re, iter([_tree.complex_of(x, y) for (_, x), (_, y) in pairs]))
    if out is None:
        return None
    if _tree.is_leaf(out):
        return _tree.map_complex(conjugated, next(rows))
    return _tree.rebuild(out, [of_rows(part, rows) for _, part in _tree.children(out) or ()])


def _of_complex(label: str) -> str:
    transform, _, rest = label.partition("(")
    name = rest.removesuffix(")")
    several = "argnum=(0, 1)" if transform == "hessian" else "argnum=0"
    return (
        f"{label}: the derivative is not one complex number for each pair of elements where "
        "arguments and results are complex; differentiate by real and imaginary parts, "
        f"tg.{transform}(lambda x, y: {name}(x + 1j * y), {several})(z.real, z.imag)"
        + ("" if transform == "hessian" else " (of a holomorphic function that is df/dz)")
    )


def _blocks(
    scope: Scope, outs: list[Variable], wrt: list[Variable], mode: str | None
) -> list[list[Any]]:
    """For each output, its Jacobian with respect to each of `wrt`."""
    if not outs or not wrt:
        return [[] for _ in outs]
    if mode is None:
        n_out = sum(out.size for out in outs)
        n_in = sum(v.size for v in wrt)
        mode = "reverse" if n_out <= n_in else "forward"
    if len(outs) == 1:
        return [_one_output(scope, outs[0], wrt, mode)]
    # Several outputs share each sweep as one long vector.
    flat = [_core.apply("reshape", (out,), ((-1,),)) for out in outs]
    joined = _one_output(scope, _core.apply("concatenate", tuple(flat), (0,)), wrt, mode)
    blocks: list[list[Any]] = []
    start = 0
    for out in outs:
        shape, stop = tuple(out.shape), start + out.size
        rows = [
            (whole[start:stop], shape + tuple(v.shape))
            for whole, v in zip(joined, wrt, strict=True)
        ]
        blocks.append([_reshaped(row, shape) for row, shape in rows])
        start = stop
    return blocks


def _one_output(scope: Scope, out: Variable, wrt: list[Variable], mode: str) -> list[Any]:
    few = 4  # so many seeds are swept one by one
    seeds = out.size if mode == "reverse" else max(v.size for v in wrt)
    if not _core.tracing() or seeds < few:
        return scope.jacobian(out, wrt, mode)
    if mode == "reverse":
        rows = _over_seeds(out, lambda seed: scope.grad([out], wrt, [seed]))
        return [
            _core.apply("reshape", (row,), (tuple(out.shape) + tuple(v.shape),))
            for row, v in zip(rows, wrt, strict=True)
        ]
    blocks = []
    for v in wrt:
        column = _over_seeds(v, lambda seed, v=v: scope.jvp([out], [v], [seed]))[0]  # type: ignore[misc]  # mypy knows no type of a lambda with a default
        last = _core.apply("moveaxis", (column.astype(v.dtype, copy=False),), ((0,), (-1,)))
        blocks.append(_core.apply("reshape", (last,), (tuple(out.shape) + tuple(v.shape),)))
    return blocks


def _over_seeds(like: Variable, sweep: Callable[[Any], list[Any]]) -> list[Any]:
    """`sweep` of each unit vector in the space of `like`: recorded once, the seeds as lanes."""
    n = like.size
    basis = np.eye(n, dtype=like.dtype).reshape((n, *like.shape))
    with _core.Tracer() as tracer:
        recording = tracer.freeze(sweep(tracer.lane_argument(basis)))
    found = _core.replay_lanes(recording, [basis], [True], n, seeds=True)
    return [
        y if has_lanes else np.broadcast_to(y, (n, *(y.shape if np.ndim(y) else ())))
        for y, has_lanes in found
    ]


def _reshaped(x: Any, shape: tuple[int, ...]) -> Any:
    if isinstance(x, Variable):
        return _core.apply("reshape", (x,), (shape,))
    return np.reshape(x, shape) if shape else float(np.reshape(x, ()))


def _precision(x: Any) -> np.dtype[Any]:
    dtype = np.asarray(x).dtype
    return dtype if dtype.kind == "f" else np.dtype(float)


def _zeros(shape: tuple[int, ...], dtype: Any) -> Any:
    return np.zeros(shape, dtype) if shape else 0.0
