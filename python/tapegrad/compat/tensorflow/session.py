"""Sessions: they run what is asked for, and hold what variables hold."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from tapegrad.compat.tensorflow.errors import FailedPreconditionError, InvalidArgumentError
from tapegrad.compat.tensorflow.tensors import Graph, Operation, Tensor, get_default_graph
from tapegrad.graph.emit import MissingFeedError
from tapegrad.graph.nodes import Node
from tapegrad.graph.operations import Group
from tapegrad.graph.operations import Operation as NodeOperation
from tapegrad.graph.plans import Plan, Store, UninitializedError

if TYPE_CHECKING:
    from tapegrad.graph.emit import Emitter

Build = Callable[[list[Any]], Any]


class Initialized(NodeOperation):
    """Which variables have values. The session knows; no run of a graph does."""

    cuts = True

    def __init__(self, variables: Sequence[Any], names: bool = False) -> None:
        self.variables = list(variables)
        self.names = names

    def title(self) -> str:
        return "IsVariableInitialized"

    def emit(self, to: Emitter, node: Node) -> None:
        raise NotImplementedError(
            f"{node.described()}: which variables are initialised is known between runs alone: run "
            "it by itself"
        )

    def answer(self, store: Store) -> Any:
        """The answer, of a session's memory."""
        if not self.names:
            return store.has(self.variables[0])
        return np.array([v.label.encode() for v in self.variables if not store.has(v)], object)


class Session:
    """Runs parts of a graph.

    `run` makes a compiled function of what it is asked for and keeps it: by the object that is
    fetched and the keys that are fed.
    """

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        self.graph = graph or get_default_graph()
        self.store = Store()
        self._ready: dict[Any, tuple[Callable[..., Any], Build | None]] = {}
        self._open: list[Any] = []
        self._closed = False

    def run(
        self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None
    ) -> Any:
        """The values of `fetches`: a tensor, an operation (None), a name, or any nesting of them.

        `feed_dict` gives placeholders, or any other tensors, their values.
        """
        try:
            if fetches.__class__ is list:
                key = list, len(fetches), *fetches, *(feed_dict or ())
            else:
                key = (fetches, *feed_dict) if feed_dict else (fetches,)
            ready = self._ready.get(key)
        except TypeError:  # deeper nestings are flattened at each run
            key, ready = None, None
        call, build = ready or self._prepare(fetches, feed_dict or {}, key)
        try:
            found = call(*feed_dict.values()) if feed_dict else call()
        except UninitializedError as error:
            raise FailedPreconditionError(
                f"run: {error.node.described()}, is uninitialized; run "
                "tf.global_variables_initializer() first"
            ) from None
        return build and build(found)

    def _prepare(
        self, fetches: Any, feed: Any, quick: Any
    ) -> tuple[Callable[..., Any], Build | None]:
        if self._closed:
            raise RuntimeError("run: the session is closed; tf.Session() opens another")
        shape, nodes = _flat(fetches, self.graph)
        feeds = [_node(x, self.graph, "feed_dict's key") for x in feed]
        key = ("flat", shape, *nodes, None, *feeds)
        found = self._ready.get(key)
        if found is None:
            found = self._ready[key] = self._planned(fetches, nodes, feeds)
        if quick is not None:
            self._ready[quick] = found
        return found

    def _planned(
        self, fetches: Any, nodes: list[Node], feeds: list[Node]
    ) -> tuple[Callable[..., Any], Build | None]:
        store = self.store
        asked = [n.operation for n in nodes if isinstance(n.operation, Initialized)]
        if asked:
            return _nothing, lambda _: asked[0].answer(store)
        outputs = list(dict.fromkeys(n for n in nodes if not isinstance(n.operation, Group)))
        targets = [n for n in nodes if isinstance(n.operation, Group)]
        title = nodes[0].label if nodes else "nothing"
        try:
            plan = Plan(store, outputs, feeds, targets, title)
        except MissingFeedError as error:
            operation: Any = error.node.operation
            raise InvalidArgumentError(
                f"run: no value is fed for placeholder {error.node.described()}, with dtype "
                f"{operation.dtype}: sess.run(..., feed_dict={{{error.node.label}: value}})"
            ) from None
        places = {n: k for k, n in enumerate(outputs)}
        if isinstance(fetches, Tensor | Operation | str) and not outputs:
            return plan.run, None
        return plan.run, _builder(fetches, places, self.graph)

    def partial_run(self, *_: Any, **__: Any) -> Any:
        """Not there."""
        raise NotImplementedError("partial_run is not there: one run gives all fetches")

    def make_callable(self, fetches: Any, feed_list: Sequence[Any] = ()) -> Callable[..., Any]:
        """A function of the values of `feed_list` that gives those of `fetches`."""
        keys = list(feed_list)
        return lambda *values: self.run(fetches, dict(zip(keys, values, strict=True)))

    def close(self) -> None:
        """Nothing can be run any more."""
        self._closed = True
        self._ready.clear()

    @contextmanager
    def as_default(self) -> Iterator[Session]:
        """`eval()` and `run()` of tensors use this session inside."""
        _local.stack.append(self)
        try:
            yield self
        finally:
            _local.stack.remove(self)

    def __enter__(self) -> Session:
        context = _entered(self)
        context.__enter__()
        self._open.append(context)
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.pop().__exit__(*error)
        self.close()

    def list_devices(self) -> list[str]:
        """The devices there are."""
        return ["/device:CPU:0"]


