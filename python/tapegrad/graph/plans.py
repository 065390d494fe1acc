"""Running a graph: a plan is a compiled function for given outputs and given feeds."""

from __future__ import annotations

import itertools
import linecache
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary, finalize

import numpy as np

from tapegrad.compile import compile as compile_function
from tapegrad.graph.emit import Emitter
from tapegrad.graph.nodes import Node
from tapegrad.graph.operations import Draw, Operation, Placeholder, State
from tapegrad.operations.primitive import notrace_primitive

_F64 = np.dtype(np.float64)
_numbers = itertools.count()
# Sources of plans that are gone. They are not dropped by the garbage collector, which may run
# while somebody goes over the sources (linecache.checkcache does for each traceback).
_dead: list[str] = []
_RUNNERS = str(Path(__file__).with_name("runner"))


class UninitializedError(Exception):
    """A state that is read holds nothing yet. `node` is that state."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.node = node


class _Missing:
    def __repr__(self) -> str:
        return "<no value>"


MISSING: Any = _Missing()


class Store:
    """What states hold, and the generators of random numbers: the memory of a session.

    `values` is a list, `at` the position of each state in it. Numbers of float64 are floats,
    everything else is an array.
    """

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.lock = RLock()
        self._at: WeakKeyDictionary[Node, int] = WeakKeyDictionary()
        self._free: list[int] = []  # positions of states that are gone
        self._drawings: WeakKeyDictionary[Node, Drawing] = WeakKeyDictionary()

    def at(self, state: Node) -> int:
        """The position of a state."""
        found = self._at.get(state)
        if found is None:
            if self._free:
                found = self._free.pop()
            else:
                found = len(self.values)
                self.values.append(MISSING)
            self._at[state] = found
            finalize(state, self._release, found)
        return found

    def _release(self, position: int) -> None:
        self.values[position] = MISSING
        self._free.append(position)

    def get(self, state: Node) -> Any:
        """A copy of what a state holds."""
        value = self.values[self.at(state)]
        if value is MISSING:
            raise UninitializedError(state)
        return np.array(value)[()]

    def set(self, state: Node, value: Any) -> None:
        """Gives a state a value, which is copied."""
        assert isinstance(state.operation, State)
        dtype = state.operation.dtype
        self.values[self.at(state)] = held(np.array(value, dtype))

    def has(self, state: Node) -> bool:
        """Whether the state holds a value."""
        return self.values[self.at(state)] is not MISSING

    def drawing(self, node: Node) -> Drawing:
        """The generator of a node that draws."""
        found = self._drawings.get(node)
        if found is None:
            assert isinstance(node.operation, Draw)
            found = self._drawings[node] = Drawing(node.operation)
        return found


class Drawing:
    """Draws the numbers of one node: within a run, and a turn of the loops around, once."""

    def __init__(self, operation: Draw) -> None:
        self.rng = np.random.default_rng(operation.seed)
        self.drawn: dict[Any, Any] = {}

        def draw(turns: Any, *args: Any) -> Any:
            key = tuple(int(t) for t in turns)
            found = self.drawn.get(key)
            if found is None:
                found = self.drawn[key] = operation.draw(self.rng, *args)
            return found

        draw.__name__ = operation.label
        self.call = notrace_primitive(draw)


def held(value: np.ndarray[Any, Any]) -> Any:
    """An array as a store holds it."""
    return float(value) if value.ndim == 0 and value.dtype is _F64 else value


class Plan:
    """A function of the values of `feeds` that gives those of `outputs` and updates states.

    `targets` are run too, for what they do to states; `title` names the function;
    `view` says of nodes that another operation is run for them.

    Its first call runs the generated function as it is, so that what is run once is not compiled;
    later ones go to `tg.compile`.
    """

    def __init__(
        self,
        store: Store,
        outputs: Sequence[Node],
        feeds: Sequence[Node] = (),
        targets: Sequence[Node] = (),
        title: str = "graph",
        view: Mapping[int, Operation] | None = None,
    ) -> None:
        emitter = Emitter(view)
        self.feeds = list(feeds)
        self.outputs = list(outputs)
        arguments = []
        for k, node in enumerate(feeds):
            arguments.append(f"a{k}")
            emitter.feed(node, arguments[-1])
        # States are asked for as they are before the run.
        before = {n: emitter.name(n) for n in self.outputs if isinstance(n.operation, State)}
        emitter.emit_nodes([*self.outputs, *targets])
        results = [before.get(node) or emitter.name(node) for node in self.outputs]
        self.changed = [s for s in emitter.states.values() if s.index in emitter.written]
        results += [emitter.written[s.index] for s in self.changed]
        n_results = len(results)
        results += [name for name in emitter.kept if name not in results]
        self.n_kept = len(results) - n_results
        self.read = list(emitter.read.values())
        arguments += [f"s{s.index}" for s in self.read]
        emitter.write(f"return {', '.join(results) if results else 'None'}")
        name = "run_" + re.sub(r"\W+", "_", title)
        self.text = "\n".join([f"def {name}({', '.join(arguments)}):", *emitter.lines]) + "\n"
        self.drawings = []
        for label, node in emitter.draws:
            drawing = store.drawing(node)
            emitter.namespace[label] = drawing.call
            self.drawings.append(drawing)
        self._sources = [None, *emitter.sources]
        self._filename = f"<tapegrad graph {next(_numbers)}>"
        # The source is where tracebacks and the compiler look for it.
        lines = self.text.splitlines(keepends=True)
        while _dead:
            linecache.cache.pop(_dead.pop(), None)
        linecache.cache[self._filename] = (len(self.text), None, lines, self._filename)
        finalize(self, _dead.append, self._filename)
        exec(compile(self.text, self._filename, "exec"), emitter.namespace)
        self.function: Callable[..., Any] = emitter.namespace[name]
        self.compiled = compile_function(self.function)
        self.run = _runner(self, store, feeds)

    def explain(self, error: BaseException) -> Node | None:
        """The node at which an error was raised, if it is one of this plan's."""
        trace = error.__traceback__
        found = None
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self._filename:
                found = self._sources[trace.tb_lineno - 1]
            trace = trace.tb_next
        return found

    def raised(self, error: Exception) -> None:
        """Adds to an error's message at which node of the graph it was raised."""
        node = self.explain(error)
        if node is not None:
            said = f"{error.args[0]}; " if error.args else ""
            error.args = (f"{said}in node {node.described()}", *error.args[1:])

    def check_states(self, values: list[Any], positions: list[int]) -> None:
        """Raises where a state has no value."""
        for state, k in zip(self.read, positions, strict=True):
            if values[k] is MISSING:
                raise UninitializedError(state)


