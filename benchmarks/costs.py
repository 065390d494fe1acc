"""What the passes reckon with, measured on this machine.

    python -m benchmarks.costs            # each cost beside the one in the table
    python -m benchmarks.costs --write    # and writes what it measured to the table

The exit status is 1 where one is off by more than a factor of 3.

The table, `cpp/tapegrad/program/cost_list.h`, is compiled in. It decides which of two programs for
the same a function gets, so small differences between machines don't matter.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad import _core

TABLE = Path(__file__).parents[1] / "cpp" / "tapegrad" / "program" / "cost_list.h"
AS_RECORDED = dict.fromkeys(_core.pass_names(), False)
ON_ROWS = {"roll": False, "expand": False}

Step = Callable[[Any, Any], Any]


def best(f: Callable[..., Any], *arguments: Any, runs: int = 300) -> float:
    """The least time of a call in ns, after those that compile it."""
    for _ in range(5):
        f(*arguments)
    found = np.inf
    for _ in range(runs):
        begin = time.perf_counter_ns()
        f(*arguments)
        found = min(found, time.perf_counter_ns() - begin)
    return float(found)


def each(step: Step, x: Any, passes: Any = None, few: int = 20, many: int = 120) -> float:
    """What one more `y = step(y, x)` adds to a call."""

    def repeated(count: int) -> Any:
        def f(x: Any) -> Any:
            y = x
            for _ in range(count):
                y = step(y, x)
            return y

        return tg.compile(f, passes=passes)

    return (best(repeated(many), x) - best(repeated(few), x)) / (many - few)


def turn_of(step: Step, x: Any, count: int, turns: int = 1000) -> float:
    """A turn of a scan that applies `step` so many times."""

    def body(carry: Any, _: Any) -> Any:
        for _ in range(count):
            carry = step(carry, x)
        return carry, None

    return best(tg.compile(lambda x: tg.scan(body, x, length=turns)[0]), x, runs=30) / turns


def multiply(y: Any, x: Any) -> Any:
    return y * x


def small(*shape: int) -> Any:
    return np.linspace(0.5, 1.0, int(np.prod(shape))).reshape(shape) / (shape[-1] if shape else 1)


def step_ns() -> float:
    """The median of some ops on arrays of nine elements."""
    ops: list[Step] = [
        lambda y, x: y @ x,
        lambda y, x: np.cumsum(y, axis=1),
        lambda y, x: np.concatenate((y[1:], x[:1])),
        lambda y, x: np.stack((y[0], x[1], y[2])),
        lambda y, x: x * np.sum(y, axis=1, keepdims=True),
        lambda y, x: np.sort(y, axis=0),
    ]
    return statistics.median(each(op, small(3, 3), AS_RECORDED) for op in ops)


def view_ns() -> float:
    turned = each(lambda y, x: y.reshape(2, -1).reshape(-1), small(4), AS_RECORDED)
    return turned / 2


def element_ns() -> float:
    def transposed(n: int) -> float:
        return each(lambda y, x: np.ascontiguousarray(y.T), small(n, n), AS_RECORDED)

    return (transposed(24) - transposed(4)) / (24**2 - 4**2)


def far_byte_ns() -> float:
    return each(multiply, small(1 << 22), AS_RECORDED, 1, 5) / (3 * 8 << 22)


def instruction_ns(count: int) -> float:
    return each(lambda y, x: y * x + 0.25, 1.01, None, count // 2, count) / 2


def far_instruction_ns() -> float:
    """Of a gradient that comes back to tens of thousands of numbers, in reverse order."""

    def mix(turns: int) -> tuple[float, float]:
        def f(x: Any) -> Any:
            v = [x[i] for i in range(100)]
            for _ in range(turns):
                v = [v[i - 1] * v[i - 7] + v[i] for i in range(100)]
            return sum(v)

        compiled = tg.compile(tg.grad(f), passes={"roll": False})
        ns = best(compiled, small(100), runs=50)
        return ns, instructions_of(compiled)

    (few, short), (many, long) = mix(60), mix(180)
    return (many - few) / (long - short)


def instructions_of(compiled: Any) -> float:
    text = compiled.inspect().signatures[0].programs[0].text
    return sum(map(float, re.findall(r"kernel of (\d+)", text)))


def row_ns(lanes: int) -> float:
    return each(multiply, small(lanes), ON_ROWS, 100, 500)


def compiled_instruction_ns() -> float:
    """The second call of a model of points, which makes the program, less what eager calls take."""
    points = np.linspace(-1.0, 1.0, 2000).reshape(1000, 2)

    def misfit(centers: Any) -> Any:
        return np.sum(np.exp(-np.sum((points[:, None] - centers) ** 2, axis=2)))

    def found(count: int) -> tuple[float, float]:
        centers = np.linspace(-1.0, 1.0, 2 * count).reshape(count, 2)
        gradient = tg.grad(misfit)
        eager = best(gradient, centers, runs=20)
        times = []
        for _ in range(15):
            compiled = tg.compile(gradient)
            compiled(centers)
            begin = time.perf_counter_ns()
            compiled(centers)
            times.append(time.perf_counter_ns() - begin - eager)
            compiled(centers)
        return min(times), instructions_of(compiled)

    (few, short), (many, long) = found(20), found(60)
    return (many - few) / (long - short)


def measured() -> dict[str, float]:
    row, long_row = row_ns(16), row_ns(1024)
    planned = [turn_of(lambda y, x: np.cumsum(y) * x, small(4), count) for count in (2, 6)]
    row_element = (long_row - row) / (1024 - 16)
    tiny = each(lambda y, x: y @ x, small(40, 3, 3), AS_RECORDED) / (40 * 27)
    large = each(lambda y, x: y @ x, small(96, 96), AS_RECORDED, 2, 6) / 96**3
    return {
        "step": step_ns(),
        "elementwise_step": each(multiply, small(4), AS_RECORDED),
        "view_step": view_ns(),
        "planned_step": (planned[1] - planned[0]) / 8,
        "turn": turn_of(multiply, small(4), 1),
        "element": element_ns(),
        "far_byte": far_byte_ns(),
        "instruction": instruction_ns(1000),
        "far_instruction": far_instruction_ns(),
        "row_instruction": row - 16 * row_element,
        "row_element": row_element,
        "product": large,
        "small_product": 9 * (tiny - large),
        "compiled_instruction": compiled_instruction_ns(),
    }


def write(found: dict[str, float]) -> None:
    text = TABLE.read_text()
    for name, ns in found.items():
        text = re.sub(rf"COST\({name}, [\d.e+-]+,", f"COST({name}, {ns:.2g},", text)
    TABLE.write_text(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="put the figures into the table")
    wanted = parser.parse_args()
    tg.set_num_threads(1)
    found = measured()
    table = _core.cost_table()
    off = []
    print(f"{'cost':22}{'table, ns':>11}{'here':>9}")
    for name, (ns, what) in table.items():
        here = found[name]
        is_off = not ns / 3 <= here <= 3 * ns
        off += [name] * is_off
        print(f"{name:22}{ns:11.4g}{here:9.3g}  {'OFF ' if is_off else ''}{what}")
    if wanted.write:
        write(found)
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main())
