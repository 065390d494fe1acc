"""Order, branches and loops: what of a graph is run, when, and how often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad.compat.tensorflow.dispatch import apply, is_eager
from tapegrad.compat.tensorflow.dtypes import numpy_dtype
from tapegrad.compat.tensorflow.functions.arrays import stack
from tapegrad.compat.tensorflow.tensors import (
    Operation,
    convert_to_tensor,
    get_default_graph,
    graph_of,
)
from tapegrad.graph import control as loops
from tapegrad.graph.nodes import Node
from tapegrad.graph.operations import Group, Parameter, item


def parts(x: Any, n: int) -> Any:
    """The elements of a tensor whose value is a tuple."""
    if isinstance(x, Node):
        return [item(x, k, f"{x.label}_{k}/") for k in range(n)]
    return list(x)


def group(*inputs: Any, name: str | None = None) -> Any:
    """An operation that runs all of these."""
    nodes = [x._tensor if isinstance(x, Operation) else x for x in _flat(inputs)]
    graph = nodes[0].graph if nodes else get_default_graph()
    return graph.node(Group(nodes), name)


def no_op(name: str | None = None) -> Any:
    """An operation that does nothing; it may stand for the control dependencies that are open."""
    return get_default_graph().node(Group(), name or "NoOp")


def tuple_(tensors: Any, name: str | None = None, control_inputs: Any = None) -> list[Any]:
    """The tensors, each after all of them are computed."""
    kept = [x for x in tensors if x is not None]
    with control_dependencies([*kept, *(control_inputs or ())]):
        return [None if x is None else apply(_same, (x,), label="tuple") for x in tensors]


def _same(x: Any) -> Any:
    return x


def control_dependencies(control_inputs: Any) -> Any:
    """What is made inside is run after these."""
    graph = get_default_graph()
    if control_inputs is None:
        return graph.control_dependencies(None)
    return graph.control_dependencies(
        [x._tensor if isinstance(x, Operation) else x for x in control_inputs]
    )


def _flat(x: Any) -> list[Any]:
    if isinstance(x, list | tuple):
        return [leaf for e in x for leaf in _flat(e)]
    if isinstance(x, dict):
        return [leaf for e in x.values() for leaf in _flat(e)]
    return [x]


def _rebuilt(like: Any, leaves: Any) -> Any:
    if isinstance(like, list | tuple):
        found = [_rebuilt(e, leaves) for e in like]
        if hasattr(like, "_fields"):
            return type(like)(*found)
        return type(like)(found)
    if isinstance(like, dict):
        return {key: _rebuilt(e, leaves) for key, e in like.items()}
    return next(leaves)


def _tensor(x: Any) -> Any:
    if isinstance(x, Operation):
        return x._tensor
    return x if isinstance(x, Node) else convert_to_tensor(x)


def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    strict: bool = False,
    name: str | None = None,
    fn1: Callable[[], Any] | None = None,
    fn2: Callable[[], Any] | None = None,
) -> Any:
    """What one of two functions gives: of what they make, only the chosen one's is run."""
    on_true, on_false = true_fn or fn1, false_fn or fn2
    if not callable(on_true) or not callable(on_false):
        raise TypeError("cond: true_fn and false_fn must be functions of no arguments")
    if is_eager(pred) or not isinstance(pred, Node):
        if is_eager(pred):
            return on_true() if bool(pred) else on_false()
        raise TypeError(f"cond: pred is a tensor, and not {pred!r}; write if and else")
    graph = pred.graph
    kept: list[Any] = []

    def run(function: Callable[[], Any]) -> Callable[[], list[Node]]:
        def made() -> list[Node]:
            kept.append(function())
            return [_none(graph) if x is None else _tensor(x) for x in _flat(kept[-1])]

        return made

    bodies = [loops.make_body(graph, run(f), ()) for f in (on_true, on_false)]
    counts = [len(b.outputs) for b in bodies]
    if counts[0] != counts[1]:
        raise ValueError(f"cond: the branches give {counts[0]} and {counts[1]} tensors")
    node = graph.node(loops.Branch(pred, *bodies), name)
    leaves = [
        group(node) if isinstance(out.operation, Group) else item(node, k, f"{node.label}/Merge")
        for k, out in enumerate(bodies[0].outputs)
    ]
    return _rebuilt(kept[0], iter(leaves))


def _none(graph: Any) -> Any:
    return graph.node(Group())


