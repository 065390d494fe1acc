"""What a node does: the kinds of operations, each of which writes its own statements.

`Operation.emit` writes Python into an `Emitter`; that is all that the layer knows of running. What
NumPy does with numbers and arrays is said by the functions that a `Call` applies.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tapegrad.graph.nodes import Body, Node
from tapegrad.graph.syntax import applied

if TYPE_CHECKING:
    from tapegrad.graph.emit import Emitter

Template = Any  # nodes and plain values in any nesting of tuples, lists, dicts and slices


def nodes_of(template: Template) -> Iterator[Node]:
    """The nodes in a nesting of tuples, lists, dicts and slices."""
    if isinstance(template, Node):
        yield template
    elif isinstance(template, tuple | list):
        for x in template:
            yield from nodes_of(x)
    elif isinstance(template, dict):
        for x in template.values():
            yield from nodes_of(x)
    elif isinstance(template, slice):
        yield from nodes_of((template.start, template.stop, template.step))


class Operation:
    """The base of all kinds.

    `cuts` says that no derivative goes through it; `bodies` are the insides of branches and loops;
    `effects` says that running it changes a state, `draws` that it draws random numbers.
    `stops` are nodes that a derivative takes as constants; `binds` says that what it is taken by
    are names alone, which nobody need give a value. `foreign` says that it calls a function of the
    user's, which is to be called though nobody needs what it gives.
    """

    cuts = False
    effects = False
    draws = False
    binds = False
    foreign = False
    stops: Sequence[Node] = ()

    def inputs(self) -> Iterable[Node]:
        """The nodes whose values it reads, apart from those that belong to its bodies."""
        return ()

    def reads_first(self) -> Iterable[Node]:
        """What must be there before it is written: its inputs, unless it writes some itself."""
        return self.inputs()

    def bodies(self) -> Sequence[Body]:
        """The insides of a branch or a loop."""
        return ()

    def differentiated(self) -> tuple[Sequence[Node], Sequence[Node], Sequence[Node]] | None:
        """Of a derivative: of what, by what, and what else it reads."""
        return None

    def title(self) -> str:
        """What a node of this kind is called where nobody says."""
        return type(self).__name__

    def emit(self, to: Emitter, node: Node) -> None:
        """Writes the statements that bind the node's name to its value."""
        raise NotImplementedError


class Placeholder(Operation):
    """A value that is given when the graph is run.

    `shape` holds a length or None for each axis, or is None where even their number is open.
    `default` is a node or None.
    """

    def __init__(
        self,
        dtype: np.dtype[Any],
        shape: tuple[int | None, ...] | None,
        default: Node | None = None,
    ) -> None:
        self.dtype = dtype
        self.shape = shape
        self.default = default

    def inputs(self) -> Iterable[Node]:
        return () if self.default is None else (self.default,)

    def emit(self, to: Emitter, node: Node) -> None:
        if self.default is None:
            to.missing(node)
        else:
            to.bind(node, to.name(self.default))


class Parameter(Operation):
    """What changes from one turn of a loop to the next; the loop binds its name."""

    def __init__(self, like: Node | None = None, item: Callable[[Any], Any] | None = None) -> None:
        self.like = like  # has the dtype and shape
        self.item = item  # of the value of `like`, the value of one turn

    def emit(self, to: Emitter, node: Node) -> None:
        raise ValueError(f"{node.described()} was used outside of the loop that it belongs to")


class Constant(Operation):
    """A number or an array. A Python number takes its neighbour's dtype, as in NumPy."""

    def __init__(self, value: Any) -> None:
        if isinstance(value, np.ndarray):
            value = value.copy()
            value.flags.writeable = False
        self.value = value

    def title(self) -> str:
        return "Const"

    def emit(self, to: Emitter, node: Node) -> None:
        to.bind(node, to.plain(self.value))


class State(Operation):
    """A value that lasts from one run to the next. `initial` is a node, an array or a number."""

    def __init__(self, dtype: np.dtype[Any], shape: Any, initial: Any) -> None:
        self.dtype = dtype
        self.shape = shape
        self.initial = initial

    def title(self) -> str:
        return "Variable"

    def emit(self, to: Emitter, node: Node) -> None:
        """Nothing is written: whoever reads it reads what it holds there."""


class Read(Operation):
    """The value that a state has at this place of a run: after its `controls`."""

    def __init__(self, state: Node) -> None:
        self.state = state

    def inputs(self) -> Iterable[Node]:
        return (self.state,)

    def emit(self, to: Emitter, node: Node) -> None:
        to.bind(node, to.state_now(self.state))


class Assign(Operation):
    """Gives a state a new value. Its own value is that."""

    cuts = True
    effects = True

    def __init__(self, state: Node, value: Template) -> None:
        self.state = state
        self.value = value

    def inputs(self) -> Iterable[Node]:
        return nodes_of(self.value)

    def emit(self, to: Emitter, node: Node) -> None:
        operation = self.state.operation
        assert isinstance(operation, State)
        store = to.function(stored)
        value = f"{store}({to.template(self.value)}, {to.plain(operation.dtype)})"
        to.bind(node, value)
        to.assign_state(self.state, to.name(node))


def stored(x: Any, dtype: np.dtype[Any]) -> Any:
    """The value as a state of this dtype holds it."""
    plain = not hasattr(x, "dtype")  # a number of Python's
    found = np.asarray(x).dtype if plain else x.dtype
    if found == dtype and not plain:
        return x
    if not np.can_cast(found, dtype, "same_kind"):
        raise TypeError(
            f"assign: a value of dtype {found} would be cut to that of the state, {dtype}; cast it "
            "first"
        )
    if plain:
        return np.asarray(x, dtype)[()]
    return x.astype(dtype)


