"""What holds for a program: every way to run and to differentiate it agrees with plain NumPy."""

from __future__ import annotations

import re
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import otherwise
from results import (
    Find,
    FoundError,
    Outcome,
    classes,
    compare,
    copied,
    is_finite,
    is_plain,
    numbers,
    outcome,
    plain,
    weighed,
)

import tapegrad as tg

CALLS = 7  # of a compiled function, while its state changes
# What the library may refuse with; an internal fault shows as something else, or says so.
REFUSALS = (
    AttributeError,
    TypeError,
    ValueError,
    IndexError,
    RuntimeError,
    np.exceptions.AxisError,
)
INTERNAL = re.compile(
    r"internal|incompatible function arguments|must be real number"
    r"|(?<!dtype )object is not|unsupported operand"
)


class Program:
    """A program's text; each `fresh` one has a state of its own."""

    def __init__(self, source: str) -> None:
        self.code = compile(source, "<program>", "exec", dont_inherit=True)

    def fresh(self, changes: int = 0) -> dict[str, Any]:
        namespace: dict[str, Any] = {"__name__": "program"}
        exec(self.code, namespace)
        for k in range(changes):
            change(namespace, k)
        return namespace


def change(namespace: dict[str, Any], k: int) -> None:
    if k and "change" in namespace:
        namespace["change"](k)


