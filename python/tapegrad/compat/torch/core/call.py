"""How a function of arrays is called with tensors, and how tensors are written to.

A tensor holds a plain array, or a Variable where it requires a gradient. Three ways lead to the
core: `call` (a function of values gives new tensors), `view` (tensors that show the memory of
another) and `write` (new content, in place). Everything else here is written with these.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable
from tapegrad.compat.torch.core.graph import (
    CHOICE,
    FOREIGN,
    INPUTS,
    OTHERS,
    RESULT,
    Node,
    Store,
    leaf_node,
)
from tapegrad.compat.torch.core.modes import MODES

_NUMBERS = (bool, int, float)
A_NUMBER = (Store(), 0, (), "a number")  # saved like a tensor, and never changed

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
    if type(t._link) is Seen:
        _look_again(t)
        return
    base, shown = t._link
    content = cell(base)
    if type(content) is Variable:
        t._link = None
        t._v = shown(content)
        t._cut = t._cut or base._cut or base._leaf
        if not t._cut:
            t._node = Node("AsStridedBackward0", (source(base),))


class Seen(NamedTuple):
    """How a detached tensor shows a recorded one, which it does not keep alive."""

    base: Any
    shown: Callable[[Any], Any]
    version: int


def _look_again(t: Any) -> None:
    """Takes the content of the recorded tensor anew, where that was written to since."""
    base, shown, version = t._link
    if t._store.version == version:
        return
    tensor = base()
    if tensor is None:
        raise RuntimeError(
            f"detach: the recorded tensor that this one, of shape {list(t._v.shape)}, shows was "
            f"changed by {t._store.where} and is gone; keep a copy, x = y.detach().clone()"
        )
    _see(t, tensor, shown)


def _see(t: Any, base: Any, shown: Callable[[Any], Any]) -> None:
    t._v = np.asarray(shown(np.asarray(_core.value(cell(base))))).view()
    t._v.flags.writeable = False
    t._link = Seen(weakref.ref(base), shown, t._store.version)


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
    if isinstance(x, TENSOR[0]):
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
        node = t._node = leaf_node(t) if t._leaf else Node(FOREIGN, ())
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
    kind = TENSOR[0]
    wanting = [t for t in args if isinstance(t, kind) and type(t._v) is Variable and not t._cut]
    saved: tuple[Any, ...] = ()
    if saves == INPUTS:
        saved = tuple([_saved(t) for t in args if isinstance(t, kind)]) or (A_NUMBER,)
    elif saves == CHOICE:
        saved = (A_NUMBER,)
    elif saves == OTHERS:
        alone = wanting[0] if len(wanting) == 1 else None
        saved = tuple(
            [_saved(t) if isinstance(t, kind) else A_NUMBER for t in args if t is not alone]
        )
    inputs = [source(t) for t in wanting]
    inputs += [Node(FOREIGN, ()) for t in args if type(t) is Variable]
    return Node(name + "Backward0", tuple(inputs), saved)


def recorded_result(name: str, out: Any, args: tuple[Any, ...], saves: int) -> Any:
    """The tensor, or tensors, of what a function of Variables gave."""
    if type(out) is tuple:
        node = _node(name, args, saves)
        several = tuple(map(new, out))
        for t in several:
            if type(t._v) is Variable:
                t._node = node
        return several
    made = object.__new__(TENSOR[0])
    if type(out) is not Variable:
        made._v = np.asarray(out)
        return made
    made._v = out
    made._node = _node(name, args, saves)
    if saves == RESULT:
        made._node.saved = (_saved(made),)
    return made


def call(name: str, f: Callable[..., Any], *args: Any, saves: int = INPUTS) -> Any:
    """`f` of the values of `args`: one new tensor, or a tuple of them where `f` gives one."""
    values = [operand(x) for x in args]
    for v in values:
        if type(v) is Variable:
            return recorded_result(name, f(*values), args, saves)
    with np.errstate(all="ignore"):
        out = f(*values)
    return tuple(map(new, out)) if type(out) is tuple else new(out)


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
        if shares and type(t._link) is Seen:
            base, shown, version = t._link
            made._link = Seen(base, lambda x: f(shown(x)), version)
        elif shares:
            made._link = (t, f)
            made._outside = t._outside
    return made


def _share(a: Any, b: Any) -> bool:
    if type(b) is Variable:
        return bool(_core.overlap(a, b))
    return bool(np.may_share_memory(a, b))


def _window(t: Any, f: Callable[[Any], Any]) -> Any:
    """A view without a gradient: writes through to a leaf, is for reading of anything else."""
    made = object.__new__(TENSOR[0])
    made._store = store(t)
    if t._cut or t.is_leaf:
        made._v = f(cell(t))
        made._cut = True
    else:
        _see(made, t, f)
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
