"""The one record of each universal function of SciPy: its partial derivatives, or a refusal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from tapegrad import _core
from tapegrad.numpy.operands import finish, plain
from tapegrad.numpy.table import as_blanks
from tapegrad.scipy.ufuncs.symbols import Recorder

special: Any = import_module("scipy.special")
OPS = frozenset(_core.op_names())
FAMILIES = (
    "gamma", "errors", "bessel", "elliptic", "hypergeometric", "elementary", "polynomials",
    "equations", "distributions", "noncentral", "student", "composed",
)  # fmt: skip

Rule = Callable[..., Any]


class No(NamedTuple):
    """In place of a formula: there is no derivative by this argument."""

    what: str  # the argument is, as in "its order"


RULES: dict[str, Rule] = {}  # the partial derivatives by each argument
REFUSED: dict[str, str] = {}  # what to write instead of the function
COMPOSED: dict[str, Rule] = {}  # the function itself, written with others
TAKE_COMPLEX: set[str] = set()  # those of them that take complex Variables
PAIRED: dict[str, str] = {}  # the universal function whose parts a function of formulas gives
PLAIN: dict[str, Any] = {}  # results without a derivative, of the plain values

_lock = threading.RLock()
_done: dict[tuple[str, bool], Any] = {}
_begun: dict[tuple[str, bool], Any] = {}


def partials(*names: str) -> Callable[[Rule], Rule]:
    """States the derivatives of functions of scipy.special.

    The decorated function takes the inputs and then the outputs, and returns the partial
    derivatives by each input: formulas, None where one is 0, or `No`. Of several outputs it
    returns such a tuple for each.
    """

    def decorate(rule: Rule) -> Rule:
        for name in names:
            RULES[name] = rule
        return rule

    return decorate


def parts(name: str, ufunc: str) -> Callable[[Rule], Rule]:
    """States the derivatives of a function of complex numbers, told by their parts.

    `own(name)` takes the real and the imaginary part of each and gives those of the result.
    """
    PAIRED[name] = ufunc
    return partials(name)


def composed(*names: str, complex_too: bool = False) -> Callable[[Rule], Rule]:
    """States what a function is in other functions, which are differentiated."""

    def decorate(rule: Rule) -> Rule:
        for name in names:
            COMPOSED[name] = rule
            if complex_too:
                TAKE_COMPLEX.add(name)
        return rule

    return decorate


def refuse(write: str, *names: str) -> None:
    """States functions that have no derivative, and what is written in their place."""
    for name in names:
        REFUSED[name] = write


def load() -> None:
    """Reads the families."""
    for family in FAMILIES:
        import_module(f"tapegrad.scipy.ufuncs.{family}")


def ufunc_of(name: str) -> Any:
    """A universal function of scipy.special, also of those that its functions call."""
    found = getattr(special, name, None)
    return found if isinstance(found, np.ufunc) else getattr(special._ufuncs, name, None)


def is_known(ufunc: Any) -> bool:
    """Whether this is a universal function of scipy.special."""
    return ufunc is ufunc_of(ufunc.__name__)


def takes_integers(ufunc: Any) -> bool:
    """Whether there is a loop of its own for integers among floats."""
    return any(set(t) <= set("ldq->") and set(t) & set("lq") for t in ufunc.types)


def takes_floats(ufunc: Any) -> bool:
    """Whether there is a loop over float64 alone."""
    return any(set(t) == set("d->") for t in ufunc.types)


def foreign(ufunc: Any, of_integers: bool = False) -> Any:
    """What the core applies for a universal function of SciPy; its derivatives with it."""
    of_integers = of_integers or not takes_floats(ufunc)
    name = ufunc.__name__

    def make() -> Any:
        return _core.Foreign(ufunc, f"scipy.special.{name}", of_integers)

    def complete(made: Any) -> None:
        _state_partials(name, made, of_integers)
        if not of_integers and takes_integers(ufunc):
            made.set_of_integers(foreign(ufunc, True))

    return _made((name, of_integers), make, complete)


def own(name: str) -> Any:
    """What the core applies for a function that only formulas need; its derivatives with it."""

    def make() -> Any:
        if name in PAIRED:
            return _core.Foreign.of_pairs(ufunc_of(PAIRED[name]), name)
        return _core.Foreign.of_own(name)

    return _made((name, False), make, lambda made: _state_partials(name, made, False))


def _made(key: tuple[str, bool], make: Callable[[], Any], complete: Callable[[Any], None]) -> Any:
    with _lock:
        found = _done.get(key) or _begun.get(key)
        if found is None:
            load()
            outermost = not _begun
            try:
                found = _begun[key] = make()
                complete(found)
            except BaseException:
                if outermost:
                    _begun.clear()
                raise
            if outermost:  # nobody else sees one before all that it needs are whole
                _done.update(_begun)
                _begun.clear()
    return found


def _state_partials(name: str, made: Any, of_integers: bool) -> None:
    rule = RULES[name]

    def other(needed: Any) -> Any:
        return foreign(needed, of_integers and takes_integers(needed))

    for j in range(made.n_out):
        for i in range(made.n_in):
            recorder = Recorder(made.n_in + made.n_out, other, own)
            found = rule(*recorder.inputs)
            given = (found[j] if made.n_out > 1 else found)[i]
            if isinstance(given, No):
                given = _no_derivative(name, made.n_in, i, given.what)
            elif given is not None:
                given = recorder.formula(given)
            made.set_partial(j, i, given)


def _no_derivative(name: str, n_in: int, i: int, what: str) -> str:
    name = public(name)
    names = [f"x{k}" for k in range(n_in)]
    names[i] = f"tg.stop_gradient(x{i})"
    return (
        f"scipy.special.{name}: there is no derivative by its argument {i} ({what}) in tapegrad; "
        f"where that one is to be held constant, write scipy.special.{name}({', '.join(names)})"
    )


def public(name: str) -> str:
    """The function that calls this universal function."""
    return {"_riemann_zeta": "zeta"}.get(name, name.removeprefix("_"))


def answer(ufunc: Any, operands: tuple[Any, ...], out: Any) -> Any:
    """Answers NumPy's dispatch of a universal function of SciPy."""
    if _core.are_blanks(operands):
        return as_blanks(ufunc(*map(plain, operands)))
    name = f"scipy.special.{ufunc.__name__}"
    found = call(ufunc, operands)
    if not isinstance(found, tuple):
        return finish(name, found, out, spreads=True)
    return found if out is None else tuple(map(partial(finish, name), found, out))


