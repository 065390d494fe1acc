"""One application of a Python function as an operation, and the operations that its rules are.

The core calls the methods of these objects (`PythonFunction` in `python/bindings/program/`):
`start` computes the first results, `call` those of a replay, `vjp`, `jvp` and `lanes` are the op's
rules. Operands are flat: the leaves of the arguments that are numbers or arrays of programs.

While a whole function is recorded, a rule is one operation itself (`Derived`), which a replay calls
again: the rule's own derivative is then taken from what the rule does with Variables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tapegrad import _core, _tree
from tapegrad._core import Scope, Variable
from tapegrad._tree import Tree
from tapegrad.compile.reads.captured_data import same_value
from tapegrad.operations.operands import (
    Kind,
    as_kind,
    is_floating,
    is_input,
    kind_of,
    result_of,
    structure_of,
    zeros_of,
)
from tapegrad.transforms.trace import pack

if TYPE_CHECKING:
    from tapegrad.operations.derivatives import Differentiated

Flags = tuple[bool, ...]


class Operation:
    """A function of flat operands, with rules."""

    n_in: int
    n_out: int

    def start(self, inputs: list[Any]) -> list[Any]:
        """The results of the first call."""
        return self.call(inputs)

    def call(self, inputs: list[Any]) -> list[Any]:
        """The results, of plain operands."""
        raise NotImplementedError

    def pull_back(self, needs: Flags, ins: list[Any], outs: list[Any], cts: list[Any]) -> list[Any]:
        """The adjoint of each input that needs one; None for zero, and for an absent cotangent."""
        raise NotImplementedError

    def push_forward(self, ins: list[Any], outs: list[Any], tangents: list[Any]) -> list[Any]:
        """The tangent of each output; None for zero, and for an absent tangent."""
        raise NotImplementedError

    def vjp(self, needs: Flags, ins: list[Any], outs: list[Any], cts: list[Any]) -> list[Any]:
        """The adjoint of each input, as the reverse sweep asks for it."""
        if not any(needs):
            return [None] * len(needs)
        found = iter(_apply(Derived(self, needs, _present(cts)), [*ins, *outs, *_given(cts)]))
        return [next(found) if need else None for need in needs]

    def jvp(self, ins: list[Any], outs: list[Any], tangents: list[Any]) -> list[Any]:
        """The tangent of each output, as the tangent sweep asks for it."""
        operation = Derived(self, None, _present(tangents))
        found = iter(_apply(operation, [*ins, *outs, *_given(tangents)]))
        return [next(found) if is_floating(y) else None for y in outs]

    def lanes(self, n: int, has_lanes: Flags, ins: list[Any]) -> list[Any] | None:
        """All lanes at once; None where each is called by itself."""
        return None


class Derived(Operation):
    """The rule of an operation, as an operation: of its inputs, outputs and what is given.

    With `needs` it is the vjp, else the jvp; `given` says which cotangents or tangents there are.
    """

    def __init__(self, base: Operation, needs: Flags | None, given: Flags) -> None:
        self.base = base
        self.needs = needs
        self.given = given
        self.n_in = base.n_in + base.n_out + sum(given)
        self.n_out = -1 if needs is None else sum(needs)

    def __str__(self) -> str:
        return f"{'jvp' if self.needs is None else 'vjp'}({self.base})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Derived)
            and self.needs == other.needs
            and self.given == other.given
            and self.base == other.base
        )

    def __hash__(self) -> int:
        return hash((self.base, self.needs, self.given))

    def results(self, inputs: Sequence[Any]) -> list[Any]:
        """What the rule gives of plain values or Variables; None for zero."""
        base = self.base
        ins, outs = list(inputs[: base.n_in]), list(inputs[base.n_in : base.n_in + base.n_out])
        items = iter(inputs[base.n_in + base.n_out :])
        seeds = [next(items) if given else None for given in self.given]
        if self.needs is not None:
            return base.pull_back(self.needs, ins, outs, seeds)
        found = base.push_forward(ins, outs, seeds)
        return [t for y, t in zip(outs, found, strict=True) if is_floating(y)]

    def call(self, inputs: list[Any]) -> list[Any]:
        """The same of plain values, with zeros for None."""
        base, found = self.base, self.results(inputs)
        self.n_out = len(found)
        like = inputs[: base.n_in] if self.needs is not None else inputs[base.n_in :][: base.n_out]
        wanted = [x for x in like if is_floating(x)]
        if self.needs is not None:
            wanted = [x for x, need in zip(like, self.needs, strict=True) if need]
        return [
            zeros_of(x) if y is None else np.asarray(_core.value(y), np.asarray(x).dtype)
            for x, y in zip(wanted, found, strict=True)
        ]

    def pull_back(self, needs: Flags, ins: list[Any], outs: list[Any], cts: list[Any]) -> list[Any]:
        """By a sweep through the rule."""
        return pull_back_through(self.results, needs, ins, cts)

    def push_forward(self, ins: list[Any], outs: list[Any], tangents: list[Any]) -> list[Any]:
        """By a sweep through the rule."""
        return push_forward_through(self.results, ins, tangents)


def _apply(operation: Derived, inputs: list[Any]) -> Sequence[Any]:
    """The rule's results: as an operation where a program shall call it again, else at once."""
    if _core.tracing() and _core.recording():
        return _core.apply_host_function(operation, inputs)
    return operation.results(inputs)


