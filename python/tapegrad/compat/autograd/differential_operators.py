"""Autograd's operators: which argument by position, names and order of results as there."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad import _tree
from tapegrad.compat.autograd.core import floats, numpy_numbers
from tapegrad.compat.autograd.core import make_jvp as _make_jvp
from tapegrad.compat.autograd.core import make_vjp as _make_vjp
from tapegrad.compat.autograd.util import subval
from tapegrad.compat.autograd.vspaces import vspace
from tapegrad.compat.autograd.wrap_util import named, unary_to_nary, wraps
from tapegrad.transforms.trace import name_of, through_compile, warn_user
from tapegrad.transforms.transformed import Transformed

Function = Callable[..., Any]

make_vjp = unary_to_nary(_make_vjp)
make_jvp = unary_to_nary(_make_jvp)


def _forward(operator: Function, transform: Function, fun: Function, argnum: Any) -> Any:
    made = transform(fun, argnum)
    if isinstance(made, Transformed):  # and no compiled function, which keeps its ways
        made = Transformed(operator, fun, {"argnum": argnum}, _as_autograd(made.target, argnum))
    return named(operator.__name__, fun, argnum)(made)


def _as_autograd(f: Function, argnum: Any) -> Function:
    """`f` by arrays of integers too, with results that have a shape and a dtype."""
    places = argnum if isinstance(argnum, (tuple, list)) else (argnum,)

    def of(*args: Any, **kwargs: Any) -> Any:
        given = list(args)
        for i in places:
            if isinstance(i, int) and -len(given) <= i < len(given):
                given[i] = floats(given[i])
        return numpy_numbers(f(*given, **kwargs))

    return of


def grad(fun: Function, argnum: Any = 0) -> Function:
    """The gradient of `fun`, whose result is one number, as a function of the same arguments.

    `argnum` is the position of the argument, or a tuple of positions for a tuple of gradients.

    >>> from tapegrad.compat.autograd import grad
    >>> grad(lambda x, y: x * y, (1, 0))(2.0, 3.0)
    (np.float64(2.0), np.float64(3.0))
    """
    return _forward(grad, tg.grad, fun, argnum)  # type: ignore[no-any-return]  # a function


def value_and_grad(fun: Function, argnum: Any = 0) -> Function:
    """The pair of value and gradient, as a function of the same arguments."""
    return _forward(value_and_grad, tg.value_and_grad, fun, argnum)  # type: ignore[no-any-return]  # a function


def grad_and_aux(fun: Function, argnum: Any = 0) -> Function:
    """Of a function that returns a pair, the gradient of the first and the second as it is."""
    return _forward(grad_and_aux, partial(tg.grad, has_aux=True), fun, argnum)  # type: ignore[no-any-return]  # a function


def elementwise_grad(fun: Function, argnum: Any = 0) -> Function:
    """The sums of the Jacobian's columns, as a function of the same arguments.

    Raises:
        TypeError: The result is complex.
    """
    compiled = through_compile(fun, elementwise_grad, {"argnum": argnum})
    if compiled is not None:
        return compiled  # type: ignore[no-any-return]  # a function

    @wraps(fun)
    def real(*args: Any, **kwargs: Any) -> Any:
        found = fun(*args, **kwargs)
        if _tree.has_complex(found):
            raise TypeError(
                f"elementwise_grad({name_of(fun)}): the result is {_tree.describe(found)}, which "
                "is complex; differentiate np.real and np.imag of it, or call holomorphic_grad"
            )
        return found

    return _forward(elementwise_grad, tg.elementwise_grad, real, argnum)  # type: ignore[no-any-return]  # a function


def jacobian(fun: Function, argnum: Any = 0) -> Function:
    """The Jacobian, of shape output.shape + argument.shape, as a function."""
    return _forward(jacobian, tg.jacobian, fun, argnum)  # type: ignore[no-any-return]  # a function


def hessian(fun: Function, argnum: Any = 0) -> Function:
    """All second derivatives, as a function of the same arguments."""
    return _forward(hessian, tg.hessian, fun, argnum)  # type: ignore[no-any-return]  # a function


@unary_to_nary
def deriv(fun: Function, x: Any) -> Any:
    """The derivative in the direction of ones: of a function of one number, the derivative."""
    return _make_jvp(fun, x)(vspace(x).ones())[1]


@unary_to_nary
def holomorphic_grad(fun: Function, x: Any) -> Any:
    """The derivative of a holomorphic function of one complex number."""
    if not vspace(x).iscomplex:
        warn_user(f"holomorphic_grad({name_of(fun)}): the argument is not complex")
    return numpy_numbers(tg.grad(lambda z: np.real(fun(z)))(x))


def grad_named(fun: Function, argname: str) -> Function:
    """The gradient with respect to the argument of this name.

    >>> from tapegrad.compat.autograd import grad_named
    >>> grad_named(lambda x, y: x * y, "y")(2.0, 3.0)
    np.float64(2.0)
    """
    from inspect import getfullargspec

    return grad(fun, getfullargspec(fun).args.index(argname))


@unary_to_nary
def make_hvp(fun: Function, x: Any) -> Any:
    """The function v -> H v of the Hessian at `x`, and the gradient there.

    >>> from tapegrad.compat.autograd import make_hvp
    >>> hvp, gradient = make_hvp(lambda x: x**3)(2.0)
    >>> hvp(1.0), gradient
    (12.0, 12.0)
    """
    return _make_vjp(tg.grad(fun), x)


def hessian_tensor_product(fun: Function, argnum: int = 0) -> Function:
    """A function of (*args, tensor): the Hessian times the tensor."""

    def product(*args: Any, **kwargs: Any) -> Any:
        *given, tensor = args
        along = lambda x: fun(*subval(given, argnum, x), **kwargs)  # noqa: E731 - it is passed on
        return tg.hvp(along, floats(given[argnum]), floats(tensor))

    return product


hessian_vector_product = hessian_tensor_product


def tensor_jacobian_product(fun: Function, argnum: int = 0) -> Function:
    """A function of (*args, tensor): the tensor times the Jacobian.

    All axes of the tensor are summed, against the first ones of the result of `fun`.
    """

    def product(*args: Any, **kwargs: Any) -> Any:
        *given, tensor = args
        contracted = lambda *inner: np.tensordot(tensor, fun(*inner, **kwargs), np.ndim(tensor))  # noqa: E731 - it is passed on at once
        return tg.jacobian(contracted, argnum)(*subval(given, argnum, floats(given[argnum])))

    return product


vector_jacobian_product = tensor_jacobian_product


@unary_to_nary
def make_jvp_reversemode(fun: Function, x: Any) -> Any:
    """The function v -> J v; as a tangent sweep, which costs less than two reverse sweeps."""
    push = _make_jvp(fun, x)
    return lambda v: push(v)[1]


def _half_square(x: Any) -> Any:
    return 0.5 * np.sum(x**2, axis=-1)


def make_ggnvp(f: Function, g: Function = _half_square, f_argnum: int = 0) -> Function:
    """Products with the generalised Gauss-Newton matrix J^T H J: J of `f`, H of `g`."""

    @unary_to_nary
    def at(f: Function, x: Any) -> Any:
        pullback, y = _make_vjp(f, x)
        times_hessian, _ = _make_vjp(tg.grad(g), y)
        push = _make_jvp(f, x)
        return lambda v: pullback(times_hessian(push(v)[1]))

    return at(f, f_argnum)  # type: ignore[no-any-return]  # a function


def multigrad_dict(fun: Function) -> Function:
    """The gradient with respect to every argument at once, by name.

    >>> from tapegrad.compat.autograd import multigrad_dict
    >>> dict(multigrad_dict(lambda x, y=3.0: x * y)(2.0))
    {'x': np.float64(3.0), 'y': np.float64(2.0)}
    """
    from inspect import Parameter, signature

    of_fun = signature(fun)
    kinds = {name: parameter.kind for name, parameter in of_fun.parameters.items()}

    def call(given: dict[str, Any]) -> Any:
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for name, kind in kinds.items():
            if kind is Parameter.VAR_POSITIONAL:
                args += given[name]
            elif kind is Parameter.VAR_KEYWORD:
                kwargs |= given[name]
            elif kind is Parameter.KEYWORD_ONLY:
                kwargs[name] = given[name]
            else:
                args.append(given[name])
        return fun(*args, **kwargs)

    def gradients(*args: Any, **kwargs: Any) -> OrderedDict[str, Any]:
        bound = of_fun.bind(*args, **kwargs)
        bound.apply_defaults()
        return OrderedDict(numpy_numbers(tg.grad(call)(floats(dict(bound.arguments)))))

    return gradients


def checkpoint(fun: Function) -> Function:
    """`fun`, whose intermediate results are computed again in the reverse sweep."""
    return tg.checkpoint(fun)
