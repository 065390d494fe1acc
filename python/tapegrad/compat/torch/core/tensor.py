"""`Tensor`: an array or a Variable under PyTorch's habits."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable
from tapegrad.compat.torch.core import call, dtypes, writes
from tapegrad.compat.torch.core.backward import backward
from tapegrad.compat.torch.core.formatting import text_of
from tapegrad.compat.torch.core.graph import INPUTS
from tapegrad.compat.torch.core.hooks import Hook, hooked
from tapegrad.compat.torch.core.registry import FUNCTIONS, METHODS
from tapegrad.compat.torch.core.size import Size


class Tensor:
    """An array of numbers; with `requires_grad`, what is computed of it is recorded.

    >>> import tapegrad.compat.torch as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    _v: Any
    _cut = False  # shows a Variable without its gradient
    _leaf = False  # was made one by requires_grad
    _node: Any = None
    _store: Any = None
    _link: Any = None  # (base, how it is shown): a view of a plain array
    _outside = False  # a NumPy array of the user's shares the memory
    _grad: Any = None
    _hooks: Any = None
    _after: Any = None
    _retains = False
    _late = False  # its hooks came after it was used
    __array_priority__ = 2000

    def __new__(cls, *args: Any, device: Any = None) -> Any:
        """A tensor of float numbers from a list, or of the given lengths, as `torch.Tensor`."""
        from tapegrad.compat.torch import creation

        dtypes.check_device(device)

        if len(args) == 1 and not isinstance(args[0], int):
            made = creation.tensor(args[0], dtype=dtypes.get_default_dtype())
        elif args:
            made = creation.empty(*args)
        else:
            made = creation.empty(0)
        return call.new(made._v, cls)

    # What it is.

    @property
    def shape(self) -> Size:
        """Its lengths."""
        return Size(call.cell(self).shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length along `dim`."""
        return self.shape if dim is None else self.shape[dim]

    @property
    def dtype(self) -> dtypes.dtype:
        """What its elements are."""
        return dtypes.of_numpy(self._v.dtype)

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return int(self._v.ndim)

    def dim(self) -> int:
        """How many axes it has."""
        return int(self._v.ndim)

    def numel(self) -> int:
        """How many elements it has."""
        return int(self._v.size)

    nelement = numel

    @property
    def device(self) -> dtypes.device:
        """The processor."""
        return dtypes.CPU

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient is taken by it, or by what it was computed from."""
        return call.recorded(self)

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Makes it a leaf that takes a gradient, or one that takes none."""
        if requires_grad:
            if not call.recorded(self):
                writes.require_gradient(self)
        elif call.recorded(self):
            if not self.is_leaf:
                raise RuntimeError(
                    f"requires_grad: a computed tensor, shape {list(self.shape)}, has it from "
                    "its operands, and it is set on leaf tensors alone; write x = y.detach()"
                )
            self._cut = True
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by the user, and not computed of what requires a gradient."""
        if not call.recorded(self):
            return True
        if self._store is not None and self._store.written is not None:
            return False
        if self._node is None:
            return _core.is_leaf(call.cell(self))
        return self._node.leaf is not None

    @property
    def grad_fn(self) -> Any:
        """The operation that it is the result of."""
        return None if self.is_leaf else call.source(self)

    @property
    def _version(self) -> int:
        return int(self._store.version) if self._store is not None else 0

    # Gradients.

    @property
    def grad(self) -> Any:
        """The gradient that `backward` added up, or None."""
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not call.is_tensor(value):
                raise TypeError(f"grad: expected a Tensor or None, not {type(value).__name__}")
            if value.shape != self.shape:
                raise RuntimeError(
                    f"grad: shape {list(value.shape)} is not the shape of the tensor, "
                    f"{list(self.shape)}"
                )
        self._grad = value

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Adds the derivatives of this tensor to the `.grad` of the leaves it was computed from."""
        backward([self], [gradient], retain_graph, create_graph, inputs)

    def retain_grad(self) -> None:
        """Lets `backward` fill the `.grad` of a computed tensor too."""
        if not call.recorded(self):
            shown = f"a tensor of shape {list(self.shape)} with requires_grad=False"
            raise RuntimeError(f"retain_grad: {shown} gets no gradient")
        if not self.is_leaf:
            self._retains = True
            hooked(self)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called."""
        return self._retains

    def register_hook(self, hook: Callable[[Any], Any]) -> Hook:
        """Calls `hook(gradient)` when it is known; what it returns takes the gradient's place."""
        return Hook.on_tensor(self, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Any], Any]) -> Hook:
        """Calls `hook(tensor)` after `.grad` of this leaf was added to."""
        return Hook.after(self, hook)

    def detach(self) -> Any:
        """The same memory without a gradient."""
        return call.detached(self)

    def detach_(self) -> Any:
        """Cuts it off from what it was computed from."""
        if call.recorded(self):
            shown = call.detached(self)
            self._v, self._cut, self._node, self._link = shown._v, shown._cut, None, None
            self._store, self._retains = None, False
        return self

    @property
    def data(self) -> Any:
        """The same memory without a gradient."""
        return call.detached(self)

    @data.setter
    def data(self, value: Any) -> None:
        new = call.raw(value.detach())
        content = call.cell(self)
        like = new.dtype == content.dtype and new.shape == content.shape
        if like and type(content) is Variable and self.is_leaf:
            content.value = new
            return
        recorded, cut = call.recorded(self), self._cut
        if recorded and not self.is_leaf:
            raise RuntimeError(
                "data: a computed tensor can't be given other content, which its derivative would "
                "not see; write x = value.detach()"
            )
        self._v = Variable(new) if recorded or (cut and type(content) is Variable) else new
        self._link = None

    # Plain numbers.

    def numpy(self, *, force: bool = False) -> Any:
        """Its array, which shares the memory where nothing is recorded."""
        content = call.cell(self)
        if type(content) is not Variable:
            self._outside = True
            base = self
            while base._link is not None and type(base._link) is not call.Seen:
                base = base._link[0]
                base._outside = True
            return content
        if not self._cut and not force:
            raise RuntimeError(
                f"numpy(): an array has no gradient, and this tensor of shape {list(self.shape)} "
                "has requires_grad=True; write x.detach().numpy()"
            )
        return np.asarray(_core.value(content))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.numpy()
        return np.array(array, dtype=dtype, copy=copy)

    def item(self) -> Any:
        """The Python number of a tensor of one element."""
        if self.numel() != 1:
            raise RuntimeError(
                f"item(): one element makes a number, and shape {list(self.shape)} has "
                f"{self.numel()}; write x.tolist()"
            )
        return self.plain().item()

    def plain(self) -> Any:
        """Its values as an array of NumPy, with or without a record."""
        return np.asarray(_core.value(call.cell(self)))

    def tolist(self) -> Any:
        """Its numbers in lists."""
        return self.plain().tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.dtype.category == 2:
            raise TypeError(f"index: a tensor of {self.dtype} counts nothing; int(x) cuts a float")
        return int(self.item())

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise RuntimeError(
                f"bool(x): a tensor of shape {list(self.shape)} has {self.numel()} elements, and "
                "one makes a flag; write x.any() or x.all()"
            )
        return bool(self.item())

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("len(): a 0-d tensor has no length, its shape is []; x.numel() is 1")
        return int(self.shape[0])

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("iter(): a 0-d tensor has no axis to go along; x.item() is its number")
        return iter(FUNCTIONS["unbind"](self))

    def __contains__(self, x: Any) -> bool:
        return bool((self == x).any())

    def __repr__(self, **options: Any) -> str:
        return text_of(self)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.ndim == 0 else format(str(self), spec)

    def __hash__(self) -> int:
        return id(self)

    def __deepcopy__(self, memo: Any) -> Any:
        if not self.is_leaf:
            raise RuntimeError(
                f"deepcopy: of a computed tensor, shape {list(self.shape)}, the graph is not "
                "copied; write x.detach().clone()"
            )
        made = call.new(np.array(self.plain()), type(self))
        memo[id(self)] = made
        if self.requires_grad:
            made.requires_grad_()
        if self._grad is not None:
            made._grad = self._grad.__deepcopy__(memo)
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        if not self.is_leaf:
            raise RuntimeError(
                "pickle: only leaves are pickled: write x.detach() of a computed tensor"
            )
        return _rebuilt, (type(self), np.array(self.plain()), self.requires_grad)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs:
            return NotImplemented
        return call.call(ufunc.__name__.title(), ufunc, *inputs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        given: list[Any] = []
        out = func(*_opened(args, given), **_opened(kwargs, given))
        return _closed(out, func.__name__, tuple(given))


def _rebuilt(kind: type, array: Any, requires_grad: bool) -> Any:
    made = call.new(array, kind)
    return made.requires_grad_() if requires_grad else made


def _opened(x: Any, given: list[Any]) -> Any:
    """Arguments of a function of NumPy with values for tensors, which `given` collects."""
    if call.is_tensor(x):
        given.append(x)
        return call.raw(x)
    if isinstance(x, dict):
        return {k: _opened(v, given) for k, v in x.items()}
    return type(x)(_opened(v, given) for v in x) if type(x) in (list, tuple) else x


def _closed(x: Any, name: str, given: tuple[Any, ...]) -> Any:
    if type(x) is Variable:
        return call.recorded_result(name.title(), x, given, INPUTS)
    if isinstance(x, (np.ndarray, np.generic)):
        return call.new(x)
    return type(x)(_closed(v, name, given) for v in x) if type(x) in (list, tuple) else x


call.TENSOR.append(Tensor)


def _swapped(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: f(other, self)


def _given(f: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        if isinstance(other, (Tensor, int, float, np.ndarray, np.generic, Variable)):
            return f(self, other)
        return NotImplemented

    return method


_OPERATORS = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "pow": "pow",
    "matmul": "matmul", "floordiv": "floor_divide", "mod": "remainder", "and": "bitwise_and",
    "or": "bitwise_or", "xor": "bitwise_xor", "lt": "lt", "le": "le", "gt": "gt", "ge": "ge",
    "eq": "eq", "ne": "ne",
}  # fmt: skip


def attach() -> None:
    """Gives the class its methods and operators, once the functions are there."""
    for name, f in METHODS.items():
        if not hasattr(Tensor, name) or name in ("T",):
            setattr(Tensor, name, f)
    for operation, name in _OPERATORS.items():
        f = FUNCTIONS[name]
        setattr(Tensor, f"__{operation}__", _given(f))
        if hasattr(operator, f"__i{operation}__"):
            setattr(Tensor, f"__r{operation}__", _swapped(f))
            setattr(Tensor, f"__i{operation}__", METHODS.get(f"{name}_", _given(f)))
    for name, f in (
        ("neg", FUNCTIONS["neg"]), ("pos", lambda self: self), ("abs", FUNCTIONS["abs"]),
        ("invert", FUNCTIONS["bitwise_not"]),
    ):  # fmt: skip
        setattr(Tensor, f"__{name}__", f)