def _present(items: Iterable[Any]) -> Flags:
    return tuple(x is not None for x in items)


def _given(items: Iterable[Any]) -> list[Any]:
    return [x for x in items if x is not None]


def pull_back_through(
    f: Callable[[list[Any]], list[Any]], needs: Flags, ins: list[Any], cts: list[Any]
) -> list[Any]:
    """The adjoints of the needed inputs of `f`, by a reverse sweep through what it does."""
    with Scope() as scope:
        entered = [scope.argument(x) if need else x for x, need in zip(ins, needs, strict=True)]
        handles = [v.__copy__() if need else v for v, need in zip(entered, needs, strict=True)]
        outs = f(handles)
        pairs = [
            (y, ct)
            for y, ct in zip(outs, cts, strict=True)
            if ct is not None and isinstance(y, Variable)
        ]
        if not pairs:
            return [None] * sum(needs)
        wrt = [v for v, need in zip(entered, needs, strict=True) if need]
        return scope.grad([y for y, _ in pairs], wrt, [ct for _, ct in pairs])


def push_forward_through(
    f: Callable[[list[Any]], list[Any]], ins: list[Any], tangents: list[Any]
) -> list[Any]:
    """The tangents of the results of `f`, by a tangent sweep through what it does."""
    with Scope() as scope:
        moves = _present(tangents)
        entered = [scope.argument(x) if moved else x for x, moved in zip(ins, moves, strict=True)]
        handles = [v.__copy__() if moved else v for v, moved in zip(entered, moves, strict=True)]
        outs = f(handles)
        wrt = [v for v, moved in zip(entered, moves, strict=True) if moved]
        known = [y for y in outs if isinstance(y, Variable)]
        found = iter(scope.jvp(known, wrt, _given(tangents)) if known and wrt else [])
        return [next(found, None) if isinstance(y, Variable) else None for y in outs]


