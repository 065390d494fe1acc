"""`profile`: where a function's time and memory go, by source line and by kernel."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tapegrad.inspect.costs import Cost, Places, costs_of, step_bytes, step_name
from tapegrad.inspect.drawing import Drawing, times_of
from tapegrad.inspect.graph import Graph, OptimisedGraph
from tapegrad.inspect.text import attributes_text, bytes_text, time_text
from tapegrad.transforms.trace import check_callable

_PROGRAMS = ("recorded", "optimised")
_ENOUGH = 5e8  # nanoseconds that measuring a program may take, where one run is not longer
_MOST_RUNS = 30
_MOST_LISTED = 25


class Profile:
    """What `profile` gives: the costs of the recorded steps and of the optimised program.

    `times` are nanoseconds of each step by program name, the least of `runs` runs in which it was
    measured by itself, on the values that it had in the call. Reading the clock takes about 30 ns,
    which tiny steps hold too. A loop (`tg.scan`) or a call (`tg.checkpoint`) is one step.
    `n_bytes` are the bytes of all results of the recorded steps: what a derivative may hold on
    to; `buffers` are those that the optimised program shares out among its steps.
    """

    def __init__(
        self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.drawing = Drawing(f, args, kwargs)
        self.times: dict[str, list[float]] = {}
        self.costs: dict[str, Cost] = {}
        self.runs: dict[str, int] = {}
        for program in _PROGRAMS:
            graph = self.drawing.graph(program)
            self.runs[program], self.times[program] = _measured(graph)
            self.costs[program] = costs_of(graph, self.times[program])
        optimised = self.drawing.graph("optimised")
        assert isinstance(optimised, OptimisedGraph)
        self.n_bytes = self.costs["recorded"].n_bytes
        self.buffers = optimised.program.memory

    @property
    def lines(self) -> list[Cost]:
        """The source lines of the recorded steps, the longest first; their parts are operations."""
        return _merged(_lines(self.costs["recorded"])).sorted_parts()

    @property
    def operations(self) -> list[Cost]:
        """The operations of the recorded steps, the longest first."""
        return _merged(_leaves(self.costs["recorded"])).sorted_parts()

    @property
    def kernels(self) -> list[Cost]:
        """The kernels and other steps of the optimised program, the longest first."""
        return _merged(_leaves(self.costs["optimised"])).sorted_parts()

    def __str__(self) -> str:
        recorded, optimised = (self.costs[program] for program in _PROGRAMS)
        head = (
            f"profile of {recorded.name}: each step by itself, the least of "
            f"{self.runs['recorded']} runs (optimised: {self.runs['optimised']})"
        )
        return "\n".join(
            [
                head,
                f"recorded: {_summary(recorded)}, {bytes_text(self.n_bytes)} of results",
                *_table("line", self.lines, recorded.nanoseconds),
                *_table("operation", self.operations, recorded.nanoseconds),
                f"optimised: {_summary(optimised)}, {bytes_text(self.buffers)} of buffers",
                *_table("kernel or operation", self.kernels, optimised.nanoseconds),
            ]
        )

    def __repr__(self) -> str:
        return str(self)

    def html(self) -> str:
        """The page of `draw`, opened at the flame graph."""
        return self.drawing.html(start="time", times=self.times)

    def save(self, path: str | Path) -> Path:
        """Writes the page into a file that ends in .html.

        Raises:
            ValueError: The file has another ending.
        """
        path = Path(path)
        if path.suffix != ".html":
            raise ValueError(
                f"{path.name!r} does not end in .html; .save_trace('trace.json') writes a trace"
            )
        path.write_text(self.html(), encoding="utf-8")
        return path

    def trace(self) -> dict[str, Any]:
        """The steps in Trace Event Format, one after another, inside of their lines."""
        events: list[dict[str, Any]] = []
        for k, program in enumerate(_PROGRAMS, start=1):
            graph = self.drawing.graph(program)
            events += _named(k, program)
            events += _events(graph, self.times[program], k)
        return {
            "traceEvents": events,
            "displayTimeUnit": "ns",
            "otherData": {
                "function": self.costs["recorded"].name,
                "measured": "each step by itself, the least of several runs, in recorded order",
            },
        }

    def save_trace(self, path: str | Path) -> Path:
        """Writes a file that Perfetto and the viewer of Chrome (chrome://tracing) open."""
        path = Path(path)
        path.write_text(json.dumps(self.trace()), encoding="utf-8")
        return path


def profile(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Profile:
    """Records `f(*args, **kwargs)` and measures its steps, as recorded and after the passes.

    Derivatives and compiled functions are profiled like any function:
    `tg.inspect.profile(tg.value_and_grad(f), x)`. Printed, the result is a table;
    `.save("profile.html")` writes a flame graph, `.save_trace("trace.json")` a file for Perfetto.

    Raises:
        TypeError: `f` is no function.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> found = tg.inspect.profile(lambda x: np.sum(np.sin(x) * x), np.ones(1000))
    >>> sorted(cost.name for cost in found.operations)
    ['multiply (1000,)', 'sin (1000,)', 'sum']
    >>> found.n_bytes
    16008
    """
    check_callable("inspect.profile", f, "tg.inspect.profile(f, x)")
    return Profile(f, args, kwargs)


def _measured(graph: Graph) -> tuple[int, list[float]]:
    """How many runs were made, and the least time of each step."""
    first = times_of(graph, 1)
    runs = int(min(_MOST_RUNS - 1, _ENOUGH / max(sum(first), 1.0)))
    if runs < 1:
        return 1, first
    again = times_of(graph, runs)
    return runs + 1, [min(pair) for pair in zip(first, again, strict=True)]


def _leaves(cost: Cost) -> Iterator[Cost]:
    for part in cost.parts.values():
        if part.parts:
            yield from _leaves(part)
        else:
            yield part


def _lines(cost: Cost) -> Iterator[Cost]:
    """The parts that hold operations and nothing else."""
    for part in cost.parts.values():
        if part.parts and not any(inner.parts for inner in part.parts.values()):
            yield part
        elif part.parts:
            yield from _lines(part)


def _merged(costs: Iterator[Cost]) -> Cost:
    """One part for each name."""
    total = Cost("")
    for cost in costs:
        into = total.parts.setdefault(cost.name, Cost(cost.name))
        into.nanoseconds += cost.nanoseconds
        into.n_steps += cost.n_steps
        into.n_bytes += cost.n_bytes
        into.parts.update(cost.parts)
    return total


def _summary(cost: Cost) -> str:
    return f"{cost.n_steps} steps, {time_text(cost.nanoseconds)}"


def _table(word: str, costs: Sequence[Cost], total: float) -> list[str]:
    if not costs:
        return []
    rows = [f"  {'time':>9} {'share':>6} {'steps':>7} {'results':>9}  {word}"]
    for cost in costs[:_MOST_LISTED]:
        share = cost.nanoseconds / total if total else 0.0
        rows.append(
            f"  {time_text(cost.nanoseconds):>9} {share:>6.1%} {cost.n_steps:>7} "
            f"{bytes_text(cost.n_bytes):>9}  {cost.name}"
        )
    if len(costs) > _MOST_LISTED:
        rows.append(f"  and {len(costs) - _MOST_LISTED} more")
    return rows


def _named(process: int, program: str) -> list[dict[str, Any]]:
    common = {"ph": "M", "pid": process, "tid": 1}
    return [
        {"name": "process_name", "args": {"name": program}, **common},
        {"name": "thread_name", "args": {"name": "steps"}, **common},
    ]


def _events(graph: Graph, times: Sequence[float], process: int) -> Iterator[dict[str, Any]]:
    """Complete events: runs of one function, in them runs of one line, in them the steps."""
    places, sizes = Places(graph), step_bytes(graph)
    open_runs: list[tuple[str, float]] = []  # name and start
    start = 0.0

    def event(name: str, since: float, **args: Any) -> dict[str, Any]:
        return {
            "name": name, "ph": "X", "pid": process, "tid": 1, "cat": "step" if args else "source",
            "ts": since / 1e3, "dur": (start - since) / 1e3, "args": args,
        }  # fmt: skip

    for node in graph.steps():
        path = places.of(node)
        names = [name for name, _ in open_runs]
        n_same = 0
        while n_same < min(len(path), len(names)) and path[n_same] == names[n_same]:
            n_same += 1
        while len(open_runs) > n_same:
            yield event(*open_runs.pop())
        open_runs += [(name, start) for name in path[n_same:]]
        since, start = start, start + times[node.step]
        yield event(
            step_name(node), since, number=node.number, bytes=sizes[node.step],
            line=node.line, attributes=attributes_text(node),
        )  # fmt: skip
    while open_runs:
        yield event(*open_runs.pop())