def _runner(plan: Plan, store: Store, feeds: Sequence[Node]) -> Callable[..., list[Any]]:
    """The function from the values of feeds to a list of those of outputs.

    It is written for the plan, because it is what a step of a training loop consists of.
    """
    read = [store.at(s) for s in plan.read]
    changed = [store.at(s) for s in plan.changed]
    converters = [converter(node) for node in feeds]
    names = [f"a{k}" for k in range(len(feeds))]
    arguments = ", ".join([*names, *(f"values[{k}]" for k in read)])
    n_out = len(plan.outputs)
    n_all = n_out + len(changed) + plan.n_kept
    lines = [f"def run({', '.join(names)}):"]
    for k, a in enumerate(names):
        if converters[k][1]:
            lines += [f"    if {a}.__class__ is f64: {a} = float({a})"]
            lines += [f"    elif {a}.__class__ is not float: {a} = convert{k}({a})"]
        else:
            lines += [f"    {a} = convert{k}({a})"]
    if plan.drawings:
        lines += ["    for drawing in drawings: drawing.drawn.clear()"]
    lines += [
        "    try:",
        f"        call({arguments})",
        "    except Exception as error:",
        "        failed(error)",
        "        raise",
    ]
    call_line = len(lines) - 4
    parts = [f"o{k}" for k in range(n_all)]
    if parts:
        lines[call_line] = f"        {', '.join(parts)} = call({arguments})"
    given = f"({arguments},)" if arguments else "()"
    for k, part in zip(changed, parts[n_out:], strict=False):
        lines += [
            f"    values[{k}] = {part} if {part}.__class__ is float else own({part}, {given})"
        ]
    if n_out:
        shown = (
            f"f64({p}) if {p}.__class__ is float else result({p}, {given})" for p in parts[:n_out]
        )
        lines += [f"    return [{', '.join(shown)}]"]
    values = store.values
    known: dict[str, Any] = {
        "values": values,
        "drawings": plan.drawings,
        "own": own,
        "result": result,
    }
    known |= {f"convert{k}": c for k, (c, _) in enumerate(converters)}
    # The name of a module of ours, so that warnings name the user's line that called.
    known |= {"f64": np.float64, "__name__": "tapegrad.graph.runner"}

    def failed(error: Exception) -> None:
        plan.check_states(values, read)
        plan.raised(error)

    def first(*args: Any) -> Any:
        plan.check_states(values, read)
        out = plan.function(*args)
        known["call"] = plan.compiled
        return out

    known |= {"failed": failed, "call": first}
    exec(compile("\n".join(lines), _RUNNERS, "exec"), known)
    run: Callable[..., list[Any]] = known["run"]
    return _one_at_a_time(run, store.lock) if plan.drawings else run