class Call(Operation):
    """Applies a function of NumPy's level to values.

    `label` is how it is called in prints; `cuts` says that its derivative is zero, or that nobody
    wants it.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Template, ...],
        kwargs: dict[str, Template] | None = None,
        *,
        label: str = "",
        cuts: bool = False,
        foreign: bool = False,
    ) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs or {}
        self.label = label or getattr(function, "__name__", type(function).__name__)
        self.cuts = cuts
        self.foreign = foreign

    def inputs(self) -> Iterable[Node]:
        return nodes_of((self.args, self.kwargs))

    def title(self) -> str:
        return self.label

    def emit(self, to: Emitter, node: Node) -> None:
        given = [to.template(x) for x in self.args]
        written = None if self.kwargs else applied(self.function, given)
        given += [f"{key}={to.template(x)}" for key, x in self.kwargs.items()]
        to.bind(node, written or f"{to.function(self.function)}({', '.join(given)})")


class Draw(Operation):
    """Random numbers, anew at each run. `draw(rng, *args)` gives them.

    `seed` is what its generator starts from; None is another start each time.
    """

    cuts = True
    draws = True

    def __init__(
        self, draw: Callable[..., Any], args: tuple[Template, ...], seed: Any, label: str
    ) -> None:
        self.draw = draw
        self.args = args
        self.seed = seed
        self.label = label

    def inputs(self) -> Iterable[Node]:
        return nodes_of(self.args)

    def title(self) -> str:
        return self.label

    def emit(self, to: Emitter, node: Node) -> None:
        given = "".join(", " + to.template(x) for x in self.args)
        to.bind(node, f"{to.drawing(node)}({to.turns()}{given})")


class Group(Operation):
    """Nothing but an order: what it is made of is run before it. Its value is None."""

    cuts = True

    def __init__(self, members: Iterable[Node] = ()) -> None:
        self.members = tuple(members)

    def inputs(self) -> Iterable[Node]:
        return self.members

    def title(self) -> str:
        return "group_deps"

    def emit(self, to: Emitter, node: Node) -> None:
        to.bind(node, "None")


class Gradients(Operation):
    """The gradients of the sum of `ys` by each of `xs`: a tuple.

    `seeds` holds a node, or None for ones, for each of `ys`. None of `xs` may be computed from
    another; see `derivatives.gradients`.
    """

    def __init__(
        self,
        ys: Sequence[Node],
        xs: Sequence[Node],
        seeds: Sequence[Node | None],
        stops: Sequence[Node] = (),
    ) -> None:
        self.ys = tuple(ys)
        self.xs = tuple(xs)
        self.seeds = tuple(seeds)
        self.stops = tuple(stops)

    def inputs(self) -> Iterable[Node]:
        return (*self.ys, *self.xs, *(s for s in self.seeds if s is not None))

    def differentiated(self) -> tuple[Sequence[Node], Sequence[Node], Sequence[Node]]:
        return self.ys, self.xs, [s for s in self.seeds if s is not None]

    def title(self) -> str:
        return "gradients"

    def emit(self, to: Emitter, node: Node) -> None:
        to.emit_gradients(self, node)


class Transform(Operation):
    """A transform of tapegrad's (`tg.jacobian`, `tg.hessian`) of `y` as a function of `xs`.

    `transform(f)` is applied to `f(*xs)`, and what it gives to the values of `xs` and `args`.
    """

    def __init__(
        self,
        transform: Callable[..., Any],
        y: Template,
        xs: Sequence[Node],
        args: tuple[Template, ...] = (),
        label: str = "",
    ) -> None:
        self.transform = transform
        self.y = y
        self.xs = tuple(xs)
        self.args = args
        self.label = label

    def inputs(self) -> Iterable[Node]:
        return (*nodes_of(self.y), *self.xs, *nodes_of(self.args))

    def differentiated(self) -> tuple[Sequence[Node], Sequence[Node], Sequence[Node]]:
        return tuple(nodes_of(self.y)), self.xs, tuple(nodes_of(self.args))

    def title(self) -> str:
        return self.label

    def emit(self, to: Emitter, node: Node) -> None:
        function = to.emit_function(self.xs, tuple(nodes_of(self.y)), lambda: to.template(self.y))
        given = [to.name(x) for x in self.xs] + [to.template(x) for x in self.args]
        to.bind(node, f"{to.function(self.transform)}({function})({', '.join(given)})")


class Alias(Operation):
    """What stands for a node is another one."""

    def __init__(self, other: Node) -> None:
        self.other = other

    def inputs(self) -> Iterable[Node]:
        return (self.other,)

    def emit(self, to: Emitter, node: Node) -> None:
        to.bind(node, to.name(self.other))


class Substituted(Operation):
    """`y`, with the values of `by` in place of `xs`."""

    binds = True

    def __init__(self, y: Node, xs: Sequence[Node], by: Sequence[Node]) -> None:
        self.y = y
        self.xs = tuple(xs)
        self.by = tuple(by)

    def inputs(self) -> Iterable[Node]:
        return (self.y, *self.by)

    def differentiated(self) -> tuple[Sequence[Node], Sequence[Node], Sequence[Node]]:
        return (self.y,), self.xs, self.by

    def title(self) -> str:
        return "clone"

    def emit(self, to: Emitter, node: Node) -> None:
        function = to.emit_function(self.xs, (self.y,), lambda: to.name(self.y))
        to.bind(node, f"{function}({', '.join(to.name(x) for x in self.by)})")


def item(node: Node, k: Any, name: str | None = None) -> Any:
    """Element `k` of a node whose value is a tuple."""
    return node.graph.node(Call(operator.getitem, (node, k), label="item"), name)