class Checker:
    """Checks one program; counts refusals by kind."""

    def __init__(self, source: str, refused: Counter[str] | None = None) -> None:
        self.source = source
        self.program = Program(source)
        self.points = self.program.fresh()["POINTS"]
        self.is_single = "float32" in source  # somewhere; everything may be rounded so
        self.derives = "tg." in source
        self.refused: Counter[str] = Counter() if refused is None else refused
        self.was_refused = False

    def attempt(
        self, mode: str, f: Callable[[], Any], expected: BaseException | None = None
    ) -> Outcome:
        """The outcome of library code; what is neither NumPy's error nor a refusal is a find."""
        try:
            return Outcome(f())
        except FoundError:
            raise
        except Exception as error:
            if expected is not None and isinstance(error, type(expected)):
                return Outcome(error=error)
            text = str(error)
            if (
                not isinstance(error, REFUSALS)
                or isinstance(error, RecursionError)
                or not text
                or (isinstance(error, AttributeError) and "Variable' object" not in text)
                or INTERNAL.search(text)
            ):
                where = traceback.extract_tb(error.__traceback__)[-1]
                detail = f"{type(error).__name__}: {text[:200]} ({where.name})"
                raise FoundError(mode + " error", detail) from error
            self.was_refused = True
            self.refused[f"{type(error).__name__}: {re.sub(r'[0-9.]+', '#', text)[:70]}"] += 1
            return Outcome(error=error)

    def compare(
        self, mode: str, found: Any, expected: Any, tolerance: float = 1e-9, types: bool = True
    ) -> None:
        if self.derives and not (is_finite(found) and is_finite(expected)):
            self.refused["a result of derivatives that is not finite"] += 1
            return  # which zero wins against infinity is a convention of sweeps
        # A derivative with respect to a Python float is one, or a recorded float64.
        types = types and not (self.derives and self.is_single)
        compare(mode, found, expected, 5e-3 if self.is_single else tolerance, types)

    def derived(self, mode: str, f: Callable[[], Any]) -> Outcome:
        """The outcome of a transform that was called with plain values: its results are plain."""
        found = self.attempt(mode, f)
        if found.error is None and not is_plain(found.value):
            raise FoundError(mode + " plain", f"{found.value!r:.100}")
        return found

    def statement(self, mode: str = "value") -> bool:
        """The value at the first point, every name's; False where it is refused."""
        ours, theirs = self.program.fresh(), self.program.fresh()
        x = theirs["POINTS"][0]
        expected = theirs["f"](copied(x))
        found = self.attempt(mode, lambda: recorded(ours["f"], x))
        if found.error is None:
            self.compare(mode, found.value, expected, 1e-10)
        return found.error is None

    def all(self) -> None:
        self.values()
        if self.was_refused:
            return
        for k in (0, 3):
            self.derivatives(k)
        self.compiled("compiled", lambda ns: ns["f"])
        self.compiled("compiled grad", lambda ns: tg.grad(weighed(ns["f"])))
        self.lanes()
        otherwise.composed(self)
        otherwise.called_otherwise(self)

    def values(self) -> None:
        ours, theirs = self.program.fresh(), self.program.fresh()
        for k in range(CALLS):
            x = self.points[k % len(self.points)]
            change(ours, k)
            change(theirs, k)
            a, b = copied(x), copied(x)
            expected = outcome(lambda b=b: theirs["f"](b))
            found = self.attempt("value", lambda a=a: recorded(ours["f"], a), expected.error)
            if expected.error is None and found.error is None:
                self.compare("value", found.value, expected.value, 1e-10)
            elif isinstance(expected.error, np.linalg.LinAlgError):
                return  # rounding decides whether a matrix is singular
            elif expected.error is not None and found.error is None:
                raise FoundError("value no error", f"no {type(expected.error).__name__}")
            else:
                return

    def loss(self, k: int) -> Callable[[Any], Any]:
        """The number after k changes; each call has a state of its own."""
        return lambda x: weighed(self.program.fresh(k + 1)["f"])(copied(x))

    def derivatives(self, k: int) -> None:
        loss, x = self.loss(k), self.points[k % len(self.points)]
        here = outcome(lambda: float(plain(loss(x))))
        if here.error is not None or not np.isfinite(here.value) or np.size(x) == 0:
            return
        found = self.derived("grad", lambda: tg.grad(loss)(x))
        if found.error is not None:
            return
        d = np.cos(1.0 + np.arange(np.size(x))).reshape(np.shape(x)).astype(np.asarray(x).dtype)[()]
        if not np.all(np.isfinite(plain(found.value))):
            self.refused["a gradient that is not finite"] += 1
            return
        slope = np.sum(np.asarray(plain(found.value), float) * d)
        tangent = self.derived("jvp", lambda: tg.jvp(loss, (x,), (d,)))
        if tangent.error is None and np.all(np.isfinite(plain(tangent.value[1]))):
            self.compare("jvp value", tangent.value[0], loss(x))
            self.compare(
                "jvp against grad",
                float(plain(tangent.value[1])),
                float(slope),
                1e-8,
            )
        if self.is_single:
            return
        self.against_differences(
            "grad", loss, lambda at: np.sum(np.asarray(plain(tg.grad(loss)(at))) * d), x, d
        )
        if np.size(x) <= 6:
            self.second(k, loss, x, d)
        self.jacobians(k, x)

    def jacobians(self, k: int, x: Any) -> None:
        def outputs(x: Any) -> Any:
            found = self.program.fresh(k + 1)["f"](x * 1.0)
            parts = [np.ravel(v) for v in found if getattr(v, "dtype", None) == np.float64]
            return np.concatenate(parts)

        here = outcome(lambda: outputs(x))
        if here.error is not None or not np.all(np.isfinite(here.value)):
            return
        forward = self.derived("jacobian", lambda: tg.jacobian(outputs, mode="forward")(x))
        reverse = self.derived("jacobian", lambda: tg.jacobian(outputs, mode="reverse")(x))
        if forward.error is None and reverse.error is None and np.all(np.isfinite(reverse.value)):
            self.compare("jacobian forward against reverse", forward.value, reverse.value, 1e-8)

    def second(self, k: int, loss: Callable[[Any], Any], x: Any, d: Any) -> None:
        found = self.derived("hessian", lambda: tg.hessian(loss)(x))
        if found.error is not None:
            return
        if not np.all(np.isfinite(np.asarray(found.value))):
            self.refused["a Hessian that is not finite"] += 1
            return
        n = np.size(x)
        hessian = np.reshape(found.value, (n, n))
        self.compare("hessian symmetric", hessian, hessian.T, 1e-7)
        along = hessian @ np.ravel(d)
        twice = self.derived("jvp of grad", lambda: tg.jvp(tg.grad(loss), (x,), (d,))[1])
        if twice.error is None:
            self.compare("hessian against jvp of grad", along, np.ravel(plain(twice.value)), 1e-8)
        back = self.derived(
            "grad of grad", lambda: tg.grad(lambda y: np.sum(tg.grad(loss)(y) * d))(x)
        )
        if back.error is None:
            self.compare("hessian against grad of grad", along, np.ravel(plain(back.value)), 1e-7)
        first = lambda at: np.sum(np.asarray(plain(tg.grad(loss)(at))) * d)  # noqa: E731 - a name for a term
        curve = lambda at: np.sum(d * np.asarray(plain(tg.jvp(tg.grad(loss), (at,), (d,))[1])))  # noqa: E731 - the same
        self.against_differences("hessian", first, curve, x, d)

    def against_differences(
        self, mode: str, f: Callable[[Any], Any], slope: Callable[[Any], Any], x: Any, d: Any
    ) -> None:
        """A fault shows at two points, or it is a kink."""
        shown = ""
        for shift in (0.0, 1.7e-3):
            at = x + shift * np.sin(1.0 + np.arange(np.size(x))).reshape(np.shape(x))[()]
            expected = difference(f, at, d)
            if expected is None:
                return
            found = outcome(lambda at=at: float(plain(slope(at))))
            if found.error is not None:
                return
            if abs(found.value - expected) <= 2e-4 * (1.0 + abs(expected)):
                return
            shown = shown or f"{found.value!r} for {expected!r}"
        raise FoundError(mode + " against differences", shown)

    def compiled(self, mode: str, of: Callable[[dict[str, Any]], Any]) -> None:
        ours, theirs = self.program.fresh(), self.program.fresh()
        f, g = tg.compile(of(ours)), of(theirs)
        for k in range(CALLS):
            x = self.points[k % len(self.points)]
            change(ours, k)
            change(theirs, k)
            a, b = copied(x), copied(x)
            expected = outcome(lambda b=b: g(b))
            if expected.error is not None and mode != "compiled":
                return  # refused
            found = self.attempt(mode, lambda a=a: f(a), expected.error)
            if expected.error is None and found.error is None:
                self.compare(f"{mode}", found.value, expected.value, 1e-8)
                if not is_plain(found.value):
                    raise FoundError(mode + " plain", f"{found.value!r:.100}")
                if classes(found.value) != classes(expected.value):
                    kinds = f"{classes(found.value)} for {classes(expected.value)}"
                    raise FoundError(mode + " types", kinds)
                self.compare(f"{mode} argument", a, b)
            elif isinstance(expected.error, np.linalg.LinAlgError):
                return
            elif expected.error is not None and found.error is None:
                raise FoundError(
                    mode + " no error", f"call {k}: no {type(expected.error).__name__}"
                )
            else:
                return

    def lanes(self) -> None:
        lanes = self.derived(
            "vmap", lambda: tg.vmap(self.program.fresh()["f"])(np.stack(self.points))
        )
        if lanes.error is not None:
            return
        results = plain(lanes.value)
        for i, x in enumerate(np.stack(self.points)):  # a lane without axes is a number
            alone = outcome(lambda x=x: self.program.fresh()["f"](x.copy()))
            if alone.error is not None:
                return
            self.compare(
                "vmap",
                [v[i] for v in numbers(results)],
                alone.value,
                1e-8,
                types=False,
            )