def case(
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    name: str = "case",
) -> Any:
    """What the function of the first true condition gives."""
    pairs = list(pred_fn_pairs.items() if isinstance(pred_fn_pairs, dict) else pred_fn_pairs)
    if default is None:
        *pairs, (_, default) = pairs
    found = default
    for pred, function in reversed(pairs):
        found = _chosen(pred, function, found)
    return found()


def _chosen(pred: Any, function: Any, otherwise: Any) -> Callable[[], Any]:
    return lambda: cond(pred, function, otherwise)


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
    maximum_iterations: Any = None,
    return_same_structure: bool = False,
) -> Any:
    """`while cond(*loop_vars): loop_vars = body(*loop_vars)`."""
    if is_eager(loop_vars):
        held, turns = list(loop_vars), 0
        while bool(cond(*held)) and (maximum_iterations is None or turns < maximum_iterations):
            found = body(*held)
            held, turns = list(found) if isinstance(found, list | tuple) else [found], turns + 1
        return held
    graph = graph_of(loop_vars)
    start = [_tensor(x) for x in _flat(loop_vars)]
    if maximum_iterations is not None:
        start.append(convert_to_tensor(0))

    def parameters() -> list[Any]:
        return [graph.node(Parameter(x), "while/Identity") for x in start]

    def called(function: Callable[..., Any], given: list[Any]) -> Any:
        return function(*_rebuilt(list(loop_vars), iter(given)))

    def tested(given: list[Any]) -> list[Any]:
        found = _tensor(called(cond, given))
        if maximum_iterations is not None:
            found = found & (given[-1] < maximum_iterations)
        return [found]

    def stepped(given: list[Any]) -> list[Any]:
        found = called(body, given)
        leaves = [_tensor(x) for x in _flat(found if isinstance(found, list | tuple) else [found])]
        if len(leaves) != len(_flat(loop_vars)):
            raise ValueError(
                f"while_loop: body gives {len(leaves)} values and loop_vars are "
                f"{len(_flat(loop_vars))}"
            )
        return [*leaves, given[-1] + 1] if maximum_iterations is not None else leaves

    bodies = []
    for function in (tested, stepped):
        with graph.inside(graph.body):
            given = parameters()
        bodies.append(loops.make_body(graph, _bound(function, given), given))
    node = graph.node(loops.Loop(start, *bodies), name)
    leaves = [item(node, k, f"{node.label}/Exit") for k in range(len(_flat(loop_vars)))]
    if len(leaves) == 1 and not return_same_structure:
        return leaves[0]
    return _rebuilt(loop_vars, iter(leaves))


def _bound(function: Callable[[Any], Any], given: Any) -> Callable[[], Any]:
    return lambda: function(given)


