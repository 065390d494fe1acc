"""Looking at what is recorded: `record` gives the graph of a call."""

from tapegrad.inspect.graph import Graph, Guard, Node, RecordedGraph, record

__all__ = ["Graph", "Guard", "Node", "RecordedGraph", "record"]
