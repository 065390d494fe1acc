"""Products of vectors and matrices, and np.linalg."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tapegrad._core import Variable, apply, to_array, to_number
from tapegrad.numpy.operands import (
    cast,
    finish,
    flag,
    floating_dtype,
    free_shape,
    integer,
    lift,
    ndim_of,
    shape_of,
)
from tapegrad.numpy.table import ALL, RECORD, implements, op


@implements(np.linalg.matmul, values=2)
def matmul(x1: Any, x2: Any, /) -> Any:
    return apply("matmul", (lift(x1), lift(x2)))


@implements(np.dot, values=2, method="dot", in_core=op("dot", a="operand", b="operand"))
def dot(a: Any, b: Any, out: Any = None) -> Any:
    from tapegrad.numpy.layout import packed

    a, b = lift(a), lift(b)
    found = apply("dot", (a, b))
    is_scaled = 0 in (ndim_of(a), ndim_of(b)) and ndim_of(found) == 2
    return finish("np.dot", packed(found) if is_scaled else found, out)


@implements(np.vdot, values=2, in_core=op("vdot", a="operand", b="operand"))
def vdot(a: Any, b: Any, /) -> Any:
    return apply("vdot", (lift(a), lift(b)))


@implements(np.inner, values=2, in_core=op("inner", a="operand", b="operand"))
def inner(a: Any, b: Any, /) -> Any:
    return apply("inner", (lift(a), lift(b)))


@implements(np.outer, values=2, in_core=op("outer", a="operand", b="operand"))
def outer(a: Any, b: Any, out: Any = None) -> Any:
    return finish("np.outer", apply("outer", (lift(a), lift(b))), out, spreads=True)


@implements(np.linalg.outer, values=2)
def linalg_outer(x1: Any, x2: Any, /) -> Any:
    x1, x2 = lift(x1), lift(x2)
    if ndim_of(x1) != 1 or ndim_of(x2) != 1:
        raise ValueError(
            f"np.linalg.outer: needs two vectors, got shapes {shape_of(x1)} and {shape_of(x2)}"
        )
    return apply("outer", (x1, x2))


@implements(np.kron, values=2)
def kron(a: Any, b: Any) -> Any:
    return apply("kron", (lift(a), lift(b)))


@implements(np.cross, values=2)
def cross(
    a: Any, b: Any, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1, axis: Any = None
) -> Any:
    return apply("cross", (lift(a), lift(b)), (axisa, axisb, axisc, axis))


@implements(np.linalg.cross, values=2)
def linalg_cross(x1: Any, x2: Any, /, *, axis: Any = -1) -> Any:
    return cross(x1, x2, axis=axis)


@implements(np.linalg.vecdot, values=2)
def vecdot(x1: Any, x2: Any, /, *, axis: Any = -1) -> Any:
    return apply("vecdot", (lift(x1), lift(x2)), (axis,))


@implements(np.tensordot, values=2)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = lift(a), lift(b)
    if np.iterable(axes) and not isinstance(axes, str):
        first, second = axes
        first = first if np.iterable(first) else [first]
        second = second if np.iterable(second) else [second]
        pairs = tuple(map(int, first)), tuple(map(int, second))
        return to_array(apply("tensordot", (a, b), pairs))
    return to_array(apply("tensordot", (a, b), (integer("np.tensordot: axes", axes),)))


@implements(np.linalg.tensordot, values=2)
def linalg_tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    return tensordot(x1, x2, axes)


@implements(np.einsum, values=ALL, view=True)
def einsum(*operands: Any, out: Any = None, optimize: Any = False, **kwargs: Any) -> Any:
    if len(operands) < 2:
        raise ValueError("np.einsum: needs subscripts and an array; write np.einsum('ij->ji', a)")
    is_text = isinstance(operands[0], str)
    subscripts, arrays = (operands[0], operands[1:]) if is_text else _spelled(operands)
    arrays = tuple([x if type(x) is Variable else lift(x) for x in arrays])
    if kwargs:
        return _einsum_as(subscripts, arrays, out, **kwargs)
    if out is None and len(arrays) == 1 and (view := _view_by(subscripts, arrays)) is not None:
        return to_number(view)
    found = apply("einsum", arrays, (subscripts,))
    if out is not None:
        return finish("np.einsum", found, out)
    if (n_axes := ndim_of(found)) == 1:
        return found
    if n_axes and any(ndim_of(x) > 1 for x in arrays):
        found = _lying_by_einsum(found, subscripts, arrays, optimize)
    if optimize and len(arrays) > 1 and not n_axes:
        # A number, or the array that np.tensordot gives where the last step is one.
        small = [np.zeros([min(n, 2) for n in free_shape(x)]) for x in arrays]
        if isinstance(np.einsum(subscripts, *small, optimize=optimize), np.ndarray):
            return to_array(found)
    return to_number(found)


def _lying_by_einsum(found: Any, subscripts: str, arrays: tuple[Any, ...], optimize: Any) -> Any:
    """In the order in which NumPy's own lays it out."""
    from tapegrad.numpy.layout import axes_of, axes_of_einsum, lying_by

    lengths = tuple(tuple(min(n, 2) for n in free_shape(x)) for x in arrays)
    orders = tuple(map(axes_of, arrays))
    return lying_by(found, axes_of_einsum(subscripts, orders, lengths, bool(optimize)))