def _one_at_a_time(run: Callable[..., Any], lock: Any) -> Callable[..., Any]:
    """What a run has drawn is kept until it ends, so no other may draw meanwhile."""

    def locked(*args: Any) -> Any:
        with lock:
            return run(*args)

    return locked


def own(new: Any, given: tuple[Any, ...]) -> Any:
    """A value that goes into a store: an array that nobody else holds, or a float."""
    if not isinstance(new, np.ndarray):
        return held(np.asarray(new))
    if new.ndim == 0:
        return held(new.copy())
    if new.base is not None or not new.flags.writeable or any(new is x for x in given):
        return new.copy()
    return new


def result(value: Any, given: tuple[Any, ...]) -> Any:
    """A value that goes to the user: an array of its own, or a number of NumPy's."""
    if value.__class__ is float:
        return np.float64(value)
    if isinstance(value, np.ndarray):
        return own(value, given) if value.ndim else value[()]
    if isinstance(value, tuple | list):
        return type(value)(result(x, given) for x in value)
    return value if value is None or isinstance(value, np.generic) else np.asarray(value)[()]


def converter(node: Node) -> tuple[Callable[[Any], Any], bool]:
    """What makes of a value that is fed what the generated function gets.

    And whether a float is taken as it is.
    """
    operation = node.operation
    if isinstance(operation, Placeholder | State):
        dtype, shape = operation.dtype, operation.shape
    else:
        dtype, shape = None, None
    lengths = None if shape is None else tuple(shape)
    fixed = lengths is not None and None not in lengths

    def fits(found: tuple[int, ...]) -> bool:
        assert lengths is not None
        return len(found) == len(lengths) and all(
            n is None or n == m for n, m in zip(lengths, found, strict=True)
        )

    def refuse(found: tuple[int, ...]) -> None:
        wanted = "(" + ", ".join("?" if n is None else str(n) for n in lengths or ()) + ")"
        raise ValueError(
            f"cannot feed a value of shape {found} for {node.described()}, whose shape is {wanted}"
        )

    def convert_array(x: Any) -> Any:
        if lengths is None and x.__class__ is np.ndarray and x.dtype is dtype and x.ndim:
            return x
        x = np.asarray(x)
        if dtype is not None and x.dtype != dtype:
            if x.dtype.kind in "OUS" or not np.can_cast(x.dtype, dtype, "same_kind"):
                raise TypeError(
                    f"cannot feed a value of dtype {x.dtype} for {node.described()}, "
                    f"whose dtype is {dtype}; convert it with np.asarray(x, {dtype.name!r})"
                )
            x = x.astype(dtype)
        if lengths is not None and not (x.shape == lengths if fixed else fits(x.shape)):
            refuse(x.shape)
        return float(x) if x.ndim == 0 and x.dtype == _F64 else x

    return convert_array, dtype in (None, _F64) and lengths in (None, ())
