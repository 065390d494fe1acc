"""A recorded function as plain data: a graph of values and the operations between them.

Everything that shows a recording to people, or writes it in another language, starts here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tapegrad import _core, _tree
from tapegrad.compile.call import Arguments
from tapegrad.compile.recorder import record_call
from tapegrad.transforms.trace import check_callable, name_of


@dataclass(frozen=True, eq=False)
class Node:
    """One value of a graph, and where it comes from.

    `kind` is "input", "captured" (an array or Variable that the function read from outside),
    "constant" or "step". A step applies the operation `op` with these `attributes` to the values
    whose numbers are `operands`; of an operation with several results it is the one with number
    `output`. `kernel` describes a fused kernel, whose `op` is empty. `line` is the user's line
    (file and number) that recorded it, where it is known. `name` is what people call it: the
    argument's name for an input. `content` holds a constant. `body` is the graph that an operation
    applies (a scan, a checkpointed function). `held` steps let no derivative through.
    """

    number: int
    kind: str
    dtype: str
    shape: tuple[int, ...]
    name: str = ""
    op: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    operands: tuple[int, ...] = ()
    output: int = 0
    step: int = -1
    kernel: str = ""
    line: str = ""
    content: Any = None
    body: Graph | None = None
    held: bool = False


@dataclass(frozen=True, eq=False)
class Guard:
    """A choice that plain code made: the graph is the function's only where it is the same."""

    number: int
    expected: Any
    line: str