class Application(Operation):
    """One call of a primitive: its arguments taken apart, and how its result is built.

    `leaves` are those of the arguments, with None in the `places` of the inputs; `kinds` say what
    each input is in plain code.
    """

    def __init__(
        self, primitive: Differentiated, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.primitive = primitive
        packed = [pack(x) for x in args]
        self.is_flat = not kwargs and all(map(_tree.is_leaf, packed))  # no containers
        if self.is_flat:
            self.leaves = packed
        else:
            self.structure = tuple(packed), pack(kwargs)
            self.leaves = [x for _, x in _tree.leaves(self.structure)]
        self.places = [k for k, x in enumerate(self.leaves) if is_input(x)]
        self.inputs = [self.leaves[k] for k in self.places]
        self.kinds = [kind_of(x) for x in self.inputs]
        for k in self.places:
            self.leaves[k] = None
        zeros = [0.0] * len(self.leaves)
        self.structure = (
            (tuple(zeros), {}) if self.is_flat else _tree.fill(self.structure, iter(zeros))
        )
        self.n_in = len(self.places)
        self.n_out = 0
        self.template: Tree = None
        self.out_kinds: list[Kind] = []
        # What the first call keeps for the reverse rule, in a tuple. A replay has no first call.
        self.kept: Any = None
        self.keeps = _core.recording() and not _core.tracing()

    def __str__(self) -> str:
        return self.primitive.name

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Application)
            and self.primitive is other.primitive
            and self.places == other.places
            and self.kinds == other.kinds
            and self.out_kinds == other.out_kinds
            and structure_of(self.structure) == structure_of(other.structure)
            and structure_of(self.template) == structure_of(other.template)
            and all(
                x is y or same_value(x, y) for x, y in zip(self.leaves, other.leaves, strict=True)
            )
        )

    def __hash__(self) -> int:
        return hash((id(self.primitive), tuple(self.places)))

    def apply(self) -> Any:
        """The result of the call, recorded where something is."""
        inputs, self.inputs = self.inputs, []
        return self.result(_core.apply_host_function(self, inputs))

    # The function itself.

    def start(self, inputs: list[Any]) -> list[Any]:
        """The results of the first call, which say how results are built."""
        args, kwargs = self.arguments(inputs)
        out, self.kept = self.primitive._first_call(args, kwargs, self.keeps)
        self.template, self.out_kinds, found = result_of(self.primitive.name, out)
        self.n_out = len(found)
        return found

    def call(self, inputs: list[Any]) -> list[Any]:
        """The results of a replay, built as the first ones."""
        args, kwargs = self.arguments(inputs)
        template, _, found = result_of(self.primitive.name, self.primitive.fun(*args, **kwargs))
        if type(template) is type(self.template) is float:
            return found
        if structure_of(template) != structure_of(self.template):
            raise ValueError(
                f"{self.primitive.name}: the function returned {_tree.describe(template)} where it "
                f"returned {_tree.describe(self.template)} when it was recorded; return the same "
                "nesting of containers whatever the values are, or call it outside of tg.compile, "
                "tg.vmap, tg.scan and tg.checkpoint"
            )
        return found

    # Trees of flat operands.

    def arguments(self, inputs: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments with these inputs."""
        leaves = list(self.leaves)
        for k, x, kind in zip(self.places, inputs, self.kinds, strict=True):
            leaves[k] = as_kind(x, kind)
        if self.is_flat:
            return tuple(leaves), {}
        args, kwargs = _tree.fill(self.structure, iter(leaves))
        return args, kwargs

    def result(self, outputs: Sequence[Any]) -> Any:
        """The result with these outputs."""
        items = [as_kind(y, kind) for y, kind in zip(outputs, self.out_kinds, strict=True)]
        if type(self.template) is float:
            return items[0]
        return _tree.fill(self.template, iter(items))

    def seeds(self, outs: Sequence[Any], cts: Sequence[Any]) -> Any:
        """The cotangent, built like the result, with zeros for what is absent."""
        pairs = zip(outs, cts, strict=True)
        return self.result([zeros_of(y) if ct is None else ct for y, ct in pairs])

    def tangents(self, ins: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, ...]:
        """A tangent built like each positional argument; None for what has none at all."""
        filled = [zeros_of(x) if t is None else t for x, t in zip(ins, tangents, strict=True)]
        args, _ = self.arguments(filled)
        moved = {k for k, t in zip(self.places, tangents, strict=True) if t is not None}
        return tuple(
            tangent if moved.intersection(span) else None
            for tangent, span in zip(args, self.spans(), strict=True)
        )

    def spans(self) -> list[range]:
        """The leaves of each positional argument, and those of the keyword arguments at the end."""
        if self.is_flat:
            return [range(k, k + 1) for k in range(len(self.leaves))]
        args, _ = self.structure
        found, at = [], 0
        for x in args:
            n = len(_tree.leaves(x))
            found.append(range(at, at + n))
            at += n
        return found

    def argnums(self, flags: Iterable[bool]) -> list[int]:
        """The positional arguments to which a flagged input belongs.

        Raises:
            TypeError: One stands in a keyword argument that is no positional one.
        """
        flagged = {k for k, flag in zip(self.places, flags, strict=True) if flag}
        spans = self.spans()
        found = [i for i, span in enumerate(spans) if flagged.intersection(span)]
        first = spans[-1].stop if spans else 0
        if any(k >= first for k in flagged):
            raise TypeError(
                f"{self.primitive.name}: a keyword argument holds a Variable, and derivative rules "
                "are by position; pass it by position, or tg.value(x) where its derivative is not "
                "needed"
            )
        return found

    def input_leaves(self, argnum: int, tree: Tree) -> list[tuple[int, str, Any]]:
        """The inputs in a positional argument with the leaf of `tree`, its path and itself.

        `tree` is built like the argument; None stands for zeros.
        """
        rules = self.primitive
        name = rules._argument(argnum)
        of_place = {k: i for i, k in enumerate(self.places)}
        args, _ = self.structure
        if self.is_flat and _tree.is_leaf(tree):
            return [(of_place[argnum], name, tree)] if argnum in of_place else []
        found: list[tuple[int, str, Any]] = []

        def walk(part: Tree, other: Tree, path: str, at: int) -> int:
            children = None if part is None or _tree.is_leaf(part) else _tree.children(part)
            if children is None:
                if part is None:
                    return at
                if at in of_place:
                    found.append((of_place[at], path, other))
                return at + 1
            if other is None:
                return at + len(_tree.leaves(part))
            others = None if _tree.is_leaf(other) else _tree.children(other)
            if others is None or {key for key, _ in others} != {key for key, _ in children}:
                raise TypeError(
                    f"{rules.name}: the derivative rule gave {_tree.describe(other)} for {path}, "
                    f"which is {_tree.describe(part)}; return the same nesting of containers, None "
                    "where the derivative is zero"
                )
            by_key = dict(others)
            for key, item in children:
                at = walk(item, by_key[key], path + key, at)
            return at

        walk(args[argnum], tree, name, self.spans()[argnum].start)
        return found

    # Derivatives.

    def pull_back(self, needs: Flags, ins: list[Any], outs: list[Any], cts: list[Any]) -> list[Any]:
        """As the rules of the primitive say."""
        return self.primitive._pull_back(self, needs, ins, outs, cts)

    def push_forward(self, ins: list[Any], outs: list[Any], tangents: list[Any]) -> list[Any]:
        """As the rules of the primitive say."""
        return self.primitive._push_forward(self, ins, outs, tangents)

    def lanes(self, n: int, has_lanes: Flags, ins: list[Any]) -> list[Any] | None:
        """As the primitive says."""
        return self.primitive._lanes(self, n, has_lanes, ins)