def recorded(f: Callable[[Any], Any], x: Any) -> Any:
    """f of a Variable, whose new arrays take Variables if they have to."""
    try:
        return f(tg.Variable(copied(x)))
    except TypeError:
        with tg.patch_numpy():
            return f(tg.Variable(copied(x)))


def difference(f: Callable[[Any], Any], x: Any, d: Any) -> float | None:
    """The derivative of f along d; None where steps of several sizes do not agree."""
    slopes = []
    sides = []
    for h in (2e-4, 5e-5):
        above, here, below = (outcome(lambda s=s: float(plain(f(x + s * d)))) for s in (h, 0.0, -h))
        if above.error or below.error or here.error:
            return None
        slopes.append((above.value - below.value) / (2 * h))
        sides.append((above.value - here.value) / h)
        sides.append((here.value - below.value) / h)
    scale = 1.0 + abs(slopes[1])
    if not np.all(np.isfinite(slopes)) or abs(slopes[0] - slopes[1]) > 2e-5 * scale:
        return None
    if max(sides) - min(sides) > 2e-2 * scale:
        return None
    return slopes[1]


def find_in(
    source: str, refused: Counter[str] | None = None, only_value: bool = False
) -> Find | None:
    """The first fault of a program, if it has one."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            checker = Checker(source, refused)
            if only_value:
                checker.statement()
            else:
                checker.all()
        except FoundError as found:
            return found.find
    return None
