"""Functions with rules of their own: tg.primitive, by Autograd's names and errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from types import FunctionType
from typing import Any, NoReturn

import numpy as np

from tapegrad import _tree
from tapegrad.compat.autograd.vspaces import vspace
from tapegrad.compat.autograd.wrap_util import get_name
from tapegrad.compile.reads.code_names import is_users
from tapegrad.operations.primitive import Primitive
from tapegrad.transforms.trace import warn_user

Maker = Callable[..., Any]


class AutogradPrimitive(Primitive[Any, Any]):
    """A function that is one operation, whose rules `defvjp` and `defjvp` say."""

    _is_autograd_primitive = True  # what programs ask for before they take `fun`

    def _checked(self, kind: str, path: str, x: Any, like: Any) -> Any:
        # Of a complex cotangent a real operand gets the real part, and so it does in Autograd
        # where it goes on to NumPy's functions.
        real = kind == "vjp" and _tree.has_complex(x)
        return super()._checked(kind, path, np.real(x) if real else x, like)

    def _refuse(self, *missing: Any) -> NoReturn:
        try:
            super()._refuse(*missing)
        except TypeError as error:
            raise NotImplementedError(str(error)) from None
        raise AssertionError("a refusal raises")


class OlderPrimitive(AutogradPrimitive):
    """The same, with methods of Autograd 1.1 and before: `from autograd import primitive`."""

    def defvjp(self, vjpmaker: Maker, argnum: int = 0) -> None:  # type: ignore[override]  # as it was then
        """The rule of an argument: `vjpmaker(g, ans, vs, gvs, *args, **kwargs)`."""

        def staged(ans: Any, *args: Any, **kwargs: Any) -> Any:
            space = vspace(args[argnum])
            return lambda g: vjpmaker(g, ans, space, vspace(g), *args, **kwargs)

        self._of_older_days("defvjp", [staged], [argnum])

    def defgrad(self, gradfun: Maker, argnum: int = 0) -> None:
        """The rule of an argument: `gradfun(ans, *args, **kwargs)(g)`."""
        self._of_older_days("defgrad", [gradfun], [argnum])

    def defvjp_is_zero(self, argnums: Sequence[int] = (0,)) -> None:
        """The derivative by these arguments is zero."""
        self._of_older_days("defvjp_is_zero", [None] * len(argnums), argnums)

    def _of_older_days(self, name: str, makers: Sequence[Any], argnums: Sequence[int]) -> None:
        warn_user(f"{self.name}.{name} is deprecated; use extend.defvjp", DeprecationWarning)
        Primitive.defvjp(self, *makers, argnums=argnums)


def primitive(f_raw: Callable[..., Any]) -> AutogradPrimitive:
    """A function that is called as it is, with plain values, and has rules of its own.

    >>> import numpy as np
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.extend import defvjp, primitive
    >>> @primitive
    ... def logsumexp(x):
    ...     m = np.max(x)
    ...     return m + np.log(np.sum(np.exp(x - m)))
    >>> defvjp(logsumexp, lambda ans, x: lambda g: g * np.exp(x - ans))
    >>> grad(logsumexp)(np.array([1.0, 1.0]))
    array([0.5, 0.5])
    """
    return AutogradPrimitive(f_raw)


def primitive_with_deprecation_warnings(f_raw: Callable[..., Any]) -> OlderPrimitive:
    """The same, with methods of Autograd 1.1 and before."""
    return OlderPrimitive(f_raw)


def defvjp(
    fun: Any, *vjpmakers: Maker | None, argnums: Iterable[int] | None = None, **_: Any
) -> None:
    """How cotangents are pulled back: `vjpmakers[k](ans, *args, **kwargs)(g)`; None for zero."""
    chosen = None if argnums is None else list(islice(argnums, len(vjpmakers)))
    Primitive.defvjp(_known("defvjp", fun), *vjpmakers, argnums=chosen)


def defvjp_argnum(fun: Any, vjpmaker: Maker) -> None:
    """The same for each argument by one function: `vjpmaker(argnum, ans, args, kwargs)(g)`."""
    _known("defvjp_argnum", fun).defvjp_argnum(vjpmaker)


def defvjp_argnums(fun: Any, vjpmaker: Maker) -> None:
    """The same for several at once: `vjpmaker(argnums, ans, args, kwargs)(g)`, a sequence."""
    _known("defvjp_argnums", fun).defvjp_argnums(lambda *call: _listed(vjpmaker(*call)))


def _listed(rule: Callable[[Any], Iterable[Any]]) -> Callable[[Any], list[Any]]:
    return lambda g: list(rule(g))


def defjvp(fun: Any, *jvpfuns: Any, argnums: Iterable[int] | None = None, **_: Any) -> None:
    """How tangents are pushed forward: `jvpfuns[k](g, ans, *args, **kwargs)`, 'same' or None."""
    chosen = None if argnums is None else list(islice(argnums, len(jvpfuns)))
    _known("defjvp", fun).defjvp(*jvpfuns, argnums=chosen)


def defjvp_argnum(fun: Any, jvpmaker: Maker) -> None:
    """The same for each argument by one function: `jvpmaker(argnum, g, ans, args, kwargs)`."""
    _known("defjvp_argnum", fun).defjvp_argnum(jvpmaker)


def defjvp_argnums(fun: Any, jvpmaker: Maker) -> None:
    """The same for several at once: `jvpmaker(argnums, gs, ans, args, kwargs)`."""
    _known("defjvp_argnums", fun).defjvp_argnums(jvpmaker)


def def_linear(fun: Any) -> None:
    """The function is linear in each argument by itself."""

    def moved(argnum: int, g: Any, ans: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return fun(*args[:argnum], g, *args[argnum + 1 :], **kwargs)

    defjvp_argnum(fun, moved)


class VJPNode:
    """`register_notrace(VJPNode, f)`: reverse sweeps."""


class JVPNode:
    """`register_notrace(JVPNode, f)`: tangent sweeps."""


def register_notrace(trace_type: type, primitive_fun: Any) -> None:
    """The derivative of a primitive is zero in this kind of sweep."""
    known = _known("register_notrace", primitive_fun)
    if trace_type is VJPNode:
        known.defvjp_argnums(lambda argnums, *_: lambda g: [None] * len(argnums))
    elif trace_type is JVPNode:
        known.defjvp_argnums(lambda *_: None)
    else:
        raise TypeError(f"register_notrace: {trace_type!r} is neither VJPNode nor JVPNode")


def _known(operation: str, fun: Any) -> Primitive[Any, Any]:
    if isinstance(fun, Primitive):
        return fun
    if isinstance(fun, FunctionType) and is_users(fun):
        warn_user(
            f"{operation}: {get_name(fun)} is a plain function, whose operations are "
            "differentiated: these rules are never used, as in Autograd; write @primitive above "
            "it, or drop them"
        )
        return primitive(fun)
    raise TypeError(
        f"{operation}: {get_name(fun)} ({_tree.describe(fun)}) is no primitive: make one, "
        f"f = primitive({get_name(fun)}), give that its rules and call it. What NumPy's functions "
        "do with Variables is not changed by rules"
    )


class RulesByPrimitive:
    """Autograd's table of rules: which primitives have some, and a way to give them.

    NumPy's functions are not in it: their derivatives are the library's.
    """

    def __init__(self, define: Callable[[Any, Maker], None], attribute: str) -> None:
        self._define = define
        self._attribute = attribute

    def __contains__(self, fun: object) -> bool:
        return isinstance(fun, Primitive) and getattr(fun, self._attribute) is not None

    def __setitem__(self, fun: Any, maker: Maker) -> None:
        self._define(fun, maker)

    def pop(self, fun: Any, default: Any = None) -> Any:
        """The default, of a function without rules here."""
        if fun in self:
            raise NotImplementedError(
                f"rules of {get_name(fun)} are not taken away again; make another primitive of "
                f"its function, primitive({get_name(fun)}.fun)"
            )
        return default


primitive_vjps = RulesByPrimitive(defvjp_argnums, "_reverse")
primitive_jvps = RulesByPrimitive(defjvp_argnums, "_tangent")