def call(ufunc: Any, inputs: Iterable[Any]) -> Any:
    """The result of a universal function of SciPy on Variables."""
    name = ufunc.__name__
    load()
    if name in OPS:
        _take(ufunc, name)
        return _core.apply(name, tuple(inputs))
    if name in COMPOSED:
        return COMPOSED[name](*inputs)
    if name not in RULES:
        write = REFUSED.get(name)
        remedy = f"write {write}, or where" if write else "where"
        raise TypeError(
            f"scipy.special.{public(name)} has no derivative in tapegrad; {remedy} none is needed "
            f"call it on the plain value, scipy.special.{public(name)}(tg.value(v))"
        )
    made = foreign(ufunc)
    if takes_floats(ufunc):
        _take(ufunc, made)
    else:
        _check_integers(ufunc, inputs)
    return made(*inputs)


def takes_complex(ufunc: Any) -> bool:
    """Whether complex Variables are differentiated."""
    load()
    return is_known(ufunc) and ufunc.__name__ in TAKE_COMPLEX


def _take(ufunc: Any, what: Any) -> None:
    """Lets the core answer for a universal function, before NumPy asks whom to."""
    _core.add_ufunc(ufunc, what)
    _core.take_entry(ufunc, "left")


def _check_integers(ufunc: Any, inputs: Iterable[Any]) -> None:
    """Raises where NumPy finds no loop, because a whole number is a float."""
    (types,) = (t for t in ufunc.types if set(t) & set("lq"))
    for i, x in enumerate(inputs):
        if types[i] in "lq" and not isinstance(x, int) and np.asarray(plain(x)).dtype.kind == "f":
            raise TypeError(
                f"scipy.special.{ufunc.__name__}: its argument {i} is a whole number; give it as "
                "an integer, int(n) or n.astype(int)"
            )
