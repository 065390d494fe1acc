"""Files: what variables hold, and graphs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tapegrad.compat.tensorflow.errors import NotFoundError
from tapegrad.compat.tensorflow.tensors import Graph, get_default_graph
from tapegrad.compat.tensorflow.variables import global_variables
from tapegrad.graph import saving

_SUFFIX = ".npz"


class Saver:
    """Saves variables to `PATH.npz` and restores them, by name."""

    def __init__(
        self,
        var_list: Any = None,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        **_: Any,
    ) -> None:
        graph = get_default_graph()
        variables = global_variables() if var_list is None else var_list
        if isinstance(variables, dict):
            self._variables = dict(variables)
        else:
            self._variables = {v.label: v for v in variables}
        if not self._variables:
            raise ValueError("Saver: there are no variables; they come before the Saver")
        self._graph = graph
        self._keep = max_to_keep
        self._kept: list[str] = []

    def save(
        self,
        sess: Any,
        save_path: str,
        global_step: Any = None,
        latest_filename: str | None = None,
        meta_graph_suffix: str = "meta",
        write_meta_graph: bool = True,
        **_: Any,
    ) -> str:
        """Writes what the variables hold in a session; returns the path without its ending."""
        path = str(save_path)
        if global_step is not None:
            step = global_step if isinstance(global_step, int) else int(sess.run(global_step))
            path = f"{path}-{step}"
        arrays = {name: sess.run(v) for name, v in self._variables.items()}
        with open(path + _SUFFIX, "wb") as file:
            np.savez(file, **arrays)
        if write_meta_graph:
            try:
                export_meta_graph(f"{path}.{meta_graph_suffix}", graph=sess.graph)
            except saving.NotSavableError:
                Path(f"{path}.{meta_graph_suffix}").unlink(missing_ok=True)
        self._note(path, latest_filename or "checkpoint", meta_graph_suffix)
        return path

    def _note(self, path: str, filename: str, suffix: str) -> None:
        self._kept = [p for p in self._kept if p != path] + [path]
        while self._keep and len(self._kept) > self._keep:
            old = self._kept.pop(0)
            for ending in (_SUFFIX, f".{suffix}"):
                Path(old + ending).unlink(missing_ok=True)
        state = {"model_checkpoint_path": path, "all_model_checkpoint_paths": self._kept}
        (Path(path).parent / filename).write_text(json.dumps(state), "utf-8")

    def restore(self, sess: Any, save_path: str) -> None:
        """Gives the variables of a session what was saved."""
        if not checkpoint_exists(save_path):
            raise ValueError(
                f"restore: there is no checkpoint {save_path}; saver.save(sess, path) makes one, "
                "and tf.train.latest_checkpoint(folder) finds the last"
            )
        with np.load(str(save_path) + _SUFFIX) as saved:
            missing = [name for name in self._variables if name not in saved]
            if missing:
                raise NotFoundError(
                    f"restore: {save_path} has no {missing[0]}; it has {', '.join(saved.files)}"
                )
            for name, v in self._variables.items():
                wanted = v.shape
                found = saved[name]
                if wanted.is_fully_defined() and tuple(wanted.as_list()) != found.shape:
                    raise ValueError(
                        f"restore: {name} has shape {found.shape} in {save_path}, and {wanted} in "
                        "the graph"
                    )
                sess.store.set(v, found)

    @property
    def last_checkpoints(self) -> list[str]:
        """The paths that are kept."""
        return list(self._kept)


class CheckpointState:
    """What was saved in a folder."""

    def __init__(self, model_checkpoint_path: str, all_model_checkpoint_paths: list[str]) -> None:
        self.model_checkpoint_path = model_checkpoint_path
        self.all_model_checkpoint_paths = all_model_checkpoint_paths


def get_checkpoint_state(
    checkpoint_dir: str, latest_filename: str | None = None
) -> CheckpointState | None:
    """What was saved in a folder, or None."""
    path = Path(checkpoint_dir) / (latest_filename or "checkpoint")
    return CheckpointState(**json.loads(path.read_text("utf-8"))) if path.is_file() else None


def latest_checkpoint(checkpoint_dir: str, latest_filename: str | None = None) -> str | None:
    """The path that was saved last in a folder, or None."""
    found = get_checkpoint_state(checkpoint_dir, latest_filename)
    return None if found is None else found.model_checkpoint_path


def checkpoint_exists(checkpoint_prefix: str) -> bool:
    """Whether something was saved there."""
    return Path(str(checkpoint_prefix) + _SUFFIX).is_file()


def export_meta_graph(filename: str, graph: Graph | None = None, **_: Any) -> None:
    """Writes a graph to a file."""
    Path(filename).write_bytes(saving.dumps(graph or get_default_graph()))


def import_meta_graph(meta_graph_or_file: str, clear_devices: bool = False, **_: Any) -> Any:
    """Adds a saved graph to the default graph, which must be empty; returns a Saver.

    A file of a graph is a pickle, which may do anything when it is read: read your own alone.
    """
    path = Path(meta_graph_or_file)
    if not path.is_file():
        raise OSError(
            f"import_meta_graph: there is no file {meta_graph_or_file}; "
            "tf.train.export_meta_graph(path) makes one"
        )
    graph = get_default_graph()
    if graph.nodes:
        raise ValueError(
            "import_meta_graph: the default graph is not empty; use tf.reset_default_graph() or "
            "`with tf.Graph().as_default():` first"
        )
    saving.loads_into(path.read_bytes(), graph)
    return Saver() if global_variables() else None
