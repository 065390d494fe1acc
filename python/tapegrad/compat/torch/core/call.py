"""How a function of arrays is called with tensors, and how tensors are written to.

A tensor holds a plain array, or a Variable where it requires a gradient. Three ways lead to the core:
`call` (a function of values gives new tensors), `view` (tensors that show the memory of another) and
`write` (new content, in place). Everything else in this package is written with these.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable
from tapegrad.compat.torch.core import dtypes
from tapegrad.compat.torch.core.graph import (
    CHOICE,
    INPUTS,
    NOTHING,
    OTHERS,
    RESULT,
    Node,
    Store,
    callers_line,
    leaf_node,
)
from tapegrad.compat.torch.core.modes import MODES

_NUMBERS = (bool, int, float)
_A_NUMBER = (Store(), 0, (), "a number")  # saved like a tensor, and never changed

TENSOR: list[Any] = []  # the class, which tensor.py puts here


def is_tensor(x: object) -> bool:
    """Whether `x` is a tensor."""
    return isinstance(x, TENSOR[0])


def new(value: Any, kind: Any = None) -> Any:
    """A tensor of an array or a Variable."""
    t = object.__new__(TENSOR[0] if kind is None else kind)
    t._v = value if type(value) is Variable or type(value) is np.ndarray else np.asarray(value)
    return t


def cell(t: Any) -> Any:
    """The array or Variable that a tensor shows, to look at or to write to."""
    if t._link is not None:
        _follow(t)
    return t._v


def _follow(t: Any) -> None:
    """Shows a Variable where the tensor that `t` is a view of has become one."""
    base, shown = t._link
    content = cell(base)
    if type(content) is Variable:
        t._link = None
        t._v = shown(content)
        t._cut = t._cut or base._cut or base._leaf
        if not t._cut:
            t._node = Node("AsStridedBackward0", (source(base),))


def recorded(t: Any) -> bool:
    """Whether the tensor requires a gradient."""
    return type(cell(t)) is Variable and not t._cut


def raw(t: Any) -> Any:
    """What an operation gets of a tensor: its Variable, or an array where nothing is recorded."""
    v = t._v if t._link is None else cell(t)
    if type(v) is Variable and (t._cut or not MODES.recording):
        return np.asarray(_core.value(v))
    return v


def operand(x: Any) -> Any:
    """The same of a tensor, a Variable, an array or a number."""
    if is_tensor(x):
        return raw(x)
    if isinstance(x, np.generic):
        return x.item()
    if type(x) is Variable or isinstance(x, (np.ndarray, *_NUMBERS)):
        return x
    raise TypeError(f"expected a Tensor or a number, not {type(x).__name__}: {x!r}")


def source(t: Any) -> Node:
    """The node that a recorded tensor comes from."""
    node = t._node
    if node is None:  # a leaf, or a Variable of the user's or of a transform
        node = t._node = leaf_node(t) if _core.is_leaf(cell(t)) else Node("VariableBackward0", ())
    written = t._store.written if t._store is not None else None
    if written is not None and written is not node:
        return Node("AsStridedBackward0", (node, written))
    return node  # type: ignore[no-any-return]  # attributes of tensors are untyped


def store(t: Any) -> Store:
    """What counts the writes to a tensor's memory."""
    if t._store is None:
        t._store = Store()
    return t._store  # type: ignore[no-any-return]  # attributes of tensors are untyped


def _saved(t: Any) -> tuple[Any, ...]:
    v = t._v
    return (store(t), t._store.version, v.shape, v.dtype)


def _node(name: str, args: tuple[Any, ...], saves: int) -> Node:
    tensors = [t for t in args if is_tensor(t)]
    wanting = [t for t in tensors if recorded(t)]
    saved: list[Any] = []
    if saves == CHOICE:
        saved = [_A_NUMBER]
    elif saves == INPUTS:
        saved = [_saved(t) for t in tensors] or [_A_NUMBER]
    elif saves == OTHERS:
        for t in args:
            if len(wanting) > (len(wanting) == 1 and wanting[0] is t):
                saved.append(_saved(t) if is_tensor(t) else _A_NUMBER)
    return Node(name, tuple(source(t) for t in wanting), tuple(saved))


