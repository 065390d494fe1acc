"""JAX's derivatives: its arguments and results, over tapegrad's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad import _tree
from tapegrad.compat.jax.arrays import plain, shown, wrap_tree
from tapegrad.compat.jax.tree_util import tree_map
from tapegrad.compat.jax.variables import call
from tapegrad.transforms.trace import name_of, positions
from tapegrad.transforms.transformed import Transformed

__all__ = [
    "grad",
    "hessian",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linear_transpose",
    "linearize",
    "value_and_grad",
    "vjp",
]

Function = Callable[..., Any]
float0 = np.dtype([("float0", "V")])  # of the cotangents of integers, which hold nothing


def grad(
    fun: Function,
    argnums: Any = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    reduce_axes: Any = (),
) -> Function:
    """A function that gives the gradient of `fun`, whose result is one number without axes.

    Raises:
        TypeError: The result has axes or is no float, or an argument is an integer.

    >>> from tapegrad.compat import jax
    >>> jax.grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 3.0)
    (Array(3., dtype=float64), Array(2., dtype=float64))
    """
    both = value_and_grad(fun, argnums, has_aux, holomorphic, allow_int)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return Transformed(grad, fun, _settings(argnums, has_aux, holomorphic, allow_int), gradient)


def value_and_grad(
    fun: Function,
    argnums: Any = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    reduce_axes: Any = (),
) -> Function:
    """The same for the pair of value and gradient; with `has_aux`, ((value, aux), gradient).

    >>> from tapegrad.compat import jax
    >>> jax.value_and_grad(lambda x: x**3)(2.0)
    (Array(8., dtype=float64), Array(12., dtype=float64))
    """
    label = f"grad of {name_of(fun)}"

    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        given = _entered(label, args, argnums, holomorphic, allow_int)
        kept = given.kept()
        if not kept:
            return wrap_tree(fun(*args, **kwargs)), given.gradients([])

        def inside(*chosen: Any) -> Any:
            value, aux = _value_and_aux(label, has_aux, given.call(fun, chosen, kwargs))
            checked = _scalar(label, value, holomorphic)
            return checked, (value, aux)

        places = tuple(range(len(kept)))
        found, (value, aux) = tg.grad(named(inside, fun), places, has_aux=True)(*kept)
        result = (value, aux) if has_aux else value
        return wrap_tree(result), given.gradients(list(found))

    return Transformed(
        value_and_grad,
        fun,
        _settings(argnums, has_aux, holomorphic, allow_int),
        value_and_gradient,
    )


def _settings(argnums: Any, has_aux: bool, holomorphic: bool, allow_int: bool) -> dict[str, Any]:
    return {
        "argnums": argnums, "has_aux": has_aux, "holomorphic": holomorphic, "allow_int": allow_int,
    }  # fmt: skip


class _Given:
    """The arguments of a call: those that are differentiated, and what is left of integers."""

    def __init__(self, args: tuple[Any, ...], places: list[int], single: bool) -> None:
        self.args = args
        self.places = places
        self.single = single
        self.integers: dict[int, tuple[Any, list[Any]]] = {}  # what isn't differentiated, by place

    def kept(self) -> list[Any]:
        """What is differentiated: an argument, or of one with integers the list of its floats."""
        found = []
        for k, i in enumerate(self.places):
            tree = plain(self.args[i])
            leaves = [x for _, x in _tree.leaves(tree)] if k in self.integers else []
            floats = [x for x in leaves if not _is_integer(x)]
            found.append(tree if k not in self.integers else floats)
        return [x for x in found if not (isinstance(x, list) and not x)]

    def call(self, fun: Function, chosen: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        args, rest = list(self.args), iter(chosen)
        for k, i in enumerate(self.places):
            if k not in self.integers:
                args[i] = shown(next(rest))
                continue
            leaves = [x for _, x in _tree.leaves(args[i])]
            floats = iter(next(rest) if any(not _is_integer(x) for x in leaves) else ())
            merged = [x if _is_integer(x) else next(floats) for x in leaves]
            args[i] = _tree.fill(args[i], iter(merged))
        return call(fun, args, kwargs)

    def gradients(self, found: list[Any]) -> Any:
        rest = iter(found)
        trees = []
        for k, i in enumerate(self.places):
            if k not in self.integers:
                trees.append(wrap_tree(next(rest)))
                continue
            leaves = [x for _, x in _tree.leaves(self.args[i])]
            floats = iter(next(rest) if any(not _is_integer(x) for x in leaves) else ())
            merged = [
                np.zeros(np.shape(x), float0) if _is_integer(x) else wrap_tree(next(floats))
                for x in leaves
            ]
            trees.append(_tree.fill(self.args[i], iter(merged)))
        return trees[0] if self.single else tuple(trees)


def _entered(
    label: str, args: tuple[Any, ...], argnums: Any, holomorphic: bool, allow_int: bool
) -> _Given:
    places, single = positions(label, argnums, args)
    given = _Given(args, places, single)
    for k, i in enumerate(places):
        found = _tree.leaves(args[i], f"argument {i}")
        integers = [(path, x) for path, x in found if _is_integer(x)]
        if integers and not allow_int:
            path, x = integers[0]
            raise TypeError(
                f"{label}: {path} is {_tree.describe(x)}: integers and flags have no derivative; "
                "pass floats (2.0, x.astype(float)), choose other arguments by argnums=, or call "
                "jax.grad(..., allow_int=True)"
            )
        if integers:
            given.integers[k] = args[i], [x for _, x in integers]
        if holomorphic and not _tree.has_complex(plain(args[i])):
            raise TypeError(
                f"{label}: holomorphic=True is for complex arguments, and argument {i} is "
                f"{_tree.describe(args[i])}; pass it as complex (x + 0j), or leave it out"
            )
    return given


def _is_integer(x: Any) -> bool:
    if isinstance(x, (bool, int)):
        return True
    return getattr(getattr(x, "dtype", None), "kind", "f") in "biu"


def _value_and_aux(label: str, has_aux: bool, out: Any) -> tuple[Any, Any]:
    if not has_aux:
        return out, None
    if not isinstance(out, (tuple, list)) or len(out) != 2:
        raise TypeError(
            f"{label}: with has_aux=True the function returns the pair (value, aux), and it "
            f"returned {_tree.describe(out)}"
        )
    return out[0], out[1]


def _scalar(label: str, value: Any, holomorphic: bool) -> Any:
    """The result as a gradient is made from it; raises TypeError where JAX does."""
    shape = np.shape(value) if _tree.is_leaf(value) or _tree.is_complex(value) else None
    if shape:
        raise TypeError(
            f"{label}: a gradient is of functions whose result is one number, and this one has "
            f"shape {shape}; return jnp.sum(...) of it, or call jax.jacrev or jax.jacfwd"
        )
    if holomorphic:
        if not _tree.is_complex(value):
            raise TypeError(
                f"{label}: holomorphic=True is for complex results, and this one is "
                f"{_tree.describe(value)}; leave it out"
            )
        return value.real
    if _tree.is_complex(value):
        raise TypeError(
            f"{label}: the result is complex, {_tree.describe(value)}; return a real number of it, "
            "or give holomorphic=True if the function is holomorphic"
        )
    if _is_integer(value):
        raise TypeError(
            f"{label}: the result is {_tree.describe(value)}, and integers have no derivative; "
            "return a float"
        )
    return plain(value)


def jacrev(
    fun: Function,
    argnums: Any = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Function:
    """All first derivatives, by reverse sweeps: each leaf of the result a tree like the argument.

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> from tapegrad.compat import jax
    >>> jax.jacrev(lambda x: x[:2] * x[2])(jnp.array([1.0, 2.0, 5.0]))
    Array([[5., 0., 1.],
           [0., 5., 2.]], dtype=float64)
    """
    settings = _settings(argnums, has_aux, holomorphic, allow_int)
    return Transformed(jacrev, fun, settings, _jacobian("jacrev", "reverse", fun, settings))


def jacfwd(
    fun: Function, argnums: Any = 0, has_aux: bool = False, holomorphic: bool = False
) -> Function:
    """The same by tangent sweeps."""
    settings = _settings(argnums, has_aux, holomorphic, False)
    forward = _jacobian("jacfwd", "forward", fun, settings)
    del settings["allow_int"]
    return Transformed(jacfwd, fun, settings, forward)


jacobian = jacrev


def hessian(
    fun: Function, argnums: Any = 0, has_aux: bool = False, holomorphic: bool = False
) -> Function:
    """All second derivatives, as `jacfwd(jacrev(fun))` gives them."""
    if holomorphic:
        return jacfwd(jacrev(fun, argnums, has_aux, True), argnums, has_aux, True)
    settings = _settings(argnums, has_aux, False, False)
    second = _jacobian("hessian", "forward", fun, settings)
    del settings["allow_int"]
    return Transformed(hessian, fun, settings, second)


def _jacobian(transform: str, mode: str, fun: Function, settings: dict[str, Any]) -> Function:
    label = f"{transform} of {name_of(fun)}"
    has_aux, holomorphic = settings["has_aux"], settings["holomorphic"]

    def derivatives(*args: Any, **kwargs: Any) -> Any:
        given = _entered(label, args, settings["argnums"], holomorphic, False)
        places: Any = 0 if given.single else tuple(range(len(given.places)))
        chosen = given.kept()

        def inside(*chosen: Any) -> Any:
            value, aux = _value_and_aux(label, has_aux, given.call(fun, chosen, kwargs))
            return (plain(value), aux) if has_aux else plain(value)

        if holomorphic:  # the derivative along the real axis is that in every direction
            imaginary = [_tree.map_complex(lambda z: z.imag * 1j, tree) for tree in chosen]
            chosen = [_tree.map_complex(lambda z: z.real, tree) for tree in chosen]
            transformed: Function = lambda *parts: inside(*map(_added, parts, imaginary))  # noqa: E731 - one of two
        else:
            transformed = named(inside, fun)
        if transform == "hessian":
            found = tg.hessian(transformed, places, has_aux=has_aux)(*chosen)
        else:
            found = tg.jacobian(transformed, places, has_aux=has_aux, mode=mode)(*chosen)
        return wrap_tree(found)

    return derivatives


def _added(a: Any, b: Any) -> Any:
    if _tree.is_leaf(a):
        return a + b
    pairs = zip(_tree.children(a) or [], _tree.children(b) or [], strict=True)
    return _tree.rebuild(a, [_added(x, y) for (_, x), (_, y) in pairs])


def named(inside: Function, fun: Function) -> Function:
    """`inside`, which messages call by the name of the user's function."""
    inside.__name__ = inside.__qualname__ = name_of(fun)
    return inside


