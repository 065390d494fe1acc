"""What one thing in the body of a loop costs: `python -m benchmarks.turns`.

Loops of numbers, of rows of eight and of small matrices, each with one thing more than the plainest
of its kind: an element of a parameter read in the turn, a slice, a joined row, a write into a
table, an index from data. Models are made of these, so that a cliff of `benchmarks.spellings` is
mostly found here with its cause. The exit status is 1 where a turn takes more than FACTOR times as
long as the plain one of its kind, or GROWTH times as long in the longest loop as in the shortest.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.examine import FIRST_CALLS, child, seconds_for, take_turns, warm_up

LENGTHS = (250, 1000, 4000)
FACTOR, GROWTH = 5.0, 2.0


@dataclass(frozen=True)
class Turn:
    """A loop over what `data(length, rng)` gives: parameters, which are differentiated; rows."""

    name: str
    loss: Callable[..., Any]
    data: Callable[[int, Any], tuple[Any, ...]]


def _numbers(n: int, rng: Any) -> tuple[Any, ...]:
    return np.array([0.2, 0.3, 0.1]), rng.normal(size=n)


def _rows(n: int, rng: Any) -> tuple[Any, ...]:
    return rng.uniform(-0.5, 0.5, 8), rng.normal(size=(n, 8))


def _matrices(n: int, rng: Any) -> tuple[Any, ...]:
    return 0.3 * rng.normal(size=(4, 4)), rng.normal(size=(n, 4))


def _choices(n: int, rng: Any) -> tuple[Any, ...]:
    return rng.normal(size=7), rng.integers(0, 7, n)


def _chosen_rows(n: int, rng: Any) -> tuple[Any, ...]:
    return rng.uniform(-0.5, 0.5, (7, 8)), rng.integers(0, 7, n)


def carried(step: Callable[..., Any], start: Any = 0.0) -> Callable[..., Any]:
    """The loss of a loop that carries what `step(parameters, carried, row)` gives."""

    def loss(p: Any, rows: Any) -> Any:
        h = start
        for row in rows:
            h = step(p, h, row)
        return np.sum(h**2)

    return loss


def added(term: Callable[..., Any]) -> Callable[..., Any]:
    """The sum of a term for each row."""

    def loss(p: Any, rows: Any) -> Any:
        total = 0.0
        for row in rows:
            total += term(p, row)
        return total

    return loss


# Numbers.


def _unpacked(p: Any, x: Any) -> Any:
    a, b, c = p
    y = c
    for v in x:
        y = a * v + b * y
    return y * y


def _summed(p: Any, x: Any) -> Any:
    a, b, c = p
    y, total = c, 0.0
    for v in x:
        y = a * v + b * y
        total += y * y
    return total


def _written(p: Any, x: Any) -> Any:
    a, b, c = p
    y = np.zeros(len(x))
    y[0] = c
    for i in range(1, len(x)):
        y[i] = a * x[i] + b * y[i - 1]
    return np.sum(y**2)


def _written_backwards(p: Any, x: Any) -> Any:
    a, b, c = p
    y = np.zeros(len(x))
    y[-1] = c
    for i in range(len(x) - 2, -1, -1):
        y[i] = a * x[i] + b * y[i + 1]
    return np.sum(y**2)


def _overwritten(p: Any, x: Any) -> Any:
    y = np.copy(x)
    y[0] = p[2]
    for i in range(1, len(y)):
        y[i] -= p[1] * y[i - 1]
    return np.sum(y**2)


def _listed(p: Any, x: Any) -> Any:
    a, b, c = p
    y = [c]
    for v in x:
        y.append(a * v + b * y[-1])
    return np.sum(np.stack(y) ** 2)


def _table_of_two(p: Any, x: Any) -> Any:
    a, b, c = p
    y = np.zeros((len(x), 2))
    for i in range(1, len(x)):
        y[i, 0] = a * x[i] + b * y[i - 1, 1]
        y[i, 1] = np.sin(c + y[i - 1, 0])
    return np.sum(y**2)


def _rows_of_two(p: Any, x: Any) -> Any:
    a, b, c = p
    y = np.zeros((len(x), 2))
    for i in range(1, len(x)):
        y[i] = np.array([a * x[i] + b * y[i - 1, 1], np.sin(c + y[i - 1, 0])])
    return np.sum(y**2)


def _by_index(w: Any, k: Any) -> Any:
    h = 0.0
    for j in range(len(k)):
        h = np.sin(h + w[k[j]])
    return h * h


def _gathered(w: Any, k: Any) -> Any:
    h, taken = 0.0, w[k]
    for j in range(len(k)):
        h = np.sin(h + taken[j])
    return h * h


def _scanned(p: Any, x: Any) -> Any:
    import tapegrad as tg

    return tg.scan(lambda y, v: (p[0] * v + p[1] * y, None), p[2], x)[0] ** 2


NUMBERS = [
    Turn("plain", _unpacked, _numbers),
    Turn("p[k] read in the turn", carried(lambda p, y, v: p[0] * v + p[1] * y), _numbers),
    Turn("squares added to a total", _summed, _numbers),
    Turn("independent terms", added(lambda p, v: np.exp(p[0] * v)), _numbers),
    Turn("a product of p[:2]", carried(lambda p, y, v: p[:2] @ np.array([v, y])), _numbers),
    Turn("y[i] of y[i - 1]", _written, _numbers),
    Turn("y[i] of y[i + 1]", _written_backwards, _numbers),
    Turn("y[i] -= of y[i - 1]", _overwritten, _numbers),
    Turn("list and stack", _listed, _numbers),
    Turn("y[i, k] of y[i - 1, k]", _table_of_two, _numbers),
    Turn("y[i] = np.array of two", _rows_of_two, _numbers),
    Turn("w[k[j]], k an argument", _by_index, _choices),
    Turn("w[k] before the loop", _gathered, _choices),
    Turn("tg.scan, p[k] read in the step", _scanned, _numbers),
]

# Rows of eight.

EIGHT = np.zeros(8)


def _packed(v: Any, h: Any, x: Any) -> Any:
    z = v * np.concatenate((h[:4], x[:4]))
    return np.concatenate((np.tanh(z[:4]) * h[:4], np.sin(z[4:])))


def _halves(v: Any, h: Any, x: Any) -> Any:
    new = np.zeros(8)
    new[:4] = np.tanh(v[:4] * h[4:] + x[:4])
    new[4:] = np.sin(v[4:] * h[:4])
    return new


def _softmax(v: Any, h: Any, x: Any) -> Any:
    e = np.exp(h - np.max(h))
    return v * e / np.sum(e) + x


def _states(v: Any, X: Any) -> Any:
    states = np.zeros((len(X) + 1, 8))
    for t in range(len(X)):
        states[t + 1] = np.tanh(v * states[t] + X[t])
    return np.sum(states**2)


def _stacked(v: Any, X: Any) -> Any:
    states = [EIGHT]
    for x in X:
        states.append(np.tanh(v * states[-1] + x))
    return np.sum(np.stack(states) ** 2)


def _rows_computed(v: Any, X: Any) -> Any:
    h = EIGHT
    for x in X * v:
        h = np.tanh(h + x)
    return np.sum(h**2)


def _first_added(v: Any, X: Any) -> Any:
    h, total = EIGHT, 0.0
    for x in X:
        h = np.tanh(v * h + x)
        total += h[0]
    return total


ROWS = [
    Turn("plain", carried(lambda v, h, x: np.tanh(v * h + x), EIGHT), _rows),
    Turn("np.roll", carried(lambda v, h, x: np.tanh(v * np.roll(h, 1) + x), EIGHT), _rows),
    Turn("joined and sliced", carried(_packed, EIGHT), _rows),
    Turn("halves written", carried(_halves, EIGHT), _rows),
    Turn("a sum over the row",
         carried(lambda v, h, x: np.tanh(v * h + x) / (1 + np.sum(h * h)), EIGHT), _rows),
    Turn("a product of rows", carried(lambda v, h, x: np.tanh(v * h + x) * (v @ h), EIGHT), _rows),
    Turn("the greatest of the row", carried(lambda v, h, x: np.tanh(v * h + x) - np.max(h), EIGHT),
         _rows),
    Turn("softmax of the row", carried(_softmax, EIGHT), _rows),
    Turn("an element of the row added", _first_added, _rows),
    Turn("rows of a computed array", _rows_computed, _rows),
    Turn("rows written into a table", _states, _rows),
    Turn("rows in a list, stacked", _stacked, _rows),
    Turn("w[k[j]], k an argument",
         carried(lambda w, h, k: np.tanh(h + w[k]), EIGHT), _chosen_rows),
    Turn("matrix times row", carried(lambda A, h, x: np.tanh(A @ h + x), np.zeros(4)), _matrices),
    Turn("matrix times matrix", carried(lambda A, M, x: np.tanh(A @ M + x), np.eye(4)), _matrices),
]  # fmt: skip

KINDS = {"numbers": NUMBERS, "rows": ROWS}


def measure(turn: Turn, lengths: tuple[int, ...] = LENGTHS) -> dict[str, Any]:
    """Seconds a turn at each length; first calls and an eager gradient at the last one."""
    import tapegrad as tg

    warm_up()
    found: dict[str, Any] = {"seconds": [], "warned": []}
    for n in lengths:
        arguments = turn.data(n, np.random.default_rng(0))
        eager = tg.value_and_grad(turn.loss)
        compiled = tg.compile(tg.value_and_grad(turn.loss))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found["first"] = seconds_for(lambda f=compiled, a=arguments: f(*a), FIRST_CALLS) / n
        found["warned"] = sorted({str(one.message).splitlines()[0] for one in caught})
        found["eager"] = seconds_for(lambda f=eager, a=arguments: f(*a)) / n
        (warm,) = take_turns([lambda f=compiled, a=arguments: f(*a)], 5, 0.005)
        found["seconds"].append(warm / n)
    return found


def faults(found: dict[str, Any], plain: dict[str, Any]) -> list[str]:
    """What is wrong with a turn, beside the plain one of its kind."""
    seconds = found["seconds"]
    beside = max(a / b for a, b in zip(seconds, plain["seconds"], strict=True))
    notes = list(found["warned"])
    if beside > FACTOR:
        notes.append(f"SLOW: {beside:.0f} times the plain turn")
    if seconds[-1] > GROWTH * seconds[0]:
        notes.append(f"GROWTH: {seconds[-1] / seconds[0]:.1f} times as long in the longest loop")
    return notes


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns", description=__doc__)
    option = parser.add_argument
    option("--kinds", nargs="+", choices=KINDS, default=list(KINDS), metavar="KIND",
           help=f"which of: {', '.join(KINDS)} (default: all)")  # fmt: skip
    option("--timeout", type=float, default=300, help="seconds a turn may take (default 300)")
    option("--one", type=int, help=argparse.SUPPRESS)  # what the processes run
    args = parser.parse_args()
    bad = 0
    for kind in args.kinds:
        if args.one is not None:
            print(json.dumps(measure(KINDS[kind][args.one])))
            continue
        lengths = " ".join(f"{n:>8}" for n in LENGTHS)
        print(f"\n{kind}: ns a turn in loops of\n  {'':32} {lengths}  first calls, us a turn")
        plain = None
        for k, turn in enumerate(KINDS[kind]):
            own = ["benchmarks.turns", "--kinds", kind, "--one", str(k)]
            found = child(own, args.timeout)
            if isinstance(found, str):
                print(f"  {turn.name:32} {found}", flush=True)
                bad += 1
                continue
            plain = plain or found
            notes = faults(found, plain)
            bad += bool(notes)
            figures = " ".join(f"{1e9 * one:8.1f}" for one in found["seconds"])
            first = f"{1e6 * found['first']:8.1f} = {found['first'] / found['eager']:4.1f} eager"
            print(f"  {turn.name:32} {figures} {first}" + "".join(f"  {n}" for n in notes),
                  flush=True)  # fmt: skip
    if args.one is None:
        print(f"\n{bad} turns with faults")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
