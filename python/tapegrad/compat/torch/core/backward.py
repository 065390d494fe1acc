"""`backward` and `autograd.grad`: the core's sweep, under PyTorch's conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable
from tapegrad.compat.torch.core import call, hooks, operands, writes
from tapegrad.compat.torch.core.graph import DERIVATIVE, FOREIGN, Node, check_and_free, walk


def _seeds(outputs: Sequence[Any], gradients: Sequence[Any]) -> list[Any]:
    seeds = []
    for k, (t, g) in enumerate(zip(outputs, gradients, strict=True)):
        if not call.recorded(t):
            raise RuntimeError(
                f"backward: output {k}, of shape {list(t.shape)}, has no grad_fn: it was "
                "computed from no tensor with requires_grad=True, as torch.tensor(1.0, "
                "requires_grad=True) is, or inside no_grad()"
            )
        if g is None:
            if t.numel() != 1:
                raise RuntimeError(
                    "backward: only scalar outputs have a gradient of their own to begin with, "
                    f"and this one has shape {list(t.shape)}: write y.sum().backward(), or "
                    "y.backward(torch.ones_like(y))"
                )
            g = np.ones(t.shape, t._v.dtype)
        else:
            if tuple(g.shape) != tuple(t.shape):
                raise RuntimeError(
                    f"backward: gradient {k} has shape {list(g.shape)}, and output {k}, to which "
                    f"it belongs, {list(t.shape)}; torch.ones_like(y) has the right one"
                )
            g = operands.cast(call.raw(g), t._v.dtype)
        seeds.append(g)
    return seeds


def backward(
    outputs: Sequence[Any],
    gradients: Sequence[Any],
    retain_graph: bool | None,
    create_graph: bool,
    inputs: Any = None,
) -> None:
    """Adds the derivatives of `outputs` to the leaves' `.grad`, or to that of `inputs` alone."""
    seeds = _seeds(outputs, gradients)
    nodes, made = _swept(outputs, gradients, retain_graph, create_graph)
    if inputs is None:
        leaves = [t for node in nodes if node.leaf is not None for t in [node.variable]]
        wanted = [t for t in leaves if t is not None and not t._cut]
    else:
        wanted = [inputs] if call.is_tensor(inputs) else list(inputs)
    waiting = [] if inputs is not None else _waiting(nodes)
    cells = [call.cell(t) for t in (*waiting, *wanted)]
    found = _core.grad([call.cell(t) for t in outputs], cells, seeds, create_graph)
    for t, g in zip(waiting, found, strict=False):
        hooks.looked_at(t, made(g))
    for t, g in zip(wanted, found[len(waiting) :], strict=True):
        accumulate(t, made(g))
    if inputs is None and any(node._name == FOREIGN for node in nodes):
        _fill_variables(outputs, seeds, [call.cell(t) for t in wanted])


def _fill_variables(outputs: Sequence[Any], seeds: list[Any], own: list[Variable]) -> None:
    """Adds to the `.grad` of the user's own Variables, as their `backward` does."""
    for t, seed in zip(outputs, seeds, strict=True):
        call.cell(t).backward(seed if t.ndim else float(seed))
    for v in own:  # the tensors have theirs already
        v.grad = None


def _swept(
    outputs: Sequence[Any], gradients: Sequence[Any], retain_graph: bool | None, create_graph: bool
) -> tuple[list[Node], Any]:
    """The nodes that a sweep reaches, and what makes tensors of its gradients."""
    roots = [call.source(t) for t in outputs]
    keep = create_graph if retain_graph is None else retain_graph
    check_and_free(walk(roots, through_derivatives=False), keep)

    def made(g: Any) -> Any:
        t = hooks.gradient_of(g)
        if create_graph and type(g) is not Variable:
            t._v = Variable(t._v)  # constant, with derivatives that are zero
        if create_graph:
            seeds = [call.source(s) for s in gradients if s is not None and call.recorded(s)]
            t._node = Node(DERIVATIVE, (*roots, *seeds))
        return t

    return walk(roots), made


def _waiting(nodes: list[Any]) -> list[Any]:
    there = hooks.waiting()
    if not there:
        return []
    reached = set(map(id, nodes))
    return [t for t in there if call.recorded(t) and _is_reached(t, reached)]


def _is_reached(t: Any, reached: set[int]) -> bool:
    written = t._store.written if t._store is not None else None
    return id(t._node) in reached or (written is not None and id(written) in reached)


def accumulate(t: Any, g: Any) -> None:
    """Adds a gradient to a leaf's `.grad`, through its hooks."""
    if t._hooks and t.is_leaf:
        g = hooks.called(t._hooks, g)
    if t._grad is None:
        t._grad = g
    elif call.recorded(g) or call.recorded(t._grad):
        t._grad = t._grad + g
    else:
        writes.put(t._grad, ..., call.cell(t._grad) + call.cell(g), "", None)
    if t._after:
        for hook in list(t._after.values()):
            hook(t)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The derivatives of `outputs` by `inputs`, one for each; nothing is added to `.grad`.

    >>> import tapegrad.compat.torch as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> (g,) = torch.autograd.grad(x**3, x, create_graph=True)
    >>> torch.autograd.grad(g, x)
    (tensor(18.),)
    """
    outs = [outputs] if call.is_tensor(outputs) else list(outputs)
    wrt = [inputs] if call.is_tensor(inputs) else list(inputs)
    if is_grads_batched:
        raise NotImplementedError(
            "autograd.grad(is_grads_batched=True): write torch.func.vmap of torch.func.vjp's "
            "function, or call grad for each row"
        )
    given = [grad_outputs] if grad_outputs is None or call.is_tensor(grad_outputs) else grad_outputs
    gradients = list(given) if len(given) == len(outs) else [*given] * len(outs)
    seeds = _seeds(outs, gradients)
    for k, t in enumerate(wrt):
        if not call.recorded(t):
            raise RuntimeError(
                f"grad: input {k}, of shape {list(t.shape)}, has requires_grad=False; make it "
                "with requires_grad=True before it is used"
            )
    nodes, tensor_of = _swept(outs, gradients, retain_graph, create_graph)
    reached = set(map(id, nodes))
    found = _core.grad(
        [call.cell(t) for t in outs], [call.cell(t) for t in wrt], seeds, create_graph
    )
    result: list[Any] = []
    for k, (t, g) in enumerate(zip(wrt, found, strict=True)):
        if not _is_reached(t, reached) and not materialize_grads:
            if not allow_unused:
                raise RuntimeError(
                    f"grad: no output was computed from input {k}, whose shape is {list(t.shape)}; "
                    "allow_unused=True gives None for it, materialize_grads=True zeros"
                )
            result.append(None)
            continue
        made = tensor_of(g)
        if t._hooks and t.is_leaf:
            made = hooks.called(t._hooks, made)
        result.append(made)
    return tuple(result)