def _einsum_as(
    subscripts: str, arrays: tuple[Any, ...], out: Any, dtype: Any = None, order: Any = "K",
    casting: Any = "safe",
) -> Any:  # fmt: skip
    """Computed in another dtype, or laid out in another order."""
    view = _view_by(subscripts, arrays) if out is None else None
    if view is not None and dtype in (None, view.dtype):
        return to_number(view)
    if dtype is not None:
        for x in arrays:
            if not np.can_cast(floating_dtype(x), dtype, casting):
                raise TypeError(
                    f"np.einsum: cannot cast {floating_dtype(x)} to {np.dtype(dtype)} according to "
                    f"the rule {casting!r}; write casting='same_kind'"
                )
        arrays = tuple(cast(x, dtype) for x in arrays)
    found = apply("einsum", arrays, (subscripts,))
    if out is None and np.ndim(found) > 1:
        found = _lying_by_einsum(found, subscripts, arrays, False)
        if order not in ("K", None):
            found = found.copy("C" if order == "A" else order)
    return finish("np.einsum", found, out)


def _view_by(subscripts: str, arrays: tuple[Any, ...]) -> Any:
    """What einsum gives of a single array where nothing is summed: a view, to be written to."""
    if len(arrays) != 1 or not isinstance(a := arrays[0], Variable):
        return None
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    n_others = ndim_of(a) - len(left.replace("...", ""))
    if n_others < 0 or (n_others and "..." not in left):
        return None  # the operation says what is wrong
    others = [f"{k}" for k in range(n_others)]

    def labels(text: str) -> list[str]:
        before, dots, after = text.partition("...")
        return [*before, *(others if dots else []), *after]

    axes = labels(left)
    if arrow:
        wanted = labels(right)
    else:
        wanted = others + sorted(x for x in set(axes) - set(others) if axes.count(x) == 1)
    if set(wanted) != set(axes) or len(set(wanted)) != len(wanted):
        return None
    view: Any = a
    while repeated := next((x for x in axes if axes.count(x) > 1), None):
        first = axes.index(repeated)
        second = axes.index(repeated, first + 1)
        shape = shape_of(view)
        if shape[first] != shape[second]:
            return None
        view = apply("diagonal", (view,), (0, first, second))
        axes = [x for i, x in enumerate(axes) if i not in (first, second)] + [repeated]
    if axes != wanted:
        return apply("transpose", (view,), (tuple(axes.index(x) for x in wanted),))
    return view[...] if view is a else view