class Graph:
    """A recorded function: `nodes` by number, operands before what reads them.

    `inputs`, `captures` and `outputs` are numbers of nodes. `name` is the function's.
    """

    def __init__(self, view: dict[str, Any], name: str = "", names: Sequence[str] = ()) -> None:
        self.name = name
        self.inputs: tuple[int, ...] = view["inputs"]
        self.captures: tuple[int, ...] = view["captures"]
        self.outputs: tuple[int, ...] = view["outputs"]
        self.guards = [Guard(*guard) for guard in view["guards"]]
        self.nodes = _nodes(view, names)

    def steps(self) -> Iterator[Node]:
        """The first result of each step, in order."""
        return (node for node in self.nodes if node.kind == "step" and node.output == 0)

    def users(self) -> list[list[int]]:
        """Of each node the numbers of the nodes that read it."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for operand in dict.fromkeys(node.operands):
                found[operand].append(node.number)
        return found


class RecordedGraph(Graph):
    """The graph of one call of a function: it can be evaluated, swept and timed again.

    `arguments` are the values of the inputs.
    """

    def __init__(
        self,
        recording: _core.Recording,
        arguments: list[Any],
        name: str,
        names: Sequence[str],
        fill: Callable[[Sequence[Any]], Any],
    ) -> None:
        super().__init__(recording.view, name, names)
        self.recording = recording
        self.arguments = arguments
        self.result = fill  # outputs in the structure that the function returned

    def values(self) -> list[Any]:
        """The value of each node, by number."""
        return [_core.value(x) for x in _core.replay_values(self.recording, self.arguments)]

    def values_and_adjoints(self, output: int = 0, seed: Any = 1.0) -> tuple[list[Any], list[Any]]:
        """The value of each node, and the derivative of output `output` by it, times `seed`.

        It is zero where the output does not depend on the node, and None for integers and flags.
        """
        with _core.Scope() as scope:
            entered = [
                scope.argument(x) if is_floating(x) else x for x in map(_as_given, self.arguments)
            ]
            found = _core.replay_values(self.recording, entered)
            adjoints: list[Any] = [None] * len(found)
            end = found[self.outputs[output]]
            places = [k for k, x in enumerate(found) if _core.is_variable(x) and is_floating(x)]
            if _core.is_variable(end) and places:
                seeds = [np.full(end.shape, seed, end.dtype)[()]]
                swept = _core.grad([end], [found[k] for k in places], seeds, False)
                for k, adjoint in zip(places, swept, strict=True):
                    adjoints[k] = adjoint
            return [_core.value(x) for x in found], adjoints

    def times(self, runs: int = 5) -> list[float]:
        """Nanoseconds of each step, the least of `runs` runs."""
        return _core.step_times(self.recording, self.arguments, runs)

    def optimised(self, **passes: bool) -> OptimisedGraph:
        """The graph of the program that the passes make of it; `passes` as for `tg.compile`."""
        return OptimisedGraph(self, _core.Program(self.recording, (), (), **passes))


class OptimisedGraph(Graph):
    """The graph of an optimised program."""

    def __init__(self, recorded: RecordedGraph, program: _core.Program) -> None:
        names = [recorded.nodes[k].name for k in recorded.inputs]
        super().__init__(program.view, recorded.name, names)
        self.program = program
        self.arguments = recorded.arguments

    def times(self, runs: int = 5) -> list[float]:
        """Nanoseconds of each step, the least of `runs` runs."""
        return _core.step_times(self.program, self.arguments, runs)


def record(f: Callable[..., Any], *args: Any, **kwargs: Any) -> RecordedGraph:
    """The graph of `f(*args, **kwargs)`.

    Floats and float arrays in the arguments, in any nesting, are its inputs; other leaves (ints,
    strings) are what they are. Derivatives are recorded like any function: `record(tg.grad(f), x)`.

    Raises:
        TypeError: `f` is no function.

    >>> import numpy as np
    >>> from tapegrad.inspect.graph import record
    >>> graph = record(lambda x: np.sum(np.sin(x)), np.array([0.0, 1.0]))
    >>> [node.op for node in graph.steps()]
    ['sin', 'sum']
    """
    check_callable("inspect.record", f, "tg.inspect.record(f, x)")
    leaves, names = [], []
    for path, x in _named_leaves(f, args, kwargs):
        leaves.append(x)
        names.append(path)
    places = [k for k, x in enumerate(leaves) if is_floating(x)]
    arguments = Arguments((args, kwargs), leaves, places)
    done = record_call(f, arguments, _enter, _is_output, keep_lines=True)
    given = [_as_given(leaves[k]) for k in places]
    return RecordedGraph(done.recording, given, name_of(f), [names[k] for k in places], done.result)


def _nodes(view: dict[str, Any], names: Sequence[str]) -> list[Node]:
    steps = view["steps"]
    nodes = []
    for number, (kind, index, (dtype, shape)) in enumerate(view["values"]):
        if kind == "step":
            op, attributes, operands, outputs, kernel, line, held = steps[index]
            body = next((x for x in attributes.values() if isinstance(x, dict)), None)
            node = Node(
                number,
                kind,
                dtype,
                shape,
                op=op,
                attributes={k: x for k, x in attributes.items() if not isinstance(x, dict)},
                operands=operands,
                output=outputs.index(number),
                step=index,
                kernel=kernel,
                line=line,
                body=None if body is None else Graph(body),
                held=held,
            )
        elif kind == "constant":
            node = Node(number, kind, dtype, shape, content=view["constants"][index])
        else:
            known = kind == "input" and index < len(names)
            name = names[index] if known else f"{kind}{index}"
            node = Node(number, kind, dtype, shape, name=name)
        nodes.append(node)
    return nodes


def _named_leaves(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    """The leaves of the arguments, under the names that `f` has for them."""
    words = _argument_names(f, len(args))
    for word, x in [*zip(words, args, strict=True), *kwargs.items()]:
        yield from _tree.leaves(x, word)


def _argument_names(f: Callable[..., Any], n: int) -> list[str]:
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    words: list[str] = []
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            words += [f"{p.name}[{k}]" for k in range(n - len(words))]
        elif p.kind is not p.KEYWORD_ONLY and p.kind is not p.VAR_KEYWORD:
            words.append(p.name)
    words = words[:n]
    return words + [f"argument{k}" for k in range(len(words), n)]


def _enter(tracer: _core.Tracer, x: Any) -> _core.Variable:
    return tracer.argument(_as_given(x))


def _as_given(x: Any) -> Any:
    return _core.value(x) if _core.is_variable(x) else x


def is_floating(x: Any) -> bool:
    """Whether a leaf of the arguments is an input of graphs."""
    if type(x) is float:
        return True
    kind = getattr(getattr(x, "dtype", None), "kind", "")
    return kind == "f"


def _is_output(_: str, x: Any) -> bool:
    return isinstance(x, _core.Variable)
