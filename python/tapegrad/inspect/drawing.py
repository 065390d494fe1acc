"""`draw`: a recorded function as a picture, as text for other programs, or as a page to explore."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad.compile.compiled import Compiled
from tapegrad.inspect.costs import costs_of
from tapegrad.inspect.graph import Graph, OptimisedGraph, RecordedGraph, is_floating, record
from tapegrad.inspect.languages import write_dot, write_mermaid
from tapegrad.inspect.layout import lay_out
from tapegrad.inspect.scene import Scene
from tapegrad.inspect.svg import write_svg
from tapegrad.inspect.web import PageProgram, write_page
from tapegrad.transforms.gradients import value_and_grad
from tapegrad.transforms.trace import check_callable, name_of

PROGRAMS = ("recorded", "optimised", "gradient", "gradient optimised")
_LABELS = {
    "recorded": "Recorded",
    "optimised": "Optimised",
    "gradient": "Gradient",
    "gradient optimised": "Gradient, optimised",
}
_NOTES = {
    "recorded": "What the function did, as it was recorded.",
    "optimised": "What the passes of tg.compile make of it: fused kernels, nothing unused.",
    "gradient": "Value and gradient by all inputs, as recorded.",
    "gradient optimised": "What the passes of tg.compile make of value and gradient.",
}
_RUNS = 3
_SWEEP = "reverse sweep"


class Drawing:
    """What `draw` gives: the graphs of a recorded call, to look at.

    `program` names one of "recorded", "optimised", "gradient" (value and gradient by all inputs,
    of functions with one number as the result) and "gradient optimised". The function itself is
    called by `draw`, and once more for the gradient where it is first asked for. Derivatives that
    stand beside values are those of result number `output` (of the sum of its elements). Where a
    derivative is refused, values stand alone, and the page says why.

    Pictures of large graphs show groups closed: `expand=True` opens all, `False` none.
    """

    def __init__(
        self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._f, self._args, self._kwargs = f, args, kwargs
        self._refusal: str | None = None
        self._graphs: dict[str, Graph] = {"recorded": record(f, *args, **kwargs)}

    def graph(self, program: str = "recorded") -> Graph:
        """The graph of a program."""
        if program not in PROGRAMS:
            raise ValueError(
                f"there is no program {program!r}; write one of {', '.join(map(repr, PROGRAMS))}"
            )
        if program not in self._graphs:
            if program == "gradient":
                self._graphs[program] = self._gradient()
            else:
                recorded = self.graph(program.removesuffix("optimised").strip() or "recorded")
                assert isinstance(recorded, RecordedGraph)
                passes = self._f.passes if isinstance(self._f, Compiled) else {}
                self._graphs[program] = recorded.optimised(**passes)
        return self._graphs[program]

    def svg(self, program: str = "recorded", *, expand: bool | None = None, output: int = 0) -> str:
        """An SVG picture that stands by itself; light and dark follow the surroundings."""
        scene = self._scene(program, output)
        return write_svg(scene, lay_out(scene, _opened(scene, expand)))

    def dot(self, program: str = "recorded", *, expand: bool | None = None, output: int = 0) -> str:
        """The text that Graphviz reads."""
        scene = self._scene(program, output)
        return write_dot(scene, _opened(scene, expand))

    def mermaid(
        self, program: str = "recorded", *, expand: bool | None = None, output: int = 0
    ) -> str:
        """The text of a Mermaid flowchart, as Markdown pages take it."""
        scene = self._scene(program, output)
        return write_mermaid(scene, _opened(scene, expand))

    def html(
        self,
        *,
        output: int = 0,
        start: str = "graph",
        times: Mapping[str, Sequence[float]] | None = None,
    ) -> str:
        """A page that works by itself, with all programs: graph, values and times.

        It opens at `start`: "graph", "values" or "time". Nanoseconds of each step may be given by
        name of the program; else they are the least of three runs of each step by itself.
        """
        if start not in ("graph", "values", "time"):
            raise ValueError(f"start is {start!r}; write 'graph', 'values' or 'time'")
        programs = []
        for program in PROGRAMS:
            if program.startswith("gradient") and self._refused_gradient():
                continue
            given = (times or {}).get(program)
            found = times_of(self.graph(program), _RUNS) if given is None else given
            programs.append(self._page_program(program, output, found))
        return write_page(self._graphs["recorded"].name, programs, start)

    def save(self, path: str | Path, **options: Any) -> Path:
        """Writes a file by its ending: .html, .svg, .dot or .gv, .mmd; `options` as for these.

        Raises:
            ValueError: The ending is another one.
        """
        writers: dict[str, Callable[..., str]] = {
            ".html": self.html,
            ".svg": self.svg,
            ".dot": self.dot,
            ".gv": self.dot,
            ".mmd": self.mermaid,
        }
        path = Path(path)
        if path.suffix not in writers:
            raise ValueError(f"{path.name!r} ends in none of {', '.join(writers)}")
        path.write_text(writers[path.suffix](**options), encoding="utf-8")
        return path

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        graph = self._graphs["recorded"]
        n_steps = sum(1 for _ in graph.steps())
        return (
            f"<drawing of {graph.name}: {len(graph.inputs)} inputs, {n_steps} steps, "
            f"{len(graph.outputs)} results; .save('graph.html') writes a page>"
        )

    def _gradient(self) -> RecordedGraph:
        why = self._why_no_gradient()
        if why:
            raise TypeError(f"{self._graphs['recorded'].name} has no gradient to draw: {why}")
        wanted = [k for k, x in enumerate(self._args) if _has_inputs(x)]
        derivative = value_and_grad(self._f, argnums=tuple(wanted))
        graph = record(derivative, *self._args, **self._kwargs)
        graph.name = f"value and gradient of {name_of(self._f)}"
        # Steps of the reverse sweep have the line that asked for the derivative, or none.
        known = {node.line for node in self._graphs["recorded"].steps()} - {""}
        graph.nodes = [
            replace(node, line=_SWEEP) if node.kind == "step" and node.line not in known else node
            for node in graph.nodes
        ]
        return graph

    def _why_no_gradient(self) -> str:
        """Why there is no gradient program; "" where there is one."""
        graph = self._graphs["recorded"]
        if len(graph.outputs) != 1:
            n = len(graph.outputs)
            return f"it has {n} results, and one number is needed"
        end = graph.nodes[graph.outputs[0]]
        if end.shape != () or not end.dtype.startswith("float"):
            return f"its result is {end.dtype} of shape {end.shape}, and one number is needed"
        if not any(_has_inputs(x) for x in self._args):
            return "no positional argument holds floats"
        return ""

    def _refused_gradient(self) -> str:
        """As `_why_no_gradient`, with what the derivative itself refuses; `f` is tried once."""
        if self._refusal is None:
            self._refusal = self._why_no_gradient()
            if not self._refusal:
                try:
                    self.graph("gradient")
                except Exception as error:  # the page says what it is, whatever it is
                    self._refusal = f"{type(error).__name__}: {error}"
        return self._refusal

    def _scene(self, program: str, output: int) -> Scene:
        return self._scene_and_refusal(program, output)[0]

    def _scene_and_refusal(
        self, program: str, output: int, times: Sequence[float] = ()
    ) -> tuple[Scene, str]:
        """What is drawn of a program, and why derivatives are missing in it; "" where not."""
        graph = self.graph(program)
        names = _result_names(self._recorded_of(program))
        if not isinstance(graph, RecordedGraph):
            return Scene(graph, times=times, names=names), ""
        if program == "gradient":  # derivatives stand in it as values
            return Scene(graph, graph.values(), (), times, names=names), ""
        values, adjoints, refused = _values_and_adjoints(graph, output)
        return Scene(graph, values, adjoints, times, names=names), refused

    def _recorded_of(self, program: str) -> RecordedGraph:
        graph = self.graph("gradient" if program.startswith("gradient") else "recorded")
        assert isinstance(graph, RecordedGraph)
        return graph

    def _page_program(self, program: str, output: int, times: Sequence[float]) -> PageProgram:
        graph, note = self.graph(program), _NOTES[program]
        scene, refused = self._scene_and_refusal(program, output, times)
        if program == "recorded" and graph.outputs:
            name = "the result" if len(graph.outputs) == 1 else f"result {output}"
            if refused:
                note += f" It has no derivatives: {refused}."
            else:
                note += f" Derivatives are those of {name} (of the sum of its elements)."
        why = self._refused_gradient()
        if program == "recorded" and why:
            note += f" There is no gradient program: {why}."
        note += " Times are of each step by itself, the least of several runs."
        return PageProgram(_LABELS[program], note, scene, costs_of(graph, times))


def draw(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Drawing:
    """Records `f(*args, **kwargs)` and gives its graph to look at.

    In a notebook the result shows itself; `.save("graph.html")` writes a page in which one zooms,
    opens loops and source lines, searches, and sees value, derivative and time of each operation,
    before and after the passes; `.svg()`, `.dot()` and `.mermaid()` give pictures and text.

    Raises:
        TypeError: `f` is no function.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> drawing = tg.inspect.draw(lambda x1, x2: np.log(x1) + x1 * x2 - np.sin(x2), 2.0, 5.0)
    >>> drawing
    <drawing of <lambda>: 2 inputs, 5 steps, 1 results; .save('graph.html') writes a page>
    >>> drawing.svg().startswith("<svg")
    True
    """
    check_callable("inspect.draw", f, "tg.inspect.draw(f, x)")
    return Drawing(f, args, kwargs)


def times_of(graph: Graph, runs: int) -> list[float]:
    """Nanoseconds of each step of a graph that can be run."""
    assert isinstance(graph, RecordedGraph | OptimisedGraph)
    return graph.times(runs)


def _opened(scene: Scene, expand: bool | None) -> set[int]:
    if expand is None:
        return scene.opened()
    return scene.frames() if expand else {0}


def _values_and_adjoints(
    graph: RecordedGraph, output: int
) -> tuple[Sequence[Any], Sequence[Any], str]:
    """Values, adjoints, and why there are none where the derivative is refused."""
    if not graph.outputs:
        return graph.values(), (), ""
    if not 0 <= output < len(graph.outputs):
        raise ValueError(
            f"output is {output}, but {graph.name} has {len(graph.outputs)} results: 0 to "
            f"{len(graph.outputs) - 1}"
        )
    try:
        return *graph.values_and_adjoints(output), ""
    except Exception as error:  # values are there to look at nevertheless
        return graph.values(), (), f"{type(error).__name__}: {error}"


def _has_inputs(x: Any) -> bool:
    return any(is_floating(leaf) for _, leaf in _tree.leaves(x))


def _result_names(graph: RecordedGraph) -> list[str]:
    """The names of the outputs, by where they stand in what the function returned."""
    outputs = [graph.nodes[k] for k in graph.outputs]
    marks = [np.broadcast_to(np.zeros((), node.dtype), node.shape) for node in outputs]
    names = [path for path, _ in _tree.leaves(graph.result(marks), "result")]
    return names if len(names) == len(outputs) else []