def _given(out: Any, node: Callable[[], Node] | None) -> Any:
    t = object.__new__(TENSOR[0])
    if type(out) is Variable:
        t._v = out
        if node is not None:
            t._node = node()
    else:
        t._v = out if type(out) is np.ndarray else np.asarray(out)
    return t


def call(name: str, f: Callable[..., Any], *args: Any, saves: int = INPUTS) -> Any:
    """`f` of the values of `args`: one new tensor, or a tuple of them where `f` gives one."""
    values = [raw(x) if is_tensor(x) else operand(x) for x in args]
    if not any(type(v) is Variable for v in values):
        with np.errstate(all="ignore"):
            out = f(*values)
        return tuple(map(new, out)) if type(out) is tuple else new(out)
    out = f(*values)
    made: list[Node] = []

    def node() -> Node:
        if not made:
            made.append(_node(name + "Backward0", args, saves))
        return made[0]

    result = tuple(_given(o, node) for o in out) if type(out) is tuple else _given(out, node)
    if saves == RESULT and made:
        made[0].saved = (_saved(result),)
    return result


def meet(values: list[Any]) -> list[Any]:
    """Operands in one dtype by PyTorch's rules: arrays with axes decide, then those without."""
    dims, zeros, numbers = [], [], []
    for v in values:
        if type(v) in _NUMBERS:
            numbers.append(type(v))
        else:
            (dims if v.ndim else zeros).append(v.dtype)
    kind = dtypes.result_numpy(dims, zeros, numbers)
    return [v if type(v) in _NUMBERS else cast(v, kind) for v in values]


def cast(v: Any, kind: Any) -> Any:
    """An array or Variable in a dtype of NumPy's; to integers without a derivative."""
    if v.dtype == kind:
        return v
    if type(v) is Variable and kind.kind != "f":
        v = np.asarray(_core.value(v))
    return v.astype(kind)


def table(x: Any, *indices: Any) -> Any:
    """An array that a lane's own index may read: under vmap the index is a Variable."""
    if type(x) is not Variable and x.dtype.kind == "f":
        if any(type(i) is Variable for i in indices):
            return Variable(x)
    return x


def floats(v: Any) -> Any:
    """An operand of a function that gives floats: integers become the default dtype."""
    if type(v) in _NUMBERS or v.dtype.kind == "f":
        return v
    return v.astype(dtypes.get_default_dtype().numpy)