def _spelled(operands: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The form with lists of axis numbers, as a string and its arrays."""
    pairs = len(operands) // 2
    arrays = operands[0 : 2 * pairs : 2]
    lists = [*operands[1 : 2 * pairs : 2]]
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

    def spell(axes: Any) -> str:
        return "".join("..." if i is Ellipsis else letters[i] for i in axes)

    subscripts = ",".join(spell(axes) for axes in lists)
    if len(operands) % 2:
        subscripts += "->" + spell(operands[-1])
    return subscripts, arrays


def _places(name: str, offset: Any, axis1: Any, axis2: Any) -> tuple[int, int, int]:
    first, second = integer(f"{name}: axis1", axis1), integer(f"{name}: axis2", axis2)
    return integer(f"{name}: offset", offset), first, second


@implements(
    np.trace, values=1, method="trace",
    in_core=op("trace", a="operand", offset="integer", axis1="integer", axis2="integer"),
)  # fmt: skip
def trace(
    a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, dtype: Any = None, out: Any = None
) -> Any:
    found = apply("trace", (lift(a),), _places("np.trace", offset, axis1, axis2))
    return finish("np.trace", found if dtype is None else np.astype(found, dtype), out)


@implements(np.linalg.trace, values=1)
def linalg_trace(x: Any, /, *, offset: Any = 0, dtype: Any = None) -> Any:
    return trace(x, offset, -2, -1, dtype)


@implements(
    np.diagonal, values=1, view=True, method="diagonal", on_data=RECORD,
    in_core=op("read_diagonal", a="operand", offset="integer", axis1="integer", axis2="integer"),
)  # fmt: skip
def diagonal(a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Any:
    return apply("read_diagonal", (lift(a),), _places("np.diagonal", offset, axis1, axis2))


@implements(np.linalg.diagonal, values=1, view=True, on_data=RECORD)
def linalg_diagonal(x: Any, /, *, offset: Any = 0) -> Any:
    return diagonal(x, offset, -2, -1)


@implements(np.linalg.solve, values=2)
def solve(a: Any, b: Any) -> Any:
    return apply("solve", (lift(a), lift(b)))


@implements(np.linalg.inv, values=1)
def inv(a: Any) -> Any:
    return apply("inv", (lift(a),))


@implements(np.linalg.det, values=1)
def det(a: Any) -> Any:
    return apply("det", (lift(a),))


class SlogdetResult(NamedTuple):
    """Sign and natural logarithm of the absolute value of a determinant."""

    sign: Any
    logabsdet: Any


@implements(np.linalg.slogdet, values=1)
def slogdet(a: Any) -> SlogdetResult:
    return SlogdetResult(*apply("slogdet", (lift(a),)))


@implements(np.linalg.cholesky, values=1)
def cholesky(a: Any, /, *, upper: Any = False) -> Any:
    return apply("cholesky", (lift(a),), (bool(upper),))


@implements(
    np.linalg.norm, values=1,
    in_core=op("norm", x="operand", ord="number", axis="axis", keepdims="flag"),
)  # fmt: skip
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    x = lift(x)
    if isinstance(ord, Variable) and (ndim_of(x) == 1 or isinstance(axis, int)):
        return np.sum(np.abs(x) ** ord, axis=axis, keepdims=flag(keepdims)) ** (1.0 / ord)
    return apply("norm", (x,), (ord, axis, flag(keepdims)))


@implements(np.linalg.vector_norm, values=1)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: Any = False, ord: Any = 2) -> Any:
    x = lift(x)
    shape = free_shape(x)
    n = len(shape)
    axes = range(n) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, n)
    axes = tuple(axes)
    rest = [i for i in range(n) if i not in axes]
    # The axes of the norm are joined into one, at the front.
    x = np.transpose(x, (*axes, *rest))
    if len(axes) != 1:
        # Left to reshape, but where there are no elements.
        joined = -1 if all(shape) else math.prod(shape[i] for i in axes)
        x = np.reshape(x, (joined, *(shape[i] for i in rest)))
    found = norm(x, ord, 0)
    if not keepdims:
        return found
    return np.reshape(found, tuple(1 if i in axes else m for i, m in enumerate(shape)))


@implements(np.linalg.matrix_norm, values=1)
def matrix_norm(x: Any, /, *, keepdims: Any = False, ord: Any = "fro") -> Any:
    return norm(x, ord, (-2, -1), keepdims)


@implements(np.linalg.multi_dot, values=1)
def multi_dot(arrays: Any, *, out: Any = None) -> Any:
    parts = [lift(x) for x in arrays]
    if len(parts) < 2:
        raise ValueError(f"np.linalg.multi_dot: needs two arrays or more, got {len(parts)}")
    shapes = [shape_of(x) for x in parts]
    if any(len(s) != 2 for s in shapes[1:-1]) or not all(len(s) in (1, 2) for s in shapes):
        raise np.linalg.LinAlgError(
            f"np.linalg.multi_dot: needs matrices, vectors only at the ends; got shapes {shapes}"
        )
    sides = [(s[0], s[1]) if len(s) == 2 else (1, s[0]) for s in shapes]
    if len(shapes[-1]) == 1:
        sides[-1] = (shapes[-1][0], 1)
    return finish("np.linalg.multi_dot", _product(parts, _best_cuts(sides), 0, len(parts) - 1), out)


def _best_cuts(sides: list[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Where to cut each run of matrices for the fewest multiplications (the textbook recursion)."""
    n = len(sides)
    cost = {(i, i): 0 for i in range(n)}
    cut = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j], cut[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + sides[i][0] * sides[k][1] * sides[j][1], k)
                for k in range(i, j)
            )
    return cut


