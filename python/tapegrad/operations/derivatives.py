"""The rules of a primitive, as its applications ask for them.

A reverse sweep asks for adjoints, a tangent sweep for tangents. Each is linear in what flows, so
that one rule gives the other by a sweep through it: its transpose.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tapegrad import _tree
from tapegrad._core import Scope, Variable
from tapegrad._tree import Tree
from tapegrad.operations.operands import is_floating, zeros_of
from tapegrad.transforms.trace import conjugated, pack

if TYPE_CHECKING:
    from tapegrad.operations.application import Application, Flags
    from tapegrad.operations.rules import ReverseRule, TangentRule


class Differentiated:
    """What has a name, a function and rules."""

    name: str
    fun: Callable[..., Any]
    _reverse: ReverseRule | None = None
    _tangent: TangentRule | None = None
    _lane_rule: Callable[..., Any] | None = None
    _vectorized = False
    _names: list[str] | None = None  # of the arguments, once they were asked for

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function, as an operation."""
        raise NotImplementedError

    def _argument(self, argnum: int) -> str:
        """How messages call an argument."""
        if self._names is None:
            self._names = list(parameters_of(self.fun))
        names = self._names
        named = f" ({names[argnum]!r})" if argnum < len(names) else ""
        return f"argument {argnum}{named}"

    def _first_call(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], keep: bool
    ) -> tuple[Any, Any]:
        """The result, and what the reverse rule shall `keep` of this call, in a tuple or None."""
        return self.fun(*args, **kwargs), None

    def _pull_back(
        self, call: Application, needs: Flags, ins: list[Any], outs: list[Any], cts: list[Any]
    ) -> list[Any]:
        argnums = call.argnums(needs)
        rule = self._reverse
        if rule is None or rule.missing(argnums):
            if self._tangent is None or self._tangent.missing(argnums):
                self._refuse("a reverse sweep", rule, argnums)
            return self._transposed_tangent(call, needs, ins, outs, cts)
        args, kwargs = call.arguments(ins)
        ans = call.result(outs)
        g = _tree.map_complex(conjugated, call.seeds(outs, cts))
        trees = rule(argnums, ans, args, kwargs, g, call.kept)
        if not isinstance(trees, (tuple, list)) or len(trees) != len(argnums):
            raise TypeError(
                f"{self.name}: the vjp gave {_tree.describe(trees)} for {len(argnums)} arguments; "
                "return a sequence with an entry for each of argnums"
            )
        found: list[Any] = [None] * len(ins)
        for i, tree in zip(argnums, trees, strict=True):
            tree = None if tree is None else _tree.map_complex(conjugated, tree)
            for k, path, x in call.input_leaves(i, tree):
                if needs[k] and x is not None:
                    found[k] = self._checked("vjp", path, x, ins[k])
        return [x for x, need in zip(found, needs, strict=True) if need]

    def _push_forward(
        self, call: Application, ins: list[Any], outs: list[Any], tangents: list[Any]
    ) -> list[Any]:
        moved = tuple(t is not None for t in tangents)
        argnums = call.argnums(moved)
        rule = self._tangent
        if rule is None or rule.missing(argnums):
            if self._reverse is None or self._reverse.missing(argnums):
                self._refuse("a tangent sweep", rule, argnums)
            return self._transposed_reverse(call, moved, ins, outs, tangents)
        args, kwargs = call.arguments(ins)
        tree = rule(call.tangents(ins, tangents), call.result(outs), args, kwargs)
        if tree is None:
            return [None] * len(outs)
        expected = "the result"
        pairs = _tree.match(call.template, tree, f"{self.name}: the tangent", expected)
        return [
            self._checked("jvp", "the result" + path.partition("the tangent")[2], t, y)
            if is_floating(y)
            else None
            for (path, t), y in zip(pairs, outs, strict=True)
        ]

    def _transposed_tangent(
        self, call: Application, needs: Flags, ins: list[Any], outs: list[Any], cts: list[Any]
    ) -> list[Any]:
        """The vjp from the jvp, which is linear in the tangents: its transpose."""
        with Scope() as scope:
            pairs = zip(ins, needs, strict=True)
            entered = [scope.argument(_ones(x)) if need else None for x, need in pairs]
            found = self._push_forward(call, ins, outs, _handles(entered))
            return self._transpose(scope, "jvp", found, [v for v in entered if v is not None], cts)

    def _transposed_reverse(
        self, call: Application, moved: Flags, ins: list[Any], outs: list[Any], ts: list[Any]
    ) -> list[Any]:
        """The jvp from the vjp, which is linear in the cotangents: its transpose."""
        with Scope() as scope:
            entered = [scope.argument(_ones(y)) if is_floating(y) else None for y in outs]
            found = iter(self._pull_back(call, moved, ins, outs, _handles(entered)))
            given = [t for t in ts if t is not None]
            wrt = [v for v in entered if v is not None]
            tangents = iter(self._transpose(scope, "vjp", list(found), wrt, given))
            return [None if v is None else next(tangents) for v in entered]

    def _transpose(
        self, scope: Scope, kind: str, found: list[Any], wrt: list[Variable], seeds: list[Any]
    ) -> list[Any]:
        pairs = [
            (y, seed)
            for y, seed in zip(found, seeds, strict=True)
            if isinstance(y, Variable) and seed is not None
        ]
        if not pairs:
            return [None] * len(wrt)
        return scope.grad([y for y, _ in pairs], wrt, [seed for _, seed in pairs])

    def _lanes(
        self, call: Application, n: int, has_lanes: Flags, ins: list[Any]
    ) -> list[Any] | None:
        rule = self._lane_rule
        if rule is None and not self._vectorized:
            return None
        flags = dict(zip(call.places, has_lanes, strict=True))
        if rule is None:
            spread = [
                x if has else np.broadcast_to(x, (n, *np.shape(x)))
                for x, has in zip(ins, has_lanes, strict=True)
            ]
            args, kwargs = call.arguments(spread)
            out, has_out = self(*args, **kwargs), True
        else:
            args, kwargs = call.arguments(ins)
            known = [flags.get(k, False) for k in range(len(call.leaves))]
            has_args, _ = _tree.fill(call.structure, iter(known))
            out, has_out = rule(n, has_args, *args, **kwargs)
        return self._lane_results(call, n, out, has_out)

    def _lane_results(self, call: Application, n: int, out: Tree, has_out: Any) -> list[Any]:
        pairs = _tree.match(call.template, out, f"{self.name}: the result of its vmap rule", "it")
        if isinstance(has_out, bool):
            flags = [has_out] * len(pairs)
        else:
            flags = [bool(x) for _, x in _tree.leaves(has_out)]
        found = []
        for (path, y), has in zip(pairs, flags, strict=True):
            if not has:
                y = np.broadcast_to(y, (n, *np.shape(y)))
            if np.shape(y)[:1] != (n,):
                raise ValueError(
                    f"{path} has shape {np.shape(y)}, and {n} lanes count along its first axis; "
                    "give the result a leading axis of the lanes, or say False of it"
                )
            found.append(y)
        return found

    def _refuse(self, what: str, rule: Any, argnums: Sequence[int]) -> None:
        wanted = argnums if rule is None else rule.missing(argnums)
        names = ", ".join(self._argument(i) for i in wanted)
        raise TypeError(
            f"{self.name}: {what} wants the derivative by {names}, and there is no rule for it; "
            f"say it with {self.name}.defvjp(...) or {self.name}.defjvp(...) (None where it is "
            "zero), or call it with tg.value(x) where its derivative is not needed"
        )

    def _checked(self, kind: str, path: str, x: Any, like: Any) -> Any:
        """An adjoint or tangent as the operand has it that it belongs to."""
        x = pack(x)
        array = x if isinstance(x, Variable) else np.asarray(x)
        shape = np.shape(like)
        if array.dtype.kind not in "fiub":
            raise TypeError(
                f"{self.name}: the {kind} gave {_tree.describe(x)} for {path}, which is real; "
                "return real numbers or arrays"
            )
        if array.shape != shape:
            raise ValueError(
                f"{self.name}: the {kind} gave shape {tuple(array.shape)} for {path}, which has "
                f"shape {shape}; return an array of that shape"
                + (" (np.sum over axes that were broadcast)" if kind == "vjp" else "")
            )
        return array


def _handles(entered: Sequence[Any]) -> list[Any]:
    """Variables of the rule's own, so that writes to them do not move what is differentiated by."""
    return [None if v is None else v.__copy__() for v in entered]


def _ones(x: Any) -> Any:
    return zeros_of(x) + np.ones((), getattr(x, "dtype", np.float64))


def parameters_of(f: Callable[..., Any]) -> Any:
    """The parameters of a function by name, as far as it says them."""
    try:
        return inspect.signature(f).parameters
    except (TypeError, ValueError):  # a function in C that does not say
        return {}