def scan(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """All of a = fn(a, x) for the elements x, one after the other, from `initializer` on."""
    if is_eager(elems, initializer):
        return _eager_scan(fn, elems, initializer, reverse)
    sequences = [_tensor(x) for x in _flat(elems)]
    rest, begin = sequences, initializer
    if initializer is None:
        ends = slice(None, -1) if reverse else slice(1, None)
        first = -1 if reverse else 0
        begin = _rebuilt(elems, iter([x[first] for x in sequences]))
        rest = [x[ends] for x in sequences]
    start = [_tensor(x) for x in _flat(begin)]

    def step(carry: list[Any], xs: list[Any]) -> list[Any]:
        found = fn(_rebuilt(begin, iter(carry)), _rebuilt(elems, iter(xs)))
        leaves = [_tensor(x) for x in _flat(found)]
        return [*leaves, *leaves]

    stacks = _scanned(start, rest, step, reverse, name)[len(start) :]
    if initializer is None:
        pairs = zip(start, stacks, strict=True)
        stacks = [apply(_with_first, (a, s, reverse), tensors=2) for a, s in pairs]
    return _rebuilt(begin, iter(stacks))


def _eager_scan(fn: Any, elems: Any, initializer: Any, reverse: bool) -> Any:
    sequences = [convert_to_tensor(x) for x in _flat(elems)]
    turns = list(range(len(sequences[0])))
    turns = turns[::-1] if reverse else turns
    carry, found = initializer, []
    for t in turns:
        x = _rebuilt(elems, iter([s[t] for s in sequences]))
        carry = x if carry is None else fn(carry, x)
        found.append(_flat(carry))
    found = found[::-1] if reverse else found
    stacks = [stack(list(column)) for column in zip(*found, strict=True)]
    return _rebuilt(carry, iter(stacks))


def _with_first(first: Any, rest: Any, reverse: bool) -> Any:
    row = np.expand_dims(first, 0)
    return np.concatenate([rest, row] if reverse else [row, rest])


def _scanned(
    start: list[Any],
    sequences: list[Any],
    step: Callable[[list[Any], list[Any]], list[Any]],
    reverse: bool,
    name: str | None,
) -> list[Any]:
    graph = graph_of([*start, *sequences])
    given = [graph.node(Parameter(x), "scan/carry") for x in start]
    given += [graph.node(Parameter(x, _first), "scan/element") for x in sequences]
    n = len(start)
    body = loops.make_body(graph, lambda: step(given[:n], given[n:]), given)
    node = graph.node(loops.Scan(start, sequences, body, None, reverse), name)
    return [item(node, k, f"{node.label}/Exit") for k in range(len(body.outputs))]


def _first(x: Any) -> Any:
    return x[0]


def map_fn(
    fn: Callable[..., Any],
    elems: Any,
    dtype: Any = None,
    *_: Any,
    name: str | None = None,
    **__: Any,
) -> Any:
    """fn(x) for each element x, stacked."""
    if is_eager(elems):
        return _eager_scan(lambda _, x: fn(x), elems, 0, False)
    sequences = [_tensor(x) for x in _flat(elems)]
    kept: list[Any] = []

    def step(_: list[Any], xs: list[Any]) -> list[Any]:
        kept.append(fn(_rebuilt(elems, iter(xs))))
        return [_tensor(x) for x in _flat(kept[-1])]

    stacks = _scanned([], sequences, step, False, name)
    return _rebuilt(kept[0], iter(stacks))


def foldl(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    *_: Any,
    name: Any = None,
    **__: Any,
) -> Any:
    """The last of a = fn(a, x) for the elements x."""
    return _folded(fn, elems, initializer, False, name)


def foldr(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    *_: Any,
    name: Any = None,
    **__: Any,
) -> Any:
    """The same from the last element to the first."""
    return _folded(fn, elems, initializer, True, name)


def _folded(fn: Any, elems: Any, initializer: Any, reverse: bool, name: Any) -> Any:
    if is_eager(elems, initializer):
        return _eager_scan(fn, elems, initializer, reverse)[0 if reverse else -1]
    whole = _tensor(elems)
    start = whole[-1 if reverse else 0] if initializer is None else _tensor(initializer)
    if initializer is None:
        whole = whole[:-1] if reverse else whole[1:]
    return _scanned([start], [whole], lambda a, x: [_tensor(fn(a[0], x[0]))], reverse, name)[0]


def py_func(
    func: Callable[..., Any], inp: Any, Tout: Any, stateful: bool = True, name: str | None = None
) -> Any:
    """Calls a function of arrays at each run; it has no derivative, as in TensorFlow.

    For one that has: `tg.primitive`, whose calls `tf.apply` makes nodes of.
    """
    kinds = [numpy_dtype(t) for t in Tout] if isinstance(Tout, list | tuple) else numpy_dtype(Tout)

    def called(*args: Any) -> Any:
        found = func(*[np.asarray(x) for x in args])
        if isinstance(kinds, list):
            return tuple(np.asarray(x, k) for x, k in zip(found, kinds, strict=True))
        return np.asarray(found, kinds)

    called.__name__ = getattr(func, "__name__", "py_func")
    whole = apply(
        tg.notrace_primitive(called), tuple(inp), label="PyFunc", name=name, cuts=True,
        tensors=len(inp), foreign=True,
    )  # fmt: skip
    return parts(whole, len(kinds)) if isinstance(kinds, list) else whole


def Print(input_: Any, data: Any, message: str = "", *_: Any, **__: Any) -> Any:  # noqa: N802 - TensorFlow's name
    """The tensor; `data` are printed whenever it is computed."""

    def show(*values: Any) -> Any:
        print(message + "".join(f"[{np.asarray(v)}]" for v in values))
        return np.float64(0.0)

    shown = py_func(show, list(data), np.float64)
    with control_dependencies([shown]):
        return apply(_same, (input_,), label="Print")


__all__ = [
    "Print", "case", "cond", "control_dependencies", "foldl", "foldr", "group",
    "map_fn", "no_op", "parts", "py_func", "scan", "tuple_", "while_loop",
]  # fmt: skip
