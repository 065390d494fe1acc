"""jax.tree: the functions of tree_util by shorter names."""

from tapegrad.compat.jax.tree_util import tree_all as all
from tapegrad.compat.jax.tree_util import tree_broadcast as broadcast
from tapegrad.compat.jax.tree_util import tree_flatten as flatten
from tapegrad.compat.jax.tree_util import tree_flatten_with_path as flatten_with_path
from tapegrad.compat.jax.tree_util import tree_leaves as leaves
from tapegrad.compat.jax.tree_util import tree_leaves_with_path as leaves_with_path
from tapegrad.compat.jax.tree_util import tree_map as map
from tapegrad.compat.jax.tree_util import tree_map_with_path as map_with_path
from tapegrad.compat.jax.tree_util import tree_reduce as reduce
from tapegrad.compat.jax.tree_util import tree_structure as structure
from tapegrad.compat.jax.tree_util import tree_transpose as transpose
from tapegrad.compat.jax.tree_util import tree_unflatten as unflatten

__all__ = [
    "all",
    "broadcast",
    "flatten",
    "flatten_with_path",
    "leaves",
    "leaves_with_path",
    "map",
    "map_with_path",
    "reduce",
    "structure",
    "transpose",
    "unflatten",
]
