"""Dtypes, devices and facts of a tensor."""

from __future__ import annotations

from typing import Any

from tapegrad.compat.torch.core import dtypes
from tapegrad.compat.torch.core.call import is_tensor
from tapegrad.compat.torch.core.functions.elementwise import astype
from tapegrad.compat.torch.core.registry import public, register


@public(function=False)
def to(self: Any, *args: Any, **kwargs: Any) -> Any:
    """The tensor in another dtype, or that of another tensor; the processor is the only device."""
    copy = kwargs.pop("copy", False)
    for ignored in ("non_blocking", "memory_format"):
        kwargs.pop(ignored, None)
    kind = kwargs.pop("dtype", None)
    for x in [*args, *kwargs.values()]:
        if isinstance(x, dtypes.dtype):
            kind = x
        elif is_tensor(x):
            kind = x.dtype
        elif isinstance(x, (str, dtypes.device)):
            dtypes.check_device(x)
        elif x is not None and not isinstance(x, bool):
            raise TypeError(f"to(): expected a dtype, a device or a tensor, not {x!r}")
    made = self if kind is None else astype(self, kind)
    return made.clone() if copy and made is self else made


def _to_kind(name: str, kind: str) -> None:
    def method(self: Any, **given: Any) -> Any:
        return astype(self, dtypes.BY_NAME[kind])

    method.__name__ = name
    method.__doc__ = f"The tensor in {kind}."
    register(name, method, function=False)


for _name, _kind in (
    ("float", "float32"), ("double", "float64"), ("long", "int64"), ("int", "int32"),
    ("short", "int16"), ("char", "int8"), ("byte", "uint8"), ("bool", "bool"),
):  # fmt: skip
    _to_kind(_name, _kind)


def _refused_kind(name: str) -> None:
    def method(self: Any, **given: Any) -> Any:
        raise TypeError(f"{name}(): tensors are float32 or float64 here; write x.float()")

    method.__name__ = name
    method.__doc__ = "Raises: there is no such dtype."
    register(name, method, function=False)


for _name in ("half", "bfloat16", "cfloat", "cdouble"):
    _refused_kind(_name)


@public(function=False)
def cpu(self: Any, **given: Any) -> Any:
    """The tensor itself."""
    return self


@public(function=False)
def cuda(self: Any, device: Any = None, **given: Any) -> Any:
    """Raises: there is no such device."""
    dtypes.device("cuda")


register("pin_memory", cpu, function=False)
register("share_memory_", cpu, function=False)


@public("type", function=False)
def type_of(self: Any, kind: Any = None) -> Any:
    """The name of its type, or the tensor in another one."""
    if kind is None:
        return dtypes.legacy(self.dtype)
    return astype(self, dtypes.of_legacy(kind) if isinstance(kind, str) else kind)


register("type_as", lambda self, other: astype(self, other.dtype), function=False)
register("is_floating_point", lambda input: input.dtype.is_floating_point)
register("is_complex", lambda input: False)
register("element_size", lambda self: self.dtype.itemsize, function=False)
register("itemsize", property(lambda self: self.dtype.itemsize), function=False)
register("nbytes", property(lambda self: self.numel() * self.dtype.itemsize), function=False)
register("is_cuda", property(lambda self: False), function=False)
register("layout", property(lambda self: "torch.strided"), function=False)
register("numel", lambda input: input.numel(), method=False)
register("get_device", lambda self: -1, function=False)


@public(function=False)
def stride(self: Any, dim: Any = None) -> Any:
    """Steps between elements along each axis, in elements."""
    from tapegrad.compat.torch.core.call import cell

    content = cell(self)
    found = getattr(content, "strides", None) if not self.requires_grad and not self._cut else None
    if found is None:
        steps, n = [], 1
        for length in reversed(self.shape):
            steps.append(n)
            n *= max(length, 1)
        found = tuple(reversed(steps))
    else:
        found = tuple(s // content.itemsize for s in found)
    return found if dim is None else found[dim]


@public(method=False)
def result_type(a: Any, b: Any) -> Any:
    """The dtype of what two operands give."""
    dims: list[Any] = []
    zeros: list[Any] = []
    numbers: list[type] = []
    for x in (a, b):
        if is_tensor(x):
            (dims if x.ndim else zeros).append(x._v.dtype)
        else:
            numbers.append(type(x))
    return dtypes.of_numpy(dtypes.result_numpy(dims, zeros, numbers))


@public(method=False)
def promote_types(a: Any, b: Any) -> Any:
    """The dtype of arrays of two dtypes together."""
    return dtypes.of_numpy(dtypes.joined(a.numpy, b.numpy))


register("is_tensor", is_tensor, method=False)
