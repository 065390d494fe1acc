"""What type checkers see of transforms; `test_typing.py` runs mypy on it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import assert_type

import tapegrad as tg
from tapegrad.compile.compiled import Compiled

Array = npt.NDArray[np.float64]


def loss(w: Array, x: Array, *, weight: float = 1.0) -> float:
    return float(np.sum((w - x) ** 2)) * weight


def with_aux(x: float) -> tuple[float, str]:
    return x * x, "aux"


w = np.ones(2)

gradient = tg.grad(loss)
gradient(w, w, weight=2.0)
gradient(w)  # type: ignore[call-arg]  # not its arguments
gradient("w", w)  # type: ignore[arg-type]  # of another type
gradient(w, w, wait=2.0)  # type: ignore[call-arg]  # not its arguments
tg.grad(loss, 1)(w, w)
tg.grad(loss, argnums=(0, 1))(w, w)
assert_type(tg.grad(with_aux, has_aux=True)(1.0), tuple[Any, Any])
assert_type(tg.grad(tg.Variable(1.0) * 2.0, tg.Variable(1.0)), Any)
tg.grad(lambda x: x * x)(1.0)

assert_type(tg.value_and_grad(loss)(w, w), tuple[float, Any])
assert_type(tg.value_and_grad(with_aux, has_aux=True)(1.0), tuple[tuple[float, str], Any])
tg.value_and_grad(loss)(w)  # type: ignore[call-arg]  # not its arguments
tg.hessian(loss)(w, w)
tg.hessian(loss)(1, 2, 3)  # type: ignore[call-arg, arg-type]  # no arrays, and one too many
tg.jacobian(loss, mode="reverse")(w, w)
tg.jacobian(loss)(w)  # type: ignore[call-arg]  # not its arguments
tg.elementwise_grad(with_aux)("x")  # type: ignore[arg-type]  # of another type
assert_type(tg.checkpoint(loss)(w, w), float)
tg.vmap(with_aux)(w)  # lanes of what the function takes: its types say nothing
assert_type(tg.jvp(loss, (w, w), (w, w)), tuple[float, Any])
assert_type(tg.vjp(with_aux, 1.0), tuple[tuple[float, str], Callable[[Any], tuple[Any, ...]]])

own = tg.primitive(loss)
assert_type(own(w, w, weight=2.0), float)
own(w)  # type: ignore[call-arg]  # not its arguments
own.defvjp(lambda ans, w, x: lambda g: g * (w - x), None)
own.defvjp("same")  # type: ignore[arg-type]  # of tangent rules alone
tg.defjvp(own, "same", lambda g, ans, w, x: g)
tg.defvjp(loss, None)  # type: ignore[arg-type]  # no primitive
assert_type(tg.primitive(derivative="numerical")(loss)(w, w), float)
tg.primitive(loss, derivative="exact")  # type: ignore[call-overload]  # no such word
assert_type(tg.custom_vjp(with_aux)(1.0), tuple[float, str])
assert_type(tg.custom_jvp(nondiff_argnums=(1,))(loss)(w, w), float)
assert_type(tg.notrace_primitive(loss)(w, w), float)
assert_type(tg.grad(own)(w, w), Any)


@tg.detect_anomaly()
def watched(w: Array) -> float:
    return float(np.sum(w))


assert_type(watched(w), float)


@tg.compile
def compiled(w: Array, n: int = 1) -> float:
    return float(np.sum(w)) * n


@tg.compile(passes={"fuse": False})
def with_passes(w: Array, n: int = 1) -> float:
    return float(np.sum(w)) * n


assert_type(compiled(w), float)
assert_type(compiled(w, n=2), float)
assert_type(with_passes(w, 2), float)
compiled(1.0)  # type: ignore[arg-type]  # of another type
with_passes()  # type: ignore[call-arg]  # not its arguments
compiled.inspect()
with_passes.inspect()
assert_type(tg.compile(loss)(w, w), float)
assert_type(tg.value_and_grad(compiled)(w), tuple[float, Any])
tg.grad(compiled).inspect()
tg.grad(compiled)("w")  # type: ignore[arg-type]  # of another type
as_function: Callable[[Array], float] = compiled
assert_type(tg.value_and_grad(with_passes), Compiled[[Array, int], tuple[float, Any]])  # type: ignore[assert-type]  # it also knows the name n


class Model:
    scale = 2.0

    @tg.compile
    def predict(self, x: Array) -> Array:
        return x * self.scale

    @tg.grad
    def energy(self, x: Array) -> float:
        return float(np.sum(x)) * self.scale


model = Model()
assert_type(model.predict(w), Array)
model.predict("w")  # type: ignore[arg-type]  # of another type
model.energy(w)
model.energy(w, w)  # type: ignore[call-arg]  # not its arguments
