"""What derivative rules are in one form, whichever form the user writes them in.

A reverse rule takes the arguments that want an adjoint, the result, the arguments, and a cotangent
built like the result; it gives a tree for each of those arguments. A tangent rule takes tangents,
one for each positional argument, and gives one built like the result. None stands for zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tapegrad import _tree
from tapegrad._tree import Tree
from tapegrad.operations.operands import holds_variable

if TYPE_CHECKING:
    from tapegrad.operations.derivatives import Differentiated

Args = tuple[Any, ...]
Kwargs = dict[str, Any]


class ReverseRule(Protocol):
    """The adjoints of some arguments."""

    def missing(self, argnums: Sequence[int]) -> list[int]:
        """Those of these arguments for which there is no rule."""
        ...

    def __call__(
        self, argnums: Sequence[int], ans: Any, args: Args, kwargs: Kwargs, g: Any, kept: Any
    ) -> Sequence[Tree]:
        """A tree for each of these arguments."""
        ...


class TangentRule(Protocol):
    """The tangent of the result."""

    def missing(self, argnums: Sequence[int]) -> list[int]:
        """Those of these arguments for which there is no rule."""
        ...

    def __call__(self, tangents: Sequence[Tree], ans: Any, args: Args, kwargs: Kwargs) -> Tree:
        """A tree built like the result."""
        ...


class OfAll:
    """A rule for every argument."""

    def missing(self, argnums: Sequence[int]) -> list[int]:
        """Those of these arguments for which there is no rule: none."""
        return []


class OfOthers:
    """A rule for every argument but the `fixed` ones, which have no derivative."""

    def __init__(self, fixed: Sequence[int]) -> None:
        self.fixed = tuple(fixed)

    def missing(self, argnums: Sequence[int]) -> list[int]:
        """Those of these arguments for which there is no rule."""
        return [i for i in argnums if i in self.fixed]

    def others(self, args: Args) -> list[int]:
        """The arguments that may have a derivative."""
        return [i for i in range(len(args)) if i not in self.fixed]


class ByArgument:
    """A rule for each argument by itself; None where the derivative is zero."""

    def __init__(self) -> None:
        self.makers: dict[int, Callable[..., Any] | str | None] = {}

    def missing(self, argnums: Sequence[int]) -> list[int]:
        """Those of these arguments for which there is no rule."""
        return [i for i in argnums if i not in self.makers]


class VjpByArgument(ByArgument):
    """`maker(ans, *args, **kwargs)(g)` for each argument, as Autograd's defvjp takes them."""

    def __call__(
        self, argnums: Sequence[int], ans: Any, args: Args, kwargs: Kwargs, g: Any, kept: Any
    ) -> Sequence[Tree]:
        """A tree for each of these arguments."""
        found: list[Tree] = []
        for i in argnums:
            maker: Any = self.makers[i]
            found.append(None if maker is None else maker(ans, *args, **kwargs)(g))
        return found


class VjpOfAll(OfAll):
    """`maker(argnums, ans, args, kwargs)(g)`, a sequence: Autograd's defvjp_argnums."""

    def __init__(self, maker: Callable[..., Any]) -> None:
        self.maker = maker

    def __call__(
        self, argnums: Sequence[int], ans: Any, args: Args, kwargs: Kwargs, g: Any, kept: Any
    ) -> Sequence[Tree]:
        """A tree for each of these arguments."""
        found: Sequence[Tree] = self.maker(tuple(argnums), ans, args, kwargs)(g)
        return found


class VjpOfEach(VjpOfAll):
    """`maker(argnum, ans, args, kwargs)(g)`: Autograd's defvjp_argnum."""

    def __call__(
        self, argnums: Sequence[int], ans: Any, args: Args, kwargs: Kwargs, g: Any, kept: Any
    ) -> Sequence[Tree]:
        """A tree for each of these arguments."""
        return [self.maker(i, ans, args, kwargs)(g) for i in argnums]