def jvp(fun: Function, primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The value at `primals`, and the derivative in the direction `tangents`.

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> from tapegrad.compat import jax
    >>> jax.jvp(jnp.sin, (0.0,), (2.0,))
    (Array(0., dtype=float64), Array(2., dtype=float64))
    """
    for word, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise TypeError(
                f"jvp of {name_of(fun)}: {word} is {_tree.describe(given)}; give a tuple, "
                "jax.jvp(f, (x,), (t,))"
            )
    _entered(f"jvp of {name_of(fun)}", tuple(primals), tuple(range(len(primals))), False, False)
    inside = _inside(fun, has_aux)
    return wrap_tree(tg.jvp(inside, plain(tuple(primals)), plain(tuple(tangents)), has_aux=has_aux))


def _inside(fun: Function, has_aux: bool = False) -> Function:
    def inside(*args: Any, **kwargs: Any) -> Any:
        out = call(fun, shown(args), kwargs)
        if has_aux:
            value, aux = _value_and_aux(name_of(fun), has_aux, out)
            return plain(value), aux
        return plain(out)

    return named(inside, fun)


def vjp(fun: Function, *primals: Any, has_aux: bool = False, reduce_axes: Any = ()) -> Any:
    """The value at `primals`, and its pullback: of a cotangent, a tuple of those of `primals`.

    With `has_aux`, `fun` gives (value, aux), and the result is (value, pullback, aux).

    >>> from tapegrad.compat import jax
    >>> value, pullback = jax.vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> pullback(10.0)
    (Array(30., dtype=float64), Array(20., dtype=float64))
    """
    label = f"vjp of {name_of(fun)}"
    given = _entered(label, primals, tuple(range(len(primals))), False, True)

    def inside(*chosen: Any) -> Any:
        value, aux = _value_and_aux(label, has_aux, given.call(fun, chosen, {}))
        return (plain(value), aux) if has_aux else plain(value)

    value, pull, *aux = tg.vjp(named(inside, fun), *given.kept(), has_aux=has_aux)

    def pullback(cotangent: Any) -> Any:
        return given.gradients(list(pull(plain(cotangent))))

    return (wrap_tree(value), pullback, *wrap_tree(aux))


def linearize(fun: Function, *primals: Any, has_aux: bool = False) -> Any:
    """The value at `primals`, and the linear function of tangents there.

    Each call of that function is a tangent sweep of `fun`, which runs again.
    """
    inside = _inside(fun, has_aux)
    value = inside(*plain(primals))
    value, aux = value if has_aux else (value, None)

    def linear(*tangents: Any) -> Any:
        return jvp(fun, primals, tangents, has_aux)[1]

    return (wrap_tree(value), linear, wrap_tree(aux)) if has_aux else (wrap_tree(value), linear)


def linear_transpose(fun: Function, *primals: Any, reduce_axes: Any = ()) -> Function:
    """The transpose of a linear function: of a cotangent, a tuple like `primals`.

    Of `primals`, shapes and dtypes alone are read: `jax.ShapeDtypeStruct` does.

    >>> from tapegrad.compat import jax
    >>> jax.linear_transpose(lambda x, y: 2.0 * x - 3.0 * y, 1.0, 1.0)(10.0)
    (Array(20., dtype=float64), Array(-30., dtype=float64))
    """
    zeros = [_zeros(tree) for tree in primals]
    pullback = vjp(fun, *zeros)[1]
    return lambda cotangent: pullback(cotangent)


def _zeros(tree: Any) -> Any:
    def zero(x: Any) -> Any:
        return np.zeros(x.shape, x.dtype) if hasattr(x, "dtype") else 0.0 * x

    return tree_map(zero, tree)
