"""What is asked of one spelling at one size: right results, first calls, new data, warm time.

Times are those of the process on its processor, not the clock's: a process has one thread here, and
others may be using the machine.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.model import Model, Spelling, numbers

FIRST_CALLS = 5


@dataclass
class Examined:
    """Seconds of an eager gradient, of the first calls of a program, and of a warm one.

    `recorded` counts recordings that new data of the same shapes asked for: none, if a program
    serves them. `wrong` says which results differ from the eager ones, `warned` what was said.
    """

    eager: float
    first: float
    recorded: int
    wrong: list[str]
    warned: list[str]
    warm: float = np.inf
    call: Callable[[], Any] | None = field(default=None, repr=False)
    numbers: Any = field(default=None, repr=False)

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            name: value for name, value in vars(self).items() if name not in {"call", "numbers"}
        }


def warm_up() -> None:
    """A first program, so that what the package loads at its first use counts for no spelling."""
    import tapegrad as tg

    call = tg.compile(tg.value_and_grad(lambda x: np.sum(np.tanh(x) ** 2)))
    for _ in range(FIRST_CALLS):
        call(np.ones(3))


def others(data: tuple[Any, ...]) -> tuple[Any, ...]:
    """New data of the same kind: numbers a little smaller, what counts or chooses moved by one."""
    return tuple(
        np.roll(value, 1) if np.asarray(value).dtype.kind in "bi" else value * 0.99
        for value in data
    )


def differs(found: Any, expected: Any, rtol: float) -> str | None:
    """How two rows of numbers differ, if they do, relative to the largest."""
    if found.shape != expected.shape:
        return f"{found.size} numbers instead of {expected.size}"
    scale = np.max(np.abs(expected), initial=0.0)
    error = np.max(np.abs(found - expected), initial=0.0)
    if not error <= rtol * scale:  # a NaN differs too
        return f"off by {error:.3g} where the largest is {scale:.3g}"
    return None


def seconds_for(call: Callable[[], Any], count: int = 1) -> float:
    """Seconds of `count` calls, without the garbage collector's pauses."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        began = time.process_time()
        for _ in range(count):
            call()
        return time.process_time() - began
    finally:
        if enabled:
            gc.enable()


def examine(model: Model, spelling: Spelling, size: int) -> Examined:
    """Everything but the warm time, which is taken in turns with siblings: see `take_turns`."""
    data = model.data(size)
    arguments = model.arguments(spelling, data)
    eager = model.function(spelling, compiled=False)
    expected = numbers(spelling, eager(*arguments))
    took = seconds_for(lambda: eager(*arguments))
    wrong = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compiled = model.function(spelling)
        results: list[Any] = []
        first = seconds_for(lambda: results.append(compiled(*arguments)), FIRST_CALLS)
        for k, result in enumerate(results, 1):
            error = differs(numbers(spelling, result), expected, model.rtol)
            if error:
                wrong.append(f"call {k}: {error}")
        before = _recordings(compiled)
        fresh = model.arguments(spelling, others(data))
        results = [compiled(*fresh) for _ in range(3)]
        recorded = _recordings(compiled) - before
        of_fresh = numbers(spelling, eager(*fresh))
        for k, result in enumerate(results, 1):
            error = differs(numbers(spelling, result), of_fresh, model.rtol)
            if error:
                wrong.append(f"call {k} with new data: {error}")
    warned = sorted({str(warning.message).splitlines()[0] for warning in caught})
    return Examined(
        took, first, recorded, wrong, warned,
        call=lambda: compiled(*arguments), numbers=expected,
    )  # fmt: skip


def _recordings(compiled: Any) -> int:
    return sum(signature.recordings for signature in compiled.inspect().signatures)


def take_turns(calls: list[Callable[[], Any]], rounds: int, least: float) -> list[float]:
    """The least seconds of each call, sampled A B C A B C for at least `least` seconds each."""
    once = [min(seconds_for(call), seconds_for(call)) for call in calls]
    counts = [max(1, int(least / max(seconds, 1e-7))) for seconds in once]
    best = [np.inf] * len(calls)
    for _ in range(rounds):
        for k, (call, count) in enumerate(zip(calls, counts, strict=True)):
            best[k] = min(best[k], seconds_for(call, count) / count)
    return best


def child(arguments: list[str], timeout: float) -> Any:
    """What a fresh process of one thread answers, as JSON; a text where it has no answer."""
    command = [sys.executable, "-m", *arguments]
    try:
        done = subprocess.run(
            command, env=peers.environment(1), capture_output=True, text=True, check=False,
            timeout=timeout,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"no answer within {timeout:g} s"
    if done.returncode:
        return f"status {done.returncode}: {done.stderr.strip()[-2000:]}"
    return json.loads(done.stdout.splitlines()[-1])