def _product(parts: list[Any], cut: dict[tuple[int, int], int], i: int, j: int) -> Any:
    if i == j:
        return parts[i]
    k = cut[i, j]
    return dot(_product(parts, cut, i, k), _product(parts, cut, k + 1, j))


@implements(np.linalg.matrix_power, values=1)
def matrix_power(a: Any, n: Any) -> Any:
    a = lift(a)
    shape = shape_of(a)
    if len(shape) < 2 or shape[-2] != shape[-1]:
        raise np.linalg.LinAlgError(
            f"np.linalg.matrix_power: the last two axes must make square matrices, got shape "
            f"{shape}; for powers of elements write a ** n"
        )
    n = integer("np.linalg.matrix_power: the exponent", n)
    if n == 0:
        identity: Any = np.broadcast_to(np.eye(shape[-1], dtype=a.dtype), shape)
        return identity.copy()
    if n < 0:
        a, n = inv(a), -n
    result, square = None, a
    while True:  # binary powers
        n, bit = divmod(int(n), 2)
        if bit:
            result = square if result is None else matmul(result, square)
        if not n:
            return result
        square = matmul(square, square)


@implements(np.linalg.tensorsolve, values=2)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    a, b = lift(a), lift(b)
    n = len(shape_of(a))
    if axes is not None:
        a = np.transpose(a, [i for i in range(n) if i not in axes] + list(axes))
    tail = shape_of(a)[len(shape_of(b)) :]
    side = int(np.prod(tail))
    if int(np.prod(shape_of(b))) != side:
        raise np.linalg.LinAlgError(
            f"np.linalg.tensorsolve: shapes {shape_of(a)} and {shape_of(b)} make no square system"
        )
    found = solve(np.reshape(a, (side, side)), np.reshape(b, (side,)))
    return np.reshape(found, tail)


@implements(np.linalg.tensorinv, values=1)
def tensorinv(a: Any, ind: Any = 2) -> Any:
    a = lift(a)
    head, tail = shape_of(a)[:ind], shape_of(a)[ind:]
    side = int(np.prod(head))
    return np.reshape(inv(np.reshape(a, (side, -1))), tail + head)
