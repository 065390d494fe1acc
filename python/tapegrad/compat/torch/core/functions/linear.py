"""Products of matrices and vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.torch.core import dtypes
from tapegrad.compat.torch.core.call import call, is_tensor
from tapegrad.compat.torch.core.graph import OTHERS
from tapegrad.compat.torch.core.registry import public, register


def _same_dtype(a: Any, b: Any) -> None:
    if a._v.dtype != b._v.dtype:
        raise RuntimeError(
            f"matmul: the dtype of the operands differs, {dtypes.title(a.dtype)} and "
            f"{dtypes.title(b.dtype)}; write b.to(a.dtype)"
        )


@public()
def matmul(input: Any, other: Any) -> Any:
    """The product of matrices, vectors, or stacks of matrices."""
    if not is_tensor(input) or not is_tensor(other):
        raise TypeError("matmul: an operand is no tensor; write torch.as_tensor(x)")
    _same_dtype(input, other)
    if not input.ndim or not other.ndim:
        raise RuntimeError(
            f"matmul: an operand without axes: the shapes are {list(input.shape)} and "
            f"{list(other.shape)}; a * b scales"
        )
    try:
        return call("Mm", lambda x, y: x @ y, input, other, saves=OTHERS)
    except ValueError:
        a, b = input.shape, other.shape
        if len(a) == len(b) == 1:
            raise RuntimeError(
                f"matmul: the vectors have {a[0]} and {b[0]} elements; a dot product is of equal "
                "lengths"
            ) from None
        rows = int(np.prod(a[:-1], dtype=int))
        columns = b[-1] if len(b) > 1 else 1
        raise RuntimeError(
            f"matmul: {rows}x{a[-1]} and {b[-2] if len(b) > 1 else b[0]}x{columns} have no "
            f"product: the inner lengths of shapes {list(a)} and {list(b)} differ; b.mT is b "
            "transposed"
        ) from None


def _of_dims(name: str, left: int, right: int) -> None:
    def function(input: Any, other: Any) -> Any:
        for k, (x, n) in enumerate(((input, left), (other, right))):
            if x.ndim != n:
                raise RuntimeError(
                    f"{name}: operand {k} has shape {list(x.shape)}, and {n} axes are wanted; "
                    "torch.matmul takes any"
                )
        return matmul(input, other)

    function.__name__ = name
    function.__doc__ = f"`matmul` of tensors of {left} and {right} axes."
    register(name, function)


_of_dims("mm", 2, 2)
_of_dims("mv", 2, 1)
_of_dims("bmm", 3, 3)
_of_dims("dot", 1, 1)


@public("inner")
def inner(input: Any, other: Any) -> Any:
    """Products over the last axes."""
    return call("Inner", lambda x, y: np.inner(x, y), input, other, saves=OTHERS)


@public("outer", "ger")
def outer(input: Any, vec2: Any) -> Any:
    """All products of elements of two vectors."""
    return call("Outer", lambda x, y: x[:, None] * y[None, :], input, vec2, saves=OTHERS)


@public(in_place=True)
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """`beta * input + alpha * mat1 @ mat2`."""
    return (
        input * beta + matmul(mat1, mat2) * alpha
        if (beta, alpha) != (1, 1)
        else input + matmul(mat1, mat2)
    )


register("addmv", addmm, in_place=True)
register("baddbmm", addmm, in_place=True)


@public(in_place=True)
def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """`beta * input + alpha * outer(vec1, vec2)`."""
    return input * beta + outer(vec1, vec2) * alpha


@public(method=False)
def einsum(equation: str, *operands: Any) -> Any:
    """Sums of products, as the equation says."""
    parts = operands[0] if len(operands) == 1 and not is_tensor(operands[0]) else operands
    spec = equation.replace(" ", "")
    return call("Einsum", lambda *x: np.einsum(spec, *x), *parts, saves=OTHERS)


@public(method=False)
def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Products summed over several axes."""
    return call("Tensordot", lambda x, y: np.tensordot(x, y, dims), a, b, saves=OTHERS)


@public()
def kron(input: Any, other: Any) -> Any:
    """The Kronecker product."""
    return call("Kron", np.kron, input, other, saves=OTHERS)


@public("cross")
def cross(input: Any, other: Any, dim: int = -1) -> Any:
    """The vector product of vectors of three elements along `dim`."""
    return call("Cross", lambda x, y: np.cross(x, y, axis=dim), input, other, saves=OTHERS)


@public()
def trace(input: Any) -> Any:
    """The sum of the diagonal."""
    return call("Trace", np.trace, input)


@public("matrix_power")
def matrix_power(input: Any, n: int) -> Any:
    """The matrix times itself, n times."""
    return call("MatrixPower", lambda x: np.linalg.matrix_power(x, n), input)


@public(method=False)
def cdist(x1: Any, x2: Any, p: float = 2.0) -> Any:
    """Distances between the rows of two matrices."""
    return (x1.unsqueeze(-2) - x2.unsqueeze(-3)).norm(p, dim=-1)


@public("cosine_similarity", method=False)
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors along `dim`."""
    a, b = x1.norm(2, dim), x2.norm(2, dim)
    return (x1 * x2).sum(dim) / (a.clamp(min=eps) * b.clamp(min=eps))


@public()
def cov(input: Any, *, correction: int = 1) -> Any:
    """Covariances of rows."""
    return call("Cov", lambda x: np.cov(x, ddof=correction), input)


@public()
def corrcoef(input: Any) -> Any:
    """Correlations of rows."""
    return call("Corrcoef", np.corrcoef, input)


def _linalg(name: str, f: Any) -> None:
    def function(input: Any, *args: Any) -> Any:
        return call("Linalg" + name.title(), f, input, *args)

    function.__name__ = name
    function.__doc__ = f"`torch.linalg.{name}`."
    register(name, function)


for _name, _f in (("inverse", np.linalg.inv), ("det", np.linalg.det), ("pinverse", np.linalg.pinv)):
    _linalg(_name, _f)
register("logdet", lambda input: call("Logdet", lambda x: np.linalg.slogdet(x)[1], input))
register("slogdet", lambda input: call("Slogdet", lambda x: tuple(np.linalg.slogdet(x)), input))
register("cholesky", lambda input: call("Cholesky", np.linalg.cholesky, input))
