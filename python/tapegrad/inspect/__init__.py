"""Looking at what is recorded.

`record` gives the graph of a call as plain data, `draw` shows it, `profile` measures it.
"""

from tapegrad.inspect.drawing import Drawing, draw
from tapegrad.inspect.graph import Graph, Guard, Node, RecordedGraph, record
from tapegrad.inspect.profiling import Profile, profile

__all__ = [
    "Drawing",
    "Graph",
    "Guard",
    "Node",
    "Profile",
    "RecordedGraph",
    "draw",
    "profile",
    "record",
]
