"""PyTorch's dtypes and devices, and the rules by which operands of several dtypes meet."""

from __future__ import annotations

from typing import Any

import numpy as np

_WHAT_THERE_IS = (
    "there are float32 and float64 (with derivatives), int8 to int64, uint8 and bool; write "
    "torch.float32, or torch.float64"
)


class dtype:  # noqa: N801 - PyTorch's name
    """A dtype of PyTorch; `numpy` is NumPy's."""

    __slots__ = ("_name", "category", "numpy")
    numpy: np.dtype[Any]

    def __init__(self, name: str, kind: Any, category: int) -> None:
        self._name = name
        self.numpy = np.dtype(kind)
        self.category = category  # 0 bool, 1 integer, 2 float

    @property
    def is_floating_point(self) -> bool:
        """Whether it holds fractions."""
        return self.category == 2

    @property
    def is_complex(self) -> bool:
        """False: there are no complex tensors here."""
        return False

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return int(self.numpy.itemsize)

    def __repr__(self) -> str:
        return f"torch.{self._name}"

    def __reduce__(self) -> Any:
        return _by_name, (self._name,)


def _by_name(name: str) -> dtype:
    return BY_NAME[name]


BY_NAME = {
    name: dtype(name, kind, category)
    for name, kind, category in (
        ("bool", np.bool_, 0),
        ("uint8", np.uint8, 1),
        ("int8", np.int8, 1),
        ("int16", np.int16, 1),
        ("int32", np.int32, 1),
        ("int64", np.int64, 1),
        ("float32", np.float32, 2),
        ("float64", np.float64, 2),
    )
}
_BY_NUMPY = {d.numpy: d for d in BY_NAME.values()}
BY_NAME |= {
    "float": BY_NAME["float32"],
    "double": BY_NAME["float64"],
    "short": BY_NAME["int16"],
    "int": BY_NAME["int32"],
    "long": BY_NAME["int64"],
}
_LEGACY = {
    "bool": "BoolTensor", "uint8": "ByteTensor", "int8": "CharTensor", "int16": "ShortTensor",
    "int32": "IntTensor", "int64": "LongTensor", "float32": "FloatTensor",
    "float64": "DoubleTensor",
}  # fmt: skip
_TITLES = {
    "bool": "Bool", "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int",
    "int64": "Long", "float32": "Float", "float64": "Double",
}  # fmt: skip
_PYTHON = {float: "default", int: "int64", bool: "bool"}

_default = [BY_NAME["float32"]]


def of_numpy(kind: Any) -> dtype:
    """PyTorch's dtype of NumPy's."""
    try:
        return _BY_NUMPY[np.dtype(kind)]
    except KeyError:
        raise TypeError(f"no tensors of dtype {np.dtype(kind)}: {_WHAT_THERE_IS}") from None


def as_dtype(kind: Any) -> dtype:
    """A dtype from PyTorch's, NumPy's or Python's."""
    if isinstance(kind, dtype):
        return kind
    if kind in _PYTHON:
        name = _PYTHON[kind]
        return _default[0] if name == "default" else BY_NAME[name]
    return of_numpy(kind)


def title(d: dtype) -> str:
    """The word for it in PyTorch's error messages."""
    return _TITLES[d._name]


def legacy(d: dtype) -> str:
    """What `tensor.type()` says."""
    return f"torch.{_LEGACY[d._name]}"


def of_legacy(name: str) -> dtype:
    """The dtype of `torch.FloatTensor` and the like."""
    short = name.removeprefix("torch.")
    for key, value in _LEGACY.items():
        if value == short:
            return BY_NAME[key]
    raise ValueError(f"there is no type of tensors {name!r}; {_WHAT_THERE_IS}")


def get_default_dtype() -> dtype:
    """The dtype of floats that are given as Python's numbers: float32 at first."""
    return _default[0]


def set_default_dtype(d: Any) -> None:
    """Makes `torch.float32` or `torch.float64` the default."""
    found = as_dtype(d)
    if found.category != 2:
        raise TypeError(
            f"set_default_dtype: {found} is not a type of floats, as torch.float32 and "
            "torch.float64 are"
        )
    _default[0] = found


def joined(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of what two arrays give: the higher category's, the wider one within it."""
    x, y = of_numpy(a), of_numpy(b)
    if x.category != y.category:
        return (x if x.category > y.category else y).numpy
    return np.promote_types(a, b)


def result_numpy(dims: list[np.dtype[Any]], zeros: list[np.dtype[Any]], numbers: list[type]) -> Any:
    """The dtype of a result, from those of arrays with axes, of those without, and numbers."""
    result: Any = None
    for kinds in (dims, zeros):
        found = None
        for kind in kinds:
            found = kind if found is None else joined(found, kind)
        if found is None:
            continue
        if result is None or of_numpy(found).category > of_numpy(result).category:
            result = found
    for number in numbers:
        category = 0 if number is bool else 1 if number is int else 2
        if result is None or category > of_numpy(result).category:
            result = (BY_NAME["bool"], BY_NAME["int64"], _default[0])[category].numpy
    return result


def finfo(d: Any = None) -> Any:
    """Limits of a floating-point dtype."""
    return np.finfo((_default[0] if d is None else as_dtype(d)).numpy)


def iinfo(d: Any) -> Any:
    """Limits of an integer dtype."""
    return np.iinfo(as_dtype(d).numpy)


class device:  # noqa: N801 - PyTorch's name
    """The processor: the only device here."""

    __slots__ = ("index", "type")
    type: str
    index: int | None

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index
        kind, _, number = str(type).partition(":")
        if kind != "cpu":
            raise RuntimeError(
                f"device {type!r}: tapegrad computes on the processor alone; write "
                "torch.device('cpu'), or ask torch.cuda.is_available(), which is False"
            )
        self.type = kind
        self.index = int(number) if number else index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and other.type == self.type

    def __hash__(self) -> int:
        return hash(self.type)

    def __repr__(self) -> str:
        return f"device(type={self.type!r})"

    def __str__(self) -> str:
        return self.type


CPU = device()


def check_device(d: Any) -> None:
    """Raises for anything but the processor."""
    if d is not None and d is not CPU:
        device(d)