class ForwardAndBackward(OfOthers):
    """JAX's pair: `fwd(*args)` gives (result, kept), `bwd(*fixed, kept, g)` a tuple."""

    def __init__(
        self, fwd: Callable[..., Any], bwd: Callable[..., Any], fixed: Sequence[int], name: str
    ) -> None:
        self.fwd = fwd
        self.bwd = bwd
        super().__init__(fixed)
        self.name = name

    def first_call(self, args: Args, kwargs: Kwargs) -> tuple[Any, Any]:
        """The result and what bwd needs of this call."""
        found = self.fwd(*args, **kwargs)
        if not isinstance(found, tuple) or len(found) != 2:
            raise TypeError(
                f"{self.name}: the fwd rule returned {_tree.describe(found)}; return the pair "
                "(result, what bwd needs)"
            )
        return found

    def __call__(
        self, argnums: Sequence[int], ans: Any, args: Args, kwargs: Kwargs, g: Any, kept: Any
    ) -> Sequence[Tree]:
        """A tree for each of these arguments."""
        # Where the sweep is recorded, its derivative goes through fwd as well.
        again = kept is None or holds_variable(list(args)) or holds_variable(kwargs)
        needed = self.first_call(args, kwargs)[1] if again else kept[0]
        found = self.bwd(*[args[i] for i in self.fixed], needed, g)
        others = self.others(args)
        if not isinstance(found, (tuple, list)) or len(found) != len(others):
            raise TypeError(
                f"{self.name}: the bwd rule returned {_tree.describe(found)}; return a tuple with "
                f"an entry for each of the {len(others)} differentiated arguments, None where the "
                "derivative is zero"
            )
        by_argument = dict(zip(others, found, strict=True))
        return [by_argument[i] for i in argnums]


class JvpByArgument(ByArgument):
    """`jvp(g, ans, *args, **kwargs)` for each argument, summed; 'same' where f is linear in it."""

    def __init__(self, of: Differentiated) -> None:
        super().__init__()
        self.of = of

    def __call__(self, tangents: Sequence[Tree], ans: Any, args: Args, kwargs: Kwargs) -> Tree:
        """A tree built like the result."""
        total: Tree = None
        for i, t in enumerate(tangents):
            rule = self.makers.get(i) if t is not None else None
            if rule is None:
                continue
            if callable(rule):
                found = rule(t, ans, *args, **kwargs)
            else:
                # Without a reverse rule it is transposed by a sweep through the function itself.
                f = self.of.fun if self.of._reverse is None else self.of
                found = f(*args[:i], t, *args[i + 1 :], **kwargs)
            total = found if total is None else add_trees(total, found)
        return total


class JvpOfAll(OfAll):
    """`jvp(argnums, gs, ans, args, kwargs)`: Autograd's defjvp_argnums."""

    def __init__(self, rule: Callable[..., Any]) -> None:
        self.rule = rule

    def __call__(self, tangents: Sequence[Tree], ans: Any, args: Args, kwargs: Kwargs) -> Tree:
        """A tree built like the result."""
        argnums = tuple(i for i, t in enumerate(tangents) if t is not None)
        return self.rule(argnums, [tangents[i] for i in argnums], ans, args, kwargs)


class JvpOfEach(JvpOfAll):
    """`jvp(argnum, g, ans, args, kwargs)`, summed: Autograd's defjvp_argnum."""

    def __call__(self, tangents: Sequence[Tree], ans: Any, args: Args, kwargs: Kwargs) -> Tree:
        """A tree built like the result."""
        total: Tree = None
        for i, t in enumerate(tangents):
            if t is not None:
                found = self.rule(i, t, ans, args, kwargs)
                total = found if total is None else add_trees(total, found)
        return total


class PrimalsAndTangents(OfOthers):
    """JAX's rule: `jvp(*fixed, primals, tangents)` gives (result, tangent of the result)."""

    def __init__(self, rule: Callable[..., Any], fixed: Sequence[int], name: str) -> None:
        self.rule = rule
        super().__init__(fixed)
        self.name = name

    def __call__(self, tangents: Sequence[Tree], ans: Any, args: Args, kwargs: Kwargs) -> Tree:
        """A tree built like the result."""
        others = self.others(args)
        moved = tuple(_zeros_like(args[i]) if tangents[i] is None else tangents[i] for i in others)
        primals = tuple(args[i] for i in others)
        found = self.rule(*[args[i] for i in self.fixed], primals, moved, **kwargs)
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            raise TypeError(
                f"{self.name}: the jvp rule returned {_tree.describe(found)}; return the pair "
                "(result, tangent of the result)"
            )
        return found[1]


class Zero(OfAll):
    """The rule of a function whose derivative is zero."""

    def __call__(
        self, argnums: Sequence[int], ans: Any, args: Args, kwargs: Kwargs, g: Any, kept: Any
    ) -> Sequence[Tree]:
        """None for each of these arguments."""
        return [None] * len(argnums)


def _zeros_like(tree: Tree) -> Tree:
    return _tree.fill(tree, iter([_zero(x) for _, x in _tree.leaves(tree)]))


def _zero(x: Any) -> Any:
    return np.zeros(np.shape(x)) if np.ndim(x) else 0.0


def add_trees(a: Tree, b: Tree) -> Tree:
    """The sum of two nestings; None for zeros."""
    if a is None or b is None:
        return b if a is None else a
    if _tree.is_leaf(a):
        return a + b
    parts, others = _tree.children(a) or [], dict(_tree.children(b) or [])
    return _tree.rebuild(a, [add_trees(part, others[key]) for key, part in parts])