def same_kind(a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands, brought together only where their dtypes ask for it."""
    if type(b) in _NUMBERS:
        if type(a) in _NUMBERS or (a.dtype.kind == "f" or type(b) is bool):
            return a, b
        if type(b) is int and a.dtype.kind in "iu":
            return a, b
    elif (type(a) not in _NUMBERS and a.dtype == b.dtype) or (
        type(a) in _NUMBERS and b.dtype.kind == "f"
    ):
        return a, b
    x, y = meet([a, b])
    return x, y


def broadcast_complaint(a: Any, b: Any) -> None:
    """Raises, as PyTorch does, where two operands have no common shape."""
    x, y = np.shape(a), np.shape(b)
    for k in range(1, min(len(x), len(y)) + 1):
        m, n = x[-k], y[-k]
        if m != n and 1 not in (m, n):
            raise RuntimeError(
                f"The size of tensor a ({m}) must match the size of tensor b ({n}) at "
                f"non-singleton dimension {max(len(x), len(y)) - k}: the shapes are {list(x)} "
                f"and {list(y)}; insert axes with unsqueeze, or transpose one of them"
            )


def view(name: str, t: Any, f: Callable[[Any], Any], may_copy: bool = False) -> Any:
    """A tensor that shows `f` of the memory of `t`, which is a view in NumPy too."""
    content = cell(t)
    if type(content) is Variable and (t._cut or not MODES.recording):
        return _window(t, f)
    out = f(content)
    shares = not may_copy or _share(out, content)
    made = object.__new__(TENSOR[0])
    made._v = out
    if shares:
        made._store = store(t)
    if type(out) is Variable:
        made._node = Node(name + "Backward0", (source(t),))
    else:
        made._v = out if type(out) is np.ndarray else np.asarray(out)
        if shares:
            made._link = (t, f)
            made._outside = t._outside
    return made


def _share(a: Any, b: Any) -> bool:
    if type(b) is Variable:
        return bool(_core.overlap(a, b))
    return bool(np.may_share_memory(a, b))


def _window(t: Any, f: Callable[[Any], Any]) -> Any:
    """A view without a gradient: of a leaf it writes through, of anything else it is for reading."""
    made = object.__new__(TENSOR[0])
    made._store = store(t)
    if t._cut or t.is_leaf:
        made._v = f(cell(t))
        made._cut = True
    else:
        made._v = np.asarray(f(np.asarray(_core.value(cell(t))))).view()
        made._v.flags.writeable = False
    return made


def _as_it_is(content: Any) -> Any:
    return content[...] if content.ndim == 0 and type(content) is np.ndarray else content


def detached(t: Any) -> Any:
    """The tensor's memory without its gradient."""
    content = cell(t)
    if type(content) is Variable:
        return _window(t, _as_it_is)
    made = view("Alias", t, _as_it_is)
    made._cut = True
    return made


def check_writable(t: Any) -> None:
    """Raises where PyTorch refuses a write in place, and where its gradient would be lost here."""
    content = cell(t)
    if type(content) is not Variable:
        if not content.flags.writeable:
            raise RuntimeError(
                f"an in-place operation on a tensor of shape {list(content.shape)} that only shows "
                "another one: a recorded result without its gradient, or elements that are "
                "repeated by expand; write to a copy of it, x = x.clone()"
            )
        return
    if t._cut:
        return
    if MODES.recording:
        if t.is_leaf:
            raise RuntimeError(
                "a leaf Variable that requires grad is being used in an in-place operation. Write "
                "it inside torch.no_grad(), or to a copy, x = x.clone()"
            )
        if _views_a_leaf(t):
            raise RuntimeError(
                "a view of a leaf Variable that requires grad is being used in an in-place "
                "operation. Write it inside torch.no_grad(), or to a copy, x = x.clone()"
            )
    elif not t.is_leaf:
        raise RuntimeError(
            "an in-place operation, without recording, on a recorded result: its derivative would "
            "be that of the old content; write to a copy, x = x.detach().clone()"
        )


def _views_a_leaf(t: Any) -> bool:
    if t._store is None or t._store.written is not None:
        return False
    node = t._node
    while node is not None and node.leaf is None and len(node.inputs) == 1:
        if node._name not in _VIEWS:
            return False
        node = node.inputs[0]
    leaf = node.variable if node is not None and node.leaf is not None else None
    return leaf is not None and leaf._store is t._store


_VIEWS = frozenset(
    f"{name}Backward0"
    for name in (
        "Alias", "View", "Select", "Slice", "T", "Transpose", "Permute", "Squeeze", "Unsqueeze",
        "Expand", "Unfold", "Diagonal", "AsStrided", "Split", "Unbind", "Flatten",
    )
)  # fmt: skip


def _variable_cell(t: Any) -> Variable:
    """Makes a plain tensor's memory recordable, for all tensors that show it."""
    content = cell(t)
    if type(content) is Variable:
        return content
    if t._link is not None:
        base = t._link[0]
        _variable_cell(base)
        return cell(t)  # type: ignore[no-any-return]  # which followed its base
    if t._outside:
        raise RuntimeError(
            "a tensor that shares its memory with a NumPy array (from_numpy, or numpy()) can't hold "
            "a recorded value, which the array would not show; write to a copy, x = x.clone()"
        )
    t._v = Variable(content)
    return t._v  # type: ignore[no-any-return]  # attributes of tensors are untyped


def require_gradient(t: Any) -> None:
    """Makes a plain tensor a leaf."""
    content = cell(t)
    if type(content) is Variable:
        t._cut = False
        return
    if content.dtype.kind != "f":
        raise RuntimeError(
            f"only Tensors of floating point dtype can require gradients, not "
            f"{dtypes.of_numpy(content.dtype)}; write x.float()"
        )
    t._outside = False  # the leaf has a copy (docs/moving_from_pytorch.md)
    if t._link is not None:
        t._link = None
        t._store = None
    t._v = Variable(content)
    t._leaf = True
    t._cut = False
    t._node = leaf_node(t)


def put(t: Any, key: Any, value: Any, name: str, node: Node | None, reset: bool = False) -> None:
    """Writes an array, a Variable or a number at `key`, and counts the write."""
    content = cell(t)
    if type(value) is Variable and content.dtype.kind != "f":
        value = np.asarray(_core.value(value))
    if type(value) is Variable:
        if t._cut:
            raise RuntimeError(
                "a recorded value can't be written to a detached tensor, which has no "
                "gradient; write value.detach(), or to a copy, x = x.clone()"
            )
        content = _variable_cell(t)
    content[key] = value
    kept = store(t)
    kept.version += 1
    kept.where = callers_line()
    if type(value) is Variable and node is not None:
        t._node = kept.written = node
    elif type(content) is Variable and not t._cut and not t.is_leaf and MODES.recording:
        t._node = kept.written = Node(name, (source(t),))


def write(t: Any, result: Any, name: str) -> Any:
    """Puts a new tensor's content into `t`: the second half of every in-place operation."""
    value = raw(result)
    content = cell(t)
    if dtypes.of_numpy(value.dtype).category > dtypes.of_numpy(content.dtype).category:
        raise RuntimeError(
            f"result type {dtypes.title(dtypes.of_numpy(value.dtype))} can't be cast to the "
            f"desired output type {dtypes.title(dtypes.of_numpy(content.dtype))}; write it out of "
            "place, x = x + 1.5 for x += 1.5"
        )
    if value.shape != content.shape:
        broadcast_complaint(np.broadcast_to(0, value.shape), np.broadcast_to(0, content.shape))
        if np.broadcast_shapes(value.shape, content.shape) != content.shape:
            raise RuntimeError(
                f"output with shape {list(content.shape)} doesn't match the broadcast shape "
                f"{list(value.shape)}"
            )
    node, kept = result._node, store(t)
    put(t, ..., value, name, node)
    if node is not None:
        # What the operation saved of `t` is its own copy; what it saved of its result is `t` now.
        own, out = (kept, result._store)
        node.saved = tuple(
            (kept, kept.version, *rest) if s is out else (_A_NUMBER if s is own else (s, v, *rest))
            for s, v, *rest in node.saved
        )
    return t


def in_place(name: str, f: Callable[..., Any], t: Any, *args: Any, **kwargs: Any) -> Any:
    """`t` with the content of `f(t, ...)`."""
    check_writable(t)
    return write(t, f(t, *args, **kwargs), name)


def in_place_of(name: str, f: Callable[..., Any]) -> Callable[..., Any]:
    """The method `name` that writes what the function `f` gives."""
    made = partial(in_place, name, f)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return made(self, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"`{name[:-1]}` in place."
    return method


__all__ = [
    "CHOICE",
    "INPUTS",
    "NOTHING",
    "OTHERS",
    "RESULT",
    "broadcast_complaint",
    "call",
    "cast",
    "cell",
    "check_writable",
    "detached",
    "floats",
    "in_place",
    "in_place_of",
    "is_tensor",
    "meet",
    "new",
    "operand",
    "put",
    "raw",
    "recorded",
    "require_gradient",
    "same_kind",
    "source",
    "store",
    "table",
    "view",
    "write",
]