@contextmanager
def _entered(session: Session) -> Iterator[None]:
    with session.graph.as_default(), session.as_default():
        yield


class InteractiveSession(Session):
    """A session that is the default one as soon as it is made."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        _local.stack.append(self)

    def close(self) -> None:
        """Nothing can be run any more."""
        super().close()
        if self in _local.stack:
            _local.stack.remove(self)


class _Local(threading.local):
    def __init__(self) -> None:
        self.stack: list[Session] = []


_local = _Local()


def get_default_session() -> Session | None:
    """The session that is open, or None."""
    return _local.stack[-1] if _local.stack else None


def default_session(what: str) -> Session:
    """The session that is open."""
    found = get_default_session()
    if found is None:
        raise ValueError(
            f"{what}: no session is open by default; use `with sess.as_default()` or pass "
            "session=sess"
        )
    return found


# Fetches.


def _node(x: Any, graph: Graph, role: str) -> Node:
    if isinstance(x, Operation):
        x = x._tensor
    elif isinstance(x, str):
        x = graph.get_tensor_by_name(x)
    if not isinstance(x, Node):
        raise TypeError(f"{role} {x!r} is {type(x).__name__}, not a tensor, an operation or a name")
    if x.graph is not graph:
        raise ValueError(
            f"{x.described()}, is of another graph than the session; tf.Session(graph=x.graph) "
            "runs it"
        )
    return x


def _flat(fetches: Any, graph: Graph) -> tuple[str, list[Node]]:
    nodes: list[Node] = []

    def shape_of(x: Any) -> str:
        if isinstance(x, dict):
            return f"{{{','.join(f'{k!r}:{shape_of(v)}' for k, v in x.items())}}}"
        if isinstance(x, list | tuple):
            return f"{type(x).__name__}({','.join(map(shape_of, x))})"
        nodes.append(_node(x, graph, "fetch argument"))
        return "*"

    return shape_of(fetches), nodes


def _builder(fetches: Any, places: dict[Node, int], graph: Graph) -> Build:
    if isinstance(fetches, dict):
        parts = {k: _builder(v, places, graph) for k, v in fetches.items()}
        return lambda found: {k: part(found) for k, part in parts.items()}
    if isinstance(fetches, list | tuple):
        if type(fetches) is list and all(isinstance(x, Node) for x in fetches):
            order = [places.get(x) for x in fetches]
            return lambda found: [None if k is None else found[k] for k in order]
        items = [_builder(x, places, graph) for x in fetches]
        if hasattr(fetches, "_fields"):
            make: Any = type(fetches)
            return lambda found: make(*[part(found) for part in items])
        kind = type(fetches)
        return lambda found: kind([part(found) for part in items])
    place = places.get(_node(fetches, graph, "fetch argument"))
    return _nothing if place is None else lambda found: found[place]


def _nothing(*_: Any) -> None:
    return None
