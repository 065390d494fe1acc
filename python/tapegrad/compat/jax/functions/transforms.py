"""JAX's derivatives: its arguments and results, over tapegrad's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad import _tree
from tapegrad.compat.jax.arrays import plain, shown, wrap_tree
from tapegrad.compat.jax.functions.arguments import entered, scalar, value_and_aux
from tapegrad.compat.jax.tree_util import tree_map
from tapegrad.compat.jax.variables import call
from tapegrad.transforms.trace import name_of
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
        given = entered(label, args, argnums, holomorphic, allow_int)
        kept = given.kept()
        if not kept:
            return wrap_tree(fun(*args, **kwargs)), given.gradients([])

        places = tuple(range(len(kept)))
        if not (has_aux or holomorphic):

            def alone(*chosen: Any) -> Any:
                return scalar(label, given.call(fun, chosen, kwargs), False)

            value, found = tg.value_and_grad(named(alone, fun), places)(*kept)
            return wrap_tree(value), given.gradients(list(found))

        def inside(*chosen: Any) -> Any:
            value, aux = value_and_aux(label, has_aux, given.call(fun, chosen, kwargs))
            checked = scalar(label, value, holomorphic)
            return checked, (value, aux)

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
        given = entered(label, args, settings["argnums"], holomorphic, False)
        places: Any = 0 if given.single else tuple(range(len(given.places)))
        chosen = given.kept()

        def inside(*chosen: Any) -> Any:
            value, aux = value_and_aux(label, has_aux, given.call(fun, chosen, kwargs))
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
    entered(f"jvp of {name_of(fun)}", tuple(primals), tuple(range(len(primals))), False, False)
    inside = _inside(fun, has_aux)
    return wrap_tree(tg.jvp(inside, plain(tuple(primals)), plain(tuple(tangents)), has_aux=has_aux))


def _inside(fun: Function, has_aux: bool = False) -> Function:
    def inside(*args: Any, **kwargs: Any) -> Any:
        out = call(fun, shown(args), kwargs)
        if has_aux:
            value, aux = value_and_aux(name_of(fun), has_aux, out)
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
    given = entered(label, primals, tuple(range(len(primals))), False, True)

    def inside(*chosen: Any) -> Any:
        value, aux = value_and_aux(label, has_aux, given.call(fun, chosen, {}))
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
